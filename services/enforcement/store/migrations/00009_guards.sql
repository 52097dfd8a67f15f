-- The guards of the procedure: what the law wants before a line of the log may be written, and what the line does to the
-- case. They are asked whoever writes; the service asks the same first and answers in better words. An event is judged by
-- what was known at its time: a decision that was taken before a request came in stands.

-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION case_refuse(article text, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: %', article, what USING ERRCODE = 'QL001';
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Officers in office at a time, of the agency that has the case.
CREATE FUNCTION case_officers_at(of_case uuid, at timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM case_officer o JOIN enforcement_case c ON c.case_id = o.case_id
     WHERE o.case_id = of_case AND o.agency_id = c.agency_id AND o.appoint_time <= at
       AND NOT EXISTS (SELECT 1 FROM case_recusal r WHERE r.case_id = o.case_id AND r.subject = o.subject AND r.recuse_time <= at)
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- People: qualified officers, two at least; who investigates neither reviews, chairs, nor signs (行政处罚法 42, 43, 57, 58, 64).
CREATE FUNCTION case_guard_people(e case_event) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    officer boolean := EXISTS (SELECT 1 FROM case_officer o WHERE o.case_id = e.case_id AND o.subject = e.subject);
BEGIN
    IF EXISTS (SELECT 1 FROM case_recusal r WHERE r.case_id = e.case_id AND r.subject = e.subject AND r.recuse_time <= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第四十三条', 'a recused officer decides no step of the case');
    END IF;
    IF e.step IN ('investigate', 'onspot') AND NOT officer THEN
        PERFORM case_refuse('行政处罚法 第四十二条', 'only an appointed officer investigates');
    END IF;
    IF (e.step IN ('investigate', 'onspot', 'serve_notice') OR (e.step = 'appoint') OR e.to_state = 'DECIDED')
       AND case_officers_at(e.case_id, e.event_time) < 2 THEN
        PERFORM case_refuse('行政处罚法 第四十二条', 'a case needs two qualified officers at least');
    END IF;
    IF e.step = 'appoint' AND EXISTS (SELECT 1 FROM case_event j JOIN case_officer o ON o.case_id = j.case_id
           AND (o.subject = j.subject AND j.step IN ('case_review', 'legal_review', 'discuss', 'case_sign', 'hold_hearing', 'transfer_approve', 'extend_sign')
             OR o.subject = j.chair AND j.step = 'announce_hearing' OR o.subject = ANY (j.participants) AND j.step = 'discuss')
           WHERE j.case_id = e.case_id) THEN
        PERFORM case_refuse('行政处罚法 第五十七条、第六十四条', 'who reviewed the case or chairs its hearing does not investigate it');
    END IF;
    IF e.step = 'discuss' AND EXISTS (SELECT 1 FROM case_officer o WHERE o.case_id = e.case_id AND o.subject = ANY (e.participants)) THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'who investigates the case does not take part in deciding it');
    END IF;
    IF e.step IN ('case_review', 'legal_review', 'discuss', 'case_sign', 'hold_hearing', 'transfer_approve', 'extend_sign') AND officer THEN
        PERFORM case_refuse(CASE e.step WHEN 'hold_hearing' THEN '行政处罚法 第六十四条' WHEN 'legal_review' THEN '行政处罚法 第五十八条'
            ELSE '行政处罚法 第五十七条' END, 'who investigates the case must not take this step');
    END IF;
    IF e.step = 'announce_hearing' AND (e.chair = '' OR EXISTS (SELECT 1 FROM case_officer o
           WHERE o.case_id = e.case_id AND o.subject = e.chair)) THEN
        PERFORM case_refuse('行政处罚法 第六十四条', 'the hearing is chaired by one who did not investigate the case');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A review that is due is there: legal review after the proposal and after a hearing, discussion by three (行政处罚法 57, 58).
CREATE FUNCTION case_guard_reviews(e case_event, p case_proposal) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held int := (SELECT max(h.seq) FROM case_event h WHERE h.case_id = e.case_id AND h.step = 'hold_hearing' AND h.outcome = 'held'
                    AND h.seq > p.seq);
BEGIN
    IF NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = e.case_id AND r.seq > p.seq AND r.step = 'case_review' AND r.outcome = 'approved') THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'the proposal was not reviewed');
    END IF;
    IF (p.legal_due OR held IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = e.case_id
           AND r.seq > greatest(p.seq, coalesce(held, 0)) AND r.step = 'legal_review' AND r.outcome = 'passed' AND r.qualification_no <> '') THEN
        PERFORM case_refuse('行政处罚法 第五十八条', 'no decision without legal review');
    END IF;
    IF p.discuss_due AND NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = e.case_id AND r.seq > p.seq AND r.step = 'discuss'
           AND r.outcome = 'agreed' AND cardinality(r.participants) >= 3) THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'no decision without collective discussion');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A term of the notice is over: it has a clock, and no clock of it still runs.
CREATE FUNCTION case_term_over(e case_event, term text, notice int) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(bool_and(k.due_time <= e.event_time), false) FROM case_clock_now k
     WHERE k.case_id = e.case_id AND k.basis = term AND k.event_seq = notice
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The party was told, had its time, was answered and heard (行政处罚法 44, 45, 62, 63, 64).
CREATE FUNCTION case_guard_heard(e case_event, p case_proposal) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ns int := (SELECT max(n.seq) FROM case_event n WHERE n.case_id = e.case_id AND n.step = 'serve_notice' AND n.outcome = 'served' AND n.seq > p.seq);
BEGIN
    IF ns IS NULL OR NOT EXISTS (SELECT 1 FROM case_notice n WHERE n.case_id = e.case_id AND n.proposal_seq = p.seq AND n.served_time <= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第四十四条、第四十五条、第六十二条', 'no decision without a notice of it served before');
    END IF;
    IF NOT case_term_over(e, 'statement_5wd', ns)
       AND NOT EXISTS (SELECT 1 FROM case_event w WHERE w.case_id = e.case_id AND w.step = 'waiver' AND w.seq > ns AND w.event_time <= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第四十五条', 'the term for a statement is not over and was not waived');
    END IF;
    IF EXISTS (SELECT 1 FROM case_event s WHERE s.case_id = e.case_id AND s.step = 'statement' AND s.outcome = 'in_time' AND s.seq > ns AND s.event_time <= e.event_time
           AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id AND a.step = 'answer_statement' AND a.seq > s.seq)) THEN
        PERFORM case_refuse('行政处罚法 第四十五条', 'the statement of the party was not answered');
    END IF;
    IF EXISTS (SELECT 1 FROM case_event q WHERE q.case_id = e.case_id AND q.step = 'hearing_request' AND q.seq > ns AND q.event_time <= e.event_time
           AND NOT EXISTS (SELECT 1 FROM case_event h WHERE h.case_id = e.case_id AND h.seq > q.seq AND h.step IN ('hold_hearing', 'hearing_withdrawn'))) THEN
        PERFORM case_refuse('行政处罚法 第六十三条、第六十四条', 'the hearing that the party rightly asked for was not held');
    END IF;
    IF p.hearing_due AND NOT case_term_over(e, 'hearing_request_5wd', ns)
       AND NOT EXISTS (SELECT 1 FROM case_event w WHERE w.case_id = e.case_id AND w.step IN ('hearing_waiver', 'hold_hearing', 'hearing_withdrawn') AND w.seq > ns
           AND w.event_time <= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第六十四条', 'the term in which a hearing may be asked for is not over and was not waived');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A decision after a defence is not harsher than what the party defended itself against (行政处罚法 45).
CREATE FUNCTION case_guard_not_harsher(p case_proposal) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before int := (SELECT max(n.proposal_seq) FROM case_notice n WHERE n.case_id = p.case_id AND n.proposal_seq < p.seq
                      AND EXISTS (SELECT 1 FROM case_event d WHERE d.case_id = p.case_id AND d.step IN ('statement', 'hearing_request')
                                     AND d.seq > n.proposal_seq AND d.seq < p.seq));
    onspot int := (SELECT max(s.seq) FROM case_proposal s WHERE s.case_id = p.case_id AND s.seq < p.seq AND s.kind = 'simplified'
                      AND EXISTS (SELECT 1 FROM case_event d WHERE d.case_id = p.case_id AND d.step = 'onspot' AND d.outcome = 'ordinary'
                                     AND d.statement_heard AND d.seq > s.seq AND d.seq < p.seq));
BEGIN
    before := greatest(before, onspot);
    IF before IS NOT NULL AND (case_harshness(p.case_id, p.seq, 'fine') > case_harshness(p.case_id, before, 'fine')
         OR case_harshness(p.case_id, p.seq, 'confiscation') > case_harshness(p.case_id, before, 'confiscation')
         OR case_harshness(p.case_id, p.seq, 'rank') > case_harshness(p.case_id, before, 'rank')
         OR case_harshness(p.case_id, p.seq, 'kinds') > case_harshness(p.case_id, before, 'kinds')) THEN
        PERFORM case_refuse('行政处罚法 第四十五条', 'a penalty must not be harsher because the party defended itself');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- How harsh a proposal is: the sum of a kind of money, or the rank of its harshest kind (行政处罚法 9).
CREATE FUNCTION case_harshness(of_case uuid, of_seq int, what text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(CASE what WHEN 'kinds' THEN count(*) WHEN 'rank' THEN max(array_position(ARRAY['warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation'], kind))
                    ELSE sum(amount_fen) FILTER (WHERE kind = what) END, 0)
      FROM case_penalty WHERE case_id = of_case AND seq = of_seq
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The decision: whose proposal it is, who signed it, and that all before it is there.
CREATE FUNCTION case_guard_decision(e case_event, c enforcement_case) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p case_proposal;
    d case_decision;
    most bigint;
BEGIN
    SELECT * INTO p FROM case_proposal x WHERE x.case_id = e.case_id ORDER BY x.seq DESC LIMIT 1;
    SELECT * INTO d FROM case_decision x WHERE x.case_id = e.case_id;
    IF p.case_id IS NULL OR d.case_id IS NULL OR d.proposal_seq IS DISTINCT FROM p.seq OR d.proposed_by <> p.proposed_by
       OR d.signed_by <> e.subject || '@' || e.agency_id THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'a decision is that of the last proposal and of who signs it');
    END IF;
    IF e.step = 'onspot' THEN
        SELECT amount_fen INTO most FROM case_policy y JOIN party t ON t.party_id = c.party_id
         WHERE y.code = 'simplified_fine_most' AND y.party_kind = CASE WHEN t.person THEN 'person' ELSE 'firm' END
           AND y.valid_from <= e.event_time AND (y.valid_to IS NULL OR y.valid_to > e.event_time);
        IF p.kind <> 'simplified' OR d.procedure <> 'simplified' OR case_harshness(p.case_id, p.seq, 'fine') > coalesce(most, 0)
           OR EXISTS (SELECT 1 FROM case_penalty x WHERE x.case_id = p.case_id AND x.seq = p.seq AND x.kind NOT IN ('warning', 'fine')) THEN
            PERFORM case_refuse('行政处罚法 第五十一条', 'the simplified procedure is for a warning or a small fine only');
        END IF;
        IF NOT e.statement_heard THEN
            PERFORM case_refuse('行政处罚法 第四十四条、第四十五条', 'the party is told and heard on the spot too');
        END IF;
        IF d.proposed_by = d.signed_by OR d.reviewed_by <> d.signed_by OR NOT EXISTS (SELECT 1 FROM case_officer o WHERE o.case_id = e.case_id
               AND o.subject <> e.subject AND o.subject = ANY (e.participants)) THEN
            PERFORM case_refuse('行政处罚法 第四十二条、第五十一条、第五十二条', 'two officers punish on the spot, each by an act of his own');
        END IF;
        RETURN;
    END IF;
    IF p.kind <> (CASE e.to_state WHEN 'NO_PENALTY' THEN 'no_penalty' ELSE 'proposed' END)
       OR (e.to_state = 'NO_PENALTY') <> (d.penalty_kind = 'none') OR d.procedure <> 'ordinary' THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'the decision is not what was proposed');
    END IF;
    IF e.to_state = 'DECIDED' THEN
        PERFORM case_guard_heard(e, p);
        PERFORM case_guard_not_harsher(p);
    END IF;
    PERFORM case_guard_reviews(e, p);
    IF NOT EXISTS (SELECT 1 FROM case_event r WHERE r.case_id = e.case_id AND r.seq > p.seq AND r.step = 'case_review' AND r.outcome = 'approved'
           AND r.subject || '@' || r.agency_id = d.reviewed_by AND r.subject <> e.subject) THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'proposer, reviewer and signer are three people');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Delivery, performance, enforcement (行政处罚法 61, 66, 67, 72; 行政强制法 53, 54).
CREATE FUNCTION case_guard_after(e case_event, c enforcement_case) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p int := (SELECT d.proposal_seq FROM case_decision d WHERE d.case_id = e.case_id);
    owed bigint := case_harshness(e.case_id, p, 'fine') + case_harshness(e.case_id, p, 'confiscation');
    paid bigint := (SELECT coalesce(sum(y.amount_fen), 0) FROM case_payment y WHERE y.case_id = e.case_id);
BEGIN
    IF e.step = 'deliver' AND e.outcome = 'delivered' AND e.method = 'electronic' AND e.document_id = '' THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'electronic delivery needs the signed consent of the party');
    ELSIF e.step = 'deliver' AND e.outcome = 'delivered' AND e.method = 'public_notice' AND NOT EXISTS (SELECT 1 FROM case_event t
           WHERE t.case_id = e.case_id AND t.step = 'deliver' AND t.outcome = 'not_delivered') THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'public notice is for what could not be delivered otherwise');
    ELSIF e.step = 'deliver' AND e.method = '' THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'how the decision was delivered must be said');
    ELSIF e.from_state = 'DELIVERED' AND e.to_state = 'CLOSED' AND EXISTS (SELECT 1 FROM case_penalty x WHERE x.case_id = e.case_id AND x.seq = p
           AND x.kind NOT IN ('warning', 'criticism')) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'the case is not closed before the penalty is performed');
    ELSIF e.to_state = 'PERFORMED' AND paid < owed THEN
        PERFORM case_refuse('行政处罚法 第六十七条', 'not all is paid');
    ELSIF e.step = 'confirm_performance' AND e.outcome = 'unperformed' AND NOT EXISTS (SELECT 1 FROM case_clock_now k
           WHERE k.case_id = e.case_id AND k.basis = 'perform_15d' AND k.due_time <= e.event_time) THEN
        PERFORM case_refuse('行政处罚法 第六十七条', 'the term for payment is not over');
    ELSIF e.step = 'confirm_performance' AND e.outcome = 'instalments' AND NOT EXISTS (SELECT 1 FROM party_file f
           WHERE f.case_id = e.case_id AND f.file_id::text = lower(e.document_id)) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'instalments are granted on the application of the party');
    ELSIF e.step = 'instalments_sign' AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id AND a.step = 'confirm_performance'
           AND a.outcome = 'instalments' AND a.subject <> e.subject
           AND a.seq > (SELECT coalesce(max(s.seq), 0) FROM case_event s WHERE s.case_id = e.case_id AND s.step = 'instalments_sign')) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'the head grants a plan that another put forward');
    ELSIF e.to_state = 'DEMANDED' AND e.from_state = 'PERFORMING' AND NOT EXISTS (SELECT 1 FROM case_event u WHERE u.case_id = e.case_id
           AND u.step = 'confirm_performance' AND u.outcome = 'unperformed') THEN
        PERFORM case_refuse('行政强制法 第五十四条', 'a demand follows what was found not performed');
    ELSIF e.step = 'apply_court' AND e.outcome = 'applied' AND (NOT EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
           AND k.basis = 'demand_10d' AND k.due_time <= e.event_time AND k.cancel_time IS NULL)) THEN
        PERFORM case_refuse('行政强制法 第五十四条', 'ten days after the demand are not over');
    ELSIF e.step = 'apply_court' AND e.outcome = 'applied' AND EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
           AND k.basis = 'litigate_6m' AND k.due_time > e.event_time AND k.cancel_time IS NULL) THEN
        PERFORM case_refuse('行政强制法 第五十三条', 'the time for reconsideration and suit is not over');
    ELSIF e.to_state = 'ENFORCED' AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id AND a.step = 'apply_court' AND a.outcome = 'applied') THEN
        PERFORM case_refuse('行政强制法 第五十三条', 'nothing is enforced that the court was not asked for');
    END IF;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Side ways: hearing, transfer, reversal.
CREATE FUNCTION case_guard_sideways(e case_event) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF e.step = 'serve_notice' AND NOT EXISTS (SELECT 1 FROM case_proposal p WHERE p.case_id = e.case_id AND p.kind = 'proposed'
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
           WHERE r.case_id = e.case_id AND f.fact IN ('changed', 'revoked', 'declared_illegal')) THEN
        PERFORM case_refuse('行政处罚法 第四十八条', 'nothing reversed the decision');
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
CREATE FUNCTION case_event_moves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
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
        reopened = reopened + CASE WHEN NEW.from_state = 'CLOSED' AND (NEW.to_state = 'REVERSED' OR (NEW.step = 'request' AND NEW.outcome = 'reverse'))
            THEN 1 ELSE 0 END,
        reverse_time = CASE WHEN NEW.to_state = 'REVERSED' THEN coalesce(reverse_time, NEW.event_time) ELSE reverse_time END,
        procedure = CASE WHEN NEW.step = 'onspot' AND NEW.to_state <> NEW.from_state THEN 'simplified'
            WHEN NEW.step = 'open' THEN 'ordinary' ELSE procedure END,
        agency_id = CASE WHEN NEW.step = 'designate_case' AND NEW.other_agency_id <> '' THEN NEW.other_agency_id ELSE agency_id END,
        transferred_to = CASE WHEN NEW.to_state = 'TRANSFERRED' AND NEW.step = 'transfer_send' THEN NEW.other_agency_id ELSE transferred_to END,
        effective_outcome = CASE
            WHEN effective_outcome <> '' THEN effective_outcome
            WHEN NEW.to_state = 'DELIVERED' THEN 'penalty'
            WHEN NEW.to_state = 'NO_PENALTY' THEN 'no_penalty'
            WHEN NEW.to_state = 'TRANSFERRED' THEN 'transferred'
            WHEN NEW.step = 'before' AND NEW.to_state = 'CLOSED' THEN (SELECT CASE d.penalty_kind WHEN 'none' THEN 'no_penalty' ELSE 'penalty' END
                 FROM case_decision d WHERE d.case_id = NEW.case_id)
            ELSE '' END
     WHERE case_id = NEW.case_id;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_event_moves BEFORE INSERT ON case_event FOR EACH ROW EXECUTE FUNCTION case_event_moves();

-- +goose StatementBegin
-- A new case is opened by the first line of its log; a row with another state was never a case.
CREATE FUNCTION case_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'OPENED' OR NEW.procedure <> 'ordinary' OR NEW.notice_time IS NOT NULL OR NEW.effective_outcome <> '' THEN
        PERFORM case_refuse('行政处罚法 第五十四条', 'a case begins with its opening');
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_begins BEFORE INSERT ON enforcement_case FOR EACH ROW EXECUTE FUNCTION case_begins();

-- +goose StatementBegin
-- A decision without the line of the log that signs it is none.
CREATE FUNCTION case_decision_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = NEW.case_id AND e.to_state IN ('DECIDED', 'NO_PENALTY')
                      AND (e.task_id = NEW.signing_task_id OR e.step = 'before')) THEN
        PERFORM case_refuse('行政处罚法 第五十七条', 'a decision stands in the log of its case');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER case_decision_signed AFTER INSERT ON case_decision DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION case_decision_signed();

-- +goose Down
DROP TRIGGER case_decision_signed ON case_decision;
DROP TRIGGER case_begins ON enforcement_case;
DROP TRIGGER case_event_moves ON case_event;
DROP FUNCTION case_decision_signed(), case_begins(), case_event_moves();
DROP FUNCTION case_guard_sideways(case_event), case_guard_after(case_event, enforcement_case), case_guard_decision(case_event, enforcement_case),
    case_guard_not_harsher(case_proposal), case_guard_heard(case_event, case_proposal), case_term_over(case_event, text, int), case_guard_reviews(case_event, case_proposal),
    case_guard_people(case_event), case_officers_at(uuid, timestamptz), case_harshness(uuid, int, text), case_refuse(text, text);
