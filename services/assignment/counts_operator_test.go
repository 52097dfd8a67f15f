package assignment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// asked opens a task of an operator, due in a time.
func (w *world) asked(t *testing.T, subject, step, agency string, due time.Duration) string {
	t.Helper()
	task := w.newTask(agency)
	task.SubjectId, task.Step, task.Role, task.Outcomes = subject, step, accessv1.Role_ROLE_OPERATOR, []string{"found", "forged", "traced"}
	task.DueTime = timestamppb.New(w.clock().Add(due))
	return w.open(t, task).GetTaskId()
}

// answered decides a task, as if time had passed.
func (w *world) answered(t *testing.T, task, outcome string, after time.Duration) {
	t.Helper()
	owner, at := testkit.Owner(t, w.db), w.clock().Add(after)
	if _, err := owner.Exec(t.Context(), "INSERT INTO decision (task_id, outcome, decided_by, agency_id, decided_time) SELECT task_id, $2, 'someone', agency_id, $3 FROM task WHERE task_id = $1",
		task, outcome, at); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(t.Context(), "UPDATE task SET state = 'DONE', outcome = $2, close_time = $3 WHERE task_id = $1", task, outcome, at); err != nil {
		t.Fatal(err)
	}
}

// counted is what a fresh cut says of operators: "key column bucket" to how many.
func (w *world) counted(t *testing.T) map[string]int64 {
	t.Helper()
	c, month := w.workflows(nil), w.clock().Format("2006-01")
	cut, err := c.CutCounts(t.Context(), &assignmentv1.CutCountsRequest{RequestId: newID(), Month: month})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.ListDailyCounts(t.Context(), &assignmentv1.ListDailyCountsRequest{Month: month, Cut: cut.GetCut(), PageSize: 5000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, n := range resp.GetCounts() {
		switch n.GetUnit() {
		case unitOperatorTasks:
			out[n.GetKey()+" "+n.GetColumn()] += n.GetCount()
		case unitOperatorMinutes:
			out[n.GetKey()+" minutes "+time.Duration(n.GetBucket()*int64(time.Minute)).String()] += n.GetCount()
		}
	}
	return out
}

// Operators are counted by step; what they were asked about a number that proves forged is not, but for its tracing.
func TestCountOperators_forgedLeftOut(t *testing.T) {
	w := newWorld(t)
	genuine, forged := newID(), newID()
	check := w.asked(t, genuine, "number_check", "cmcc-44", 72*time.Hour)
	w.asked(t, genuine, "preserve", "cmcc-44", time.Hour)
	doubtful := w.asked(t, forged, "number_check", "cmcc-44", time.Hour)
	w.asked(t, forged, "preserve", "cmcc-44", time.Hour)
	w.asked(t, genuine, "number_check", "ca-44", time.Hour) // an administration that stands in for an operator
	w.answered(t, check, "found", 5*time.Hour)
	w.pass(6 * time.Hour)
	want := map[string]int64{
		"cmcc-44/number_check asked": 2, "cmcc-44/number_check answered": 1, "cmcc-44/number_check minutes 4h0m0s": 1,
		"cmcc-44/number_check overdue": 1, "cmcc-44/preserve asked": 2, "cmcc-44/preserve overdue": 2,
	}
	if diff := cmp.Diff(want, w.counted(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	w.answered(t, doubtful, "forged", 0)
	trace := w.asked(t, forged, "traceback", "cucc-44", 24*time.Hour)
	w.answered(t, trace, "traced", time.Hour)
	w.pass(2 * time.Hour)
	want = map[string]int64{
		"cmcc-44/number_check asked": 1, "cmcc-44/number_check answered": 1, "cmcc-44/number_check minutes 4h0m0s": 1,
		"cmcc-44/preserve asked": 1, "cmcc-44/preserve overdue": 1,
		"cucc-44/traceback asked": 1, "cucc-44/traceback answered": 1, "cucc-44/traceback minutes 0s": 1,
	}
	if diff := cmp.Diff(want, w.counted(t)); diff != "" {
		t.Errorf("with a forged number -want +got\n%s", diff)
	}
}

// A number that proves forged later has the days counted again on which operators were asked about it.
func TestCountOperators_marksOldDays(t *testing.T) {
	w := newWorld(t)
	subject := newID()
	check := w.asked(t, subject, "number_check", "cmcc-44", time.Hour)
	owner := testkit.Owner(t, w.db)
	if _, err := owner.Exec(t.Context(), "UPDATE task SET open_time = '2025-10-05', due_time = '2025-10-07'"); err != nil {
		t.Fatal(err)
	}
	w.answered(t, check, "forged", 0)
	var days []string
	if err := owner.QueryRow(t.Context(), "SELECT array_agg(DISTINCT day::text ORDER BY day::text) FROM day_stale WHERE scope = 'operators' AND day < '2026-01-01'").Scan(&days); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2025-10-05", "2025-10-07"}, days); diff != "" {
		t.Errorf("marked -want +got\n%s", diff)
	}
}
