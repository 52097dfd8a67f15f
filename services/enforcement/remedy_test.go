package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

const day = 24 * time.Hour

// dueOf is when the clock of a basis ends, the one that runs if one does.
func (f *file) dueOf(basis string) time.Time {
	f.t.Helper()
	var due time.Time
	runs := false
	for _, k := range f.get().GetClocks() {
		if k.GetClock().GetBasis() == basis && !runs {
			due, runs = k.GetDueTime().AsTime(), k.GetRunning()
		}
	}
	if due.IsZero() {
		f.t.Fatalf("the case has no clock %s", basis)
	}
	return due
}

// running are the clocks that count now.
func (f *file) running() string {
	f.t.Helper()
	var out []string
	for _, k := range f.get().GetClocks() {
		if k.GetRunning() {
			out = append(out, k.GetClock().GetBasis())
		}
	}
	return strings.Join(out, " ")
}

// change records how a remedy changed the decision.
func (f *file) change(kind string, penalties ...*assignmentv1.PenaltyDetail) (*enforcementv1.RecordRemedyResponse, error) {
	r, err := f.registrar().RecordRemedy(f.t.Context(), &enforcementv1.RecordRemedyRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: kind, Fact: remedyChanged, DocumentNo: "复决〔2026〕2号", Changed: penalties,
	})
	f.later(time.Minute)
	return r, err
}

func fineOf(fen int64) *assignmentv1.PenaltyDetail {
	return &assignmentv1.PenaltyDetail{Kind: "fine", Amount: &commonv1.Money{Fen: fen}, Basis: "广告法 第六十二条", CatalogueCode: "advertising_62", ListParty: true, Publish: true}
}

// A change replaces what the decision asks for: what was paid stays paid, the days of the remedy and of the new term are not
// counted, the rest is collected, and what is public or listed is put right.
func TestADecisionThatIsChanged(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.dueOf(basisPerform).Add(5*day + time.Minute)
	if err := f.pay(100_000, "P-1", f.now); err != nil {
		t.Fatal(err)
	}
	f.remedyMust(reconsideration, "filed")
	f.remedyMust(reconsideration, "accepted")
	f.now = f.now.AddDate(0, 0, 20)
	if _, err := f.remedy(reconsideration, remedyChanged); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("changed to what: %v", err)
	}
	if _, err := f.change(reconsideration, fineOf(700_000)); err == nil || !strings.Contains(err.Error(), "行政复议法 第六十三条") {
		t.Errorf("harsher in reconsideration: %v", err)
	}
	if _, err := f.change(reconsideration, fineOf(300_000), &assignmentv1.PenaltyDetail{Kind: "warning", Basis: "x"}); err == nil {
		t.Error("one more kind of penalty")
	}
	got, err := f.change(reconsideration, fineOf(300_000))
	if err != nil {
		t.Fatal(err)
	}
	c := got.GetCase()
	if c.GetState() != statePerforming || c.GetReverseTime() != nil || c.GetChangeTime() == nil || c.GetPenalties()[0].GetAmount().GetFen() != 300_000 ||
		c.GetDecision().GetPenalty().GetAmount().GetFen() != 600_000 || got.GetRemedy().GetChanged()[0].GetAmount().GetFen() != 300_000 {
		t.Errorf("the changed decision: %v", got)
	}
	owes := func(late int32, addition, owed int64) {
		t.Helper()
		if d := f.get().GetDebt(); d.GetLateDays() != late || d.GetAddition().GetFen() != addition || d.GetOwed().GetFen() != owed {
			t.Errorf("want %d days, %d added, %d owed: %v", late, addition, owed, d)
		}
	}
	owes(5, 45_000, 245_000) // of what the fine is now
	if kinds := strings.Join(f.effects(), " "); kinds != "correct_publication withdraw_listing list_party" {
		t.Errorf("effects of the change: %s", kinds)
	}
	f.refuses(f.step(stepConfirm, outUnpaid, nil), "第六十七条") // its new fifteen days
	f.now = f.dueOf(basisPerform).Add(-time.Minute)
	owes(5, 45_000, 245_000)
	f.now = f.dueOf(basisPerform).Add(2*day + time.Minute)
	owes(7, 63_000, 263_000)
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 263_000}, ReceiptNo: "P-2"})
	f.wants(closed)
	f.effects()
	if p := f.plan(); !p.GetEnded() {
		t.Errorf("at the end: %v", p)
	}
	f.sound()
}

// Nobody alone has his own decision vanish: what fell or was changed is recorded by another, with the number of the document
// in which others decided it.
func TestWhoRecordsThatADecisionFell(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.remedyMust(reconsideration, "filed")
	record := func(by enforcementv1.EnforcementServiceClient, want, fact, no string, changed ...*assignmentv1.PenaltyDetail) {
		t.Helper()
		_, err := by.RecordRemedy(t.Context(), &enforcementv1.RecordRemedyRequest{
			RequestId: uuid.NewString(), CaseId: f.id, Kind: reconsideration, Fact: fact, DocumentNo: no, Changed: changed,
		})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s of %q: %v, want %q", fact, no, err, want)
		}
	}
	record(f.officer(), "", "accepted", "")
	for _, fact := range []string{"revoked", "declared_illegal"} {
		record(f.officer(), "行政处罚法 第五十七条", fact, "复决〔2026〕2号")
		record(f.registrar(), "document_no", fact, " ")
	}
	record(f.officer(), "行政处罚法 第五十七条", remedyChanged, "复决〔2026〕2号", fineOf(100))
	record(f.registrar(), "document_no", "upheld", "")
	f.wants(statePerforming)
	record(f.registrar(), "", "revoked", "复决〔2026〕2号")
	f.wants(stateReversed)
}

// A closed case whose decision is changed runs once more to put right what is public, and says what is to be given back; a
// judgment never makes it harsher. What was changed may still be revoked.
func TestAClosedCaseIsChanged(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	f.remedyMust(litigation, "filed")
	if _, err := f.change(litigation, fineOf(600_001)); err == nil || !strings.Contains(err.Error(), "行政诉讼法 第七十七条") {
		t.Errorf("harsher by judgment: %v", err)
	}
	if _, err := f.change(litigation, fineOf(500_000)); err != nil {
		t.Fatal(err)
	}
	f.wants(closed)
	un, err := f.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{})
	if err != nil || len(un.GetCaseIds()) != 1 {
		t.Errorf("the workflow is to start anew: %v, %v", un, err)
	}
	for _, e := range f.plan().GetEffects() {
		if e.GetKind() != effBegin && e.GetDueTime() == nil {
			t.Errorf("within three working days (行政处罚法 48): %v", e)
		}
	}
	if kinds := strings.Join(f.effects(), " "); kinds != "begin correct_publication withdraw_listing list_party" {
		t.Errorf("effects of the change: %s", kinds)
	}
	if un, err := f.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{}); err != nil || len(un.GetCaseIds()) != 0 {
		t.Errorf("unstarted after it: %v, %v", un, err)
	}
	if d := f.get().GetDebt(); d.GetOverpaid().GetFen() != 100_000 || d.GetOwed().GetFen() != 0 {
		t.Errorf("to be given back: %v", d)
	}
	if f.running() != "" {
		t.Errorf("clocks of a closed case: %s", f.running())
	}
	f.sound()
}

// The database takes no harsher change, none without its content, and none to a line that is written.
func TestTheGuardsOfAChange(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.guards(f.forge(statePerforming, logRemedy, "reconsideration/changed", "officer-1"), "第七十七条")
	_, err := f.db.Exec(t.Context(), `INSERT INTO case_change (case_id, seq, n, kind, amount_fen, basis, list_party, publish)
		SELECT case_id, max(seq) + 1, 1, 'fine', 600001, 'x', true, true FROM case_event WHERE case_id = $1 GROUP BY case_id`, f.id)
	if err != nil {
		t.Fatal(err)
	}
	f.guards(f.forge(statePerforming, logRemedy, "reconsideration/changed", "officer-1"), "第六十三条")
	_, err = f.db.Exec(t.Context(), `INSERT INTO case_change (case_id, seq, n, kind, amount_fen, basis, list_party, publish)
		VALUES ($1, 1, 1, 'warning', 0, 'x', true, true)`, f.id)
	f.guards(err, "第四十七条")
}

// unpaid brings a case to its demand.
func (f *file) unpaid() {
	f.t.Helper()
	f.now = f.dueOf(basisPerform).Add(time.Minute)
	f.must(stepConfirm, outUnpaid, nil)
	f.must(stepDemand, "served", servedVia("direct"))
}

// The three months in which the court may be asked begin with the end of all time for remedies: of the six months, or of the
// fifteen days after a reconsideration, which counts them anew (行政强制法 53; 行政诉讼法 45, 46).
func TestTheThreeMonthsOfTheCourt(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.unpaid()
	first := f.dueOf(basisCourt)
	if want := f.dueOf(basisLitigate).AddDate(0, 3, 0); first.Sub(want).Abs() > 4*day {
		t.Errorf("three months after %s: %s", f.dueOf(basisLitigate), first)
	}
	f.remedyMust(reconsideration, "filed")
	if strings.Contains(f.running(), basisCourt) {
		t.Error("while a remedy runs the three months do not")
	}
	f.remedyMust(reconsideration, "accepted")
	f.now = f.now.AddDate(0, 0, 50)
	f.remedyMust(reconsideration, "upheld")
	if got := f.running(); strings.Contains(got, basisLitigate) || !strings.Contains(got, basisLitigateAfter) || !strings.Contains(got, basisCourt) {
		t.Errorf("the clocks after the reconsideration: %s", got)
	}
	suit, court := f.dueOf(basisLitigateAfter), f.dueOf(basisCourt)
	if !court.Before(first) || court.Before(suit.AddDate(0, 3, -1)) || court.After(suit.AddDate(0, 3, 5)) {
		t.Errorf("three months after %s: %s", suit, court)
	}
	f.now = suit.Add(-time.Hour)
	f.refuses(f.step(stepCourt, outApplied, nil), "行政强制法 第五十三条")
	f.guards(f.forge(stateDemanded, stepCourt, outApplied, "head"), "行政强制法 第五十三条")
	f.now = court.Add(time.Hour)
	f.refuses(f.step(stepCourt, outApplied, nil), "行政强制法 第五十三条")
	f.guards(f.forge(stateDemanded, stepCourt, outApplied, "head"), "行政强制法 第五十三条")
	f.now = court.Add(-time.Hour)
	f.must(stepCourt, outApplied, nil)
	if strings.Contains(f.running(), basisCourt) {
		t.Error("the court was asked: its clock is met")
	}
	f.must(stepCourtResult, "enforced", nil)
	f.wants(closed)
	f.sound()
}

// A suit that ends after the demand counts the three months from its end; until then the court is not asked to enforce.
func TestTheCourtAfterASuit(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.unpaid()
	f.remedyMust(litigation, "filed")
	f.now = f.now.AddDate(1, 0, 0)
	f.refuses(f.step(stepCourt, outApplied, nil), "行政强制法 第五十三条")
	f.guards(f.forge(stateDemanded, stepCourt, outApplied, "head"), "行政强制法 第五十三条")
	f.remedyMust(litigation, "upheld")
	if due := f.dueOf(basisCourt); due.Sub(f.now.AddDate(0, 3, 0)).Abs() > 5*day {
		t.Errorf("three months after %s: %s", f.now, due)
	}
	f.must(stepCourt, outApplied, nil)
	f.sound()
}

// What a remedy changed is demanded anew, of the new amount.
func TestADemandOfWhatWasChanged(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.unpaid()
	f.remedyMust(reconsideration, "filed")
	if _, err := f.change(reconsideration, fineOf(300_000)); err != nil {
		t.Fatal(err)
	}
	f.wants(statePerforming)
	if f.task(stepDemand) != nil || f.task(stepConfirm) == nil {
		t.Errorf("after the change: %v", f.plan().GetTasks())
	}
	f.guards(f.forge(stateDemanded, stepDemand, "served", "officer-1", "method", "'direct'"), "行政强制法 第五十四条")
	f.effects()
	f.unpaid()
	f.wants(stateDemanded)
	if due := f.dueOf(basisCourt); due.Before(f.dueOf(basisLitigateAfter).AddDate(0, 2, 20)) {
		t.Errorf("three months after the fifteen days: %s", due)
	}
	f.sound()
}

// What is filed late is kept with its last day and stops nothing until it is accepted (行政复议法 20; 行政诉讼法 45, 46).
func TestARemedyThatIsLate(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.dueOf(basisReconsider).Add(time.Hour)
	before := f.get().GetDebt().GetLateDays()
	r, err := f.officer().RecordRemedy(t.Context(), &enforcementv1.RecordRemedyRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: reconsideration, Fact: "filed", Reason: "因病住院",
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := r.GetRemedy(); !r.GetLate() || !strings.Contains(r.GetLateReason(), "行政复议法 第二十条") || !strings.Contains(r.GetLateReason(), "因病住院") {
		t.Errorf("late: %v", r)
	}
	f.later(3 * day)
	if d := f.get().GetDebt().GetLateDays(); d != before+3 {
		t.Errorf("%d late days, want %d: what is late and not accepted stops nothing", d, before+3)
	}
	if _, err := f.remedy(reconsideration, "upheld"); err == nil || !strings.Contains(err.Error(), "行政复议法 第二十条") {
		t.Errorf("decided before it was accepted: %v", err)
	}
	f.remedyMust(reconsideration, "accepted")
	if d := f.get().GetDebt().GetLateDays(); d != before {
		t.Errorf("%d late days, want %d: from its filing on nothing is added", d, before)
	}
	f.remedyMust(reconsideration, "upheld")
	suit := f.dueOf(basisLitigateAfter)
	if suit.Sub(f.now) > 18*day || suit.Sub(f.now) < 14*day {
		t.Errorf("fifteen days from the reconsideration: %s", suit)
	}
	f.now = suit.Add(time.Hour)
	late := f.remedyMust(litigation, "filed").GetRemedy()
	if !late.GetLate() || !strings.Contains(late.GetLateReason(), "行政诉讼法 第四十五条") || !late.GetFileDue().AsTime().Equal(suit) {
		t.Errorf("a suit after the fifteen days: %v", late)
	}
	refused := f.remedyMust(litigation, "refused").GetRemedy()
	if refused.GetState() != "refused" || refused.GetLateReason() == "" {
		t.Errorf("it is not lost: %v", refused)
	}
	f.sound()
}

// A suit without a reconsideration has six months.
func TestADirectSuit(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.dueOf(basisLitigate).Add(time.Hour)
	if late := f.remedyMust(litigation, "filed").GetRemedy(); !late.GetLate() || !strings.Contains(late.GetLateReason(), "行政诉讼法 第四十六条") {
		t.Errorf("after six months: %v", late)
	}
	_, err := f.officer().RecordRemedy(t.Context(), &enforcementv1.RecordRemedyRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: litigation, Fact: "accepted", FactTime: timestamppb.New(f.now.Add(-day)),
	})
	if err == nil || !strings.Contains(err.Error(), "fact_time") {
		t.Errorf("accepted before it was filed: %v", err)
	}
	f.sound()
}

// onspotFile is a case that was decided on the spot.
func onspotFile(t *testing.T) *file {
	t.Helper()
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outSimple, &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{
		Mitigation: "及时改正,危害后果轻微",
		Penalties: []*assignmentv1.PenaltyDetail{{Kind: "fine", Amount: &commonv1.Money{Fen: 300_000}, Basis: "消费者权益保护法 第五十六条",
			CatalogueCode: "consumer_56"}},
		ActEndTime: timestamppb.New(monday.AddDate(0, -1, 0)), Findings: "当事人未经同意发送商业信息", BandReason: "情节轻微",
	}})
	f.must(stepOnspot, outDelivered, &assignmentv1.CaseStepDetail{StatementHeard: true, Method: "onspot", Participants: []string{"officer-1", "officer-2"}})
	f.effects()
	return f
}

// What was punished on the spot is reconsidered before it is sued (行政复议法 23).
func TestASuitAgainstADecisionOnTheSpot(t *testing.T) {
	f := onspotFile(t)
	if strings.Contains(f.running(), basisLitigate) {
		t.Errorf("clocks: %s", f.running())
	}
	if _, err := f.remedy(litigation, "filed"); err == nil || !strings.Contains(err.Error(), "行政复议法 第二十三条") {
		t.Errorf("sued at once: %v", err)
	}
	f.remedyMust(reconsideration, "filed")
	f.remedyMust(reconsideration, "refused")
	if r := f.remedyMust(litigation, "filed").GetRemedy(); r.GetLate() || !r.GetFileDue().AsTime().Equal(f.dueOf(basisLitigateAfter)) {
		t.Errorf("within fifteen days of the refusal: %v", r)
	}
	f.sound()
}
