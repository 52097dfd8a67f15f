package workflows

import (
	"strings"
	"testing"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// A decision that its workflow has not confirmed is told again, as who decided it, and marked once it is told.
func TestSweep_tellsDecisionsAgain(t *testing.T) {
	p := newPlay(t, sweepID)
	untaken := func(task, workflowID string) *assignmentv1.UntakenDecision {
		return &assignmentv1.UntakenDecision{
			WorkflowId: workflowID, AgencyId: "nfra-44", Role: accessv1.Role_ROLE_CASEWORKER,
			Decision: &assignmentv1.Decision{TaskId: task, Outcome: "concluded", DecidedBy: "anna", RequestKey: "anna/1"},
		}
	}
	p.w.untaken = []*assignmentv1.UntakenDecision{untaken(id(1), complaintID(id(9), 1)), untaken(id(2), "")} // the second cannot be told now
	p.env.ExecuteWorkflow(Sweep, Statutory)
	p.ended()
	p.want("marked", strings.Join(p.w.taken, " "), id(1))
	if len(p.w.retold) != 1 {
		t.Fatalf("%d told again, want 1", len(p.w.retold))
	}
	if actor := p.w.retold[0].GetActor(); actor.GetSubject() != "anna" || actor.GetAgencyId() != "nfra-44" || actor.GetRoles()[0] != accessv1.Role_ROLE_CASEWORKER {
		t.Errorf("told as %v", actor)
	}
}
