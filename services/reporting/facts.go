package reporting

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/phone"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

const (
	factReports    = 50  // reports with text when none is said
	unstartedPage  = 100 // backlog page when none is said
	mergedPage     = 500 // merged complaints whose workflows are told again
	mergedAge      = 24 * time.Hour
	mergedMost     = 24 // other numbers of a complaint that are told
	beginningOfIDs = "00000000-0000-0000-0000-000000000000"
)

// GetFacts returns what the workflow's activities decide on, texts included, of the current round first.
func (s *Server) GetFacts(ctx context.Context, req *reportingv1.GetFactsRequest) (*reportingv1.GetFactsResponse, error) {
	q := store.New(s.db)
	facts, err := q.RoundFacts(ctx, req.GetComplaintId())
	if err != nil {
		return nil, errs.NotFound(err, "complaint %s", req.GetComplaintId())
	}
	c := &facts.Complaint
	parties, err := q.PartiesOfOne(ctx, c.ComplaintID)
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	resp := &reportingv1.GetFactsResponse{Complaint: complaintOf(c, facts.Reports, parties, true)}
	most := req.GetMaxReports()
	if most == 0 {
		most = factReports
	}
	if resp.Reports, err = s.reportFacts(ctx, q, c, req.GetUnclassifiedOnly(), most); err != nil {
		return nil, err
	}
	if resp.Evidence, err = evidenceFacts(ctx, q, req); err != nil {
		return nil, err
	}
	if req.GetFindings() {
		resp.Substantiated, resp.Checked = int32(facts.Substantiated), int32(facts.Checked)
	}
	tellRoundFacts(&facts, resp)
	resp.MergedNumbers, err = mergedNumbers(ctx, q, c, facts.Merged)
	return resp, err
}

// reportFacts are a complaint's reports with their texts: the newest, or the oldest that nobody has classified.
func (s *Server) reportFacts(ctx context.Context, q *store.Queries, c *store.Complaint, unclassified bool, most int32) ([]*reportingv1.ReportFacts, error) {
	which := store.ReportsWithTextParams{ComplaintID: c.ComplaintID, MaxReports: most}
	var rows []store.Report
	var err error
	if unclassified {
		rows, err = q.UnclassifiedReports(ctx, store.UnclassifiedReportsParams(which))
	} else {
		rows, err = q.ReportsWithText(ctx, which)
	}
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	reports := make([]*store.Report, len(rows))
	for i := range rows {
		reports[i] = &rows[i]
	}
	said, err := s.said(ctx, q, reports...)
	if err != nil {
		return nil, err
	}
	facts := make([]*reportingv1.ReportFacts, len(rows))
	for i, r := range reports {
		facts[i] = &reportingv1.ReportFacts{Report: reportOf(r, c, true), Text: said[i]}
	}
	return facts, nil
}

// said are the texts of reports, each with what its reporter added later.
func (s *Server) said(ctx context.Context, q *store.Queries, reports ...*store.Report) ([]string, error) {
	rows, err := q.SupplementsOf(ctx, idsOf(reports, func(r *store.Report) string { return r.ReportID }))
	if err != nil {
		return nil, fmt.Errorf("supplements: %w", err)
	}
	added := map[string]string{}
	for _, x := range rows {
		plain, err := s.keys.Unseal(x.Sealed, supplementPlace(x.SupplementID))
		if err != nil {
			return nil, err
		}
		if len(plain) > 0 {
			added[x.ReportID] += "\n" + string(plain)
		}
	}
	texts := make([]string, len(reports))
	for i, r := range reports {
		plain, err := openReport(s.keys, r.ReportID, r.Sealed)
		if err != nil {
			return nil, err
		}
		texts[i] = strings.TrimPrefix(plain.Text+added[r.ReportID], "\n")
	}
	return texts, nil
}

// tellRoundFacts fills in what needs no text.
func tellRoundFacts(f *store.RoundFactsRow, resp *reportingv1.GetFactsResponse) {
	resp.Unchecked, resp.Supplemented, resp.ReportersOperatorId = int32(f.Unchecked), f.Supplemented, f.ReportersOperator
	if first := f.FirstCallTime; first.Unix() != 0 {
		resp.FirstCallTime, resp.LastCallTime = timestamppb.New(first), timestamppb.New(f.LastCallTime)
	}
	resp.AllWithdrawn = f.Standing == 0
	if f.Standing == 0 && f.Complaint.Origin == originMarks {
		resp.AllWithdrawn, resp.Clue = f.Reports > 0, f.Reports == 0
	}
}

// mergedNumbers are the other numbers of a complaint. Few complaints have any.
func mergedNumbers(ctx context.Context, q *store.Queries, c *store.Complaint, reports int64) ([]*reportingv1.MergedNumber, error) {
	if reports == 0 {
		return nil, nil
	}
	rows, err := q.MergedNumbers(ctx, store.MergedNumbersParams{ComplaintID: c.ComplaintID, Round: c.Round, Most: mergedMost})
	if err != nil {
		return nil, fmt.Errorf("merged numbers: %w", err)
	}
	numbers := make([]*reportingv1.MergedNumber, len(rows))
	for i, r := range rows {
		numbers[i] = &reportingv1.MergedNumber{
			Number: phone.Parse(r.NumberNormal), FirstCallTime: timestamppb.New(r.FirstCallTime), ReportId: r.ReportID,
		}
	}
	return numbers, nil
}

// mergedOfLate are rounds that ended because their complaint was merged. Their workflows were told after the commit; they
// are told again for a while, for that may have been lost.
func (s *Server) mergedOfLate(ctx context.Context) ([]*reportingv1.Unstarted, error) {
	since := s.clock().Add(-mergedAge)
	rows, err := store.New(s.db).MergedSince(ctx, store.MergedSinceParams{Since: &since, Most: mergedPage})
	if err != nil {
		return nil, fmt.Errorf("merged complaints: %w", err)
	}
	ended := make([]*reportingv1.Unstarted, len(rows))
	for i, r := range rows {
		ended[i] = &reportingv1.Unstarted{ComplaintId: r.ComplaintID, Round: r.Round}
	}
	return ended, nil
}

// ListUnstarted lists the backlog: rounds that wait for their workflow, oldest first.
func (s *Server) ListUnstarted(ctx context.Context, req *reportingv1.ListUnstartedRequest) (*reportingv1.ListUnstartedResponse, error) {
	resp := &reportingv1.ListUnstartedResponse{}
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		if resp.Ended, err = s.mergedOfLate(ctx); err != nil {
			return nil, err
		}
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
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.TimeToken(rows[size-1].RoundTime, rows[size-1].ComplaintID)
	}
	for _, r := range rows {
		resp.Complaints = append(resp.Complaints, &reportingv1.Unstarted{ComplaintId: r.ComplaintID, Round: r.Round})
	}
	return resp, nil
}
