-- name: TellReversal :execrows
-- Those who were told a result of their own report that the decision confirmed.
INSERT INTO feedback (feedback_id, report_id, round, stage, code, text, sender, created_at)
SELECT gen_random_uuid(), r.report_id, r.round, 'reversed', 'decision_reversed', @sentence::text, r.sender, @at::timestamptz
FROM report r JOIN feedback f ON f.report_id = r.report_id AND f.round = r.round AND f.stage = 'result'
WHERE r.complaint_id = @complaint_id AND r.round = @round AND r.withdrawn_at IS NULL AND f.code IN ('case', 'measures')
ORDER BY r.report_id
ON CONFLICT ON CONSTRAINT feedback_once DO NOTHING;

-- name: ReversedIn :one
SELECT office FROM stage_entry WHERE complaint_id = $1 AND round = $2 AND stage = 'reversed' ORDER BY entry_id DESC LIMIT 1;

-- name: ReversalOf :one
SELECT text FROM feedback WHERE report_id = $1 AND round = $2 AND stage = 'reversed';

-- name: KeepDisclosure :execrows
-- Of a complaint at its end. A publication that it has, or had until its decision was taken back, stands.
UPDATE complaint SET disclosure = @disclosure::text, updated_at = @at
WHERE complaint_id = @complaint_id AND state IN ('WATCHING', 'CLOSED') AND disclosure IN ('', 'case_pending', 'no_penalty_decision');

-- name: Undisclose :exec
-- A newer publication of another case stands.
UPDATE complaint SET disclosure = CASE WHEN disclosure = @was::text AND @was <> '' THEN @disclosure::text ELSE disclosure END, updated_at = @at
WHERE complaint_id = @complaint_id;
