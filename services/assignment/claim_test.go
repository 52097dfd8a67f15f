package assignment

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"quietline/internal/errs"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestClaimTask_oneWins(t *testing.T) {
	w := newWorld(t)
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	const people = 8
	clients := make([]assignmentv1.AssignmentServiceClient, people)
	for i := range clients {
		clients[i] = w.as(caseworker(fmt.Sprintf("p%d", i), "nfra-44"))
	}
	var wg sync.WaitGroup
	failed := make([]error, people)
	for i, client := range clients {
		wg.Go(func() {
			_, failed[i] = client.ClaimTask(t.Context(), &assignmentv1.ClaimTaskRequest{RequestId: newID(), TaskId: task})
		})
	}
	wg.Wait()
	winner := slices.IndexFunc(failed, func(err error) bool { return err == nil })
	for i, err := range failed {
		if i != winner && !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED) {
			t.Errorf("p%d: %v", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}

	loser := (winner + 1) % people
	decided := decide(task, "concluded")
	_, err := w.workflows(caseworker(fmt.Sprintf("p%d", loser), "nfra-44")).RecordDecision(t.Context(), decided)
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED)
	mine := func(i int) int {
		resp, err := clients[i].ListTasks(t.Context(), &assignmentv1.ListTasksRequest{Mine: true})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.GetTasks())
	}
	if mine(winner) != 1 || mine(loser) != 0 {
		t.Errorf("winner has %d, loser %d", mine(winner), mine(loser))
	}

	w.pass(5 * time.Hour) // the claim ends by itself
	if mine(winner) != 0 {
		t.Error("a claim that ran out is still listed")
	}
	if _, err := clients[loser].ClaimTask(t.Context(), &assignmentv1.ClaimTaskRequest{RequestId: newID(), TaskId: task}); err != nil {
		t.Errorf("claim after the first ran out: %v", err)
	}
}

func TestClaimTask_rights(t *testing.T) {
	w := newWorld(t)
	task := w.open(t, w.newTask("nfra-44")).GetTaskId()
	claim := func(a *commonv1.Actor) error {
		_, err := w.as(a).ClaimTask(t.Context(), &assignmentv1.ClaimTaskRequest{RequestId: newID(), TaskId: task})
		return err
	}
	release := func(a *commonv1.Actor) error {
		_, err := w.as(a).ReleaseTask(t.Context(), &assignmentv1.ReleaseTaskRequest{RequestId: newID(), TaskId: task})
		return err
	}
	give := func(a *commonv1.Actor, to string) error {
		_, err := w.as(a).ReassignTask(t.Context(), &assignmentv1.ReassignTaskRequest{RequestId: newID(), TaskId: task, ToSubject: to, Reason: "busy"})
		return err
	}
	anna, ben := caseworker("anna", "nfra-44"), caseworker("ben", "nfra-44")
	head := person("head", "nfra-44", accessv1.Role_ROLE_HEAD)
	refused(t, claim(caseworker("x", "nfra-11")), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	refused(t, claim(person("x", "nfra-44", accessv1.Role_ROLE_REVIEWER)), commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	refused(t, claim(nil), commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
	steps := []struct {
		name string
		err  error
		want commonv1.ErrorReason
	}{
		{"anna claims", claim(anna), 0},
		{"anna claims again", claim(anna), 0},
		{"ben cannot", claim(ben), commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED},
		{"ben cannot release it", release(ben), commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED},
		{"anna releases", release(anna), 0},
		{"releasing a free task is nothing", release(anna), 0},
		{"ben claims", claim(ben), 0},
		{"the head takes it from him", release(head), 0},
		{"and gives it to anna", give(head, "anna"), 0},
		{"a caseworker cannot give", give(ben, "ben"), commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		{"another agency's head neither", give(person("x", "nfra-11", accessv1.Role_ROLE_HEAD), "x"), commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		{"the lead may", give(lead, "ben"), 0},
		{"anna lost it", claim(anna), commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED},
	}
	for _, s := range steps {
		if (s.err == nil) != (s.want == 0) || s.err != nil && !errs.Is(s.err, s.want) {
			t.Errorf("%s: %v, want %s", s.name, s.err, errs.Name(s.want))
		}
	}
	if _, err := w.workflows(ben).RecordDecision(t.Context(), decide(task, "concluded")); err != nil {
		t.Fatal(err)
	}
	refused(t, claim(anna), commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
	refused(t, release(ben), commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
	refused(t, give(head, "anna"), commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
}
