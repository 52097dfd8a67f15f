-- name: KeepAccess :exec
-- Written only when it differs from what holds.
INSERT INTO complaint_access (complaint_id, round, operator_id, created_at)
SELECT @complaint_id, @round, @operator_id, @at
 WHERE @operator_id::text IS DISTINCT FROM
       (SELECT operator_id FROM complaint_access WHERE complaint_id = @complaint_id ORDER BY access_id DESC LIMIT 1);
