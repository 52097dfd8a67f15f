package reporting

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// feedbackOf is what a report was told: stage/code, in the order of the stages' names.
func (m *mesh) feedbackOf(t *testing.T, senderNo string) (said string) {
	t.Helper()
	err := m.owner.QueryRow(t.Context(), `SELECT coalesce(string_agg(f.stage || '/' || f.code, ' ' ORDER BY f.stage), '')
		FROM feedback f JOIN report r USING (report_id, round) WHERE r.sender_no = $1`, senderNo).Scan(&said)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// Whoever joins is told what the round was told before, and nothing that depends on the report.
func TestJoining_isToldWhatTheRoundWasTold(t *testing.T) {
	m := start(t)
	c := m.as(centre)
	send(t, c, line("T-1", "13900000001", "17000000001", "10:00:00"), line("U-1", "13900000001", "17000000002", "10:00:00"))
	var ids [2]string
	for i := range ids {
		if err := m.owner.QueryRow(t.Context(), "SELECT complaint_id FROM complaint WHERE key = $1", fmt.Sprintf("1700000000%d", i+1)).Scan(&ids[i]); err != nil {
			t.Fatal(err)
		}
	}
	a, b := m.script(t, ids[0]), m.script(t, ids[1])
	a.begin(1)
	b.begin(1)
	send(t, c, line("T-2", "13900000002", "17000000001", "10:01:00"))
	a.tell(1, "supplement_asked", "")
	a.tell(1, "accepted", "")
	a.advance(1, "assign")
	a.tell(1, "assigned", "")
	must[*reportingv1.GiveFeedbackResponse](t)(a.w.GiveFeedback(t.Context(), &reportingv1.GiveFeedbackRequest{
		RequestId: uuid.NewString(), ComplaintId: a.id, Round: 1, Stage: "assigned", Office: "湖南省通信管理局"}))
	a.tell(1, "checked", "substantiated")
	b.tell(1, "accepted", "") // still at the stage accept
	send(t, c, line("T-3", "13900000003", "17000000001", "10:02:00"), line("U-2", "13900000003", "17000000002", "10:02:00"),
		line("T-4", "13900000004", "17000000001", "10:03:00"))
	req := typed("17000000001", noon.Add(-time.Hour))
	req.SenderNo = "T-5"
	must[*reportingv1.FileReportResponse](t)(m.as(actor("op", "cmcc-43", roleOperator)).FileReport(t.Context(), req))
	for no, want := range map[string]string{
		"T-2": "accepted/ assigned/ checked/substantiated supplement_asked/",
		"T-3": "accepted/joined assigned/", "T-4": "accepted/joined assigned/", "T-5": "accepted/joined assigned/",
		"U-2": "accepted/joined",
	} {
		if got := m.feedbackOf(t, no); got != want {
			t.Errorf("%s was told %q, want %q", no, got, want)
		}
	}
	if n := m.count(t, "SELECT count(*) FROM feedback f JOIN report r USING (report_id) WHERE f.stage = 'assigned' AND r.sender_no = 'T-3' AND f.text LIKE '%湖南省通信管理局%'"); n != 1 {
		t.Error("the office is not named")
	}
	a.tell(1, "measure", "")
	send(t, c, line("T-6", "13900000006", "17000000001", "10:04:00"))
	if got := m.feedbackOf(t, "T-6"); got != "accepted/joined assigned/ measure/" {
		t.Errorf("after a measure: %q", got)
	}
	m.sound(t)
}

// A decision that nothing is left, or nothing accepted, does not stand for reports that it has not seen.
func TestCloseComplaint_withoutLookingAtWhoJoined(t *testing.T) {
	e := newEdge(t)
	closing := func(s *script, result string) error {
		_, err := s.w.CloseComplaint(t.Context(), &reportingv1.CloseComplaintRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Result: result})
		return err
	}
	takeBack := func(r *reportingv1.FileReportResponse) {
		t.Helper()
		must[*reportingv1.WithdrawReportResponse](t)(e.as(citizen).WithdrawReport(t.Context(), &reportingv1.WithdrawReportRequest{
			RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret()}))
	}
	first := e.file(centre, "17000000001")
	s := e.script(t, e.only(t))
	s.begin(1)
	takeBack(first)
	second := e.file(operator, "17000000001") // joins after the look
	wantReason(t, closing(s, "withdrawn"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	s.tell(1, "result", "withdrawn") // not even when it was told so
	wantReason(t, closing(s, "withdrawn"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	takeBack(second)
	if err := closing(s, "withdrawn"); err != nil {
		t.Error(err)
	}

	e.file(centre, "17000000001")
	s = e.script(t, e.only(t))
	s.begin(1)
	s.tell(1, "not_accepted", "no_call")
	e.file(operator, "17000000001")
	wantReason(t, closing(s, "not_accepted"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	wantReason(t, closing(s, "measures"), commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING)
	// the round goes on with the second: the first has its answer and gets no other
	s.tell(1, "accepted", "")
	s.advance(1, "handle")
	s.find(1, "substantiated")
	if n := s.tell(1, "result", "case_no_penalty"); n != 1 {
		t.Errorf("%d were told the result, want 1", n)
	}
	if !s.watch(1, noon) {
		t.Error("does not watch")
	}
	e.sound(t)
}

func TestAnswerFollowUp_unverifiedReopensNothing(t *testing.T) {
	e := newEdge(t)
	mine, other := e.file(citizen, "17000000001"), e.file(operator, "17000000001")
	s := e.script(t, e.only(t))
	s.toWatching(1, e.time)
	answer := func(r *reportingv1.FileReportResponse) *reportingv1.AnswerFollowUpResponse {
		t.Helper()
		return must[*reportingv1.AnswerFollowUpResponse](t)(e.as(citizen).AnswerFollowUp(t.Context(), &reportingv1.AnswerFollowUpRequest{
			RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), Stopped: new(false)}))
	}
	said := answer(mine)
	if said.GetReopened() || s.facts().GetComplaint().GetState() != stateWatching {
		t.Error("an anonymous answer re-opened the complaint")
	}
	if n := e.count(t, "SELECT count(*) FROM follow_up WHERE NOT stopped AND NOT reopened"); n != 1 {
		t.Error("it is not on record")
	}
	if said.GetCounts() || !strings.Contains(said.GetText(), "未经验证") {
		t.Errorf("the reporter is not told that the answer has no effect: %v", said)
	}
	if said = answer(other); !said.GetReopened() || !said.GetCounts() {
		t.Error("a verified one did not")
	}
}

// caseBook is a casework service that tells whom it was asked for.
type caseBook struct {
	caseworkv1.CaseworkServiceClient
	nudged chan *caseworkv1.NudgeRequest
}

func (b *caseBook) Start(context.Context, *caseworkv1.StartRequest, ...grpc.CallOption) (*caseworkv1.StartResponse, error) {
	return &caseworkv1.StartResponse{}, nil
}

func (b *caseBook) Nudge(_ context.Context, req *caseworkv1.NudgeRequest, _ ...grpc.CallOption) (*caseworkv1.NudgeResponse, error) {
	b.nudged <- req
	return &caseworkv1.NudgeResponse{}, nil
}

// Whatever re-opens a complaint, the round before is told, also when no rounds are started from here.
func TestReopening_nudgesTheRoundBefore(t *testing.T) {
	for _, how := range []string{"follow-up", "relapses in a batch", "relapses one by one"} {
		t.Run(how, func(t *testing.T) {
			e := newEdge(t)
			book := &caseBook{nudged: make(chan *caseworkv1.NudgeRequest, 1)}
			e.starter = newStarter(book, 0)
			go e.starter.run(t.Context())
			r := e.file(operator, "17000000001")
			s := e.script(t, e.only(t))
			s.toWatching(1, e.time.Add(-48*time.Hour))
			switch how {
			case "follow-up":
				must[*reportingv1.AnswerFollowUpResponse](t)(e.as(citizen).AnswerFollowUp(t.Context(), &reportingv1.AnswerFollowUpRequest{
					RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), Stopped: new(false)}))
			case "relapses in a batch":
				send(t, e.as(centre), line("R-1", "13900000011", "17000000001", "13:00:00"), line("R-2", "13900000012", "17000000001", "13:00:00"),
					line("R-3", "13900000013", "17000000001", "13:00:00"))
			default:
				for range 3 {
					e.time = e.time.Add(time.Hour) // another call each time
					e.file(operator, "17000000001")
				}
			}
			got := <-book.nudged
			if got.GetComplaintId() != s.id || got.GetRound() != 1 {
				t.Errorf("nudged: %v", got)
			}
		})
	}
}

// A receipt that somebody has is replaced, for one report and for a whole batch.
func TestReceipts_collide(t *testing.T) {
	m := start(t)
	next := 0
	m.receipt = func(at time.Time) string { // each one twice
		next++
		return strings.Replace(newReceipt(at)[:8]+"XXXXXXXX", "XXXXXXXX", fmt.Sprintf("%08d", next/2), 1)
	}
	seen := map[string]bool{}
	keep := func(receipt string) {
		t.Helper()
		if receipt == "" || seen[receipt] {
			t.Errorf("receipt %q is not its own", receipt)
		}
		seen[receipt] = true
	}
	for i := range 3 {
		req := typed("17000000001", noon.Add(-time.Hour))
		keep(must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), req)).GetReceipt())
		next-- // the next one is taken
		for _, r := range send(t, m.as(centre), line(fmt.Sprintf("B-%d", i), "13900000001", "17000000002", "10:00:00")) {
			keep(r.GetReceipt())
		}
		next--
	}
	if n := m.count(t, "SELECT count(DISTINCT receipt) FROM report"); n != 6 {
		t.Errorf("%d reports, want 6", n)
	}
	m.sound(t)
}

// Someone without an agency cannot fill the disk; agencies are not held back by it.
func TestPutEvidence_quota(t *testing.T) {
	e := newEdge(t)
	for code, value := range map[string]int{"public_evidence_files": 3, "public_evidence_bytes": 250} {
		if _, err := e.owner.Exec(t.Context(), "UPDATE policy SET value = $2 WHERE code = $1", code, value); err != nil {
			t.Fatal(err)
		}
	}
	put := func(a *commonv1.Actor, req *reportingv1.PutEvidenceRequest) error {
		_, err := e.as(a).PutEvidence(t.Context(), req)
		return err
	}
	file := func(size int) *reportingv1.PutEvidenceRequest {
		return &reportingv1.PutEvidenceRequest{RequestId: uuid.NewString(), Kind: "screenshot", MediaType: "image/png", Content: make([]byte, size)}
	}
	first := file(100)
	for range 5 { // repeats count once
		if err := put(citizen, first); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(citizen, file(100)); err != nil {
		t.Fatal(err)
	}
	wantReason(t, put(citizen, file(51)), commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED) // bytes
	if err := put(citizen, file(50)); err != nil {
		t.Fatal(err)
	}
	wantReason(t, put(citizen, file(1)), commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED) // files
	blobs := 0
	for it := e.evidence.List(nil); ; blobs++ {
		if _, err := it.Next(t.Context()); err != nil {
			break
		}
	}
	if blobs != 3 {
		t.Errorf("%d files on disk, want 3: what is refused was written", blobs)
	}
	if err := put(operator, file(1000)); err != nil {
		t.Errorf("an agency: %v", err)
	}
	e.time = e.time.Add(24 * time.Hour)
	if err := put(citizen, file(100)); err != nil {
		t.Errorf("the next day: %v", err)
	}
	wantReason(t, put(citizen, file(300)), commonv1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED)
}

// fsck sees when a complaint last moved: every write of its workflow moves it.
func TestAudit_updatedTimeMoves(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	for name, move := range map[string]func(){
		"AdvanceComplaint": func() { s.advance(1, "fact_check") },
		"RecordFindings":   func() { s.find(1, "substantiated") },
		"GiveFeedback":     func() { s.tell(1, "accepted", "") },
	} {
		m.time = m.time.Add(time.Hour)
		move()
		page := must[*reportingv1.AuditResponse](t)(m.as(auditor).Audit(t.Context(), &reportingv1.AuditRequest{What: "complaints"}))
		if got := page.GetComplaints()[0].GetUpdatedTime().AsTime(); !got.Equal(m.time) {
			t.Errorf("%s: last moved %v, want %v", name, got, m.time)
		}
	}
}

func TestGetFacts_unclassifiedAndSupplements(t *testing.T) {
	e := newEdge(t)
	r := e.file(operator, "17000000001")
	send(t, e.as(centre), line("T-1", "13900000011", "17000000001", "10:00:00"), line("T-2", "13900000012", "17000000001", "10:01:00"))
	s := e.script(t, e.only(t))
	s.begin(1)
	open := func() (ids []string) {
		t.Helper()
		resp := must[*reportingv1.GetFactsResponse](t)(s.w.GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: s.id, MaxReports: 2, UnclassifiedOnly: true}))
		for _, f := range resp.GetReports() {
			ids = append(ids, f.GetReport().GetReportId())
		}
		return ids
	}
	classify := func(ids []string, category string) {
		t.Helper()
		req := &reportingv1.RecordClassificationRequest{RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1}
		for _, id := range ids {
			req.Reports = append(req.Reports, &reportingv1.ReportClass{ReportId: id, Category: category, Confidence: 0.5})
		}
		must[*reportingv1.RecordClassificationResponse](t)(s.w.RecordClassification(t.Context(), req))
	}
	first := open()
	if len(first) != 2 || first[0] != r.GetReportId() {
		t.Fatalf("not the oldest first: %v", first)
	}
	classify(first, "commercial")
	classify(open(), "") // nobody could tell: it is not asked for again
	if left := open(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	must[*reportingv1.SupplementReportResponse](t)(e.as(citizen).SupplementReport(t.Context(), &reportingv1.SupplementReportRequest{
		RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret(), Text: "对方又称可办信用卡"}))
	if left := open(); !cmp.Equal(left, []string{r.GetReportId()}) {
		t.Errorf("after a supplement: %v", left)
	}
	got := must[*reportingv1.GetReportResponse](t)(e.as(centre).GetReport(t.Context(), &reportingv1.GetReportRequest{ReportId: r.GetReportId()}))
	if got.GetText() != "推销贷款\n对方又称可办信用卡" {
		t.Errorf("text: %q", got.GetText())
	}
}

func TestGetFacts_reportersOperator(t *testing.T) {
	e := newEdge(t)
	send(t, e.as(centre), line("T-1", "13300000001", "17000000001", "10:00:00"), line("T-2", "13300000001", "17000000001", "11:00:00"),
		line("T-3", "13900000003", "17000000001", "10:01:00"), line("T-4", "073188888888", "17000000001", "10:02:00"))
	s := e.script(t, e.only(t))
	if got := s.facts().GetReportersOperatorId(); got != "cmcc-43" { // one reporter each, the name decides
		t.Errorf("operator %q", got)
	}
	req := typed("17000000001", noon.Add(-time.Hour))
	req.ReporterNumber = "13300000005"
	must[*reportingv1.FileReportResponse](t)(e.as(operator).FileReport(t.Context(), req))
	if got := s.facts().GetReportersOperatorId(); got != "ctcc-43" {
		t.Errorf("operator %q", got)
	}
	e.nothingInClear("13300000005")
}

func TestAdvance_tellsThatAllWereWithdrawn(t *testing.T) {
	e := newEdge(t)
	r := e.file(operator, "17000000001")
	s := e.script(t, e.only(t))
	s.begin(1)
	step := func() bool {
		t.Helper()
		return must[*reportingv1.AdvanceComplaintResponse](t)(s.w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
			RequestId: uuid.NewString(), ComplaintId: s.id, Round: 1, Stage: "assign"})).GetAllWithdrawn()
	}
	if step() {
		t.Error("told too early")
	}
	_, err := e.as(citizen).WithdrawReport(t.Context(), &reportingv1.WithdrawReportRequest{RequestId: uuid.NewString(), Receipt: r.GetReceipt(), Secret: r.GetSecret()})
	if err != nil || !step() {
		t.Errorf("not told: %v", errs.Text(err))
	}
}
