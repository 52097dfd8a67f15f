package assignment

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// States of a task.
const (
	stateOpen      = "OPEN"
	stateDone      = "DONE"
	stateCancelled = "CANCELLED"
)

// claimed says whether somebody has a task at a time.
func claimed(t *store.Task, at time.Time) bool {
	return t.ClaimedBy != nil && t.ClaimedUntil != nil && at.Before(*t.ClaimedUntil)
}

// mayDecide says whether an actor may close a task so: it is open, the actor's and nobody else's, the outcome is one of
// the step's, and the actor is none of those who must keep out of it (proposer and reviewer of what is signed).
func mayDecide(t *store.Task, a *commonv1.Actor, outcome string, excluded []string, at time.Time) error {
	if err := mayWork(t, a); err != nil {
		return err
	}
	switch {
	case claimed(t, at) && *t.ClaimedBy != a.GetSubject():
		return taskClaimed(t.TaskID)
	case !slices.Contains(t.Outcomes, outcome):
		return errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_OUTCOME_NOT_ALLOWED,
			"the step %s ends with one of %v", t.Step, t.Outcomes)
	case slices.Contains(excluded, a.GetSubject()):
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON,
			"proposer, reviewer and signer must be different people")
	}
	return nil
}

// mayWork says whether a task is an actor's business: open, of the actor's agency, for a role that the actor holds.
func mayWork(t *store.Task, a *commonv1.Actor) error {
	switch {
	case t.AgencyID != a.GetAgencyId():
		return otherAgency(t.TaskID)
	case !identity.HasRole(a, roleOf(t.Role)):
		return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED,
			"task %s is for the role %s", t.TaskID, t.Role)
	case t.State != stateOpen:
		return taskNotOpen(t)
	}
	return nil
}

// mayReassign says whether an actor may give a task to somebody: who leads or reviews in its agency, or the lead
// ministry.
func mayReassign(t *store.Task, a *commonv1.Actor) error {
	if t.AgencyID != a.GetAgencyId() && !isLead(a) {
		return otherAgency(t.TaskID)
	}
	if t.State != stateOpen {
		return taskNotOpen(t)
	}
	return nil
}

// mayRelease says whether an actor may give a task back: who has it, a head of the agency, or the lead ministry.
func mayRelease(t *store.Task, a *commonv1.Actor, at time.Time) error {
	if err := mayReassign(t, a); err != nil {
		return err
	}
	others := claimed(t, at) && *t.ClaimedBy != a.GetSubject()
	if others && !isLead(a) && !identity.HasRole(a, accessv1.Role_ROLE_HEAD) {
		return taskClaimed(t.TaskID)
	}
	return nil
}

// isLead says whether an actor acts for the lead ministry, which sees the whole programme.
func isLead(a *commonv1.Actor) bool {
	return identity.HasRole(a, accessv1.Role_ROLE_LEAD) && a.GetAgencyId() == leadMinistry
}

// rights is which tasks an actor may see: all, or those of one agency and those escalated to it.
type rights struct {
	all    bool
	agency string
}

// rightsOf never lets an actor without an agency see anything; other services of the mesh act as themselves.
func rightsOf(ctx context.Context) (rights, error) {
	a := identity.ActorOf(ctx)
	itself := identity.CallerOf(ctx) != accessv1.Caller_CALLER_GATEWAY && identity.HasRole(a, accessv1.Role_ROLE_SYSTEM)
	switch {
	case itself || isLead(a) || identity.HasRole(a, accessv1.Role_ROLE_AUDITOR):
		return rights{all: true, agency: a.GetAgencyId()}, nil
	case a.GetAgencyId() == "":
		return rights{}, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"the token names no agency, so there are no tasks to see")
	default:
		return rights{agency: a.GetAgencyId()}, nil
	}
}

// narrow is the agency whose tasks a request may list: empty for all.
func (r rights) narrow(asked string) (string, error) {
	switch {
	case r.all:
		return asked, nil
	case asked != "" && asked != r.agency:
		return "", errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
			"agency_id: only the lead ministry may list another agency's tasks")
	default:
		return r.agency, nil
	}
}

// sameTask says whether a task that is there already is the one to be opened again.
func sameTask(t *store.Task, p *assignmentv1.Task) bool {
	return t.WorkflowID == p.GetWorkflowId() && t.SubjectID == p.GetSubjectId() && t.Step == p.GetStep() &&
		t.AgencyID == p.GetAgencyId() && t.Role == roleName(p.GetRole())
}

func otherAgency(id string) error {
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "task %s belongs to another agency", id)
}

func taskNotOpen(t *store.Task) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN, "task %s is %s", t.TaskID, t.State)
}

func taskClaimed(id string) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED, "task %s is claimed by another person", id)
}

func requestReused() error {
	return errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, "the request decided something else already")
}
