-- name: ChangesAfter :many
SELECT * FROM listing_change WHERE change_id > @after ORDER BY change_id LIMIT @n;

-- name: LastChange :one
SELECT coalesce(max(change_id), 0)::bigint FROM listing_change;

-- name: Ack :one
-- It never goes back: an acknowledgement that comes late changes nothing.
INSERT INTO subscriber AS s (agency_id, acked, acked_time) VALUES (@agency_id, @acked, @at)
ON CONFLICT (agency_id) DO UPDATE SET acked = greatest(s.acked, excluded.acked), acked_time = excluded.acked_time
RETURNING *;

-- name: Taken :exec
-- Who reads after a place has taken what is before it. A waiting reader asks often: the same again is written twice a minute.
INSERT INTO subscriber AS s (agency_id, taken, taken_time)
SELECT @agency_id, least(@taken::bigint, (SELECT coalesce(max(change_id), 0) FROM listing_change)), @at::timestamptz
ON CONFLICT (agency_id) DO UPDATE SET taken = greatest(s.taken, excluded.taken), taken_time = excluded.taken_time
 WHERE s.taken < excluded.taken OR s.taken_time IS NULL OR s.taken_time < excluded.taken_time - interval '30 seconds';

-- name: ListSubscribers :many
SELECT s.agency_id, s.created_at, s.acked_time, s.taken_time,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.taken)::int AS unread,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.acked)::int AS behind,
       coalesce((SELECT min(c.created_at) FROM listing_change c WHERE c.change_id > s.acked), 'epoch')::timestamptz AS oldest
  FROM subscriber s
 WHERE s.agency_id > @after
 ORDER BY s.agency_id LIMIT @page_size;

-- name: GetSubscriber :one
SELECT s.agency_id, s.created_at, s.acked_time, s.taken_time,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.taken)::int AS unread,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.acked)::int AS behind,
       coalesce((SELECT min(c.created_at) FROM listing_change c WHERE c.change_id > s.acked), 'epoch')::timestamptz AS oldest
  FROM subscriber s WHERE s.agency_id = @agency_id;
