-- Ledger files in bulk, staged and held against the ledger before anything is applied; audit campaigns with their sample,
-- returns and clocks.

-- +goose Up

-- A load (台账报送) is one file of one sender. What it states without dates of its own holds from as_of on.
CREATE TABLE load (
    load_id            uuid        PRIMARY KEY,
    agency_id          text        NOT NULL,
    access_operator_id text        NOT NULL,
    format             text        NOT NULL,
    header             bytea       NOT NULL,
    file_name          text        NOT NULL,
    file_sha256        text        NOT NULL,
    as_of              timestamptz NOT NULL,
    state              text        NOT NULL DEFAULT 'OPEN',
    version            uuid,
    ledger_rows        bigint      NOT NULL DEFAULT 0,
    end_missing        boolean     NOT NULL DEFAULT false,
    reason             text        NOT NULL DEFAULT '',
    created_by         text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    compared_at        timestamptz,
    applied_at         timestamptz,
    applied_by         text        NOT NULL DEFAULT '',
    CONSTRAINT load_state CHECK (state IN ('OPEN', 'COMPARED', 'APPLIED', 'DISCARDED')),
    CONSTRAINT load_compared CHECK (state NOT IN ('COMPARED', 'APPLIED') OR (version IS NOT NULL AND compared_at IS NOT NULL)),
    CONSTRAINT load_applied CHECK ((state = 'APPLIED') = (applied_at IS NOT NULL)),
    CONSTRAINT load_end_reasoned CHECK (NOT end_missing OR reason <> '')
);
-- the same file of the same sender is one load as long as it is on its way
CREATE UNIQUE INDEX load_of_file ON load (agency_id, file_sha256, format, access_operator_id) WHERE state IN ('OPEN', 'COMPARED');
CREATE INDEX load_newest ON load (created_at DESC, load_id DESC);

-- A row of the file as it stands there, what it says, and what the report says of it.
CREATE TABLE load_row (
    load_id       uuid        NOT NULL REFERENCES load,
    line          int         NOT NULL,
    raw           bytea       NOT NULL,
    said          jsonb       NOT NULL,
    scheme        text        NOT NULL DEFAULT '',
    digits        smallint    NOT NULL DEFAULT 0,
    first_number  bigint      NOT NULL DEFAULT 0,
    last_number   bigint      NOT NULL DEFAULT 0,
    valid_from    timestamptz,
    valid_to      timestamptz,
    fate          text        NOT NULL DEFAULT 'staged',
    field         text        NOT NULL DEFAULT '',
    reason        text        NOT NULL DEFAULT '',
    allocation_id uuid,
    resource_id   uuid,
    changes       jsonb       NOT NULL DEFAULT '[]',
    effect_time   timestamptz,
    ends          timestamptz, -- the row ends the allocation that it is about
    PRIMARY KEY (load_id, line),
    CONSTRAINT load_row_line CHECK (line > 0),
    CONSTRAINT load_row_fate CHECK (fate IN ('staged', 'rejected', 'new', 'changed', 'unchanged', 'conflict')),
    CONSTRAINT load_row_reasoned CHECK (fate NOT IN ('rejected', 'conflict') OR reason <> '')
);
CREATE INDEX load_row_of_resource ON load_row (load_id, resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX load_row_fates ON load_row (load_id, fate, line);
-- nothing of the ledger is stated twice by one file
CREATE UNIQUE INDEX load_row_of_allocation ON load_row (load_id, allocation_id) WHERE allocation_id IS NOT NULL;

-- What the ledger has for the operator and the file does not name.
CREATE TABLE load_missing (
    load_id       uuid NOT NULL REFERENCES load,
    resource_id   uuid NOT NULL REFERENCES resource,
    allocation_id uuid NOT NULL REFERENCES allocation,
    PRIMARY KEY (load_id, resource_id)
);

-- Who was on which credit list when the report was made: a load is applied only while that is so.
CREATE TABLE load_firm (
    load_id     uuid    NOT NULL REFERENCES load,
    holder_id   uuid    NOT NULL,
    credit_code text    NOT NULL,
    bad         boolean NOT NULL,
    dishonest   boolean NOT NULL,
    PRIMARY KEY (load_id, holder_id)
);

-- What a load that is applied ends, each once.
CREATE TABLE load_ending (
    load_id     uuid        NOT NULL REFERENCES load,
    resource_id uuid        NOT NULL REFERENCES resource,
    ends        timestamptz NOT NULL,
    reason      text        NOT NULL,
    PRIMARY KEY (load_id, resource_id)
);

-- Holders that a load brings.
CREATE TABLE load_holder (
    load_id     uuid NOT NULL REFERENCES load,
    holder_id   uuid NOT NULL,
    name        text NOT NULL,
    credit_code text NOT NULL,
    licence     text NOT NULL,
    sector      text NOT NULL,
    PRIMARY KEY (load_id, holder_id)
);

-- The rows of the ledger that a load would write: what the report showed, to the letter. Applying it copies them.
CREATE TABLE load_piece (
    load_id            uuid        NOT NULL REFERENCES load,
    line               int         NOT NULL,
    allocation_id      uuid        NOT NULL,
    resource_id        uuid        NOT NULL,
    begins             boolean     NOT NULL,
    holder_id          uuid        NOT NULL,
    scheme             text        NOT NULL,
    digits             smallint    NOT NULL,
    first_number       bigint      NOT NULL,
    last_number        bigint      NOT NULL,
    access_province    text        NOT NULL,
    purpose            text        NOT NULL,
    permitted_callers  text[]      NOT NULL,
    access_operator_id text        NOT NULL,
    basis              text        NOT NULL,
    valid_from         timestamptz NOT NULL,
    valid_to           timestamptz,
    operation          text        NOT NULL,
    principal_holder_id uuid,
    approval_document  text        NOT NULL,
    approval_reason    text        NOT NULL,
    evidence           text[]      NOT NULL,
    corrects           uuid,
    reason             text        NOT NULL,
    numbers int8range GENERATED ALWAYS AS (int8range(first_number, last_number, '[]')) STORED,
    valid   tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    PRIMARY KEY (load_id, allocation_id),
    CONSTRAINT load_piece_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to)
);
CREATE INDEX load_piece_overlaps ON load_piece USING gist (load_id, scheme, digits, numbers, valid);
CREATE INDEX load_piece_line ON load_piece (load_id, line);

-- Closing of a line (关停) has the grounds that a suspension has.
ALTER TABLE resource_event
    DROP CONSTRAINT resource_event_known,
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'warned', 'suspended', 'resumed', 'recall_noticed',
        'recall_abandoned', 'recalled', 'purpose_changed', 'allocation_corrected', 'corrected', 'ended', 'closed')),
    ADD CONSTRAINT resource_event_closing_grounded CHECK (event <> 'closed'
        OR (reason_code <> '' AND basis <> '' AND nature <> '' AND prior_notice <> '' AND remedy <> ''));

-- Staged rows come by the hundred thousand and are looked at at once: the planner is told before.
-- +goose StatementBegin
CREATE FUNCTION analyze_loads() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    ANALYZE load_row;
    IF (SELECT reltuples FROM pg_class WHERE oid = 'allocation'::regclass) < 100000 THEN -- later autovacuum is soon enough
        ANALYZE allocation;
    END IF;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION analyze_loads() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_loads() TO ledger;

-- The changes of a month are read by when the ledger came to know.
CREATE INDEX allocation_known_from ON allocation (known_from, allocation_id);
CREATE INDEX allocation_known_to ON allocation (known_to, allocation_id) WHERE known_to IS NOT NULL;
CREATE INDEX resource_event_recorded ON resource_event (recorded_time, event_id);
CREATE INDEX allocation_access_operator ON allocation (access_operator_id, allocation_id) WHERE known_to IS NULL;

GRANT SELECT, INSERT ON load TO ledger;
GRANT UPDATE (state, version, ledger_rows, end_missing, reason, compared_at, applied_at, applied_by) ON load TO ledger;
-- staging is no record: what a load did stands in the ledger
GRANT SELECT, INSERT, UPDATE, DELETE ON load_row, load_missing, load_firm, load_holder, load_piece TO ledger;
GRANT SELECT, INSERT ON load_ending TO ledger;

-- An audit campaign (清查) over the ledger as it was known at a time. The sample follows from seed and population, so both
-- can be drawn again: population and sample are kept as counts and hashes.
CREATE TABLE campaign (
    campaign_id       uuid        PRIMARY KEY,
    name              text        NOT NULL,
    basis             text        NOT NULL,
    agency_id         text        NOT NULL,
    population        jsonb       NOT NULL,
    sample_size       int         NOT NULL,
    sample_percent    int         NOT NULL,
    seed              text        NOT NULL,
    as_of             timestamptz NOT NULL,
    known_at          timestamptz NOT NULL,
    population_count  bigint      NOT NULL,
    population_sha256 text        NOT NULL,
    sample_count      bigint      NOT NULL,
    sample_sha256     text        NOT NULL,
    return_basis      text        NOT NULL,
    return_due        timestamptz NOT NULL,
    return_statutory  timestamptz NOT NULL,
    return_proof      text        NOT NULL,
    return_provisional boolean    NOT NULL,
    inspect_basis     text        NOT NULL,
    inspect_due       timestamptz NOT NULL,
    inspect_statutory timestamptz NOT NULL,
    inspect_proof     text        NOT NULL,
    inspect_provisional boolean   NOT NULL,
    state             text        NOT NULL DEFAULT 'OPEN',
    created_by        text        NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    closed_at         timestamptz,
    closed_by         text        NOT NULL DEFAULT '',
    conclusion        text        NOT NULL DEFAULT '',
    CONSTRAINT campaign_grounded CHECK (name <> '' AND basis <> '' AND seed <> ''),
    CONSTRAINT campaign_sample_stated CHECK ((sample_size > 0) <> (sample_percent > 0)),
    CONSTRAINT campaign_state CHECK (state IN ('OPEN', 'CLOSED')),
    CONSTRAINT campaign_concluded CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL AND conclusion <> ''))
);
CREATE INDEX campaign_newest ON campaign (created_at DESC, campaign_id DESC);

-- A resource in the sample, as it was then. Whether what was found is put right, its findings say.
CREATE TABLE campaign_item (
    item_id             uuid        PRIMARY KEY,
    campaign_id         uuid        NOT NULL REFERENCES campaign,
    resource_id         uuid        NOT NULL REFERENCES resource,
    allocation_id       uuid        NOT NULL REFERENCES allocation,
    holder_id           uuid        NOT NULL REFERENCES holder,
    kind                text        NOT NULL,
    access_operator_id  text        NOT NULL,
    inspector_agency_id text        NOT NULL,
    state               text        NOT NULL DEFAULT 'PENDING',
    declaration         text        NOT NULL DEFAULT '',
    returned_at         timestamptz,
    inspected_at        timestamptz,
    inspected_by        text        NOT NULL DEFAULT '',
    note                text        NOT NULL DEFAULT '',
    closed_at           timestamptz,
    CONSTRAINT campaign_item_once UNIQUE (campaign_id, resource_id),
    CONSTRAINT campaign_item_state CHECK (state IN ('PENDING', 'CONFORMING', 'FOUND', 'CLOSED')),
    CONSTRAINT campaign_item_inspected CHECK ((state = 'PENDING') = (inspected_at IS NULL)),
    CONSTRAINT campaign_item_declaration CHECK (declaration IN ('', 'conforming', 'to_rectify', 'rectified')),
    CONSTRAINT campaign_item_returned CHECK ((declaration = '') = (returned_at IS NULL)),
    CONSTRAINT campaign_item_closed CHECK ((state = 'CLOSED') = (closed_at IS NOT NULL))
);
CREATE INDEX campaign_item_of_holder ON campaign_item (holder_id, item_id);
CREATE INDEX campaign_item_of_inspector ON campaign_item (inspector_agency_id, item_id);

-- A self-inspection return (自查整改报告) and what it says of each resource: append-only. The newest one of its
-- holder counts; the operator's while there is none.
CREATE TABLE self_inspection (
    return_id    uuid        PRIMARY KEY,
    campaign_id  uuid        NOT NULL REFERENCES campaign,
    party        text        NOT NULL,
    statement    text        NOT NULL,
    signed_by    text        NOT NULL,
    late         boolean     NOT NULL,
    submitted_by text        NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT self_inspection_signed CHECK (party <> '' AND statement <> '' AND signed_by <> '')
);
CREATE INDEX self_inspection_of_campaign ON self_inspection (campaign_id, submitted_at);
CREATE TABLE self_inspection_item (
    return_id uuid NOT NULL REFERENCES self_inspection,
    item_id   uuid NOT NULL REFERENCES campaign_item,
    result    text NOT NULL,
    words     text NOT NULL,
    PRIMARY KEY (return_id, item_id),
    CONSTRAINT self_inspection_item_result CHECK (result IN ('conforming', 'to_rectify', 'rectified'))
);
CREATE INDEX self_inspection_item_of ON self_inspection_item (item_id);

-- The clock of a finding of a campaign, computed once.
CREATE TABLE campaign_finding (
    finding_id  uuid        PRIMARY KEY REFERENCES finding,
    item_id     uuid        NOT NULL REFERENCES campaign_item,
    basis       text        NOT NULL,
    due         timestamptz NOT NULL,
    statutory   timestamptz NOT NULL,
    proof       text        NOT NULL,
    provisional boolean     NOT NULL
);
CREATE INDEX campaign_finding_of_item ON campaign_finding (item_id);

GRANT SELECT, INSERT ON campaign, campaign_item, self_inspection, self_inspection_item, campaign_finding TO ledger;
GRANT UPDATE (state, closed_at, closed_by, conclusion) ON campaign TO ledger;
GRANT UPDATE (state, declaration, returned_at, inspected_at, inspected_by, note, closed_at) ON campaign_item TO ledger;

-- +goose Down
DROP FUNCTION analyze_loads();
DROP TABLE campaign_finding, self_inspection_item, self_inspection, campaign_item, campaign,
    load_piece, load_holder, load_ending, load_firm, load_missing, load_row, load;
ALTER TABLE resource_event DROP CONSTRAINT resource_event_closing_grounded,
    DROP CONSTRAINT resource_event_known,
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'warned', 'suspended', 'resumed', 'recall_noticed',
        'recall_abandoned', 'recalled', 'purpose_changed', 'allocation_corrected', 'corrected', 'ended'));
DROP INDEX allocation_known_from, allocation_known_to, allocation_access_operator, resource_event_recorded;
