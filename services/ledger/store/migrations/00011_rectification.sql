-- What a campaign found on a resource is followed by a workflow, with tasks for who puts it right and who looks.

-- +goose Up
ALTER TABLE campaign_item ADD COLUMN followed_at timestamptz;
GRANT UPDATE (followed_at) ON campaign_item TO ledger;
CREATE INDEX campaign_item_unfollowed ON campaign_item (inspected_at, item_id) WHERE state = 'FOUND' AND followed_at IS NULL;

-- +goose Down
ALTER TABLE campaign_item DROP COLUMN followed_at;
