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

// warns records a measure on a number that the case's agency, or another, took on the complaint of the case.
func (f *file) warns(agency, complaint string) (resource string) {
	f.t.Helper()
	resource = uuid.NewString()
	_, err := f.flows.RecordMeasure(f.t.Context(), &enforcementv1.RecordMeasureRequest{
		RequestId: uuid.NewString(), MeasureId: uuid.NewString(), ComplaintId: complaint, Round: 1, Code: "warn_holder", DecidedAgencyId: agency,
		ExecutorAgencyId: "cmcc-11", DecidedTaskId: uuid.NewString(), ReceiptTaskId: uuid.NewString(), State: "done", ResourceId: resource,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return resource
}

// After a reversal every number that the agency restricted on the same finding is lifted in the ledger, and each operator says
// within a working day that the service is back; what another agency ordered stands, and the case is closed last of all.
func TestAReversalRestoresTheNumbers(t *testing.T) {
	complaint := uuid.NewString()
	f := newFile(t, func(r *enforcementv1.OpenCaseRequest) { r.ComplaintId = complaint })
	mine := []string{f.warns("samr-11", complaint), f.warns("samr-11", complaint), f.warns("samr-11", complaint)}
	f.warns("ca-11", complaint)
	f.delivered(yuanFine(600_000))
	f.remedyMust("reconsideration", "filed")
	f.remedyMust("reconsideration", "revoked")
	results, lifted := map[string]string{}, ""
	for planned := f.plan().GetEffects(); len(planned) > 0; planned = f.plan().GetEffects() {
		for _, e := range planned {
			result := "done"
			if id := e.GetFacts()["resource_id"]; id != "" {
				lifted += id + " "
				if e.GetFacts()["agency_id"] != "samr-11" || e.GetFacts()["task_id"] == "" {
					t.Errorf("whose act is lifted: %v", e)
				}
				result = map[bool]string{true: "restricted_otherwise", false: outRestored}[len(results) == 2]
				results[id] = result
			}
			_, err := f.flows.RecordCaseEffect(t.Context(), &enforcementv1.RecordCaseEffectRequest{
				RequestId: uuid.NewString(), CaseId: f.id, Key: e.GetKey(), Kind: e.GetKind(), Result: result,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range mine {
		if strings.Count(lifted, id) != 1 {
			t.Errorf("%s is lifted among %q", id, lifted)
		}
	}
	f.wants(stateReversed)
	tasks := f.plan().GetTasks()
	if len(tasks) != 2 || len(results) != 3 {
		t.Fatalf("%d numbers are back, %d lifted: %v", len(tasks), len(results), tasks)
	}
	for _, task := range tasks {
		if task.GetAgencyId() != "cmcc-11" || task.GetRole() != accessv1.Role_ROLE_OPERATOR || task.GetBasis() != "restore_1wd" ||
			results[task.GetFacts()["resource_id"]] != outRestored {
			t.Errorf("the operator is asked %v", task)
		}
		st := f.step(stepRestore, outRestored, nil)
		st.Key, st.ActorSubject, st.ActorAgency = task.GetKey(), "operator", "cmcc-11"
		f.wants(stateReversed)
		if err := f.try(st); err != nil {
			t.Fatal(err)
		}
		f.later(time.Minute)
	}
	f.wants(closed)
	f.sound()
}

// A step that is noted late again and again opens ever more seldom, and the third note is an alarm; one that is noted once is
// open at once.
func TestAStepNotedLateIsHeldBack(t *testing.T) {
	f := newFile(t, nil)
	f.delivered(yuanFine(600_000))
	for n, wait := range []time.Duration{0, lateBreath, 2 * lateBreath, 4 * lateBreath} {
		st := f.step(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 1}, ReceiptNo: "P-" + uuid.NewString()})
		f.record(st) // less than is owed: what a check that changed meanwhile would let pass
		if f.noted(st) == "" {
			t.Fatal("a part was recorded as all of it")
		}
		alarm := strings.Contains(f.found(), "noted late again and again")
		if alarm != (n >= 2) {
			t.Errorf("after %d notes the audit finds %q", n+1, f.found())
		}
		if wait > 0 {
			f.wantsSteps("")
			if until := f.plan().GetUntil(); until == nil || until.AsTime().Sub(f.now) != wait {
				t.Fatalf("after %d notes the step opens at %v, now is %v", n+1, until.AsTime(), f.now)
			}
		}
		f.later(wait)
		f.wantsSteps(stepConfirm)
	}
	f.must(stepConfirm, outPerformed, &assignmentv1.CaseStepDetail{Paid: &commonv1.Money{Fen: 600_000}, ReceiptNo: "P-all"})
	f.wants(closed)
	f.sound()
}

// found is what the audit finds.
func (f *file) found() string {
	f.t.Helper()
	resp, err := f.as("auditor", "miit", accessv1.Role_ROLE_AUDITOR).Audit(f.t.Context(), &enforcementv1.AuditRequest{What: "violations"})
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.Join(resp.GetViolations(), "; ")
}
