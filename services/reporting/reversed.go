package reporting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// disclosureReversed is what a complaint has in the place of a publication that was withdrawn with its decision.
const disclosureReversed = "case_reversed"

// TellReversal tells the reports of a round that the decision of their case was taken back (行政处罚法 48, 75). It may be long
// after their complaint was closed, or after that was merged into another: a line is added, nothing is erased.
func (s *Server) TellReversal(ctx context.Context, req *reportingv1.TellReversalRequest) (*reportingv1.TellReversalResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.TellReversalResponse, error) {
		c, err := lockMerged(ctx, tx, req.GetComplaintId())
		if err != nil {
			return nil, err
		}
		number := req.GetRound()
		if c.ComplaintID != req.GetComplaintId() {
			number = c.Round // its reports went there
		}
		return s.tellReversed(ctx, tx, c, number, req)
	})
}

// lockMerged locks a complaint, or the one that it was merged into.
func lockMerged(ctx context.Context, tx pgx.Tx, id string) (store.Complaint, error) {
	c, err := lock(ctx, tx, id)
	const mergers = 8
	for n := 0; err == nil && c.MergedInto != nil && n < mergers; n++ {
		c, err = lock(ctx, tx, *c.MergedInto)
	}
	return c, err
}

// KeepDisclosure writes the publication of a case to a complaint that is at its end, or to the one that it was merged into.
func (s *Server) KeepDisclosure(ctx context.Context, req *reportingv1.KeepDisclosureRequest) (*reportingv1.KeepDisclosureResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.KeepDisclosureResponse, error) {
		c, err := lockMerged(ctx, tx, req.GetComplaintId())
		if err != nil {
			return nil, err
		}
		kept, err := store.New(tx).KeepDisclosure(ctx, store.KeepDisclosureParams{ComplaintID: c.ComplaintID, Disclosure: req.GetDisclosure(), At: s.clock()})
		if err != nil {
			return nil, fmt.Errorf("keep disclosure: %w", err)
		}
		return &reportingv1.KeepDisclosureResponse{Kept: kept > 0}, nil
	})
}

func (s *Server) tellReversed(ctx context.Context, tx pgx.Tx, c store.Complaint, number int32, req *reportingv1.TellReversalRequest) (*reportingv1.TellReversalResponse, error) {
	q, at := store.New(tx), s.clock()
	if err := reach(ctx, tx, c.ComplaintID, number, stageReversed, req.GetOffice(), nil, at); err != nil {
		return nil, err
	}
	if err := q.Undisclose(ctx, store.UndiscloseParams{
		ComplaintID: c.ComplaintID, Was: req.GetDisclosure(), Disclosure: disclosureReversed, At: at,
	}); err != nil {
		return nil, fmt.Errorf("tell reversal: %w", err)
	}
	told, err := tellReversed(ctx, q, c, number, req.GetDisclosure() != "", at)
	return &reportingv1.TellReversalResponse{Told: int32(told)}, err //nolint:gosec // reports of one complaint
}

// tellReversed tells those who were told a result, once, and of a publication only where one was withdrawn. It is asked with
// each result too: the decision may be taken back before its reporters hear of it.
func tellReversed(ctx context.Context, q *store.Queries, c store.Complaint, number int32, withdrawn bool, at time.Time) (int64, error) {
	office, err := q.ReversedIn(ctx, store.ReversedInParams{ComplaintID: c.ComplaintID, Round: number})
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		code := ""
		if withdrawn || c.Disclosure == disclosureReversed {
			code = unpublished
		}
		var told int64
		told, err = q.TellReversal(ctx, store.TellReversalParams{
			ComplaintID: c.ComplaintID, Round: number, Sentence: sentence(feedbackReversed, code, office), At: at,
		})
		if err == nil {
			return told, nil
		}
	}
	return 0, fmt.Errorf("tell reversal: %w", err)
}
