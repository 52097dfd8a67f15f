package reporting

import (
	"testing"
	"time"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Whoever drives a complaint learns the other numbers that were merged into it, each with its first call: there are records
// to be preserved.
func TestGetFacts_mergedNumbers(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	into := m.complaintOf(t, m.file(t, "95001234", "13900000001", day).id)
	m.file(t, "95001235", "13900000002", day.Add(2*time.Hour))
	from := m.complaintOf(t, m.file(t, "95001235", "13900000003", day.Add(time.Hour)).id)
	m.begin(t, into)
	facts := func() *reportingv1.GetFactsResponse {
		return must[*reportingv1.GetFactsResponse](t)(m.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: into.GetComplaintId()}))
	}
	if got := facts().GetMergedNumbers(); len(got) != 0 {
		t.Fatalf("before the merger: %v", got)
	}
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merge(into, from)))
	got := facts().GetMergedNumbers()
	if len(got) != 1 || got[0].GetNumber().GetNormal() != "95001235" || !got[0].GetFirstCallTime().AsTime().Equal(day.Add(time.Hour)) {
		t.Errorf("after the merger: %v", got)
	}
}
