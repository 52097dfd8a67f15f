-- Rows of a load that are about licences, contracts and sublets.

-- name: CountBeside :one
SELECT count(*) FROM load_row WHERE load_id = @load_id AND about <> '' AND fate <> 'rejected';

-- name: BesideRows :many
-- Licences first: what else a file says may rest on them.
SELECT line, about, said, fate, changes, effect_time FROM load_row
 WHERE load_id = @load_id AND about = @about AND fate <> 'rejected' AND line > @after
 ORDER BY line
 LIMIT @page_size;

-- name: FirmsBeside :many
-- The firms that such rows name.
SELECT line, said FROM load_row
 WHERE load_id = @load_id AND about IN ('licence', 'sublet') AND fate <> 'rejected' AND line > @after
 ORDER BY line
 LIMIT @page_size;

-- name: LoadHolders :many
SELECT holder_id, credit_code FROM load_holder WHERE load_id = @load_id AND credit_code <> '';

-- name: SetEntered :exec
UPDATE load_row SET entered = @entered::uuid[] WHERE load_id = @load_id AND line = @line;

-- name: EnterLoadHolder :exec
INSERT INTO holder (holder_id, name, credit_code, licence, sector, created_by)
SELECT h.holder_id, h.name, h.credit_code, h.licence, h.sector, @created_by
  FROM load_holder h
 WHERE h.load_id = @load_id AND h.holder_id = @holder_id
ON CONFLICT (holder_id) DO NOTHING;

-- name: LicencesByNumber :many
SELECT * FROM licence WHERE number = @number AND known_to IS NULL ORDER BY valid_from;

-- name: ContractsKnown :many
SELECT * FROM contract WHERE resource_id = @resource_id AND operator_id = @operator_id AND known_to IS NULL ORDER BY valid_from;

-- name: SubletsKnown :many
SELECT * FROM sublet
 WHERE resource_id = @resource_id AND lessor_id = @lessor_id AND lessee_id = @lessee_id
   AND first_number = @first_number AND last_number = @last_number AND known_to IS NULL
 ORDER BY valid_from;

-- name: AllocationHolding :one
-- Whose numbers these are at a time, as known now.
SELECT * FROM allocation
 WHERE scheme = @scheme AND digits = @digits AND numbers @> int8range(@first_number::bigint, @last_number::bigint, '[]')
   AND valid @> @at::timestamptz AND known_to IS NULL;

-- name: HasAccess :one
-- Whether an operator gives a resource access at a time, at some place beside the one of its allocation.
SELECT EXISTS (SELECT 1 FROM access x WHERE x.resource_id = @resource_id AND x.operator_id = @operator_id AND x.valid @> @at::timestamptz AND x.known_to IS NULL);
