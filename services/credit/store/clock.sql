-- name: SettleEntry :exec
UPDATE listing SET entry_due = @due, entry_statutory = @statutory, entry_proof = @proof, entry_provisional = false WHERE listing_id = @id;

-- name: SettleStatement :exec
UPDATE listing SET objection_until = @due, notice_statutory = @statutory, notice_proof = @proof, notice_provisional = false WHERE listing_id = @id;

-- name: SettleLift :exec
UPDATE listing SET lift_due = @due, lift_statutory = @statutory, lift_proof = @proof, lift_provisional = false WHERE listing_id = @id;

-- name: SettleRepair :exec
UPDATE repair SET due_time = @due, clock_statutory = @statutory, clock_proof = @proof, clock_provisional = false
 WHERE repair_id = @id AND state = 'REVIEWING';
