package enforcement

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// A case of before that is closed can be taken back as any other (行政处罚法 48): its decision reached the party when it was
// closed, a suit may be filed, and what its script made is withdrawn by the case.
func TestACaseOfBeforeIsTakenBack(t *testing.T) {
	for _, way := range []string{"litigation", "request"} {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t)
			id := w.open(t, nil).GetCaseId()
			w.advance(t, id, investigating)
			_, err := w.flows.AdvanceCase(t.Context(), &enforcementv1.AdvanceCaseRequest{RequestId: uuid.NewString(), CaseId: id, State: noticeServed, TaskId: uuid.NewString()})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.flows.DecideCase(t.Context(), fine(id)); err != nil {
				t.Fatal(err)
			}
			reverse := &enforcementv1.RequestCaseStepRequest{RequestId: uuid.NewString(), CaseId: id, Step: stepReverse, Reason: "事实不清"}
			if _, err := w.worker.RequestCaseStep(t.Context(), reverse); err == nil || !strings.Contains(err.Error(), "第四十七条") {
				t.Errorf("while its script runs: %v", err)
			}
			if _, err := w.flows.CloseCase(t.Context(), &enforcementv1.CloseCaseRequest{RequestId: uuid.NewString(), CaseId: id}); err != nil {
				t.Fatal(err)
			}
			plan := func() *enforcementv1.CasePlan {
				r, err := w.flows.PlanCase(t.Context(), &enforcementv1.PlanCaseRequest{CaseId: id})
				if err != nil {
					t.Fatal(err)
				}
				return r.GetPlan()
			}
			if p := plan(); !p.GetEnded() || len(p.GetEffects()) != 0 {
				t.Errorf("closed: %v", p)
			}
			if way == "request" {
				if _, err := w.worker.RequestCaseStep(t.Context(), reverse); err != nil {
					t.Fatal(err)
				}
				if p := plan(); len(p.GetTasks()) != 1 || p.GetTasks()[0].GetStep() != stepReverse {
					t.Errorf("asked for: %v", p)
				}
				return
			}
			for _, fact := range []string{"filed", "accepted", "revoked"} {
				_, err := w.worker.RecordRemedy(t.Context(), &enforcementv1.RecordRemedyRequest{
					RequestId: uuid.NewString(), CaseId: id, Kind: "litigation", Fact: fact, DocumentNo: "行初1号"})
				if err != nil {
					t.Fatalf("%s: %v", fact, err)
				}
			}
			var kinds []string
			for _, e := range plan().GetEffects() {
				kinds = append(kinds, e.GetKind())
				_, err := w.flows.RecordCaseEffect(t.Context(), &enforcementv1.RecordCaseEffectRequest{
					RequestId: uuid.NewString(), CaseId: id, Key: e.GetKey(), Kind: e.GetKind(), TargetId: "x", Result: "done"})
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []string{effUnlist, effUnpublish, effTell} {
				if !slices.Contains(kinds, want) {
					t.Errorf("%s is missing: %v", want, kinds)
				}
			}
			if p := plan(); p.GetState() != closed || !p.GetEnded() {
				t.Errorf("at the end: %v", p)
			}
			var again int
			err = w.db.QueryRow(t.Context(), "SELECT count(*) FROM enforcement_case c WHERE case_id = $1 AND reopened > (SELECT count(*) FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'begin') - 1", id).Scan(&again)
			if err != nil || again != 0 {
				t.Errorf("its workflow would begin for ever: %d, %v", again, err)
			}
		})
	}
}
