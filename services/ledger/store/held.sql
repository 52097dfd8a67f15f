-- name: WhoHeld :one
-- The one read that must be quick, a few index probes in one statement. From the number down, the first allocation that
-- held at the time holds the number, or none does: allocations of a time never overlap. A number below which many
-- allocations ended is not walked down to: the ranges' own index answers then. All else is of one resource or
-- holder, found by that: comparisons instead of ranges keep the planner from searching all that is valid and known, and
-- ANY keeps it from the constraints' own indexes, which know no arrays and are slower to probe.
WITH RECURSIVE found AS (
    SELECT u.allocation_id, u.resource_id, u.holder_id
      FROM ((SELECT w.allocation_id, w.resource_id, w.holder_id, w.last_number
               FROM (SELECT y.allocation_id, y.resource_id, y.holder_id, y.first_number, y.last_number, y.valid, y.known
                       FROM allocation y
                      WHERE y.scheme = @scheme AND y.digits = @digits AND y.first_number <= @number::bigint
                      ORDER BY y.first_number DESC, y.valid_from DESC, y.known_from DESC
                      LIMIT 64) w
              WHERE w.valid @> @at::timestamptz AND w.known @> @known_at::timestamptz
              ORDER BY w.first_number DESC
              LIMIT 1)
            UNION ALL
            (SELECT r.allocation_id, r.resource_id, r.holder_id, r.last_number
               FROM allocation r
              WHERE r.scheme = @scheme AND r.digits = @digits AND r.numbers @> @number::bigint
                AND r.valid @> @at::timestamptz AND r.known @> @known_at::timestamptz)
            LIMIT 1) u
     WHERE u.last_number >= @number::bigint
), chain AS (
    SELECT s.sublet_id, s.resource_id, s.lessor_id, s.lessee_id, s.first_number, s.last_number, s.purpose, s.document,
           s.valid_from, s.valid_to, o.name, o.credit_code, o.sector, 1 AS depth
      FROM found f
      JOIN sublet s ON s.resource_id = f.resource_id AND s.lessor_id = f.holder_id AND s.numbers @> @number::bigint
       AND s.valid_from <= @at::timestamptz AND (s.valid_to IS NULL OR s.valid_to > @at::timestamptz)
       AND s.known_from <= @known_at::timestamptz AND (s.known_to IS NULL OR s.known_to > @known_at::timestamptz)
      JOIN holder o ON o.holder_id = s.lessee_id
    UNION ALL
    SELECT s.sublet_id, s.resource_id, s.lessor_id, s.lessee_id, s.first_number, s.last_number, s.purpose, s.document,
           s.valid_from, s.valid_to, o.name, o.credit_code, o.sector, c.depth + 1
      FROM chain c
      JOIN sublet s ON s.resource_id = c.resource_id AND s.lessor_id = c.lessee_id AND s.numbers @> @number::bigint
       AND s.valid_from <= @at::timestamptz AND (s.valid_to IS NULL OR s.valid_to > @at::timestamptz)
       AND s.known_from <= @known_at::timestamptz AND (s.known_to IS NULL OR s.known_to > @known_at::timestamptz)
      JOIN holder o ON o.holder_id = s.lessee_id
     WHERE c.depth < 16
)
SELECT a.allocation_id, a.resource_id, a.holder_id, a.scheme, a.digits, a.first_number, a.last_number, a.access_province, a.purpose,
       a.permitted_callers, a.access_operator_id, a.basis, a.valid_from, a.valid_to, a.known_from, a.operation, a.principal_holder_id,
       h.name, h.credit_code, h.licence, h.sector, h.agency_id, p.name AS principal_name, p.credit_code AS principal_code,
       coalesce(e.state, 'ACTIVE')::text AS state,
       (SELECT json_agg(json_build_object('id', x.access_id, 'province', x.province, 'operator', x.operator_id,
                   'location', x.location, 'from', x.valid_from, 'to', x.valid_to))
          FROM access x
         WHERE x.resource_id = ANY (ARRAY[a.resource_id]) AND x.valid_from <= @at::timestamptz AND (x.valid_to IS NULL OR x.valid_to > @at::timestamptz)
           AND x.known_from <= @known_at::timestamptz AND (x.known_to IS NULL OR x.known_to > @known_at::timestamptz))::json AS accesses,
       (SELECT json_agg(json_build_object('id', c.contract_id, 'operator', c.operator_id, 'number', c.number,
                   'limit', c.call_limit, 'unit', c.limit_unit, 'complaints', c.complaint_clauses,
                   'handling', c.handling_clauses, 'from', c.valid_from, 'to', c.valid_to))
          FROM contract c
         WHERE c.resource_id = ANY (ARRAY[a.resource_id]) AND c.valid_from <= @at::timestamptz AND (c.valid_to IS NULL OR c.valid_to > @at::timestamptz)
           AND c.known_from <= @known_at::timestamptz AND (c.known_to IS NULL OR c.known_to > @known_at::timestamptz))::json AS contracts,
       (SELECT json_agg(json_build_object('id', l.licence_id, 'number', l.number, 'kinds', l.kinds, 'provinces', l.provinces,
                   'outbound', l.outbound, 'document', l.document, 'from', l.valid_from, 'to', l.valid_to))
          FROM licence l
         WHERE l.holder_id = a.holder_id AND l.valid_from <= @at::timestamptz AND (l.valid_to IS NULL OR l.valid_to > @at::timestamptz)
           AND l.known_from <= @known_at::timestamptz AND (l.known_to IS NULL OR l.known_to > @known_at::timestamptz))::json AS licences,
       (SELECT json_agg(json_build_object('id', c.sublet_id, 'depth', c.depth, 'lessor', c.lessor_id, 'lessee', c.lessee_id, 'name', c.name,
                   'code', c.credit_code, 'sector', c.sector, 'first', c.first_number, 'last', c.last_number,
                   'purpose', c.purpose, 'document', c.document, 'from', c.valid_from, 'to', c.valid_to))
          FROM chain c)::json AS sublets
  FROM found
  JOIN allocation a ON a.allocation_id = found.allocation_id
  JOIN holder h ON h.holder_id = a.holder_id
  LEFT JOIN holder p ON p.holder_id = a.principal_holder_id
  LEFT JOIN LATERAL (SELECT v.state
          FROM resource_event v
         WHERE v.resource_id = a.resource_id AND v.effect_time <= @at AND v.recorded_time <= @known_at
           AND v.state IS NOT NULL
         ORDER BY v.effect_time DESC, v.event_id DESC
         LIMIT 1) e ON true
 WHERE (@sees_all::boolean OR (@agency_id::text <> '' AND (@agency_id::text = h.agency_id
        OR same_operator(@agency_id::text, a.access_operator_id) OR EXISTS (SELECT 1 FROM access x
             WHERE x.resource_id = ANY (ARRAY[a.resource_id]) AND x.valid_from <= @at::timestamptz AND (x.valid_to IS NULL OR x.valid_to > @at::timestamptz)
           AND x.known_from <= @known_at::timestamptz AND (x.known_to IS NULL OR x.known_to > @known_at::timestamptz)
               AND same_operator(@agency_id::text, x.operator_id)))));

-- name: HeldFirsts :many
-- Where in a range the allocations of a time begin: the one that the range begins in, and those that begin in it. What
-- each is, WhoHeld says.
SELECT greatest(a.first_number, @first::bigint)::bigint AS number
  FROM allocation a
 WHERE a.scheme = @scheme AND a.digits = @digits AND a.numbers && int8range(@first::bigint, @last::bigint, '[]')
   AND a.valid @> @at::timestamptz AND a.known @> @known_at::timestamptz
 ORDER BY a.first_number
 LIMIT @page_size;

-- name: AuditSchemes :many
-- Rows in force whose numbers are not in the one form that they are looked up by.
SELECT allocation_id
  FROM allocation
 WHERE allocation_id > @after AND known_to IS NULL AND NOT canonical_scheme(scheme, digits, first_number, last_number)
 ORDER BY allocation_id
 LIMIT @page_size;

-- name: HeldSince :one
-- Since when a holder has a resource, whatever was changed of it since.
SELECT min(valid_from)::timestamptz AS since
  FROM allocation
 WHERE resource_id = @resource_id AND holder_id = @holder_id AND known_to IS NULL AND valid_from <= @at;
