package assignment

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestOpenTask_repeatChangesNothing(t *testing.T) {
	w := newWorld(t)
	task := w.newTask("nfra-44")
	first := w.open(t, task)
	if first.GetState() != stateOpen || !first.GetOpenTime().AsTime().Equal(w.clock()) || first.GetFacts()["sector"] != "loans" {
		t.Errorf("opened %v", first)
	}
	w.pass(time.Minute)
	if diff := cmp.Diff(first, w.open(t, task), protocmp.Transform()); diff != "" { // another request ID
		t.Errorf("a repeat changed the task:\n%s", diff)
	}
	other := w.newTask("samr-44")
	other.TaskId = task.GetTaskId()
	_, err := w.workflows(nil).OpenTask(t.Context(), &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: other})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS)

	for agency, reason := range map[string]commonv1.ErrorReason{
		"spc": commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "nobody": commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
	} {
		_, err := w.workflows(nil).OpenTask(t.Context(), &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: w.newTask(agency)})
		refused(t, err, reason)
	}
	public := w.newTask("nfra-44")
	public.Role = accessv1.Role_ROLE_PUBLIC
	_, err = w.workflows(nil).OpenTask(t.Context(), &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: public})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.as(lead).OpenTask(t.Context(), &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: w.newTask("nfra-44")})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
}

func TestRecordDecision(t *testing.T) {
	w := newWorld(t)
	anna := caseworker("anna", "nfra-44")
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	req := decide(task, "concluded")
	req.Decision.RequestKey = "anna|1"
	req.Decision.Detail = &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: "substantiated"}}}

	for name, tc := range map[string]struct {
		actor  *commonv1.Actor
		change func(*assignmentv1.RecordDecisionRequest)
		reason commonv1.ErrorReason
	}{
		"another agency":   {caseworker("x", "nfra-11"), nil, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"the ministry":     {caseworker("x", "nfra"), nil, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"the lead":         {lead, nil, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"nobody":           {nil, nil, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"another role":     {person("x", "nfra-44", accessv1.Role_ROLE_REVIEWER), nil, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		"no such outcome":  {anna, func(r *assignmentv1.RecordDecisionRequest) { r.Decision.Outcome = "approved" }, commonv1.ErrorReason_ERROR_REASON_OUTCOME_NOT_ALLOWED},
		"an excluded one":  {anna, func(r *assignmentv1.RecordDecisionRequest) { r.ExcludedSubjects = []string{"ben", "anna"} }, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON},
		"no such task":     {anna, func(r *assignmentv1.RecordDecisionRequest) { r.Decision.TaskId = newID() }, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND},
		"no ID of a task":  {anna, func(r *assignmentv1.RecordDecisionRequest) { r.Decision.TaskId = "x" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"nothing, at once": {anna, func(r *assignmentv1.RecordDecisionRequest) { r.RequestId = "" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
	} {
		bad := decide(task, "concluded")
		if tc.change != nil {
			tc.change(bad)
		}
		_, err := w.workflows(tc.actor).RecordDecision(t.Context(), bad)
		if !errs.Is(err, tc.reason) {
			t.Errorf("%s: %v, want %s", name, err, errs.Name(tc.reason))
		}
	}

	w.pass(time.Hour)
	first, err := w.workflows(anna).RecordDecision(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if got := first.GetTask(); got.GetState() != stateDone || got.GetOutcome() != "concluded" || !got.GetCloseTime().AsTime().Equal(w.clock()) {
		t.Errorf("decided %v", got)
	}
	w.pass(time.Hour)
	again, err := w.workflows(anna).RecordDecision(t.Context(), req) // the same request
	if diff := cmp.Diff(first, again, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("repeat: %v\n%s", err, diff)
	}
	resent := decide(task, "concluded") // another request ID for the same decision of the same person
	resent.Decision.RequestKey = "anna|1"
	if again, err = w.workflows(anna).RecordDecision(t.Context(), resent); err != nil || again.GetTask().GetOutcome() != "concluded" {
		t.Errorf("resent: %v, %v", again, err)
	}
	_, err = w.workflows(anna).RecordDecision(t.Context(), decide(task, "bounced"))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
	changed := decide(task, "bounced")
	changed.RequestId = req.GetRequestId()
	_, err = w.workflows(anna).RecordDecision(t.Context(), changed)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)

	got, err := w.as(anna).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task})
	if err != nil {
		t.Fatal(err)
	}
	d := got.GetDecision()
	if d.GetDecidedBy() != "anna" || d.GetReasonCode() != "checked" || d.GetDetail().GetFindings()[0].GetResult() != "substantiated" || d.GetRequestKey() != "anna|1" {
		t.Errorf("decision %v", d)
	}
	if _, err := w.db.Exec(t.Context(), "UPDATE decision SET outcome = 'bounced'"); err == nil {
		t.Error("a decision could be changed")
	}
}

// The lead ministry decides its own tasks with its own role.
func TestRecordDecision_lead(t *testing.T) {
	w := newWorld(t)
	task := w.newTask(leadMinistry)
	task.Step, task.Role, task.Outcomes = "designate", accessv1.Role_ROLE_LEAD, []string{"designated"}
	w.open(t, task)
	req := decide(task.GetTaskId(), "designated")
	_, err := w.workflows(caseworker("x", leadMinistry)).RecordDecision(t.Context(), req)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	if _, err := w.workflows(lead).RecordDecision(t.Context(), req); err != nil {
		t.Error(err)
	}
}

func TestCancelTask(t *testing.T) {
	w := newWorld(t)
	flows := w.workflows(nil)
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	for range 2 { // twice is once
		if _, err := flows.CancelTask(t.Context(), &assignmentv1.CancelTaskRequest{RequestId: newID(), TaskId: task, ReasonCode: "withdrawn"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.workflows(caseworker("anna", "nfra-44")).RecordDecision(t.Context(), decide(task, "concluded"))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
	done := w.open(t, w.newTask("nfra-44")).GetTaskId()
	if _, err := w.workflows(caseworker("anna", "nfra-44")).RecordDecision(t.Context(), decide(done, "concluded")); err != nil {
		t.Fatal(err)
	}
	_, err = flows.CancelTask(t.Context(), &assignmentv1.CancelTaskRequest{RequestId: newID(), TaskId: done, ReasonCode: "withdrawn"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
}

func TestEscalateTask(t *testing.T) {
	w := newWorld(t)
	ctx, flows := t.Context(), w.workflows(nil)
	task := w.open(t, w.newTask("cmcc-44")).GetTaskId()
	superior, copied, stranger := caseworker("s", "cmcc"), lead, caseworker("x", "cmcc-11")
	escalate := func(level int32) string {
		resp, err := flows.EscalateTask(ctx, &assignmentv1.EscalateTaskRequest{RequestId: newID(), TaskId: task, Level: level})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetSuperiorId()
	}
	seen := func(a *commonv1.Actor, state string) int {
		resp, err := w.as(a).ListTasks(ctx, &assignmentv1.ListTasksRequest{State: state, AgencyId: a.GetAgencyId()})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.GetTasks())
	}
	changes := func(a *commonv1.Actor) []string {
		var names []string
		for _, c := range w.changes(t, a) {
			names = append(names, fmt.Sprintf("%s %d", c.GetChange(), c.GetTask().GetEscalationLevel()))
		}
		return names
	}
	if got := escalate(1); got != "" {
		t.Errorf("a task that is not overdue was told to %s", got)
	}
	w.pass(25 * time.Hour)
	if got := escalate(1); got != "cmcc" {
		t.Errorf("level 1 told %s", got)
	}
	if got := escalate(1); got != "cmcc" { // once
		t.Errorf("level 1 told %s", got)
	}
	if got := escalate(2); got != leadMinistry {
		t.Errorf("level 2 told %s", got)
	}
	if seen(superior, "") != 1 || seen(copied, "") != 1 || seen(stranger, "") != 0 {
		t.Errorf("seen by superior %d, lead %d, stranger %d", seen(superior, ""), seen(copied, ""), seen(stranger, ""))
	}
	if _, err := w.as(superior).GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: task}); err != nil {
		t.Errorf("the superior cannot read it: %v", err)
	}
	_, err := w.workflows(superior).RecordDecision(ctx, decide(task, "concluded"))
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY) // seeing is not deciding
	if _, err := w.workflows(caseworker("a", "cmcc-44")).RecordDecision(ctx, decide(task, "concluded")); err != nil {
		t.Fatal(err)
	}
	if got := escalate(2); got != "" {
		t.Errorf("a decided task was told to %s", got)
	}
	if seen(superior, "") != 0 || seen(superior, stateDone) != 1 {
		t.Errorf("after the decision: open %d, done %d", seen(superior, ""), seen(superior, stateDone))
	}
	for actor, want := range map[*commonv1.Actor][]string{
		caseworker("a", "cmcc-44"): {"opened 0", "escalated 1", "escalated 2", "decided 2"},
		superior:                   {"escalated 1", "decided 2"},
		copied:                     {"escalated 1", "escalated 2", "decided 2"},
		stranger:                   nil,
	} {
		if diff := cmp.Diff(want, changes(actor)); diff != "" {
			t.Errorf("feed of %s (-want +got):\n%s", actor.GetAgencyId(), diff)
		}
	}
}
