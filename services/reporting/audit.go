package reporting

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// Audit pages through what fsck joins with tasks, workflows and cases, or through the invariants broken here.
func (s *Server) Audit(ctx context.Context, req *reportingv1.AuditRequest) (*reportingv1.AuditResponse, error) {
	size := req.GetPageSize()
	if size == 0 {
		size = pg.MaxPageSize
	}
	if req.GetWhat() == "violations" {
		return s.auditViolations(ctx, req.GetPageToken(), int(size))
	}
	after, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if after == "" {
		after = beginningOfIDs
	}
	rows, err := store.New(s.db).AuditComplaints(ctx, store.AuditComplaintsParams{After: after, PageSize: size + 1})
	if err != nil {
		return nil, fmt.Errorf("audit complaints: %w", err)
	}
	resp := &reportingv1.AuditResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ComplaintID)
	}
	for _, r := range rows {
		resp.Complaints = append(resp.Complaints, &reportingv1.AuditedComplaint{
			ComplaintId: r.ComplaintID, State: r.State, Round: r.Round, Reports: int32(r.Reports),
			WithoutFeedback: int32(r.WithoutFeedback), Result: r.Result, UpdatedTime: timestamppb.New(r.UpdatedAt),
		})
	}
	return resp, nil
}

// auditViolations runs the checks one after the other. A page holds at most one check's findings; a page may be empty
// though it has a next one.
func (s *Server) auditViolations(ctx context.Context, token string, size int) (*reportingv1.AuditResponse, error) {
	at, after := 0, beginningOfIDs
	parts, err := pg.DecodeToken(token, 2)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		at, err = strconv.Atoi(parts[0])
		after = parts[1]
		if err != nil || at < 0 || at >= len(checks) || uuid.Validate(after) != nil {
			return nil, errs.Field("page_token", "is not one that this list gave out")
		}
	}
	resp := &reportingv1.AuditResponse{}
	for ; at < len(checks); at, after = at+1, beginningOfIDs {
		rows, err := s.db.Query(ctx, checks[at].query, after, size)
		if err != nil {
			return nil, fmt.Errorf("audit: %s: %w", checks[at].sentence, err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, fmt.Errorf("audit: %s: %w", checks[at].sentence, err)
		}
		for _, id := range ids {
			resp.Violations = append(resp.Violations, checks[at].sentence+": "+id)
		}
		switch {
		case len(ids) == size:
			resp.NextPageToken = pg.EncodeToken(strconv.Itoa(at), ids[size-1])
			return resp, nil
		case len(ids) > 0 && at+1 < len(checks):
			resp.NextPageToken = pg.EncodeToken(strconv.Itoa(at+1), beginningOfIDs)
			return resp, nil
		}
	}
	return resp, nil
}

// CountComplaints counts for status pages.
func (s *Server) CountComplaints(ctx context.Context, _ *reportingv1.CountComplaintsRequest) (*reportingv1.CountComplaintsResponse, error) {
	q := store.New(s.db)
	reports, err := q.CountReports(ctx)
	if err != nil {
		return nil, fmt.Errorf("count reports: %w", err)
	}
	waiting, err := q.CountQuarantined(ctx)
	if err != nil {
		return nil, fmt.Errorf("count quarantined: %w", err)
	}
	rows, err := q.CountStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("count complaints: %w", err)
	}
	clues, err := q.CountClues(ctx)
	if err != nil {
		return nil, fmt.Errorf("count clues: %w", err)
	}
	resp := &reportingv1.CountComplaintsResponse{Reports: reports, Quarantined: waiting, Clues: clues, ByStage: map[string]int64{}}
	for _, r := range rows {
		switch r.State {
		case stateReceived:
			resp.Received += r.Complaints
		case stateOpen:
			resp.Open += r.Complaints
		case stateWatching:
			resp.Watching += r.Complaints
		case stateClosed:
			resp.Closed += r.Complaints
			continue
		}
		resp.ByStage[r.Stage] += r.Complaints
	}
	return resp, nil
}
