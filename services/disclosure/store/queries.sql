-- name: LockKey :exec
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));

-- name: TakeDownMonths :one
SELECT months FROM take_down_policy
 WHERE kind = @kind AND penalty_kind = @penalty_kind AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: PublicationOfCase :one
SELECT publication_id FROM publication WHERE kind = @kind AND case_id = @case_id;

-- name: InsertPublication :exec
INSERT INTO publication (publication_id, kind, title, party_name, credit_code, agency_id, summary, case_id, penalty_kind,
                         social_impact, notice_time, decided_time, delivered_time, warned_time, publish_time,
                         take_down_time, published_by)
VALUES (@publication_id, @kind, @title, @party_name, @credit_code, @agency_id, @summary, @case_id, @penalty_kind,
        @social_impact, @notice_time, @decided_time, @delivered_time, @warned_time, @publish_time,
        @take_down_time, @published_by);

-- name: GetPublication :one
SELECT sqlc.embed(p), w.reason, w.withdrawn_time
  FROM publication p LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 WHERE p.publication_id = @publication_id;

-- name: ListPublications :many
SELECT sqlc.embed(p), w.reason, w.withdrawn_time
  FROM publication p LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 WHERE p.take_down_time > @at AND w.publication_id IS NULL
   AND (@kind::text = '' OR p.kind = @kind)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (p.publish_time, p.publication_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY p.publish_time DESC, p.publication_id DESC
 LIMIT @page_size;

-- name: InsertWithdrawal :exec
INSERT INTO publication_withdrawal (publication_id, reason, withdrawn_by, withdrawn_time)
VALUES (@publication_id, @reason, @withdrawn_by, @withdrawn_time);

-- name: DigestPolicy :one
SELECT * FROM digest_policy WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: DigestByID :one
SELECT * FROM digest WHERE digest_id = @digest_id;

-- name: LastVersion :one
SELECT coalesce(max(version), 0)::int FROM digest WHERE month = @month;

-- name: InsertDigest :exec
INSERT INTO digest (digest_id, month, version, title, total, cut_hash, rounding, min_reporters, build_time)
VALUES (@digest_id, @month, @version, @title, @total, @cut_hash, @rounding, @min_reporters, @build_time);

-- name: InsertDigestRows :copyfrom
INSERT INTO digest_row (digest_id, axis, key, reports, reporters, per_mille, suppressed)
VALUES (@digest_id, @axis, @key, @reports, @reporters, @per_mille, @suppressed);

-- name: GetDigest :one
-- A version, or the newest.
SELECT * FROM digest WHERE month = @month AND (@version::int = 0 OR version = @version) ORDER BY version DESC LIMIT 1;

-- name: DigestRows :many
SELECT * FROM digest_row WHERE digest_id = @digest_id ORDER BY axis, reports DESC, key;

-- name: AuditViolations :many
SELECT id, what FROM violation WHERE id > @after ORDER BY id, what LIMIT @page_size;
