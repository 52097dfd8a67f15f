-- name: DirectoryRevision :one
SELECT revision FROM directory_revision;

-- name: Directory :many
-- Directory is every version of every agency; some hundred rows, kept in memory until the revision changes.
SELECT agency_id, valid, name, name_en, kind,
       superior_id, province, sectors, assignable, successor_id, source
  FROM agency ORDER BY agency_id, lower(valid);

-- name: Policy :one
SELECT value FROM policy WHERE name = @name AND valid @> @at::timestamptz;

-- name: RoutingVersion :one
-- RoutingVersion is what Route needs to know whether its copies are still good.
SELECT t.version, r.revision
  FROM routing_table t, directory_revision r
 WHERE t.valid_from <= @at ORDER BY t.valid_from DESC LIMIT 1;

-- name: RoutingRules :many
SELECT * FROM routing_rule WHERE version = @version ORDER BY ordinal;

-- name: OpenTask :one
-- OpenTask writes the task and tells its agency; no row when there is such a task.
WITH t AS (
    INSERT INTO task (task_id, subject_kind, subject_id, workflow_id, round, step, agency_id, role, outcomes, due_time,
        clock_basis, clock_statutory_due, clock_proof, clock_provisional, clock_source, clock_profile, clock_start, clock_term,
        clock_counted, clock_escalate_seconds, recordings_until, facts, open_time)
    VALUES (@task_id, @subject_kind, @subject_id, @workflow_id, @round, @step, @agency_id, @role, @outcomes, @due_time,
        @clock_basis, @clock_statutory_due, @clock_proof, @clock_provisional, @clock_source, @clock_profile,
        sqlc.narg('clock_start'), @clock_term, sqlc.narg('clock_counted'), @clock_escalate_seconds, sqlc.narg('recordings_until'), @facts, @open_time)
    ON CONFLICT (task_id) DO NOTHING
    RETURNING *
), c AS (
    INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, escalation_level, outcome)
    SELECT agency_id, task_id, 'opened', open_time, @actor::text, state, escalation_level, outcome FROM t
)
SELECT * FROM t;

-- name: GetTask :one
SELECT * FROM task WHERE task_id = @task_id;

-- name: LockTask :one
SELECT * FROM task WHERE task_id = @task_id FOR UPDATE;

-- name: GetDecision :one
SELECT * FROM decision WHERE task_id = @task_id;

-- name: ListUntaken :many
SELECT sqlc.embed(decision), task.workflow_id, task.role
FROM decision JOIN task USING (task_id)
WHERE NOT decision.taken AND decision.decided_time < @before AND (decision.decided_time, decision.task_id) > (@after_time, @after_id::uuid)
ORDER BY decision.decided_time, decision.task_id LIMIT @page;

-- name: TakeDecisions :exec
UPDATE decision SET taken = true WHERE task_id = ANY (@task_ids::uuid[]) AND NOT taken;

-- name: IsEscalatedTo :one
SELECT EXISTS (SELECT FROM escalation WHERE task_id = @task_id AND agency_id = @agency_id);

-- name: DecideTask :exec
-- DecideTask writes the decision, closes the task and tells everyone who sees it. The task is locked by the caller.
WITH t AS (
    UPDATE task SET state = 'DONE', outcome = @outcome::text, close_time = @at::timestamptz, claimed_by = NULL, claimed_until = NULL
     WHERE task.task_id = @task_id AND state = 'OPEN'
    RETURNING *
), d AS (
    INSERT INTO decision (task_id, outcome, reason_code, note, detail, sealed, decided_by, agency_id, decided_time, request_key,
        request_hash)
    SELECT task_id, outcome, @reason_code, @note, @detail, sqlc.narg('sealed')::bytea, @decided_by, @decider_agency_id,
           @at::timestamptz, @request_key, @request_hash FROM t
)
INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, escalation_level, close_time, outcome)
SELECT agency_id, task_id, 'decided', close_time, @decided_by, state, escalation_level, close_time, outcome FROM t;

-- name: CancelTask :exec
WITH t AS (
    UPDATE task SET state = 'CANCELLED', cancel_reason = @reason::text, close_time = @at::timestamptz, claimed_by = NULL, claimed_until = NULL
     WHERE task.task_id = @task_id AND state = 'OPEN'
    RETURNING *
)
INSERT INTO task_change (agency_id, task_id, change, change_time, actor, reason, state, escalation_level, close_time, outcome)
SELECT agency_id, task_id, 'cancelled', close_time, @actor, @reason, state, escalation_level, close_time, outcome FROM t;

-- name: CloseEscalations :exec
-- CloseEscalations takes a closed task off its superiors' lists and tells them. Only for tasks that were escalated.
WITH e AS (
    UPDATE escalation SET closed = true WHERE escalation.task_id = @task_id AND NOT closed
    RETURNING escalation.agency_id, escalation.copy_id
), who AS (
    SELECT e.agency_id FROM e UNION SELECT e.copy_id FROM e
)
INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, escalation_level, close_time, outcome)
SELECT who.agency_id, t.task_id, @change, t.close_time, @actor, t.state, t.escalation_level, t.close_time, t.outcome
  FROM who, task t WHERE t.task_id = @task_id AND who.agency_id <> t.agency_id;

-- name: EscalateTask :execrows
-- EscalateTask records one level and tells the agency itself, its superior and the lead ministry; nothing the second
-- time.
WITH e AS (
    INSERT INTO escalation (task_id, level, agency_id, copy_id, due_time)
    SELECT t.task_id, @level, @superior_id, @copy_id, t.due_time FROM task t
     WHERE t.task_id = @task_id AND t.state = 'OPEN'
    ON CONFLICT DO NOTHING
    RETURNING escalation.task_id, escalation.agency_id, escalation.copy_id, escalation.level
), t AS (
    UPDATE task SET escalation_level = greatest(escalation_level, e.level)
      FROM e WHERE task.task_id = e.task_id
    RETURNING task.agency_id, task.task_id, task.state, task.claimed_by, task.claimed_until, task.escalation_level, task.outcome
), who AS (
    SELECT t.agency_id FROM t UNION SELECT e.agency_id FROM e UNION SELECT e.copy_id FROM e
)
INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, claimed_by, claimed_until, escalation_level, outcome)
SELECT who.agency_id, t.task_id, 'escalated', @at, @actor, t.state, t.claimed_by, t.claimed_until, t.escalation_level, t.outcome
  FROM who, t;

-- name: ClaimTask :one
-- ClaimTask is one conditional update: of two people at the same time, one gets a row.
WITH t AS (
    UPDATE task SET claimed_by = @subject::text, claimed_until = @until::timestamptz
     WHERE task.task_id = @task_id AND task.state = 'OPEN' AND task.agency_id = @agency_id AND task.role = ANY (@roles::text[])
       AND (task.claimed_by IS NULL OR task.claimed_by = @subject::text OR task.claimed_until <= @at::timestamptz)
    RETURNING *
), c AS (
    INSERT INTO task_change (agency_id, task_id, change, change_time, actor, state, claimed_by, claimed_until, escalation_level, outcome)
    SELECT agency_id, task_id, 'claimed', @at::timestamptz, @subject::text, state, claimed_by, claimed_until, escalation_level, outcome FROM t
)
SELECT * FROM t;

-- name: GiveTask :one
-- GiveTask sets or clears who works on an open, locked task.
WITH t AS (
    UPDATE task SET claimed_by = sqlc.narg('to_subject')::text, claimed_until = sqlc.narg('until')::timestamptz
     WHERE task.task_id = @task_id AND state = 'OPEN'
    RETURNING *
), c AS (
    INSERT INTO task_change (agency_id, task_id, change, change_time, actor, reason, state, claimed_by, claimed_until, escalation_level, outcome)
    SELECT agency_id, task_id, @change::text, @at::timestamptz, @actor::text, @reason::text, state, claimed_by, claimed_until, escalation_level, outcome FROM t
)
SELECT * FROM t;

-- name: ListInbox :many
SELECT * FROM task
 WHERE agency_id = @agency_id AND state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListEscalatedInbox :many
SELECT t.* FROM escalation e JOIN task t ON t.task_id = e.task_id
 WHERE e.agency_id = @agency_id AND NOT e.closed AND (e.due_time, e.task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND t.agency_id <> @agency_id AND (@step::text = '' OR t.step = @step) AND e.due_time < @due_before::timestamptz
   AND NOT EXISTS (SELECT FROM escalation f WHERE f.task_id = e.task_id AND f.agency_id = e.agency_id AND f.level < e.level)
 ORDER BY e.due_time, e.task_id LIMIT @n;

-- name: ListClosedOfAgency :many
SELECT * FROM task
 WHERE agency_id = @agency_id AND state <> 'OPEN' AND state = @state AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListClosedEscalated :many
SELECT t.* FROM escalation e JOIN task t ON t.task_id = e.task_id
 WHERE e.agency_id = @agency_id AND e.closed AND t.state = @state AND (e.due_time, e.task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND t.agency_id <> @agency_id AND (@step::text = '' OR t.step = @step) AND e.due_time < @due_before::timestamptz
   AND NOT EXISTS (SELECT FROM escalation f WHERE f.task_id = e.task_id AND f.agency_id = e.agency_id AND f.level < e.level)
 ORDER BY e.due_time, e.task_id LIMIT @n;

-- name: ListAllOpen :many
SELECT * FROM task
 WHERE state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListAllClosed :many
SELECT * FROM task
 WHERE state <> 'OPEN' AND state = @state AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListOfSubject :many
-- ListOfSubject lists the tasks of a complaint or case that the agency (empty: anyone) may see.
SELECT * FROM task
 WHERE subject_id = @subject_id AND state = @state AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
   AND (@agency_id::text = '' OR agency_id = @agency_id
        OR EXISTS (SELECT FROM escalation e WHERE e.task_id = task.task_id AND e.agency_id = @agency_id))
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListClaimedBy :many
SELECT * FROM task
 WHERE claimed_by = @subject::text AND state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
   AND claimed_until > @at::timestamptz AND (@agency_id::text = '' OR agency_id = @agency_id)
   AND (@subject_id::text = '' OR subject_id::text = @subject_id)
   AND (@step::text = '' OR step = @step) AND due_time < @due_before::timestamptz
 ORDER BY due_time, task_id LIMIT @n;

-- name: ListChanges :many
SELECT c.id, c.xid::text AS xid, c.change, c.change_time, c.state AS then_state, c.claimed_by AS then_claimed_by,
       c.claimed_until AS then_claimed_until, c.escalation_level AS then_escalation_level,
       c.close_time AS then_close_time, c.outcome AS then_outcome, sqlc.embed(t)
  FROM task_change c JOIN task t ON t.task_id = c.task_id
 WHERE c.agency_id = @agency_id AND (c.xid, c.id) > (CAST(@after_xid AS xid8), @after_id::bigint)
   AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY c.xid, c.id LIMIT @n;

-- name: TrimChanges :one
SELECT task_change_trim() AS gone;

-- name: CountOpen :many
SELECT agency_id, step, count(*) AS open, count(*) FILTER (WHERE due_time < @at::timestamptz) AS overdue
  FROM task WHERE state = 'OPEN' AND (@agency_id::text = '' OR agency_id = @agency_id)
 GROUP BY agency_id, step;

-- name: AuditOpen :many
SELECT * FROM task WHERE state = 'OPEN' AND (due_time, task_id) > (@after_due::timestamptz, @after_id::uuid)
 ORDER BY due_time, task_id LIMIT @n;

-- name: AuditWindow :many
-- AuditWindow is a stretch of tasks with what must hold between them, their decisions, claims and agencies.
SELECT t.task_id, t.state, (t.claimed_by IS NOT NULL)::boolean AS claimed, t.outcome, t.agency_id, (t.close_time IS NOT NULL)::boolean AS has_close_time,
       d.outcome AS decision_outcome,
       EXISTS (SELECT FROM agency a WHERE a.agency_id = t.agency_id AND a.valid @> t.open_time) AS agency_known,
       EXISTS (SELECT FROM escalation e WHERE e.task_id = t.task_id AND e.closed <> (t.state <> 'OPEN')) AS escalation_astray,
       t.escalation_level <> COALESCE((SELECT max(e.level) FROM escalation e WHERE e.task_id = t.task_id), 0) AS level_astray,
       (t.step = 'fact_check' AND t.facts ? 'route_rule' AND NOT EXISTS (SELECT FROM routing r WHERE r.complaint_id = t.subject_id
            AND r.version = t.facts ->> 'route_table' AND r.rule_id = t.facts ->> 'route_rule'))::boolean AS route_astray
  FROM task t LEFT JOIN decision d ON d.task_id = t.task_id
 WHERE t.task_id > @after_id::uuid ORDER BY t.task_id LIMIT @n;

-- name: AuditStrayDecisions :many
SELECT d.task_id FROM decision d WHERE NOT EXISTS (SELECT FROM task t WHERE t.task_id = d.task_id)
 ORDER BY d.task_id LIMIT 500;
