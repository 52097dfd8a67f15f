package reporting

import (
	"context"
	"fmt"
	"time"

	"quietline/internal/errs"
	"quietline/internal/pg"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

const (
	factReports    = 50  // reports with text when none is said
	unstartedPage  = 100 // backlog page when none is said
	beginningOfIDs = "00000000-0000-0000-0000-000000000000"
)

// GetFacts returns what the workflow's activities decide on, texts included, of the current round first.
func (s *Server) GetFacts(ctx context.Context, req *reportingv1.GetFactsRequest) (*reportingv1.GetFactsResponse, error) {
	q := store.New(s.db)
	c, err := q.ComplaintFacts(ctx, req.GetComplaintId())
	if err != nil {
		return nil, errs.NotFound(err, "complaint %s", req.GetComplaintId())
	}
	parties, err := q.PartiesOf(ctx, []string{c.ComplaintID})
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	counts, err := reportCounts(ctx, q, c.ComplaintID)
	if err != nil {
		return nil, err
	}
	resp := &reportingv1.GetFactsResponse{Complaint: complaintOf(&c, counts[c.ComplaintID], parties, true)}
	most := req.GetMaxReports()
	if most == 0 {
		most = factReports
	}
	rows, err := q.ReportsWithText(ctx, store.ReportsWithTextParams{ComplaintID: c.ComplaintID, MaxReports: most})
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	for i := range rows {
		plain, err := openReport(s.keys, rows[i].Report.ReportID, rows[i].Report.Sealed)
		if err != nil {
			return nil, err
		}
		resp.Reports = append(resp.Reports, &reportingv1.ReportFacts{
			Report: reportOf(&rows[i].Report, &rows[i].Complaint, true), Text: plain.Text,
		})
	}
	return resp, s.roundFacts(ctx, q, &c, resp)
}

func (s *Server) roundFacts(ctx context.Context, q *store.Queries, c *store.Complaint, resp *reportingv1.GetFactsResponse) error {
	counts, err := q.FindingCounts(ctx, store.FindingCountsParams{ComplaintID: c.ComplaintID, Round: c.Round})
	if err != nil {
		return fmt.Errorf("count findings: %w", err)
	}
	resp.Unchecked = int32(counts.Unchecked)
	if resp.Supplemented, err = q.Supplemented(ctx, store.SupplementedParams{ComplaintID: c.ComplaintID, Round: c.Round}); err != nil {
		return fmt.Errorf("supplements: %w", err)
	}
	left, err := q.HasReports(ctx, c.ComplaintID)
	if err != nil {
		return fmt.Errorf("reports left: %w", err)
	}
	resp.AllWithdrawn = !left
	return nil
}

// ListUnstarted lists the backlog: rounds that wait for their workflow, oldest first.
func (s *Server) ListUnstarted(ctx context.Context, req *reportingv1.ListUnstartedRequest) (*reportingv1.ListUnstartedResponse, error) {
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		after, id = time.Unix(0, 0), beginningOfIDs
	}
	size := req.GetPageSize()
	if size == 0 {
		size = unstartedPage
	}
	rows, err := store.New(s.db).ListUnstarted(ctx, store.ListUnstartedParams{
		Before: s.clock().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, PageSize: size + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("list unstarted: %w", err)
	}
	resp := &reportingv1.ListUnstartedResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.TimeToken(rows[size-1].RoundTime, rows[size-1].ComplaintID)
	}
	for _, r := range rows {
		resp.Complaints = append(resp.Complaints, &reportingv1.Unstarted{ComplaintId: r.ComplaintID, Round: r.Round})
	}
	return resp, nil
}
