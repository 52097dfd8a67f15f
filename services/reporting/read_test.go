package reporting

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Agencies see what they take part in, and of it what their part needs.
func TestRights(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	s.advance(1, "number_check",
		&reportingv1.Participation{AgencyId: "ca-43", Part: "lead"},
		&reportingv1.Participation{AgencyId: "cmcc-43", Part: "verifier"},
		&reportingv1.Participation{AgencyId: "miit", Part: "superior"})
	reportID := s.facts().GetReports()[0].GetReport().GetReportId()
	tests := []struct {
		actor                *commonv1.Actor
		sees, clear, hasText bool
	}{
		{actor("a", "ca-43", roleCaseworker), true, true, true},
		{actor("b", "cmcc-43", roleOperator), true, true, false},
		{actor("c", "miit", accessv1.Role_ROLE_HEAD), true, false, false},
		{actor("d", "miit", accessv1.Role_ROLE_LEAD), true, true, true},
		{centre, true, true, true},
		{actor("e", "cucc-43", roleOperator), false, false, false},
		{actor("f", "", roleCaseworker), false, false, false},
	}
	for _, tt := range tests {
		c := m.as(tt.actor)
		complaint, err := c.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: s.id})
		report, err2 := c.GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: reportID})
		list := must[*reportingv1.ListComplaintsResponse](t)(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{}))
		reports := must[*reportingv1.ListReportsResponse](t)(c.ListReports(t.Context(), &reportingv1.ListReportsRequest{Number: "170-0000-0001"}))
		name := tt.actor.GetSubject()
		if !tt.sees {
			if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_NOT_FOUND || errs.Reason(err2) != commonv1.ErrorReason_ERROR_REASON_NOT_FOUND || len(list.GetComplaints())+len(reports.GetReports()) > 0 {
				t.Errorf("%s sees it: %v %v %v %v", name, err, err2, list, reports)
			}
			continue
		}
		if err != nil || err2 != nil || len(list.GetComplaints()) != 1 || len(reports.GetReports()) != 1 {
			t.Errorf("%s does not see it: %v %v %v %v", name, err, err2, list, reports)
			continue
		}
		for _, n := range []*commonv1.Number{complaint.GetComplaint().GetNumber(), report.GetReport().GetNumber(), list.GetComplaints()[0].GetNumber(), reports.GetReports()[0].GetNumber()} {
			if masked := strings.Contains(n.GetNormal(), "*") && strings.Contains(n.GetDisplayed(), "*"); masked == tt.clear {
				t.Errorf("%s: number %s %s", name, n.GetNormal(), n.GetDisplayed())
			}
		}
		if (report.GetText() != "") != tt.hasText {
			t.Errorf("%s: text %q", name, report.GetText())
		}
	}
}

// The rules of the protos hold for whoever calls.
func TestRules(t *testing.T) {
	m := start(t)
	refused := func(name string, err error) {
		t.Helper()
		if status.Code(err) != codes.PermissionDenied && status.Code(err) != codes.Unauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := m.as(citizen).ListReports(t.Context(), &reportingv1.ListReportsRequest{})
	refused("a citizen lists reports", err)
	_, err = m.as(citizen).BatchFileReports(t.Context(), batchOf(day[0]))
	refused("a citizen sends a batch", err)
	_, err = m.as(centre).BeginRound(t.Context(), &reportingv1.BeginRoundRequest{})
	refused("a person begins a round", err)
	_, err = reportingv1.NewReportingServiceClient(m.connect(identity.Ledger, centre)).ListReports(t.Context(), &reportingv1.ListReportsRequest{})
	refused("the ledger lists reports", err)
	_, err = m.as(actor("x", "", roleOperator)).BatchFileReports(t.Context(), batchOf(day[0]))
	refused("an operator without agency sends a batch", err)
	_, err = m.as(actor("x", "cmcc", roleOperator)).ListQuarantined(t.Context(), &reportingv1.ListQuarantinedRequest{})
	refused("an operator lists the quarantine", err)
}

func TestLists_pages(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	var lines []string
	for i := range 7 {
		lines = append(lines, line(fmt.Sprintf("T-%d", i), "13900000001", fmt.Sprintf("1700000000%d", i), "10:00:00"))
	}
	send(t, c, lines...)
	seen, token, last := 0, "", ""
	for {
		page := must[*reportingv1.ListComplaintsResponse](t)(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{PageSize: 3, PageToken: token, State: "RECEIVED"}))
		for _, x := range page.GetComplaints() {
			if last != "" && x.GetComplaintId() >= last {
				t.Error("not newest first")
			}
			last = x.GetComplaintId()
			seen++
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if seen != 7 {
		t.Errorf("%d complaints on all pages, want 7", seen)
	}
	for name, err := range map[string]error{
		"state":  second(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{State: "\x00"})),
		"stage":  second(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Stage: "nowhere"})),
		"number": second(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Number: "\x00"})),
		"token":  second(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{PageToken: "xxx"})),
		"id":     second(c.ListReports(t.Context(), &reportingv1.ListReportsRequest{ComplaintId: "xxx"})),
		"entry":  second(c.ListQuarantined(t.Context(), &reportingv1.ListQuarantinedRequest{State: "xxx"})),
	} {
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAudit(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000002", "10:00:00"))
	a := m.as(auditor)
	page := must[*reportingv1.AuditResponse](t)(a.Audit(t.Context(), &reportingv1.AuditRequest{What: "complaints", PageSize: 1}))
	next := must[*reportingv1.AuditResponse](t)(a.Audit(t.Context(), &reportingv1.AuditRequest{What: "complaints", PageSize: 1, PageToken: page.GetNextPageToken()}))
	if len(page.GetComplaints()) != 1 || len(next.GetComplaints()) != 1 || next.GetNextPageToken() != "" || page.GetComplaints()[0].GetWithoutFeedback() != 1 {
		t.Errorf("facts: %v %v", page, next)
	}
	counts := must[*reportingv1.CountComplaintsResponse](t)(c.CountComplaints(t.Context(), &reportingv1.CountComplaintsRequest{}))
	if counts.GetReports() != 2 || counts.GetReceived() != 2 || counts.GetByStage()["accept"] != 2 {
		t.Errorf("counts: %v", counts)
	}
	for _, break_ := range []string{
		"UPDATE report SET round = 2 WHERE sender_no = 'T-1'",
		"UPDATE complaint SET state = 'CLOSED', stage = 'closed', closed_time = now()",
	} {
		if _, err := m.owner.Exec(t.Context(), break_); err != nil {
			t.Fatal(err)
		}
	}
	found, token := map[string]int{}, ""
	for {
		page := must[*reportingv1.AuditResponse](t)(a.Audit(t.Context(), &reportingv1.AuditRequest{What: "violations", PageSize: 1, PageToken: token}))
		for _, v := range page.GetViolations() {
			found[v[:strings.LastIndex(v, ":")]]++
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(found) != 2 || found["report is of a round that its complaint has not reached"] != 1 || found["complaint is closed or watched though a report of it lacks its result"] != 2 {
		t.Errorf("violations: %v", found)
	}
}
