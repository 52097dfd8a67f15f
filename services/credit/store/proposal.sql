-- name: OpenProposal :one
SELECT * FROM listing
 WHERE credit_code = @credit_code AND list = @list AND ground = @ground AND case_id IS NULL
   AND state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED');

-- name: NotifyListing :exec
UPDATE listing SET state = 'NOTIFIED', state_time = @at, state_by = @by, state_reason = '', state_article = @article, state_task_id = @task_id,
       notice_time = @notice_time, objection_until = @objection_until, notice_proof = @notice_proof,
       notice_statutory = @notice_statutory, notice_provisional = @notice_provisional
 WHERE listing_id = @listing_id;

-- name: InsertObjection :exec
INSERT INTO listing_objection (objection_id, listing_id, text_sealed, filed_by, file_time)
VALUES (@objection_id, @listing_id, @text_sealed, @filed_by, @file_time);

-- name: OpenObjection :one
SELECT * FROM listing_objection WHERE listing_id = @listing_id AND state = 'OPEN';

-- name: ObjectionsOf :many
SELECT * FROM listing_objection WHERE listing_id = @listing_id ORDER BY file_time, objection_id LIMIT 20;

-- name: LockObjection :one
SELECT * FROM listing_objection WHERE objection_id = @objection_id FOR UPDATE;

-- name: AnswerObjection :exec
UPDATE listing_objection SET state = @state, task_id = @task_id, reason_code = @reason_code, reply = @reply, decided_by = @decided_by,
       decide_time = @decide_time
 WHERE objection_id = @objection_id;

-- name: UnstartedListings :many
-- Proposals, and entries that ended by time or were withdrawn while somebody still punishes on them; after a repair its own
-- workflow has the measures lifted.
SELECT listing_id AS id, propose_time AS at FROM listing l
 WHERE (state IN ('PROPOSED', 'NOTIFIED') AND case_id IS NULL AND propose_time <= @until
     OR state IN ('EXPIRED', 'WITHDRAWN') AND state_time <= @until AND EXISTS (SELECT 1 FROM joint_measure m WHERE m.listing_id = l.listing_id
            AND NOT EXISTS (SELECT 1 FROM lifting f WHERE f.measure_id = m.measure_id))
        AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = l.listing_id AND r.state = 'GRANTED'))
   AND (propose_time, listing_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY propose_time, listing_id LIMIT @page_size;

-- name: UnstartedRepairs :many
SELECT repair_id AS id, apply_time AS at FROM repair
 WHERE state IN ('FILED', 'REVIEWING') AND apply_time <= @until AND (apply_time, repair_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY apply_time, repair_id LIMIT @page_size;
