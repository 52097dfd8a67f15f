-- name: InsertMeasure :exec
INSERT INTO joint_measure (measure_id, listing_id, agency_id, measure, basis, begin_time, recorded_by)
VALUES (@measure_id, @listing_id, @agency_id, @measure, @basis, @begin_time, @recorded_by);

-- name: MeasureOf :one
SELECT measure_id FROM joint_measure WHERE listing_id = @listing_id AND agency_id = @agency_id AND measure = @measure;

-- name: InsertLifting :exec
INSERT INTO lifting (measure_id, reason, lift_time, recorded_by) VALUES (@measure_id, @reason, @lift_time, @recorded_by)
ON CONFLICT (measure_id) DO NOTHING;

-- name: GetMeasure :one
SELECT sqlc.embed(m), f.lift_time, l.lift_due, l.party_name, l.credit_code, l.state
  FROM joint_measure m JOIN listing l USING (listing_id) LEFT JOIN lifting f ON f.measure_id = m.measure_id
 WHERE m.measure_id = @measure_id;

-- name: ListMeasures :many
SELECT sqlc.embed(m), f.lift_time, l.lift_due, l.party_name, l.credit_code, l.state
  FROM joint_measure m JOIN listing l USING (listing_id) LEFT JOIN lifting f ON f.measure_id = m.measure_id
 WHERE (sqlc.narg(listing_id)::uuid IS NULL OR m.listing_id = sqlc.narg(listing_id)::uuid)
   AND (@agency_id::text = '' OR m.agency_id = @agency_id) AND (@party::text = '' OR l.credit_code = @party)
   AND (NOT @live::boolean OR f.measure_id IS NULL)
   AND m.measure_id > @after::uuid
 ORDER BY m.measure_id LIMIT @page_size;

-- name: StillPunished :many
SELECT sqlc.embed(m), f.lift_time, l.lift_due, l.party_name, l.credit_code, l.state
  FROM joint_measure m JOIN listing l USING (listing_id) LEFT JOIN lifting f ON f.measure_id = m.measure_id
 WHERE f.measure_id IS NULL AND l.lift_due < @at AND (@agency_id::text = '' OR m.agency_id = @agency_id)
   AND (l.lift_due, m.measure_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY l.lift_due, m.measure_id LIMIT @page_size;

-- name: StillPunishedByAgency :many
SELECT m.agency_id, count(*)::int AS n
  FROM joint_measure m JOIN listing l USING (listing_id)
 WHERE l.lift_due < @at AND NOT EXISTS (SELECT 1 FROM lifting f WHERE f.measure_id = m.measure_id)
   AND (@agency_id::text = '' OR m.agency_id = @agency_id)
 GROUP BY m.agency_id ORDER BY m.agency_id LIMIT 100;
