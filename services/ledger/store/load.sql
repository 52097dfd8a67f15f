-- name: InsertLoad :execrows
-- Nothing when the sender has the same file on its way.
INSERT INTO load (load_id, agency_id, access_operator_id, format, header, file_name, file_sha256, as_of, created_by, created_at)
VALUES (@load_id, @agency_id, @access_operator_id, @format, @header, @file_name, @file_sha256, @as_of, @created_by, @created_at)
ON CONFLICT (agency_id, file_sha256, format, access_operator_id) WHERE state IN ('OPEN', 'COMPARED') DO NOTHING;

-- name: LoadOfFile :one
SELECT * FROM load
 WHERE agency_id = @agency_id AND file_sha256 = @file_sha256 AND format = @format AND access_operator_id = @access_operator_id
   AND state IN ('OPEN', 'COMPARED');

-- name: LoadByID :one
SELECT * FROM load WHERE load_id = @load_id AND (@sees_all::boolean OR agency_id = @agency_id);

-- name: LockLoad :one
SELECT * FROM load WHERE load_id = @load_id AND (@sees_all::boolean OR agency_id = @agency_id) FOR UPDATE;

-- name: ListLoads :many
SELECT * FROM load
 WHERE (created_at, load_id) < (@before_time::timestamptz, @before_id::uuid) AND (@sees_all::boolean OR agency_id = @agency_id)
 ORDER BY created_at DESC, load_id DESC
 LIMIT @page_size;

-- name: CountLoadRows :many
SELECT r.fate::text AS fate, count(*) AS rows FROM load_row r WHERE r.load_id = @load_id GROUP BY r.fate
UNION ALL
SELECT 'missing', count(*) FROM load_missing m WHERE m.load_id = @load_id;

-- name: ReopenLoad :exec
UPDATE load SET state = 'OPEN', version = NULL, compared_at = NULL WHERE load_id = @load_id AND state = 'COMPARED';

-- name: StageRows :execrows
-- A line that was sent before is replaced: repaired rows come under their line.
INSERT INTO load_row (load_id, line, about, raw, said, scheme, digits, first_number, last_number, valid_from, valid_to, fate, field, reason)
SELECT @load_id, r.line, r.about, r.raw, r.said::jsonb, r.scheme, r.digits, r.first_number, r.last_number,
       nullif(r.valid_from, '')::timestamptz, nullif(r.valid_to, '')::timestamptz, r.fate, r.field, r.reason
  FROM ROWS FROM (unnest(@lines::int[]), unnest(@abouts::text[]), unnest(@raws::bytea[]), unnest(@saids::text[]), unnest(@schemes::text[]), unnest(@digits::smallint[]),
       unnest(@firsts::bigint[]), unnest(@lasts::bigint[]), unnest(@froms::text[]), unnest(@tos::text[]), unnest(@fates::text[]),
       unnest(@fields::text[]), unnest(@reasons::text[]))
    AS r (line, about, raw, said, scheme, digits, first_number, last_number, valid_from, valid_to, fate, field, reason)
ON CONFLICT (load_id, line) DO UPDATE SET about = excluded.about, raw = excluded.raw, said = excluded.said, scheme = excluded.scheme, digits = excluded.digits,
    first_number = excluded.first_number, last_number = excluded.last_number, valid_from = excluded.valid_from,
    valid_to = excluded.valid_to, fate = excluded.fate, field = excluded.field, reason = excluded.reason,
    allocation_id = NULL, resource_id = NULL, changes = '[]', effect_time = NULL, ends = NULL;

-- name: AnalyzeLoads :exec
SELECT analyze_loads();

-- name: ClearLoadPieces :exec
DELETE FROM load_piece WHERE load_id = @load_id;

-- name: ClearLoadMissing :exec
DELETE FROM load_missing WHERE load_id = @load_id;

-- name: ClearLoadFirms :exec
DELETE FROM load_firm WHERE load_id = @load_id;

-- name: ClearLoadHolders :exec
DELETE FROM load_holder WHERE load_id = @load_id;

-- name: ClearLoadRows :exec
DELETE FROM load_row WHERE load_id = @load_id;

-- name: ResetLoadRows :exec
UPDATE load_row SET fate = 'staged', reason = '', allocation_id = NULL, resource_id = NULL, changes = '[]', effect_time = NULL, ends = NULL
 WHERE load_id = @load_id AND fate NOT IN ('rejected', 'staged');

-- name: MatchByBeginning :exec
-- A row that names the beginning of an allocation, or only its end, is about that one. Of several rows about the same the
-- first counts; the others are found in conflict.
UPDATE load_row r SET allocation_id = m.allocation_id, resource_id = m.resource_id
  FROM (SELECT DISTINCT ON (a.allocation_id) w.line, a.allocation_id, a.resource_id
          FROM load_row w
         CROSS JOIN LATERAL (SELECT x.allocation_id, x.resource_id FROM allocation x
                 WHERE x.scheme = w.scheme AND x.digits = w.digits AND x.first_number = w.first_number AND x.last_number = w.last_number
                   AND x.known_to IS NULL AND (x.valid_from = w.valid_from OR (w.valid_from IS NULL AND x.valid_to = w.valid_to))
                 ORDER BY x.scheme, x.digits, x.first_number DESC, x.valid_from DESC, x.known_from DESC
                 LIMIT 1) a
         WHERE w.load_id = @load_id AND w.fate = 'staged' AND w.about = ''
         ORDER BY a.allocation_id, w.line) m
 WHERE r.load_id = @load_id AND r.line = m.line;

-- name: MatchByTime :exec
-- Any other row is about the allocation of its numbers that holds when the row says, or at the time of the file.
UPDATE load_row r SET allocation_id = m.allocation_id, resource_id = m.resource_id
  FROM (SELECT DISTINCT ON (a.allocation_id) w.line, a.allocation_id, a.resource_id
          FROM load_row w
         CROSS JOIN LATERAL (SELECT x.allocation_id, x.resource_id FROM allocation x
                 WHERE x.scheme = w.scheme AND x.digits = w.digits AND x.first_number = w.first_number AND x.last_number = w.last_number
                   AND x.known_to IS NULL AND x.valid @> coalesce(w.valid_from, @as_of::timestamptz)
                 ORDER BY x.scheme, x.digits, x.first_number DESC, x.valid_from DESC, x.known_from DESC
                 LIMIT 1) a
         WHERE w.load_id = @load_id AND w.fate = 'staged' AND w.about = '' AND w.allocation_id IS NULL
           AND NOT EXISTS (SELECT 1 FROM load_row o WHERE o.load_id = @load_id AND o.allocation_id = a.allocation_id)
         ORDER BY a.allocation_id, w.line) m
 WHERE r.load_id = @load_id AND r.line = m.line;

-- name: MatchByFile :exec
-- And a row that names a beginning which the ledger does not have is about what holds at the time of the file.
UPDATE load_row r SET allocation_id = m.allocation_id, resource_id = m.resource_id
  FROM (SELECT DISTINCT ON (a.allocation_id) w.line, a.allocation_id, a.resource_id
          FROM load_row w
         CROSS JOIN LATERAL (SELECT x.allocation_id, x.resource_id FROM allocation x
                 WHERE x.scheme = w.scheme AND x.digits = w.digits AND x.first_number = w.first_number AND x.last_number = w.last_number
                   AND x.known_to IS NULL AND x.valid @> @as_of::timestamptz
                 ORDER BY x.scheme, x.digits, x.first_number DESC, x.valid_from DESC, x.known_from DESC
                 LIMIT 1) a
         WHERE w.load_id = @load_id AND w.fate = 'staged' AND w.about = '' AND w.allocation_id IS NULL AND w.valid_from IS NOT NULL
           AND (w.valid_to IS NULL OR w.valid_to > @as_of::timestamptz)
           AND NOT EXISTS (SELECT 1 FROM load_row o WHERE o.load_id = @load_id AND o.allocation_id = a.allocation_id)
         ORDER BY a.allocation_id, w.line) m
 WHERE r.load_id = @load_id AND r.line = m.line;

-- name: LoadRowsToJudge :many
SELECT line, said, allocation_id FROM load_row
 WHERE load_id = @load_id AND fate = 'staged' AND about = '' AND line > @after
 ORDER BY line
 LIMIT @page_size;

-- name: AllocationsToJudge :many
-- Rows of the ledger with their holders and the state of their resources.
SELECT sqlc.embed(a), sqlc.embed(h), coalesce(p.credit_code, '')::text AS principal_code, coalesce(p.name, '')::text AS principal_name, coalesce(e.state, 'ACTIVE')::text AS state
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
  LEFT JOIN holder p ON p.holder_id = a.principal_holder_id
  LEFT JOIN LATERAL (SELECT v.state FROM resource_event v
         WHERE v.resource_id = a.resource_id AND v.state IS NOT NULL
         ORDER BY v.effect_time DESC, v.event_id DESC
         LIMIT 1) e ON true
 WHERE a.allocation_id = ANY (@ids::uuid[]);

-- name: HoldersByCode :many
SELECT holder_id, credit_code
  FROM holder WHERE credit_code = ANY (@codes::text[]) AND credit_code <> '';

-- name: HoldersByName :many
-- Holders without a code are told apart by their name only among those of one operator's lines.
SELECT DISTINCT h.holder_id, h.name
  FROM holder h
  JOIN allocation a ON a.holder_id = h.holder_id AND a.known_to IS NULL
 WHERE h.name = ANY (@names::text[]) AND h.credit_code = ''
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, a.access_operator_id))
 ORDER BY h.holder_id;

-- name: LicencesKnown :many
SELECT * FROM licence WHERE holder_id = @holder_id AND known_to IS NULL ORDER BY number;

-- name: JudgeRows :exec
UPDATE load_row r SET fate = j.fate, reason = j.reason, changes = j.changes::jsonb, effect_time = nullif(j.effect_time, '')::timestamptz,
    ends = nullif(j.ends, '')::timestamptz
  FROM ROWS FROM (unnest(@lines::int[]), unnest(@fates::text[]), unnest(@reasons::text[]), unnest(@changes::text[]), unnest(@effects::text[]),
       unnest(@ends::text[]))
    AS j (line, fate, reason, changes, effect_time, ends)
 WHERE r.load_id = @load_id AND r.line = j.line;

-- name: RefuseRows :exec
UPDATE load_row r SET fate = 'conflict', reason = j.reason, ends = NULL
  FROM ROWS FROM (unnest(@lines::int[]), unnest(@reasons::text[])) AS j (line, reason)
 WHERE r.load_id = @load_id AND r.line = j.line;

-- name: InsertLoadHolders :exec
INSERT INTO load_holder (load_id, holder_id, name, credit_code, licence, sector)
SELECT @load_id, h.holder_id, h.name, h.credit_code, h.licence, h.sector
  FROM ROWS FROM (unnest(@ids::uuid[]), unnest(@names::text[]), unnest(@codes::text[]), unnest(@licences::text[]), unnest(@sectors::text[]))
    AS h (holder_id, name, credit_code, licence, sector)
ON CONFLICT (load_id, holder_id) DO NOTHING;

-- name: InsertLoadPieces :copyfrom
INSERT INTO load_piece (load_id, line, allocation_id, resource_id, begins, holder_id, scheme, digits, first_number, last_number,
                        access_province, purpose, permitted_callers, access_operator_id, basis, valid_from, valid_to, operation,
                        principal_holder_id, approval_document, approval_reason, evidence, corrects, reason)
VALUES (@load_id, @line, @allocation_id, @resource_id, @begins, @holder_id, @scheme, @digits, @first_number, @last_number,
        @access_province, @purpose, @permitted_callers, @access_operator_id, @basis, @valid_from, @valid_to, @operation,
        @principal_holder_id, @approval_document, @approval_reason, @evidence, @corrects, @reason);

-- name: PiecesInConflict :many
-- Rows whose pieces would overlap what somebody holds and this load does not replace, or a piece of an earlier line. Of
-- others' allocations only the numbers and the time are told.
SELECT DISTINCT ON (p.line) p.line, coalesce(o.line, 0)::int AS other_line, coalesce(a.digits, o.digits)::smallint AS digits,
       coalesce(a.first_number, o.first_number)::bigint AS first_number, coalesce(a.last_number, o.last_number)::bigint AS last_number,
       coalesce(a.valid_from, o.valid_from)::timestamptz AS valid_from
  FROM load_piece p
  LEFT JOIN LATERAL (SELECT x.digits, x.first_number, x.last_number, x.valid_from FROM allocation x
         WHERE x.scheme = p.scheme AND x.digits = p.digits AND x.numbers && p.numbers AND x.valid && p.valid AND x.known_to IS NULL
           AND NOT EXISTS (SELECT 1 FROM load_row c WHERE c.load_id = p.load_id AND c.allocation_id = x.allocation_id AND c.fate = 'changed'
                              AND (c.ends IS NULL OR c.ends <= p.valid_from))
         ORDER BY x.first_number
         LIMIT 1) a ON true
  LEFT JOIN LATERAL (SELECT x.line, x.digits, x.first_number, x.last_number, x.valid_from FROM load_piece x
         WHERE x.load_id = p.load_id AND x.scheme = p.scheme AND x.digits = p.digits AND x.numbers && p.numbers
           AND x.valid && p.valid AND x.line < p.line
         ORDER BY x.line
         LIMIT 1) o ON a.digits IS NULL
 WHERE p.load_id = @load_id AND (a.digits IS NOT NULL OR o.line IS NOT NULL)
 ORDER BY p.line, p.valid_from;

-- name: DropPieces :exec
DELETE FROM load_piece WHERE load_id = @load_id AND line = ANY (@lines::int[]);

-- name: RestageRows :execrows
-- The rows that would give something to these holders are judged again.
UPDATE load_row r SET fate = 'staged', reason = '', changes = '[]', effect_time = NULL, ends = NULL
 WHERE r.load_id = @load_id AND r.line IN (SELECT p.line FROM load_piece p WHERE p.load_id = @load_id AND p.holder_id = ANY (@holder_ids::uuid[]));

-- name: DropStagedPieces :exec
DELETE FROM load_piece p USING load_row r WHERE p.load_id = @load_id AND r.load_id = p.load_id AND r.line = p.line AND r.fate = 'staged';

-- name: InsertLoadFirms :exec
INSERT INTO load_firm (load_id, holder_id, credit_code, bad, dishonest)
SELECT @load_id, f.holder_id, f.credit_code, f.bad, f.dishonest
  FROM ROWS FROM (unnest(@ids::uuid[]), unnest(@codes::text[]), unnest(@bad::boolean[]), unnest(@dishonest::boolean[]))
    AS f (holder_id, credit_code, bad, dishonest)
 WHERE EXISTS (SELECT 1 FROM load_piece p WHERE p.load_id = @load_id AND p.holder_id = f.holder_id);

-- name: LoadFirms :many
SELECT holder_id, credit_code, bad, dishonest FROM load_firm WHERE load_id = @load_id ORDER BY credit_code;

-- name: FindMissing :execrows
-- What holds at the time of the file through this operator or a branch of it, not its head office, and no row of the file is
-- about, not even an unusable one of the same numbers. What is announced to be recalled is not the operator's to end.
INSERT INTO load_missing (load_id, resource_id, allocation_id)
SELECT l.load_id, a.resource_id, a.allocation_id
  FROM load l
  JOIN allocation a ON (a.access_operator_id = l.access_operator_id OR starts_with(a.access_operator_id, l.access_operator_id || '-'))
   AND a.known_to IS NULL AND a.valid @> l.as_of
 WHERE l.load_id = @load_id AND l.access_operator_id <> ''
   AND NOT EXISTS (SELECT 1 FROM recall c WHERE c.resource_id = a.resource_id AND c.state = 'NOTICE')
   AND NOT EXISTS (SELECT 1 FROM load_row r WHERE r.load_id = l.load_id AND r.resource_id = a.resource_id)
   AND NOT EXISTS (SELECT 1 FROM load_row r WHERE r.load_id = l.load_id AND r.fate = 'conflict' AND r.about = '' AND r.scheme = a.scheme AND r.digits = a.digits
                      AND r.first_number <= a.last_number AND a.first_number <= r.last_number);

-- name: CountLedgerRows :one
-- How many rows the ledger has for an operator: a load is applied to the ledger that its report saw.
SELECT count(*) FROM allocation a
 WHERE @access_operator_id::text <> '' AND a.known_to IS NULL
   AND (a.access_operator_id = @access_operator_id::text OR starts_with(a.access_operator_id, @access_operator_id::text || '-'));

-- name: SetCompared :exec
UPDATE load SET state = 'COMPARED', version = @version::uuid, ledger_rows = @ledger_rows, compared_at = now() WHERE load_id = @load_id;

-- name: ListDifferences :many
SELECT r.line, r.about, r.fate, r.resource_id, r.scheme, r.digits, r.first_number, r.last_number, r.field, r.reason, r.changes, r.effect_time
  FROM load_row r
 WHERE r.load_id = @load_id AND r.line > @after AND (r.fate = @fate::text OR (@fate::text = '' AND r.fate <> 'unchanged'))
 ORDER BY r.line
 LIMIT @page_size;

-- name: ListMissing :many
SELECT m.resource_id, a.scheme, a.digits, a.first_number, a.last_number
  FROM load_missing m
  JOIN allocation a ON a.allocation_id = m.allocation_id
 WHERE m.load_id = @load_id AND m.resource_id > @after
 ORDER BY m.resource_id
 LIMIT @page_size;

-- name: MovedSince :one
-- Whether anything that the report is about was corrected, ended or restricted since, or the report is old: credit lists,
-- licences and the policy may change under it as well.
SELECT (l.compared_at < now() - interval '1 hour'
     OR EXISTS (SELECT 1 FROM load_row r JOIN allocation a ON a.allocation_id = r.allocation_id
                 WHERE r.load_id = l.load_id AND r.fate IN ('changed', 'unchanged') AND a.known_to IS NOT NULL)
     OR EXISTS (SELECT 1 FROM load_row r JOIN resource_event e ON e.resource_id = r.resource_id
                 WHERE r.load_id = l.load_id AND r.fate IN ('changed', 'unchanged') AND e.recorded_time > l.compared_at)
     OR EXISTS (SELECT 1 FROM load_missing m JOIN allocation a ON a.allocation_id = m.allocation_id
                 WHERE m.load_id = l.load_id AND a.known_to IS NOT NULL))::boolean AS moved
  FROM load l
 WHERE l.load_id = @load_id;

-- name: ApplyHolders :exec
INSERT INTO holder (holder_id, name, credit_code, licence, sector, created_by)
SELECT h.holder_id, h.name, h.credit_code, h.licence, h.sector, @created_by
  FROM load_holder h
 WHERE h.load_id = @load_id AND EXISTS (SELECT 1 FROM load_piece p WHERE p.load_id = h.load_id AND (p.holder_id = h.holder_id OR p.principal_holder_id = h.holder_id))
ON CONFLICT (holder_id) DO NOTHING;

-- name: ApplyClosings :execrows
UPDATE allocation a SET known_to = now()
  FROM load_row r
 WHERE r.load_id = @load_id AND r.fate = 'changed' AND r.ends IS NULL AND a.allocation_id = r.allocation_id AND a.known_to IS NULL;

-- name: ApplyResources :exec
INSERT INTO resource (resource_id) SELECT DISTINCT resource_id FROM load_piece WHERE load_id = @load_id AND begins;

-- name: ApplyPieces :execrows
INSERT INTO allocation (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
                        permitted_callers, access_operator_id, basis, valid_from, valid_to, created_by, operation,
                        principal_holder_id, approval_document, approval_reason, evidence, corrects, reason)
SELECT allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
       permitted_callers, access_operator_id, basis, valid_from, valid_to, @created_by, operation,
       principal_holder_id, approval_document, approval_reason, evidence, corrects, reason
  FROM load_piece
 WHERE load_id = @load_id;

-- name: ApplyBeginnings :exec
INSERT INTO resource_event (resource_id, event, basis, effect_time, done_by)
SELECT resource_id, 'allocated', basis, valid_from, @done_by FROM load_piece WHERE load_id = @load_id AND begins;

-- name: ApplyCorrections :exec
-- One event for each resource that a row changes. Events of a resource have their order: after the last one.
INSERT INTO resource_event (resource_id, event, reason_code, basis, effect_time, done_by)
SELECT r.resource_id, CASE WHEN r.changes @> '[{"field":"purpose"}]' THEN 'purpose_changed' ELSE 'allocation_corrected' END AS event,
       'ledger_load' AS reason_code, coalesce(nullif(r.said->>'basis', ''), @basis) AS basis,
       greatest(r.effect_time, l.effect_time + interval '1 microsecond') AS effect_time, @done_by AS done_by
  FROM load_row r
  JOIN LATERAL (SELECT max(e.effect_time) AS effect_time FROM resource_event e WHERE e.resource_id = r.resource_id) l ON true
 WHERE r.load_id = @load_id AND r.fate = 'changed' AND r.ends IS NULL AND r.about = ''
 ORDER BY r.line;

-- name: SetApplied :exec
UPDATE load SET state = 'APPLIED', end_missing = @end_missing, reason = @reason, applied_at = @applied_at, applied_by = @applied_by WHERE load_id = @load_id;

-- name: SetDiscarded :exec
UPDATE load SET state = 'DISCARDED' WHERE load_id = @load_id;

-- name: AuditLoads :many
-- Loads applied in the last month whose pieces the ledger does not have.
SELECT l.load_id
  FROM load l
 WHERE l.state = 'APPLIED' AND l.load_id > @after AND l.applied_at > now() - interval '31 days' AND l.cleared_at IS NULL
   AND EXISTS (SELECT 1 FROM load_piece p WHERE p.load_id = l.load_id
                  AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.allocation_id = p.allocation_id AND a.resource_id = p.resource_id
                                     AND a.holder_id = p.holder_id AND a.numbers = p.numbers AND a.valid = p.valid))
 ORDER BY l.load_id
 LIMIT @page_size;

-- name: AuditLoadEntries :many
-- Rows of loads applied in the last month that entered something which the ledger does not have.
SELECT r.load_id, r.line
  FROM load l
  JOIN load_row r ON r.load_id = l.load_id AND r.about <> ''
 WHERE l.state = 'APPLIED' AND l.applied_at > now() - interval '31 days' AND l.cleared_at IS NULL
   AND ((r.fate IN ('new', 'changed')) <> (cardinality(r.entered) > 0)
     OR EXISTS (SELECT 1 FROM unnest(r.entered) e (id)
                 WHERE NOT EXISTS (SELECT 1 FROM licence x WHERE x.licence_id = e.id)
                   AND NOT EXISTS (SELECT 1 FROM contract x WHERE x.contract_id = e.id)
                   AND NOT EXISTS (SELECT 1 FROM sublet x WHERE x.sublet_id = e.id)))
 ORDER BY r.load_id, r.line
 LIMIT @page_size;
