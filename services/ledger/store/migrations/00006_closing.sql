-- Closings of non-conforming lines (关停): an order that weighs is proposed, reviewed and signed by three people.

-- +goose Up
CREATE TABLE closing (
    closing_id   uuid        PRIMARY KEY,
    item_id      uuid        NOT NULL REFERENCES campaign_item,
    basis        text        NOT NULL,
    prior_notice text        NOT NULL,
    remedy       text        NOT NULL,
    proposed_by  text        NOT NULL,
    proposed_at  timestamptz NOT NULL,
    review       text        NOT NULL DEFAULT '',
    reason       text        NOT NULL DEFAULT '',
    reviewed_by  text        NOT NULL DEFAULT '',
    reviewed_at  timestamptz,
    signed_by    text        NOT NULL DEFAULT '',
    signed_at    timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT closing_grounded CHECK (basis <> '' AND prior_notice <> '' AND remedy <> ''),
    CONSTRAINT closing_review CHECK (review IN ('', 'approved', 'returned') AND (review = '') = (reviewed_by = '') AND (review = '') = (reviewed_at IS NULL)),
    CONSTRAINT closing_returned_reasoned CHECK (review <> 'returned' OR reason <> ''),
    CONSTRAINT closing_signed CHECK ((signed_by = '') = (signed_at IS NULL) AND (signed_by = '' OR review = 'approved')),
    CONSTRAINT closing_three_people CHECK (proposed_by <> reviewed_by AND proposed_by <> signed_by AND (signed_by = '' OR signed_by <> reviewed_by))
);
-- one is on its way at a time; a returned one is proposed again
CREATE UNIQUE INDEX closing_of_item ON closing (item_id) WHERE review <> 'returned';
CREATE INDEX closing_newest ON closing (item_id, proposed_at DESC);

-- What was closed before stands as it was.
ALTER TABLE campaign_item
    ADD COLUMN closing_id uuid REFERENCES closing,
    ADD CONSTRAINT campaign_item_closing_signed CHECK (state <> 'CLOSED' OR closing_id IS NOT NULL) NOT VALID;

GRANT SELECT, INSERT ON closing TO ledger;
GRANT UPDATE (closing_id) ON campaign_item TO ledger;
GRANT UPDATE (review, reason, reviewed_by, reviewed_at, signed_by, signed_at) ON closing TO ledger;

-- +goose Down
ALTER TABLE campaign_item DROP CONSTRAINT campaign_item_closing_signed, DROP COLUMN closing_id;
DROP TABLE closing;
