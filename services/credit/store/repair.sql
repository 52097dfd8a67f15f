-- name: InsertRepair :exec
INSERT INTO repair (repair_id, listing_id, applied_by, on_behalf, proofs, commitment_sealed, apply_time)
VALUES (@repair_id, @listing_id, @applied_by, @on_behalf, @proofs, @commitment_sealed, @apply_time);

-- name: OpenRepair :one
SELECT * FROM repair WHERE listing_id = @listing_id AND state IN ('FILED', 'REVIEWING');

-- name: LastRepair :one
SELECT repair_id FROM repair WHERE listing_id = @listing_id ORDER BY apply_time DESC, repair_id DESC LIMIT 1;

-- name: GetRepair :one
SELECT sqlc.embed(r), sqlc.embed(l) FROM repair r JOIN listing l USING (listing_id) WHERE r.repair_id = @repair_id;

-- name: LockRepair :one
SELECT * FROM repair WHERE repair_id = @repair_id FOR UPDATE;

-- name: ReviewRepair :exec
UPDATE repair SET state = 'REVIEWING', due_time = @due_time, clock_basis = @clock_basis, clock_statutory = @clock_statutory,
       clock_proof = @clock_proof, clock_provisional = @clock_provisional
 WHERE repair_id = @repair_id AND state = 'FILED';

-- name: DecideRepair :exec
UPDATE repair SET state = @state, task_id = sqlc.narg(task_id), decided_by = @decided_by, decide_time = @decide_time, reason_code = @reason_code,
       reply = @reply
 WHERE repair_id = @repair_id;

-- name: ListRepairs :many
SELECT sqlc.embed(r), sqlc.embed(l) FROM repair r JOIN listing l USING (listing_id)
 WHERE (@state::text = '' OR r.state = @state) AND (sqlc.narg(listing_id)::uuid IS NULL OR r.listing_id = sqlc.narg(listing_id)::uuid)
   AND (@party::text <> '' AND l.credit_code = @party OR @party = '' AND l.agency_id = @agency_id)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (r.apply_time, r.repair_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY r.apply_time DESC, r.repair_id DESC LIMIT @page_size;

-- name: ReviewedRepairs :many
SELECT repair_id FROM repair WHERE state = 'REVIEWING' AND repair_id > @after::uuid ORDER BY repair_id LIMIT @page_size;
