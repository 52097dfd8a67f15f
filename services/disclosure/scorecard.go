package disclosure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// FreezeAppeals keeps a page of the appeals that a month's scorecards count.
func (s *Server) FreezeAppeals(ctx context.Context, req *disclosurev1.FreezeAppealsRequest) (*disclosurev1.FreezeAppealsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.FreezeAppealsResponse, error) {
		q := store.New(tx)
		d, err := drafted(ctx, q, req.GetDigestId())
		if err != nil {
			return nil, err
		}
		_, err = q.ScorecardSetOf(ctx, store.ScorecardSetOfParams{DigestID: req.GetDigestId(), Period: d.Digest.Month})
		if !errors.Is(err, pgx.ErrNoRows) {
			return &disclosurev1.FreezeAppealsResponse{Made: true}, err
		}
		for _, a := range req.GetAppeals() {
			if err := q.FreezeAppeal(ctx, store.FreezeAppealParams{
				DigestID: req.GetDigestId(), AppealID: a.GetAppealId(), OperatorID: a.GetOperatorId(), FileTime: a.GetFileTime().AsTime(),
				State: a.GetState(), Filed: a.GetFiled(), DeductionID: orNil(a.GetDeductionId()), DeductionState: a.GetDeductionState(),
				Effect: int16(a.GetEffect()), DecidedTime: timeOrNil(a.GetDecidedTime()), //nolint:gosec // -1 to 1
			}); err != nil {
				return nil, err
			}
		}
		return &disclosurev1.FreezeAppealsResponse{}, nil
	})
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNil(t *timestamppb.Timestamp) *time.Time {
	if t == nil {
		return nil
	}
	at := t.AsTime()
	return &at
}

// drafted is a digest; what is frozen for one that is not drafted yet is no ground for a card. Its cards are made one at a
// time.
func drafted(ctx context.Context, q *store.Queries, id string) (digestRow, error) {
	if err := q.LockKey(ctx, "scorecards"); err != nil {
		return digestRow{}, err
	}
	row, err := q.DigestByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && row.Digest.CutTime == nil {
		return digestRow{}, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "no counts were frozen for such a digest")
	}
	return digestRow(row), err
}

// RecordScorecards makes the cards of a digest's month and, when that makes it complete, of its quarter.
func (s *Server) RecordScorecards(ctx context.Context, req *disclosurev1.RecordScorecardsRequest) (*disclosurev1.RecordScorecardsResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*disclosurev1.RecordScorecardsResponse, error) {
		q := store.New(tx)
		d, err := drafted(ctx, q, req.GetDigestId())
		if err != nil {
			return nil, err
		}
		month := d.Digest.Month
		resp := &disclosurev1.RecordScorecardsResponse{}
		own := cardSource{period: month, digestID: d.Digest.DigestID, hash: d.Digest.CutHash}
		if resp.Cards, err = s.recordCards(ctx, q, req, d, month, []cardSource{own}); err != nil {
			return nil, err
		}
		quarter, months := quarterOf(month)
		newest, err := q.NewestMonthlySets(ctx, months)
		if err != nil || len(newest) < len(months) {
			return resp, err
		}
		var sources []cardSource
		for _, n := range newest {
			sources = append(sources, cardSource{period: n.Period, digestID: n.DigestID, hash: n.CutHash})
		}
		_, err = s.recordCards(ctx, q, req, d, quarter, sources)
		return resp, err
	})
}

// cardSource is a digest that cards are made from.
type cardSource struct{ period, digestID, hash string }

// recordCards makes a version of a period's cards, unless there is one of that digest.
func (s *Server) recordCards(
	ctx context.Context, q *store.Queries, req *disclosurev1.RecordScorecardsRequest, d digestRow, period string, sources []cardSource,
) (int32, error) {
	if _, err := q.ScorecardSetOf(ctx, store.ScorecardSetOfParams{DigestID: d.Digest.DigestID, Period: period}); !errors.Is(err, pgx.ErrNoRows) {
		return 0, err
	}
	cards, hash, err := makeCards(ctx, q, period, sources, req.GetOperators())
	if err != nil {
		return 0, err
	}
	last, err := q.LastScorecardVersion(ctx, period)
	if err != nil {
		return 0, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return 0, err
	}
	set := store.InsertScorecardSetParams{
		SetID: id.String(), DigestID: d.Digest.DigestID, Period: period, Version: last + 1, Note: d.Digest.Note, Hash: hash, BuildTime: s.now(),
	}
	if set.Note == "" && last > 0 {
		set.Note = fmt.Sprintf("%s版本%d", d.Digest.Month, d.Digest.Version)
	}
	if err := q.InsertScorecardSet(ctx, set); err != nil {
		return 0, err
	}
	for _, x := range sources {
		if err := q.InsertScorecardSource(ctx, store.InsertScorecardSourceParams{SetID: set.SetID, DigestID: x.digestID}); err != nil {
			return 0, err
		}
	}
	for _, c := range cards {
		if err := c.write(ctx, q, set.SetID); err != nil {
			return 0, err
		}
	}
	return int32(len(cards)), nil //nolint:gosec // as many as operators
}

// makeCards makes the cards of a period from what was frozen, and the hash of them all.
func makeCards(
	ctx context.Context, q *store.Queries, period string, sources []cardSource, operators []*disclosurev1.ScoredOperator,
) ([]*card, string, error) {
	m := scoring{period: period, cards: map[string]*card{}}
	var digests []string
	for _, x := range sources {
		m.sources = append(m.sources, x.period+" "+x.hash)
		digests = append(digests, x.digestID)
		pages, err := q.FrozenPages(ctx, x.digestID)
		if err != nil {
			return nil, "", err
		}
		for _, p := range pages {
			var page disclosurev1.FreezeCountsRequest
			if err := proto.Unmarshal(p.Body, &page); err != nil {
				return nil, "", fmt.Errorf("frozen page of %s: %w", p.Owner, err)
			}
			for _, c := range page.GetCounts() {
				m.count(p.Owner, c)
			}
		}
	}
	appeals, err := q.FrozenAppeals(ctx, digests)
	if err != nil {
		return nil, "", err
	}
	for _, a := range appeals {
		m.appeal(a)
	}
	for _, o := range operators {
		if c := m.cards[o.GetOperatorId()]; c != nil {
			c.Name, c.AdministrationID = o.GetName(), o.GetAdministrationId()
		}
	}
	cards, hash := m.finish()
	return cards, hash, nil
}

func (c *card) write(ctx context.Context, q *store.Queries, set string) error {
	c.SetID = set
	if err := q.InsertScorecard(ctx, c.InsertScorecardParams); err != nil {
		return err
	}
	for _, st := range c.steps {
		st.SetID = set
		if err := q.InsertScorecardStep(ctx, st.InsertScorecardStepParams); err != nil {
			return err
		}
	}
	return nil
}
