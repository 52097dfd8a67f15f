package main

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestMesh_landlineIsFoundByItsComplaint: a landline that was entered with its area code as scheme is found by a complaint
// about it, however it was displayed: its access operator checks the number, and its holder is known to the verifier.
func TestMesh_landlineIsFoundByItsComplaint(t *testing.T) {
	m := theMesh(t)
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@ca-33"))
	h, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: "静线样例专线有限公司", CreditCode: "91000000DEMNDEMN33", Sector: "real_estate"},
	})
	if err != nil {
		t.Fatal(err)
	}
	line, err := ledger.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), HolderId: h.GetHolder().GetHolderId(), Scheme: "0571", FirstNumber: "88880003", AccessProvince: "33",
		Purpose: "customer_service", AccessOperatorId: "ctcc-33", Basis: "样例核配文件", Evidence: []string{"样例审查材料"},
		ValidFrom: timestamppb.New(time.Now().AddDate(-1, 0, 0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	complaint := m.complaintOf(t, m.fileAsCentre(t, "0571-88880003"))
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	seen := map[string]*assignmentv1.Task{}
	await(t, "the check of the number and of the facts", time.Minute, func() (bool, error) {
		open, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		for _, task := range open.GetTasks() {
			if task.GetStep() == "number_check" && task.GetState() == "OPEN" {
				m.decideByScript(t, task)
			}
			seen[task.GetStep()] = task
		}
		return seen["number_check"] != nil && seen["fact_check"] != nil, err
	})
	if got := seen["number_check"]; got.GetAgencyId() != "ctcc-33" {
		t.Errorf("the number is checked by %s", got.GetAgencyId())
	}
	if got := seen["fact_check"]; got.GetAgencyId() == "" || got.GetFacts()["resource_id"] != line.GetResource().GetResourceId() {
		t.Errorf("the facts are checked by %q, of %v", got.GetAgencyId(), got.GetFacts())
	}
}
