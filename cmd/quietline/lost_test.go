package main

import (
	"testing"

	"github.com/google/uuid"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// TestLost_decisionIsToldAgain is the worst moment to die: a decision's row is committed, and the workflow that wrote it,
// with Temporal, is gone before anything of it was kept. The row is written here as that workflow would have; nobody tells
// it. The complaint goes on all the same.
func TestLost_decisionIsToldAgain(t *testing.T) {
	m := theMesh(t)
	complaint := m.complaintOf(t, m.fileAsCentre(t, "17000000793"))
	lead := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	tasks := func(state string) ([]*assignmentv1.Task, error) {
		r, err := lead.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint, State: state, Step: "number_check"})
		return r.GetTasks(), err
	}
	var check *assignmentv1.Task
	await(t, "a number check", m.patience(), func() (bool, error) {
		open, err := tasks("OPEN")
		if len(open) > 0 {
			check = open[0]
		}
		return check != nil, err
	})

	actor := &commonv1.Actor{Subject: "night-shift", AgencyId: check.GetAgencyId(), Roles: []accessv1.Role{check.GetRole()}}
	worker := assignmentv1.NewAssignmentServiceClient(m.member(t, identity.Workflows, identity.Assignment))
	_, err := worker.RecordDecision(identity.WithActor(t.Context(), actor), &assignmentv1.RecordDecisionRequest{
		RequestId: uuid.NewString(),
		Decision: &assignmentv1.Decision{
			TaskId: check.GetTaskId(), Outcome: "found", RequestKey: "night-shift/" + uuid.NewString(), RequestHash: []byte("of the request"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}

	await(t, "the fact check that follows", m.patience(), func() (bool, error) {
		r, err := lead.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint, Step: "fact_check"})
		return len(r.GetTasks()) > 0, err
	})
	if done, err := tasks("DONE"); err != nil || len(done) != 1 || done[0].GetOutcome() != "found" {
		t.Errorf("number checks done: %v, %v", done, err)
	}
}
