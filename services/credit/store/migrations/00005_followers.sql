-- Who follows without acknowledging; the clocks of the lists in one view, and the settling of provisional dates.

-- +goose Up

-- Who reads the feed is on the list of subscribers, whether or not it acknowledges: up to where it has read, and when last.
ALTER TABLE subscriber
    ALTER COLUMN acked SET DEFAULT 0,
    ALTER COLUMN acked_time DROP NOT NULL,
    ADD COLUMN taken      bigint NOT NULL DEFAULT 0,
    ADD COLUMN taken_time timestamptz,
    ADD CONSTRAINT subscriber_taken CHECK (taken >= 0),
    ADD CONSTRAINT subscriber_follows CHECK (acked_time IS NOT NULL OR taken_time IS NOT NULL);
GRANT UPDATE (taken, taken_time) ON subscriber TO credit;

-- Clocks keep their statutory date, their proof, and whether a holiday notice was missing.
ALTER TABLE listing
    ADD COLUMN entry_statutory    timestamptz,
    ADD COLUMN entry_provisional  boolean,
    ADD COLUMN notice_statutory   timestamptz,
    ADD COLUMN notice_provisional boolean,
    ADD COLUMN lift_statutory     timestamptz,
    ADD COLUMN lift_proof         text,
    ADD COLUMN lift_provisional   boolean;
GRANT UPDATE (entry_due, entry_statutory, entry_proof, entry_provisional, notice_statutory, notice_provisional, lift_statutory, lift_proof,
    lift_provisional) ON listing TO credit;

-- The one time that a provisional date was settled (期限确定), append-only: who, for which notice, and both dates. kind is that
-- of the view below; of a lift, id is the entry.
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
GRANT SELECT, INSERT ON clock_settlement TO credit;

-- What runs (运行中的期限): the entry within 30 days, the party's term, the decision on a repair, the lifting of measures, the
-- end of publications. A row per agency that has to act.
CREATE VIEW running_clock AS
    SELECT 'entry'::text AS kind, l.listing_id AS id, l.agency_id, 'listing_30d'::text AS basis, l.ground_time AS start_time, l.entry_due AS due,
           coalesce(l.entry_statutory, l.entry_due) AS statutory, l.entry_proof AS proof, coalesce(l.entry_provisional, false) AS provisional
      FROM listing l WHERE l.state IN ('PROPOSED', 'NOTIFIED')
    UNION ALL
    SELECT 'statement', l.listing_id, l.agency_id, 'listing_statement_5wd', l.notice_time, l.objection_until,
           coalesce(l.notice_statutory, l.objection_until), coalesce(l.notice_proof, ''), coalesce(l.notice_provisional, false)
      FROM listing l WHERE l.state = 'NOTIFIED'
    UNION ALL
    SELECT 'repair', r.repair_id, l.agency_id, r.clock_basis, r.apply_time, r.due_time,
           coalesce(nullif(r.clock_statutory, '')::timestamptz, r.due_time), r.clock_proof, r.clock_provisional
      FROM repair r JOIN listing l USING (listing_id) WHERE r.state = 'REVIEWING'
    UNION ALL
    SELECT DISTINCT 'lift', l.listing_id, m.agency_id, 'lift_3wd', l.end_time, l.lift_due, coalesce(l.lift_statutory, l.lift_due),
           coalesce(l.lift_proof, ''), coalesce(l.lift_provisional, false)
      FROM listing l JOIN joint_measure m USING (listing_id)
     WHERE l.lift_due IS NOT NULL AND NOT EXISTS (SELECT FROM lifting f WHERE f.measure_id = m.measure_id)
    UNION ALL
    SELECT 'take_down', l.listing_id, l.agency_id, 'credit_entry', l.decided_time, coalesce(l.end_time, l.latest_end),
           coalesce(l.end_time, l.statutory_latest), l.ends_proof, false
      FROM listing l WHERE l.publication_id IS NOT NULL AND l.unpublish_time IS NULL
    UNION ALL
    SELECT 'penalty_take_down', l.listing_id, l.agency_id, 'credit_entry', l.end_time, l.penalty_public_until, l.penalty_public_until,
           l.penalty_public_because, false
      FROM listing l WHERE l.state = 'REMOVED' AND l.penalty_public_until IS NOT NULL AND l.penalty_unpublish_time IS NULL;
GRANT SELECT ON running_clock TO credit;

-- A date that was settled is the only one that is written a second time, and only as it was settled.
-- +goose StatementBegin
CREATE FUNCTION settled_to(of_kind text, of_id uuid, due timestamptz) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM clock_settlement s WHERE s.kind = of_kind AND s.id = of_id AND s.new_due = due)
$$;
CREATE OR REPLACE FUNCTION listing_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moving text[] := '{state,state_time,state_by,state_reason,state_task_id,state_article}';
    frozen text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PROPOSED' OR NEW.listed_time IS NOT NULL OR NEW.end_time IS NOT NULL THEN
            RAISE EXCEPTION 'an entry begins as PROPOSED' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_begin';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.entry_provisional AND NOT NEW.entry_provisional AND settled_to('entry', NEW.listing_id, NEW.entry_due) THEN
        moving := moving || '{entry_due,entry_statutory,entry_proof,entry_provisional}'::text[];
    END IF;
    IF OLD.notice_provisional AND NOT NEW.notice_provisional AND settled_to('statement', NEW.listing_id, NEW.objection_until) THEN
        moving := moving || '{objection_until,notice_statutory,notice_proof,notice_provisional}'::text[];
    END IF;
    IF OLD.lift_provisional AND NOT NEW.lift_provisional AND settled_to('lift', NEW.listing_id, NEW.lift_due) THEN
        moving := moving || '{lift_due,lift_statutory,lift_proof,lift_provisional}'::text[];
    END IF;
    -- what was written once stays as it was written
    SELECT o.key INTO frozen FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n ON n.key = o.key
     WHERE o.key <> ALL (moving) AND o.value <> 'null' AND o.value <> n.value LIMIT 1;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION '% of an entry is written once', frozen USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_frozen';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM listing_edge WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'an entry does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_edge';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'PROPOSED' AND NEW.case_id IS NULL THEN
        RAISE EXCEPTION 'nobody is listed unheard without a case' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_notice';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'NOTIFIED' AND (NEW.objection_until IS NULL OR NEW.listed_time < NEW.objection_until
        OR EXISTS (SELECT 1 FROM listing_objection WHERE listing_id = NEW.listing_id AND state = 'OPEN')) THEN
        RAISE EXCEPTION 'the party has not been heard' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_heard';
    END IF;
    IF NEW.state = 'REMOVED' AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = NEW.listing_id AND r.state = 'GRANTED'
        AND r.apply_time >= NEW.earliest_end AND r.decided_by NOT IN (NEW.proposed_by, coalesce(NEW.reviewed_by, ''), coalesce(NEW.signed_by, ''))) THEN
        RAISE EXCEPTION 'no repair was granted by another person' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_repair';
    END IF;
    IF NEW.state = 'EXPIRED' AND NEW.state_time < NEW.latest_end THEN
        RAISE EXCEPTION 'the latest end has not come' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_early';
    END IF;
    IF NEW.state = 'WITHDRAWN' AND NEW.state_reason = '' THEN
        RAISE EXCEPTION 'a withdrawal has a reason' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_reasoned';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP VIEW running_clock;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION listing_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moving CONSTANT text[] := '{state,state_time,state_by,state_reason,state_task_id,state_article}';
    frozen text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PROPOSED' OR NEW.listed_time IS NOT NULL OR NEW.end_time IS NOT NULL THEN
            RAISE EXCEPTION 'an entry begins as PROPOSED' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_begin';
        END IF;
        RETURN NEW;
    END IF;
    -- what was written once stays as it was written
    SELECT o.key INTO frozen FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n ON n.key = o.key
     WHERE o.key <> ALL (moving) AND o.value <> 'null' AND o.value <> n.value LIMIT 1;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION '% of an entry is written once', frozen USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_frozen';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM listing_edge WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'an entry does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_edge';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'PROPOSED' AND NEW.case_id IS NULL THEN
        RAISE EXCEPTION 'nobody is listed unheard without a case' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_notice';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'NOTIFIED' AND (NEW.objection_until IS NULL OR NEW.listed_time < NEW.objection_until
        OR EXISTS (SELECT 1 FROM listing_objection WHERE listing_id = NEW.listing_id AND state = 'OPEN')) THEN
        RAISE EXCEPTION 'the party has not been heard' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_heard';
    END IF;
    IF NEW.state = 'REMOVED' AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = NEW.listing_id AND r.state = 'GRANTED'
        AND r.apply_time >= NEW.earliest_end AND r.decided_by NOT IN (NEW.proposed_by, coalesce(NEW.reviewed_by, ''), coalesce(NEW.signed_by, ''))) THEN
        RAISE EXCEPTION 'no repair was granted by another person' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_repair';
    END IF;
    IF NEW.state = 'EXPIRED' AND NEW.state_time < NEW.latest_end THEN
        RAISE EXCEPTION 'the latest end has not come' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_early';
    END IF;
    IF NEW.state = 'WITHDRAWN' AND NEW.state_reason = '' THEN
        RAISE EXCEPTION 'a withdrawal has a reason' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_reasoned';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
DROP FUNCTION settled_to(text, uuid, timestamptz);
DROP TABLE clock_settlement;
ALTER TABLE listing
    DROP COLUMN entry_statutory, DROP COLUMN entry_provisional, DROP COLUMN notice_statutory, DROP COLUMN notice_provisional,
    DROP COLUMN lift_statutory, DROP COLUMN lift_proof, DROP COLUMN lift_provisional;
DELETE FROM subscriber WHERE acked_time IS NULL;
ALTER TABLE subscriber DROP COLUMN taken, DROP COLUMN taken_time, ALTER COLUMN acked DROP DEFAULT, ALTER COLUMN acked_time SET NOT NULL;
REVOKE UPDATE (entry_due, entry_proof) ON listing FROM credit;
