-- The clocks of the ledger's own matters in one view, and the settling of provisional dates.

-- +goose Up

-- The one time that a provisional date was settled (期限确定), append-only: who, for which notice, and both dates. kind is that
-- of the view below.
CREATE TABLE clock_settlement (
    kind          text        NOT NULL,
    id            uuid        NOT NULL,
    year          int         NOT NULL,
    old_due       timestamptz NOT NULL,
    new_due       timestamptz NOT NULL,
    old_statutory timestamptz NOT NULL,
    new_statutory timestamptz NOT NULL,
    old_proof     text        NOT NULL,
    party         boolean     NOT NULL,
    settled_by    text        NOT NULL,
    settled_time  timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clock_settlement_once PRIMARY KEY (kind, id),
    CONSTRAINT clock_settlement_by_somebody CHECK (settled_by <> ''),
    CONSTRAINT clock_settlement_party_not_shorter CHECK (NOT party OR new_statutory >= old_statutory)
);

-- What runs (运行中的期限): notices of recalls, appeals that are not answered, what a campaign still waits for. A row per agency
-- that has to act. Objections, appeals under review and restorations have tasks with clocks of their own.
CREATE VIEW running_clock AS
    SELECT 'recall'::text AS kind, r.recall_id AS id, r.agency_id, r.clock_basis AS basis, r.notice_time AS start_time, r.notice_until AS due,
           coalesce(nullif(r.clock_statutory_due, '')::timestamptz, r.notice_until) AS statutory, r.clock_proof AS proof,
           r.clock_provisional AS provisional
      FROM recall r WHERE r.state = 'NOTICE'
    UNION ALL
    SELECT 'appeal', a.appeal_id, coalesce(nullif(a.agency_id, ''), a.access_operator_id), a.clock_basis, a.file_time,
           a.clock_statutory_due::timestamptz, a.clock_statutory_due::timestamptz, a.clock_proof, a.clock_provisional
      FROM appeal a WHERE a.state IN ('FILED', 'REVIEWING')
    UNION ALL
    -- the proof names the day from which a campaign's terms run
    SELECT 'return', c.campaign_id, c.agency_id, c.return_basis,
           coalesce(substring(c.return_proof FROM ' (\d{4}-\d{2}-\d{2})')::timestamp AT TIME ZONE 'Asia/Shanghai', c.created_at), c.return_due, c.return_statutory,
           c.return_proof, c.return_provisional
      FROM campaign c WHERE c.state = 'OPEN' AND EXISTS (SELECT FROM campaign_item i WHERE i.campaign_id = c.campaign_id AND i.returned_at IS NULL)
    UNION ALL
    SELECT DISTINCT 'inspection', c.campaign_id, i.inspector_agency_id, c.inspect_basis,
           coalesce(substring(c.inspect_proof FROM ' (\d{4}-\d{2}-\d{2})')::timestamp AT TIME ZONE 'Asia/Shanghai', c.created_at), c.inspect_due, c.inspect_statutory,
           c.inspect_proof, c.inspect_provisional
      FROM campaign c JOIN campaign_item i USING (campaign_id) WHERE c.state = 'OPEN' AND i.state = 'PENDING'
    UNION ALL
    SELECT 'rectification', f.finding_id, i.inspector_agency_id, k.basis, f.observed_time, k.due, k.statutory, k.proof, k.provisional
      FROM campaign_finding k JOIN finding f USING (finding_id) JOIN campaign_item i USING (item_id) WHERE f.state = 'OPEN';

GRANT SELECT, INSERT ON clock_settlement TO ledger;
GRANT SELECT ON running_clock TO ledger;
GRANT UPDATE (clock_statutory_due, clock_proof, clock_provisional) ON appeal TO ledger;
GRANT UPDATE (return_due, return_statutory, return_proof, return_provisional, inspect_due, inspect_statutory, inspect_proof,
    inspect_provisional) ON campaign TO ledger;
GRANT UPDATE (due, statutory, proof, provisional) ON campaign_finding TO ledger;
GRANT UPDATE (due_time) ON finding TO ledger;

-- +goose Down
DROP VIEW running_clock;
DROP TABLE clock_settlement;
REVOKE UPDATE (clock_statutory_due, clock_proof, clock_provisional) ON appeal FROM ledger;
REVOKE UPDATE (return_due, return_statutory, return_proof, return_provisional, inspect_due, inspect_statutory, inspect_proof,
    inspect_provisional) ON campaign FROM ledger;
REVOKE UPDATE (due, statutory, proof, provisional) ON campaign_finding FROM ledger;
REVOKE UPDATE (due_time) ON finding FROM ledger;
