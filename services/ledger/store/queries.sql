-- name: LockKey :exec
-- Writers of one resource, or of one credit code, wait for each other until the end of the transaction. Resources share 256
-- locks: who ends a hundred thousand of them at once, by a load, must not fill the database's table of locks.
SELECT pg_advisory_xact_lock(CASE WHEN starts_with(@key::text, 'resource/') THEN hashtextextended(@key::text, 0) & 255
                                  ELSE hashtextextended(@key::text, 0) END);

-- name: HolderByCreditCode :one
SELECT * FROM holder WHERE credit_code = @credit_code AND credit_code <> '';

-- name: HolderByID :one
SELECT * FROM holder WHERE holder_id = @holder_id;

-- name: InsertHolder :exec
INSERT INTO holder (holder_id, name, credit_code, licence, sector, agency_id, created_by)
VALUES (@holder_id, @name, @credit_code, @licence, @sector, @agency_id, @created_by);

-- name: InsertResource :exec
INSERT INTO resource (resource_id) VALUES (@resource_id);

-- name: InsertAllocation :exec
INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province,
                        purpose, permitted_callers, access_operator_id, basis, operation, principal_holder_id,
                        approval_document, approval_reason, evidence, corrects, reason, valid_from, valid_to, created_by)
VALUES (@allocation_id, @resource_id, @holder_id, @scheme, @digits, @first_number, @last_number, @access_province,
        @purpose, @permitted_callers, @access_operator_id, @basis, @operation, sqlc.narg(principal_holder_id),
        @approval_document, @approval_reason, @evidence, sqlc.narg(corrects), @reason, @valid_from, sqlc.narg(valid_to), @created_by);

-- name: InsertEvent :exec
INSERT INTO resource_event (resource_id, event, reason_code, basis, nature, task_id, prior_notice, remedy, effect_time, done_by)
VALUES (@resource_id, @event, @reason_code, @basis, @nature, @task_id, @prior_notice, @remedy, @effect_time, @done_by);

-- name: LastEvent :one
SELECT event, effect_time FROM resource_event
 WHERE resource_id = @resource_id
 ORDER BY effect_time DESC, event_id DESC
 LIMIT 1;

-- name: GetResource :one
-- The version in force at the time, else the latest. An operator sees what it gives access to or holds.
SELECT sqlc.embed(a), sqlc.embed(h), p.name AS principal_name, p.credit_code AS principal_code,
       coalesce(e.state, 'ACTIVE')::text AS state
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
  LEFT JOIN holder p ON p.holder_id = a.principal_holder_id
  LEFT JOIN LATERAL (SELECT state FROM resource_event
         WHERE resource_id = a.resource_id AND effect_time <= @at AND state IS NOT NULL
         ORDER BY effect_time DESC, event_id DESC
         LIMIT 1) e ON true
 WHERE a.resource_id = @resource_id AND a.known_to IS NULL
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND (@agency_id::text = h.agency_id
        OR same_operator(@agency_id::text, a.access_operator_id) OR EXISTS (SELECT 1 FROM access x
             WHERE x.resource_id = a.resource_id AND x.known_to IS NULL AND x.valid @> @at::timestamptz
               AND same_operator(@agency_id::text, x.operator_id)))))
 ORDER BY a.valid @> @at::timestamptz DESC, a.valid_from DESC
 LIMIT 1;

-- name: ListResources :many
SELECT sqlc.embed(a), sqlc.embed(h), p.name AS principal_name, p.credit_code AS principal_code,
       coalesce(e.state, 'ACTIVE')::text AS state
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
  LEFT JOIN holder p ON p.holder_id = a.principal_holder_id
  LEFT JOIN LATERAL (SELECT state FROM resource_event
         WHERE resource_id = a.resource_id AND effect_time <= @at AND state IS NOT NULL
         ORDER BY effect_time DESC, event_id DESC
         LIMIT 1) e ON true
 WHERE a.resource_id > @after AND a.known_to IS NULL AND a.valid @> @at::timestamptz
   AND (sqlc.narg(holder_id)::uuid IS NULL OR a.holder_id = sqlc.narg(holder_id)::uuid)
   AND (@state::text = '' OR coalesce(e.state, 'ACTIVE') = @state::text)
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND (@agency_id::text = h.agency_id
        OR same_operator(@agency_id::text, a.access_operator_id) OR EXISTS (SELECT 1 FROM access x
             WHERE x.resource_id = a.resource_id AND x.known_to IS NULL AND x.valid @> @at::timestamptz
               AND same_operator(@agency_id::text, x.operator_id)))))
 ORDER BY a.resource_id
 LIMIT @page_size;

-- name: ListEvents :many
SELECT * FROM resource_event WHERE resource_id = @resource_id ORDER BY effect_time, event_id LIMIT 500;

-- name: AuditOverlaps :many
-- What the exclusion constraint forbids, asked again without trusting it.
SELECT a.allocation_id, b.allocation_id AS other_id
  FROM allocation a
  JOIN allocation b ON a.allocation_id < b.allocation_id AND a.scheme = b.scheme AND a.digits = b.digits
   AND a.numbers && b.numbers AND a.valid && b.valid AND a.known && b.known
 WHERE a.allocation_id > @after
 ORDER BY a.allocation_id, b.allocation_id
 LIMIT @page_size;

-- name: AuditUnallocated :many
-- Resources without an allocation, or without the event that began them.
SELECT r.resource_id
  FROM resource r
 WHERE r.resource_id > @after
   AND (NOT EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = r.resource_id)
     OR NOT EXISTS (SELECT 1 FROM resource_event e WHERE e.resource_id = r.resource_id AND e.event = 'allocated'))
 ORDER BY r.resource_id
 LIMIT @page_size;

-- name: AuditSuspensions :many
SELECT r.resource_id, e.task_id
  FROM resource r
  JOIN LATERAL (SELECT event, task_id FROM resource_event
         WHERE resource_id = r.resource_id
         ORDER BY effect_time DESC, event_id DESC
         LIMIT 1) e ON e.event = 'suspended'
 WHERE r.resource_id > @after
 ORDER BY r.resource_id
 LIMIT @page_size;
