package reporting

import (
	"testing"
	"time"

	commonv1 "quietline/proto/quietline/common/v1"
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
	if len(got) != 1 || got[0].GetNumber().GetNormal() != "95001235" || !got[0].GetFirstCallTime().AsTime().Equal(day.Add(time.Hour)) || got[0].GetReportId() == "" {
		t.Errorf("after the merger: %v", got)
	}
	stands, asked := got[0].GetReportId(), m.file(t, "95001235", "13900000004", day.Add(30*time.Minute))
	got = facts().GetMergedNumbers()
	if m.complaintOf(t, asked.id).GetComplaintId() != into.GetComplaintId() || len(got) != 1 ||
		!got[0].GetFirstCallTime().AsTime().Equal(day.Add(30*time.Minute)) || got[0].GetReportId() != stands {
		t.Errorf("a report of an earlier call: %v, another report stands for the number than was asked about", got)
	}
}

// A reason is kept in clear: it names no subscriber, neither with a link nor with a merger or a split.
func TestReasons_nameNoSubscriber(t *testing.T) {
	m := start(t)
	day := noon.Add(-24 * time.Hour)
	one, two := m.file(t, "95001234", "13900000001", day), m.file(t, "95001234", "13900000002", day)
	c, other := m.complaintOf(t, one.id), m.complaintOf(t, m.file(t, "95001235", "13900000003", day).id)
	const told = "举报人13900001234说的"
	merging, splitting := merge(c, other), split(c, two.id)
	merging.Reason, splitting.Reason = told, told
	_, err := m.as(centre).MergeComplaints(t.Context(), merging)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = m.as(centre).SplitComplaint(t.Context(), splitting)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	merging.Reason = "95001234 和 95001235 是同一公司"
	must[*reportingv1.MergeComplaintsResponse](t)(m.as(centre).MergeComplaints(t.Context(), merging))
}
