-- name: RunningClocks :many
-- RunningClocks are clocks of open cases that were neither met nor cancelled and do not stand still, due until a time;
-- those of these bases, which are parties' terms, left out.
SELECT k.clock_id, k.case_id, c.case_no, c.agency_id, k.basis, k.source, k.profile, k.start_time, k.due_time, k.statutory_due, k.proof, k.provisional,
       k.reckoning, k.acts
  FROM case_clock_now k JOIN enforcement_case c ON c.case_id = k.case_id
 WHERE k.met_time IS NULL AND k.cancel_time IS NULL AND NOT k.paused AND c.state <> 'CLOSED'
   AND k.due_time < @until::timestamptz AND NOT k.basis = ANY (@parties::text[])
   AND (@agency_id::text = '' OR c.agency_id = @agency_id)
   AND (k.due_time, k.clock_id) > (@after_due::timestamptz, @after_id::uuid)
 ORDER BY k.due_time, k.clock_id LIMIT @n;

-- name: ProvisionalClocks :many
SELECT k.clock_id, k.case_id, c.case_no, c.agency_id, k.basis, k.source, k.profile, k.start_time, k.due_time, k.statutory_due, k.proof, k.provisional,
       k.reckoning, k.acts
  FROM case_clock_now k JOIN enforcement_case c ON c.case_id = k.case_id
 WHERE k.provisional AND k.met_time IS NULL AND k.cancel_time IS NULL AND c.state <> 'CLOSED'
   AND (@agency_id::text = '' OR c.agency_id = @agency_id)
   AND (k.due_time, k.clock_id) > (@after_due::timestamptz, @after_id::uuid)
 ORDER BY k.due_time, k.clock_id LIMIT @n;

-- name: CasesWithProvisional :many
-- CasesWithProvisional locks cases that have a provisional clock crossing a year, in order.
SELECT c.case_id FROM enforcement_case c
 WHERE c.state <> 'CLOSED' AND c.case_id > @after_id::uuid
   AND EXISTS (SELECT FROM case_clock_now k WHERE k.case_id = c.case_id AND k.provisional AND k.met_time IS NULL AND k.cancel_time IS NULL
        AND extract(year FROM k.start_time AT TIME ZONE 'Asia/Shanghai') <= @year::integer
        AND extract(year FROM k.statutory_due AT TIME ZONE 'Asia/Shanghai') >= @year::integer)
 ORDER BY c.case_id LIMIT @n FOR UPDATE;

-- name: ProvisionalClocksOf :many
SELECT k.clock_id, k.case_id, c.case_no, c.agency_id, k.basis, k.source, k.profile, k.start_time, k.due_time, k.statutory_due, k.proof, k.provisional,
       k.reckoning, k.acts
  FROM case_clock_now k JOIN enforcement_case c ON c.case_id = k.case_id
 WHERE k.case_id = @case_id AND k.provisional AND k.met_time IS NULL AND k.cancel_time IS NULL AND NOT k.paused
   AND extract(year FROM k.start_time AT TIME ZONE 'Asia/Shanghai') <= @year::integer
   AND extract(year FROM k.statutory_due AT TIME ZONE 'Asia/Shanghai') >= @year::integer
 ORDER BY k.start_time, k.clock_id;
