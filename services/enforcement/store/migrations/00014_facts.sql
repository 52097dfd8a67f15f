-- What a line of the log rests on, asked of whoever writes: no line is of the future, the party's lines have what the party
-- handed in behind them, each term of a step has one clock, and who was told of a penalty stays the party.
--
-- What this does not hold: the service computes the clocks itself, so a wrong due_time that it writes first stands (fsck and
-- the stored reckoning show it), and it may date a line earlier than it was; created_at, the database's own, says when it
-- came in.

-- +goose Up

-- How far ahead of the database's clock the clocks of the service may be. Only the owner sets it: tests that make their own
-- time do, nobody else.
CREATE TABLE case_clock_skew (
    one        boolean     PRIMARY KEY DEFAULT true CONSTRAINT case_clock_skew_one CHECK (one),
    most       interval    NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO case_clock_skew (most) VALUES ('5 minutes');
GRANT SELECT ON case_clock_skew TO enforcement;

-- +goose StatementBegin
CREATE FUNCTION case_event_is_past() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.event_time > clock_timestamp() + (SELECT most FROM case_clock_skew) THEN
        PERFORM case_refuse('行政处罚法 第五十四条', 'a step is recorded when it was taken, not before');
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- By its name it fires before case_event_moves.
CREATE TRIGGER case_event_is_past BEFORE INSERT ON case_event FOR EACH ROW EXECUTE FUNCTION case_event_is_past();

-- +goose StatementBegin
-- note is what the party handed in: the row of its statement, waiver or request.
CREATE FUNCTION case_event_of_party() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE NEW.step
        WHEN 'statement' THEN EXISTS (SELECT 1 FROM case_statement s WHERE s.case_id = NEW.case_id AND s.statement_id::text = NEW.note)
        WHEN 'waiver' THEN EXISTS (SELECT 1 FROM case_waiver w WHERE w.case_id = NEW.case_id AND w.waiver_id::text = NEW.note AND w.waived = 'statement')
        WHEN 'hearing_waiver' THEN EXISTS (SELECT 1 FROM case_waiver w WHERE w.case_id = NEW.case_id AND w.waiver_id::text = NEW.note AND w.waived = 'hearing')
        WHEN 'hearing_request' THEN EXISTS (SELECT 1 FROM case_hearing_request h WHERE h.case_id = NEW.case_id AND h.hearing_request_id::text = NEW.note)
        ELSE EXISTS (SELECT 1 FROM case_hearing_request h WHERE h.case_id = NEW.case_id AND h.hearing_request_id::text = NEW.note
                 AND h.withdrawn_time IS NOT NULL)
    END) THEN
        PERFORM case_refuse('行政处罚法 第四十五条、第六十四条', 'the party handed in nothing of the kind');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER case_event_of_party AFTER INSERT ON case_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.step IN ('statement', 'waiver', 'hearing_waiver', 'hearing_request', 'hearing_withdrawn')) EXECUTE FUNCTION case_event_of_party();

-- A step starts a term once; only evidence, of which several pieces may be registered after one line, has a clock each.
CREATE UNIQUE INDEX case_clock_one ON case_clock (case_id, basis, event_seq) WHERE basis <> 'evidence_registration_7wd';

-- +goose StatementBegin
CREATE FUNCTION case_party_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM case_refuse('行政处罚法 第四十四条', 'who was told of the penalty stays the party of the case');
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_party_stays BEFORE UPDATE OF party_id ON enforcement_case FOR EACH ROW
    WHEN (NEW.party_id <> OLD.party_id AND (OLD.notice_time IS NOT NULL OR OLD.state NOT IN ('OPENED', 'INVESTIGATING')))
    EXECUTE FUNCTION case_party_stays();

-- +goose Down
DROP TRIGGER case_party_stays ON enforcement_case;
DROP FUNCTION case_party_stays();
DROP INDEX case_clock_one;
DROP TRIGGER case_event_of_party ON case_event;
DROP FUNCTION case_event_of_party();
DROP TRIGGER case_event_is_past ON case_event;
DROP FUNCTION case_event_is_past();
DROP TABLE case_clock_skew;
