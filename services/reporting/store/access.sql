-- name: KeepAccess :exec
-- Written only when it differs from what holds.
INSERT INTO complaint_access (complaint_id, round, operator_id, created_at)
SELECT @complaint_id, @round, @operator_id, @at
 WHERE @operator_id::text IS DISTINCT FROM
       (SELECT operator_id FROM complaint_access WHERE complaint_id = @complaint_id ORDER BY access_id DESC LIMIT 1);

-- name: FindingsOfAll :one
-- What was found of a complaint's reports, of all rounds.
SELECT count(*) FILTER (WHERE finding = 'substantiated') AS substantiated,
       count(*) FILTER (WHERE finding IN ('substantiated', 'not_substantiated', 'no_evidence')) AS checked
  FROM report WHERE complaint_id = @complaint_id;
