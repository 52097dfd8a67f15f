-- name: InsertPorting :exec
-- The same answer again changes nothing.
INSERT INTO porting (number, operator_id, served_time, task_id, done_by)
VALUES (@number, @operator_id, @served_time, @task_id, @done_by)
ON CONFLICT ON CONSTRAINT porting_of_task DO NOTHING;

-- name: LastPorting :one
-- Who served a number by the last answer about a call up to a time. Of two about the same call the later one holds: the
-- operator named first has passed it on.
SELECT operator_id, served_time
  FROM porting
 WHERE number = @number AND served_time <= @at
 ORDER BY served_time DESC, porting_id DESC
 LIMIT 1;

-- name: AuditPortings :many
-- Answers about a call that had not been made when they were given.
SELECT porting_id
  FROM porting
 WHERE served_time > created_at + interval '1 day'
 ORDER BY porting_id
 LIMIT @page_size;
