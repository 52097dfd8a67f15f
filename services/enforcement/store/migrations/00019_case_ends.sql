-- How a case begins and ends beside its decision: opened by the head where the agency wants it (立案审批), notified while the
-- police have it when they agree, its clocks over when it is; and a person's calls are a firm's by evidence of the case.

-- +goose Up

-- Which agencies have the head open a case (立案审批): an agency's own row goes before its family's. Without a row the signed
-- handling of the complaint has opened it.
CREATE TABLE opening_policy (
    agency_id  text        NOT NULL,
    wanted     boolean     NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT opening_policy_pkey PRIMARY KEY (agency_id, valid_from),
    CONSTRAINT opening_policy_one_at_a_time EXCLUDE USING gist (agency_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
GRANT SELECT ON opening_policy TO enforcement;

INSERT INTO case_edge (from_state, to_state, step, article) VALUES
    ('OPENED', 'OPENED', 'case_open', '行政处罚法 第五十四条'),
    ('OPENED', 'CLOSED', 'case_open', '行政处罚法 第五十四条'),
    ('TRANSFERRED', 'TRANSFERRED', 'police_agreed', '行政处罚法 第二十七条');

-- +goose StatementBegin
-- While the police have a case its party is notified of nothing before they agree (行政执法机关移送涉嫌犯罪案件的规定 9, 10).
CREATE FUNCTION case_delivery_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM enforcement_case c WHERE c.case_id = NEW.case_id AND c.state = 'TRANSFERRED')
       AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = NEW.case_id AND a.step = 'police_agreed'
           AND a.seq > (SELECT max(t.seq) FROM case_event t WHERE t.case_id = NEW.case_id AND t.to_state = 'TRANSFERRED' AND t.from_state <> 'TRANSFERRED')) THEN
        PERFORM case_refuse('行政执法机关移送涉嫌犯罪案件的规定 第九条、第十条', 'nothing is served while the police have the case and do not agree');
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_delivery_agreed BEFORE INSERT ON case_delivery FOR EACH ROW EXECUTE FUNCTION case_delivery_agreed();

-- +goose StatementBegin
CREATE FUNCTION attribution_by_evidence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM unnest(NEW.evidence_ids) i WHERE NOT EXISTS (SELECT 1 FROM case_evidence v
           WHERE v.evidence_id = i AND v.case_id = NEW.case_id)) THEN
        PERFORM case_refuse('行政处罚法 第四十条、第四十六条', 'a person''s act is a firm''s by evidence of the case');
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER attribution_by_evidence BEFORE INSERT ON attribution FOR EACH ROW EXECUTE FUNCTION attribution_by_evidence();

-- +goose StatementBegin
-- Side ways: opening, hearing, transfer, reversal, change.
CREATE OR REPLACE FUNCTION case_guard_sideways(e case_event) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF e.step = 'case_open' AND NOT EXISTS (SELECT 1 FROM case_event o WHERE o.case_id = e.case_id AND o.step = 'open' AND o.outcome = 'for_approval') THEN
        PERFORM case_refuse('行政处罚法 第五十四条', 'whether the case is opened does not wait for the head');
    ELSIF e.step = 'case_open' AND ((e.to_state = 'CLOSED') <> (e.outcome = 'not_opened') OR EXISTS (SELECT 1 FROM case_event o
           WHERE o.case_id = e.case_id AND o.step = 'case_open')) THEN
        PERFORM case_refuse('行政处罚法 第五十四条', 'a case is opened, or not, once');
    ELSIF e.step = 'appoint' AND EXISTS (SELECT 1 FROM case_event o WHERE o.case_id = e.case_id AND o.step = 'open' AND o.outcome = 'for_approval')
           AND NOT EXISTS (SELECT 1 FROM case_event o WHERE o.case_id = e.case_id AND o.step = 'case_open' AND o.outcome = 'opened') THEN
        PERFORM case_refuse('行政处罚法 第五十四条', 'the head has not opened the case');
    ELSIF e.step = 'police_agreed' AND e.agency_id <> (SELECT c.transferred_to FROM enforcement_case c WHERE c.case_id = e.case_id) THEN
        PERFORM case_refuse('行政处罚法 第二十七条', 'only the police that have the case agree');
    ELSIF e.step = 'serve_notice' AND NOT EXISTS (SELECT 1 FROM case_proposal p WHERE p.case_id = e.case_id AND p.kind = 'proposed'
           AND p.seq = (SELECT max(x.seq) FROM case_proposal x WHERE x.case_id = e.case_id)
           AND EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = e.case_id AND r.seq > p.seq AND r.step = 'case_review' AND r.outcome = 'approved')) THEN
        PERFORM case_refuse('行政处罚法 第四十四条', 'a notice tells of a proposal that was reviewed');
    ELSIF e.step = 'announce_hearing' AND NOT EXISTS (SELECT 1 FROM case_clock k WHERE k.case_id = e.case_id AND k.basis = 'hearing_notice_7wd'
           AND k.event_seq = e.seq AND k.due_time >= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第六十四条', 'a hearing is announced seven working days ahead at least');
    ELSIF e.step = 'hold_hearing' AND e.outcome = 'held' AND (e.record_hash = '' OR NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id
           AND a.step = 'announce_hearing' AND a.chair = e.subject AND a.hearing_time <= e.event_time)) THEN
        PERFORM case_refuse('行政处罚法 第六十四条', 'the announced chair holds the hearing at its time and signs its record');
    ELSIF e.step = 'transfer_send' AND (e.receipt_no = '' OR NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id
           AND a.step = 'transfer_approve' AND a.outcome = 'approved' AND a.subject <> e.subject AND a.other_agency_id = e.other_agency_id)) THEN
        PERFORM case_refuse('行政处罚法 第二十七条', 'a transfer is approved by the head before and has its receipt');
    ELSIF e.to_state = 'REVERSED' AND e.step = 'remedy' AND NOT EXISTS (SELECT 1 FROM case_remedy r JOIN case_remedy_fact f ON f.remedy_id = r.remedy_id
           WHERE r.case_id = e.case_id AND (f.fact IN ('revoked', 'declared_illegal') OR f.fact = 'changed' AND (SELECT c.procedure FROM enforcement_case c WHERE c.case_id = e.case_id) = 'before')) THEN
        PERFORM case_refuse('行政处罚法 第四十八条', 'nothing reversed the decision');
    ELSIF e.step = 'remedy' AND e.to_state <> 'REVERSED' AND e.outcome LIKE '%/changed' AND coalesce(case_change_harsher(e.case_id, e.seq), true) THEN
        PERFORM case_refuse('行政复议法 第六十三条、行政诉讼法 第七十七条', 'a change is not harsher than what it changes');
    ELSIF e.step = 'remedy' AND e.outcome LIKE '%/changed' AND e.to_state <> 'REVERSED' AND NOT EXISTS (SELECT 1 FROM case_change x
           WHERE x.case_id = e.case_id AND x.seq = e.seq) THEN
        PERFORM case_refuse('行政复议法 第六十三条、行政诉讼法 第七十七条', 'a change says what the decision is from then on');
    ELSIF e.to_state = 'REVERSED' AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = e.case_id) THEN
        PERFORM case_refuse('行政处罚法 第四十八条', 'there is no decision to reverse');
    ELSIF e.step = 'withdrawn' AND EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = e.case_id AND f.kind IN ('list_party', 'publish') AND f.target_id <> ''
           AND NOT EXISTS (SELECT 1 FROM case_effect w WHERE w.case_id = e.case_id
               AND w.kind = CASE f.kind WHEN 'publish' THEN 'withdraw_publication' ELSE 'withdraw_listing' END)) THEN
        PERFORM case_refuse('行政处罚法 第四十八条', 'what was published or listed is withdrawn first');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Each line of the log passes the guards and moves its case. It runs with the owner's rights: nobody else moves a case.
CREATE OR REPLACE FUNCTION case_event_moves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    c enforcement_case;
    legal text;
BEGIN
    SELECT * INTO c FROM enforcement_case WHERE case_id = NEW.case_id FOR UPDATE;
    IF c.case_id IS NULL OR NEW.from_state <> c.state
       OR NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM case_event WHERE case_id = NEW.case_id) THEN
        PERFORM case_refuse('行政处罚法 第四十七条', 'the log goes on where it is: ' || coalesce(c.state, 'no case'));
    END IF;
    SELECT g.article INTO legal FROM case_edge g WHERE g.from_state = NEW.from_state AND g.to_state = NEW.to_state AND g.step = NEW.step;
    IF legal IS NULL OR (NEW.step = 'before' AND c.procedure <> 'before')
       OR (c.procedure = 'before' AND NEW.step NOT IN ('open', 'before', 'payment', 'remedy', 'reverse', 'request', 'late', 'withdrawn')) THEN
        PERFORM case_refuse('行政处罚法 第五十四条', NEW.step || ' does not lead from ' || NEW.from_state || ' to ' || NEW.to_state);
    END IF;
    IF NEW.article = '' THEN
        NEW.article := legal;
    END IF;
    IF NEW.step NOT IN ('late', 'before') THEN
        PERFORM case_guard_people(NEW);
        PERFORM case_guard_sideways(NEW);
        IF NEW.to_state IN ('DECIDED', 'NO_PENALTY') AND NEW.from_state <> NEW.to_state THEN
            PERFORM case_guard_decision(NEW, c);
        END IF;
        PERFORM case_guard_after(NEW, c);
    ELSIF NEW.to_state = 'DECIDED' AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = NEW.case_id) THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'a decided case has its decision');
    END IF;
    UPDATE enforcement_case SET
        state = NEW.to_state,
        notice_time = CASE WHEN NEW.to_state = 'NOTICE_SERVED' AND NEW.outcome IN ('served', 'delivered') THEN coalesce(NEW.served_time, NEW.event_time) ELSE notice_time END,
        notice_task_id = CASE WHEN NEW.to_state = 'NOTICE_SERVED' AND NEW.outcome IN ('served', 'delivered') THEN NEW.task_id ELSE notice_task_id END,
        close_time = CASE WHEN NEW.to_state <> 'CLOSED' THEN NULL ELSE coalesce(close_time, NEW.event_time) END,
        deliver_time = CASE WHEN NEW.to_state = 'DELIVERED' OR (NEW.from_state IN ('NO_PENALTY', 'DECIDED') AND NEW.to_state = 'CLOSED')
            THEN coalesce(NEW.served_time, NEW.event_time) ELSE deliver_time END,
        reopened = reopened + CASE WHEN NEW.from_state = 'CLOSED' AND (NEW.to_state = 'REVERSED'
            OR (NEW.step = 'request' AND NEW.outcome = 'reverse') OR (NEW.step = 'remedy' AND NEW.outcome LIKE '%/changed'))
            THEN 1 ELSE 0 END,
        reverse_time = CASE WHEN NEW.to_state = 'REVERSED' THEN coalesce(reverse_time, NEW.event_time) ELSE reverse_time END,
        procedure = CASE WHEN NEW.step = 'onspot' AND NEW.to_state <> NEW.from_state THEN 'simplified'
            WHEN NEW.step = 'open' THEN 'ordinary' ELSE procedure END,
        agency_id = CASE WHEN NEW.step = 'designate_case' AND NEW.other_agency_id <> '' THEN NEW.other_agency_id ELSE agency_id END,
        transferred_to = CASE WHEN NEW.to_state = 'TRANSFERRED' AND NEW.step = 'transfer_send' THEN NEW.other_agency_id ELSE transferred_to END,
        effective_outcome = CASE
            WHEN effective_outcome <> '' THEN effective_outcome
            WHEN NEW.to_state = 'DELIVERED' THEN 'penalty'
            WHEN NEW.to_state = 'NO_PENALTY' OR (NEW.step = 'case_open' AND NEW.to_state = 'CLOSED') THEN 'no_penalty'
            WHEN NEW.to_state = 'TRANSFERRED' THEN 'transferred'
            WHEN NEW.step = 'before' AND NEW.to_state = 'CLOSED' THEN (SELECT CASE d.penalty_kind WHEN 'none' THEN 'no_penalty' ELSE 'penalty' END
                 FROM case_decision d WHERE d.case_id = NEW.case_id)
            ELSE '' END
     WHERE case_id = NEW.case_id;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- Decided fines that stand, as they stand: one that was changed away is none any more (行政处罚法 29).
CREATE OR REPLACE VIEW decided_fine AS
    SELECT p.case_id, p.seq, p.agency_id, p.act, p.penalty_code, p.subject,
           coalesce((SELECT s.amount_fen FROM case_standing s WHERE s.case_id = p.case_id AND s.kind = 'fine'), p.amount_fen) AS amount_fen, p.band_low_fen, p.band_high_fen, p.grade,
           p.outside, p.reason, p.decided_time,
           CASE WHEN coalesce(p.gains_fen, 0) = 0 THEN 'none' WHEN p.gains_fen < 1000000 THEN 'under_10k'
                WHEN p.gains_fen < 5000000 THEN 'under_50k' WHEN p.gains_fen < 10000000 THEN 'under_100k' ELSE 'over_100k' END AS bracket,
           CASE WHEN p.agency_id ~ '-[0-9]{2}$' THEN right(p.agency_id, 2) ELSE '' END AS province
      FROM penalty_assessment p JOIN enforcement_case c ON c.case_id = p.case_id
     WHERE p.kind = 'fine' AND c.reverse_time IS NULL
       AND (NOT EXISTS (SELECT 1 FROM case_change x WHERE x.case_id = p.case_id)
            OR EXISTS (SELECT 1 FROM case_standing s WHERE s.case_id = p.case_id AND s.kind = 'fine'));

-- Clocks of cases that ended before this file are over, all but those of the remedies and of a withdrawal.
INSERT INTO case_clock_act (clock_id, n, kind, act_time, reason, due_time, statutory_due, proof, provisional, reckoning)
SELECT k.clock_id, k.acts + 1, 'cancelled', c.close_time, '结案', k.due_time, k.statutory_due, k.proof, k.provisional, k.reckoning
  FROM case_clock_now k JOIN enforcement_case c ON c.case_id = k.case_id
 WHERE c.state = 'CLOSED' AND k.met_time IS NULL AND k.cancel_time IS NULL
   AND k.basis NOT IN ('reconsider_60d', 'litigate_6m', 'litigate_15d', 'withdraw_3wd');
-- A hearing that was announced has met the day before which it had to be.
INSERT INTO case_clock_act (clock_id, n, kind, act_time, due_time, statutory_due, proof, provisional, reckoning)
SELECT k.clock_id, k.acts + 1, 'met', e.event_time, k.due_time, k.statutory_due, k.proof, k.provisional, k.reckoning
  FROM case_clock_now k JOIN case_event e ON e.case_id = k.case_id AND e.seq = k.event_seq
 WHERE k.basis = 'hearing_notice_7wd' AND k.met_time IS NULL AND k.cancel_time IS NULL;

-- What the guards forbid, asked again of the rows.
CREATE OR REPLACE VIEW violation AS
    SELECT c.case_id AS id, ('case without decision is ' || c.state)::text AS what
      FROM enforcement_case c
     WHERE c.state IN ('DECIDED', 'DELIVERED', 'PERFORMING', 'PERFORMED', 'DEMANDED', 'ENFORCED', 'NO_PENALTY', 'REVERSED')
       AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
    UNION ALL
    SELECT c.case_id, 'case closed without decision that no police took'
      FROM enforcement_case c
     WHERE c.state = 'CLOSED' AND c.transferred_to = '' AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
       AND NOT EXISTS (SELECT 1 FROM case_event o WHERE o.case_id = c.case_id AND o.step = 'case_open' AND o.outcome = 'not_opened')
    UNION ALL
    SELECT c.case_id, 'case with a decision is ' || c.state
      FROM enforcement_case c JOIN case_decision d ON d.case_id = c.case_id
     WHERE c.state IN ('OPENED', 'INVESTIGATING', 'NOTICE_SERVED', 'STATEMENT', 'HEARING', 'LEGAL_REVIEW', 'DISCUSSION', 'TRANSFERRED')
    UNION ALL
    SELECT d.case_id, 'penalty without a notice served before it'
      FROM case_decision d
     WHERE d.penalty_kind <> 'none' AND NOT EXISTS (SELECT 1 FROM case_notice n WHERE n.case_id = d.case_id AND n.served_time <= d.decided_time)
    UNION ALL
    SELECT d.case_id, 'penalty that does not stand on the last notice before it'
      FROM case_decision d
     WHERE d.penalty_kind <> 'none' AND d.notice_time IS DISTINCT FROM
           (SELECT max(n.served_time) FROM case_notice n WHERE n.case_id = d.case_id)
    UNION ALL
    SELECT d.case_id, 'decision on another proposal than its notice told of'
      FROM case_decision d
     WHERE d.proposal_seq IS NOT NULL AND d.penalty_kind <> 'none'
       AND NOT EXISTS (SELECT 1 FROM case_notice n WHERE n.case_id = d.case_id AND n.proposal_seq = d.proposal_seq)
    UNION ALL
    SELECT d.case_id, 'decision whose proposer, reviewer and signer are not three people'
      FROM case_decision d
     WHERE d.procedure <> 'simplified' AND (d.proposed_by = d.reviewed_by OR d.reviewed_by = d.signed_by OR d.proposed_by = d.signed_by)
    UNION ALL
    SELECT d.case_id, 'decision reviewed or signed by an officer of the case'
      FROM case_decision d JOIN case_officer o ON o.case_id = d.case_id
     WHERE d.procedure = 'ordinary' AND o.subject || '@' || o.agency_id IN (d.reviewed_by, d.signed_by)
    UNION ALL
    SELECT d.case_id, 'decision with fewer than two officers'
      FROM case_decision d
     WHERE d.proposal_seq IS NOT NULL AND (SELECT count(*) FROM case_officer o WHERE o.case_id = d.case_id AND o.appoint_time <= d.decided_time
               AND NOT EXISTS (SELECT 1 FROM case_recusal r WHERE r.case_id = o.case_id AND r.subject = o.subject AND r.recuse_time <= d.decided_time)) < 2
    UNION ALL
    SELECT d.case_id, 'decision before the term for a statement was over or waived'
      FROM case_decision d JOIN case_event n ON n.case_id = d.case_id AND n.step = 'serve_notice' AND n.seq > d.proposal_seq
     WHERE d.procedure = 'ordinary' AND d.penalty_kind <> 'none'
       AND NOT EXISTS (SELECT 1 FROM case_clock k WHERE k.case_id = d.case_id AND k.basis = 'statement_5wd' AND k.event_seq = n.seq AND k.due_time <= d.decided_time)
       AND NOT EXISTS (SELECT 1 FROM case_event w WHERE w.case_id = d.case_id AND w.step = 'waiver' AND w.seq > n.seq AND w.event_time <= d.decided_time)
    UNION ALL
    SELECT d.case_id, 'decision without the legal review that was due'
      FROM case_decision d JOIN case_proposal p ON p.case_id = d.case_id AND p.seq = d.proposal_seq
     WHERE d.procedure = 'ordinary' AND (p.legal_due OR EXISTS (SELECT 1 FROM case_event h WHERE h.case_id = d.case_id AND h.step = 'hold_hearing'
               AND h.outcome = 'held' AND h.seq > p.seq))
       AND NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = d.case_id AND r.step = 'legal_review' AND r.outcome = 'passed' AND r.seq > p.seq
               AND r.event_time <= d.decided_time)
    UNION ALL
    SELECT d.case_id, 'decision without the discussion that was due'
      FROM case_decision d JOIN case_proposal p ON p.case_id = d.case_id AND p.seq = d.proposal_seq
     WHERE d.procedure = 'ordinary' AND p.discuss_due AND NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = d.case_id AND r.step = 'discuss'
               AND r.outcome = 'agreed' AND r.seq > p.seq AND r.event_time <= d.decided_time)
    UNION ALL
    SELECT d.case_id, 'decision without the hearing that was asked for in time'
      FROM case_decision d
      JOIN case_event q ON q.case_id = d.case_id AND q.step = 'hearing_request' AND q.seq > d.proposal_seq AND q.event_time <= d.decided_time
     WHERE d.penalty_kind <> 'none' AND NOT EXISTS (SELECT 1 FROM case_event h WHERE h.case_id = d.case_id AND h.seq > q.seq
               AND h.step IN ('hold_hearing', 'hearing_withdrawn'))
    UNION ALL
    SELECT e.case_id, 'hearing chaired by an officer of the case'
      FROM case_event e JOIN case_officer o ON o.case_id = e.case_id AND o.subject = e.subject WHERE e.step = 'hold_hearing'
    UNION ALL
    SELECT r.case_id, 'step decided by an officer after the recusal'
      FROM case_recusal r JOIN case_event e ON e.case_id = r.case_id AND e.subject = r.subject AND e.event_time > r.recuse_time AND e.step <> 'late'
    UNION ALL
    SELECT c.case_id, 'case closed with money unpaid that no court was asked for'
      FROM enforcement_case c JOIN case_decision d ON d.case_id = c.case_id
     WHERE c.state = 'CLOSED' AND c.procedure <> 'before' AND c.reverse_time IS NULL
       AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = c.case_id AND a.step = 'court_result')
       AND (SELECT o.owed FROM case_debt(c.case_id, coalesce((SELECT max(p.event_time) FROM case_event p WHERE p.case_id = c.case_id
               AND p.to_state = 'PERFORMED'), c.close_time)) o) > 0
    UNION ALL
    SELECT c.case_id, 'case is ' || c.state || ' but its log ends with ' || e.to_state
      FROM enforcement_case c JOIN LATERAL (SELECT x.to_state FROM case_event x WHERE x.case_id = c.case_id ORDER BY x.seq DESC LIMIT 1) e ON true
     WHERE e.to_state <> c.state
    UNION ALL
    SELECT e.case_id, 'log of the case has a gap before line ' || e.seq
      FROM case_event e LEFT JOIN case_event b ON b.case_id = e.case_id AND b.seq = e.seq - 1
     WHERE e.seq > 1 AND (b.seq IS NULL OR b.to_state <> e.from_state)
    UNION ALL
    SELECT c.case_id, 'case without a line in its log'
      FROM enforcement_case c WHERE NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = c.case_id)
    UNION ALL
    SELECT c.case_id, 'case without the clock of its decision'
      FROM enforcement_case c WHERE c.procedure <> 'before' AND NOT EXISTS (SELECT 1 FROM case_event b WHERE b.case_id = c.case_id AND b.outcome = 'migrated')
       AND NOT EXISTS (SELECT 1 FROM case_event o WHERE o.case_id = c.case_id AND o.step = 'open' AND o.outcome = 'for_approval'
               AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = c.case_id AND a.step = 'case_open' AND a.outcome = 'opened'))
       AND NOT EXISTS (SELECT 1 FROM case_clock k WHERE k.case_id = c.case_id AND k.basis = 'case_90d')
    UNION ALL
    SELECT f.case_id, 'reversed case whose ' || f.kind || ' was not withdrawn'
      FROM enforcement_case c JOIN case_effect f ON f.case_id = c.case_id AND f.kind IN ('list_party', 'publish') AND f.target_id <> ''
     WHERE c.reverse_time IS NOT NULL AND c.state = 'CLOSED' AND NOT EXISTS (SELECT 1 FROM case_effect w WHERE w.case_id = c.case_id
               AND w.kind = CASE f.kind WHEN 'publish' THEN 'withdraw_publication' ELSE 'withdraw_listing' END)
    UNION ALL
    SELECT v.case_id, 'evidence whose chain of custody is broken'
      FROM case_evidence v
     WHERE EXISTS (SELECT 1 FROM case_custody a LEFT JOIN case_custody b ON b.evidence_id = a.evidence_id AND b.seq = a.seq - 1
               WHERE a.evidence_id = v.evidence_id AND a.seq > 1 AND (b.seq IS NULL OR b.to_holder <> a.from_holder))
        OR NOT EXISTS (SELECT 1 FROM case_custody a WHERE a.evidence_id = v.evidence_id AND a.seq = 1 AND a.act = 'collected')
    UNION ALL
    SELECT c.case_id, 'case without a complaint'
      FROM enforcement_case c WHERE NOT EXISTS (SELECT 1 FROM case_complaint a WHERE a.case_id = c.case_id)
    UNION ALL
    SELECT r.measure_id, 'measure done by another agency without its receipt'
      FROM measure_record r JOIN measure_log l ON l.measure_id = r.measure_id
     WHERE l.state = 'done' AND l.receipt_task_id IS NULL AND r.executor_agency_id <> r.decided_agency_id;

CREATE VIEW remedy_violation AS
    SELECT k.case_id AS id, 'clock ' || k.basis || ' still runs in a closed case' AS what
      FROM case_clock_now k JOIN enforcement_case c ON c.case_id = k.case_id
     WHERE c.state = 'CLOSED' AND k.met_time IS NULL AND k.cancel_time IS NULL
       AND k.basis NOT IN ('reconsider_60d', 'litigate_6m', 'litigate_15d', 'withdraw_3wd')
    UNION ALL
    SELECT x.case_id, 'decision was changed to something harsher'
      FROM (SELECT DISTINCT case_id, seq FROM case_change) x WHERE case_change_harsher(x.case_id, x.seq)
    UNION ALL
    SELECT x.case_id, 'change of a decision that no remedy made'
      FROM (SELECT DISTINCT case_id, seq FROM case_change) x
     WHERE NOT EXISTS (SELECT 1 FROM case_remedy_fact f JOIN case_remedy r ON r.remedy_id = f.remedy_id
               WHERE r.case_id = x.case_id AND f.event_seq = x.seq AND f.fact = 'changed')
    UNION ALL
    SELECT r.case_id, 'remission that stands beside no line of the log'
      FROM case_remission r WHERE NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = r.case_id AND e.seq = r.seq AND e.step = 'remit')
    UNION ALL
    SELECT f.case_id, 'late remedy that was decided before it was accepted'
      FROM (SELECT r.case_id, r.remedy_id FROM case_remedy r WHERE r.late_reason <> '') f
     WHERE EXISTS (SELECT 1 FROM case_remedy_fact x WHERE x.remedy_id = f.remedy_id AND x.fact IN ('upheld', 'changed', 'revoked', 'declared_illegal'))
       AND NOT EXISTS (SELECT 1 FROM case_remedy_fact x WHERE x.remedy_id = f.remedy_id AND x.fact = 'accepted')
    UNION ALL
    SELECT e.case_id, 'court asked outside its three months'
      FROM case_event e
     WHERE e.step = 'apply_court' AND e.outcome = 'applied' AND NOT EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
               AND k.basis = 'court_3m' AND k.event_seq < e.seq AND k.due_time >= e.event_time)
    UNION ALL
    SELECT e.case_id, 'case that was not opened and whose reporters were not told'
      FROM case_event e
     WHERE e.step = 'case_open' AND e.to_state = 'CLOSED' AND e.created_at < now() - interval '10 minutes'
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = e.case_id AND f.kind = 'tell_complaints')
    UNION ALL
    SELECT a.case_id, 'caller attributed to a principal by evidence of another case'
      FROM attribution a
     WHERE EXISTS (SELECT 1 FROM unnest(a.evidence_ids) i WHERE NOT EXISTS (SELECT 1 FROM case_evidence v WHERE v.evidence_id = i AND v.case_id = a.case_id))
    UNION ALL
    SELECT DISTINCT v.case_id, 'party of a case that the police have was served without their agreement'
      FROM case_delivery v JOIN case_event t ON t.case_id = v.case_id AND t.to_state = 'TRANSFERRED' AND t.from_state <> 'TRANSFERRED' AND t.created_at < v.created_at
     WHERE NOT EXISTS (SELECT 1 FROM case_event b WHERE b.case_id = v.case_id AND b.seq > t.seq AND b.created_at <= v.created_at
               AND (b.from_state = 'TRANSFERRED' AND b.to_state <> 'TRANSFERRED' OR b.step = 'police_agreed'));
GRANT SELECT ON remedy_violation TO enforcement;
CREATE OR REPLACE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation
    UNION ALL
    SELECT id, what FROM effect_violation
    UNION ALL
    SELECT id, what FROM service_violation
    UNION ALL
    SELECT id, what FROM remedy_violation;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN RAISE EXCEPTION 'cases that a head did not open would have no end: there is no way back'; END $$;
-- +goose StatementEnd
