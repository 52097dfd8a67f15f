-- name: CaseOfParty :one
-- A case for its party, once something was served on it; until the end of the transaction the case stays as it is.
SELECT sqlc.embed(c) FROM enforcement_case c
  JOIN party p ON p.party_id = c.party_id
 WHERE c.case_id = @case_id
   AND @party::text <> '' AND (p.credit_code = @party OR p.credit_code = '' AND c.case_id::text = @party)
   AND (c.notice_time IS NOT NULL OR EXISTS (SELECT 1 FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id
          WHERE v.case_id = c.case_id AND v.result = 'served' AND d.party_id = c.party_id))
   FOR UPDATE OF c;

-- name: CaseOfAgency :one
SELECT * FROM enforcement_case WHERE case_id = @case_id AND agency_id = @agency_id FOR UPDATE;

-- name: CasePartyOf :one
SELECT p.* FROM party p JOIN enforcement_case c ON c.party_id = p.party_id WHERE c.case_id = @case_id;

-- name: SeesCase :one
-- Whether a party, or an agency, may read what the party wrote in a case.
SELECT (EXISTS (
    SELECT 1 FROM enforcement_case c JOIN party p ON p.party_id = c.party_id
     WHERE c.case_id = @case_id AND (
           @agency_id::text <> '' AND c.agency_id = @agency_id
        OR @party::text <> '' AND (p.credit_code = @party OR p.credit_code = '' AND c.case_id::text = @party)
           AND (c.notice_time IS NOT NULL OR EXISTS (SELECT 1 FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id
                  WHERE v.case_id = c.case_id AND v.result = 'served' AND d.party_id = c.party_id)))
))::boolean AS sees;

-- name: PartySince :one
-- Since when the case's party knows of it. What another wrote before, when the case was still another's, is not for it.
SELECT coalesce(min(v.served_time), max(c.notice_time), max(c.open_time))::timestamptz AS since
  FROM enforcement_case c
  LEFT JOIN (case_delivery v JOIN case_document d ON d.document_id = v.document_id) ON v.case_id = c.case_id AND v.result = 'served'
       AND d.party_id = c.party_id
 WHERE c.case_id = @case_id;

-- name: FilingsOf :many
SELECT f.*, ARRAY(SELECT l.file_id FROM case_filing_file l WHERE l.filing_id = f.filing_id ORDER BY 1)::uuid[] AS file_ids
  FROM case_filing f
 WHERE f.case_id = @case_id
   AND (sqlc.narg(since)::timestamptz IS NULL OR f.received_time >= sqlc.narg(since)::timestamptz)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (f.received_time, f.filing_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY f.received_time DESC, f.filing_id DESC
 LIMIT @page_size;

-- name: Filing :one
SELECT f.*, ARRAY(SELECT l.file_id FROM case_filing_file l WHERE l.filing_id = f.filing_id ORDER BY 1)::uuid[] AS file_ids
  FROM case_filing f WHERE f.case_id = @case_id AND f.kind = @kind AND f.filing_id = @filing_id;

-- name: CountFilings :one
-- How much the party wrote in a case already.
SELECT count(*) FROM case_filing WHERE case_id = @case_id;

-- name: AttachFile :execrows
INSERT INTO case_filing_file (filing_id, file_id, case_id)
SELECT @filing_id, f.file_id, f.case_id FROM party_file f WHERE f.file_id = @file_id AND f.case_id = @case_id
    ON CONFLICT DO NOTHING;

-- name: InsertStatement :exec
INSERT INTO case_statement (statement_id, case_id, notice_time, due, due_proof, late, received_time, text_sealed, channel, received_by)
VALUES (@statement_id, @case_id, @notice_time, @due, @due_proof, @late, @received_time, @text_sealed, @channel, @received_by);

-- name: InsertWaiver :exec
INSERT INTO case_waiver (waiver_id, case_id, waived, notice_time, waived_time, channel, received_by)
VALUES (@waiver_id, @case_id, @waived, @notice_time, @waived_time, @channel, @received_by);

-- name: WaiverOf :one
SELECT waiver_id FROM case_waiver WHERE case_id = @case_id AND waived = @waived AND notice_time = @notice_time;

-- name: InsertHearingRequest :exec
INSERT INTO case_hearing_request (hearing_request_id, case_id, notice_time, due, due_proof, asked_time, reason_sealed, channel, received_by)
VALUES (@hearing_request_id, @case_id, @notice_time, @due, @due_proof, @asked_time, @reason_sealed, @channel, @received_by);

-- name: OpenHearingRequest :one
SELECT hearing_request_id, asked_time FROM case_hearing_request WHERE case_id = @case_id AND withdrawn_time IS NULL
 ORDER BY notice_time DESC LIMIT 1;

-- name: WithdrawHearingRequest :exec
UPDATE case_hearing_request SET withdrawn_time = @withdrawn_time, withdrawn_channel = @withdrawn_channel, withdrawn_by = @withdrawn_by
 WHERE hearing_request_id = @hearing_request_id AND withdrawn_time IS NULL;

-- name: InsertConsent :exec
INSERT INTO case_consent (consent_id, case_id, given_time, address_sealed, channel, received_by)
VALUES (@consent_id, @case_id, @given_time, @address_sealed, @channel, @received_by);

-- name: ConsentInForce :one
SELECT consent_id, given_time FROM case_consent WHERE case_id = @case_id AND revoked_time IS NULL;

-- name: RevokeConsent :exec
UPDATE case_consent SET revoked_time = @revoked_time, revoked_channel = @revoked_channel, revoked_by = @revoked_by
 WHERE consent_id = @consent_id AND revoked_time IS NULL;

-- name: ServedDelivery :one
-- The delivery by which a document reached the party.
SELECT v.delivery_id, v.case_id, v.method, v.served_time FROM case_delivery v WHERE v.document_id = @document_id AND v.result = 'served';

-- name: ReceiptOf :one
SELECT delivery_id FROM case_receipt WHERE delivery_id = @delivery_id;

-- name: InsertReceipt :exec
INSERT INTO case_receipt (delivery_id, case_id, signed_time, signer_sealed, channel, received_by)
VALUES (@delivery_id, @case_id, @signed_time, @signer_sealed, @channel, @received_by);

-- name: InsertObjectionToOfficer :exec
INSERT INTO case_objection (objection_id, case_id, officer, ground, text_sealed, objected_time, channel, received_by)
VALUES (@objection_id, @case_id, @officer, @ground, @text_sealed, @objected_time, @channel, @received_by);

-- name: LockObjection :one
SELECT o.objection_id, o.case_id, o.officer, o.objected_time, o.decision FROM case_objection o
  JOIN enforcement_case c ON c.case_id = o.case_id
 WHERE o.objection_id = @objection_id AND c.agency_id = @agency_id
   FOR UPDATE OF o;

-- name: DecideObjection :exec
UPDATE case_objection SET decision = @decision, decision_reason = @decision_reason, decided_by = @decided_by, decided_time = @decided_time
 WHERE objection_id = @objection_id AND decision IS NULL;

-- name: InsertConsentDemand :exec
INSERT INTO consent_demand (demand_id, case_id, document_id, first_month, last_month, demanded_by, demanded_time, due, due_proof,
                            due_statutory, due_provisional)
VALUES (@demand_id, @case_id, @document_id, @first_month, @last_month, @demanded_by, @demanded_time, @due, @due_proof,
        @due_statutory, @due_provisional);

-- name: ConsentDemand :one
SELECT * FROM consent_demand WHERE demand_id = @demand_id;

-- name: DemandedOf :one
-- The party that a demand was made to.
SELECT l.party_id FROM consent_demand d JOIN case_document l ON l.document_id = d.document_id WHERE d.demand_id = @demand_id;

-- name: ConsentDemands :many
SELECT d.*, (u.demand_id IS NOT NULL)::boolean AS unanswered,
       ARRAY(SELECT p.proof_id FROM consent_proof p WHERE p.demand_id = d.demand_id ORDER BY p.answered_time, p.proof_id)::uuid[] AS proof_ids
  FROM consent_demand d
  JOIN case_document l ON l.document_id = d.document_id
  JOIN enforcement_case c ON c.case_id = d.case_id
  JOIN party p ON p.party_id = c.party_id
  LEFT JOIN consent_unanswered u ON u.demand_id = d.demand_id
 WHERE (@agency_id::text <> '' AND c.agency_id = @agency_id
        OR @party::text <> '' AND l.party_id = c.party_id AND (p.credit_code = @party OR p.credit_code = '' AND c.case_id::text = @party))
   AND (sqlc.narg(case_id)::uuid IS NULL OR d.case_id = sqlc.narg(case_id)::uuid)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (d.demanded_time, d.demand_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY d.demanded_time DESC, d.demand_id DESC
 LIMIT @page_size;

-- name: InsertConsentProof :exec
INSERT INTO consent_proof (proof_id, demand_id, case_id, has_records, text_sealed, answered_time, late, channel, received_by)
VALUES (@proof_id, @demand_id, @case_id, @has_records, @text_sealed, @answered_time, @late, @channel, @received_by);

-- name: SettleConsentDemands :many
-- Demands whose term ran out without an answer in time: recorded once, as a fact against the party.
WITH missed AS (
    INSERT INTO consent_unanswered (demand_id, recorded_time)
    SELECT d.demand_id, @at FROM consent_demand d
     WHERE d.due < @at
       AND NOT EXISTS (SELECT 1 FROM consent_unanswered u WHERE u.demand_id = d.demand_id)
       AND NOT EXISTS (SELECT 1 FROM consent_proof p WHERE p.demand_id = d.demand_id AND NOT p.late)
     ORDER BY d.due LIMIT 500
        ON CONFLICT DO NOTHING
    RETURNING demand_id)
SELECT DISTINCT d.case_id FROM consent_demand d JOIN missed m ON m.demand_id = d.demand_id;

-- name: InsertPaymentClaim :exec
INSERT INTO case_payment_claim (claim_id, case_id, amount_fen, paid_on, received_time, channel, received_by)
VALUES (@claim_id, @case_id, @amount_fen, @paid_on, @received_time, @channel, @received_by);

-- name: FilesOfCase :one
SELECT count(*)::bigint AS files, coalesce(sum(size_bytes), 0)::bigint AS size FROM party_file WHERE case_id = @case_id;

-- name: InsertPartyFile :exec
INSERT INTO party_file (file_id, case_id, name_sealed, media_type, content_sealed, sha256, size_bytes, received_time, channel, received_by)
VALUES (@file_id, @case_id, @name_sealed, @media_type, @content_sealed, @sha256, @size_bytes, @received_time, @channel, @received_by);

-- name: LogPartyFile :exec
INSERT INTO party_file_log (file_id, deed, done_by, purpose, done_time) VALUES (@file_id, @deed, @done_by, @purpose, @done_time);

-- name: PartyFile :one
SELECT * FROM party_file WHERE file_id = @file_id;

-- name: TermOfParty :one
-- The party's term as the clock of the case has it.
SELECT due_time, proof FROM case_clock_now
 WHERE case_id = @case_id AND basis = @basis AND start_time = sqlc.arg(start)::timestamptz
 ORDER BY event_seq DESC LIMIT 1;

-- name: ElectronicSince :one
-- Whether something was delivered electronically after a time.
SELECT (EXISTS (SELECT 1 FROM case_delivery WHERE case_id = @case_id AND method = 'electronic' AND served_time > @at::timestamptz))::boolean AS some;
