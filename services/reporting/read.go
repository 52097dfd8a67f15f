package reporting

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/phone"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// Agencies that see all: what a role may do, it may do for its own agency only.
const (
	centreAgency = "centre-12321" // 12321 举报中心
	leadAgency   = "miit"         // 牵头单位
)

// reader is whom rows are read for: the centre, the lead ministry and the workflows see all, an agency what it takes
// part in now.
type reader struct {
	seesAll bool
	sends   bool // a centre besides the national one: it also sees the complaints of the reports that it sent
	agency  string
}

func readerOf(ctx context.Context) reader {
	a := identity.ActorOf(ctx)
	agency := a.GetAgencyId()
	return reader{
		seesAll: identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || isCentre(a) ||
			identity.HasRole(a, accessv1.Role_ROLE_LEAD) && agency == leadAgency,
		sends:  identity.HasRole(a, accessv1.Role_ROLE_CENTRE) && agency != "",
		agency: agency,
	}
}

// isCentre says whether somebody acts for the national centre.
func isCentre(a *commonv1.Actor) bool {
	return identity.HasRole(a, accessv1.Role_ROLE_CENTRE) && a.GetAgencyId() == centreAgency
}

// takesPart says whether the reader's agency has one of the parts in a complaint now.
func (r reader) takesPart(parties []store.ComplaintParty, complaintID string, parts ...string) bool {
	return slices.ContainsFunc(parties, func(p store.ComplaintParty) bool {
		return p.ComplaintID == complaintID && p.AgencyID == r.agency && p.UntilTime == nil && slices.Contains(parts, p.Part)
	})
}

// seesNumber: whoever must act on a number, or told of it, sees it; who only watches over the matter sees it masked.
func (r reader) seesNumber(parties []store.ComplaintParty, complaintID string) bool {
	return r.seesAll || r.sends || r.takesPart(parties, complaintID, "lead", "co", "verifier", "preserver", "executor")
}

// seesText: what was said is for those who judge it, and the centre that sent it.
func (r reader) seesText(parties []store.ComplaintParty, report *store.Report) bool {
	return r.seesAll || r.sends && report.Sender == r.agency || r.takesPart(parties, report.ComplaintID, "lead", "co")
}

// conducts: why things were done, by whom, and what else they have to do with, is for those who conduct or oversee the
// matter; not for who was asked to verify, to keep records or to carry out, which may be the one reported.
func (r reader) conducts(parties []store.ComplaintParty, complaintID string) bool {
	return r.seesAll || r.takesPart(parties, complaintID, "lead", "co", "superior")
}

// GetComplaint returns a complaint to who may see it.
func (s *Server) GetComplaint(ctx context.Context, req *reportingv1.GetComplaintRequest) (*reportingv1.GetComplaintResponse, error) {
	r, q := readerOf(ctx), store.New(s.db)
	c, err := q.VisibleComplaint(ctx, store.VisibleComplaintParams{
		ComplaintID: req.GetComplaintId(), SeesAll: r.seesAll, Sent: r.sends, AgencyID: r.agency,
	})
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
	var links []*reportingv1.ComplaintLink
	if r.conducts(parties, c.ComplaintID) {
		if links, err = linksOf(ctx, q, r, c.ComplaintID); err != nil {
			return nil, err
		}
	}
	return &reportingv1.GetComplaintResponse{
		Complaint: complaintOf(&c, counts[c.ComplaintID], parties, r.seesNumber(parties, c.ComplaintID)), Links: links,
	}, nil
}

// ListComplaints lists the complaints that the reader may see, newest first.
func (s *Server) ListComplaints(ctx context.Context, req *reportingv1.ListComplaintsRequest) (*reportingv1.ListComplaintsResponse, error) {
	switch {
	case req.GetState() != "" && !slices.Contains([]string{stateReceived, stateOpen, stateWatching, stateClosed}, req.GetState()):
		return nil, errs.Field("state", "must be RECEIVED, OPEN, WATCHING, CLOSED or empty")
	case req.GetStage() != "" && !slices.Contains(stages, req.GetStage()):
		return nil, errs.Field("stage", "is not a step")
	}
	number, err := wanted(req.GetNumber())
	if err != nil {
		return nil, err
	}
	before, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	r, q, size := readerOf(ctx), store.New(s.db), pg.PageSize(req.GetPageSize())
	rows, err := q.ListComplaints(ctx, store.ListComplaintsParams{
		SeesAll: r.seesAll, Sent: r.sends, AgencyID: r.agency, State: req.GetState(), Stage: req.GetStage(), Number: number,
		Before: before, PageSize: size + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("list complaints: %w", err)
	}
	resp := &reportingv1.ListComplaintsResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ComplaintID)
	}
	ids := idsOf(rows, func(c store.Complaint) string { return c.ComplaintID })
	counts, err := reportCounts(ctx, q, ids...)
	if err != nil {
		return nil, err
	}
	parties, err := q.PartiesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	byComplaint := map[string][]store.ComplaintParty{}
	for _, p := range parties {
		byComplaint[p.ComplaintID] = append(byComplaint[p.ComplaintID], p)
	}
	for i := range rows {
		id := rows[i].ComplaintID
		resp.Complaints = append(resp.Complaints, complaintOf(&rows[i], counts[id], byComplaint[id], r.seesNumber(byComplaint[id], id)))
	}
	return resp, nil
}

// reportCounts counts the reports of complaints.
func reportCounts(ctx context.Context, q *store.Queries, complaints ...string) (map[string]int32, error) {
	rows, err := q.CountReportsOf(ctx, complaints)
	if err != nil {
		return nil, fmt.Errorf("count reports: %w", err)
	}
	counts := make(map[string]int32, len(rows))
	for _, r := range rows {
		counts[r.ComplaintID] = r.Reports
	}
	return counts, nil
}

// GetReport returns a report to who may see it; its text to those who judge it.
func (s *Server) GetReport(ctx context.Context, req *reportingv1.GetReportRequest) (*reportingv1.GetReportResponse, error) {
	r, q := readerOf(ctx), store.New(s.db)
	row, err := q.VisibleReport(ctx, store.VisibleReportParams{ReportID: req.GetReportId(), SeesAll: r.seesAll, AgencyID: r.agency})
	if err != nil {
		return nil, errs.NotFound(err, "report %s", req.GetReportId())
	}
	reports, err := s.reports(ctx, r, []store.ListReportsRow{store.ListReportsRow(row)})
	if err != nil {
		return nil, err
	}
	resp := &reportingv1.GetReportResponse{Report: reports[0]}
	parties, err := q.PartiesOf(ctx, []string{row.Report.ComplaintID})
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	if r.seesText(parties, &row.Report) {
		said, err := s.said(ctx, q, &row.Report)
		if err != nil {
			return nil, err
		}
		resp.Text = said[0]
	}
	return resp, nil
}

// ListReports lists the reports that the reader may see, newest first: those of its complaints and those it sent.
func (s *Server) ListReports(ctx context.Context, req *reportingv1.ListReportsRequest) (*reportingv1.ListReportsResponse, error) {
	if req.GetComplaintId() != "" && uuid.Validate(req.GetComplaintId()) != nil {
		return nil, errs.Field("complaint_id", "must be a UUID")
	}
	number, err := wanted(req.GetNumber())
	if err != nil {
		return nil, err
	}
	before, err := idToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	r, size := readerOf(ctx), pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListReports(ctx, store.ListReportsParams{
		SeesAll: r.seesAll, AgencyID: r.agency, ComplaintID: req.GetComplaintId(), Number: number, Before: before, PageSize: size + 1,
	})
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	resp := &reportingv1.ListReportsResponse{}
	if len(rows) > int(size) {
		rows = rows[:size]
		resp.NextPageToken = pg.EncodeToken(rows[size-1].Report.ReportID)
	}
	resp.Reports, err = s.reports(ctx, r, rows)
	return resp, err
}

// reports converts rows for a reader, with their evidence.
func (s *Server) reports(ctx context.Context, r reader, rows []store.ListReportsRow) ([]*reportingv1.Report, error) {
	q := store.New(s.db)
	parties, err := q.PartiesOf(ctx, idsOf(rows, func(r store.ListReportsRow) string { return r.Complaint.ComplaintID }))
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	files, err := q.EvidenceOfReports(ctx, idsOf(rows, func(r store.ListReportsRow) string { return r.Report.ReportID }))
	if err != nil {
		return nil, fmt.Errorf("evidence of reports: %w", err)
	}
	evidence := map[string][]string{}
	for _, f := range files {
		evidence[f.ReportID] = append(evidence[f.ReportID], f.EvidenceID)
	}
	out := make([]*reportingv1.Report, len(rows))
	for i := range rows {
		report := &rows[i].Report
		own := r.agency != "" && report.Sender == r.agency // it knows what it sent
		out[i] = reportOf(report, &rows[i].Complaint, own || r.seesNumber(parties, report.ComplaintID))
		out[i].EvidenceIds = evidence[report.ReportID]
	}
	return out, nil
}

// wanted is the normal form of a number that is looked for, however it is written.
func wanted(number string) (string, error) {
	if number == "" {
		return "", nil
	}
	n := phone.Parse(number)
	if !phone.Usable(n) {
		return "", errs.Field("number", "is not a telephone number")
	}
	return n.GetNormal(), nil
}

// idToken reads a page token that is the last row's UUID.
func idToken(token string) (string, error) {
	parts, err := pg.DecodeToken(token, 1)
	if err != nil || parts == nil {
		return "", err
	}
	if uuid.Validate(parts[0]) != nil {
		_, err := pg.DecodeToken("?", 1) // the refusal of a token that is not ours
		return "", err
	}
	return parts[0], nil
}

func idsOf[T any](rows []T, id func(T) string) []string {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = id(rows[i])
	}
	return ids
}
