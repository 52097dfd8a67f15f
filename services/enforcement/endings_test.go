package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// delivered brings a case of a fine to its delivery.
func (f *file) delivered(p *assignmentv1.CaseProposal) {
	f.t.Helper()
	f.proposed(p)
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	if f.plan().GetTasks() == nil { // the time in which a hearing may be asked for
		f.partyMust(actHearingWaiver)
	}
	f.signed()
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	f.effects()
}

func (f *file) officer() enforcementv1.EnforcementServiceClient {
	return f.as("officer-1", "samr-11", accessv1.Role_ROLE_CASEWORKER)
}

// registrar is somebody of the agency who did not investigate the case.
func (f *file) registrar() enforcementv1.EnforcementServiceClient {
	return f.as("registrar-1", "samr-11", accessv1.Role_ROLE_CASEWORKER)
}

func (f *file) remedy(kind, fact string) (*enforcementv1.RecordRemedyResponse, error) {
	r, err := f.registrar().RecordRemedy(f.t.Context(), &enforcementv1.RecordRemedyRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Kind: kind, Fact: fact, DocumentNo: "复〔2026〕1号",
	})
	f.later(time.Minute)
	return r, err
}

func (f *file) remedyMust(kind, fact string) *enforcementv1.RecordRemedyResponse {
	f.t.Helper()
	r, err := f.remedy(kind, fact)
	if err != nil {
		f.t.Fatalf("%s %s: %v", kind, fact, err)
	}
	return r
}

func (f *file) request(step string) error {
	_, err := f.officer().RequestCaseStep(f.t.Context(), &enforcementv1.RequestCaseStepRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Step: step, Reason: "依办案需要",
	})
	f.later(time.Minute)
	return err
}

// Who does not pay: 3 % a day, demand, ten days, court, and closed only then.
func TestNotPaid(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.refuses(f.step(stepConfirm, outUnpaid, nil), "第六十七条")
	due := f.get().GetClocks()
	for _, k := range due {
		if k.GetClock().GetBasis() == basisPerform {
			f.now = k.GetDueTime().AsTime().Add(5*24*time.Hour + time.Minute)
		}
	}
	if d := f.get().GetDebt(); d.GetLateDays() != 5 || d.GetAddition().GetFen() != 90_000 {
		t.Errorf("five days late: %v", d)
	}
	f.must(stepConfirm, outUnpaid, nil)
	f.must(stepDemand, "served", servedVia("direct"))
	f.wants(stateDemanded)
	f.refuses(f.step(stepCourt, outApplied, nil), "行政强制法 第五十四条")
	f.now = f.now.AddDate(0, 0, 20)
	f.refuses(f.step(stepCourt, outApplied, nil), "行政强制法 第五十三条") // a suit is possible still
	f.now = f.now.AddDate(0, 7, 0)
	if d := f.get().GetDebt(); d.GetAddition().GetFen() != 600_000 || d.GetOwed().GetFen() != 1_200_000 {
		t.Errorf("at most the fine is added: %v", d)
	}
	f.must(stepCourt, outApplied, nil)
	f.must(stepCourtResult, "enforced", nil)
	f.wants(closed)
	f.sound()
}

// While a remedy runs nothing is added, and no court is asked.
func TestNothingIsAddedDuringARemedy(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = monday.AddDate(0, 0, 20) // after the term of payment
	late := f.get().GetDebt().GetLateDays()
	f.remedyMust("reconsideration", "filed")
	f.remedyMust("reconsideration", "accepted")
	if _, err := f.remedy("reconsideration", "filed"); err == nil {
		t.Error("two at once")
	}
	f.now = f.now.AddDate(0, 0, 30)
	if d := f.get().GetDebt(); int(d.GetLateDays()) > int(late)+1 {
		t.Errorf("%d late days before, %v after a month of reconsideration", late, d)
	}
	f.remedyMust("reconsideration", "upheld")
	f.now = f.now.AddDate(0, 0, 2)
	if d := f.get().GetDebt(); int(d.GetLateDays()) < int(late)+2 {
		t.Errorf("two days after it: %v", d)
	}
	if _, err := f.remedy("reconsideration", "withdrawn"); err == nil {
		t.Error("what has ended goes on")
	}
}

// The police: the head approves, the receipt is kept, the clock stands still, and the case comes back.
func TestToThePoliceAndBack(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	before := f.get().GetCase().GetDecisionDue().AsTime()
	if err := f.request(stepApprove); err != nil {
		t.Fatal(err)
	}
	f.refuses(f.step(stepApprove, outApproved, nil), "第二十七条")
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
	f.refuses(f.step(stepSend, "sent", nil), "第二十七条")
	f.must(stepSend, "sent", &assignmentv1.CaseStepDetail{ReceiptNo: "公移〔2026〕1号"})
	f.wants(stateTransferred)
	if got := strings.Join(f.effects(), " "); got != "copy_procuratorate tell_complaints" {
		t.Errorf("effects: %s", got)
	}
	if task := f.task(stepPolice); task.GetAgencyId() != "mps-11" || task.GetBasis() != "police_3d" {
		t.Fatalf("the police's task: %v", task)
	}
	f.refuses(f.step(stepSign, outSigned, nil), "")
	f.must(stepPolice, outAccepted, nil)
	f.now = f.now.AddDate(0, 0, 40)
	f.must(stepPoliceEnd, outReturned, nil)
	f.wants(investigating)
	after := f.get().GetCase().GetDecisionDue().AsTime()
	if days := after.Sub(before).Hours() / 24; days < 40 || days > 42 {
		t.Errorf("forty days with the police move the date by %v days", days)
	}
	f.delivered(yuanFine(600_000))
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	if f.plan().GetOutcome() != "transferred" || !f.plan().GetEnded() {
		t.Errorf("the first effect stays: %v", f.plan())
	}
	f.sound()
}

// A crime ends the case here.
func TestACrime(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	f.must(stepInvestigate, outTransfer, nil)
	f.must(stepApprove, outApproved, &assignmentv1.CaseStepDetail{AgencyId: "mps-11"})
	f.must(stepSend, "sent", &assignmentv1.CaseStepDetail{ReceiptNo: "公移〔2026〕2号"})
	f.effects()
	f.must(stepPolice, outAccepted, nil)
	f.must(stepPoliceEnd, outCrime, nil)
	f.wants(closed)
	f.sound()
}

// What a court takes back is withdrawn everywhere before the case is closed again.
func TestReversal(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	f.wants(closed)
	f.remedyMust("litigation", "filed")
	got := f.remedyMust("litigation", "revoked")
	if got.GetRemedy().GetState() != "revoked" || got.GetCase().GetState() != stateReversed {
		t.Fatalf("revoked: %v", got)
	}
	un, err := f.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{})
	if err != nil || len(un.GetCaseIds()) != 1 {
		t.Errorf("the workflow is to start anew: %v, %v", un, err)
	}
	for _, e := range f.plan().GetEffects() {
		if e.GetKind() == effUnlist && (e.GetFacts()["listing_id"] != "made-by-list_party" || e.GetDueTime() == nil) {
			t.Errorf("withdrawal: %v", e)
		}
	}
	if got := strings.Join(f.effects(), " "); got != "begin withdraw_listing withdraw_publication restore_resource tell_complaints" {
		t.Errorf("effects: %s", got)
	}
	f.wants(closed)
	if un, err := f.flows.ListUnstarted(t.Context(), &enforcementv1.ListUnstartedRequest{}); err != nil || len(un.GetCaseIds()) != 0 {
		t.Errorf("unstarted after it: %v, %v", un, err)
	}
	if f.request(stepReverse) == nil {
		t.Error("reversed twice")
	}
	f.sound()
}

// The agency corrects itself.
func TestSelfCorrection(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	if err := f.request(stepReverse); err != nil {
		t.Fatal(err)
	}
	if f.task(stepConfirm) == nil {
		t.Error("it does not stop the performance")
	}
	f.refuses(f.step(stepReverse, outReversed, nil), "第七十五条")
	f.must(stepReverse, "maintained", nil)
	if err := f.request(stepReverse); err != nil {
		t.Fatal(err)
	}
	f.must(stepReverse, outReversed, &assignmentv1.CaseStepDetail{Basis: "行政处罚法 第七十五条"})
	f.wants(stateReversed)
	f.effects()
	f.wants(closed)
	f.sound()
}

// Delivery: electronic with consent only, by public notice as the last resort.
func TestDelivery(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.signed()
	f.refuses(f.step(stepDeliver, outDelivered, nil), "第六十一条")
	f.refuses(f.step(stepDeliver, outDelivered, servedVia("electronic")), "第六十一条")
	e := servedVia("electronic")
	e.ConsentDocumentId = uuid.NewString() // there is no such consent
	f.refuses(f.step(stepDeliver, outDelivered, e), "第六十一条")
	f.refuses(f.step(stepDeliver, outDelivered, servedVia("public_notice")), "第六十一条")
	first := f.task(stepDeliver).GetKey()
	f.must(stepDeliver, outFailed, servedVia("mail"))
	if f.task(stepDeliver).GetKey() == first {
		t.Error("a key came again")
	}
	f.must(stepDeliver, outDelivered, servedVia("public_notice"))
	f.wants(statePerforming)
	f.sound()
}

// The 90 days: shown at the opening, extended once by a signed act with its own basis.
func TestTheTermOfTheDecision(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
	due := func() string { return f.get().GetCase().GetDecisionDue().AsTime().Format("2006-01-02") }
	if due() != "2026-05-31" {
		t.Errorf("opened on 2026-03-02, due %s", due())
	}
	if err := f.request(stepExtend); err != nil {
		t.Fatal(err)
	}
	f.refuses(f.step(stepExtend, "extended", nil), "第六十条")
	f.must(stepExtend, "extended", &assignmentv1.CaseStepDetail{Basis: "市场监督管理行政处罚程序规定 第六十四条", ExtendDays: 30})
	if due() != "2026-06-30" {
		t.Errorf("extended by 30 days: %s", due())
	}
	if err := f.request(stepExtend); err == nil || !strings.Contains(err.Error(), "第六十条") {
		t.Errorf("extended twice: %v", err)
	}
	clock := f.get().GetClocks()[0]
	if len(clock.GetExtensions()) != 1 || clock.GetExtensions()[0].GetSignedBy() != "head@samr-11" || clock.GetClock().GetProof() == "" {
		t.Errorf("the clock: %v", clock)
	}
	f.now = f.now.AddDate(0, 6, 0)
	list, err := f.officer().ListCases(t.Context(), &enforcementv1.ListCasesRequest{Overdue: true})
	if err != nil || len(list.GetCases()) != 1 {
		t.Errorf("overdue: %v, %v", list, err)
	}
}

// A publication that was under way when the decision was taken back is recorded, and withdrawn.
func TestAReversalWhileItIsPublished(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.signed()
	f.must(stepDeliver, outDelivered, servedVia("direct"))
	var publish *enforcementv1.PlannedEffect
	for _, e := range f.plan().GetEffects() {
		if e.GetKind() == effPublish {
			publish = e
		}
	}
	f.remedyMust("litigation", "filed")
	f.remedyMust("litigation", "declared_illegal")
	_, err := f.flows.RecordCaseEffect(t.Context(), &enforcementv1.RecordCaseEffectRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Key: publish.GetKey(), Kind: publish.GetKind(), TargetId: "a-publication", Result: "case_published",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.effects(), " "); !strings.Contains(got, effUnpublish) {
		t.Errorf("effects: %s", got)
	}
	f.wants(closed)
	f.sound()
}
