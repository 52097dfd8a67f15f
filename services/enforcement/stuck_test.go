package enforcement

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// What would hold a case up for ever.

func (f *file) check(st *enforcementv1.CaseStep) error {
	_, err := f.flows.CheckCaseStep(f.t.Context(), &enforcementv1.CheckCaseStepRequest{CaseId: f.id, Step: st, Profile: f.profile})
	return err
}

// record records a decision that stands on the file of its task, whatever became of the case since. It is never refused.
func (f *file) record(st *enforcementv1.CaseStep) {
	f.t.Helper()
	_, err := f.flows.RecordCaseStep(f.t.Context(), &enforcementv1.RecordCaseStepRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Step: st, Profile: f.profile,
	})
	if err != nil {
		f.t.Fatalf("%s %s stands on the file of its task and is refused: %v", st.GetStep(), st.GetOutcome(), err)
	}
}

// noted is the note that a decision moved nothing; empty when it was recorded.
func (f *file) noted(st *enforcementv1.CaseStep) string {
	f.t.Helper()
	var step, note string
	err := f.db.QueryRow(f.t.Context(), "SELECT step, note FROM case_event WHERE case_id = $1 AND task_id = $2 ORDER BY seq LIMIT 1", f.id, st.GetTaskId()).Scan(&step, &note)
	if err != nil {
		f.t.Fatal(err)
	}
	if step != logLate {
		return ""
	}
	return step + " " + note
}

func (f *file) pays(fen int64, receipt string, paid time.Time) {
	f.t.Helper()
	_, err := f.officer().RecordPayment(f.t.Context(), &enforcementv1.RecordPaymentRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Amount: &commonv1.Money{Fen: fen}, ReceiptNo: receipt, PaidTime: timestamppb.New(paid),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.later(time.Minute)
}

// steps are the open steps.
func (f *file) steps() string {
	f.t.Helper()
	var out []string
	for _, t := range f.plan().GetTasks() {
		out = append(out, t.GetStep())
	}
	return strings.Join(out, " ")
}

func (f *file) wantsSteps(want string) {
	f.t.Helper()
	if got := f.steps(); got != want {
		f.t.Fatalf("open are %q, want %q", got, want)
	}
}

// A time that is over is waited for no more.
func TestThePlanWaitsForTheFutureOnly(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	if until := f.plan().GetUntil(); until == nil || !until.AsTime().After(f.now) {
		t.Errorf("in the term of performance the plan waits until %v", until)
	}
	f.now = f.now.AddDate(0, 0, 60)
	if until := f.plan().GetUntil(); until != nil {
		t.Errorf("after the term of performance the plan waits until %v, now is %v", until.AsTime(), f.now)
	}
	f.wantsSteps(stepConfirm)
}

// The same receipt twice is said at once; when it came between, the decision is noted and the step is planned again.
func TestTheSameReceiptAtTheConfirmation(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	half := func() *enforcementv1.CaseStep {
		return f.step(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-1"})
	}
	st := half()
	if err := f.check(st); err != nil {
		t.Fatal(err)
	}
	f.later(time.Second)
	f.pays(300_000, "P-1", f.now)
	f.record(st)
	if note := f.noted(st); !strings.Contains(note, "case_payment_once") {
		t.Errorf("the second payment of one receipt: %q", note)
	}
	f.wants(statePerforming)
	f.later(time.Minute)
	if err := f.check(half()); err == nil || !strings.Contains(err.Error(), "receipt_no") {
		t.Errorf("a receipt on file at the confirmation: %v", err)
	}
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 300_000}, ReceiptNo: "P-2"})
	f.wants(closed)
	f.sound()
}

// What an officer decided before the recusal stands.
func TestARecusalBetweenDecisionAndRecord(t *testing.T) {
	f := newFile(t, nil)
	f.effects()
	f.must(stepAppoint, "appointed", officersNamed("officer-1", "officer-2", "officer-3"))
	f.proved()
	st := f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
	if err := f.check(st); err != nil {
		t.Fatal(err)
	}
	f.later(time.Second)
	f.recuse("officer-1")
	f.later(time.Second)
	f.record(st)
	if note := f.noted(st); note != "" {
		t.Errorf("what was decided before the recusal: %s", note)
	}
	f.wantsSteps(stepReview)
	f.sound()
}

func (f *file) recuse(subject string) {
	f.t.Helper()
	_, err := f.as("head", "samr-11", accessv1.Role_ROLE_HEAD).RecuseOfficer(f.t.Context(), &enforcementv1.RecuseOfficerRequest{
		RequestId: uuid.NewString(), CaseId: f.id, Subject: subject, Reason: "利害关系"})
	if err != nil {
		f.t.Fatal(err)
	}
}

// A payment that became known after the decision does not undo it, however long ago it was made: but nobody is demanded
// what is paid.
func TestAPaymentBetweenDecisionAndRecord(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	paid := f.now
	f.now = f.now.AddDate(0, 0, 40)
	st := f.step(stepConfirm, outUnpaid, nil)
	if err := f.check(st); err != nil {
		t.Fatal(err)
	}
	f.later(time.Second)
	f.pays(600_000, "P-1", paid)
	f.record(st)
	if note := f.noted(st); note != "" {
		t.Errorf("not performed as far as was known then: %s", note)
	}
	f.later(time.Minute)
	f.wantsSteps(stepConfirm)
	f.must(stepConfirm, outPerformed, nil)
	f.wants(closed)
	f.sound()
}

// The clock of who keeps the tasks may be behind or ahead: what the decider saw was there.
func TestTheClocksOfTheServicesDiffer(t *testing.T) {
	for name, skew := range map[string]time.Duration{"behind": -5 * time.Second, "ahead": 5 * time.Second, "a month ahead": 30 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t, nil)
			f.effects()
			take := func(step, outcome string, w *assignmentv1.CaseStepDetail) {
				t.Helper()
				st := f.step(step, outcome, w)
				st.DecidedTime = timestamppb.New(f.now.Add(skew))
				f.record(st)
				if note := f.noted(st); note != "" {
					t.Fatalf("%s %s: %s", step, outcome, note)
				}
				f.later(time.Second)
			}
			take(stepAppoint, "appointed", officersNamed("officer-1", "officer-2"))
			f.proved()
			take(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
			take(stepReview, outApproved, nil)
			take(stepNotice, "served", servedVia("direct"))
			f.now = f.plan().GetUntil().AsTime().Add(time.Minute)
			f.reviewed()
			take(stepSign, outSigned, nil)
			f.wants(decided)
			f.sound()
		})
	}
}

// A decision for which the case has no place any more is noted, and planned again.
func TestADecisionThatCameTooLateIsNoted(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	st := f.step(stepSign, outSigned, nil) // the term for a statement runs
	f.record(st)
	if note := f.noted(st); !strings.Contains(note, "第四十五条") {
		t.Errorf("a signature in the party's time: %q", note)
	}
	f.wants(noticeServed)
	f.later(time.Minute)
	f.now = f.plan().GetUntil().AsTime()
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	f.wants(decided)
	f.sound()
}

// A case that goes to another agency after the notice is investigated there from the beginning; one that stays goes on.
func TestADesignationAfterTheNotice(t *testing.T) {
	for agency, want := range map[string]string{"samr-12": stepAppoint, "samr-11": ""} {
		t.Run(agency, func(t *testing.T) {
			f := newFile(t, nil)
			f.proposed(yuanFine(600_000))
			f.must(stepNotice, "served", servedVia("direct"))
			_, err := f.as("x", "samr-12", accessv1.Role_ROLE_HEAD).DisputeJurisdiction(t.Context(), &enforcementv1.DisputeJurisdictionRequest{
				RequestId: uuid.NewString(), CaseId: f.id, Reason: "行为地在天津"})
			if err != nil {
				t.Fatal(err)
			}
			f.later(time.Minute)
			st := f.step(stepDesignate, "designated", &assignmentv1.CaseStepDetail{AgencyId: agency})
			st.ActorAgency = "samr"
			if err := f.try(st); err != nil {
				t.Fatal(err)
			}
			f.later(time.Minute)
			f.wantsSteps(want)
			if want == "" { // the notice stands
				f.wants(noticeServed)
				f.now = f.plan().GetUntil().AsTime()
				f.reviewed()
				f.must(stepSign, outSigned, nil)
				f.wants(decided)
				f.sound()
				return
			}
			f.wants(investigating)
			f.must(stepAppoint, "appointed", officersNamed("officer-3", "officer-4"))
			st = f.step(stepInvestigate, outProposed, &assignmentv1.CaseStepDetail{Proposal: yuanFine(600_000)})
			st.ActorSubject = "officer-3"
			if err := f.try(st); err != nil {
				t.Fatal(err)
			}
			f.later(time.Minute)
			f.must(stepReview, outApproved, nil)
			st = f.step(stepNotice, "served", servedVia("direct"))
			st.ActorSubject = "officer-3"
			if err := f.try(st); err != nil {
				t.Fatal(err)
			}
			f.later(time.Minute)
			f.now = f.plan().GetUntil().AsTime()
			f.reviewed()
			f.must(stepSign, outSigned, nil)
			f.wants(decided)
			f.sound()
		})
	}
}

// Who pays the fine after the demand but not what was added goes on to the court, until all is paid.
func TestTheAdditionIsOwedToo(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	f.now = f.now.AddDate(0, 0, 40)
	f.must(stepConfirm, outUnpaid, nil)
	f.must(stepDemand, "served", servedVia("direct"))
	f.pays(600_000, "P-1", f.now)
	f.now = f.now.AddDate(1, 0, 0)
	f.wantsSteps(stepCourt)
	debt := f.get().GetDebt()
	f.pays(debt.GetOwed().GetFen(), "P-2", f.now)
	f.wantsSteps(stepConfirm)
	f.must(stepConfirm, outPerformed, nil)
	f.wants(closed)
	f.sound()
}

// The term of the party is not the agency's: whoever confirms has days of their own after it.
func TestTheConfirmationHasDaysOfItsOwn(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	task := f.task(stepConfirm)
	for _, k := range f.get().GetClocks() {
		if k.GetClock().GetBasis() == basisPerform && !task.GetFromTime().AsTime().Equal(k.GetDueTime().AsTime()) {
			t.Errorf("the confirmation is due from %v, the party may pay until %v", task.GetFromTime().AsTime(), k.GetDueTime().AsTime())
		}
	}
	if task.GetDueTime() != nil || task.GetBasis() == basisPerform {
		t.Errorf("the confirmation is due by the party's term: %v", task)
	}
}

// acts are what happened to the clocks of a basis.
func (f *file) acts(basis string) string {
	f.t.Helper()
	var out string
	err := f.db.QueryRow(f.t.Context(), `SELECT coalesce(string_agg(a.kind, ' ' ORDER BY k.event_seq, a.n), '') FROM case_clock k
		JOIN case_clock_act a ON a.clock_id = k.clock_id WHERE k.case_id = $1 AND k.basis = $2`, f.id, basis).Scan(&out)
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// The term for a statement ends with its waiver, with the signature, and with the proposal that it was for.
func TestTheTermsOfThePartyEnd(t *testing.T) {
	f := newFile(t, nil)
	f.proposed(yuanFine(600_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actStatement)
	f.later(time.Minute)
	f.now = f.plan().GetUntil().AsTime()
	f.must(stepAnswer, outAdopted, &assignmentv1.CaseStepDetail{Mended: []string{"facts"}})
	if got := f.acts(basisStatement); got != actCancelled {
		t.Errorf("sent back: %q", got)
	}
	f.proposed(yuanFine(500_000))
	f.must(stepNotice, "served", servedVia("direct"))
	f.partyMust(actWaiver)
	f.later(time.Minute)
	if got := f.acts(basisStatement); got != actCancelled+" "+actMet {
		t.Errorf("waived: %q", got)
	}
	f.reviewed()
	f.must(stepSign, outSigned, nil)
	if got := f.acts(basisStatement); got != actCancelled+" "+actMet {
		t.Errorf("signed: %q", got)
	}
	f.sound()
}
