package ledger

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// correctOf corrects what one task's decision did to a resource, because the decision of its case was taken back (行政处罚法 48):
// the history keeps the act and says that it was wrong, as after an appeal that is upheld, and a
// deduction over it lapses. Whatever else restricts the resource stands. Taken back already, it is a no-op.
func (s *Server) correctOf(ctx context.Context, req *ledgerv1.ResumeResourceRequest) (*ledgerv1.ResumeResourceResponse, error) {
	if identity.CallerOf(ctx) != accessv1.Caller_CALLER_WORKFLOWS {
		return nil, errs.Field("task_id", "must be empty: what a task's decision ordered is taken back by its workflow")
	}
	if req.GetAgencyId() == "" {
		return nil, errs.Field("agency_id", "must name the agency that gave the order")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.ResumeResourceResponse, error) {
		q, resp := store.New(tx), &ledgerv1.ResumeResourceResponse{}
		if err := q.LockKey(ctx, "resource/"+req.GetResourceId()); err != nil {
			return nil, err
		}
		history, err := q.HistoryOf(ctx, req.GetResourceId())
		if err != nil {
			return nil, err
		}
		if len(history) == 0 {
			return nil, errs.NotFound(pgx.ErrNoRows, "no such resource")
		}
		for _, e := range inForce(history) {
			if e.TaskID == nil || *e.TaskID != req.GetTaskId() {
				continue
			}
			if err := s.correctOrder(ctx, q, req, e); err != nil {
				return nil, err
			}
		}
		resp.TakenBack = slices.ContainsFunc(history, func(e store.ResourceEvent) bool {
			return (e.Event == warned || e.Event == suspended) && e.TaskID != nil && *e.TaskID == req.GetTaskId()
		})
		resp.Resource, err = get(ctx, q, req.GetResourceId(), effectAfter(s.now(), history[len(history)-1].EffectTime))
		return resp, err
	})
}

// correctOrder enters that an order was wrong, as the act of the agency that gave it.
func (s *Server) correctOrder(ctx context.Context, q *store.Queries, req *ledgerv1.ResumeResourceRequest, order store.ResourceEvent) error {
	_, _, err := s.enter(ctx, q, store.AddEventParams{
		ResourceID: req.GetResourceId(), Event: corrected, ReasonCode: req.GetReasonCode(), Basis: req.GetBasis(), Nature: order.Nature,
		TaskID: order.TaskID, CorrectsEventID: &order.EventID,
		DoneBy: doneBy(&commonv1.Actor{Subject: string(identity.Workflows), AgencyId: req.GetAgencyId()}),
	})
	if err != nil {
		return err
	}
	return s.lapse(ctx, q, order.EventID)
}
