package assignment

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// ListUntaken lists the decisions that their workflows have not confirmed. A decision is written while its workflow works
// on it; a crash in between leaves the row without the workflow, and the sweep tells it again.
func (s *Server) ListUntaken(ctx context.Context, req *assignmentv1.ListUntakenRequest) (*assignmentv1.ListUntakenResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = uuid.Nil.String()
	}
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListUntaken(ctx, store.ListUntakenParams{
		Before: s.now().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, Page: size,
	})
	if err != nil {
		return nil, fmt.Errorf("list untaken decisions: %w", err)
	}
	resp := &assignmentv1.ListUntakenResponse{}
	for i := range rows {
		d, err := decisionOf(&rows[i].Decision)
		if err == nil {
			err = s.unseal(&rows[i].Decision, d)
		}
		if err != nil {
			return nil, err
		}
		resp.Decisions = append(resp.Decisions, &assignmentv1.UntakenDecision{
			Decision: d, WorkflowId: rows[i].WorkflowID, AgencyId: rows[i].Decision.AgencyID, Role: roleOf(rows[i].Role),
		})
	}
	if n := len(rows); n == int(size) {
		resp.NextPageToken = pg.TimeToken(rows[n-1].Decision.DecidedTime, rows[n-1].Decision.TaskID)
	}
	return resp, nil
}

// TakeDecisions marks decisions as taken. Marking twice is a no-op.
func (s *Server) TakeDecisions(ctx context.Context, req *assignmentv1.TakeDecisionsRequest) (*assignmentv1.TakeDecisionsResponse, error) {
	if err := store.New(s.db).TakeDecisions(ctx, req.GetTaskIds()); err != nil {
		return nil, fmt.Errorf("take decisions: %w", err)
	}
	return &assignmentv1.TakeDecisionsResponse{}, nil
}
