-- The changes of a month.

-- name: ListStatements :many
-- What the ledger came to state in a month and still states at its end. The part of an allocation before a change says
-- nothing new: what follows it does.
SELECT a.known_from, a.allocation_id, a.valid_from, a.valid_to,
       NOT EXISTS (SELECT 1 FROM allocation b WHERE b.resource_id = a.resource_id AND b.known_from < @month_from::timestamptz) AS first_known,
       EXISTS (SELECT 1 FROM allocation b WHERE b.allocation_id = a.corrects AND a.valid_to < coalesce(b.valid_to, 'infinity')) AS shortened
  FROM allocation a
 WHERE a.known_from >= @month_from::timestamptz AND a.known_from < @month_to::timestamptz AND (a.known_from, a.allocation_id) > (@after_time::timestamptz, @after_id::uuid)
   AND (a.known_to IS NULL OR a.known_to >= @month_to::timestamptz)
   AND NOT EXISTS (SELECT 1 FROM allocation b JOIN allocation n ON n.resource_id = a.resource_id AND n.corrects = a.corrects AND n.valid_from = a.valid_to
                    WHERE b.allocation_id = a.corrects AND b.valid_from = a.valid_from AND (n.known_to IS NULL OR n.known_to >= @month_to::timestamptz))
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, a.access_operator_id))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND same_operator(@agency_id::text, a.access_operator_id)))
 ORDER BY a.known_from, a.allocation_id
 LIMIT @page_size;

-- name: ListWithdrawals :many
-- What the ledger stated before a month and no longer does, with nothing in its place.
SELECT a.known_to, a.allocation_id, a.valid_from
  FROM allocation a
 WHERE a.known_to >= @month_from::timestamptz AND a.known_to < @month_to::timestamptz AND (a.known_to, a.allocation_id) > (@after_time::timestamptz, @after_id::uuid)
   AND a.known_from < @month_from::timestamptz
   AND NOT EXISTS (SELECT 1 FROM allocation b WHERE b.resource_id = a.resource_id AND (b.known_to IS NULL OR b.known_to >= @month_to::timestamptz)
                      AND b.known_from < @month_to::timestamptz AND b.numbers && a.numbers)
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, a.access_operator_id))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND same_operator(@agency_id::text, a.access_operator_id)))
 ORDER BY a.known_to, a.allocation_id
 LIMIT @page_size;

-- name: ListActs :many
-- What happened to resources, as the ledger came to know in a month, with what was stated of them then.
SELECT e.recorded_time, e.event_id, e.event, e.reason_code, e.effect_time, a.allocation_id
  FROM resource_event e
  JOIN LATERAL (SELECT v.allocation_id, v.access_operator_id FROM allocation v
                 WHERE v.resource_id = e.resource_id AND v.known_from < @month_to::timestamptz AND (v.known_to IS NULL OR v.known_to >= @month_to::timestamptz)
                 ORDER BY v.valid @> e.effect_time DESC, v.valid_from DESC
                 LIMIT 1) a ON true
 WHERE e.recorded_time >= @month_from::timestamptz AND e.recorded_time < @month_to::timestamptz AND (e.recorded_time, e.event_id) > (@after_time::timestamptz, @after_id::bigint)
   AND e.event NOT IN ('allocated', 'ended', 'allocation_corrected', 'purpose_changed')
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, a.access_operator_id))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND same_operator(@agency_id::text, a.access_operator_id)))
 ORDER BY e.recorded_time, e.event_id
 LIMIT @page_size;
