-- name: PolicyRows :many
SELECT code, value, lower(valid)::timestamptz AS since, coalesce(upper(valid), '9999-12-31')::timestamptz AS until FROM policy;

-- name: LockComplaint :one
SELECT * FROM complaint WHERE complaint_id = $1 FOR UPDATE;

-- name: LockAmongFilers :one
SELECT * FROM complaint WHERE complaint_id = $1 FOR NO KEY UPDATE;

-- name: ComplaintFacts :one
SELECT * FROM complaint WHERE complaint_id = $1;

-- name: AddHistory :exec
INSERT INTO complaint_history (complaint_id, round, actor, agency_id, what, old, new, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: OpenComplaint :exec
UPDATE complaint SET state = 'OPEN', stage = 'accept', state_time = @at, updated_at = @at WHERE complaint_id = @complaint_id;

-- name: CallsOf :one
SELECT coalesce(min(call_time), 'epoch')::timestamptz AS first_call_time, count(*) AS reports, coalesce(bool_or(verified AND withdrawn_at IS NULL), false)::boolean AS verified
FROM report WHERE complaint_id = $1;

-- name: CountReportsOf :many
SELECT complaint_id, count(*)::integer AS reports FROM report WHERE complaint_id = ANY (@complaint_ids::uuid[]) GROUP BY complaint_id;

-- name: JoinRound :exec
UPDATE report SET round = @round WHERE report_id = ANY (@report_ids::uuid[]);

-- name: ListUnstarted :many
SELECT complaint_id, round, round_time FROM complaint
WHERE state = 'RECEIVED' AND round_time <= @before AND (round_time, complaint_id) > (@after_time::timestamptz, @after_id::uuid)
ORDER BY round_time, complaint_id
LIMIT @page_size;

-- name: LastStageEntry :one
SELECT * FROM stage_entry WHERE complaint_id = $1 AND round = $2 ORDER BY entry_id DESC LIMIT 1;

-- name: AddStageEntry :exec
INSERT INTO stage_entry (entry_id, complaint_id, round, stage, office, due_time, reached_time) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: RenewStageEntry :exec
UPDATE stage_entry SET office = $2, due_time = $3 WHERE entry_id = $1;

-- name: AdvanceComplaint :exec
UPDATE complaint SET
    stage         = @stage,
    office        = @office,
    due_time      = @due_time,
    result        = coalesce(nullif(@result::text, ''), result),
    region_source = coalesce(nullif(@region_source::text, ''), region_source),
    disclosure    = coalesce(nullif(@disclosure::text, ''), disclosure),
    updated_at    = @at
WHERE complaint_id = @complaint_id;

-- name: DetachForged :exec
UPDATE complaint SET forged = true, key = @key, updated_at = @at WHERE complaint_id = @complaint_id;

-- name: LiveWithKey :one
SELECT EXISTS (SELECT FROM complaint WHERE key = $1 AND state <> 'CLOSED');

-- name: AddParties :exec
INSERT INTO complaint_party (complaint_id, agency_id, part, since_time)
SELECT @complaint_id, unnest(@agencies::text[]), unnest(@parts::text[]), unnest(@since::timestamptz[])
ON CONFLICT (complaint_id, agency_id, part) WHERE until_time IS NULL DO NOTHING;

-- name: EndLeads :exec
UPDATE complaint_party SET until_time = @at
WHERE complaint_id = @complaint_id AND agency_id = ANY (@agencies::text[]) AND part = 'lead' AND until_time IS NULL;

-- name: PartiesOf :many
SELECT * FROM complaint_party WHERE complaint_id = ANY (@complaint_ids::uuid[]) ORDER BY since_time, agency_id, part, party_id;

-- name: PartiesOfOne :many
-- Of one complaint: a list of unknown length would be planned again at each call.
SELECT * FROM complaint_party WHERE complaint_id = $1 ORDER BY since_time, agency_id, part, party_id;

-- name: ClassifyReports :exec
UPDATE report r SET category = u.category, sector = u.sector, confidence = u.confidence, classified = true
FROM (SELECT unnest(@report_ids::uuid[]) AS report_id, unnest(@categories::text[]) AS category, unnest(@sectors::text[]) AS sector,
    unnest(@confidences::real[]) AS confidence) u
WHERE r.report_id = u.report_id AND r.complaint_id = @complaint_id;

-- CategoryWeights is what the reports of a complaint say together. The same call told twice counts once, and what nobody
-- verified only while nothing verified says anything.
-- name: CategoryWeights :many
SELECT category, sector, sum(confidence)::double precision AS weight, sum(confidence * confidence)::double precision AS squares
FROM report r
WHERE r.complaint_id = $1 AND category <> '' AND withdrawn_at IS NULL
  AND (same_call_as IS NULL OR NOT EXISTS (
      SELECT FROM report f WHERE f.report_id = r.same_call_as AND f.complaint_id = r.complaint_id AND f.withdrawn_at IS NULL))
  AND (verified OR NOT EXISTS (
      SELECT FROM report v WHERE v.complaint_id = r.complaint_id AND v.verified AND v.withdrawn_at IS NULL AND v.category <> ''))
GROUP BY category, sector;

-- name: ClassifyComplaint :exec
UPDATE complaint SET category = @category, sector = @sector, updated_at = @at WHERE complaint_id = @complaint_id;

-- name: RecordFinding :execrows
UPDATE report SET finding = @finding, finding_reason = @reason, finding_task = @task
WHERE complaint_id = @complaint_id AND round = @round AND withdrawn_at IS NULL
  AND CASE WHEN @chosen::boolean THEN report_id = ANY (@report_ids::uuid[]) ELSE finding = '' END;

-- name: FindingCounts :one
SELECT count(*) FILTER (WHERE finding = 'substantiated') AS substantiated,
       count(*) FILTER (WHERE finding IN ('substantiated', 'not_substantiated', 'no_evidence')) AS checked
FROM report WHERE complaint_id = @complaint_id AND round = @round;

-- name: GiveFeedback :execrows
INSERT INTO feedback (feedback_id, report_id, round, stage, code, text, sender, created_at)
SELECT gen_random_uuid() AS feedback_id, r.report_id, r.round, @stage::text AS stage,
       CASE WHEN @by_finding::boolean AND r.finding IN ('not_substantiated', 'no_evidence') THEN r.finding
            ELSE @code::text END AS code,
       CASE WHEN @by_finding AND r.finding = 'not_substantiated' THEN @not_substantiated::text
            WHEN @by_finding AND r.finding = 'no_evidence' THEN @no_evidence::text
            ELSE @sentence::text END AS text,
       r.sender, @at::timestamptz AS created_at
FROM report r
WHERE r.complaint_id = @complaint_id AND r.round = @round AND r.withdrawn_at IS NULL
  AND NOT EXISTS (SELECT FROM feedback n WHERE n.report_id = r.report_id AND n.round = r.round AND n.stage = 'not_accepted')
ORDER BY r.report_id
ON CONFLICT ON CONSTRAINT feedback_once DO NOTHING;

-- name: TellReports :exec
INSERT INTO feedback (feedback_id, report_id, round, stage, code, text, sender, created_at)
SELECT gen_random_uuid(), r.report_id, r.round, @stage::text, @code::text, @sentence::text, r.sender, @at::timestamptz
FROM report r
WHERE r.report_id = ANY (@report_ids::uuid[])
ORDER BY r.report_id
ON CONFLICT ON CONSTRAINT feedback_once DO NOTHING;

-- name: KeepRoundFeedback :exec
INSERT INTO round_feedback (complaint_id, round, stage, code, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT round_feedback_pkey DO UPDATE SET code = excluded.code, text = excluded.text, created_at = excluded.created_at;

-- name: TellJoined :exec
INSERT INTO feedback (feedback_id, report_id, round, stage, code, text, sender, created_at)
SELECT gen_random_uuid(), r.report_id, r.round, g.stage,
       CASE g.stage WHEN 'accepted' THEN @code::text ELSE g.code END,
       CASE g.stage WHEN 'accepted' THEN @sentence::text ELSE g.text END, r.sender, @at::timestamptz
FROM report r JOIN round_feedback g USING (complaint_id, round)
WHERE r.report_id = ANY (@report_ids::uuid[]) AND g.stage = ANY (@stages::text[])
ORDER BY r.report_id, g.created_at
ON CONFLICT ON CONSTRAINT feedback_once DO NOTHING;

-- name: Touch :exec
UPDATE complaint SET updated_at = @at WHERE complaint_id = @complaint_id;

-- name: WithoutResult :one
SELECT count(*) FROM report r
WHERE r.complaint_id = @complaint_id AND r.withdrawn_at IS NULL
  AND NOT EXISTS (SELECT FROM feedback f WHERE f.report_id = r.report_id AND f.round = r.round AND f.stage IN ('result', 'not_accepted'));

-- name: WatchComplaint :exec
UPDATE complaint SET state = 'WATCHING', stage = 'watch', office = '', watch_until = @until, due_time = @until,
    handled_time = @handled_time, result = coalesce(nullif(@result::text, ''), result), relapse_count = 0,
    state_time = @at, updated_at = @at
WHERE complaint_id = @complaint_id;

-- name: CloseComplaint :exec
UPDATE complaint SET state = 'CLOSED', stage = 'closed', office = '', due_time = NULL, closed_time = @at,
    result = coalesce(nullif(@result::text, ''), result), state_time = @at, updated_at = @at
WHERE complaint_id = @complaint_id;

-- name: ReopenComplaint :exec
UPDATE complaint SET state = 'RECEIVED', stage = 'accept', office = '', due_time = NULL, watch_until = NULL, handled_time = NULL,
    round = round + 1, reopened = reopened + 1, to_lead = @to_lead, relapse_count = 0,
    round_time = @at, state_time = @at, updated_at = @at
WHERE complaint_id = @complaint_id;

-- name: MoveReports :many
UPDATE report SET round = @new_round, finding = '', finding_reason = '', finding_task = ''
WHERE complaint_id = @complaint_id AND round < @new_round AND withdrawn_at IS NULL
  AND (report_id = ANY (@report_ids::uuid[]) OR (relapse AND round = @old_round))
RETURNING report_id;

-- name: JoinBeforeHandling :many
UPDATE report SET finding = 'not_checked'
WHERE report_id = ANY (@report_ids::uuid[]) AND call_time < @handled_time
RETURNING report_id;

-- name: JoinAsRelapse :many
UPDATE report SET relapse = true, finding = 'not_checked'
WHERE report_id = ANY (@report_ids::uuid[]) AND call_time >= @handled_time
RETURNING report_id, (verified AND same_call_as IS NULL)::boolean AS counts;

-- name: SetRelapses :exec
UPDATE complaint SET relapse_count = $2 WHERE complaint_id = $1;

-- name: ReportsWithText :many
SELECT r.* FROM report r JOIN complaint c USING (complaint_id)
WHERE r.complaint_id = @complaint_id AND r.withdrawn_at IS NULL
ORDER BY (r.round = c.round) DESC, r.report_id DESC
LIMIT @max_reports;

-- name: UnclassifiedReports :many
SELECT * FROM report
WHERE complaint_id = @complaint_id AND withdrawn_at IS NULL AND NOT classified
ORDER BY report_id
LIMIT @max_reports;

-- name: SupplementsOf :many
SELECT supplement_id, report_id, sealed FROM supplement WHERE report_id = ANY (@report_ids::uuid[])
ORDER BY report_id, supplement_id
LIMIT 1000;

-- name: RoundFacts :one
-- A complaint with what its reports, of all rounds and of the current one, come to: all that needs no text, in one.
SELECT sqlc.embed(c), r.reports, r.standing, r.unchecked, r.merged, r.substantiated, r.checked, r.first_call_time, r.last_call_time,
       coalesce((SELECT o.reporter_operator FROM report o
                  WHERE o.complaint_id = c.complaint_id AND o.withdrawn_at IS NULL AND o.reporter_operator <> ''
                  GROUP BY o.reporter_operator
                  ORDER BY count(DISTINCT o.reporter_index) DESC, o.reporter_operator
                  LIMIT 1), '')::text AS reporters_operator,
       EXISTS (SELECT FROM supplement s WHERE s.complaint_id = c.complaint_id AND s.round = c.round
               AND s.created_at > coalesce((SELECT max(f.created_at) FROM feedback f JOIN report a USING (report_id)
                   WHERE a.complaint_id = c.complaint_id AND f.round = c.round AND f.stage = 'supplement_asked'), '-infinity')) AS supplemented
FROM complaint c
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS reports, count(*) FILTER (WHERE withdrawn_at IS NULL) AS standing,
           count(*) FILTER (WHERE round = c.round AND finding = '' AND withdrawn_at IS NULL) AS unchecked,
           count(*) FILTER (WHERE round = c.round AND number_normal <> '' AND withdrawn_at IS NULL) AS merged,
           count(*) FILTER (WHERE finding = 'substantiated') AS substantiated,
           count(*) FILTER (WHERE finding IN ('substantiated', 'not_substantiated', 'no_evidence')) AS checked,
           coalesce(min(call_time) FILTER (WHERE round = c.round AND withdrawn_at IS NULL), to_timestamp(0))::timestamptz AS first_call_time,
           coalesce(max(call_time) FILTER (WHERE round = c.round AND withdrawn_at IS NULL), to_timestamp(0))::timestamptz AS last_call_time
      FROM report WHERE complaint_id = c.complaint_id) r
WHERE c.complaint_id = $1;

-- name: HasReports :one
SELECT EXISTS (SELECT FROM report WHERE complaint_id = $1 AND withdrawn_at IS NULL);

-- name: EvidenceOfReports :many
SELECT report_id, evidence_id FROM report_evidence WHERE report_id = ANY (@report_ids::uuid[]) ORDER BY evidence_id;

-- name: AttachEvidence :execrows
INSERT INTO report_evidence (report_id, evidence_id)
SELECT @report_id, e.evidence_id FROM evidence e
WHERE e.evidence_id = ANY (@evidence_ids::uuid[]) AND e.put_by = @put_by AND e.complaint_id IS NULL
ON CONFLICT DO NOTHING;

-- name: BindEvidence :exec
UPDATE evidence SET complaint_id = @complaint_id WHERE evidence_id = ANY (@evidence_ids::uuid[]) AND complaint_id IS NULL;

-- name: LogEvidence :exec
INSERT INTO evidence_log (evidence_id, deed, actor, agency_id, purpose, request_id, created_at)
SELECT unnest(@evidence_ids::uuid[]), @deed, @actor, @agency_id, @purpose, @request_id, @at;

-- name: SentReports :many
SELECT sender_no, report_id, receipt, content_hash FROM report WHERE sender = @sender AND sender_no = ANY (@sender_nos::text[]);

-- name: SentEntries :many
SELECT quarantine_id, sender_no, content_hash, fate, field, reason FROM quarantine
WHERE sender = @sender AND sender_no = ANY (@sender_nos::text[]);

-- name: UnnumberedEntries :many
SELECT quarantine_id, sender_no, content_hash, fate, field, reason FROM quarantine
WHERE sender = @sender AND sender_no = '' AND content_hash = ANY (@hashes::bytea[]);

-- name: SameCalls :many
SELECT r.complaint_id, r.report_id, r.reporter_index, r.call_time, r.verified, 
    coalesce(nullif(r.number_normal, ''), (SELECT c.number_normal FROM complaint c WHERE c.complaint_id = r.complaint_id), '')::text AS number_normal
FROM (SELECT unnest(@complaint_ids::uuid[]) AS complaint_id, unnest(@reporters::bytea[]) AS reporter_index) u
CROSS JOIN LATERAL (
    SELECT * FROM report WHERE report.complaint_id = u.complaint_id AND report.reporter_index = u.reporter_index
    AND report.same_call_as IS NULL OFFSET 0
) r;

-- name: KeepHeader :exec
INSERT INTO row_header (header_hash, header) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: ResolveEntries :exec
UPDATE quarantine q SET state = 'repaired', report_id = u.report_id, resolved_by = @resolved_by, resolved_why = 'sent corrected',
    resolved_at = @at
FROM (SELECT unnest(@sender_nos::text[]) AS sender_no, unnest(@report_ids::uuid[]) AS report_id) u
WHERE q.sender = @sender AND q.sender_no = u.sender_no AND q.fate = 'quarantined' AND q.state = 'open';

-- name: LockEntry :one
SELECT q.*, h.header FROM quarantine q LEFT JOIN row_header h USING (header_hash) WHERE quarantine_id = $1 FOR UPDATE OF q;

-- name: ResolveEntry :exec
UPDATE quarantine SET state = @state, report_id = @report_id, resolved_by = @resolved_by, resolved_why = @resolved_why, resolved_at = @at
WHERE quarantine_id = @quarantine_id;

-- name: ListQuarantined :many
SELECT quarantine_id, sender, sender_no, fate, field, reason, state, report_id, created_at FROM quarantine
WHERE state = @state AND quarantine_id > @after AND (@sees_all::boolean OR sender = @agency_id)
ORDER BY quarantine_id LIMIT @page_size;

-- name: CountReports :one
SELECT count(*) FROM report;

-- name: CountStates :many
SELECT state, stage, count(*) AS complaints FROM complaint GROUP BY state, stage;

-- name: CountQuarantined :one
SELECT count(*) FROM quarantine WHERE state = 'open';

-- name: AuditComplaints :many
SELECT c.complaint_id, c.state, c.round, c.result, c.updated_at,
    (SELECT count(*) FROM report r WHERE r.complaint_id = c.complaint_id) AS reports,
    (SELECT count(*) FROM report r WHERE r.complaint_id = c.complaint_id AND r.withdrawn_at IS NULL AND NOT EXISTS (
        SELECT FROM feedback f WHERE f.report_id = r.report_id AND f.round = r.round AND f.stage IN ('result', 'not_accepted'))
    ) AS without_feedback
FROM complaint c WHERE c.complaint_id > @after
ORDER BY c.complaint_id LIMIT @page_size;

-- name: VisibleComplaint :one
SELECT * FROM complaint c
WHERE c.complaint_id = @complaint_id
  AND (@sees_all::boolean
       OR EXISTS (SELECT FROM complaint_party p
                  WHERE p.complaint_id = c.complaint_id AND p.agency_id = @agency_id AND p.until_time IS NULL)
       OR (@sent::boolean AND EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id AND r.sender = @agency_id)));

-- name: ListComplaints :many
SELECT * FROM complaint c
WHERE (@sees_all::boolean
       OR c.complaint_id IN (SELECT p.complaint_id FROM complaint_party p WHERE p.agency_id = @agency_id AND p.until_time IS NULL)
       OR (@sent::boolean AND EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id AND r.sender = @agency_id)))
  AND (@state::text = '' OR c.state = @state)
  AND (@stage::text = '' OR c.stage = @stage)
  AND (@number::text = '' OR c.number_normal = @number OR c.complaint_id IN ( -- also what the number was merged into
      SELECT f.merged_into FROM complaint f WHERE f.number_normal = @number AND f.merged_into IS NOT NULL))
  AND (@before::text = '' OR c.complaint_id < nullif(@before, '')::uuid)
ORDER BY c.complaint_id DESC
LIMIT @page_size;

-- name: VisibleReport :one
SELECT sqlc.embed(r), sqlc.embed(c) FROM report r JOIN complaint c USING (complaint_id)
WHERE r.report_id = @report_id
  AND (@sees_all::boolean OR r.sender = @agency_id
       OR EXISTS (SELECT FROM complaint_party p
                  WHERE p.complaint_id = c.complaint_id AND p.agency_id = @agency_id AND p.until_time IS NULL));

-- name: ListReports :many
SELECT sqlc.embed(r), sqlc.embed(c) FROM report r JOIN complaint c USING (complaint_id)
WHERE (@sees_all::boolean OR r.sender = @agency_id
       OR c.complaint_id IN (SELECT p.complaint_id FROM complaint_party p WHERE p.agency_id = @agency_id AND p.until_time IS NULL))
  AND (@complaint_id::text = '' OR r.complaint_id = nullif(@complaint_id, '')::uuid)
  AND (@number::text = '' OR coalesce(nullif(r.number_normal, ''), c.number_normal) = @number AND c.complaint_id IN (
      SELECT coalesce(f.merged_into, f.complaint_id) FROM complaint f WHERE f.number_normal = @number
      UNION SELECT f.complaint_id FROM complaint f WHERE f.number_normal = @number))
  AND (@before::text = '' OR r.report_id < nullif(@before, '')::uuid)
ORDER BY r.report_id DESC
LIMIT @page_size;

-- name: EntryByID :one
SELECT quarantine_id, sender, sender_no, fate, field, reason, state, report_id, created_at FROM quarantine WHERE quarantine_id = $1;
