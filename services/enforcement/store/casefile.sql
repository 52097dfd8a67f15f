-- name: InsertEvidence :exec
INSERT INTO case_evidence (evidence_id, case_id, kind, title, sha256, registered, created_at)
VALUES (@evidence_id, @case_id, @kind, @title, @sha256, @registered, @created_at);

-- name: InsertCustody :exec
INSERT INTO case_custody (evidence_id, seq, act, from_holder, to_holder, decision, actor, link_time, reason)
VALUES (@evidence_id, @seq, @act, @from_holder, @to_holder, @decision, @actor, @link_time, @reason);

-- name: EvidenceByID :one
SELECT * FROM case_evidence WHERE evidence_id = @evidence_id;

-- name: EvidenceOf :many
SELECT * FROM case_evidence
 WHERE case_id = @case_id AND (created_at, evidence_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY created_at, evidence_id
 LIMIT @page_size;

-- name: CustodyOf :many
SELECT * FROM case_custody WHERE evidence_id = ANY (@evidence_ids::uuid[]) ORDER BY evidence_id, seq;
