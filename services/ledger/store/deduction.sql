-- name: InsertAppealCause :exec
INSERT INTO appeal_cause (appeal_id, complaint_id, round, forged, substantiated, checked, operator_id, administration_id, answered_by, excluded, stated_time)
VALUES (@appeal_id, @complaint_id, @round, @forged, @substantiated, @checked, @operator_id, @administration_id, @answered_by, @excluded, @stated_time);

-- name: InsertDeduction :exec
INSERT INTO deduction (deduction_id, appeal_id, event_id, operator_id, administration_id, proposed_time)
VALUES (@deduction_id, @appeal_id, @event_id, @operator_id, @administration_id, @proposed_time);

-- name: LockDeduction :one
SELECT sqlc.embed(d), sqlc.embed(c) FROM deduction d JOIN appeal_cause c USING (appeal_id)
 WHERE d.deduction_id = @deduction_id FOR UPDATE OF d;

-- name: DeductionsOfEvent :many
SELECT deduction_id, effect FROM deduction WHERE event_id = @event_id AND state <> 'LAPSED' ORDER BY deduction_id FOR UPDATE;

-- name: MoveDeduction :exec
UPDATE deduction SET state = @state, effect = @effect WHERE deduction_id = @deduction_id;

-- name: InsertDeductionAct :exec
INSERT INTO deduction_act (deduction_id, act, side, done_by, agency_id, reason, evidence, effect, act_time)
VALUES (@deduction_id, @act, @side, @done_by, @agency_id, @reason, @evidence, @effect, @act_time);

-- name: DeductionActs :many
SELECT * FROM deduction_act WHERE deduction_id = ANY (@deductions::uuid[]) ORDER BY deduction_id, act_id;

-- name: ListDeductions :many
-- An operator sees its own and its branches', the administration what it decides.
SELECT sqlc.embed(d), sqlc.embed(c), p.disposition_task_id, p.deciding_task_id, p.restriction
  FROM deduction d JOIN appeal_cause c USING (appeal_id) JOIN appeal p USING (appeal_id)
 WHERE (sqlc.narg(deduction_id)::uuid IS NULL OR d.deduction_id = sqlc.narg(deduction_id)::uuid)
   AND (@state::text = '' OR d.state = @state::text)
   AND (@operator::text = '' OR d.operator_id = @operator::text)
   AND (@sees_all::boolean OR d.administration_id = @agency_id::text
        OR (@is_operator::boolean AND (d.operator_id = @agency_id::text OR starts_with(d.operator_id, @agency_id::text || '-'))))
   AND (sqlc.narg(before_time)::timestamptz IS NULL OR (d.proposed_time, d.deduction_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY d.proposed_time DESC, d.deduction_id DESC LIMIT @page_size;

-- name: ListScoredAppeals :many
-- Appeals that were filed in a time, or whose deduction was decided in it. Over a forged number none counts.
SELECT p.appeal_id, coalesce(c.operator_id, p.access_operator_id)::text AS operator_id, p.file_time, p.state,
       (p.file_time >= @since AND p.file_time < @until)::boolean AS filed, d.deduction_id, coalesce(d.state, '')::text AS deduction_state,
       coalesce(e.effect, 0)::int AS effect, e.decided_time
  FROM appeal p LEFT JOIN appeal_cause c USING (appeal_id) LEFT JOIN deduction d USING (appeal_id)
  LEFT JOIN LATERAL (SELECT sum(a.effect) AS effect, coalesce(max(a.act_time), to_timestamp(0))::timestamptz AS decided_time FROM deduction_act a
        WHERE a.deduction_id = d.deduction_id AND a.effect <> 0 AND a.act_time >= @since AND a.act_time < @until) e ON true
 WHERE p.appeal_id IN (
        SELECT f.appeal_id FROM appeal f WHERE f.file_time >= @since AND f.file_time < @until
        UNION
        SELECT g.appeal_id FROM deduction g JOIN deduction_act a USING (deduction_id)
         WHERE a.effect <> 0 AND a.act_time >= @since AND a.act_time < @until)
   AND NOT coalesce(c.forged, false) AND p.appeal_id > @after
 ORDER BY p.appeal_id LIMIT @page_size;

-- name: AuditDeductions :many
SELECT v.id, v.what FROM deduction_violation v ORDER BY v.id, v.what LIMIT @page_size;
