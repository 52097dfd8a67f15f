-- name: AllocationByID :one
SELECT * FROM allocation WHERE allocation_id = @allocation_id;

-- name: AllocationAt :one
-- The row of a resource that is known now and holds at a time.
SELECT * FROM allocation WHERE resource_id = @resource_id AND known_to IS NULL AND valid @> @at::timestamptz;

-- name: AllocationsFrom :many
-- The rows of a resource that are known now and hold at a time or later, in their order.
SELECT * FROM allocation
 WHERE resource_id = @resource_id AND known_to IS NULL AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY valid_from;

-- name: CloseAllocation :execrows
UPDATE allocation SET known_to = now() WHERE allocation_id = @allocation_id AND known_to IS NULL;

-- name: HasEnded :one
-- Whether the history of a resource says that nothing more happens to it.
SELECT EXISTS (SELECT 1 FROM resource_event WHERE resource_id = @resource_id AND state IN ('ENDED', 'RECALLED', 'CLOSED'))::boolean AS over;

-- name: HoldsLive :one
-- Whether a holder has an allocation that is known now and began before; a new one is vetted.
SELECT EXISTS (SELECT 1 FROM allocation WHERE holder_id = @holder_id AND known_to IS NULL AND valid_from < @at::timestamptz
                  AND (valid_to IS NULL OR valid_to > @at::timestamptz))::boolean AS live;

-- name: ListPolicy :many
-- The rules of allocation at a time.
SELECT * FROM allocation_policy WHERE valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz) ORDER BY (effect = 'refuse') DESC, rule;

-- name: ListPurposes :many
SELECT * FROM purpose ORDER BY purpose;

-- name: LicencesOf :many
SELECT * FROM licence WHERE holder_id = @holder_id AND known_to IS NULL AND valid @> @at::timestamptz ORDER BY number;

-- name: InsertLicence :one
INSERT INTO licence (licence_id, holder_id, number, kinds, provinces, outbound, document, valid_from, valid_to, corrects, reason, created_by)
VALUES (@licence_id, @holder_id, @number, @kinds, @provinces, @outbound, @document, @valid_from, sqlc.narg(valid_to),
        sqlc.narg(corrects), @reason, @created_by)
RETURNING *;

-- name: CloseLicence :one
UPDATE licence SET known_to = now() WHERE licence_id = @licence_id AND known_to IS NULL RETURNING *;

-- name: InsertContract :one
INSERT INTO contract (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses,
                      valid_from, valid_to, corrects, reason, created_by)
VALUES (@contract_id, @resource_id, @operator_id, @number, @call_limit, @limit_unit, @complaint_clauses, @handling_clauses,
        @valid_from, sqlc.narg(valid_to), sqlc.narg(corrects), @reason, @created_by)
RETURNING *;

-- name: CloseContract :one
UPDATE contract SET known_to = now() WHERE contract_id = @contract_id AND known_to IS NULL RETURNING *;

-- name: InsertAccess :one
INSERT INTO access (access_id, resource_id, province, operator_id, location, valid_from, valid_to, corrects, reason, created_by)
VALUES (@access_id, @resource_id, @province, @operator_id, @location, @valid_from, sqlc.narg(valid_to), sqlc.narg(corrects), @reason, @created_by)
RETURNING *;

-- name: CloseAccess :one
UPDATE access SET known_to = now() WHERE access_id = @access_id AND known_to IS NULL RETURNING *;

-- name: InsertSublet :one
INSERT INTO sublet (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document,
                    valid_from, valid_to, corrects, reason, created_by)
VALUES (@sublet_id, @resource_id, @lessor_id, @lessee_id, @digits, @first_number, @last_number, @purpose, @document,
        @valid_from, sqlc.narg(valid_to), sqlc.narg(corrects), @reason, @created_by)
RETURNING *;

-- name: CloseSublet :one
UPDATE sublet SET known_to = now() WHERE sublet_id = @sublet_id AND known_to IS NULL RETURNING *;

-- name: SubletsOf :many
-- The sublets of a resource that are known now and hold at a time or later.
SELECT * FROM sublet WHERE resource_id = @resource_id AND known_to IS NULL AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY valid_from, sublet_id;

-- name: EndSublets :exec
-- With an allocation ends what hung on it: each row that would go on is closed, and what came before the end stays.
WITH closed AS (
    UPDATE sublet SET known_to = now() WHERE sublet.resource_id = @resource_id AND known_to IS NULL
       AND (valid_to IS NULL OR valid_to > @at::timestamptz) RETURNING *)
INSERT INTO sublet (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document,
                    valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document,
       valid_from, @at::timestamptz, sublet_id, @reason, @created_by
  FROM closed
 WHERE valid_from < @at::timestamptz;

-- name: EndAccesses :exec
WITH closed AS (
    UPDATE access SET known_to = now() WHERE access.resource_id = @resource_id AND known_to IS NULL
       AND (valid_to IS NULL OR valid_to > @at::timestamptz) RETURNING *)
INSERT INTO access (access_id, resource_id, province, operator_id, location, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, province, operator_id, location, valid_from, @at::timestamptz, access_id, @reason, @created_by
  FROM closed
 WHERE valid_from < @at::timestamptz;

-- name: EndContracts :exec
WITH closed AS (
    UPDATE contract SET known_to = now() WHERE contract.resource_id = @resource_id AND known_to IS NULL
       AND (valid_to IS NULL OR valid_to > @at::timestamptz) RETURNING *)
INSERT INTO contract (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses,
                      valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses,
       valid_from, @at::timestamptz, contract_id, @reason, @created_by
  FROM closed
 WHERE valid_from < @at::timestamptz;

-- name: EndSeats :exec
WITH closed AS (
    UPDATE seat_line SET known_to = now() WHERE seat_line.resource_id = @resource_id AND known_to IS NULL
       AND (valid_to IS NULL OR valid_to > @at::timestamptz) RETURNING *)
INSERT INTO seat_line (seat_line_id, seat_id, resource_id, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), seat_id, resource_id, valid_from, @at::timestamptz, seat_line_id, @reason, @created_by
  FROM closed
 WHERE valid_from < @at::timestamptz;

-- name: WithSublets :many
-- Those of some resources that have sublets.
SELECT DISTINCT resource_id FROM sublet WHERE resource_id = ANY (@resources::uuid[]) AND known_to IS NULL;

-- name: CutAccesses :exec
-- What goes on beyond the time for which its resource is allocated is closed, and what lies within it is entered again.
WITH allocated AS (
    SELECT a.resource_id, range_agg(a.valid) AS spans
      FROM allocation a
     WHERE a.resource_id = ANY (@resources::uuid[]) AND a.known_to IS NULL
     GROUP BY a.resource_id
), closed AS (
    UPDATE access x SET known_to = now() FROM allocated l
     WHERE l.resource_id = x.resource_id AND x.known_to IS NULL AND NOT l.spans @> x.valid
    RETURNING x.*)
INSERT INTO access (access_id, resource_id, province, operator_id, location, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), c.resource_id, c.province, c.operator_id, c.location, lower(p.part), upper(p.part), c.access_id, @reason, @created_by
  FROM closed c
  JOIN allocated l ON l.resource_id = c.resource_id
 CROSS JOIN LATERAL unnest(l.spans * tstzmultirange(c.valid)) AS p (part);

-- name: CutContracts :exec
WITH allocated AS (
    SELECT a.resource_id, range_agg(a.valid) AS spans
      FROM allocation a
     WHERE a.resource_id = ANY (@resources::uuid[]) AND a.known_to IS NULL
     GROUP BY a.resource_id
), closed AS (
    UPDATE contract x SET known_to = now() FROM allocated l
     WHERE l.resource_id = x.resource_id AND x.known_to IS NULL AND NOT l.spans @> x.valid
    RETURNING x.*)
INSERT INTO contract (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), c.resource_id, c.operator_id, c.number, c.call_limit, c.limit_unit, c.complaint_clauses, c.handling_clauses, lower(p.part), upper(p.part), c.contract_id, @reason, @created_by
  FROM closed c
  JOIN allocated l ON l.resource_id = c.resource_id
 CROSS JOIN LATERAL unnest(l.spans * tstzmultirange(c.valid)) AS p (part);

-- name: CutSeats :exec
WITH allocated AS (
    SELECT a.resource_id, range_agg(a.valid) AS spans
      FROM allocation a
     WHERE a.resource_id = ANY (@resources::uuid[]) AND a.known_to IS NULL
     GROUP BY a.resource_id
), closed AS (
    UPDATE seat_line x SET known_to = now() FROM allocated l
     WHERE l.resource_id = x.resource_id AND x.known_to IS NULL AND NOT l.spans @> x.valid
    RETURNING x.*)
INSERT INTO seat_line (seat_line_id, seat_id, resource_id, valid_from, valid_to, corrects, reason, created_by)
SELECT gen_random_uuid(), c.seat_id, c.resource_id, lower(p.part), upper(p.part), c.seat_line_id, @reason, @created_by
  FROM closed c
  JOIN allocated l ON l.resource_id = c.resource_id
 CROSS JOIN LATERAL unnest(l.spans * tstzmultirange(c.valid)) AS p (part);

-- name: UpsertSeat :one
-- A seat is known by its call centre's own code.
INSERT INTO seat (seat_id, holder_id, code, province, created_by) VALUES (@seat_id, @holder_id, @code, @province, @created_by)
ON CONFLICT ON CONSTRAINT seat_once DO NOTHING
RETURNING *;

-- name: SeatByCode :one
SELECT * FROM seat WHERE holder_id = @holder_id AND code = @code;

-- name: InsertSeatLine :one
INSERT INTO seat_line (seat_line_id, seat_id, resource_id, valid_from, valid_to, corrects, reason, created_by)
VALUES (@seat_line_id, @seat_id, @resource_id, @valid_from, sqlc.narg(valid_to), sqlc.narg(corrects), @reason, @created_by)
RETURNING *;

-- name: CloseSeatLine :one
UPDATE seat_line SET known_to = now() WHERE seat_line_id = @seat_line_id AND known_to IS NULL RETURNING *;

-- name: ListSeats :many
-- An operator sees the seats on the lines that it gives access to.
SELECT sqlc.embed(l), sqlc.embed(s)
  FROM seat_line l
  JOIN seat s ON s.seat_id = l.seat_id
 WHERE l.known_to IS NULL AND l.valid @> @at::timestamptz AND l.seat_line_id > @after
   AND (sqlc.narg(resource_id)::uuid IS NULL OR l.resource_id = sqlc.narg(resource_id)::uuid)
   AND (sqlc.narg(holder_id)::uuid IS NULL OR s.holder_id = sqlc.narg(holder_id)::uuid)
   AND (@sees_all::boolean OR (@agency_id::text <> '' AND EXISTS (SELECT 1 FROM allocation a
         WHERE a.resource_id = l.resource_id AND a.known_to IS NULL AND a.valid @> @at::timestamptz
           AND same_operator(@agency_id::text, a.access_operator_id))))
 ORDER BY l.seat_line_id
 LIMIT @page_size;
