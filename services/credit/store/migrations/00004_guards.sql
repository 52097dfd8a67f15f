-- What keeps the lists as they must be: the guard of every move, the log and the feed that only it writes, who may do what.

-- +goose Up

-- The guard of every move. It runs with the owner's rights: the service itself cannot write the log or the feed.
-- +goose StatementBegin
CREATE FUNCTION listing_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION listing_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.state = OLD.state THEN
            RETURN NULL;
        END IF;
        before := OLD.state;
    END IF;
    INSERT INTO listing_event (listing_id, seq, from_state, to_state, event_time, by, reason, task_id, article)
    SELECT NEW.listing_id, coalesce(max(seq), 0) + 1, before, NEW.state, NEW.state_time, NEW.state_by, NEW.state_reason, NEW.state_task_id, NEW.state_article
      FROM listing_event WHERE listing_id = NEW.listing_id;
    -- others act on what begins and on what ends; who was never listed concerns nobody
    IF NEW.listed_time IS NOT NULL AND (NEW.state IN ('REMOVED', 'EXPIRED', 'WITHDRAWN')
        OR NEW.state = 'LISTED' AND before IN ('PROPOSED', 'NOTIFIED')) THEN
        PERFORM pg_advisory_xact_lock(hashtext('listing_change'));
        INSERT INTO listing_change (listing_id, list, state, party_name, credit_code, licence, ground, agency_id, reason, change_time, latest_end, lift_due)
        VALUES (NEW.listing_id, NEW.list, NEW.state, NEW.party_name, NEW.credit_code, NEW.licence, NEW.ground, NEW.agency_id, NEW.state_reason,
                NEW.state_time, NEW.latest_end, NEW.lift_due);
        PERFORM pg_notify('listing_change', '');
    END IF;
    RETURN NULL;
END
$$;

-- A measure rests on an entry that stands, and on a list whose policy knows joint punishment.
CREATE FUNCTION joint_measure_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM listing WHERE listing_id = NEW.listing_id AND state IN ('LISTED', 'REPAIR_REQUESTED') FOR SHARE) THEN
        RAISE EXCEPTION 'a measure rests on an entry that stands' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'joint_measure_guard';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM listing l JOIN list_policy p ON p.list = l.list WHERE l.listing_id = NEW.listing_id AND p.joint
        AND tstzrange(p.valid_from, p.valid_to) @> NEW.created_at) THEN
        RAISE EXCEPTION 'no joint punishment rests on that list' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'joint_measure_guard_list';
    END IF;
    RETURN NEW;
END
$$;

-- A decision is made once.
CREATE FUNCTION decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.decide_time IS NOT NULL THEN
        RAISE EXCEPTION 'a row of % is decided once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'decided_once';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER listing_guard BEFORE INSERT OR UPDATE ON listing FOR EACH ROW EXECUTE FUNCTION listing_guard();
CREATE TRIGGER listing_log AFTER INSERT OR UPDATE ON listing FOR EACH ROW EXECUTE FUNCTION listing_log();
CREATE TRIGGER joint_measure_guard BEFORE INSERT ON joint_measure FOR EACH ROW EXECUTE FUNCTION joint_measure_guard();
CREATE TRIGGER repair_decided_once BEFORE UPDATE ON repair FOR EACH ROW EXECUTE FUNCTION decided_once();
CREATE TRIGGER listing_objection_decided_once BEFORE UPDATE ON listing_objection FOR EACH ROW EXECUTE FUNCTION decided_once();

-- What the constraints forbid, asked again without trusting them.
CREATE VIEW violation AS
    SELECT l.listing_id AS id, 'listing longer than the law allows for its severity'::text AS what
      FROM listing l
     WHERE l.listed_time IS NOT NULL AND (NOT isfinite(l.latest_end) OR l.latest_end > l.decided_time + CASE l.severity
           WHEN 'minor' THEN interval '3 months 1 day' WHEN 'general' THEN interval '1 year 1 day' ELSE interval '3 years 1 day' END)
    UNION ALL
    SELECT l.listing_id, 'listing on a ground that the policy did not have'
      FROM listing l
     WHERE l.state <> 'WITHDRAWN' AND NOT EXISTS (SELECT 1 FROM listing_ground g WHERE g.list = l.list AND g.ground = l.ground
           AND g.valid_from <= coalesce(l.decided_time, l.ground_time) AND (g.valid_to IS NULL OR g.valid_to > coalesce(l.decided_time, l.ground_time)))
    UNION ALL
    SELECT l.listing_id, 'on a telecom list without a licence (许可管理办法 42)'
      FROM listing l WHERE l.list <> 'credit_record' AND l.licence = '' AND l.state <> 'WITHDRAWN'
    UNION ALL
    SELECT l.listing_id, 'listed by fewer than three people and without a case'
      FROM listing l
     WHERE l.listed_time IS NOT NULL AND l.case_id IS NULL AND (l.reviewed_by IS NULL OR l.signed_by IS NULL
           OR l.proposed_by = l.reviewed_by OR l.proposed_by = l.signed_by OR l.reviewed_by = l.signed_by)
    UNION ALL
    SELECT l.listing_id, 'its state is not the last of its log'
      FROM listing l
     WHERE l.state IS DISTINCT FROM (SELECT e.to_state FROM listing_event e WHERE e.listing_id = l.listing_id ORDER BY e.seq DESC LIMIT 1)
    UNION ALL
    SELECT l.listing_id, 'two live entries for the same ground'
      FROM listing l JOIN listing m ON m.credit_code = l.credit_code AND m.list = l.list AND m.ground = l.ground AND m.listing_id > l.listing_id
       AND m.case_id IS NOT DISTINCT FROM l.case_id
     WHERE l.state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED') AND m.state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED')
    UNION ALL
    SELECT l.listing_id, 'it rests on an earlier entry that was withdrawn'
      FROM listing l JOIN listing e ON e.listing_id = l.rests_on
     WHERE l.state IN ('LISTED', 'REPAIR_REQUESTED') AND e.state = 'WITHDRAWN'
    UNION ALL
    SELECT l.listing_id, 'removed without a repair that another person granted'
      FROM listing l
     WHERE l.state = 'REMOVED' AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = l.listing_id AND r.state = 'GRANTED'
           AND r.decided_by NOT IN (l.proposed_by, coalesce(l.reviewed_by, ''), coalesce(l.signed_by, '')))
    UNION ALL
    SELECT r.listing_id, 'a repair is granted and the entry still stands'
      FROM repair r JOIN listing l USING (listing_id) WHERE r.state = 'GRANTED' AND l.state IN ('LISTED', 'REPAIR_REQUESTED')
    UNION ALL
    SELECT m.listing_id, 'joint punishment by ' || m.agency_id || ' on a list that knows none'
      FROM joint_measure m JOIN listing l USING (listing_id)
     WHERE NOT EXISTS (SELECT 1 FROM list_policy p WHERE p.list = l.list AND p.joint AND tstzrange(p.valid_from, p.valid_to) @> m.created_at)
    UNION ALL
    SELECT l.listing_id, 'a move of it is not in the feed'
      FROM listing l JOIN listing_event e USING (listing_id)
     WHERE l.listed_time IS NOT NULL AND e.to_state IN ('LISTED', 'REMOVED', 'EXPIRED', 'WITHDRAWN') AND e.from_state <> 'REPAIR_REQUESTED'
       AND NOT EXISTS (SELECT 1 FROM listing_change c WHERE c.listing_id = l.listing_id AND c.state = e.to_state);

GRANT SELECT, INSERT ON listing, listing_objection, repair, joint_measure, lifting, subscriber TO credit;
GRANT UPDATE (state, state_time, state_by, state_reason, state_task_id, state_article, decided_time, earliest_end, latest_end, listed_time,
    listed_by, ends_proof, ends_to_confirm, statutory_earliest, statutory_latest, reviewed_by, signed_by, notice_time, objection_until,
    notice_proof, publish_from, publication_id, not_published_because, unpublish_time, end_time, lift_due,
    penalty_public_until, penalty_public_because, penalty_unpublish_time) ON listing TO credit;
GRANT UPDATE (state, task_id, reason_code, reply, decided_by, decide_time) ON listing_objection TO credit;
GRANT UPDATE (state, due_time, clock_basis, clock_statutory, clock_proof, clock_provisional, task_id, decided_by, decide_time, reason_code, reply)
    ON repair TO credit;
GRANT UPDATE (acked, acked_time) ON subscriber TO credit;
GRANT SELECT ON listing_event, listing_change, listing_edge, severity_term, penalty_severity, list_policy, dishonest_rule, violation TO credit;

-- +goose Down
DROP VIEW violation;
DROP TRIGGER listing_log ON listing;
DROP TRIGGER listing_guard ON listing;
DROP TRIGGER joint_measure_guard ON joint_measure;
DROP TRIGGER repair_decided_once ON repair;
DROP TRIGGER listing_objection_decided_once ON listing_objection;
DROP FUNCTION listing_log(), listing_guard(), joint_measure_guard(), decided_once();
