-- name: RoutingTables :many
-- RoutingTables lists versions, newest first.
SELECT * FROM routing_table WHERE (valid_from, version) < (@before_time::timestamptz, @before_version::text)
 ORDER BY valid_from DESC, version DESC LIMIT @n;

-- name: RoutingTable :one
SELECT * FROM routing_table WHERE version = @version;

-- name: RoutingTableBefore :one
-- RoutingTableBefore is the version that one from this time on takes the place of.
SELECT version FROM routing_table WHERE valid_from < @at ORDER BY valid_from DESC LIMIT 1;

-- name: InsertRoutingTable :exec
INSERT INTO routing_table (version, valid_from, loaded_by, loaded_agency, reason, former, created_at)
VALUES (@version, @valid_from, @loaded_by, @loaded_agency, @reason, sqlc.narg('former'), @at);

-- name: InsertRoutingRules :copyfrom
INSERT INTO routing_rule (version, ordinal, rule_id, condition, lead, co, verifier, source, level, verifier_level, check_basis,
    handle_basis, owner_id, reason, example)
VALUES (@version, @ordinal, @rule_id, @condition, @lead, @co, @verifier, @source, @level, @verifier_level, @check_basis,
    @handle_basis, @owner_id, @reason, @example);

-- name: InsertRouting :exec
INSERT INTO routing (routing_id, complaint_id, round, routed_time, version, rule_id, lead_id, named_lead, facts, route)
VALUES (@routing_id, @complaint_id, @round, @routed_time, @version, @rule_id, @lead_id, @named_lead, @facts, @route);

-- name: RoutingsOf :many
SELECT * FROM routing
 WHERE complaint_id = @complaint_id AND (routed_time, routing_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY routed_time, routing_id LIMIT @n;

-- name: RoutingsBetween :many
-- RoutingsBetween are the routes that a dry run looks at.
SELECT * FROM routing
 WHERE routed_time >= @since::timestamptz AND routed_time < @until::timestamptz
   AND (routed_time, routing_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY routed_time, routing_id LIMIT @n;

-- name: HasTaskIn :one
-- HasTaskIn says whether an agency has, or had, a task in a complaint, or one was escalated to it.
SELECT EXISTS (SELECT FROM task t WHERE t.subject_id = @subject_id AND (t.agency_id = @agency_id
    OR EXISTS (SELECT FROM escalation e WHERE e.task_id = t.task_id AND e.agency_id = @agency_id)));

-- name: AgencyVersions :many
SELECT agency_id, valid, name, name_en, kind,
       superior_id, province, sectors, assignable, successor_id, source
  FROM agency WHERE agency_id = @agency_id ORDER BY lower(valid) LIMIT 200;

-- name: LockDirectory :exec
-- LockDirectory has changes of the directory wait for each other: each is checked against all before it.
SELECT pg_advisory_xact_lock(hashtext('agency'));

-- name: EndAgency :execrows
-- EndAgency ends the version that is valid at a time, which began before it.
UPDATE agency SET valid = tstzrange(lower(valid), @at::timestamptz)
 WHERE agency_id = @agency_id AND valid @> @at::timestamptz AND lower(valid) < @at::timestamptz;

-- name: InsertAgency :exec
INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, successor_id, source)
VALUES (@agency_id, tstzrange(@valid_from::timestamptz, sqlc.narg('valid_to')::timestamptz), @name, @name_en, @kind,
    sqlc.narg('superior_id'), sqlc.narg('province'), @sectors, @assignable, sqlc.narg('successor_id'), @source);

-- name: InsertAgencyChange :exec
INSERT INTO agency_change (agency_id, changed_by, changed_agency, reason, before, after, change_time)
VALUES (@agency_id, @changed_by, @changed_agency, @reason, sqlc.narg('before'), @after, @change_time);

-- name: AgencyChanges :many
SELECT * FROM agency_change WHERE agency_id = @agency_id ORDER BY change_id LIMIT 200;

-- name: CountBounces :many
-- CountBounces counts the bounces of a period by agency, by who should act, by rule or by reason; of one agency, or (empty)
-- of all. What was opened in the period can have been sent back.
WITH b AS (
    SELECT CASE @by_what::text
             WHEN 'agency' THEN t.agency_id
             WHEN 'should_act' THEN COALESCE(d.detail ->> 'shouldActAgencyId', '-')
             WHEN 'reason' THEN d.reason_code
             ELSE COALESCE((t.facts ->> 'route_table') || '/' || (t.facts ->> 'route_rule'), '-') END AS key,
           CASE WHEN t.facts ->> 'bounces' ~ '^[0-9]{1,3}$' THEN (t.facts ->> 'bounces')::integer ELSE 0 END AS before
      FROM decision d JOIN task t ON t.task_id = d.task_id
     WHERE d.outcome = 'bounced' AND d.decided_time >= @since::timestamptz AND d.decided_time < @until::timestamptz
       AND (@agency_id::text = '' OR t.agency_id = @agency_id)
), o AS (
    SELECT CASE @by_what::text WHEN 'agency' THEN t.agency_id
             ELSE COALESCE((t.facts ->> 'route_table') || '/' || (t.facts ->> 'route_rule'), '-') END AS key, count(*) AS opened
      FROM task t
     WHERE @by_what::text IN ('agency', 'rule') AND t.step = 'fact_check'
       AND t.open_time >= @since::timestamptz AND t.open_time < @until::timestamptz
       AND (@agency_id::text = '' OR t.agency_id = @agency_id)
     GROUP BY 1
), g AS (
    SELECT key, count(*) AS bounces, count(*) FILTER (WHERE before = 0) AS first, count(*) FILTER (WHERE before = 1) AS second,
           count(*) FILTER (WHERE before > 1) AS third
      FROM b GROUP BY key
)
SELECT g.key::text AS key, g.bounces, g.first, g.second, g.third, COALESCE(o.opened, 0)::bigint AS opened
  FROM g LEFT JOIN o ON o.key = g.key
 WHERE (-g.bounces, g.key) > (-(@after_bounces::bigint), @after_key::text)
 ORDER BY g.bounces DESC, g.key LIMIT @n;

-- name: BouncingRules :many
-- BouncingRules are the rules of an owner (empty: of all) whose matters were sent back in a period, most often first.
WITH b AS (
    SELECT t.facts ->> 'route_table' AS version, t.facts ->> 'route_rule' AS rule_id, count(*) AS bounces,
           (mode() WITHIN GROUP (ORDER BY d.detail ->> 'shouldActAgencyId'))::text AS mostly_should_act,
           (mode() WITHIN GROUP (ORDER BY d.reason_code))::text AS mostly_reason
      FROM decision d JOIN task t ON t.task_id = d.task_id
     WHERE d.outcome = 'bounced' AND d.decided_time >= @since::timestamptz AND d.decided_time < @until::timestamptz
       AND t.facts ? 'route_rule'
     GROUP BY 1, 2
), n AS (
    SELECT version, rule_id, count(*) AS routed FROM routing
     WHERE routed_time >= @since::timestamptz AND routed_time < @until::timestamptz AND named_lead = ''
     GROUP BY 1, 2
)
SELECT sqlc.embed(r), b.bounces, COALESCE(n.routed, 0)::bigint AS routed,
       COALESCE(b.mostly_should_act, '')::text AS mostly_should_act, COALESCE(b.mostly_reason, '')::text AS mostly_reason
  FROM b JOIN routing_rule r ON r.version = b.version AND r.rule_id = b.rule_id
  LEFT JOIN n ON n.version = b.version AND n.rule_id = b.rule_id
 WHERE (@owner_id::text = '' OR COALESCE(NULLIF(r.owner_id, ''), 'miit') = @owner_id)
   AND (-b.bounces, r.version || '/' || r.rule_id) > (-(@after_bounces::bigint), @after_key::text)
 ORDER BY b.bounces DESC, r.version || '/' || r.rule_id LIMIT @n;
