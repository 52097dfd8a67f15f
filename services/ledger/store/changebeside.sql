-- Licences, contracts and sublets of a month. As with allocations: what the ledger came to state and still states at its end,
-- not the part before a change; and what it stated before and no longer does, with nothing in its place. What follows of a
-- row is what names it in corrects. An operator reads of the sublets that ran while it gave the numbers access: what becomes of
-- them after they went to another is that one's.

-- name: ListLicenceStatements :many
SELECT x.known_from, x.licence_id AS id, x.valid_from, x.valid_to, (x.corrects IS NULL)::boolean AS first_known,
       EXISTS (SELECT 1 FROM licence b WHERE b.licence_id = x.corrects AND x.valid_to < coalesce(b.valid_to, 'infinity')) AS shortened
  FROM licence x
 WHERE x.known_from >= @month_from::timestamptz AND x.known_from < @month_to::timestamptz
   AND (x.known_from, x.licence_id) > (@after_time::timestamptz, @after_id::uuid)
   AND (x.known_to IS NULL OR x.known_to >= @month_to::timestamptz)
   AND NOT EXISTS (SELECT 1 FROM licence b JOIN licence n ON n.corrects = b.licence_id AND n.valid_from = x.valid_to
                    WHERE b.licence_id = x.corrects AND b.valid_from = x.valid_from AND (n.known_to IS NULL OR n.known_to >= @month_to::timestamptz))
   AND (@access_operator_id::text = '' OR EXISTS (SELECT 1 FROM allocation a WHERE a.holder_id = x.holder_id AND a.known_to IS NULL AND same_operator(@access_operator_id::text, a.access_operator_id)))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND EXISTS (SELECT 1 FROM allocation a WHERE a.holder_id = x.holder_id AND a.known_to IS NULL AND same_operator(@agency_id::text, a.access_operator_id))))
 ORDER BY x.known_from, x.licence_id
 LIMIT @page_size;

-- name: ListLicenceWithdrawals :many
SELECT x.known_to, x.licence_id AS id, x.valid_from
  FROM licence x
 WHERE x.known_to >= @month_from::timestamptz AND x.known_to < @month_to::timestamptz
   AND (x.known_to, x.licence_id) > (@after_time::timestamptz, @after_id::uuid) AND x.known_from < @month_from::timestamptz
   AND NOT EXISTS (SELECT 1 FROM licence b WHERE b.corrects = x.licence_id AND b.known_from < @month_to::timestamptz)
   AND (@access_operator_id::text = '' OR EXISTS (SELECT 1 FROM allocation a WHERE a.holder_id = x.holder_id AND a.known_to IS NULL AND same_operator(@access_operator_id::text, a.access_operator_id)))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND EXISTS (SELECT 1 FROM allocation a WHERE a.holder_id = x.holder_id AND a.known_to IS NULL AND same_operator(@agency_id::text, a.access_operator_id))))
 ORDER BY x.known_to, x.licence_id
 LIMIT @page_size;

-- name: ListContractStatements :many
SELECT x.known_from, x.contract_id AS id, x.valid_from, x.valid_to, (x.corrects IS NULL)::boolean AS first_known,
       EXISTS (SELECT 1 FROM contract b WHERE b.contract_id = x.corrects AND x.valid_to < coalesce(b.valid_to, 'infinity')) AS shortened
  FROM contract x
 WHERE x.known_from >= @month_from::timestamptz AND x.known_from < @month_to::timestamptz
   AND (x.known_from, x.contract_id) > (@after_time::timestamptz, @after_id::uuid)
   AND (x.known_to IS NULL OR x.known_to >= @month_to::timestamptz)
   AND NOT EXISTS (SELECT 1 FROM contract b JOIN contract n ON n.corrects = b.contract_id AND n.valid_from = x.valid_to
                    WHERE b.contract_id = x.corrects AND b.valid_from = x.valid_from AND (n.known_to IS NULL OR n.known_to >= @month_to::timestamptz))
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, x.operator_id))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND same_operator(@agency_id::text, x.operator_id)))
 ORDER BY x.known_from, x.contract_id
 LIMIT @page_size;

-- name: ListContractWithdrawals :many
SELECT x.known_to, x.contract_id AS id, x.valid_from
  FROM contract x
 WHERE x.known_to >= @month_from::timestamptz AND x.known_to < @month_to::timestamptz
   AND (x.known_to, x.contract_id) > (@after_time::timestamptz, @after_id::uuid) AND x.known_from < @month_from::timestamptz
   AND NOT EXISTS (SELECT 1 FROM contract b WHERE b.corrects = x.contract_id AND b.known_from < @month_to::timestamptz)
   AND (@access_operator_id::text = '' OR same_operator(@access_operator_id::text, x.operator_id))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND same_operator(@agency_id::text, x.operator_id)))
 ORDER BY x.known_to, x.contract_id
 LIMIT @page_size;

-- name: ListSubletStatements :many
SELECT x.known_from, x.sublet_id AS id, x.valid_from, x.valid_to, (x.corrects IS NULL)::boolean AS first_known,
       EXISTS (SELECT 1 FROM sublet b WHERE b.sublet_id = x.corrects AND x.valid_to < coalesce(b.valid_to, 'infinity')) AS shortened
  FROM sublet x
 WHERE x.known_from >= @month_from::timestamptz AND x.known_from < @month_to::timestamptz
   AND (x.known_from, x.sublet_id) > (@after_time::timestamptz, @after_id::uuid)
   AND (x.known_to IS NULL OR x.known_to >= @month_to::timestamptz)
   AND NOT EXISTS (SELECT 1 FROM sublet b JOIN sublet n ON n.corrects = b.sublet_id AND n.valid_from = x.valid_to
                    WHERE b.sublet_id = x.corrects AND b.valid_from = x.valid_from AND (n.known_to IS NULL OR n.known_to >= @month_to::timestamptz))
   AND (@access_operator_id::text = '' OR EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = x.resource_id AND a.known_to IS NULL AND a.valid && x.valid AND same_operator(@access_operator_id::text, a.access_operator_id)))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = x.resource_id AND a.known_to IS NULL AND a.valid && x.valid AND same_operator(@agency_id::text, a.access_operator_id))))
 ORDER BY x.known_from, x.sublet_id
 LIMIT @page_size;

-- name: ListSubletWithdrawals :many
SELECT x.known_to, x.sublet_id AS id, x.valid_from
  FROM sublet x
 WHERE x.known_to >= @month_from::timestamptz AND x.known_to < @month_to::timestamptz
   AND (x.known_to, x.sublet_id) > (@after_time::timestamptz, @after_id::uuid) AND x.known_from < @month_from::timestamptz
   AND NOT EXISTS (SELECT 1 FROM sublet b WHERE b.corrects = x.sublet_id AND b.known_from < @month_to::timestamptz)
   AND (@access_operator_id::text = '' OR EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = x.resource_id AND a.known_to IS NULL AND a.valid && x.valid AND same_operator(@access_operator_id::text, a.access_operator_id)))
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND EXISTS (SELECT 1 FROM allocation a WHERE a.resource_id = x.resource_id AND a.known_to IS NULL AND a.valid && x.valid AND same_operator(@agency_id::text, a.access_operator_id))))
 ORDER BY x.known_to, x.sublet_id
 LIMIT @page_size;

-- name: LicencesToTell :many
SELECT sqlc.embed(x), sqlc.embed(h) FROM licence x JOIN holder h ON h.holder_id = x.holder_id WHERE x.licence_id = ANY (@ids::uuid[]);

-- name: ContractsToTell :many
-- With the numbers as they were allocated when the contract began.
SELECT sqlc.embed(x), a.scheme, a.digits, a.first_number, a.last_number
  FROM contract x
  JOIN LATERAL (SELECT v.scheme, v.digits, v.first_number, v.last_number FROM allocation v WHERE v.resource_id = x.resource_id
                 ORDER BY v.known_to IS NULL DESC, v.valid @> x.valid_from DESC, v.known_from DESC LIMIT 1) a ON true
 WHERE x.contract_id = ANY (@ids::uuid[]);

-- name: SubletsToTell :many
SELECT sqlc.embed(x), sqlc.embed(h), l.name AS lessee, l.credit_code AS lessee_code, a.scheme
  FROM sublet x
  JOIN holder h ON h.holder_id = x.lessor_id
  JOIN holder l ON l.holder_id = x.lessee_id
  JOIN LATERAL (SELECT v.scheme FROM allocation v WHERE v.resource_id = x.resource_id ORDER BY v.known_to IS NULL DESC LIMIT 1) a ON true
 WHERE x.sublet_id = ANY (@ids::uuid[]);
