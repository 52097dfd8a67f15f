package reporting

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// A role counts for its agency: another centre sees what it sent, another ministry's LEAD what it takes part in.
func TestRights_ofOtherCentresAndLeads(t *testing.T) {
	m := start(t)
	other := actor("sample", "sample-centre", accessv1.Role_ROLE_CENTRE)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000002", "10:00:00"),
		line("T-3", "13900000003", "", "10:00:00"))
	send(t, m.as(other), line("S-1", "13900000004", "17000000001", "10:30:00"), line("S-2", "13900000005", "", "10:00:00"))
	var shared, foreign string
	for key, id := range map[string]*string{"17000000001": &shared, "17000000002": &foreign} {
		if err := m.owner.QueryRow(t.Context(), "SELECT complaint_id FROM complaint WHERE key = $1", key).Scan(id); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		actor                                *commonv1.Actor
		complaints, reports, texts, entries  int
		shared, foreign, putsAnywhere, keeps bool
	}{
		"the centre":             {centre, 2, 3, 3, 2, true, true, true, true},
		"the lead ministry":      {actor("l", "miit", accessv1.Role_ROLE_LEAD), 2, 3, 3, 2, true, true, false, false},
		"another centre":         {other, 1, 1, 1, 1, true, false, false, true},
		"a lead of another body": {actor("x", "samr", accessv1.Role_ROLE_LEAD), 0, 0, 0, 0, false, false, false, false},
		"a centre of no agency":  {actor("y", "", accessv1.Role_ROLE_CENTRE), 0, 0, 0, 0, false, false, false, false},
	} {
		c := m.as(tt.actor)
		list := must[*reportingv1.ListComplaintsResponse](t)(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{}))
		reports := must[*reportingv1.ListReportsResponse](t)(c.ListReports(t.Context(), &reportingv1.ListReportsRequest{}))
		entries := must[*reportingv1.ListQuarantinedResponse](t)(c.ListQuarantined(t.Context(), &reportingv1.ListQuarantinedRequest{}))
		if len(list.GetComplaints()) != tt.complaints || len(reports.GetReports()) != tt.reports || len(entries.GetEntries()) != tt.entries {
			t.Errorf("%s sees %d complaints, %d reports, %d entries", name, len(list.GetComplaints()), len(reports.GetReports()), len(entries.GetEntries()))
		}
		texts := 0
		for _, r := range reports.GetReports() {
			got := must[*reportingv1.GetReportResponse](t)(c.GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: r.GetReportId()}))
			if got.GetText() != "" {
				texts++
			}
		}
		if texts != tt.texts {
			t.Errorf("%s reads %d texts", name, texts)
		}
		for id, sees := range map[string]bool{shared: tt.shared, foreign: tt.foreign} {
			if _, err := c.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: id}); (err == nil) != sees {
				t.Errorf("%s: complaint: %v", name, err)
			}
		}
		if !tt.keeps {
			continue
		}
		_, err := c.PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
			RequestId: uuid.NewString(), Kind: "document", MediaType: "text/plain", Content: []byte("x"), ComplaintId: foreign})
		if (err == nil) != tt.putsAnywhere {
			t.Errorf("%s puts evidence to any complaint: %v", name, err)
		}
	}
	// and it dismisses its own sender's rows only
	dismiss := func(sender string) error {
		var id string
		if err := m.owner.QueryRow(t.Context(), "SELECT quarantine_id FROM quarantine WHERE sender = $1", sender).Scan(&id); err != nil {
			t.Fatal(err)
		}
		_, err := m.as(other).RepairQuarantined(t.Context(), &reportingv1.RepairQuarantinedRequest{
			RequestId: uuid.NewString(), QuarantineId: id, Dismiss: true, Reason: "无法补正"})
		return err
	}
	if err := dismiss(centreAgency); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_NOT_FOUND {
		t.Errorf("another sender's row: %v", err)
	}
	if err := dismiss("sample-centre"); err != nil {
		t.Error(err)
	}
}

// What a reporter handed in is for those who judge it; what an agency put, for all that take part.
func TestGetEvidence_byPart(t *testing.T) {
	e := newEdge(t)
	put := func(a *commonv1.Actor, complaint string) string {
		t.Helper()
		return must[*reportingv1.PutEvidenceResponse](t)(e.as(a).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
			RequestId: uuid.NewString(), Kind: "recording", MediaType: "audio/mpeg", Content: []byte("call"), ComplaintId: complaint,
		})).GetEvidence().GetEvidenceId()
	}
	req := typed("17000000001", e.time)
	req.EvidenceIds = []string{put(citizen, "")}
	must[*reportingv1.FileReportResponse](t)(e.as(citizen).FileReport(t.Context(), req))
	s := e.script(t, e.only(t))
	s.begin(1)
	parts := map[string]string{"ca-43": "lead", "mct-43": "co", "cmcc-43": "verifier", "ctcc-43": "preserver", "cucc-43": "executor", "miit": "superior"}
	var list []*reportingv1.Participation
	for agency, part := range parts {
		list = append(list, &reportingv1.Participation{AgencyId: agency, Part: part})
	}
	s.advance(1, "fact_check", list...)
	record := put(actor("o", "cmcc-43", roleOperator), s.id)
	get := func(agency, id string) error {
		role := roleOperator
		if agency == centreAgency || agency == "sample-centre" {
			role = accessv1.Role_ROLE_CENTRE
		}
		_, err := e.as(actor("reader", agency, role)).GetEvidence(t.Context(), &reportingv1.GetEvidenceRequest{
			RequestId: uuid.NewString(), EvidenceId: id, Purpose: "核查"})
		return err
	}
	parts[centreAgency], parts["sample-centre"] = "centre", ""
	for agency, part := range parts {
		judges := part == "lead" || part == "co" || part == "centre"
		if err := get(agency, req.GetEvidenceIds()[0]); (err == nil) != judges {
			t.Errorf("%s reads what the reporter handed in: %v", part, err)
		}
		if err := get(agency, record); (err == nil) != (part != "") {
			t.Errorf("%s reads what the operator put: %v", part, err)
		}
	}
}

// An agency that leads no more loses what followed from it, and gets it back when it leads again.
func TestAdvance_endsParts(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	reportID := s.facts().GetReports()[0].GetReport().GetReportId()
	route := func(lead string, ended ...string) {
		t.Helper()
		m.time = m.time.Add(time.Hour)
		must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
			RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "fact_check", EndedAgencyIds: ended,
			Participations: []*reportingv1.Participation{{AgencyId: lead, Part: "lead"}},
		}))
	}
	sees := func(agency string) int {
		t.Helper()
		c, n := m.as(actor("a", agency, roleCaseworker)), 0
		if _, err := c.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: s.id}); err == nil {
			n++
		}
		if got, err := c.GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: reportID}); err == nil && got.GetText() != "" {
			n++
		}
		n += len(must[*reportingv1.ListComplaintsResponse](t)(c.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{})).GetComplaints())
		n += len(must[*reportingv1.ListReportsResponse](t)(c.ListReports(t.Context(), &reportingv1.ListReportsRequest{})).GetReports())
		_, err := c.PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
			RequestId: uuid.NewString(), Kind: "document", MediaType: "text/plain", Content: []byte("x"), ComplaintId: s.id})
		if err == nil {
			n++
		}
		return n
	}
	const all = 5
	route("ca-43")
	if n := sees("ca-43"); n != all {
		t.Errorf("the lead sees %d of %d", n, all)
	}
	route("samr-43", "ca-43")
	if n := sees("ca-43"); n != 0 {
		t.Errorf("the former lead still sees %d of %d", n, all)
	}
	if n := sees("samr-43"); n != all {
		t.Errorf("the new lead sees %d of %d", n, all)
	}
	route("ca-43", "samr-43")
	route("ca-43") // and again: no second part
	if sees("ca-43") != all || sees("samr-43") != 0 {
		t.Error("leading again gives no rights back")
	}
	// another part of it stays, with no more than its own rights
	must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "fact_check",
		Participations: []*reportingv1.Participation{{AgencyId: "samr-43", Part: "superior"}},
	}))
	got := must[*reportingv1.GetReportResponse](t)(m.as(actor("a", "samr-43", roleCaseworker)).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: reportID}))
	if got.GetText() != "" || !strings.Contains(got.GetReport().GetNumber().GetNormal(), "*") {
		t.Errorf("a superior that was lead reads %q of %s", got.GetText(), got.GetReport().GetNumber().GetNormal())
	}
	list := s.facts().GetComplaint().GetParticipations()
	if len(list) != 4 || list[0].GetUntilTime() == nil || list[2].GetUntilTime() != nil || list[2].GetAgencyId() != "ca-43" {
		t.Errorf("participations: %v", list)
	}
}
