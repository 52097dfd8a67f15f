-- Clearing of what was staged. The load itself stays, and so does what it did.

-- name: LoadsToClear :many
SELECT l.load_id FROM load l
  JOIN load_retention p ON p.state = CASE l.state WHEN 'APPLIED' THEN 'APPLIED' ELSE 'ABANDONED' END
 WHERE l.cleared_at IS NULL
   AND coalesce(l.applied_at, l.compared_at, l.created_at) + p.days * interval '1 day' < @at::timestamptz
 ORDER BY l.created_at
 LIMIT @page_size;

-- name: LockToClear :one
-- A load that is still to be cleared: what was taken up again since it was listed is left alone.
SELECT l.load_id FROM load l
  JOIN load_retention p ON p.state = CASE l.state WHEN 'APPLIED' THEN 'APPLIED' ELSE 'ABANDONED' END
 WHERE l.load_id = @load_id AND l.cleared_at IS NULL
   AND coalesce(l.applied_at, l.compared_at, l.created_at) + p.days * interval '1 day' < @at::timestamptz
   FOR UPDATE OF l;

-- name: ClearSomeRows :execrows
DELETE FROM load_row r USING (SELECT x.line FROM load_row x WHERE x.load_id = @load_id ORDER BY x.line LIMIT @rows) d
 WHERE r.load_id = @load_id AND r.line = d.line;

-- name: ClearSomePieces :execrows
DELETE FROM load_piece r USING (SELECT x.allocation_id FROM load_piece x WHERE x.load_id = @load_id LIMIT @rows) d
 WHERE r.load_id = @load_id AND r.allocation_id = d.allocation_id;

-- name: ClearLoadEndings :exec
DELETE FROM load_ending WHERE load_id = @load_id;

-- name: AbandonLoad :exec
-- A load that was left lying is given up before what was staged for it goes; how many rows it had of each fate stays.
UPDATE load l SET state = CASE l.state WHEN 'APPLIED' THEN l.state ELSE 'DISCARDED' END,
       counts = coalesce((SELECT jsonb_object_agg(c.fate, c.rows) FROM (
            SELECT r.fate, count(*) AS rows FROM load_row r WHERE r.load_id = l.load_id GROUP BY r.fate
            UNION ALL SELECT 'missing', count(*) FROM load_missing m WHERE m.load_id = l.load_id) c), '{}')
 WHERE l.load_id = @load_id AND l.cleared_at IS NULL AND l.counts = '{}';

-- name: SetCleared :exec
UPDATE load SET cleared_at = @at::timestamptz WHERE load_id = @load_id;

-- name: AuditUncleared :one
-- Loads whose staged rows outlived their retention by more than the daily clearing may leave.
SELECT count(*) FROM load l
  JOIN load_retention p ON p.state = CASE l.state WHEN 'APPLIED' THEN 'APPLIED' ELSE 'ABANDONED' END
 WHERE l.cleared_at IS NULL AND coalesce(l.applied_at, l.compared_at, l.created_at) < now() - (p.days + 7) * interval '1 day';
