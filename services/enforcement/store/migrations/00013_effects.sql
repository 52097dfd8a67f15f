-- What follows from a case is carried out: an effect that is still missing when it should long be there is broken. The mesh
-- needs seconds for it; ten minutes are an alarm in time.

-- +goose Up
CREATE VIEW effect_violation AS
    SELECT e.case_id AS id, 'case whose reporters were not told that it came to ' || c.effective_outcome AS what
      FROM enforcement_case c
      JOIN case_event e ON e.case_id = c.case_id AND e.from_state <> e.to_state AND e.to_state IN ('DELIVERED', 'NO_PENALTY', 'TRANSFERRED')
     WHERE c.procedure <> 'before' AND c.effective_outcome <> '' AND greatest(e.created_at, c.deliver_time) < now() - interval '10 minutes'
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'tell_complaints')
    UNION
    SELECT e.case_id, 'penalty of a case was delivered and its publication not decided on'
      FROM enforcement_case c
      JOIN case_event e ON e.case_id = c.case_id AND e.from_state <> e.to_state AND e.to_state = 'DELIVERED'
     WHERE c.procedure <> 'before' AND c.reverse_time IS NULL AND greatest(e.created_at, c.deliver_time) < now() - interval '10 minutes'
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'publish')
    UNION
    SELECT e.case_id, 'case went to the police without its copy to the procuratorate'
      FROM case_event e
     WHERE e.to_state = 'TRANSFERRED' AND e.from_state <> e.to_state AND e.created_at < now() - interval '10 minutes'
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = e.case_id AND f.kind = 'copy_procuratorate');
GRANT SELECT ON effect_violation TO enforcement;
CREATE OR REPLACE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation
    UNION ALL
    SELECT id, what FROM effect_violation;

-- +goose Down
CREATE OR REPLACE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation;
DROP VIEW effect_violation;
