-- Digests: which agency had a version drafted, and of what the figures of a table must be many enough to be public.

-- +goose Up
ALTER TABLE digest
    ADD COLUMN drafted_by_agency text NOT NULL DEFAULT ''; -- empty: the schedule, or before this was kept
ALTER TABLE digest_table
    ADD COLUMN threshold_unit text NOT NULL DEFAULT '' -- empty: before this was said
        CONSTRAINT digest_table_threshold_unit CHECK (threshold_unit IN ('', 'reporters', 'matters', 'marks'));

-- Who may draft and release is the policy of publishers, asked as of the day on which it was done.
CREATE VIEW digest_keeper_violation AS
    SELECT d.digest_id AS id, 'digest drafted for an agency that publishes none'::text AS what
      FROM digest d
     WHERE d.drafted_by_agency <> '' AND NOT EXISTS (SELECT FROM publisher_policy p WHERE p.kind = 'digest' AND d.drafted_by_agency LIKE p.agency
           AND p.valid_from <= d.build_time AND (p.valid_to IS NULL OR p.valid_to > d.build_time))
    UNION ALL
    SELECT r.digest_id, 'digest released by an agency that publishes none'
      FROM digest_release r
     WHERE NOT EXISTS (SELECT FROM publisher_policy p WHERE p.kind = 'digest' AND r.released_by_agency LIKE p.agency
           AND p.valid_from <= r.release_time AND (p.valid_to IS NULL OR p.valid_to > r.release_time))
    UNION ALL
    SELECT t.digest_id, 'digest table ' || t.axis || ' does not say of what its figures must be many'
      FROM digest_table t JOIN digest d USING (digest_id) WHERE t.threshold_unit = '' AND d.drafted_by_agency <> '';
GRANT SELECT ON digest_keeper_violation TO disclosure;

-- +goose Down
DROP VIEW digest_keeper_violation;
ALTER TABLE digest_table DROP COLUMN threshold_unit;
ALTER TABLE digest DROP COLUMN drafted_by_agency;
