-- A decision that was changed (行政复议法 63: 变更) is a new ground of the same case: what rested on the former one is taken back,
-- and the firm is entered anew.

-- +goose Up
ALTER TABLE listing DROP CONSTRAINT listing_once;
CREATE UNIQUE INDEX listing_once ON listing (credit_code, list, ground, case_id) WHERE state <> 'WITHDRAWN';

-- +goose Down
DROP INDEX listing_once;
DELETE FROM listing_event WHERE listing_id IN (SELECT l.listing_id FROM listing l JOIN listing m USING (credit_code, list, ground, case_id)
    WHERE l.state = 'WITHDRAWN' AND l.listing_id < m.listing_id);
DELETE FROM listing_change WHERE listing_id IN (SELECT l.listing_id FROM listing l JOIN listing m USING (credit_code, list, ground, case_id)
    WHERE l.state = 'WITHDRAWN' AND l.listing_id < m.listing_id);
DELETE FROM listing l USING listing m WHERE l.credit_code = m.credit_code AND l.list = m.list AND l.ground = m.ground AND l.case_id = m.case_id
    AND l.state = 'WITHDRAWN' AND l.listing_id < m.listing_id;
ALTER TABLE listing ADD CONSTRAINT listing_once UNIQUE (credit_code, list, ground, case_id);
