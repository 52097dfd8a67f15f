-- name: CasePerson :one
SELECT p.person FROM enforcement_case c JOIN party p ON p.party_id = c.party_id WHERE c.case_id = @case_id;

-- name: EventsOf :many
SELECT * FROM case_event WHERE case_id = @case_id ORDER BY seq;

-- name: InsertEvent :exec
INSERT INTO case_event (case_id, seq, from_state, to_state, step, outcome, task_id, plan_key, subject, agency_id, event_time, article,
                        reason_code, note, method, served_time, document_id, hearing_time, place, chair, participants,
                        qualification_no, record_hash, receipt_no, other_agency_id, statement_heard, chair_name)
VALUES (@case_id, @seq, @from_state, @to_state, @step, @outcome, @task_id, @plan_key, @subject, @agency_id, @event_time, @article,
        @reason_code, @note, @method, @served_time, @document_id, @hearing_time, @place, @chair, @participants,
        @qualification_no, @record_hash, @receipt_no, @other_agency_id, @statement_heard, @chair_name);

-- name: OfficersOf :many
SELECT o.case_id, o.subject, o.agency_id, o.qualification_no, o.name, o.appoint_time, r.recuse_time, coalesce(r.reason, '')::text AS recuse_reason
  FROM case_officer o
  LEFT JOIN case_recusal r ON r.case_id = o.case_id AND r.subject = o.subject
 WHERE o.case_id = @case_id
 ORDER BY o.appoint_time, o.subject;

-- name: InsertOfficer :exec
INSERT INTO case_officer (case_id, subject, agency_id, qualification_no, name, appoint_time)
VALUES (@case_id, @subject, @agency_id, @qualification_no, @name, @appoint_time) ON CONFLICT DO NOTHING;

-- name: InsertRecusal :exec
INSERT INTO case_recusal (case_id, subject, reason, decided_by, recuse_time)
VALUES (@case_id, @subject, @reason, @decided_by, @recuse_time);

-- name: ProposalsOf :many
SELECT * FROM case_proposal WHERE case_id = @case_id ORDER BY seq;

-- name: PenaltiesOf :many
SELECT * FROM case_penalty WHERE case_id = @case_id ORDER BY seq, n;

-- name: InsertProposal :exec
INSERT INTO case_proposal (case_id, seq, kind, proposed_by, no_penalty_ground, act_end_time, discover_time, discover_basis, gains_fen, serious,
                           egregious, complex_or_major, major_public_interest, third_party_interest, findings, evidence_ids,
                           hearing_due, legal_due, discuss_due, warnings, detail, address_sealed)
VALUES (@case_id, @seq, @kind, @proposed_by, @no_penalty_ground, @act_end_time, @discover_time, @discover_basis, @gains_fen, @serious,
        @egregious, @complex_or_major, @major_public_interest, @third_party_interest, @findings, @evidence_ids,
        @hearing_due, @legal_due, @discuss_due, @warnings, @detail, @address_sealed);

-- name: InsertPenalty :exec
INSERT INTO case_penalty (case_id, seq, n, kind, amount_fen, basis, catalogue_code, list_party, publish)
VALUES (@case_id, @seq, @n, @kind, @amount_fen, @basis, @catalogue_code, @list_party, @publish);

-- name: NoticesOf :many
SELECT * FROM case_notice WHERE case_id = @case_id ORDER BY served_time, task_id;

-- name: InsertNotice :exec
INSERT INTO case_notice (case_id, task_id, served_time, method, proposal_seq, hearing_offered, document_id)
VALUES (@case_id, @task_id, @served_time, @method, @proposal_seq, @hearing_offered, @document_id)
ON CONFLICT (case_id, task_id) DO NOTHING;

-- name: InsertSignedDecision :exec
INSERT INTO case_decision (case_id, penalty_kind, amount_fen, basis, list_party, publish, proposed_by, reviewed_by, signed_by,
                           signing_task_id, notice_time, decided_time, procedure, proposal_seq, no_penalty_ground)
VALUES (@case_id, @penalty_kind, @amount_fen, @basis, @list_party, @publish, @proposed_by, @reviewed_by, @signed_by,
        @signing_task_id, @notice_time, @decided_time, @procedure, @proposal_seq, @no_penalty_ground);

-- name: InsertClock :exec
INSERT INTO case_clock (clock_id, case_id, basis, source, profile, event_seq, subject_id, start_time, due_time, statutory_due, proof,
                        provisional, reckoning)
VALUES (@clock_id, @case_id, @basis, @source, @profile, @event_seq, @subject_id, @start_time, @due_time, @statutory_due, @proof,
        @provisional, @reckoning)
ON CONFLICT (case_id, basis, event_seq, subject_id) DO NOTHING;

-- name: ClocksOf :many
SELECT clock_id, basis, source, profile, event_seq, subject_id, start_time, due_time, statutory_due, proof, provisional, reckoning, acts
  FROM case_clock_now WHERE case_id = @case_id ORDER BY start_time, clock_id;

-- name: ClockActsOf :many
SELECT a.* FROM case_clock_act a JOIN case_clock k ON k.clock_id = a.clock_id WHERE k.case_id = @case_id ORDER BY a.clock_id, a.n;

-- name: InsertClockAct :exec
INSERT INTO case_clock_act (clock_id, n, kind, act_time, reason, basis, days, signed_by, due_time, statutory_due, proof, provisional, reckoning)
VALUES (@clock_id, @n, @kind, @act_time, @reason, @basis, @days, @signed_by, @due_time, @statutory_due, @proof, @provisional, @reckoning);

-- name: EffectsOf :many
SELECT * FROM case_effect WHERE case_id = @case_id ORDER BY done_time, key;

-- name: InsertEffect :exec
INSERT INTO case_effect (case_id, key, kind, target_id, result, done_time)
VALUES (@case_id, @key, @kind, @target_id, @result, @done_time) ON CONFLICT (case_id, key) DO NOTHING;

-- name: RemediesOf :many
SELECT r.remedy_id, r.kind, r.file_time, r.file_due, r.late_reason, f.fact, f.fact_time, f.document_no, f.n, f.event_seq
  FROM case_remedy r JOIN case_remedy_fact f ON f.remedy_id = r.remedy_id
 WHERE r.case_id = @case_id
 ORDER BY r.file_time, r.remedy_id, f.n;

-- name: InsertRemedy :exec
INSERT INTO case_remedy (remedy_id, case_id, kind, file_time, file_due, late_reason)
VALUES (@remedy_id, @case_id, @kind, @file_time, @file_due, @late_reason);

-- name: InsertRemedyFact :exec
INSERT INTO case_remedy_fact (remedy_id, n, fact, fact_time, document_no, recorded_by, event_seq)
VALUES (@remedy_id, @n, @fact, @fact_time, @document_no, @recorded_by, @event_seq);

-- name: PaymentsOf :many
SELECT * FROM case_payment WHERE case_id = @case_id ORDER BY paid_time, payment_id;

-- name: InsertPayment :exec
INSERT INTO case_payment (payment_id, case_id, amount_fen, paid_time, receipt_no, recorded_by, event_seq)
VALUES (@payment_id, @case_id, @amount_fen, @paid_time, @receipt_no, @recorded_by, @event_seq);

-- name: InstalmentsOf :many
SELECT * FROM case_instalment WHERE case_id = @case_id ORDER BY seq, n;

-- name: InsertInstalment :exec
INSERT INTO case_instalment (case_id, seq, n, due_time, amount_fen) VALUES (@case_id, @seq, @n, @due_time, @amount_fen);

-- name: FileIsOfCase :one
SELECT EXISTS (SELECT 1 FROM party_file WHERE case_id = @case_id AND file_id = @file_id);

-- name: CountEvidence :one
SELECT count(*) FROM case_evidence WHERE case_id = @case_id AND evidence_id = ANY (@evidence_ids::uuid[]);

-- name: LateDayBegun :one
-- Whether a late day that has begun counts as one, by the policy of when the decision was delivered; none is: no.
SELECT coalesce((SELECT y.amount_fen > 0 FROM enforcement_case c JOIN party t ON t.party_id = c.party_id
   JOIN case_policy y ON y.code = 'late_day_begun' AND y.party_kind = CASE WHEN t.person THEN 'person' ELSE 'firm' END
    AND y.valid_from <= c.deliver_time AND (y.valid_to IS NULL OR y.valid_to > c.deliver_time)
  WHERE c.case_id = @case_id), false)::boolean AS begun;

-- name: CasePolicy :one
SELECT amount_fen, source FROM case_policy
 WHERE code = @code AND party_kind = @party_kind AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: DecisionDues :many
-- When each case is to be decided, with pauses and extensions.
SELECT case_id, statutory_due::timestamptz AS statutory_due FROM case_clock_now WHERE basis = 'case_90d' AND case_id = ANY (@case_ids::uuid[])
 ORDER BY case_id, event_seq;
