-- name: SpeaksFor :one
SELECT EXISTS (SELECT FROM mark_source WHERE source = @source AND speaker = @speaker AND valid @> @at::timestamptz);

-- name: MarkMonth :exec
SELECT mark_month(@day::date);

-- name: MarkRetire :exec
SELECT mark_retire();

-- name: ListMarks :many
SELECT m.day, m.source, m.label, m.count, m.stated_at, coalesce(l.code, 'other')::text AS code, coalesce(l.category, '')::text AS category
FROM mark m LEFT JOIN mark_label l ON l.label = m.label AND l.valid @> @at::timestamptz
WHERE m.number = @number AND m.day BETWEEN @since AND @until AND (@sees_all::boolean OR m.source = @agency_id)
  AND (sqlc.narg(after_day)::date IS NULL OR m.day < sqlc.narg(after_day) OR (m.day = sqlc.narg(after_day) AND (m.source, m.label) > (@after_source::text, @after_label::text)))
ORDER BY m.day DESC, m.source, m.label
LIMIT @page_size;

-- name: TallyMarks :many
SELECT coalesce(l.code, 'other')::text AS code, coalesce(l.counts, @unknown_counts::boolean)::boolean AS counts, sum(m.count)::bigint AS marks
FROM mark m LEFT JOIN mark_label l ON l.label = m.label AND l.valid @> @at::timestamptz
WHERE m.number = @number AND m.day BETWEEN @since AND @until AND (@sees_all::boolean OR m.source = @agency_id)
GROUP BY 1, 2
ORDER BY marks DESC, code;

-- name: SpanOfMarks :one
SELECT count(DISTINCT m.day)::integer AS days, count(DISTINCT m.source)::integer AS sources
FROM mark m
WHERE m.number = @number AND m.day BETWEEN @since AND @until AND (@sees_all::boolean OR m.source = @agency_id);

-- name: HeavilyMarked :many
SELECT m.number, sum(m.count)::bigint AS marks, count(DISTINCT mark_house(m.source))::integer AS sources
FROM mark m LEFT JOIN mark_label l ON l.label = m.label AND l.valid @> @at::timestamptz
WHERE m.number = ANY (@numbers::text[]) AND m.day BETWEEN @since AND @until AND coalesce(l.counts, @unknown_counts::boolean)
GROUP BY m.number
HAVING sum(m.count) >= @threshold::bigint AND count(DISTINCT mark_house(m.source)) >= @least::integer
ORDER BY m.number;

-- AllHeavilyMarked looks at millions of rows: the labels that count are read once, not joined to each.
-- name: AllHeavilyMarked :many
SELECT m.number, sum(m.count)::bigint AS marks, count(DISTINCT mark_house(m.source))::integer AS sources
FROM mark m
WHERE m.number > @after AND m.day BETWEEN @since AND @until
  AND (m.label = ANY (ARRAY(SELECT l.label FROM mark_label l WHERE l.counts AND l.valid @> @at::timestamptz))
       OR (@unknown_counts::boolean AND m.label <> ALL (ARRAY(SELECT l.label FROM mark_label l WHERE l.valid @> @at))))
GROUP BY m.number
HAVING sum(m.count) >= @threshold::bigint AND count(DISTINCT mark_house(m.source)) >= @least::integer
ORDER BY m.number
LIMIT @page_size;

-- name: OpenClues :many
INSERT INTO complaint (complaint_id, key, displayed, number_normal, number_kind, number_province, number_carrier, number_reason,
    origin, created_at, round_time, state_time, updated_at, previous_complaint_id)
SELECT u.id, u.normal, u.normal, u.normal, u.kind, u.province, u.carrier, '', 'marks', @at::timestamptz, @at, @at, @at,
    (SELECT coalesce((SELECT m.complaint_id FROM complaint m WHERE m.complaint_id = p.merged_into AND m.state = 'CLOSED' AND NOT m.forged),
        p.complaint_id) FROM complaint p WHERE p.key = u.normal AND p.state = 'CLOSED' ORDER BY p.closed_time DESC LIMIT 1)
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@normals::text[]) AS normal, unnest(@kinds::text[]) AS kind,
    unnest(@provinces::text[]) AS province, unnest(@carriers::text[]) AS carrier) u
WHERE NOT EXISTS (SELECT FROM complaint o WHERE o.number_normal = u.normal AND (o.state <> 'CLOSED' OR o.closed_time > @quiet::timestamptz))
  AND NOT EXISTS (SELECT FROM complaint_alias a WHERE a.key = u.normal AND a.ended_at IS NULL AND a.calls @> @at) -- merged: it lives elsewhere
ORDER BY u.normal
ON CONFLICT (key) WHERE state <> 'CLOSED' DO NOTHING
RETURNING complaint_id, number_normal;

-- name: AddClues :exec
INSERT INTO clue (complaint_id, since_day, until_day, marks, sources, threshold, least, created_at)
SELECT unnest(@complaint_ids::uuid[]), @since, @until, unnest(@marks::bigint[]), unnest(@sources::integer[]), @threshold, @least, @at;

-- name: RecordClues :exec
INSERT INTO complaint_history (complaint_id, round, actor, agency_id, what, old, new, created_at)
SELECT unnest(@complaint_ids::uuid[]), 1, @actor, @agency_id, 'state', '', 'RECEIVED marks', @at;

-- name: CountClues :one
SELECT count(*) FROM complaint c WHERE c.origin = 'marks' AND c.state <> 'CLOSED'
  AND NOT EXISTS (SELECT FROM report r WHERE r.complaint_id = c.complaint_id);

-- name: Reported :one
SELECT EXISTS (SELECT FROM report WHERE complaint_id = $1);
