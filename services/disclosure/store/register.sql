-- The register as it is read: search, changes, audit.

-- name: SearchLive :many
-- Live items, newest first. The page is found before its rows are joined. It is planned anew for what is asked, so that the
-- most particular condition finds it by its index.
SELECT sqlc.embed(p), sqlc.embed(v), w.reason, w.withdrawn_time, w.cause, w.basis, w.due_time, w.proof, w.provisional
  FROM (SELECT h.publication_id FROM publication h
     WHERE h.take_down_time > @at AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication_id = h.publication_id)
       AND (cardinality(sqlc.arg(kinds)::text[]) = 0 OR h.kind = ANY (sqlc.arg(kinds)::text[]))
       AND (sqlc.arg(part)::text = '' OR (sqlc.arg(grams)::text[] <@ h.party_grams AND h.party_key LIKE sqlc.arg(pattern)::text))
       AND (sqlc.arg(credit_code)::text = '' OR h.credit_code = sqlc.arg(credit_code)::text)
       AND (sqlc.arg(code)::text = '' OR ARRAY[sqlc.arg(code)::text] <@ h.codes)
       AND (sqlc.arg(region_code)::text = '' OR ARRAY[sqlc.arg(region_code)::text] <@ h.regions)
       AND (sqlc.narg(from_time)::timestamptz IS NULL OR h.publish_time >= sqlc.narg(from_time)::timestamptz)
       AND (sqlc.narg(until_time)::timestamptz IS NULL OR h.publish_time < sqlc.narg(until_time)::timestamptz)
       AND (sqlc.narg(before_time)::timestamptz IS NULL
            OR (h.publish_time, h.publication_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
     ORDER BY h.publish_time DESC, h.publication_id DESC
     LIMIT @page_size) AS hit
  JOIN publication p ON p.publication_id = hit.publication_id
  JOIN publication_version v ON v.publication_id = p.publication_id
   AND v.version = (SELECT max(x.version) FROM publication_version x WHERE x.publication_id = p.publication_id)
  LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 ORDER BY p.publish_time DESC, p.publication_id DESC;

-- name: PlanAnew :exec
-- Within a transaction: queries are planned for their arguments, not once for all.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: NameKey :one
SELECT name_key(sqlc.arg(name)::text)::text AS key;

-- name: SearchByChange :many
-- Items by their last change, ended and withdrawn ones among them. By party only live ones are found.
SELECT hit.id AS change_id, sqlc.embed(p), sqlc.embed(v), w.reason, w.withdrawn_time, w.cause, w.basis, w.due_time, w.proof, w.provisional
  FROM (SELECT c.id, c.publication_id FROM publication_change c JOIN publication h ON h.publication_id = c.publication_id
         WHERE NOT EXISTS (SELECT FROM publication_change l WHERE l.publication_id = c.publication_id AND l.id > c.id)
           AND (NOT sqlc.arg(of_party)::boolean OR (h.take_down_time > @at
                AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication_id = h.publication_id)))
           AND (cardinality(sqlc.arg(kinds)::text[]) = 0 OR h.kind = ANY (sqlc.arg(kinds)::text[]))
           AND (sqlc.arg(part)::text = '' OR (sqlc.arg(grams)::text[] <@ h.party_grams AND h.party_key LIKE sqlc.arg(pattern)::text))
           AND (sqlc.arg(credit_code)::text = '' OR h.credit_code = sqlc.arg(credit_code)::text)
           AND (sqlc.arg(code)::text = '' OR ARRAY[sqlc.arg(code)::text] <@ h.codes)
           AND (sqlc.arg(region_code)::text = '' OR ARRAY[sqlc.arg(region_code)::text] <@ h.regions)
           AND (sqlc.narg(from_time)::timestamptz IS NULL OR h.publish_time >= sqlc.narg(from_time)::timestamptz)
           AND (sqlc.narg(until_time)::timestamptz IS NULL OR h.publish_time < sqlc.narg(until_time)::timestamptz)
           AND (sqlc.narg(before_id)::bigint IS NULL OR c.id < sqlc.narg(before_id)::bigint)
         ORDER BY c.id DESC
         LIMIT @page_size) AS hit
  JOIN publication p ON p.publication_id = hit.publication_id
  JOIN publication_version v ON v.publication_id = p.publication_id
   AND v.version = (SELECT max(x.version) FROM publication_version x WHERE x.publication_id = p.publication_id)
  LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 ORDER BY hit.id DESC;

-- name: ListChanges :many
SELECT c.id, c.xid::text AS xid, c.change, c.change_time, c.publication_id FROM publication_change c
 WHERE (c.xid, c.id) > (sqlc.arg(after_xid)::text::xid8, sqlc.arg(after_id)::bigint)
   AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY c.xid, c.id LIMIT @n;

-- name: PublicationsByID :many
SELECT sqlc.embed(p), sqlc.embed(v), w.reason, w.withdrawn_time, w.cause, w.basis, w.due_time, w.proof, w.provisional
  FROM publication p
  JOIN publication_version v ON v.publication_id = p.publication_id
   AND v.version = (SELECT max(x.version) FROM publication_version x WHERE x.publication_id = p.publication_id)
  LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 WHERE p.publication_id = ANY (sqlc.arg(publication_ids)::uuid[]);

-- name: AuditViolations :many
-- What is broken, and what is wrong as of a time: still public though it was to go.
SELECT b.id, b.what FROM (
SELECT v.id, v.what::text AS what FROM violation v WHERE v.id >= sqlc.arg(after)
UNION
SELECT r.id, r.what FROM publication_violation r WHERE r.id >= sqlc.arg(after)
UNION
SELECT d.id, d.what FROM digest_violation d WHERE d.id >= sqlc.arg(after)
UNION
SELECT k.id, k.what FROM digest_keeper_violation k WHERE k.id >= sqlc.arg(after)
UNION
SELECT s.id, s.what FROM scorecard_violation s WHERE s.id >= sqlc.arg(after)
UNION
SELECT f.id, f.what FROM proposal_violation f WHERE f.id >= sqlc.arg(after)
UNION
SELECT p.publication_id, 'publication is still public after the term to withdraw it (penalty law, article 48)'
  FROM withdrawal_order o JOIN publication p ON p.kind = o.kind AND p.case_id = o.case_id
 WHERE p.publication_id >= sqlc.arg(after) AND o.due_time < sqlc.arg(at) AND p.take_down_time > sqlc.arg(at)
   AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication_id = p.publication_id)
UNION
SELECT p.publication_id, 'end of the publication is not announced to those who follow the register'
  FROM publication p
 WHERE p.publication_id >= sqlc.arg(after) AND p.take_down_time < sqlc.arg(at) - interval '1 day'
   AND NOT EXISTS (SELECT FROM publication_change c WHERE c.publication_id = p.publication_id AND c.change IN ('ended', 'withdrawn'))
) b WHERE (b.id, b.what) > (sqlc.arg(after)::uuid, sqlc.arg(after_what)::text)
 ORDER BY b.id, b.what LIMIT sqlc.arg(page_size);

-- name: AuditLate :many
SELECT l.id, l.what::text AS what FROM publication_late l WHERE (l.id, l.what) > (@after::uuid, @after_what::text) ORDER BY l.id, l.what LIMIT @page_size;
