package enforcement

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// Verdicts on two cases.
const (
	sameActVerdict = "same_act"
	unlinked       = "unlinked"
	differentActs  = "different_acts"
	seen           = "seen" // the warning was acknowledged
)

// LinkActs says that two cases are about one act: from then on only one of them, and of what is linked to them, is fined
// (行政处罚法 29). Linking what is linked is a no-op.
func (s *Server) LinkActs(ctx context.Context, req *enforcementv1.LinkActsRequest) (*enforcementv1.LinkActsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.LinkActsResponse, error) {
		v, err := s.judgeActs(ctx, store.New(tx), judging{req.GetCaseId(), req.GetOtherCaseId(), sameActVerdict, req.GetReason()})
		return &enforcementv1.LinkActsResponse{Verdict: v}, err
	})
}

// UnlinkActs takes a link back, or judges that two acts differ. Both stay on record.
func (s *Server) UnlinkActs(ctx context.Context, req *enforcementv1.UnlinkActsRequest) (*enforcementv1.UnlinkActsResponse, error) {
	kind := unlinked
	if req.GetDifferent() {
		kind = differentActs
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.UnlinkActsResponse, error) {
		v, err := s.judgeActs(ctx, store.New(tx), judging{req.GetCaseId(), req.GetOtherCaseId(), kind, req.GetReason()})
		return &enforcementv1.UnlinkActsResponse{Verdict: v}, err
	})
}

// judging is a verdict that an officer gives.
type judging struct{ caseID, other, verdict, reason string }

// judgeActs writes a verdict of an officer of one of the two agencies. Both groups are locked, so that no fine is decided
// on either meanwhile.
func (s *Server) judgeActs(ctx context.Context, q *store.Queries, j judging) (*enforcementv1.ActVerdict, error) {
	if j.caseID == j.other {
		return nil, errs.Field("other_case_id", "must name another case")
	}
	ids := []string{j.caseID, j.other}
	slices.Sort(ids) // locks are taken in one order
	rows, err := q.CasesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	actor := identity.ActorOf(ctx)
	mine := slices.ContainsFunc(rows, func(r store.CasesOfRow) bool { return r.AgencyID == actor.GetAgencyId() })
	if len(rows) < len(ids) || !mine {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such cases, one of them your agency's")
	}
	for _, id := range ids {
		if _, err := s.sameAct(ctx, q, id); err != nil {
			return nil, err
		}
	}
	now, err := q.VerdictNow(ctx, store.VerdictNowParams{CaseID: j.caseID, OtherCaseID: j.other})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, err
	}
	if j.verdict == unlinked && now != sameActVerdict {
		return nil, wrongState("the two cases are not linked")
	}
	at := s.now()
	if now != j.verdict {
		if err := s.addVerdict(ctx, q, j, at); err != nil {
			return nil, err
		}
	}
	other := rows[slices.IndexFunc(rows, func(r store.CasesOfRow) bool { return r.CaseID == j.other })]
	return &enforcementv1.ActVerdict{
		OtherCaseId: j.other, OtherAgencyId: other.AgencyID, Verdict: j.verdict, Reason: j.reason, AgencyId: actor.GetAgencyId(),
		DecidedBy: actor.GetSubject(), DecidedTime: timestamppb.New(at),
	}, nil
}

func (s *Server) addVerdict(ctx context.Context, q *store.Queries, j judging, at time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	actor := identity.ActorOf(ctx)
	return q.AddVerdict(ctx, store.AddVerdictParams{
		LinkID: id.String(), CaseID: j.caseID, OtherCaseID: j.other, Verdict: j.verdict, Reason: j.reason,
		DecidedBy: actor.GetSubject(), AgencyID: actor.GetAgencyId(), DecidedTime: at,
	})
}

// suspectedActs are the cases that may be about the same act as this one, and that nobody has judged yet.
func (s *Server) suspectedActs(ctx context.Context, q *store.Queries, caseID string) ([]string, error) {
	rows, err := q.SuspectedActs(ctx, caseID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.OtherCaseID)
	}
	return ids, nil
}

// acknowledgeActs writes that an officer has looked at suspected cases before the notice (行政处罚法 29). Others than
// suspected ones are left alone.
func (s *Server) acknowledgeActs(ctx context.Context, q *store.Queries, caseID string, others []string, by string, at time.Time) error {
	suspected, err := s.suspectedActs(ctx, q, caseID)
	if err != nil {
		return err
	}
	c, err := q.CasesOf(ctx, []string{caseID})
	if err != nil || len(c) == 0 {
		return err
	}
	for _, other := range others {
		if !slices.Contains(suspected, other) {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		err = q.AddVerdict(ctx, store.AddVerdictParams{
			LinkID: id.String(), CaseID: caseID, OtherCaseID: other, Verdict: seen,
			Reason: "looked at before the notice was served (告知前已核对)", DecidedBy: by, AgencyID: c[0].AgencyID, DecidedTime: at,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ListSameActs lists what is suspected and what was judged of a case, for its agency and the lead.
func (s *Server) ListSameActs(ctx context.Context, req *enforcementv1.ListSameActsRequest) (*enforcementv1.ListSameActsResponse, error) {
	q := store.New(s.db)
	if _, err := s.ownCase(ctx, q, req.GetCaseId()); err != nil {
		return nil, err
	}
	parts, err := pg.DecodeToken(req.GetPageToken(), 1)
	if err != nil {
		return nil, err
	}
	arg := store.ListVerdictsParams{CaseID: req.GetCaseId(), PageSize: pg.PageSize(req.GetPageSize())}
	if parts != nil {
		if uuid.Validate(parts[0]) != nil {
			return nil, badToken()
		}
		arg.Before = &parts[0]
	}
	suspected, err := suspectedProto(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	history, err := q.ListVerdicts(ctx, arg)
	if err != nil {
		return nil, err
	}
	group, err := q.SameAct(ctx, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	fined, err := q.FinedCases(ctx, group)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListSameActsResponse{Suspected: suspected}
	for _, v := range history {
		resp.History = append(resp.History, verdictProto(ctx, v))
	}
	for _, f := range fined {
		resp.FinedCaseIds = append(resp.FinedCaseIds, f.CaseID)
	}
	if len(history) == int(arg.PageSize) {
		resp.NextPageToken = pg.EncodeToken(history[len(history)-1].LinkID)
	}
	return resp, nil
}

// suspectedProto is what is suspected, with what both cases share.
func suspectedProto(ctx context.Context, q *store.Queries, caseID string) ([]*enforcementv1.SuspectedAct, error) {
	rows, err := q.SuspectedActs(ctx, caseID)
	out := make([]*enforcementv1.SuspectedAct, 0, len(rows))
	for _, r := range rows {
		out = append(out, &enforcementv1.SuspectedAct{
			OtherCaseId: r.OtherCaseID, OtherAgencyId: r.OtherAgencyID, OtherAct: r.OtherAct, Shared: r.Shared,
		})
	}
	return out, err
}

// verdictProto names who judged to the own agency and to the lead only.
func verdictProto(ctx context.Context, v store.ListVerdictsRow) *enforcementv1.ActVerdict {
	out := &enforcementv1.ActVerdict{
		OtherCaseId: v.OtherCaseID, OtherAgencyId: v.OtherAgencyID, Verdict: v.Verdict, Reason: v.Reason, AgencyId: v.AgencyID,
		DecidedTime: timestamppb.New(v.DecidedTime),
	}
	if seesAll(ctx) || v.AgencyID == identity.ActorOf(ctx).GetAgencyId() {
		out.DecidedBy = v.DecidedBy
	}
	return out
}

// ownCase is a case of the actor's agency, or any for the lead.
func (s *Server) ownCase(ctx context.Context, q *store.Queries, id string) (store.GetCaseRow, error) {
	row, err := q.GetCase(ctx, store.GetCaseParams{CaseID: id, SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId()})
	if err != nil {
		return row, errs.NotFound(err, "no such case")
	}
	return row, nil
}
