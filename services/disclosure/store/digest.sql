-- name: FreezeCut :execrows
INSERT INTO digest_cut (digest_id, owner, cut, cut_time) VALUES (@digest_id, @owner, @cut, @cut_time) ON CONFLICT DO NOTHING;

-- name: CutOf :one
SELECT cut FROM digest_cut WHERE digest_id = @digest_id AND owner = @owner;

-- name: OldestCut :one
-- As of when the owners counted, the earliest of them, and how many did.
SELECT min(cut_time)::timestamptz AS cut_time, count(*) AS owners FROM digest_cut WHERE digest_id = @digest_id HAVING count(*) > 0;

-- name: InsertDigest :exec
INSERT INTO digest (digest_id, month, version, title, total, cut_hash, rounding, min_reporters, build_time, note, drafted_by, drafted_by_agency, cut_time,
                    total_hidden, previous, previous_year)
VALUES (@digest_id, @month, @version, @title, @total, @cut_hash, @rounding, @min_reporters, @build_time, @note, @drafted_by, @drafted_by_agency, @cut_time,
        @total_hidden, @previous, @previous_year);

-- name: InsertDigestTables :copyfrom
INSERT INTO digest_table (digest_id, edition, axis, position, title, unit, unit_name, date_basis, region_kind, span, share_kind, columns, total,
                          threshold_unit)
VALUES (@digest_id, @edition, @axis, @position, @title, @unit, @unit_name, @date_basis, @region_kind, @span, @share_kind, @columns, @total,
        @threshold_unit);

-- name: InsertDigestIndicator :exec
INSERT INTO digest_indicator (digest_id, edition, code, title, method, per_mille, reports, change_previous, change_year)
VALUES (@digest_id, @edition, @code, @title, @method, @per_mille, @reports, @change_previous, @change_year);

-- name: DigestTables :many
SELECT * FROM digest_table WHERE digest_id = @digest_id AND edition = @edition ORDER BY position;

-- name: DigestIndicators :many
SELECT * FROM digest_indicator WHERE digest_id = @digest_id AND edition = @edition ORDER BY code;

-- name: GetDigest :one
-- A version, or the newest; of the released ones only for the public.
SELECT sqlc.embed(d), r.released_by, r.released_by_agency, r.release_time
  FROM digest d LEFT JOIN digest_release r ON r.digest_id = d.digest_id
 WHERE d.month = @month AND (@version::int = 0 OR d.version = @version) AND (NOT @released::boolean OR r.digest_id IS NOT NULL)
 ORDER BY d.version DESC LIMIT 1;

-- name: DigestByID :one
SELECT sqlc.embed(d), r.released_by, r.released_by_agency, r.release_time
  FROM digest d LEFT JOIN digest_release r ON r.digest_id = d.digest_id
 WHERE d.digest_id = @digest_id;

-- name: ListDigests :many
SELECT sqlc.embed(d), r.released_by, r.released_by_agency, r.release_time
  FROM digest d LEFT JOIN digest_release r ON r.digest_id = d.digest_id
 WHERE (NOT @released::boolean OR r.digest_id IS NOT NULL)
   AND (@before_month::text = '' OR (d.month, d.version) < (@before_month::text, @before_version::int))
 ORDER BY d.month DESC, d.version DESC LIMIT @page_size;

-- name: ReleasedVersions :many
-- The versions of a month that are public, oldest first.
SELECT d.digest_id, d.version FROM digest d JOIN digest_release r ON r.digest_id = d.digest_id WHERE d.month = @month ORDER BY d.version;

-- name: InsertRelease :exec
INSERT INTO digest_release (digest_id, released_by, released_by_agency, release_time)
VALUES (@digest_id, @released_by, @released_by_agency, @release_time);

-- name: LastVersion :one
SELECT coalesce(max(version), 0)::int FROM digest WHERE month = @month;

-- name: DigestPolicy :one
SELECT * FROM digest_policy WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: InsertUserFigure :exec
INSERT INTO user_figure (operator_id, month, users, source, loaded_by) VALUES (@operator_id, @month, @users, @source, @loaded_by);

-- name: UserFigures :many
-- The newest figure of each operator that is not of later than the month, and not older than a year.
SELECT DISTINCT ON (operator_id) operator_id, users, month, source FROM user_figure
 WHERE month <= @month AND month >= @since ORDER BY operator_id, month DESC, figure_id DESC;

-- name: DigestCells :many
SELECT axis, key, label, members, count, per_mille, reporters, change_previous, change_year, hidden,
       ARRAY(SELECT coalesce(f, 0) FROM unnest(figures) WITH ORDINALITY u (f, n) ORDER BY n)::bigint[] AS figures,
       ARRAY(SELECT f IS NOT NULL FROM unnest(figures) WITH ORDINALITY u (f, n) ORDER BY n)::boolean[] AS present
  FROM digest_cell WHERE digest_id = @digest_id AND edition = @edition ORDER BY axis, position;

-- name: FreezePage :exec
INSERT INTO digest_page (digest_id, owner, page, counts, body) VALUES (@digest_id, @owner, @page, @counts, @body);

-- name: FrozenPages :many
-- In canonical order: the hash is over these pages' counts.
SELECT owner, body FROM digest_page WHERE digest_id = @digest_id ORDER BY owner, page;

-- name: FrozenPage :one
-- The page, or the first that comes behind.
SELECT owner, page, body FROM digest_page WHERE digest_id = @digest_id AND (owner, page) >= (sqlc.arg(owner)::text, sqlc.arg(page)::int)
 ORDER BY owner, page LIMIT 1;
