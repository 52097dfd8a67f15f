package assignment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

func TestCountAndAudit(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	auditor := person("auditor", "miit", accessv1.Role_ROLE_AUDITOR)
	var ids []string
	for _, agency := range []string{"nfra-44", "nfra-11", centre} {
		ids = append(ids, w.open(t, w.newTask(agency)).GetTaskId())
	}
	if _, err := w.workflows(caseworker("a", "nfra-44")).RecordDecision(ctx, decide(ids[0], "concluded")); err != nil {
		t.Fatal(err)
	}
	w.pass(48 * time.Hour)
	got, err := w.as(auditor).CountTasks(ctx, &assignmentv1.CountTasksRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &assignmentv1.CountTasksResponse{Open: 2, Overdue: 2, ByStep: map[string]int64{"fact_check": 2}, ByAgency: map[string]int64{"nfra-11": 1, centre: 1}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got, err = w.as(person("c", centre, accessv1.Role_ROLE_CENTRE)).CountTasks(ctx, &assignmentv1.CountTasksRequest{}); err != nil || got.GetOpen() != 1 {
		t.Errorf("the centre counts %v, %v", got, err)
	}

	audit := func(what string, size int32) (tasks int, violations []string) {
		token := ""
		for {
			resp, err := w.as(auditor).Audit(ctx, &assignmentv1.AuditRequest{What: what, PageSize: size, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			tasks += len(resp.GetTasks())
			violations = append(violations, resp.GetViolations()...)
			if token = resp.GetNextPageToken(); token == "" {
				return tasks, violations
			}
		}
	}
	if n, _ := audit("open_tasks", 1); n != 2 {
		t.Errorf("%d open tasks", n)
	}
	if _, v := audit("violations", 0); len(v) != 0 {
		t.Errorf("violations %v", v)
	}
	// What only a bug or a hand in the database could do.
	owner := testkit.Owner(t, w.db)
	for _, sql := range []string{
		"ALTER TABLE task DROP CONSTRAINT task_closed_is_not_claimed",
		"DELETE FROM decision",
		"INSERT INTO decision (task_id, outcome, decided_by, agency_id, decided_time) VALUES ('" + ids[1] + "', 'concluded', 'x', 'nfra-11', now())",
		"UPDATE task SET claimed_by = 'x', claimed_until = now() WHERE task_id = '" + ids[0] + "'",
		"UPDATE task SET escalation_level = 1, agency_id = 'nobody' WHERE task_id = '" + ids[2] + "'",
		"ALTER TABLE decision DROP CONSTRAINT decision_of_task",
		"INSERT INTO decision (task_id, outcome, decided_by, agency_id, decided_time) VALUES ('" + newID() + "', 'concluded', 'x', 'nfra-11', now())",
	} {
		if _, err := owner.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, v := audit("violations", 0); len(v) != 6 {
		t.Errorf("%d violations, want 6: %v", len(v), v)
	}
	_, err = w.as(lead).Audit(ctx, &assignmentv1.AuditRequest{What: "violations"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
