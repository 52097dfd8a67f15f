-- name: LockKey :exec
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));
