package disclosure

import (
	"context"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// cardsSeen is what the caller may see of scorecards: auditors and those who keep digests all of them, an operator its own, an
// administration those that it decides on. A statistician sees what the own agency does.
func (s *Server) cardsSeen(ctx context.Context, q *store.Queries, period string, version int32) (store.ListScorecardsParams, error) {
	a := identity.ActorOf(ctx)
	all, err := s.sees(ctx, q)
	return store.ListScorecardsParams{
		Period: period, Version: version, AgencyID: a.GetAgencyId(), SeesAll: all,
		IsOperator: a.GetAgencyId() != "" && identity.HasRole(a, accessv1.Role_ROLE_OPERATOR, accessv1.Role_ROLE_STATISTICIAN),
		Official: a.GetAgencyId() != "" && identity.HasRole(a, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD,
			accessv1.Role_ROLE_STATISTICIAN),
	}, err
}

// GetScorecard returns a card with its sources and the appeals behind it.
func (s *Server) GetScorecard(ctx context.Context, req *disclosurev1.GetScorecardRequest) (*disclosurev1.GetScorecardResponse, error) {
	q := store.New(s.db)
	arg, err := s.cardsSeen(ctx, q, req.GetPeriod(), req.GetVersion())
	if err != nil {
		return nil, err
	}
	arg.Operator, arg.PageSize = req.GetOperatorId(), 1
	cards, err := readCards(ctx, q, arg)
	if err != nil {
		return nil, err
	}
	if len(cards.out) == 0 {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such scorecard")
	}
	c := cards.out[0]
	sources, err := q.ScorecardSources(ctx, cards.set)
	if err != nil {
		return nil, err
	}
	for _, x := range sources {
		c.Sources = append(c.Sources, &disclosurev1.ScorecardSource{Month: x.Month, Version: x.Version, CutHash: x.CutHash, DigestId: x.DigestID})
	}
	appeals, err := q.ScorecardAppeals(ctx, store.ScorecardAppealsParams{SetID: cards.set, OperatorID: c.GetOperatorId()})
	if err != nil {
		return nil, err
	}
	for _, a := range appeals {
		c.CountedAppeals = append(c.CountedAppeals, countedProto(a))
	}
	return &disclosurev1.GetScorecardResponse{Scorecard: c}, nil
}

// ListScorecards lists the cards of a period.
func (s *Server) ListScorecards(ctx context.Context, req *disclosurev1.ListScorecardsRequest) (*disclosurev1.ListScorecardsResponse, error) {
	after, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	arg, err := s.cardsSeen(ctx, q, req.GetPeriod(), req.GetVersion())
	if err != nil {
		return nil, err
	}
	arg.PageSize = pg.PageSize(req.GetPageSize())
	if after != nil {
		arg.After = after[0]
	}
	cards, err := readCards(ctx, q, arg)
	if err != nil {
		return nil, err
	}
	resp := &disclosurev1.ListScorecardsResponse{Scorecards: cards.out}
	if n := len(cards.out); n == int(arg.PageSize) {
		resp.NextPageToken = pg.EncodeToken(cards.out[n-1].GetOperatorId())
	}
	return resp, nil
}

type cardsRead struct {
	set string
	out []*disclosurev1.Scorecard
}

func readCards(ctx context.Context, q *store.Queries, arg store.ListScorecardsParams) (cardsRead, error) {
	rows, err := q.ListScorecards(ctx, arg)
	if err != nil || len(rows) == 0 {
		return cardsRead{}, err
	}
	read := cardsRead{set: rows[0].ScorecardSet.SetID}
	at := map[string]*disclosurev1.Scorecard{}
	var operators []string
	for _, r := range rows {
		c := cardProto(r.ScorecardSet, r.Scorecard)
		at[c.GetOperatorId()], operators, read.out = c, append(operators, c.GetOperatorId()), append(read.out, c)
	}
	steps, err := q.ScorecardSteps(ctx, store.ScorecardStepsParams{SetID: read.set, Operators: operators})
	for _, s := range steps {
		c := at[s.OperatorID]
		c.Steps = append(c.Steps, &disclosurev1.ScorecardStep{
			Step: s.Step, Scored: s.Scored, Asked: s.Asked, Answered: s.Answered, Bounced: s.Bounced, Overdue: s.Overdue, MedianMinutes: s.MedianMinutes,
		})
	}
	return read, err
}

func cardProto(s store.ScorecardSet, c store.Scorecard) *disclosurev1.Scorecard {
	return &disclosurev1.Scorecard{
		OperatorId: c.OperatorID, Name: c.Name, AdministrationId: c.AdministrationID, Period: s.Period, Version: s.Version, Note: s.Note,
		Complaints: c.Complaints, Checked: c.Checked, Substantiated: c.Substantiated, SubstantiatedPerMille: perMilleOf(c.Substantiated, c.Checked),
		Handled: c.Handled, Repeated: c.Repeated, Reopened: c.Reopened, RepeatedPerMille: perMilleOf(min(c.Repeated, c.Handled), c.Handled),
		Appeals: c.Appeals, Upheld: c.Upheld, Deducted: c.Deducted, AppealsCounted: c.Appeals - c.Deducted,
		Hash: c.Hash, BuildTime: timestamppb.New(s.BuildTime),
	}
}

// perMilleOf is a share in tenths of a percent, rounded half up; nil of nothing.
func perMilleOf(part, whole int64) *int32 {
	if whole == 0 {
		return nil
	}
	const mille = 1000
	share := int32(roundedDiv(part*mille, whole)) //nolint:gosec // at most a thousand
	return &share
}

func countedProto(a store.ScorecardAppeal) *disclosurev1.CountedAppeal {
	out := &disclosurev1.CountedAppeal{
		AppealId: a.AppealID, OperatorId: a.OperatorID, FileTime: timestamppb.New(a.FileTime), State: a.State, Filed: a.Filed,
		DeductionState: a.DeductionState, Effect: int32(a.Effect),
	}
	if a.DeductionID != nil {
		out.DeductionId = *a.DeductionID
	}
	if a.DecidedTime != nil {
		out.DecidedTime = timestamppb.New(*a.DecidedTime)
	}
	return out
}
