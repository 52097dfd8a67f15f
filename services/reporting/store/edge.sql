-- Queries of what reporters and agencies do with receipts and files.

-- name: ReportByReceipt :one
SELECT report_id, complaint_id, round, created_at, verified, same_call_as, relapse, withdrawn_at, category FROM report WHERE receipt = $1;

-- name: Timeline :many
SELECT round, stage, office, due_time, reached_time FROM stage_entry
WHERE complaint_id = $1 AND round <= $2
ORDER BY round, entry_id
LIMIT 200;

-- name: ResultOf :one
SELECT code, text FROM feedback
WHERE report_id = $1 AND round = $2 AND stage IN ('result', 'not_accepted')
ORDER BY created_at DESC, feedback_id
LIMIT 1;

-- name: FollowUpOf :one
SELECT stopped, reopened FROM follow_up WHERE report_id = $1 AND round = $2;

-- name: AddFollowUp :exec
INSERT INTO follow_up (report_id, round, stopped, reopened, created_at) VALUES ($1, $2, $3, $4, $5);

-- name: WithdrawReport :exec
UPDATE report SET withdrawn_at = @at WHERE report_id = @report_id;

-- name: Unclassify :exec
UPDATE report SET classified = false WHERE report_id = $1;

-- name: AddSupplement :exec
INSERT INTO supplement (supplement_id, report_id, complaint_id, round, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: FeedbackFeed :many
SELECT f.feedback_id, f.report_id, r.receipt, r.sender_no, f.stage, f.code, f.text, f.created_at, f.xid::text AS xid
FROM feedback f JOIN report r USING (report_id)
WHERE f.sender = @sender AND (f.xid, f.feedback_id) > (sqlc.arg(after_xid)::text::xid8, sqlc.arg(after_id)::uuid)
  AND f.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY f.xid, f.feedback_id
LIMIT @page_size;

-- name: AcknowledgeFeedback :execrows
UPDATE feedback SET acknowledged_at = @at, acknowledged_by = @subject
WHERE feedback_id = ANY (@feedback_ids::uuid[]) AND sender = @sender AND acknowledged_at IS NULL;

-- name: TakesPart :one
SELECT EXISTS (SELECT FROM complaint_party WHERE complaint_id = $1 AND agency_id = $2 AND until_time IS NULL);

-- name: AddEvidence :exec
INSERT INTO evidence (evidence_id, complaint_id, kind, media_type, size_bytes, sha256, blob_key, hold_until, agency_id, put_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: HasEvidence :one
SELECT EXISTS (SELECT FROM evidence WHERE evidence_id = $1);

-- name: UseEvidenceQuota :execrows
INSERT INTO evidence_quota (day, put_by, files, bytes)
SELECT @day::timestamptz, @put_by::text, 1, @size::bigint WHERE 1 <= @most_files::bigint AND @size <= @most_bytes::bigint
ON CONFLICT ON CONSTRAINT evidence_quota_pkey DO UPDATE SET files = evidence_quota.files + 1, bytes = evidence_quota.bytes + excluded.bytes
WHERE evidence_quota.files + 1 <= @most_files AND evidence_quota.bytes + excluded.bytes <= @most_bytes;

-- name: EvidenceFor :one
SELECT * FROM evidence e
WHERE e.evidence_id = @evidence_id AND (
    @centre::boolean
    OR (e.agency_id <> '' AND e.agency_id = @agency_id)
    OR EXISTS (SELECT FROM complaint_party p
        WHERE p.agency_id = @agency_id AND p.until_time IS NULL AND p.complaint_id = e.complaint_id
          AND NOT EXISTS (SELECT FROM report_evidence x WHERE x.evidence_id = e.evidence_id))
    -- what a reporter handed in is for those who judge it
    OR EXISTS (SELECT FROM report_evidence x JOIN report r USING (report_id) JOIN complaint_party p ON p.complaint_id = r.complaint_id
        WHERE x.evidence_id = e.evidence_id AND p.agency_id = @agency_id AND p.until_time IS NULL AND p.part IN ('lead', 'co')));

-- name: SealedReport :one
SELECT complaint_id, sealed, withdrawn_at FROM report WHERE report_id = $1;

-- name: LockReveals :exec
SELECT pg_advisory_xact_lock(hashtextextended(sqlc.arg(task_id)::text, 0));

-- name: CountReveals :one
SELECT count(*) FROM reveal WHERE task_id = $1 AND created_at >= $2;

-- name: AddReveal :exec
INSERT INTO reveal (reveal_id, report_id, task_id, agency_id, subject, purpose, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- EvidenceFacts describes files that belong to a complaint: put to it by an agency, or with one of its reports. What came
-- with unverified reports only is marked.
-- name: EvidenceFacts :many
SELECT e.evidence_id, e.agency_id, coalesce(r.handed_in AND NOT r.verified, false)::boolean AS unverified
FROM evidence e
LEFT JOIN LATERAL (SELECT true AS handed_in, bool_or(r.verified) AS verified, bool_or(r.complaint_id = @complaint_id) AS ours
    FROM report_evidence x JOIN report r USING (report_id) WHERE x.evidence_id = e.evidence_id HAVING count(*) > 0) r ON true
WHERE e.evidence_id = ANY (@evidence_ids::uuid[]) AND (e.complaint_id = @complaint_id OR r.ours)
ORDER BY e.evidence_id;
