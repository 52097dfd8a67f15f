-- name: LastClosing :one
-- The closing of an item as proposed last, under the lock of the item.
SELECT * FROM closing WHERE item_id = @item_id ORDER BY proposed_at DESC, closing_id DESC LIMIT 1;

-- name: ClosingsOf :many
-- The closing of each item as proposed last.
SELECT DISTINCT ON (item_id) * FROM closing WHERE item_id = ANY (@item_ids::uuid[]) ORDER BY item_id, proposed_at DESC, closing_id DESC;

-- name: InsertClosing :exec
INSERT INTO closing (closing_id, item_id, basis, prior_notice, remedy, proposed_by, proposed_at)
VALUES (@closing_id, @item_id, @basis, @prior_notice, @remedy, @proposed_by, @proposed_at);

-- name: ReviewClosing :exec
UPDATE closing SET review = @review, reason = @reason, reviewed_by = @reviewed_by, reviewed_at = @reviewed_at::timestamptz
 WHERE closing_id = @closing_id AND review = '';

-- name: SignClosing :exec
UPDATE closing SET signed_by = @signed_by, signed_at = @signed_at::timestamptz WHERE closing_id = @closing_id AND review = 'approved' AND signed_by = '';

-- name: AuditClosings :many
-- Lines whose closing was not proposed, reviewed and signed by three people, or was signed by who inspected the line.
SELECT i.item_id
  FROM campaign_item i
  JOIN closing c ON c.closing_id = i.closing_id
 WHERE i.state = 'CLOSED' AND i.item_id > @after
   AND (c.item_id <> i.item_id OR c.review <> 'approved' OR c.signed_by IN ('', c.proposed_by, c.reviewed_by, i.inspected_by) OR c.proposed_by = c.reviewed_by)
 ORDER BY i.item_id
 LIMIT @page_size;

-- name: UnfollowedItems :many
-- Resources on which something was found that no workflow follows yet.
SELECT item_id AS id, coalesce(inspected_at, 'epoch')::timestamptz AS at FROM campaign_item
 WHERE state = 'FOUND' AND followed_at IS NULL AND inspected_at <= @until::timestamptz
   AND (inspected_at, item_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY inspected_at, item_id
 LIMIT @page_size;

-- name: SetFollowed :exec
UPDATE campaign_item SET followed_at = coalesce(followed_at, @followed_at::timestamptz) WHERE item_id = @item_id;
