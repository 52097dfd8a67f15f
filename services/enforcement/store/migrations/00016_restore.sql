-- After a reversal the numbers are restored by who gave them access; and a step that is noted late again and again is an alarm.

-- +goose Up
INSERT INTO case_edge (from_state, to_state, step, article) VALUES ('REVERSED', 'REVERSED', 'restore', '行政处罚法 第四十八条');

CREATE OR REPLACE VIEW effect_violation AS
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
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = e.case_id AND f.kind = 'copy_procuratorate')
    UNION
    -- the last three lines of its log: the people decide, and none of it is recorded
    SELECT l.case_id, 'step ' || min(l.step) || ' of a case is noted late again and again'
      FROM (SELECT e.case_id, split_part(e.outcome, '/', 1) AS step, e.step AS line,
                   row_number() OVER (PARTITION BY e.case_id ORDER BY e.seq DESC) AS back
              FROM case_event e WHERE e.case_id IN (SELECT x.case_id FROM case_event x WHERE x.step = 'late')) l
     WHERE l.back <= 3
     GROUP BY l.case_id
    HAVING count(*) = 3 AND bool_and(l.line = 'late') AND min(l.step) = max(l.step)
    UNION
    SELECT e.case_id, 'decision was taken back and what was done to a number because of it was not'
      FROM case_event e
      JOIN enforcement_case c ON c.case_id = e.case_id
      JOIN case_complaint a ON a.case_id = c.case_id
      JOIN measure_record r ON r.complaint_id = a.complaint_id AND r.round = a.round AND r.decided_agency_id = c.agency_id AND r.resource_id IS NOT NULL
     WHERE e.to_state = 'REVERSED' AND e.from_state <> e.to_state AND e.created_at < now() - interval '10 minutes'
       AND EXISTS (SELECT 1 FROM measure_log l WHERE l.measure_id = r.measure_id AND l.state = 'done')
       AND NOT EXISTS (SELECT 1 FROM case_effect f WHERE f.case_id = c.case_id AND f.kind = 'restore_resource')
    UNION
    SELECT c.case_id, 'case was closed after a reversal before the service of a number was restored'
      FROM enforcement_case c JOIN case_effect f ON f.case_id = c.case_id AND f.kind = 'restore_resource' AND f.result = 'restored'
     WHERE c.state = 'CLOSED' AND NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = c.case_id AND e.step = 'restore');
CREATE INDEX case_event_late ON case_event (case_id) WHERE step = 'late';

-- +goose Down
DROP INDEX case_event_late;
CREATE OR REPLACE VIEW effect_violation AS
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
DELETE FROM case_edge WHERE step = 'restore';
