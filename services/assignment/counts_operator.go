package assignment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/tally"
)

// Units of their own, as they leave out what concerns forged numbers.
const (
	unitOperatorTasks   = "operator_tasks"
	unitOperatorMinutes = "operator_minutes" // between opening and decision
)

// What operators were asked and how they answered, for their scorecards. A number that proved forged counts against nobody:
// of such a complaint only the tracing itself is counted, which its tracer does, not who the number seemed to be of.
const operatorsSQL = `
WITH asked AS (
    SELECT t.task_id, t.subject_id, t.agency_id, t.step, t.state, t.open_time, t.due_time, t.close_time FROM task t
     WHERE t.step IN ('number_check', 'preserve', 'traceback', 'execute')
       AND (t.open_time >= $1 AND t.open_time < $2 OR t.due_time >= $1 AND t.due_time < $2
            OR t.task_id IN (SELECT task_id FROM decision WHERE decided_time >= $1 AND decided_time < $2))
       AND EXISTS (SELECT FROM agency a WHERE a.agency_id = t.agency_id AND a.kind IN ('operator', 'operator_branch', 'resale_operator'))
       AND (t.step = 'traceback' OR NOT EXISTS (
            SELECT FROM task f LEFT JOIN decision g USING (task_id)
             WHERE f.subject_id = t.subject_id AND (f.step = 'traceback' OR f.step = 'number_check' AND g.outcome IN ('forged', 'not_in_use')))))
SELECT agency_id, step, 'asked', 0::bigint FROM asked WHERE open_time >= $1 AND open_time < $2
UNION ALL
SELECT t.agency_id, t.step, CASE WHEN d.outcome = 'bounced' THEN 'bounced' ELSE 'answered' END,
       greatest(floor(extract(epoch FROM d.decided_time - t.open_time) / 60), 0)::bigint
  FROM asked t JOIN decision d USING (task_id) WHERE d.decided_time >= $1 AND d.decided_time < $2
UNION ALL
SELECT agency_id, step, 'overdue', 0 FROM asked
 WHERE due_time >= $1 AND due_time < least($2, $3) AND (state = 'OPEN' OR close_time > due_time)`

// countOperators counts a day's tasks of operators, by operator and step.
func (s *Server) countOperators(ctx context.Context, tx pgx.Tx, from, to time.Time) (*tally.Sums, error) {
	rows, err := tx.Query(ctx, operatorsSQL, from, to, s.now())
	if err != nil {
		return nil, fmt.Errorf("tasks of operators: %w", err)
	}
	sums := tally.NewSums()
	var agency, step, what string
	var minutes int64
	_, err = pgx.ForEachRow(rows, []any{&agency, &step, &what, &minutes}, func() error {
		key := agency + "/" + step
		sums.Add(tally.Cell{Unit: unitOperatorTasks, Axis: "operator_step", Key: key, Column: what}, 1, nil)
		if what == "answered" || what == "bounced" {
			sums.Add(tally.Cell{Unit: unitOperatorMinutes, Axis: "operator_step", Key: key, Bucket: coarse(minutes)}, 1, nil)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tasks of operators: %w", err)
	}
	return sums, nil
}

// firstOperatorDay is the first day that was counted, or the day of the oldest task.
func firstOperatorDay(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var first *time.Time
	err := tx.QueryRow(ctx, `SELECT coalesce((SELECT min(day)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM day_fold WHERE scope = 'operators'),
		(SELECT min(open_time) FROM task))`).Scan(&first)
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return *first, nil
}
