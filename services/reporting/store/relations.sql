-- Queries of how complaints hang together: split, merged, linked, and where each report was before.

-- name: LockComplaints :many
SELECT * FROM complaint WHERE complaint_id = ANY (@complaint_ids::uuid[])
ORDER BY key, complaint_id
FOR UPDATE;

-- LockForSplit locks a complaint with those that its reports may join, in the order of the keys.
-- name: LockForSplit :many
SELECT * FROM complaint
WHERE complaint_id = @complaint_id OR (state <> 'CLOSED' AND (key = ANY (@keys::text[]) OR complaint_id = ANY (@joinable::uuid[])))
ORDER BY key, complaint_id
FOR UPDATE;

-- name: AliasedTo :many
SELECT a.key, a.complaint_id FROM complaint_alias a JOIN complaint c USING (complaint_id)
WHERE a.key = ANY (@keys::text[]) AND a.ended_at IS NULL AND lower_inf(a.calls) AND upper_inf(a.calls) AND c.state <> 'CLOSED';

-- MovableReports are those of the round that nothing was found on yet and that have not been told their result.
-- name: MovableReports :many
SELECT r.report_id, r.same_call_as, r.call_time, r.number_normal, r.reporter_province, r.displayed, r.created_at FROM report r
WHERE r.complaint_id = @complaint_id AND r.round = @round AND r.withdrawn_at IS NULL AND r.finding = ''
  AND NOT EXISTS (SELECT FROM feedback f WHERE f.report_id = r.report_id AND f.round = r.round AND f.stage IN ('result', 'not_accepted'))
ORDER BY r.report_id;

-- name: NextPart :one
SELECT (coalesce(max(part::integer), 1) + 1)::integer AS part FROM complaint WHERE number_normal = $1 AND part ~ '^[0-9]{1,6}$';

-- name: OpenPart :exec
INSERT INTO complaint (complaint_id, key, part, holder, displayed, number_normal, number_kind, number_province, number_carrier,
    number_reason, forged, round, reopened, to_lead, created_at, round_time, state_time, updated_at, previous_complaint_id)
SELECT @part_id::uuid, sqlc.narg(key)::text, @part::text, @holder::text, c.displayed, c.number_normal, c.number_kind, c.number_province,
    c.number_carrier, c.number_reason, c.forged, c.round, c.reopened, c.to_lead, @created_at::timestamptz, c.round_time, @at::timestamptz, @at,
    (SELECT coalesce(p.merged_into, p.complaint_id) FROM complaint p
     WHERE p.key = sqlc.narg(key)::text AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
FROM complaint c WHERE c.complaint_id = @complaint_id;

-- RelocateReports moves reports and keeps where they were. A report's own number is kept where it is not its complaint's.
-- name: RelocateReports :execrows
WITH moved AS (
    UPDATE report r SET complaint_id = @moved_to::uuid, round = @to_round, relapse = false,
        number_normal = CASE coalesce(nullif(r.number_normal, ''), @from_number::text) WHEN @to_number::text THEN ''
            ELSE coalesce(nullif(r.number_normal, ''), @from_number) END
    WHERE r.report_id = ANY (@report_ids::uuid[]) AND r.complaint_id = @moved_from::uuid
    RETURNING r.report_id
)
INSERT INTO report_move (report_id, moved_from, from_round, moved_to, to_round, what, created_at)
SELECT report_id, @moved_from, @from_round::integer, @moved_to, @to_round::integer, @what::text, @at::timestamptz FROM moved ORDER BY report_id;

-- name: RelocateSupplements :exec
UPDATE supplement SET complaint_id = @moved_to::uuid, round = @to_round
WHERE complaint_id = @moved_from::uuid AND report_id = ANY (@report_ids::uuid[]);

-- name: RelocateEvidence :exec
UPDATE evidence e SET complaint_id = @moved_to::uuid FROM report_evidence x
WHERE x.evidence_id = e.evidence_id AND x.report_id = ANY (@report_ids::uuid[]) AND e.complaint_id = @moved_from::uuid;

-- name: HandOnEvidence :exec
UPDATE evidence e SET complaint_id = @moved_to::uuid
WHERE e.complaint_id = @moved_from::uuid AND NOT EXISTS (SELECT FROM report_evidence x WHERE x.evidence_id = e.evidence_id);

-- name: HoldBy :exec
UPDATE complaint SET holder = @holder, updated_at = @at WHERE complaint_id = @complaint_id;

-- name: CloseMerged :exec
UPDATE complaint SET state = 'CLOSED', stage = 'closed', office = '', due_time = NULL, closed_time = @at, result = 'merged',
    merged_into = @merged_into, state_time = @at, updated_at = @at
WHERE complaint_id = @complaint_id;

-- name: FollowMerged :exec
UPDATE complaint SET merged_into = @merged_into::uuid WHERE merged_into = @complaint_id::uuid;

-- name: LeadsOf :many
SELECT DISTINCT agency_id FROM complaint_party
WHERE complaint_id = $1 AND part IN ('lead', 'co') AND until_time IS NULL ORDER BY agency_id;

-- name: EndAliasesOf :exec
UPDATE complaint_alias SET ended_at = @at WHERE complaint_id = @complaint_id AND ended_at IS NULL;

-- name: HandOnAliases :exec
WITH ended AS (
    UPDATE complaint_alias a SET ended_at = @at::timestamptz WHERE a.complaint_id = @moved_from::uuid AND a.ended_at IS NULL
    RETURNING a.key AS led, a.calls AS of_calls
)
INSERT INTO complaint_alias (key, calls, complaint_id, created_at) SELECT ended.led, ended.of_calls, @moved_to::uuid, @at FROM ended;

-- ClearAliases ends what the key leads to in a time, and keeps what lies outside it.
-- name: ClearAliases :exec
WITH ended AS (
    UPDATE complaint_alias a SET ended_at = @at::timestamptz
    WHERE a.key = @key AND a.ended_at IS NULL AND a.calls && tstzrange(sqlc.narg(held_from)::timestamptz, sqlc.narg(held_until)::timestamptz)
    RETURNING a.key AS led, a.calls, a.complaint_id
)
INSERT INTO complaint_alias (key, calls, complaint_id, created_at)
SELECT e.led, left_over, e.complaint_id, @at
FROM ended e CROSS JOIN LATERAL unnest(tstzmultirange(e.calls) -
    tstzmultirange(tstzrange(sqlc.narg(held_from)::timestamptz, sqlc.narg(held_until)::timestamptz))) AS left_over;

-- name: EndDeadAliases :exec
UPDATE complaint_alias a SET ended_at = @at FROM complaint c
WHERE a.key = @key AND a.ended_at IS NULL AND c.complaint_id = a.complaint_id AND c.state = 'CLOSED';

-- AddAlias has reports under the key join the complaint for all calls in the time that lead nowhere else.
-- name: AddAlias :exec
INSERT INTO complaint_alias (key, calls, complaint_id, created_at)
SELECT @key::text, unnest(tstzmultirange(tstzrange(sqlc.narg(held_from)::timestamptz, sqlc.narg(held_until)::timestamptz)) -
    coalesce(range_agg(a.calls), '{}'::tstzmultirange)), @complaint_id::uuid, @at::timestamptz
FROM complaint_alias a WHERE a.key = @key AND a.ended_at IS NULL;

-- name: AddRelation :exec
INSERT INTO complaint_history (complaint_id, round, actor, agency_id, what, old, new, why, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: AddLink :one
INSERT INTO complaint_link (complaint_id, other_complaint_id, kind, ends, reason, actor, agency_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING link_id;

-- name: LinkByID :one
SELECT * FROM complaint_link l WHERE l.link_id = $1 AND l.ends IS NULL;

-- StandingLink: of two that are alike, either may be named first; successor and relapse follow upon something.
-- name: StandingLink :one
SELECT l.link_id FROM complaint_link l
WHERE (l.complaint_id = @complaint_id AND l.other_complaint_id = @other_complaint_id
       OR @kind::text IN ('same_party', 'same_campaign', 'related')
          AND l.complaint_id = @other_complaint_id AND l.other_complaint_id = @complaint_id)
  AND l.kind = @kind AND l.ends IS NULL
  AND NOT EXISTS (SELECT FROM complaint_link e WHERE e.ends = l.link_id)
LIMIT 1;

-- name: LinkEnded :one
SELECT EXISTS (SELECT FROM complaint_link WHERE ends = @link_id::bigint);

-- LinksOf are the links to what the reader may see too.
-- name: LinksOf :many
SELECT l.* FROM complaint_link l
CROSS JOIN LATERAL (SELECT CASE l.complaint_id WHEN @complaint_id::uuid THEN l.other_complaint_id ELSE l.complaint_id END AS id) o
WHERE (l.complaint_id = @complaint_id OR l.other_complaint_id = @complaint_id) AND l.ends IS NULL
  AND NOT EXISTS (SELECT FROM complaint_link e WHERE e.ends = l.link_id)
  AND (@sees_all::boolean
       OR EXISTS (SELECT FROM complaint_party p WHERE p.complaint_id = o.id AND p.agency_id = @agency_id AND p.until_time IS NULL)
       OR (@sent::boolean AND EXISTS (SELECT FROM report r WHERE r.complaint_id = o.id AND r.sender = @agency_id)))
ORDER BY l.link_id DESC
LIMIT @most;

-- name: VisibleAmong :many
SELECT c.complaint_id FROM complaint c
WHERE c.complaint_id = ANY (@complaint_ids::uuid[])
  AND (EXISTS (SELECT FROM complaint_party p WHERE p.complaint_id = c.complaint_id AND p.agency_id = @agency_id AND p.until_time IS NULL)
       OR (@sent::boolean AND EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id AND r.sender = @agency_id)));

-- name: HistoryOf :many
SELECT * FROM complaint_history WHERE complaint_id = @complaint_id AND history_id > @after
ORDER BY history_id
LIMIT @page_size;

-- name: MergedSince :many
SELECT complaint_id, round FROM complaint
WHERE merged_into IS NOT NULL AND closed_time >= @since
ORDER BY closed_time DESC, complaint_id
LIMIT @most;

-- name: CountOfRound :one
SELECT count(*) FROM report WHERE complaint_id = $1 AND round = $2 AND withdrawn_at IS NULL;

-- BeganBefore: what is merged has waited since its own round began.
-- name: BeganBefore :exec
UPDATE complaint SET round_time = least(round_time, @round_time) WHERE complaint_id = @complaint_id;

-- RaiseRound lets a complaint that was just opened go on where its reports were.
-- name: RaiseRound :exec
UPDATE complaint SET round = sqlc.arg(to_round)::integer, reopened = sqlc.arg(to_round)::integer - 1,
    round_time = least(round_time, @round_time)
WHERE complaint_id = @complaint_id;

-- name: MergedNumbers :many
-- The other numbers of a complaint, each with its first call. The report that stands for one is the one that came first, also
-- when a later one tells of an earlier call, or when it was withdrawn since: who was asked about it is not asked again.
SELECT number_normal, (min(call_time) FILTER (WHERE withdrawn_at IS NULL))::timestamptz AS first_call_time,
       (array_agg(report_id ORDER BY created_at, report_id))[1]::uuid AS report_id
  FROM report
 WHERE complaint_id = @complaint_id AND round = @round AND number_normal <> '' AND call_time IS NOT NULL
 GROUP BY number_normal
HAVING bool_or(withdrawn_at IS NULL)
 ORDER BY 2, 1
 LIMIT @most;
