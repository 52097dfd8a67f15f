package reporting

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// heavy marks a number past the threshold: 50 within seven days, of two sources.
func (m *mesh) heavy(t *testing.T, number string) int {
	t.Helper()
	clues := m.state(t, chinaMobile, mark(number, "骚扰电话", 30)).GetClues()
	return int(clues + m.state(t, unicom, mark(number, "诈骗电话", 30)).GetClues())
}

func (m *mesh) liveClues(t *testing.T) int {
	t.Helper()
	return m.count(t, "SELECT count(*) FROM complaint WHERE origin = 'marks' AND state <> 'CLOSED'")
}

func TestClue_opensOnce(t *testing.T) {
	m := start(t)
	for what, rows := range map[string][]*reportingv1.MarkRow{
		"too few":                       {mark("13800000001", "骚扰电话", 10)},
		"labels that are no harassment": {mark("13800000002", "快递送餐", 1000)},
		"too old":                       {{Number: "13800000003", Day: "2026-11-13", Label: "骚扰电话", Count: 1000}},
	} {
		if got := m.state(t, chinaMobile, rows...).GetClues() + m.state(t, unicom, rows...).GetClues(); got != 0 {
			t.Errorf("%s: %d clues", what, got)
		}
	}
	if got := m.state(t, chinaMobile, mark("13800000004", "骚扰电话", 1000)).GetClues() + m.state(t, branch, mark("13800000004", "骚扰电话", 1000)).GetClues(); got != 0 {
		t.Errorf("an operator and its branch are two sources: %d clues", got)
	}
	if got := m.heavy(t, "13800000005"); got != 1 {
		t.Fatalf("%d clues, want 1", got)
	}
	if got := m.heavy(t, "13800000005"); got != 0 || m.liveClues(t) != 1 {
		t.Errorf("marked again: %d more clues, %d live", got, m.liveClues(t))
	}
	if err := m.MaintainMarks(t.Context()); err != nil || m.liveClues(t) != 1 {
		t.Errorf("the daily look: %v, %d live", err, m.liveClues(t))
	}
	if n := m.count(t, "SELECT count(*) FROM clue WHERE marks = 60 AND sources = 2 AND threshold = 50 AND since_day = '2026-11-14'"); n != 1 {
		t.Error("it is not on record why the clue was opened")
	}
	counts := must[*reportingv1.CountComplaintsResponse](t)(m.as(centre).CountComplaints(t.Context(), &reportingv1.CountComplaintsRequest{}))
	if counts.GetReports() != 0 || counts.GetReceived() != 1 || counts.GetClues() != 1 {
		t.Errorf("counts: %v", counts)
	}
	m.sound(t)
}

// Resale operators have nothing to do with each other: each is a source.
func TestClue_ofResaleOperators(t *testing.T) {
	m := start(t)
	clues := 0
	for _, agency := range []string{"mvno-snail", "mvno-jd"} {
		clues += int(m.state(t, actor("feed", agency, roleOperator), mark("13800000005", "骚扰电话", 500)).GetClues())
	}
	if clues != 1 {
		t.Errorf("%d clues, want 1", clues)
	}
}

// The daily look at all marks counts what the look at a request's counts.
func TestMaintainMarks_countsLabels(t *testing.T) {
	m := start(t)
	for i, label := range []string{"骚扰电话", "快递送餐", "自定义标签"} {
		number := "1380000000" + string(rune('1'+i))
		for _, a := range []*commonv1.Actor{chinaMobile, unicom} {
			m.state(t, a, mark(number, label, 1000))
		}
	}
	setPolicy := func(code string, value int) {
		t.Helper()
		if _, err := m.owner.Exec(t.Context(), "UPDATE policy SET value = $2 WHERE code = $1", code, value); err != nil {
			t.Fatal(err)
		}
		m.policies.read = time.Time{} // look again
	}
	for i, want := range []int{1, 2} {
		setPolicy("mark_unknown_counts", i)
		if err := m.MaintainMarks(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := m.liveClues(t); got != want {
			t.Errorf("unknown labels count %d: %d clues, want %d", i, got, want)
		}
	}
}

// A forged number is nobody's here: its marks never stand against the holder of the number that it imitates.
func TestClue_neverOfForgedNumbers(t *testing.T) {
	m := start(t)
	for _, number := range []string{"+8695588", "+86 10086", "+14156677870", "96110"} {
		if got := m.heavy(t, number); got != 0 {
			t.Errorf("%s: %d clues", number, got)
		}
	}
	if got := m.marked(t, "+8695588"); got != "2026-11-20 cmcc 骚扰电话 30, 2026-11-20 cucc 诈骗电话 30" {
		t.Errorf("marks of the forged number: %s", got)
	}
	if got := m.marked(t, "95588"); got != "" {
		t.Errorf("marks of its true holder: %s", got)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint"); n != 0 {
		t.Errorf("%d complaints", n)
	}
}

// Two requests that are past the threshold only together, at once, each blind to the other's rows until it commits.
func TestClue_ofRequestsAtOnce(t *testing.T) {
	m := start(t)
	for n := range 10 {
		number := "1380000010" + string(rune('0'+n))
		var wg sync.WaitGroup
		for _, a := range []*commonv1.Actor{chinaMobile, unicom, chinaMobile, unicom} {
			wg.Go(func() {
				if _, err := m.as(a).ImportMarks(t.Context(), marksOf(mark(number, "骚扰电话", 30))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := m.liveClues(t); got != n+1 {
			t.Fatalf("%s: %d clues, want %d", number, got, n+1)
		}
	}
	m.sound(t)
}

func TestClue_isChecked(t *testing.T) {
	m := start(t)
	m.heavy(t, "13800000005")
	id := m.only(t)
	w := m.workflows()
	began := must[*reportingv1.BeginRoundResponse](t)(w.BeginRound(t.Context(), &reportingv1.BeginRoundRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1}))
	if !began.GetCurrent() || began.GetFirstCallTime() != nil {
		t.Errorf("begun: %v", began)
	}
	facts := must[*reportingv1.GetFactsResponse](t)(w.GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: id}))
	if !facts.GetClue() || facts.GetAllWithdrawn() || facts.GetComplaint().GetOrigin() != "marks" {
		t.Errorf("facts: %v", facts)
	}
	advanced := must[*reportingv1.AdvanceComplaintResponse](t)(w.AdvanceComplaint(t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: id, Round: 1, Stage: "number_check",
	}))
	if advanced.GetAllWithdrawn() {
		t.Error("a clue counts as withdrawn")
	}
	ended := must[*reportingv1.CloseComplaintResponse](t)(w.CloseComplaint(t.Context(), &reportingv1.CloseComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: id, Round: 1, Result: "clue_found",
	}))
	if !ended.GetClosed() {
		t.Error("not closed")
	}
	m.sound(t)
	if got := m.heavy(t, "13800000005"); got != 0 {
		t.Errorf("%d clues right after one was closed", got)
	}
	m.time = m.time.AddDate(0, 0, 31)
	rows := []*reportingv1.MarkRow{{Number: "13800000005", Day: "2026-12-21", Label: "骚扰电话", Count: 40}}
	m.state(t, chinaMobile, rows...)
	if got := m.state(t, unicom, rows...).GetClues(); got != 1 {
		t.Errorf("%d clues when it goes on a month later, want 1", got)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint WHERE previous_complaint_id = $1", id); n != 1 {
		t.Error("the new clue does not name the one before")
	}
}

// Whoever reports the number joins its clue, which is an ordinary complaint from then on.
func TestClue_joinedByReport(t *testing.T) {
	m := start(t)
	m.heavy(t, "13800000005")
	id, w := m.only(t), m.workflows()
	must[*reportingv1.BeginRoundResponse](t)(w.BeginRound(t.Context(), &reportingv1.BeginRoundRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1}))
	asked := newStarter(nil, 1)
	m.starter = asked
	filed := must[*reportingv1.FileReportResponse](t)(m.as(centre).FileReport(t.Context(), typed("13800000005", noon.Add(-time.Hour))))
	if !filed.GetJoined() {
		t.Errorf("filed: %v", filed)
	}
	send(t, m.as(centre), line("A1", "13900000002", "13800000005", "10:00:00"))
	m.starter = nil
	if len(asked.nudges) != 1 || <-asked.nudges != (round{complaintID: id, number: 1, joined: true}) || len(asked.rounds) != 0 {
		t.Error("the first report, and it alone, must be told to the running round")
	}
	facts := must[*reportingv1.GetFactsResponse](t)(w.GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: id}))
	if facts.GetClue() || len(facts.GetReports()) != 2 {
		t.Errorf("facts: %v", facts)
	}
	again := must[*reportingv1.BeginRoundResponse](t)(w.BeginRound(t.Context(), &reportingv1.BeginRoundRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1}))
	if want := timestamppb.New(time.Date(2026, 11, 19, 2, 0, 0, 0, time.UTC)); again.GetFirstCallTime().AsTime() != want.AsTime() {
		t.Errorf("first call %v, want %v", again.GetFirstCallTime().AsTime(), want.AsTime())
	}
	_, err := w.CloseComplaint(t.Context(), &reportingv1.CloseComplaintRequest{RequestId: uuid.NewString(), ComplaintId: id, Round: 1, Result: "clue_found"})
	if errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING {
		t.Errorf("closed as a clue although somebody reports it: %v", err)
	}
	tally := must[*reportingv1.TallyReportsResponse](t)(w.TallyReports(t.Context(), &reportingv1.TallyReportsRequest{
		FromTime: timestamppb.New(noon.Add(-time.Hour)), ToTime: timestamppb.New(noon.Add(time.Hour)),
	}))
	if tally.GetTotal() != 2 {
		t.Errorf("%d reports in the statistics, want 2: marks are counted apart", tally.GetTotal())
	}
	m.sound(t)
}

// A clue that waits to be started is joined like any other complaint, and nobody needs to be told.
func TestClue_joinedBeforeItBegins(t *testing.T) {
	m := start(t)
	m.heavy(t, "13800000005")
	m.starter = newStarter(nil, 1)
	filed := must[*reportingv1.FileReportResponse](t)(m.as(citizen).FileReport(t.Context(), typed("13800000005", noon.Add(-time.Hour))))
	if !filed.GetJoined() || len(m.starter.nudges) != 0 {
		t.Errorf("filed: %v, nudges: %d", filed, len(m.starter.nudges))
	}
	m.starter = nil
	if got := m.heavy(t, "13800000005"); got != 0 || m.count(t, "SELECT count(*) FROM complaint") != 1 {
		t.Errorf("%d clues of a number with a live complaint", got)
	}
}

func TestAudit_clues(t *testing.T) {
	m := start(t)
	m.heavy(t, "13800000005")
	for change, want := range map[string]string{
		"UPDATE complaint SET category = 'commercial'": "clue that nobody reported came to more than its number check: ",
		"DELETE FROM clue": "complaint came from marks that nobody has written down: ",
		"UPDATE complaint SET number_kind = 'code95_spoofed'": "clue stands against a forged number: ",
	} {
		if _, err := m.owner.Exec(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		resp := must[*reportingv1.AuditResponse](t)(m.as(auditor).Audit(t.Context(), &reportingv1.AuditRequest{What: "violations"}))
		found := false
		for next := resp; ; {
			for _, v := range next.GetViolations() {
				found = found || v == want+m.only(t)
			}
			if next.GetNextPageToken() == "" {
				break
			}
			next = must[*reportingv1.AuditResponse](t)(m.as(auditor).Audit(t.Context(), &reportingv1.AuditRequest{What: "violations", PageToken: next.GetNextPageToken()}))
		}
		if !found {
			t.Errorf("%s: not found", want)
		}
	}
}

// A complaint that is merged into a clue makes it an ordinary one, and no clue is opened of the merged number meanwhile.
func TestClue_isMergedInto(t *testing.T) {
	m := start(t)
	m.heavy(t, "13800000005")
	clue := m.script(t, m.only(t))
	send(t, m.as(centre), line("A1", "13900000002", "13800000006", "10:00:00"))
	var reported string
	if err := m.owner.QueryRow(t.Context(), "SELECT complaint_id FROM report").Scan(&reported); err != nil {
		t.Fatal(err)
	}
	clue.begin(1)
	m.script(t, reported).begin(1)
	merge := func(into, from string) error {
		_, err := m.as(centre).MergeComplaints(t.Context(), &reportingv1.MergeComplaintsRequest{
			RequestId: uuid.NewString(), IntoComplaintId: into, FromComplaintIds: []string{from}, Reason: "同一公司的两个号码",
		})
		return err
	}
	if err := merge(reported, clue.id); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_WRONG_STATE {
		t.Errorf("a clue has no reports to be merged: %v", err)
	}
	if err := merge(clue.id, reported); err != nil {
		t.Fatal(err)
	}
	if f := clue.facts(); f.GetClue() || len(f.GetReports()) != 1 {
		t.Errorf("facts: %v", f)
	}
	m.time = m.time.AddDate(0, 0, 60)
	row := &reportingv1.MarkRow{Number: "13800000006", Day: "2027-01-19", Label: "骚扰电话", Count: 40}
	if got := m.state(t, chinaMobile, row).GetClues() + m.state(t, unicom, row).GetClues(); got != 0 {
		t.Errorf("%d clues of a number whose matter lives elsewhere", got)
	}
	m.sound(t)
}
