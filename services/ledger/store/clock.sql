-- name: SettleRecall :exec
UPDATE recall SET notice_until = @due, clock_statutory_due = @statutory, clock_proof = @proof, clock_provisional = false
 WHERE recall_id = @id AND state = 'NOTICE';

-- name: SettleAppeal :exec
UPDATE appeal SET clock_statutory_due = @statutory, clock_proof = @proof, clock_provisional = false WHERE appeal_id = @id;

-- name: SettleReturn :exec
UPDATE campaign SET return_due = @due, return_statutory = @statutory, return_proof = @proof, return_provisional = false WHERE campaign_id = @id;

-- name: SettleInspection :exec
UPDATE campaign SET inspect_due = @due, inspect_statutory = @statutory, inspect_proof = @proof, inspect_provisional = false WHERE campaign_id = @id;

-- name: SettleRectification :exec
WITH clock AS (
    UPDATE campaign_finding k SET due = @due, statutory = @statutory, proof = @proof, provisional = false WHERE k.finding_id = @id
    RETURNING k.finding_id AS settled_id, k.due AS settled_due
)
UPDATE finding f SET due_time = clock.settled_due FROM clock WHERE f.finding_id = clock.settled_id;
