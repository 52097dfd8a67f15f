package reporting

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// script drives rounds as a workflow does.
type script struct {
	t  *testing.T
	w  reportingv1.ReportingServiceClient
	id string
}

func (m *mesh) script(t *testing.T, complaintID string) *script {
	return &script{t, m.workflows(), complaintID}
}

func (s *script) begin(round int32) *reportingv1.BeginRoundResponse {
	s.t.Helper()
	return must[*reportingv1.BeginRoundResponse](s.t)(s.w.BeginRound(s.t.Context(), &reportingv1.BeginRoundRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: round}))
}

func (s *script) advance(round int32, stage string, parties ...*reportingv1.Participation) {
	s.t.Helper()
	must[*reportingv1.AdvanceComplaintResponse](s.t)(s.w.AdvanceComplaint(s.t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Stage: stage, Office: "湖南省通信管理局", Participations: parties,
		DueTime: timestamppb.New(noon.Add(24 * time.Hour)),
	}))
}

func (s *script) find(round int32, result string, reports ...string) *reportingv1.RecordFindingsResponse {
	s.t.Helper()
	return must[*reportingv1.RecordFindingsResponse](s.t)(s.w.RecordFindings(s.t.Context(), &reportingv1.RecordFindingsRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Findings: []*reportingv1.Finding{{Result: result, ReportIds: reports}},
	}))
}

func (s *script) tell(round int32, stage, code string) int32 {
	s.t.Helper()
	return must[*reportingv1.GiveFeedbackResponse](s.t)(s.w.GiveFeedback(s.t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Stage: stage, Code: code,
	})).GetGiven()
}

func (s *script) watch(round int32, handled time.Time) bool {
	s.t.Helper()
	return must[*reportingv1.StartWatchingResponse](s.t)(s.w.StartWatching(s.t.Context(), &reportingv1.StartWatchingRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Result: "measures", UntilTime: timestamppb.New(handled.Add(720 * time.Hour)),
		HandledTime: timestamppb.New(handled),
	})).GetWatching()
}

func (s *script) close(round int32) (*reportingv1.CloseComplaintResponse, error) {
	return s.w.CloseComplaint(s.t.Context(), &reportingv1.CloseComplaintRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: round})
}

func (s *script) facts() *reportingv1.GetFactsResponse {
	s.t.Helper()
	return must[*reportingv1.GetFactsResponse](s.t)(s.w.GetFacts(s.t.Context(), &reportingv1.GetFactsRequest{ComplaintId: s.id}))
}

// toWatching brings a round from its beginning to watching.
func (s *script) toWatching(round int32, handled time.Time) {
	s.t.Helper()
	s.begin(round)
	s.advance(round, "handle")
	s.find(round, "substantiated")
	s.tell(round, "result", "measures")
	if !s.watch(round, handled) {
		s.t.Fatal("does not watch")
	}
}

func (m *mesh) only(t *testing.T) string {
	t.Helper()
	var id string
	if err := m.owner.QueryRow(t.Context(), "SELECT complaint_id FROM complaint WHERE state <> 'CLOSED'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestRound(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000001", "10:05:00"))
	s := m.script(t, m.only(t))
	if s.begin(2).GetCurrent() {
		t.Error("a round began that was not there")
	}
	begun := s.begin(1)
	if !begun.GetCurrent() || begun.GetUnverifiedOnly() || begun.GetToLead() || !s.begin(1).GetCurrent() {
		t.Errorf("begun: %v", begun)
	}
	facts := s.facts()
	if len(facts.GetReports()) != 2 || facts.GetReports()[0].GetText() == "" || facts.GetUnchecked() != 2 || facts.GetAllWithdrawn() || facts.GetSupplemented() {
		t.Errorf("facts: %v", facts)
	}
	s.advance(1, "accept")
	s.advance(1, "fact_check", &reportingv1.Participation{AgencyId: "ca-43", Part: "lead"})
	if got := s.find(1, "not_substantiated", facts.GetReports()[0].GetReport().GetReportId()); got.GetChecked() != 1 || got.GetSubstantiated() != 0 {
		t.Errorf("one finding: %v", got)
	}
	if got := s.find(1, "substantiated"); got.GetChecked() != 2 || got.GetSubstantiated() != 1 {
		t.Errorf("both: %v", got)
	}
	if _, err := s.close(1); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING {
		t.Errorf("closed without feedback: %v", err)
	}
	if n := s.tell(1, "accepted", "") + s.tell(1, "result", "measures") + s.tell(1, "result", "measures"); n != 4 {
		t.Errorf("%d feedbacks, want 4", n)
	}
	if n := m.count(t, "SELECT count(*) FROM feedback WHERE stage = 'result' AND code = 'not_substantiated' AND text LIKE '%未发现%'"); n != 1 {
		t.Error("a report is not told its own finding")
	}
	late := send(t, c, line("T-3", "13900000003", "17000000001", "10:05:00"))
	if !late[0].GetJoined() || s.watch(1, noon) || s.facts().GetUnchecked() != 1 {
		t.Error("a report that joined late does not hold up the watching")
	}
	s.find(1, "substantiated")
	s.tell(1, "result", "measures")
	if !s.watch(1, noon) {
		t.Fatal("does not watch")
	}
	m.sound(t)
	closed, err := s.close(1)
	if err != nil || !closed.GetClosed() {
		t.Fatalf("close: %v %v", closed, err)
	}
	if s.begin(1).GetCurrent() {
		t.Error("a closed complaint is current")
	}
	_, err = s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "handle"})
	if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_CLOSED {
		t.Errorf("advanced when closed: %v", err)
	}
	got := must[*reportingv1.GetComplaintResponse](t)(c.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: s.id})).GetComplaint()
	if got.GetState() != "CLOSED" || got.GetResult() != "measures" || got.GetReportCount() != 3 || len(got.GetParticipations()) != 1 {
		t.Errorf("closed complaint: %v", got)
	}
	stages := m.count(t, "SELECT count(*) FROM stage_entry") // accept, fact_check, feedback, watch, closed
	if stages != 5 {
		t.Errorf("%d lines in the timeline, want 5", stages)
	}
	m.sound(t)
	// after closing, a new complaint with a link to the old
	send(t, c, line("T-4", "13900000004", "17000000001", "10:05:00"))
	next := must[*reportingv1.GetComplaintResponse](t)(c.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: m.only(t)})).GetComplaint()
	if next.GetPreviousComplaintId() != s.id {
		t.Errorf("previous complaint: %v", next)
	}
}

func TestStartWatching_repeatAfterNotYet(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	req := &reportingv1.StartWatchingRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, UntilTime: timestamppb.New(noon.Add(time.Hour))}
	if must[*reportingv1.StartWatchingResponse](t)(s.w.StartWatching(t.Context(), req)).GetWatching() {
		t.Error("watches without feedback")
	}
	s.tell(1, "result", "no_evidence")
	if !must[*reportingv1.StartWatchingResponse](t)(s.w.StartWatching(t.Context(), req)).GetWatching() {
		t.Error("the same request is not asked anew")
	}
}

func TestWatching_joinedBeforeAndAfterTheHandling(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.toWatching(1, time.Date(2026, 11, 19, 4, 0, 0, 0, time.UTC)) // noon in Shanghai
	send(t, c, line("T-2", "13900000002", "17000000001", "11:00:00"), line("T-3", "13900000003", "17000000001", "13:00:00"))
	if n := m.count(t, "SELECT count(*) FROM feedback JOIN report USING (report_id) WHERE stage = 'result' AND code = 'measures' AND sender_no IN ('T-2', 'T-3')"); n != 2 {
		t.Errorf("%d have the known result, want 2", n)
	}
	if n := m.count(t, "SELECT count(*) FROM report WHERE relapse AND sender_no = 'T-3'"); n != 1 {
		t.Error("a call after the handling is no relapse")
	}
	// the same caller's call told twice, and a report nobody verified, do not count
	send(t, c, line("T-4", "13900000003", "17000000001", "13:01:00"))
	must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), typed("17000000001", noon.Add(-time.Hour))))
	m.sound(t)
	send(t, c, line("T-5", "13900000005", "17000000001", "13:00:00"))
	if s.facts().GetComplaint().GetState() != "WATCHING" {
		t.Fatal("re-opened below the threshold")
	}
	send(t, c, line("T-6", "13900000006", "17000000001", "13:00:00"))
	got := s.facts()
	if got.GetComplaint().GetState() != "RECEIVED" || got.GetComplaint().GetRound() != 2 || got.GetUnchecked() != 5 {
		t.Errorf("not re-opened at the threshold: %v %d", got.GetComplaint(), got.GetUnchecked())
	}
	if s.begin(1).GetCurrent() || must[*reportingv1.CloseComplaintResponse](t)(s.close(1)).GetClosed() {
		t.Error("the old round is still current")
	}
	m.sound(t)
}

func TestReopening_twiceThenToTheLeadMinistryThenNone(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-0", "13900000000", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	handled := time.Date(2026, 11, 19, 3, 0, 0, 0, time.UTC)
	for round := int32(1); round <= 4; round++ {
		if lead := s.begin(round).GetToLead(); lead != (round == 4) {
			t.Errorf("round %d: to the lead ministry %v", round, lead)
		}
		s.toWatching(round, handled)
		for i := range 3 {
			send(t, c, line(fmt.Sprintf("R-%d-%d", round, i), fmt.Sprintf("1390000%d%03d", round, i), "17000000001", "13:00:00"))
		}
		want := round + 1
		if round == 4 {
			want = 4
		}
		if got := s.facts().GetComplaint().GetRound(); got != want {
			t.Fatalf("after round %d: round %d, want %d", round, got, want)
		}
		m.sound(t)
	}
	if closed, err := s.close(4); err != nil || !closed.GetClosed() {
		t.Errorf("close: %v %v", closed, err)
	}
	m.sound(t)
}

func TestAdvance_forgedDetaches(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "+8695588", "10:00:00"))
	var forged string
	if err := m.owner.QueryRow(t.Context(), "SELECT complaint_id FROM complaint WHERE key = '17000000001'").Scan(&forged); err != nil {
		t.Fatal(err)
	}
	s := m.script(t, forged)
	s.begin(1)
	must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: forged, Round: 1, Stage: "number_check", Forged: true,
	}))
	results := send(t, c, line("T-3", "13900000003", "17000000001", "11:00:00"), line("T-4", "13900000004", "+8695588", "11:00:00"), line("T-5", "13900000005", "95588", "11:00:00"))
	for i, joined := range []bool{false, true, false} {
		if results[i].GetJoined() != joined {
			t.Errorf("row %d: joined %v", i, results[i].GetJoined())
		}
	}
	m.sound(t)
}

func TestListUnstarted(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000002", "10:05:00"), line("T-3", "13900000003", "17000000003", "10:06:00"))
	w := m.workflows()
	req := &reportingv1.ListUnstartedRequest{PageSize: 2}
	first := must[*reportingv1.ListUnstartedResponse](t)(w.ListUnstarted(t.Context(), req))
	req.PageToken = first.GetNextPageToken()
	second := must[*reportingv1.ListUnstartedResponse](t)(w.ListUnstarted(t.Context(), req))
	if len(first.GetComplaints()) != 2 || len(second.GetComplaints()) != 1 || second.GetNextPageToken() != "" {
		t.Errorf("pages: %v %v", first, second)
	}
	m.script(t, first.GetComplaints()[0].GetComplaintId()).begin(1)
	left := must[*reportingv1.ListUnstartedResponse](t)(w.ListUnstarted(t.Context(), &reportingv1.ListUnstartedRequest{}))
	if len(left.GetComplaints()) != 2 {
		t.Errorf("after one began: %v", left)
	}
}
