-- name: LockKey :exec
-- Writers of one party, or of one measure, wait for each other until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));

-- name: PartyByKey :one
SELECT party_id FROM party WHERE party_key = @party_key;

-- name: InsertParty :exec
INSERT INTO party (party_id, party_key, person, name, name_sealed, credit_code)
VALUES (@party_id, @party_key, @person, @name, @name_sealed, @credit_code);

-- name: AttachedCase :one
-- The case that this round of the complaint is attached to already, whatever became of it.
SELECT c.case_id, c.state, c.effective_outcome
  FROM enforcement_case c
  JOIN case_complaint a ON a.case_id = c.case_id AND a.complaint_id = @complaint_id AND a.round = @round
 WHERE c.party_id = @party_id AND c.act = @act
 ORDER BY c.open_time DESC, c.case_id DESC
 LIMIT 1;

-- name: LockOpenCase :one
SELECT case_id FROM enforcement_case WHERE party_id = @party_id AND act = @act AND state NOT IN ('CLOSED', 'REVERSED');

-- name: NextCaseNumber :one
INSERT INTO case_number (agency_id, year, last) VALUES (@agency_id, @year, 1)
    ON CONFLICT (agency_id, year) DO UPDATE SET last = case_number.last + 1
RETURNING last;

-- name: InsertCase :exec
INSERT INTO enforcement_case (case_id, case_no, agency_id, party_id, party_role, act, state, open_time, decision_due,
                              decision_due_proof, decision_due_provisional)
VALUES (@case_id, @case_no, @agency_id, @party_id, @party_role, @act, 'OPENED', @open_time, @decision_due,
        @decision_due_proof, @decision_due_provisional);

-- name: Attach :exec
INSERT INTO case_complaint (case_id, complaint_id, round) VALUES (@case_id, @complaint_id, @round) ON CONFLICT DO NOTHING;

-- name: LockCase :one
SELECT * FROM enforcement_case WHERE case_id = @case_id FOR UPDATE;

-- name: AddNotice :exec
-- A notice that is known stays as it is.
INSERT INTO case_notice (case_id, task_id, served_time) VALUES (@case_id, @task_id, @served_time) ON CONFLICT (case_id, task_id) DO NOTHING;

-- name: InsertDecision :exec
INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by, reviewed_by,
                           signed_by, signing_task_id, notice_time, decided_time)
VALUES (@case_id, @penalty_kind, @amount_fen, @basis, @list_party, @publish, @proposed_by, @reviewed_by,
        @signed_by, @signing_task_id, @notice_time, @decided_time);

-- name: DecisionOf :one
SELECT * FROM case_decision WHERE case_id = @case_id;

-- name: DecisionsOf :many
SELECT * FROM case_decision WHERE case_id = ANY (@case_ids::uuid[]);

-- name: ComplaintsOf :many
SELECT complaint_id, round FROM case_complaint WHERE case_id = @case_id ORDER BY complaint_id, round;

-- name: GetCase :one
-- A case is its agency's, and the lead's.
SELECT sqlc.embed(c), sqlc.embed(p),
       ARRAY(SELECT DISTINCT a.complaint_id FROM case_complaint a WHERE a.case_id = c.case_id ORDER BY 1 LIMIT 500)::uuid[] AS complaint_ids
  FROM enforcement_case c
  JOIN party p ON p.party_id = c.party_id
 WHERE c.case_id = @case_id AND (@sees_all::boolean OR c.agency_id = @agency_id);

-- name: ListCases :many
SELECT sqlc.embed(c), sqlc.embed(p),
       ARRAY(SELECT DISTINCT a.complaint_id FROM case_complaint a WHERE a.case_id = c.case_id ORDER BY 1 LIMIT 100)::uuid[] AS complaint_ids
  FROM enforcement_case c
  JOIN party p ON p.party_id = c.party_id
 WHERE (@sees_all::boolean OR c.agency_id = @agency_id)
   AND (@state::text = '' OR c.state = @state)
   AND (sqlc.narg(complaint_id)::uuid IS NULL OR EXISTS (SELECT 1 FROM case_complaint a
          WHERE a.case_id = c.case_id AND a.complaint_id = sqlc.narg(complaint_id)::uuid))
   AND (@of_agency::text = '' OR c.agency_id = @of_agency)
   AND (sqlc.narg(overdue_at)::timestamptz IS NULL OR c.state <> 'CLOSED' AND EXISTS (SELECT 1 FROM case_clock_now k
          WHERE k.case_id = c.case_id AND k.due_time < sqlc.narg(overdue_at)::timestamptz AND k.met_time IS NULL AND k.cancel_time IS NULL
            AND NOT k.paused AND k.basis IN ('case_90d', 'deliver_7wd', 'perform_15d', 'court_3m', 'withdraw_3wd', 'evidence_registration_7wd')))
   AND (NOT @only_open::boolean OR c.state <> 'CLOSED' AND NOT (c.state = 'REVERSED' -- its workflow is to begin anew
          AND c.reopened > (SELECT count(*) FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'begin') - 1))
   AND (NOT @only_penalties::boolean OR EXISTS (SELECT 1 FROM case_decision d
          WHERE d.case_id = c.case_id AND d.penalty_kind <> 'none'))
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (c.open_time, c.case_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY c.open_time DESC, c.case_id DESC
 LIMIT @page_size;

-- name: ListUnstarted :many
-- Cases whose workflow is to begin: new ones, and closed ones that moved again (撤销后重新启动).
SELECT case_id, open_time FROM enforcement_case c
 WHERE open_time <= @until
   AND (open_time, case_id) > (@after_time::timestamptz, @after_id::uuid)
   AND ((state = 'OPENED' AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'begin'))
     OR (reopened > (SELECT count(*) FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'begin') - 1))
 ORDER BY open_time, case_id
 LIMIT @page_size;

-- name: ListMeasures :many
SELECT * FROM measure
 WHERE code > @after AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at)
 ORDER BY code
 LIMIT @page_size;

-- name: MeasureInForce :one
SELECT * FROM measure WHERE code = @code AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: MeasureRecord :one
SELECT r.*, coalesce((SELECT l.state FROM measure_log l WHERE l.measure_id = r.measure_id AND l.state <> 'ordered'), '')::text AS ended
  FROM measure_record r
 WHERE r.measure_id = @measure_id;

-- name: InsertMeasureRecord :exec
INSERT INTO measure_record (measure_id, complaint_id, round, code, decided_agency_id, executor_agency_id, decided_task_id, resource_id)
VALUES (@measure_id, @complaint_id, @round, @code, @decided_agency_id, @executor_agency_id, @decided_task_id, @resource_id);

-- name: InsertMeasureLog :exec
INSERT INTO measure_log (measure_id, state, receipt_task_id) VALUES (@measure_id, @state, @receipt_task_id)
    ON CONFLICT (measure_id, state) DO NOTHING;

-- name: AuditViolations :many
SELECT id, what FROM every_violation WHERE id > @after ORDER BY id, what LIMIT @page_size;
