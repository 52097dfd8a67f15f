-- name: ChangesAfter :many
SELECT * FROM listing_change WHERE change_id > @after ORDER BY change_id LIMIT @n;

-- name: LastChange :one
SELECT coalesce(max(change_id), 0)::bigint FROM listing_change;

-- name: Ack :one
-- It never goes back: an acknowledgement that comes late changes nothing.
INSERT INTO subscriber AS s (agency_id, acked, acked_time) VALUES (@agency_id, @acked, @at)
ON CONFLICT (agency_id) DO UPDATE SET acked = greatest(s.acked, excluded.acked), acked_time = excluded.acked_time
RETURNING *;

-- name: ListSubscribers :many
SELECT s.agency_id, s.created_at, s.acked_time,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.acked)::int AS behind,
       coalesce((SELECT min(c.created_at) FROM listing_change c WHERE c.change_id > s.acked), 'epoch')::timestamptz AS oldest
  FROM subscriber s
 WHERE s.agency_id > @after
 ORDER BY s.agency_id LIMIT @page_size;

-- name: GetSubscriber :one
SELECT s.agency_id, s.created_at, s.acked_time,
       (SELECT count(*) FROM listing_change c WHERE c.change_id > s.acked)::int AS behind,
       coalesce((SELECT min(c.created_at) FROM listing_change c WHERE c.change_id > s.acked), 'epoch')::timestamptz AS oldest
  FROM subscriber s WHERE s.agency_id = @agency_id;
