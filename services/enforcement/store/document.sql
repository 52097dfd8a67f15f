-- name: OfficeOf :one
SELECT * FROM office WHERE agency_id = @agency_id AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: EndOffice :exec
UPDATE office SET valid_to = @at WHERE agency_id = @agency_id AND valid_to IS NULL;

-- name: InsertOffice :exec
INSERT INTO office (agency_id, name, short, review_body, court, contact, to_confirm, valid_from, address, telephone, department, payment, put_by)
VALUES (@agency_id, @name, @short, @review_body, @court, @contact, false, @valid_from, @address, @telephone, @department, @payment, @put_by);

-- name: ShortTaken :one
-- Whether a word, with any kind of document or a case behind it, makes a number of another office.
SELECT (EXISTS (SELECT 1 FROM office o
     CROSS JOIN (SELECT word FROM document_kind UNION SELECT '案') a CROSS JOIN (SELECT word FROM document_kind UNION SELECT '案') b
     WHERE o.agency_id <> @agency_id AND o.short || a.word = @short::text || b.word))::boolean AS taken;

-- name: DocumentKind :one
SELECT * FROM document_kind WHERE kind = @kind;

-- name: DocumentTemplate :one
-- The template in force: the agency's own before the one for all, the last put before earlier ones.
SELECT * FROM document_template
 WHERE kind = @kind AND agency_id IN ('', @agency_id) AND valid_from <= @at
 ORDER BY agency_id DESC, valid_from DESC, version DESC
 LIMIT 1;

-- name: NextTemplateVersion :one
SELECT coalesce(max(version), 0)::int + 1 AS next FROM document_template WHERE kind = @kind AND agency_id = @agency_id;

-- name: InsertTemplate :exec
INSERT INTO document_template (kind, agency_id, version, body, sha256, valid_from, put_by)
VALUES (@kind, @agency_id, @version, @body, @sha256, @valid_from, @put_by);

-- name: NextDocumentNumber :one
INSERT INTO document_number (agency_id, kind, year, last) VALUES (@agency_id, @kind, @year, 1)
    ON CONFLICT (agency_id, kind, year) DO UPDATE SET last = document_number.last + 1
RETURNING last;

-- name: InsertDocument :exec
INSERT INTO case_document (document_id, case_id, party_id, agency_id, kind, document_no, template_version, template_sha256, content_sealed,
                           sha256, size_bytes, for_party, hearing_granted, corrects_id, task_id, drawn_by, drawn_time)
VALUES (@document_id, @case_id, @party_id, @agency_id, @kind, @document_no, @template_version, @template_sha256, @content_sealed,
        @sha256, @size_bytes, @for_party, @hearing_granted, @corrects_id, @task_id, @drawn_by, @drawn_time);

-- name: DocumentOfTask :one
SELECT document_id FROM case_document WHERE case_id = @case_id AND kind = @kind AND task_id = sqlc.arg(task_id)::uuid;

-- name: DocumentForAgency :one
-- A document for the case's agency, and for who sees all.
SELECT sqlc.embed(d), k.name FROM case_document d
  JOIN document_kind k ON k.kind = d.kind
  JOIN enforcement_case c ON c.case_id = d.case_id
 WHERE d.document_id = @document_id AND (@sees_all::boolean OR c.agency_id = @agency_id);

-- name: DocumentsOfCase :many
SELECT d.document_id, d.case_id, d.kind, k.name, d.document_no, d.sha256, d.size_bytes, d.for_party, d.template_version,
       d.template_sha256, d.corrects_id, d.task_id, d.drawn_by, d.drawn_time, c.agency_id
  FROM case_document d
  JOIN document_kind k ON k.kind = d.kind
  JOIN enforcement_case c ON c.case_id = d.case_id
 WHERE d.case_id = @case_id AND (@sees_all::boolean OR c.agency_id = @agency_id)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (d.drawn_time, d.document_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY d.drawn_time DESC, d.document_id DESC
 LIMIT @page_size;

-- name: DeliveriesOf :many
SELECT v.*, r.signed_time FROM case_delivery v
  LEFT JOIN case_receipt r ON r.delivery_id = v.delivery_id
 WHERE v.document_id = ANY (@document_ids::uuid[])
 ORDER BY v.served_time, v.delivery_id;

-- name: InsertDelivery :exec
INSERT INTO case_delivery (delivery_id, document_id, case_id, method, result, served_time, task_id, served_by,
                           statement_due, statement_proof, hearing_due, hearing_proof)
VALUES (@delivery_id, @document_id, @case_id, @method, @result, @served_time, @task_id, @served_by,
        @statement_due, @statement_proof, @hearing_due, @hearing_proof);

-- name: ServedBefore :one
-- Whether anything was served on the party in this case.
SELECT (EXISTS (SELECT 1 FROM case_delivery v WHERE v.case_id = @case_id AND v.result = 'served')
     OR EXISTS (SELECT 1 FROM enforcement_case c WHERE c.case_id = @case_id AND c.notice_time IS NOT NULL))::boolean AS served;

-- name: LastNotice :one
-- The last notice that was served, with the terms that it set.
SELECT d.document_id, d.hearing_granted, v.served_time, v.statement_due, v.statement_proof, v.hearing_due, v.hearing_proof
  FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id
 WHERE v.case_id = @case_id AND v.result = 'served' AND d.kind = 'notice'
 ORDER BY v.served_time DESC, v.delivery_id DESC
 LIMIT 1;

-- name: ListServed :many
-- What was served on a party: a firm by its credit code, anybody else by the one case.
SELECT d.document_id, d.case_id, c.case_no, d.kind, k.name, d.document_no, d.agency_id, v.delivery_id, v.method, v.served_time,
       r.signed_time, d.sha256, d.size_bytes, d.corrects_id, v.statement_due, v.hearing_due, a.due AS answer_due
  FROM case_delivery v
  JOIN case_document d ON d.document_id = v.document_id
  JOIN document_kind k ON k.kind = d.kind
  JOIN enforcement_case c ON c.case_id = v.case_id
  JOIN party p ON p.party_id = d.party_id AND p.party_id = c.party_id
  LEFT JOIN case_receipt r ON r.delivery_id = v.delivery_id
  LEFT JOIN consent_demand a ON a.document_id = d.document_id
 WHERE v.result = 'served'
   AND @party::text <> '' AND (p.credit_code = @party OR p.credit_code = '' AND c.case_id::text = @party)
   AND (sqlc.narg(case_id)::uuid IS NULL OR c.case_id = sqlc.narg(case_id)::uuid)
   AND (sqlc.narg(document_id)::uuid IS NULL OR d.document_id = sqlc.narg(document_id)::uuid)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (v.served_time, v.delivery_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY v.served_time DESC, v.delivery_id DESC
 LIMIT @page_size;

-- name: DocumentContent :one
SELECT content_sealed, sha256 FROM case_document WHERE document_id = @document_id;

-- name: ActName :one
SELECT name FROM act WHERE code = @code ORDER BY valid_from <= @at DESC, valid_from DESC LIMIT 1;

-- name: CaseByID :one
SELECT * FROM enforcement_case WHERE case_id = @case_id;

-- name: DeliveryFacts :one
-- What a way of delivery needs: a consent in force then, another way that failed before.
SELECT (EXISTS (SELECT 1 FROM case_consent c WHERE c.case_id = @case_id AND c.given_time <= @at::timestamptz
               AND (c.revoked_time IS NULL OR c.revoked_time > @at::timestamptz)))::boolean AS consent,
       case_delivery_failed(@case_id, @at::timestamptz)::boolean AS failed;

-- name: ConsentOf :one
-- Whether a consent to electronic delivery was in force in a case at a time.
SELECT (EXISTS (SELECT 1 FROM case_consent c WHERE c.case_id = @case_id AND c.consent_id = @consent_id AND c.given_time <= @at::timestamptz
               AND (c.revoked_time IS NULL OR c.revoked_time > @at::timestamptz)))::boolean AS consented;

-- name: Undelivered :one
-- The last document of some kinds that has not reached the party yet.
SELECT d.document_id, d.kind, d.document_no, k.name, d.for_party FROM case_document d JOIN document_kind k ON k.kind = d.kind
 WHERE d.case_id = @case_id AND d.kind = ANY (@kinds::text[])
   AND NOT EXISTS (SELECT 1 FROM case_delivery v WHERE v.document_id = d.document_id AND v.result = 'served')
 ORDER BY d.drawn_time DESC, d.document_id DESC LIMIT 1;

-- name: LastDocument :one
SELECT d.document_id, d.document_no FROM case_document d WHERE d.case_id = @case_id AND d.kind = ANY (@kinds::text[])
 ORDER BY d.drawn_time DESC, d.document_id DESC LIMIT 1;

-- name: EvidenceTitles :many
SELECT kind, title FROM case_evidence WHERE case_id = @case_id ORDER BY created_at, evidence_id LIMIT 50;

-- name: ActViolates :one
SELECT violates FROM act WHERE code = @code ORDER BY valid_from <= @at DESC, valid_from DESC LIMIT 1;

-- name: OfficeName :one
SELECT name FROM office WHERE agency_id = @agency_id AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: DecisionNumbers :many
-- The number of the decision's document of each case, the last where it was corrected.
SELECT DISTINCT ON (d.case_id) d.case_id, d.document_no FROM case_document d
 WHERE d.case_id = ANY (@case_ids::uuid[]) AND d.kind IN ('decision', 'onspot_decision', 'no_penalty')
 ORDER BY d.case_id, d.drawn_time DESC, d.document_id DESC;

-- name: LastAddress :one
-- The party's address as it was last found; one of before the case was attributed to another is not that party's.
SELECT p.seq, p.address_sealed FROM case_proposal p
 WHERE p.case_id = @case_id AND p.address_sealed IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM attribution a WHERE a.case_id = p.case_id AND a.created_at >= p.created_at)
 ORDER BY p.seq DESC LIMIT 1;
