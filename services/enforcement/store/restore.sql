-- name: RestrictionsOf :many
-- What the case's agency did to numbers on the finding that the case came from: measures of its complaints that were carried
-- out and stand in the ledger.
SELECT DISTINCT ON (r.resource_id, r.decided_task_id) r.*
  FROM enforcement_case c
  JOIN case_complaint a ON a.case_id = c.case_id
  JOIN measure_record r ON r.complaint_id = a.complaint_id AND r.round = a.round AND r.decided_agency_id = c.agency_id
 WHERE c.case_id = @case_id AND r.resource_id IS NOT NULL
   AND EXISTS (SELECT 1 FROM measure_log l WHERE l.measure_id = r.measure_id AND l.state = 'done')
 ORDER BY r.resource_id, r.decided_task_id, r.measure_id;
