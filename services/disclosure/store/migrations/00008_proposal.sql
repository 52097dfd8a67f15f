-- Proposed publications (拟公示事项): nobody exposes a firm (曝光) or circulates its name (通报) alone. One person proposes, another
-- reviews, a third releases; what the item rests on stands beside it, as its owner confirmed it. And a service by public
-- notice (公告送达) belongs to the step that serves so.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION person_of(signature text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT regexp_replace(signature, '@[^@]*$', '') $$;
-- +goose StatementEnd
COMMENT ON FUNCTION person_of IS 'the subject of subject@agency; a subject may hold an @ itself';

CREATE TABLE publication_proposal (
    proposal_id     uuid        PRIMARY KEY,
    kind            text        NOT NULL REFERENCES publication_kind,
    agency_id       text        NOT NULL,
    agency_name     text        NOT NULL,
    title           text        NOT NULL,
    summary         text        NOT NULL,
    party_name      text        NOT NULL DEFAULT '',
    credit_code     text        NOT NULL DEFAULT '',
    region_codes    text[]      NOT NULL DEFAULT '{}',
    codes           text[]      NOT NULL DEFAULT '{}',
    -- what it rests on, by the identifiers of its owner
    party_id        uuid,
    measure_id      uuid,
    case_id         uuid,
    complaint_id    uuid,
    complaint_round int         NOT NULL DEFAULT 0,
    document_id     uuid,
    -- what its owner confirmed when it was proposed
    warned_time     timestamptz,
    continued_time  timestamptz,
    notice_time     timestamptz,
    state           text        NOT NULL DEFAULT 'PROPOSED',
    proposed_by     text        NOT NULL,
    propose_time    timestamptz NOT NULL,
    reviewed_by     text        NOT NULL DEFAULT '',
    signed_by       text        NOT NULL DEFAULT '',
    end_time        timestamptz,
    reason          text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_proposal_kind CHECK (kind IN ('exposure', 'circular')),
    CONSTRAINT publication_proposal_state CHECK (state IN ('PROPOSED', 'PUBLISHED', 'RETURNED', 'WITHHELD')),
    CONSTRAINT publication_proposal_ended CHECK ((state = 'PROPOSED') = (end_time IS NULL) AND (state IN ('RETURNED', 'WITHHELD')) = (reason <> '')),
    CONSTRAINT publication_proposal_worded CHECK (agency_id <> '' AND agency_name <> '' AND title <> '' AND proposed_by <> ''),
    CONSTRAINT publication_proposal_three CHECK (state <> 'PUBLISHED' OR (reviewed_by <> '' AND signed_by <> ''
        AND person_of(proposed_by) <> person_of(reviewed_by) AND person_of(proposed_by) <> person_of(signed_by)
        AND person_of(reviewed_by) <> person_of(signed_by))),
    CONSTRAINT publication_proposal_exposure CHECK (kind <> 'exposure' OR (party_name <> '' AND party_id IS NOT NULL
        AND num_nonnulls(measure_id, case_id) > 0 AND complaint_id IS NOT NULL AND warned_time IS NOT NULL AND continued_time > warned_time)),
    CONSTRAINT publication_proposal_circular CHECK (kind <> 'circular' OR party_name = '' OR (party_id IS NOT NULL
        AND document_id IS NOT NULL AND notice_time IS NOT NULL))
);
CREATE INDEX publication_proposal_open ON publication_proposal (propose_time, proposal_id) WHERE state = 'PROPOSED';
CREATE INDEX publication_proposal_agency ON publication_proposal (agency_id, propose_time DESC, proposal_id DESC);
CREATE INDEX publication_proposal_newest ON publication_proposal (propose_time DESC, proposal_id DESC);

ALTER TABLE publication
    ADD COLUMN proposal_id uuid REFERENCES publication_proposal,
    ADD COLUMN task_id     uuid,
    ALTER COLUMN gate_version SET DEFAULT 3,
    ADD CONSTRAINT publication_gate_proposed CHECK (gate_version < 3 OR (kind IN ('exposure', 'circular')) = (proposal_id IS NOT NULL)),
    ADD CONSTRAINT publication_gate_step CHECK (gate_version < 3 OR (kind = 'service_notice') = (task_id IS NOT NULL));
-- a case may serve more than one document so, each step once
DROP INDEX publication_once;
CREATE UNIQUE INDEX publication_once ON publication (kind, case_id) WHERE case_id IS NOT NULL AND kind <> 'service_notice';
CREATE UNIQUE INDEX publication_once_per_step ON publication (task_id) WHERE task_id IS NOT NULL;
CREATE UNIQUE INDEX publication_once_per_proposal ON publication (proposal_id) WHERE proposal_id IS NOT NULL;
CREATE INDEX publication_founded ON publication (publication_id) WHERE kind IN ('exposure', 'circular', 'service_notice');

-- +goose StatementBegin
-- A proposal moves once, and says what it said.
CREATE FUNCTION publication_proposal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'PROPOSED' THEN
        RAISE EXCEPTION 'the proposal is %', OLD.state USING ERRCODE = 'restrict_violation', CONSTRAINT = 'publication_proposal_over';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER publication_proposal_guard BEFORE UPDATE ON publication_proposal FOR EACH ROW EXECUTE FUNCTION publication_proposal_guard();

-- +goose StatementBegin
-- What is released is what was proposed and what three people decided on.
CREATE FUNCTION publication_released() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.proposal_id IS NOT NULL AND NOT EXISTS (SELECT FROM publication_proposal r WHERE r.proposal_id = NEW.proposal_id
            AND r.state = 'PUBLISHED' AND r.kind = NEW.kind AND r.agency_id = NEW.agency_id AND NEW.case_id = r.proposal_id
            AND r.party_name = NEW.party_name AND r.credit_code = NEW.credit_code AND r.signed_by = NEW.published_by) THEN
        RAISE EXCEPTION 'it is not what three people released' USING ERRCODE = 'check_violation', CONSTRAINT = 'publication_gate_released';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER publication_released BEFORE INSERT ON publication FOR EACH ROW EXECUTE FUNCTION publication_released();

-- Nothing is public without what it rests on (核对).
CREATE VIEW proposal_violation AS
    SELECT p.publication_id AS id, ('publication without its basis: ' || g.what)::text AS what
      FROM publication p LEFT JOIN publication_proposal r ON r.proposal_id = p.proposal_id,
           LATERAL (VALUES
        (p.kind IN ('exposure', 'circular') AND r.proposal_id IS NULL, 'nobody proposed it'),
        (r.state <> 'PUBLISHED' OR '' IN (r.proposed_by, r.reviewed_by, r.signed_by) OR person_of(r.proposed_by) = person_of(r.reviewed_by)
             OR person_of(r.proposed_by) = person_of(r.signed_by) OR person_of(r.reviewed_by) = person_of(r.signed_by),
         'not three people decided on it'),
        (r.kind <> p.kind OR r.agency_id <> p.agency_id OR r.party_name <> p.party_name OR r.credit_code <> p.credit_code,
         'it is not what was proposed'),
        (p.kind = 'exposure' AND (r.party_id IS NULL OR num_nonnulls(r.measure_id, r.case_id) = 0), 'no warning on record'),
        (p.kind = 'exposure' AND r.complaint_id IS NULL, 'no finding after the warning on record'),
        (p.kind = 'circular' AND p.party_name <> '' AND r.document_id IS NULL, 'no document by which the party was informed'),
        (p.kind = 'service_notice' AND (p.task_id IS NULL OR p.case_id IS NULL), 'no step of a case serves by it')
      ) AS g (broken, what)
     WHERE p.gate_version > 2 AND g.broken;

GRANT SELECT, INSERT, UPDATE (state, reviewed_by, signed_by, end_time, reason) ON publication_proposal TO disclosure;
GRANT SELECT ON proposal_violation TO disclosure;

-- +goose Down
DROP VIEW proposal_violation;
DROP TRIGGER publication_released ON publication;
DROP FUNCTION publication_released;
DROP INDEX publication_founded;
ALTER TABLE publication ALTER COLUMN gate_version SET DEFAULT 2, DROP COLUMN proposal_id, DROP COLUMN task_id;
-- several services of one case may stand now: the index is no longer unique
DROP INDEX publication_once;
CREATE INDEX publication_once ON publication (kind, case_id) WHERE case_id IS NOT NULL;
DROP TABLE publication_proposal;
DROP FUNCTION publication_proposal_guard, person_of;
