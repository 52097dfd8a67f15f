-- What the guards and the rules forbid, asked again of the rows without trusting either. Cases of before have fewer rules.

-- +goose Up
CREATE OR REPLACE VIEW violation AS
    SELECT c.case_id AS id, ('case without decision is ' || c.state)::text AS what
      FROM enforcement_case c
     WHERE c.state IN ('DECIDED', 'DELIVERED', 'PERFORMING', 'PERFORMED', 'DEMANDED', 'ENFORCED', 'NO_PENALTY', 'REVERSED')
       AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
    UNION ALL
    SELECT c.case_id, 'case closed without decision that no police took'
      FROM enforcement_case c
     WHERE c.state = 'CLOSED' AND c.transferred_to = '' AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
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
       AND (SELECT coalesce(sum(p.amount_fen), 0) FROM case_penalty p WHERE p.case_id = d.case_id AND p.seq = d.proposal_seq)
         > (SELECT coalesce(sum(y.amount_fen), 0) FROM case_payment y WHERE y.case_id = c.case_id)
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
GRANT SELECT ON violation TO enforcement;

-- +goose Down
CREATE OR REPLACE VIEW violation AS
    SELECT c.case_id AS id, ('case without decision is ' || c.state)::text AS what
      FROM enforcement_case c
     WHERE c.state IN ('DECIDED', 'CLOSED') AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
    UNION ALL
    SELECT c.case_id, 'case with a decision is ' || c.state
      FROM enforcement_case c JOIN case_decision d ON d.case_id = c.case_id
     WHERE c.state NOT IN ('DECIDED', 'CLOSED')
    UNION ALL
    SELECT d.case_id, 'penalty without a notice served before it'
      FROM case_decision d JOIN enforcement_case c ON c.case_id = d.case_id
     WHERE d.penalty_kind <> 'none' AND (c.notice_time IS NULL OR c.notice_time > d.decided_time)
    UNION ALL
    SELECT d.case_id, 'penalty that does not stand on the last notice before it'
      FROM case_decision d
     WHERE d.penalty_kind <> 'none' AND d.notice_time IS DISTINCT FROM
           (SELECT max(n.served_time) FROM case_notice n WHERE n.case_id = d.case_id)
    UNION ALL
    SELECT d.case_id, 'decision whose proposer, reviewer and signer are not three people'
      FROM case_decision d
     WHERE d.proposed_by = d.reviewed_by OR d.reviewed_by = d.signed_by OR d.proposed_by = d.signed_by
    UNION ALL
    SELECT c.case_id, 'case without a complaint'
      FROM enforcement_case c WHERE NOT EXISTS (SELECT 1 FROM case_complaint a WHERE a.case_id = c.case_id)
    UNION ALL
    SELECT r.measure_id, 'measure done by another agency without its receipt'
      FROM measure_record r JOIN measure_log l ON l.measure_id = r.measure_id
     WHERE l.state = 'done' AND l.receipt_task_id IS NULL AND r.executor_agency_id <> r.decided_agency_id;
