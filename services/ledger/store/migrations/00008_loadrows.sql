-- Ledger files carry licences, contracts and sublets beside the numbers; what was staged does not stay for ever.

-- +goose Up

-- What a row is about: numbers (empty), a licence, a contract or a sublet; and the rows that it entered when it was applied.
ALTER TABLE load_row
    ADD COLUMN about   text   NOT NULL DEFAULT '',
    ADD COLUMN entered uuid[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT load_row_about CHECK (about IN ('', 'licence', 'contract', 'sublet'));
CREATE INDEX load_row_beside ON load_row (load_id, about, line) WHERE about <> '';

-- The changes of a month are read by when the ledger came to know.
CREATE INDEX licence_known_from ON licence (known_from, licence_id);
CREATE INDEX licence_known_to ON licence (known_to, licence_id) WHERE known_to IS NOT NULL;
CREATE INDEX contract_known_from ON contract (known_from, contract_id);
CREATE INDEX contract_known_to ON contract (known_to, contract_id) WHERE known_to IS NOT NULL;
CREATE INDEX sublet_known_from ON sublet (known_from, sublet_id);
CREATE INDEX sublet_known_to ON sublet (known_to, sublet_id) WHERE known_to IS NOT NULL;

-- How long what was staged is kept after a load is through, or was last begun and left lying: enough to look at the report
-- again and to repair and send again. The load itself and what it did stay on record.
CREATE TABLE load_retention (
    state  text PRIMARY KEY,
    days   int  NOT NULL,
    source text NOT NULL,
    CONSTRAINT load_retention_state CHECK (state IN ('APPLIED', 'ABANDONED')),
    CONSTRAINT load_retention_days CHECK (days > 0),
    CONSTRAINT load_retention_sourced CHECK (source <> '')
);
INSERT INTO load_retention (state, days, source) VALUES
    ('APPLIED', 93, '系统设定:入账后保留一个季度备查'),
    ('ABANDONED', 31, '系统设定:未入账的报送保留一个月');
GRANT SELECT ON load_retention TO ledger;

-- When the staged rows were cleared, and how many there were of each fate.
ALTER TABLE load
    ADD COLUMN cleared_at timestamptz,
    ADD COLUMN counts     jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (cleared_at, counts) ON load TO ledger;
GRANT DELETE ON load_ending TO ledger;
CREATE INDEX load_uncleared ON load (state, created_at) WHERE cleared_at IS NULL;

-- +goose Down
DROP INDEX load_uncleared;
ALTER TABLE load DROP COLUMN cleared_at, DROP COLUMN counts;
REVOKE DELETE ON load_ending FROM ledger;
DROP TABLE load_retention;
DROP INDEX licence_known_from, licence_known_to, contract_known_from, contract_known_to, sublet_known_from, sublet_known_to, load_row_beside;
ALTER TABLE load_row DROP COLUMN about, DROP COLUMN entered;
