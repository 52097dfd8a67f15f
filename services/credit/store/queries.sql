-- name: LockKey :exec
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));

-- name: GroundInForce :one
SELECT * FROM listing_ground
 WHERE list = @list AND ground = @ground AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: InsertListing :exec
INSERT INTO listing (listing_id, list, ground, party_name, credit_code, licence, case_id, agency_id, severity,
                     decided_time, earliest_end, latest_end, listed_time, listed_by)
VALUES (@listing_id, @list, @ground, @party_name, @credit_code, @licence, @case_id, @agency_id, @severity,
        @decided_time, @earliest_end, @latest_end, @listed_time, @listed_by);

-- name: ListingByGround :one
SELECT listing_id FROM listing
 WHERE credit_code = @credit_code AND list = @list AND ground = @ground AND case_id = @case_id;

-- name: GetListing :one
SELECT sqlc.embed(l), w.reason, w.withdrawn_time
  FROM listing l LEFT JOIN listing_withdrawal w ON w.listing_id = l.listing_id
 WHERE l.listing_id = @listing_id;

-- name: CheckParty :many
-- What was on a list then: entered, not ended, not withdrawn until then.
SELECT sqlc.embed(l), w.reason, w.withdrawn_time
  FROM listing l LEFT JOIN listing_withdrawal w ON w.listing_id = l.listing_id
 WHERE l.credit_code = @credit_code AND l.listed_time <= @at AND l.latest_end > @at
   AND (w.withdrawn_time IS NULL OR w.withdrawn_time > @at)
 ORDER BY l.listed_time DESC, l.listing_id DESC
 LIMIT 50;

-- name: ListListings :many
SELECT sqlc.embed(l), w.reason, w.withdrawn_time
  FROM listing l LEFT JOIN listing_withdrawal w ON w.listing_id = l.listing_id
 WHERE (@list::text = '' OR l.list = @list)
   AND (sqlc.narg(live_at)::timestamptz IS NULL OR (l.latest_end > sqlc.narg(live_at)::timestamptz AND w.listing_id IS NULL))
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (l.listed_time, l.listing_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY l.listed_time DESC, l.listing_id DESC
 LIMIT @page_size;

-- name: InsertWithdrawal :exec
INSERT INTO listing_withdrawal (listing_id, reason, withdrawn_by, withdrawn_time)
VALUES (@listing_id, @reason, @withdrawn_by, @withdrawn_time);

-- name: AuditViolations :many
SELECT id, what FROM violation WHERE id > @after ORDER BY id, what LIMIT @page_size;
