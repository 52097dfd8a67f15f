package assignment

import (
	"context"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestListTasks_rightsAndPages(t *testing.T) {
	w := newWorld(t)
	const each = 7
	var subject string
	for i := range each {
		for _, agency := range []string{"nfra-44", "nfra-11", "cmcc-44"} {
			task := w.newTask(agency)
			task.DueTime = timestamppb.New(w.clock().Add(time.Duration(i%3) * time.Hour)) // some are due together
			if agency == "cmcc-44" {
				task.Role, task.Step = accessv1.Role_ROLE_OPERATOR, "number_check"
			}
			subject = w.open(t, task).GetSubjectId()
		}
	}
	list := func(a *commonv1.Actor, req *assignmentv1.ListTasksRequest) []*assignmentv1.Task {
		t.Helper()
		var all []*assignmentv1.Task
		for {
			resp, err := w.as(a).ListTasks(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, resp.GetTasks()...)
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		seen := map[string]bool{}
		for i, task := range all {
			if seen[task.GetTaskId()] || i > 0 && task.GetDueTime().AsTime().Before(all[i-1].GetDueTime().AsTime()) {
				t.Errorf("task %d of the list is out of order or a second one", i)
			}
			seen[task.GetTaskId()] = true
		}
		return all
	}
	operator := person("op", "cmcc-44", accessv1.Role_ROLE_OPERATOR)
	for _, tc := range []struct {
		name  string
		actor *commonv1.Actor
		req   *assignmentv1.ListTasksRequest
		want  int
	}{
		{"own", caseworker("a", "nfra-44"), &assignmentv1.ListTasksRequest{PageSize: 2}, each},
		{"operator", operator, &assignmentv1.ListTasksRequest{PageSize: 3}, each},
		{"own by name", operator, &assignmentv1.ListTasksRequest{AgencyId: "cmcc-44"}, each},
		{"none", caseworker("a", "samr-44"), &assignmentv1.ListTasksRequest{}, 0},
		{"a superior does not see what is not overdue", caseworker("a", "nfra"), &assignmentv1.ListTasksRequest{}, 0},
		{"lead", lead, &assignmentv1.ListTasksRequest{PageSize: 5}, 3 * each},
		{"lead names an agency", lead, &assignmentv1.ListTasksRequest{AgencyId: "nfra-11"}, each},
		{"a lead role of another agency is no lead", person("x", "samr-44", accessv1.Role_ROLE_LEAD), &assignmentv1.ListTasksRequest{}, 0},
		{"by step", lead, &assignmentv1.ListTasksRequest{Step: "number_check", PageSize: 4}, each},
		{"by subject", operator, &assignmentv1.ListTasksRequest{SubjectId: subject}, 1},
		{"another's subject", caseworker("a", "nfra-44"), &assignmentv1.ListTasksRequest{SubjectId: subject}, 0},
		{"due before", lead, &assignmentv1.ListTasksRequest{DueBefore: timestamppb.New(w.clock().Add(time.Minute))}, 9},
		{"done", lead, &assignmentv1.ListTasksRequest{State: stateDone}, 0},
	} {
		if got := list(tc.actor, tc.req); len(got) != tc.want {
			t.Errorf("%s: %d tasks, want %d", tc.name, len(got), tc.want)
		}
	}
	for name, tc := range map[string]struct {
		actor  *commonv1.Actor
		req    *assignmentv1.ListTasksRequest
		reason commonv1.ErrorReason
	}{
		"another agency": {operator, &assignmentv1.ListTasksRequest{AgencyId: "ctcc-44"}, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"no agency":      {caseworker("x", ""), &assignmentv1.ListTasksRequest{}, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"no role":        {person("x", "nfra-44", accessv1.Role_ROLE_PARTY), &assignmentv1.ListTasksRequest{}, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		"bad state":      {operator, &assignmentv1.ListTasksRequest{State: "open"}, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"bad token":      {operator, &assignmentv1.ListTasksRequest{PageToken: "x"}, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR},
	} {
		if _, err := w.as(tc.actor).ListTasks(t.Context(), tc.req); !errs.Is(err, tc.reason) {
			t.Errorf("%s: %v, want %s", name, err, errs.Name(tc.reason))
		}
	}
	task := list(operator, &assignmentv1.ListTasksRequest{})[0].GetTaskId()
	_, err := w.as(caseworker("a", "nfra-44")).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	if _, err := w.as(lead).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task}); err != nil {
		t.Error(err)
	}
	reporting := assignmentv1.NewAssignmentServiceClient(w.connect(identity.Reporting, lead)) // its actor is not believed
	if _, err := reporting.GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task}); err != nil {
		t.Error(err)
	}
}

// Readers with a cursor get every change once, however transactions that write at the same time overlap.
func TestListTaskChanges_losesNothing(t *testing.T) {
	w := newWorld(t)
	const writers, each = 6, 15
	anna := caseworker("anna", "nfra-44")
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range writers {
		flows, people := w.workflows(nil), w.workflows(anna)
		wg.Go(func() {
			for range each {
				task := w.newTask("nfra-44")
				if _, err := flows.OpenTask(ctx, &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: task}); err != nil {
					t.Error(err)
				}
				if _, err := people.RecordDecision(ctx, decide(task.GetTaskId(), "concluded")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// One transaction that stays open the while and commits last: its row has an early ID.
	tx, err := w.db.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	slow := w.newTask("nfra-44")
	w.open(t, slow)
	if _, err := tx.Exec(ctx, `INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, escalation_level, outcome)
		VALUES ('nfra-44', $1, 'released', now(), 'x', 'OPEN', 0, '')`, slow.GetTaskId()); err != nil {
		t.Fatal(err)
	}
	go func() {
		wg.Wait()
		if err := tx.Commit(ctx); err != nil {
			t.Error(err)
		}
	}()

	const want = writers*each*2 + 2
	client, cursor, seen, open := w.as(anna), "", 0, map[string]bool{}
	for seen < want && ctx.Err() == nil {
		resp, err := client.ListTaskChanges(ctx, &assignmentv1.ListTaskChangesRequest{AfterCursor: cursor, MaxWait: durationpb.New(5 * time.Second), PageSize: 7})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetChanges() {
			id := c.GetTask().GetTaskId()
			switch c.GetChange() {
			case "opened":
				open[id] = true
				if c.GetTask().GetState() != stateOpen || c.GetTask().GetCloseTime() != nil {
					t.Errorf("opened shows the task as it was later: %v", c.GetTask())
				}
			case "decided":
				if !open[id] || c.GetTask().GetState() != stateDone {
					t.Errorf("decided came before opened, or shows %s", c.GetTask().GetState())
				}
			}
		}
		seen += len(resp.GetChanges())
		cursor = resp.GetNextCursor()
	}
	resp, err := client.ListTaskChanges(ctx, &assignmentv1.ListTaskChangesRequest{AfterCursor: cursor})
	if err != nil || seen != want || len(resp.GetChanges()) != 0 || resp.GetNextCursor() != cursor {
		t.Errorf("%d changes and %d more, want %d and none; %v", seen, len(resp.GetChanges()), want, err)
	}
	_, err = client.ListTaskChanges(ctx, &assignmentv1.ListTaskChangesRequest{AfterCursor: "nonsense"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
}
