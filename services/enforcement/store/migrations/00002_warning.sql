-- Warning the holder of a resource stands in the ledger from now on: the resource is warned (警示), and its holder may
-- appeal against it. What was decided before stays as it was.

-- +goose Up
ALTER TABLE measure
    DROP CONSTRAINT measure_ledger_action,
    ADD CONSTRAINT measure_ledger_action CHECK (ledger_action IN ('', 'warn', 'suspend'));
UPDATE measure SET valid_to = now() WHERE code = 'warn_holder' AND valid_to IS NULL;
INSERT INTO measure (code, name, kind, weighs, executor, ledger_action, basis, nature, to_confirm, valid_from)
SELECT code, name, kind, weighs, executor, 'warn', basis, 'administrative_order', to_confirm, now()
  FROM measure WHERE code = 'warn_holder' AND valid_to = now();

-- +goose Down
DELETE FROM measure WHERE ledger_action = 'warn';
UPDATE measure SET valid_to = NULL WHERE code = 'warn_holder';
ALTER TABLE measure
    DROP CONSTRAINT measure_ledger_action,
    ADD CONSTRAINT measure_ledger_action CHECK (ledger_action IN ('', 'suspend'));
