package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// A fact check of the whole mesh shows its clock; the head of its agency extends it, once, and the forecast of the agency
// has its new date. Nobody else can.
func TestMesh_extendedTerm(t *testing.T) {
	m := theMesh(t)
	complaint := m.complaintOf(t, m.fileAsCentre(t, "17000000782"))
	lead := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	var check *assignmentv1.Task
	await(t, "the fact check", 2*time.Minute, func() (bool, error) {
		r, err := lead.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		if err != nil {
			return false, err
		}
		for _, task := range r.GetTasks() {
			if task.GetStep() == "fact_check" {
				check = task
				continue
			}
			m.decideByScript(t, task)
		}
		return check != nil, nil
	})
	clock := check.GetClock()
	if clock.GetTerm() == "" || clock.GetStart() == "" || clock.GetSource() == "" || clock.GetProfile() != calendar.Rehearsal || !strings.Contains(clock.GetProof(), " from ") {
		t.Errorf("the clock is no fact: %v", clock)
	}
	extend := func(account string) (*assignmentv1.Task, error) {
		r, err := assignmentv1.NewAssignmentServiceClient(m.as(t, account)).ExtendTask(t.Context(), &assignmentv1.ExtendTaskRequest{
			RequestId: uuid.NewString(), TaskId: check.GetTaskId(), Reason: "需要跨省取证",
		})
		return r.GetTask(), err
	}
	if _, err := extend("CASEWORKER@" + check.GetAgencyId()); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED) {
		t.Errorf("a caseworker extends: %v", err)
	}
	if _, err := extend("HEAD@samr-11"); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY) {
		t.Errorf("another agency extends: %v", err)
	}
	longer, err := extend("HEAD@" + check.GetAgencyId())
	if err != nil {
		t.Fatal(err)
	}
	if !longer.GetDueTime().AsTime().After(check.GetDueTime().AsTime().Add(time.Minute)) || len(longer.GetClock().GetChanges()) != 1 ||
		!strings.HasPrefix(longer.GetClock().GetProof(), strings.Split(clock.GetProof(), "; provisional")[0]+"; extended by ") {
		t.Errorf("extended to %v: %s", longer.GetDueTime().AsTime(), longer.GetClock().GetProof())
	}
	if _, err := extend("HEAD@" + check.GetAgencyId()); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) {
		t.Errorf("extended twice: %v", err)
	}
	own, err := assignmentv1.NewAssignmentServiceClient(m.as(t, "HEAD@"+check.GetAgencyId())).ForecastBreaches(t.Context(),
		&assignmentv1.ForecastBreachesRequest{Days: 60, PageSize: 500})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, task := range own.GetTasks() {
		if task.GetAgencyId() != check.GetAgencyId() {
			t.Errorf("the forecast of %s names a task of %s", check.GetAgencyId(), task.GetAgencyId())
		}
		found = found || task.GetTaskId() == check.GetTaskId() && task.GetDueTime().AsTime().Equal(longer.GetDueTime().AsTime())
	}
	if !found || len(own.GetAgencies()) != 1 {
		t.Errorf("the forecast: %v", own.GetAgencies())
	}
}
