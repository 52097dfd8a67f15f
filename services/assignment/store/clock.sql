-- name: MoveClock :one
-- MoveClock writes the new date of an open, locked task and tells its agency why.
WITH t AS (
    UPDATE task SET due_time = @due_time, clock_statutory_due = @clock_statutory_due, clock_proof = @clock_proof,
           clock_provisional = @clock_provisional, clock_counted = sqlc.narg('clock_counted'),
           clock_paused_since = sqlc.narg('clock_paused_since'), clock_paused_for = @clock_paused_for
     WHERE task.task_id = @task_id AND state = 'OPEN'
    RETURNING *
), c AS (
    INSERT INTO task_change (agency_id, task_id, change, change_time, actor, reason, state, claimed_by, claimed_until, escalation_level, outcome)
    SELECT agency_id, task_id, @change::text, @at::timestamptz, @actor::text, @reason::text, state, claimed_by, claimed_until, escalation_level, outcome FROM t
)
SELECT * FROM t;

-- name: AddClockChange :exec
INSERT INTO task_clock_change (task_id, seq, kind, from_time, to_time, reason, basis, term, source, old_due, new_due,
    old_statutory, new_statutory, actor, agency_id)
VALUES (@task_id, @seq, @kind, @from_time, sqlc.narg('to_time'), @reason, @basis, @term, @source, @old_due, @new_due,
    @old_statutory, @new_statutory, @actor, @agency_id);

-- name: ClockChanges :many
SELECT * FROM task_clock_change WHERE task_id = ANY (@task_ids::uuid[]) ORDER BY task_id, seq;

-- name: ClockChangesOfOne :many
-- Of one task: a list of unknown length would be planned again at each call.
SELECT * FROM task_clock_change WHERE task_id = $1 ORDER BY seq;

-- name: AddSettlement :exec
INSERT INTO clock_settlement (task_id, year, old_due, new_due, old_statutory, new_statutory, old_proof, party, settled_by, settled_time)
VALUES (@task_id, @year, @old_due, @new_due, @old_statutory, @new_statutory, @old_proof, @party, @settled_by, @settled_time);

-- name: ListProvisional :many
SELECT * FROM task
 WHERE state = 'OPEN' AND clock_provisional AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@agency_id::text = '' OR agency_id = @agency_id)
 ORDER BY due_time, task_id LIMIT @n;

-- name: LockProvisional :many
-- LockProvisional takes the provisional clocks that cross a year, in order of their tasks.
SELECT * FROM task
 WHERE state = 'OPEN' AND clock_provisional AND task_id > @after_id::uuid
   AND extract(year FROM coalesce(clock_start, open_time) AT TIME ZONE 'Asia/Shanghai') <= @year::integer
   AND extract(year FROM clock_statutory_due::timestamptz AT TIME ZONE 'Asia/Shanghai') >= @year::integer
 ORDER BY task_id LIMIT @n FOR UPDATE;

-- name: ForecastByAgency :many
-- ForecastByAgency counts what is or will be late until a time. A clock that stands still is late for nobody.
SELECT agency_id,
       count(*) FILTER (WHERE clock_paused_since IS NULL AND due_time < @at::timestamptz) AS overdue,
       count(*) FILTER (WHERE clock_paused_since IS NULL AND due_time >= @at::timestamptz AND due_time < @until::timestamptz) AS due,
       count(*) FILTER (WHERE clock_paused_since IS NULL AND due_time < @until::timestamptz AND clock_provisional) AS provisional,
       count(*) FILTER (WHERE clock_paused_since IS NOT NULL) AS paused
  FROM task
 WHERE state = 'OPEN' AND (due_time < @until::timestamptz OR clock_paused_since IS NOT NULL)
   AND (@agency_id::text = '' OR agency_id = @agency_id)
 GROUP BY agency_id ORDER BY overdue DESC, due DESC, agency_id;

-- name: ForecastOfAgency :many
SELECT * FROM task
 WHERE agency_id = @agency_id AND state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND due_time < @until::timestamptz AND clock_paused_since IS NULL
 ORDER BY due_time, task_id LIMIT @n;

-- name: ForecastOfAll :many
SELECT * FROM task
 WHERE state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND due_time < @until::timestamptz AND clock_paused_since IS NULL
 ORDER BY due_time, task_id LIMIT @n;

-- name: AuditClocks :many
-- AuditClocks finds tasks whose date is another than that of the last act on their clock.
SELECT t.task_id, l.what, l.new_due AS told, t.due_time AS due
  FROM (SELECT DISTINCT ON (a.task_id) a.task_id, a.what, a.new_due
          FROM (SELECT c.task_id, c.kind AS what, c.new_due, c.created_at FROM task_clock_change c
                UNION ALL
                SELECT s.task_id, 'settlement', s.new_due, s.created_at FROM clock_settlement s) a
         ORDER BY a.task_id, a.created_at DESC, a.new_due DESC) l
  JOIN task t ON t.task_id = l.task_id
 WHERE t.due_time <> l.new_due
 ORDER BY t.task_id LIMIT 500;
