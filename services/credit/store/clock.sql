-- name: RunningClocks :many
-- RunningClocks are due until a time, overdue ones included, soonest first; parties' terms, which are of these bases, left out.
SELECT kind, id, agency_id, basis, start_time, due, statutory, proof, provisional FROM running_clock
 WHERE due < @until::timestamptz AND NOT basis = ANY (@parties::text[]) AND (@agency_id::text = '' OR agency_id = @agency_id)
   AND (due, kind, id, agency_id) > (@after_due::timestamptz, @after_kind::text, @after_id::uuid, @after_agency::text)
 ORDER BY due, kind, id, agency_id LIMIT @n;

-- name: RunningByAgency :many
SELECT agency_id, count(*) FILTER (WHERE due < @at::timestamptz)::int AS overdue, count(*) FILTER (WHERE due >= @at::timestamptz)::int AS due,
       count(*) FILTER (WHERE provisional)::int AS provisional
  FROM running_clock
 WHERE due < @until::timestamptz AND NOT basis = ANY (@parties::text[]) AND (@agency_id::text = '' OR agency_id = @agency_id)
 GROUP BY agency_id ORDER BY agency_id LIMIT 500;

-- name: ProvisionalClocks :many
SELECT kind, id, agency_id, basis, start_time, due, statutory, proof, provisional FROM running_clock
 WHERE provisional AND (@agency_id::text = '' OR agency_id = @agency_id)
   AND (due, kind, id, agency_id) > (@after_due::timestamptz, @after_kind::text, @after_id::uuid, @after_agency::text)
 ORDER BY due, kind, id, agency_id LIMIT @n;

-- name: ClocksToSettle :many
-- ClocksToSettle are provisional dates that cross a year, each once, in order.
SELECT DISTINCT ON (kind, id) kind, id, agency_id, basis, start_time, due, statutory, proof, provisional FROM running_clock
 WHERE provisional AND (kind, id) > (@after_kind::text, @after_id::uuid)
   AND extract(year FROM start_time AT TIME ZONE 'Asia/Shanghai') <= @year::integer
   AND extract(year FROM statutory AT TIME ZONE 'Asia/Shanghai') >= @year::integer
 ORDER BY kind, id, agency_id LIMIT @n;

-- name: InsertSettlement :exec
INSERT INTO clock_settlement (kind, id, year, old_due, new_due, old_statutory, new_statutory, old_proof, party, settled_by, settled_time)
VALUES (@kind, @id, @year, @old_due, @new_due, @old_statutory, @new_statutory, @old_proof, @party, @settled_by, @settled_time);

-- name: SettleEntry :exec
UPDATE listing SET entry_due = @due, entry_statutory = @statutory, entry_proof = @proof, entry_provisional = false WHERE listing_id = @id;

-- name: SettleStatement :exec
UPDATE listing SET objection_until = @due, notice_statutory = @statutory, notice_proof = @proof, notice_provisional = false WHERE listing_id = @id;

-- name: SettleLift :exec
UPDATE listing SET lift_due = @due, lift_statutory = @statutory, lift_proof = @proof, lift_provisional = false WHERE listing_id = @id;

-- name: SettleRepair :exec
UPDATE repair SET due_time = @due, clock_statutory = @statutory, clock_proof = @proof, clock_provisional = false
 WHERE repair_id = @id AND state = 'REVIEWING';
