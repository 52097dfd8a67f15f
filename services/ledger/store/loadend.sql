-- What a load ends, it ends all at once: the same statements as for one resource (holding.sql), for a set of them.

-- name: InsertEndings :execrows
INSERT INTO load_ending (load_id, resource_id, ends, reason)
SELECT r.load_id, r.resource_id, min(r.ends), @basis::text FROM load_row r
 WHERE r.load_id = @load_id AND r.fate = 'changed' AND r.ends IS NOT NULL
 GROUP BY r.load_id, r.resource_id
UNION ALL
SELECT m.load_id, m.resource_id, l.as_of, @reason::text FROM load_missing m JOIN load l ON l.load_id = m.load_id
 WHERE m.load_id = @load_id AND @end_missing::boolean;

-- name: LockEndings :exec
-- As LockKey does for one resource; the locks are few, however many resources, and taken in their order.
SELECT pg_advisory_xact_lock(k.stripe)
  FROM (SELECT DISTINCT hashtextextended('resource/' || e.resource_id::text, 0) & 255 AS stripe FROM load_ending e
         WHERE e.load_id = @load_id ORDER BY 1) k;

-- name: BrokenEndings :many
-- What cannot end at its time: it is not allocated then or begins only then, it has ended before, or its recall is announced.
SELECT e.resource_id
  FROM load_ending e
 WHERE e.load_id = @load_id
   AND (NOT EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = e.resource_id AND a.known_to IS NULL AND a.valid_from < e.ends
                       AND (a.valid_to IS NULL OR a.valid_to > e.ends))
     OR (SELECT v.state FROM resource_event v
          WHERE v.resource_id = e.resource_id AND v.state IS NOT NULL AND NOT (v.event = 'ended' AND v.effect_time > e.ends)
          ORDER BY v.effect_time DESC, v.event_id DESC
          LIMIT 1) IN ('RECALL_NOTICE', 'RECALLED', 'ENDED'))
 ORDER BY e.resource_id
 LIMIT 1;

-- name: EndLoadAllocations :execrows
WITH closed AS (
    UPDATE allocation a SET known_to = now() FROM load_ending e
     WHERE e.load_id = @load_id AND a.resource_id = e.resource_id AND a.known_to IS NULL AND (a.valid_to IS NULL OR a.valid_to > e.ends)
 RETURNING a.*, e.ends, e.reason AS why)
INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
                        permitted_callers, access_operator_id, basis, valid_from, valid_to, created_by, operation,
                        principal_holder_id, approval_document, approval_reason, evidence, corrects, reason)
SELECT gen_random_uuid(), resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
       permitted_callers, access_operator_id, basis, valid_from, ends, @created_by, operation,
       principal_holder_id, approval_document, approval_reason, evidence, allocation_id, why
  FROM closed
 WHERE valid_from < ends;

-- name: EndLoadSublets :execrows
WITH closed AS (
    UPDATE sublet x SET known_to = now() FROM load_ending e
     WHERE e.load_id = @load_id AND x.resource_id = e.resource_id AND x.known_to IS NULL AND (x.valid_to IS NULL OR x.valid_to > e.ends)
 RETURNING x.*, e.ends, e.reason AS why)
INSERT INTO sublet (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document, valid_from, ends, sublet_id, why, @created_by
  FROM closed
 WHERE valid_from < ends;

-- name: EndLoadAccesses :execrows
WITH closed AS (
    UPDATE access x SET known_to = now() FROM load_ending e
     WHERE e.load_id = @load_id AND x.resource_id = e.resource_id AND x.known_to IS NULL AND (x.valid_to IS NULL OR x.valid_to > e.ends)
 RETURNING x.*, e.ends, e.reason AS why)
INSERT INTO access (access_id, resource_id, province, operator_id, location, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, province, operator_id, location, valid_from, ends, access_id, why, @created_by
  FROM closed
 WHERE valid_from < ends;

-- name: EndLoadContracts :execrows
WITH closed AS (
    UPDATE contract x SET known_to = now() FROM load_ending e
     WHERE e.load_id = @load_id AND x.resource_id = e.resource_id AND x.known_to IS NULL AND (x.valid_to IS NULL OR x.valid_to > e.ends)
 RETURNING x.*, e.ends, e.reason AS why)
INSERT INTO contract (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses, valid_from, ends, contract_id, why, @created_by
  FROM closed
 WHERE valid_from < ends;

-- name: EndLoadSeats :execrows
WITH closed AS (
    UPDATE seat_line x SET known_to = now() FROM load_ending e
     WHERE e.load_id = @load_id AND x.resource_id = e.resource_id AND x.known_to IS NULL AND (x.valid_to IS NULL OR x.valid_to > e.ends)
 RETURNING x.*, e.ends, e.reason AS why)
INSERT INTO seat_line (seat_line_id, seat_id, resource_id, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), seat_id, resource_id, valid_from, ends, seat_line_id, why, @created_by
  FROM closed
 WHERE valid_from < ends;

-- name: InsertEndingEvents :exec
INSERT INTO resource_event (resource_id, event, reason_code, basis, effect_time, done_by)
SELECT resource_id, 'ended', 'ended', reason, ends, @done_by FROM load_ending WHERE load_id = @load_id ORDER BY resource_id;

-- name: LoadHanging :many
-- Resources that a load changes, with something that hangs on them.
SELECT DISTINCT r.resource_id::text
  FROM load_row r
 WHERE r.load_id = @load_id AND r.fate = 'changed' AND r.ends IS NULL
   AND (EXISTS (SELECT 1 FROM sublet x WHERE x.resource_id = r.resource_id AND x.known_to IS NULL)
     OR EXISTS (SELECT 1 FROM access x WHERE x.resource_id = r.resource_id AND x.known_to IS NULL)
     OR EXISTS (SELECT 1 FROM contract x WHERE x.resource_id = r.resource_id AND x.known_to IS NULL)
     OR EXISTS (SELECT 1 FROM seat_line x WHERE x.resource_id = r.resource_id AND x.known_to IS NULL));
