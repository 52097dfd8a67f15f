-- Every invariant of enforcement in one view, for the audit: each part of the service has its own.

-- +goose Up
CREATE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation;
GRANT SELECT ON every_violation TO enforcement;

-- +goose Down
DROP VIEW every_violation;
