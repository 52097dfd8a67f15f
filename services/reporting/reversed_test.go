package reporting

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func (s *script) reversed(round int32, disclosure string) int32 {
	s.t.Helper()
	return must[*reportingv1.TellReversalResponse](s.t)(s.w.TellReversal(s.t.Context(), &reportingv1.TellReversalRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Office: "广东省市场监督管理局", Disclosure: disclosure,
	})).GetTold()
}

// A reporter reads that the decision was taken back, after what was told before, also when the complaint is closed; told once.
func TestTellReversal(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	s := e.script(t, e.complaintOf(r.GetReportId()))
	s.begin(1)
	s.advance(1, "handle")
	s.find(1, "substantiated")
	s.tell(1, "result", "case")
	must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "disclose", Disclosure: "case_published:1",
	}))
	if !s.watch(1, noon) {
		t.Fatal("does not watch")
	}
	if _, err := s.close(1); err != nil {
		t.Fatal(err)
	}
	track := func() *reportingv1.TrackReportResponse {
		return must[*reportingv1.TrackReportResponse](t)(e.as(citizen).TrackReport(t.Context(), &reportingv1.TrackReportRequest{
			Receipt: r.GetReceipt(), Secret: r.GetSecret()}))
	}
	before := track()
	if n := s.reversed(1, "case_published:1") + s.reversed(1, "case_published:1"); n != 1 {
		t.Errorf("told %d times", n)
	}
	after := track()
	if !strings.HasPrefix(after.GetResult(), before.GetResult()) || !strings.Contains(after.GetResult(), "撤销，相关公示已撤回。") || after.GetStage() != stageClosed {
		t.Errorf("result %q, was %q, stage %s", after.GetResult(), before.GetResult(), after.GetStage())
	}
	if n := len(before.GetEntries()); len(after.GetEntries()) != n+1 || after.GetEntries()[n].GetTitle() != "处罚决定已撤销" ||
		after.GetEntries()[n].GetOffice() != "广东省市场监督管理局" {
		t.Errorf("timeline: %v", after.GetEntries())
	}
	if n := e.count(t, "SELECT count(*) FROM complaint WHERE disclosure = 'case_reversed'"); n != 1 {
		t.Error("the complaint says that the penalty is public still")
	}
	e.sound(t)
}

// What is taken back before the reporters hear of it is told with the result; a newer publication of another case stays.
func TestTellReversal_beforeTheResult(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	s := e.script(t, e.complaintOf(r.GetReportId()))
	s.begin(1)
	s.advance(1, "handle")
	s.find(1, "substantiated")
	if n := s.reversed(1, ""); n != 0 {
		t.Errorf("%d were told of the end of what they were never told", n)
	}
	s.tell(1, "result", "case")
	must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "disclose", Disclosure: "case_published:2",
	}))
	if n := e.count(t, "SELECT count(*) FROM feedback WHERE stage = 'reversed' AND code = 'decision_reversed' AND text LIKE '%广东省市场监督管理局%撤销。'"); n != 1 {
		t.Errorf("%d were told with the result, and of no publication: there was none", n)
	}
	if n := e.count(t, "SELECT count(*) FROM complaint WHERE disclosure = 'case_published:2'"); n != 1 {
		t.Error("what another case published is gone")
	}
}

// A publication that comes after the end of a complaint is written to it; a live one's workflow does that, and what was
// taken back stays taken back.
func TestKeepDisclosure(t *testing.T) {
	e := newEdge(t)
	r := e.file(citizen, "13114590000")
	s := e.script(t, e.complaintOf(r.GetReportId()))
	keep := func(disclosure string) bool {
		return must[*reportingv1.KeepDisclosureResponse](t)(s.w.KeepDisclosure(t.Context(), &reportingv1.KeepDisclosureRequest{
			RequestId: uuid.NewString(), ComplaintId: s.id, Disclosure: disclosure})).GetKept()
	}
	s.begin(1)
	s.advance(1, "handle")
	s.find(1, "substantiated")
	s.tell(1, "result", "measures")
	if keep("case_published:1") {
		t.Error("written to a live complaint")
	}
	if !s.watch(1, noon) {
		t.Fatal("does not watch")
	}
	if _, err := s.close(1); err != nil {
		t.Fatal(err)
	}
	if !keep("case_published:1") || keep("case_published:2") {
		t.Error("the first publication does not stand")
	}
	s.reversed(1, "case_published:1")
	if keep("case_published:1") {
		t.Error("what was taken back is public again")
	}
	e.sound(t)
}
