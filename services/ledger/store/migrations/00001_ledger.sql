-- The number-resource ledger (台账): holders, allocations in two times, and what happened to each resource.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Holders (使用主体). A holder without a credit code is one that has none yet; it is never joined with another.
CREATE TABLE holder (
    holder_id   uuid        PRIMARY KEY,
    name        text        NOT NULL,
    credit_code text        NOT NULL DEFAULT '',
    licence     text        NOT NULL DEFAULT '',
    sector      text        NOT NULL DEFAULT '',
    agency_id   text        NOT NULL DEFAULT '',
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT holder_name_given CHECK (name <> ''),
    CONSTRAINT holder_credit_code_form CHECK (credit_code = '' OR credit_code ~ '^[0-9A-Z]{18}$')
);
CREATE UNIQUE INDEX holder_credit_code ON holder (credit_code) WHERE credit_code <> '';

-- A resource (码号/线路资源) is only an identity; what it is at a time stands in its allocations.
CREATE TABLE resource (
    resource_id uuid        PRIMARY KEY,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- An allocation in two times: valid is when it held, known is when the ledger said so. A correction closes known of the
-- wrong row, once, at the moment of the transaction, and inserts the right row; nothing else is ever changed. Numbers of
-- different lengths are different numbers (95588 is not 095588), so the length is part of every key.
CREATE TABLE allocation (
    allocation_id      uuid        PRIMARY KEY,
    resource_id        uuid        NOT NULL REFERENCES resource,
    holder_id          uuid        NOT NULL REFERENCES holder,
    scheme             text        NOT NULL,
    digits             smallint    NOT NULL,
    first_number       bigint      NOT NULL,
    last_number        bigint      NOT NULL,
    access_province    text        NOT NULL,
    purpose            text        NOT NULL,
    permitted_callers  text[]      NOT NULL DEFAULT '{}',
    access_operator_id text        NOT NULL,
    basis              text        NOT NULL DEFAULT '',
    valid_from         timestamptz NOT NULL,
    valid_to           timestamptz,
    known_from         timestamptz NOT NULL DEFAULT now(),
    known_to           timestamptz,
    created_by         text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    numbers int8range GENERATED ALWAYS AS (int8range(first_number, last_number, '[]')) STORED,
    valid   tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known   tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT allocation_scheme_form CHECK (scheme ~ '^[0-9a-z]{1,10}$'),
    CONSTRAINT allocation_digits_bounded CHECK (digits BETWEEN 3 AND 18),
    CONSTRAINT allocation_numbers_ordered CHECK (0 <= first_number AND first_number <= last_number),
    CONSTRAINT allocation_numbers_of_length CHECK (last_number::numeric < 10::numeric ^ digits),
    CONSTRAINT allocation_province_form CHECK (access_province ~ '^[0-9]{2}$'),
    CONSTRAINT allocation_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT allocation_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    -- no number is held twice at the same time, in anything the ledger ever said
    CONSTRAINT allocation_overlaps EXCLUDE USING gist
        (scheme WITH =, digits WITH =, numbers WITH &&, valid WITH &&, known WITH &&),
    -- and a resource is one thing at a time
    CONSTRAINT allocation_one_version EXCLUDE USING gist
        (resource_id WITH =, valid WITH &&, known WITH &&)
);
-- LookupNumber walks down from the number to the first row that held at the time; since rows never overlap, that row
-- holds the number or none does.
CREATE INDEX allocation_lookup ON allocation (scheme, digits, first_number DESC);
CREATE INDEX allocation_holder ON allocation (holder_id, resource_id) WHERE known_to IS NULL;
CREATE INDEX allocation_resource ON allocation (resource_id) WHERE known_to IS NULL;

-- +goose StatementBegin
CREATE FUNCTION allocation_only_corrected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.known_to IS NOT NULL OR NEW.known_to IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'an allocation can only be closed once, at the moment of the correction'
            USING ERRCODE = 'restrict_violation';
    END IF;
    -- generated columns are not computed yet in a BEFORE trigger
    IF to_jsonb(NEW) - '{known_to,numbers,valid,known}'::text[] <> to_jsonb(OLD) - '{known_to,numbers,valid,known}'::text[] THEN
        RAISE EXCEPTION 'nothing but known_to of an allocation can be changed'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER allocation_only_corrected BEFORE UPDATE ON allocation
    FOR EACH ROW EXECUTE FUNCTION allocation_only_corrected();

-- What happened to a resource, append-only (资源变更). Its state at a time is that of the last event until then.
CREATE TABLE resource_event (
    event_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    resource_id   uuid        NOT NULL REFERENCES resource,
    event         text        NOT NULL,
    reason_code   text        NOT NULL DEFAULT '',
    basis         text        NOT NULL DEFAULT '',
    nature        text        NOT NULL DEFAULT '',
    task_id       uuid,
    prior_notice  text        NOT NULL DEFAULT '',
    remedy        text        NOT NULL DEFAULT '',
    effect_time   timestamptz NOT NULL,
    recorded_time timestamptz NOT NULL DEFAULT now(),
    done_by       text        NOT NULL,
    CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'suspended', 'resumed', 'recalled')),
    CONSTRAINT resource_event_nature CHECK (nature IN ('', 'operator_measure', 'administrative_order')),
    -- 反电信网络诈骗法 32: the restricted party learns why, on what basis, and what it can do
    CONSTRAINT resource_event_suspension_grounded CHECK (event <> 'suspended' OR (reason_code <> '' AND basis <> ''
        AND nature <> '' AND prior_notice <> '' AND remedy <> '' AND task_id IS NOT NULL))
);
CREATE UNIQUE INDEX resource_event_history ON resource_event (resource_id, effect_time DESC, event_id DESC);

-- The service's role writes no recorded times: those are the database's own.
GRANT SELECT ON holder, resource, allocation, resource_event TO ledger;
GRANT INSERT (holder_id, name, credit_code, licence, sector, agency_id, created_by) ON holder TO ledger;
GRANT INSERT (resource_id) ON resource TO ledger;
GRANT INSERT (allocation_id, resource_id, holder_id, scheme, digits, first_number, last_number, access_province, purpose,
    permitted_callers, access_operator_id, basis, valid_from, valid_to, created_by) ON allocation TO ledger;
GRANT UPDATE (known_to) ON allocation TO ledger;
GRANT INSERT (resource_id, event, reason_code, basis, nature, task_id, prior_notice, remedy, effect_time, done_by)
    ON resource_event TO ledger;

-- +goose Down
DROP TABLE resource_event, allocation, resource, holder;
DROP FUNCTION allocation_only_corrected();
