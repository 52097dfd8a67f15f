package reporting

import (
	"testing"
	"time"

	"github.com/google/uuid"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// What a complaint is about is worked out anew when reports leave it, as long as nobody was assigned by it.
func TestSplitWeighsAnewBeforeAssignment(t *testing.T) {
	for _, assigned := range []bool{false, true} {
		m := start(t)
		a, b, c := m.file(t, "95001234", "13900000001", noon.Add(-time.Hour)), m.file(t, "95001234", "13900000002", noon.Add(-time.Hour)),
			m.file(t, "95001234", "13900000003", noon.Add(-time.Hour))
		it := m.complaintOf(t, a.id)
		m.begin(t, it)
		must[*reportingv1.RecordClassificationResponse](t)(m.workflows().RecordClassification(t.Context(), &reportingv1.RecordClassificationRequest{
			RequestId: uuid.NewString(), ComplaintId: it.GetComplaintId(), Round: 1, Reports: []*reportingv1.ReportClass{
				{ReportId: a.id, Category: "commercial", Sector: "education", Confidence: 0.8},
				{ReportId: b.id, Category: "commercial", Sector: "loans", Confidence: 0.8}, {ReportId: c.id, Category: "commercial", Sector: "loans", Confidence: 0.8},
			},
		}))
		want := "education"
		if assigned {
			m.lead(t, it, "nfra-44")
			want = "loans"
		}
		must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), split(it, b.id, c.id)))
		if got := m.complaintOf(t, a.id).GetSector(); got != want {
			t.Errorf("assigned %v: the complaint is about %s, want %s", assigned, got, want)
		}
	}
}

// When the complaint that a number was merged into is closed, the number's next complaint is its own, with a link to it;
// who looks for the number finds both.
func TestMergedNumberAfterClosing(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.file(t, "95001234", "13900000001", day), m.file(t, "95005678", "13900000002", day)
	into, from := m.complaintOf(t, one.id), m.complaintOf(t, two.id)
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(into, from)))
	m.begin(t, into)
	m.find(t, into)
	m.watch(t, into)
	watched := m.file(t, "95005678", "13900000003", day) // of before the handling: told at once
	if c := m.complaintOf(t, watched.id); c.GetComplaintId() != into.GetComplaintId() || c.GetState() != "WATCHING" {
		t.Errorf("while watching: %v", c)
	}
	m.close(t, into)
	next := m.file(t, "95005678", "13900000004", day)
	c := m.complaintOf(t, next.id)
	if c.GetComplaintId() == into.GetComplaintId() || c.GetPreviousComplaintId() != into.GetComplaintId() || c.GetNumber().GetNormal() != "95005678" {
		t.Errorf("the next complaint: %v", c)
	}
	reports := must[*reportingv1.ListReportsResponse](t)(m.as(centre).ListReports(t.Context(), &reportingv1.ListReportsRequest{Number: "95005678"}))
	if n := len(reports.GetReports()); n != 3 {
		t.Errorf("%d reports of the number found, want 3", n)
	}
	complaints := must[*reportingv1.ListComplaintsResponse](t)(m.as(centre).ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Number: "95005678"}))
	if n := len(complaints.GetComplaints()); n != 3 {
		t.Errorf("%d complaints of the number found, want the merged one, what it was merged into and the next", n)
	}
	m.sound(t)
}

// The history names people of agencies, never a reporter; it comes in pages, and to who takes part only.
func TestHistoryNamesNoReporter(t *testing.T) {
	m := start(t)
	one, two := m.file(t, "95001234", "13900000001", noon.Add(-time.Hour)), m.file(t, "95001234", "13900000002", noon.Add(-time.Hour))
	c := m.complaintOf(t, one.id)
	m.begin(t, c)
	m.lead(t, c, "nfra-44")
	must[*reportingv1.WithdrawReportResponse](t)(m.as(actor("citizen-4711", "")).WithdrawReport(t.Context(), &reportingv1.WithdrawReportRequest{
		RequestId: uuid.NewString(), Receipt: two.receipt, Secret: two.secret,
	}))
	worker := m.as(actor("worker", "nfra-44", roleCaseworker))
	var all []*reportingv1.ComplaintHistory
	for token := ""; ; {
		page := must[*reportingv1.ListComplaintHistoryResponse](t)(worker.ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{
			ComplaintId: c.GetComplaintId(), PageSize: 1, PageToken: token,
		}))
		all = append(all, page.GetEntries()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(all) < 2 || all[len(all)-1].GetWhat() != "withdrawn" {
		t.Fatalf("history: %v", all)
	}
	for _, h := range all {
		if h.GetActor() != "" {
			t.Errorf("%s names %q", h.GetWhat(), h.GetActor())
		}
	}
	if _, err := m.as(actor("other", "samr-44", roleCaseworker)).ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{ComplaintId: c.GetComplaintId()}); err == nil {
		t.Error("an agency that takes no part reads the history")
	}
}

// Evidence and supplements go with their report.
func TestWhatBelongsToAReportMovesWithIt(t *testing.T) {
	m := start(t)
	one, two := m.file(t, "95001234", "13900000001", noon.Add(-time.Hour)), m.file(t, "95001234", "13900000002", noon.Add(-time.Hour))
	put := must[*reportingv1.PutEvidenceResponse](t)(m.as(citizen).PutEvidence(t.Context(), &reportingv1.PutEvidenceRequest{
		RequestId: uuid.NewString(), Kind: "screenshot", MediaType: "image/png", Content: []byte("x"),
	}))
	must[*reportingv1.SupplementReportResponse](t)(m.as(citizen).SupplementReport(t.Context(), &reportingv1.SupplementReportRequest{
		RequestId: uuid.NewString(), Receipt: two.receipt, Secret: two.secret, Text: "对方自称另一家公司", EvidenceIds: []string{put.GetEvidence().GetEvidenceId()},
	}))
	c := m.complaintOf(t, one.id)
	must[*reportingv1.SplitComplaintResponse](t)(m.as(centre).SplitComplaint(t.Context(), split(c, two.id)))
	part := m.complaintOf(t, two.id)
	if n := m.count(t, `SELECT count(*) FROM evidence e JOIN supplement s USING (complaint_id) WHERE complaint_id = $1`, part.GetComplaintId()); n != 1 {
		t.Error("what the reporter added stayed behind")
	}
	// it can be added to and taken back where it is now
	must[*reportingv1.SupplementReportResponse](t)(m.as(citizen).SupplementReport(t.Context(), &reportingv1.SupplementReportRequest{
		RequestId: uuid.NewString(), Receipt: two.receipt, Secret: two.secret, Text: "再次来电",
	}))
	must[*reportingv1.WithdrawReportResponse](t)(m.as(citizen).WithdrawReport(t.Context(), &reportingv1.WithdrawReportRequest{
		RequestId: uuid.NewString(), Receipt: two.receipt, Secret: two.secret,
	}))
	facts := must[*reportingv1.GetFactsResponse](t)(m.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: part.GetComplaintId()}))
	if !facts.GetAllWithdrawn() || !facts.GetSupplemented() {
		t.Errorf("facts of the part: %v", facts)
	}
	m.sound(t)
}
