-- name: AddEvent :one
INSERT INTO resource_event (resource_id, event, reason_code, basis, nature, task_id, prior_notice, remedy, effect_time, done_by,
                            state_given, corrects_event_id, recall_id, appeal_id)
VALUES (@resource_id, @event, @reason_code, @basis, @nature, @task_id, @prior_notice, @remedy, @effect_time, @done_by,
        @state_given, @corrects_event_id, @recall_id, @appeal_id)
RETURNING event_id;

-- name: HistoryOf :many
-- Everything that happened to a resource, in its order: what its state follows from.
SELECT * FROM resource_event WHERE resource_id = @resource_id ORDER BY effect_time, event_id;

-- name: GetEvent :one
SELECT * FROM resource_event WHERE event_id = @event_id;

-- name: CorrectionOf :one
-- The event that says that an act was wrong.
SELECT event_id FROM resource_event WHERE corrects_event_id = @event_id::bigint;

-- name: HeldAt :one
-- Who held a resource at a time, as known now: the row in force then, else the latest.
SELECT a.resource_id, a.scheme, a.digits, a.first_number, a.last_number, a.access_province, a.purpose, a.access_operator_id,
       a.valid_from, a.valid_to, h.holder_id, h.name, h.credit_code,
       (a.valid @> @at::timestamptz)::boolean AS in_force,
       (SELECT e.state FROM resource_event e WHERE e.resource_id = a.resource_id AND e.state IS NOT NULL ORDER BY e.effect_time DESC, e.event_id DESC LIMIT 1)::text AS state
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
 WHERE a.resource_id = @resource_id AND a.known_to IS NULL
 ORDER BY a.valid @> @at::timestamptz DESC, a.valid_from DESC
 LIMIT 1;

-- name: ListRestrictions :many
-- Newest first. An agency reads what it did itself, what was done to what it administers, and an operator what was done to
-- what it holds or gave access to.
SELECT e.event_id, e.resource_id, e.event, e.reason_code, e.basis, e.nature, e.task_id, e.prior_notice, e.remedy, e.effect_time,
       e.done_by, e.state,
       a.scheme, a.digits, a.first_number, a.last_number, a.access_province, a.purpose, a.access_operator_id, a.valid_from, a.valid_to,
       h.holder_id, h.name, h.credit_code,
       EXISTS (SELECT 1 FROM resource_event c WHERE c.corrects_event_id = e.event_id) AS corrected,
       coalesce((SELECT p.appeal_id::text FROM appeal p WHERE p.event_id = e.event_id ORDER BY p.file_time DESC LIMIT 1), '')::text AS appeal_id
  FROM resource_event e
  JOIN allocation a ON a.resource_id = e.resource_id AND a.known_to IS NULL AND a.valid @> e.effect_time
  JOIN holder h ON h.holder_id = a.holder_id
 WHERE e.event IN ('warned', 'suspended', 'closed') AND e.event_id < @before::bigint
   AND (sqlc.narg(resource_id)::uuid IS NULL OR e.resource_id = sqlc.narg(resource_id)::uuid)
   AND (@sees_all::boolean
        OR (@agency_id::text <> '' AND (@agency_id::text IN (@lead_ministry::text, 'ca-' || a.access_province, a.access_operator_id, h.agency_id)
            OR right(e.done_by, length(@agency_id::text) + 1) = '@' || @agency_id::text
            OR starts_with(a.access_operator_id, @agency_id::text || '-') OR starts_with(@agency_id::text, a.access_operator_id || '-'))))
 ORDER BY e.event_id DESC
 LIMIT @page_size;

-- name: ListRestrictionsOf :many
-- The same for a holder, found from what it held: it reads what was done to that then.
SELECT e.event_id, e.resource_id, e.event, e.reason_code, e.basis, e.nature, e.task_id, e.prior_notice, e.remedy, e.effect_time,
       e.done_by, e.state,
       a.scheme, a.digits, a.first_number, a.last_number, a.access_province, a.purpose, a.access_operator_id, a.valid_from, a.valid_to,
       h.holder_id, h.name, h.credit_code,
       EXISTS (SELECT 1 FROM resource_event c WHERE c.corrects_event_id = e.event_id) AS corrected,
       coalesce((SELECT p.appeal_id::text FROM appeal p WHERE p.event_id = e.event_id AND p.appellant = 'holder' AND p.holder_id = a.holder_id
                  ORDER BY p.file_time DESC LIMIT 1), '')::text AS appeal_id
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
  JOIN resource_event e ON e.resource_id = a.resource_id AND a.valid @> e.effect_time
 WHERE a.holder_id = @holder_id AND a.known_to IS NULL AND e.event IN ('warned', 'suspended', 'closed') AND e.event_id < @before::bigint
   AND (sqlc.narg(resource_id)::uuid IS NULL OR e.resource_id = sqlc.narg(resource_id)::uuid)
 ORDER BY e.event_id DESC
 LIMIT @page_size;

-- name: RecallGround :one
SELECT * FROM recall_ground WHERE code = @code AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: RecallGrounds :many
SELECT code FROM recall_ground WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at) ORDER BY code LIMIT 100;

-- name: OpenRecallOf :one
SELECT * FROM recall WHERE resource_id = @resource_id AND state IN ('PROPOSED', 'REVIEWING', 'NOTICE');

-- name: InsertRecall :exec
INSERT INTO recall (recall_id, resource_id, holder_id, access_operator_id, agency_id, reason_code, basis, statement, proposed_by, propose_time)
VALUES (@recall_id, @resource_id, @holder_id, @access_operator_id, @agency_id, @reason_code, @basis, @statement, @proposed_by, @propose_time);

-- name: LockRecall :one
SELECT * FROM recall WHERE recall_id = @recall_id FOR UPDATE;

-- name: ReviewRecall :exec
UPDATE recall SET state = 'REVIEWING' WHERE recall_id = @recall_id;

-- name: EndRecall :exec
UPDATE recall SET state = @state, end_time = @end_time::timestamptz, end_reason = @end_reason, end_task_id = @end_task_id
 WHERE recall_id = @recall_id;

-- name: AnnounceRecall :exec
UPDATE recall SET state = 'NOTICE', former_state = @former_state, signing_task_id = @signing_task_id::uuid, publication_id = @publication_id::uuid,
       notice_time = @notice_time::timestamptz, notice_until = @notice_until::timestamptz, clock_basis = @clock_basis,
       clock_statutory_due = @clock_statutory_due, clock_proof = @clock_proof, clock_provisional = @clock_provisional
 WHERE recall_id = @recall_id;

-- name: ListRecalls :many
-- A recall is its administration's, the province's and the lead ministry's; who gives access and the holder see it from its
-- notice on.
SELECT r.*
  FROM recall r
  JOIN holder h ON h.holder_id = r.holder_id
 WHERE (sqlc.narg(recall_id)::uuid IS NULL OR r.recall_id = sqlc.narg(recall_id)::uuid)
   AND (sqlc.narg(resource_id)::uuid IS NULL OR r.resource_id = sqlc.narg(resource_id)::uuid)
   AND (@state::text = '' OR r.state = @state)
   AND (@sees_all::boolean
        OR (@agency_id::text <> '' AND (@agency_id::text IN (r.agency_id, @lead_ministry::text)
            OR EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = r.resource_id AND a.known_to IS NULL
                          AND @agency_id::text = 'ca-' || a.access_province)))
        OR (r.notice_time IS NOT NULL AND (
        (@party::text <> '' AND h.credit_code = @party::text)
        OR (@agency_id::text <> '' AND (@agency_id::text IN (r.access_operator_id, h.agency_id)
            OR starts_with(r.access_operator_id, @agency_id::text || '-') OR starts_with(@agency_id::text, r.access_operator_id || '-'))))))
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (r.propose_time, r.recall_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY r.propose_time DESC, r.recall_id DESC
 LIMIT @page_size;

-- name: ObjectionsOf :many
SELECT * FROM recall_objection WHERE recall_id = @recall_id ORDER BY object_time, objection_id LIMIT 100;

-- name: OpenObjectionOf :one
SELECT * FROM recall_objection WHERE recall_id = @recall_id AND state = 'OPEN';

-- name: ObjectionByID :one
SELECT * FROM recall_objection WHERE objection_id = @objection_id AND recall_id = @recall_id;

-- name: InsertObjection :exec
INSERT INTO recall_objection (objection_id, recall_id, text, objected_by, object_time)
VALUES (@objection_id, @recall_id, @text, @objected_by, @object_time);

-- name: AnswerObjection :exec
UPDATE recall_objection SET state = @state, task_id = @task_id, reason_code = @reason_code, reply = @reply, decided_time = @decided_time::timestamptz
 WHERE objection_id = @objection_id;

-- name: UnstartedRecalls :many
SELECT recall_id AS id, propose_time AS at FROM recall
 WHERE state = 'PROPOSED' AND propose_time <= @until AND (propose_time, recall_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY propose_time, recall_id
 LIMIT @page_size;

-- name: UnstartedAppeals :many
SELECT appeal_id AS id, file_time AS at FROM appeal
 WHERE state = 'FILED' AND file_time <= @until AND (file_time, appeal_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY file_time, appeal_id
 LIMIT @page_size;

-- name: LastAppealOf :one
-- The newest appeal of an appellant against an act, open or answered.
SELECT * FROM appeal
 WHERE event_id = @event_id AND appellant = @appellant AND holder_id = @holder_id AND filed_agency_id = @filed_agency_id AND reference = @reference
 ORDER BY file_time DESC LIMIT 1;

-- name: InsertAppeal :exec
INSERT INTO appeal (appeal_id, event_id, resource_id, restriction, nature, appellant, holder_id, access_operator_id, reference,
                    filed_agency_id, filed_by, statement, file_time, disposition_task_id, clock_basis, clock_statutory_due,
                    clock_proof, clock_provisional)
VALUES (@appeal_id, @event_id, @resource_id, @restriction, @nature, @appellant, @holder_id, @access_operator_id, @reference,
        @filed_agency_id, @filed_by, @statement, @file_time, @disposition_task_id, @clock_basis, @clock_statutory_due,
        @clock_proof, @clock_provisional);

-- name: LockAppeal :one
SELECT * FROM appeal WHERE appeal_id = @appeal_id FOR UPDATE;

-- name: ReviewAppeal :exec
UPDATE appeal SET state = 'REVIEWING', agency_id = @agency_id, executor_agency_id = @executor_agency_id WHERE appeal_id = @appeal_id;

-- name: AnswerAppeal :exec
UPDATE appeal SET state = @state, deciding_task_id = @deciding_task_id, reason_code = @reason_code, reply = @reply,
       decided_time = @decided_time::timestamptz, correcting_event_id = @correcting_event_id, restore = @restore
 WHERE appeal_id = @appeal_id;

-- name: RestoreAppeal :exec
UPDATE appeal SET state = 'RESTORED', restoring_task_id = @restoring_task_id, restored_time = @restored_time::timestamptz
 WHERE appeal_id = @appeal_id;

-- name: ListAppeals :many
-- An appeal is for who filed it, who decides it and who restores; the holder sees its own.
SELECT sqlc.embed(p), h.credit_code
  FROM appeal p
  JOIN holder h ON h.holder_id = p.holder_id
 WHERE (sqlc.narg(appeal_id)::uuid IS NULL OR p.appeal_id = sqlc.narg(appeal_id)::uuid)
   AND (@state::text = '' OR p.state = @state)
   AND (@sees_all::boolean
        OR (@party::text <> '' AND p.appellant = 'holder' AND h.credit_code = @party::text)
        OR (@agency_id::text <> '' AND @agency_id::text IN (p.agency_id, p.executor_agency_id, p.filed_agency_id)))
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (p.file_time, p.appeal_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY p.file_time DESC, p.appeal_id DESC
 LIMIT @page_size;

-- name: AuditRecalls :many
-- What contradicts the rules of recalls and appeals, asked without trusting the constraints.
SELECT r.recall_id AS id, 'recall is past its signature but names no signed decision'::text AS what
  FROM recall r WHERE r.state IN ('NOTICE', 'ABANDONED', 'RECALLED') AND r.signing_task_id IS NULL
UNION ALL
SELECT r.recall_id, 'recall is announced without a publication'
  FROM recall r WHERE r.state IN ('NOTICE', 'ABANDONED', 'RECALLED') AND r.publication_id IS NULL
UNION ALL
SELECT r.recall_id, 'recall is past its notice period by more than a day, and nothing keeps it'
  FROM recall r
 WHERE r.state = 'NOTICE' AND r.notice_until < @late::timestamptz
   AND NOT EXISTS (SELECT 1 FROM recall_objection o WHERE o.recall_id = r.recall_id AND o.state = 'OPEN')
UNION ALL
SELECT r.recall_id, 'recall was carried out before its notice period was over'
  FROM recall r WHERE r.state = 'RECALLED' AND r.end_time < r.notice_until
UNION ALL
SELECT s.resource_id, 'resource is ' || s.state || ' but no recall says so'
  FROM (SELECT DISTINCT ON (e.resource_id) e.resource_id, e.state, e.recall_id FROM resource_event e
         WHERE e.state IS NOT NULL AND e.resource_id IN (SELECT x.resource_id FROM resource_event x WHERE x.event IN ('recall_noticed', 'recalled'))
         ORDER BY e.resource_id, e.effect_time DESC, e.event_id DESC) s
 WHERE s.state IN ('RECALL_NOTICE', 'RECALLED')
   AND NOT EXISTS (SELECT 1 FROM recall r WHERE r.resource_id = s.resource_id AND r.publication_id IS NOT NULL
                     AND r.state = CASE s.state WHEN 'RECALLED' THEN 'RECALLED' ELSE 'NOTICE' END)
UNION ALL
SELECT r.recall_id, 'recall is announced but its resource is not under notice'
  FROM recall r
 WHERE r.state = 'NOTICE'
   AND 'RECALL_NOTICE' IS DISTINCT FROM (SELECT e.state FROM resource_event e WHERE e.resource_id = r.resource_id AND e.state IS NOT NULL
                                          ORDER BY e.effect_time DESC, e.event_id DESC LIMIT 1)
UNION ALL
SELECT r.recall_id, 'recall is for not mending one''s ways, but nothing was warned or suspended before it'
  FROM recall r
  JOIN recall_ground g ON g.code = r.reason_code AND g.valid_from <= r.propose_time AND (g.valid_to IS NULL OR g.valid_to > r.propose_time)
 WHERE g.after_restriction
   AND NOT EXISTS (SELECT 1 FROM resource_event e WHERE e.resource_id = r.resource_id AND e.event IN ('warned', 'suspended')
                      AND e.effect_time <= r.propose_time)
UNION ALL
SELECT r.resource_id, 'resource is recalled but its allocation is live'
  FROM recall r
 WHERE r.state = 'RECALLED'
   AND EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = r.resource_id AND a.known_to IS NULL
                 AND (a.valid_to IS NULL OR a.valid_to > r.end_time))
UNION ALL
SELECT p.appeal_id, 'appeal is upheld but the record is not corrected'
  FROM appeal p
 WHERE p.state IN ('UPHELD', 'RESTORED')
   AND NOT EXISTS (SELECT 1 FROM resource_event e WHERE e.event_id = p.correcting_event_id AND e.corrects_event_id = p.event_id)
UNION ALL
SELECT p.appeal_id, 'appeal has waited for its answer beyond its term'
  FROM appeal p
 WHERE p.state IN ('FILED', 'REVIEWING') AND p.clock_statutory_due::timestamptz < @at::timestamptz
 ORDER BY 1, 2
 LIMIT @page_size;
