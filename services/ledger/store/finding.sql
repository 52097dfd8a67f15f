-- name: FindingKind :one
SELECT * FROM finding_kind WHERE kind = @kind;

-- name: InsertFinding :one
-- Once per resource, source and kind: the second time it returns nothing.
INSERT INTO finding (finding_id, resource_id, source, source_ref, kind, declared, observed, observed_time, due_time, found_by)
VALUES (@finding_id, @resource_id, @source, @source_ref, @kind, @declared, @observed, @observed_time, @due_time, @found_by)
ON CONFLICT ON CONSTRAINT finding_once DO NOTHING
RETURNING finding_id;

-- name: FindingOf :one
SELECT finding_id FROM finding
 WHERE resource_id = @resource_id AND source = @source AND source_ref = @source_ref AND kind = @kind;

-- name: LockFinding :one
SELECT * FROM finding WHERE finding_id = @finding_id FOR UPDATE;

-- name: SetFindingState :exec
UPDATE finding SET state = @state WHERE finding_id = @finding_id;

-- name: InsertFindingAct :exec
INSERT INTO finding_act (finding_id, state, reason, document, done_by) VALUES (@finding_id, @state, @reason, @document, @done_by);

-- name: ListFindings :many
-- An operator sees the findings on what it, its head office or its branches give access to.
SELECT sqlc.embed(f), k.article, coalesce(t.reason, '')::text AS reason
  FROM finding f
  JOIN finding_kind k ON k.kind = f.kind
  LEFT JOIN LATERAL (SELECT reason FROM finding_act WHERE finding_id = f.finding_id ORDER BY act_id DESC LIMIT 1) t ON true
 WHERE (f.created_at, f.finding_id) < (@before_time::timestamptz, @before_id::uuid)
   AND (sqlc.narg(resource_id)::uuid IS NULL OR f.resource_id = sqlc.narg(resource_id)::uuid)
   AND (@state::text = '' OR f.state = @state::text)
   AND (@source::text = '' OR f.source = @source::text)
   AND (@source_ref::text = '' OR f.source_ref = @source_ref::text)
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND (
        EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = f.resource_id AND a.known_to IS NULL
                   AND a.valid @> f.observed_time AND same_operator(@agency_id::text, a.access_operator_id))
        OR EXISTS (SELECT 1 FROM access x WHERE x.resource_id = f.resource_id AND x.known_to IS NULL
                      AND x.valid @> f.observed_time AND same_operator(@agency_id::text, x.operator_id)))))
 ORDER BY f.created_at DESC, f.finding_id DESC
 LIMIT @page_size;

-- name: PublicNames :many
SELECT * FROM operator_name ORDER BY operator_id;

-- name: AuditChains :many
-- Sublets whose lessor, for some of their time, neither held the numbers nor had them let to it.
SELECT s.sublet_id
  FROM sublet s
 WHERE s.sublet_id > @after AND s.known_to IS NULL
   AND NOT coalesce((SELECT range_agg(r.valid) @> s.valid
          FROM (SELECT a.valid FROM allocation a
                 WHERE a.resource_id = s.resource_id AND a.holder_id = s.lessor_id AND a.known_to IS NULL AND a.numbers @> s.numbers
                UNION ALL
                SELECT u.valid FROM sublet u
                 WHERE u.resource_id = s.resource_id AND u.lessee_id = s.lessor_id AND u.known_to IS NULL AND u.numbers @> s.numbers) r), false)
 ORDER BY s.sublet_id
 LIMIT @page_size;

-- name: AuditHanging :many
-- Accesses, contracts and seats on lines that go on beyond the time for which their resource is allocated.
SELECT x.what, x.id
  FROM (SELECT 'access' AS what, access_id AS id, resource_id, valid FROM access WHERE known_to IS NULL
        UNION ALL
        SELECT 'contract', contract_id, resource_id, valid FROM contract WHERE known_to IS NULL
        UNION ALL
        SELECT 'seat', seat_line_id, resource_id, valid FROM seat_line WHERE known_to IS NULL) x
 WHERE NOT coalesce((SELECT range_agg(a.valid) @> x.valid FROM allocation a WHERE a.resource_id = x.resource_id AND a.known_to IS NULL), false)
 ORDER BY x.id
 LIMIT @page_size;

-- name: AuditVersions :many
-- Rows that were closed without another in their place, while the resource goes on: history would have a hole.
SELECT r.resource_id
  FROM resource r
 WHERE r.resource_id > @after
   AND EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = r.resource_id)
   AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = r.resource_id AND a.known_to IS NULL)
 ORDER BY r.resource_id
 LIMIT @page_size;

-- name: AuditFindings :many
-- Findings whose state is not that of their last act.
SELECT f.finding_id
  FROM finding f
 WHERE f.finding_id > @after
   AND f.state <> coalesce((SELECT t.state FROM finding_act t WHERE t.finding_id = f.finding_id ORDER BY t.act_id DESC LIMIT 1), 'OPEN')
 ORDER BY f.finding_id
 LIMIT @page_size;
