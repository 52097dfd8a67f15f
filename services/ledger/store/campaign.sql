-- name: ListPopulation :many
-- The resources that a campaign is about, as it was true and as it was known, in the order of their identifiers.
SELECT a.resource_id, a.allocation_id, a.holder_id, a.scheme, a.digits, a.first_number, a.last_number, a.access_operator_id, a.access_province
  FROM allocation a
  JOIN holder h ON h.holder_id = a.holder_id
 WHERE a.resource_id > @after AND a.valid @> @as_of::timestamptz AND a.known @> @known_at::timestamptz
   AND (cardinality(@sectors::text[]) = 0 OR h.sector = ANY (@sectors::text[])
        OR (@call_centres::boolean AND (a.operation <> '' OR EXISTS (SELECT 1 FROM licence l WHERE l.holder_id = a.holder_id
              AND l.valid @> @as_of::timestamptz AND l.known @> @known_at::timestamptz AND 'B24' = ANY (l.kinds)))))
   AND (cardinality(@purposes::text[]) = 0 OR a.purpose = ANY (@purposes::text[]))
   AND (cardinality(@provinces::text[]) = 0 OR a.access_province = ANY (@provinces::text[]))
   AND (cardinality(@operators::text[]) = 0 OR EXISTS (SELECT 1 FROM unnest(@operators::text[]) AS o (id)
         WHERE a.access_operator_id = o.id OR starts_with(a.access_operator_id, o.id || '-')))
 ORDER BY a.resource_id
 LIMIT @page_size;

-- name: InsertCampaign :exec
INSERT INTO campaign (campaign_id, name, basis, agency_id, population, sample_size, sample_percent, seed, as_of, known_at,
                      population_count, population_sha256, sample_count, sample_sha256,
                      return_basis, return_due, return_statutory, return_proof, return_provisional,
                      inspect_basis, inspect_due, inspect_statutory, inspect_proof, inspect_provisional, created_by)
VALUES (@campaign_id, @name, @basis, @agency_id, @population, @sample_size, @sample_percent, @seed, @as_of, @known_at,
        @population_count, @population_sha256, @sample_count, @sample_sha256,
        @return_basis, @return_due, @return_statutory, @return_proof, @return_provisional,
        @inspect_basis, @inspect_due, @inspect_statutory, @inspect_proof, @inspect_provisional, @created_by);

-- name: InsertCampaignItems :exec
INSERT INTO campaign_item (item_id, campaign_id, resource_id, allocation_id, holder_id, kind, access_operator_id, inspector_agency_id)
SELECT i.item_id, @campaign_id, i.resource_id, i.allocation_id, i.holder_id, i.kind, i.operator_id, i.inspector_id
  FROM ROWS FROM (unnest(@items::uuid[]), unnest(@resources::uuid[]), unnest(@allocations::uuid[]), unnest(@holders::uuid[]),
       unnest(@kinds::text[]), unnest(@operators::text[]), unnest(@inspectors::text[]))
    AS i (item_id, resource_id, allocation_id, holder_id, kind, operator_id, inspector_id);

-- name: CampaignByID :one
SELECT * FROM campaign WHERE campaign_id = @campaign_id;

-- name: LockCampaign :one
SELECT * FROM campaign WHERE campaign_id = @campaign_id FOR UPDATE;

-- name: ListCampaigns :many
SELECT * FROM campaign WHERE (created_at, campaign_id) < (@before_time::timestamptz, @before_id::uuid)
 ORDER BY created_at DESC, campaign_id DESC
 LIMIT @page_size;

-- name: SetCampaignClosed :exec
UPDATE campaign SET state = 'CLOSED', closed_at = @closed_at, closed_by = @closed_by, conclusion = @conclusion WHERE campaign_id = @campaign_id;

-- name: CampaignProgress :many
SELECT i.inspector_agency_id, count(*) AS sampled, count(i.returned_at) AS returned, count(i.inspected_at) AS inspected,
       count(*) FILTER (WHERE i.state = 'CONFORMING') AS conforming, coalesce(sum(o.found), 0)::bigint AS findings,
       coalesce(sum(o.rectified), 0)::bigint AS rectified, count(i.closed_at) AS closed,
       count(*) FILTER (WHERE (i.declaration = '' AND c.return_due < @now) OR (i.state = 'PENDING' AND c.inspect_due < @now)
                           OR (i.state = 'FOUND' AND o.late > 0 AND l.live)) AS overdue
  FROM campaign_item i
  JOIN campaign c ON c.campaign_id = i.campaign_id
  LEFT JOIN LATERAL (SELECT count(*) AS found, count(*) FILTER (WHERE f.state = 'RECTIFIED') AS rectified,
               count(*) FILTER (WHERE f.state IN ('OPEN', 'CONFIRMED') AND cf.due < @now) AS late
          FROM campaign_finding cf
          JOIN finding f ON f.finding_id = cf.finding_id
         WHERE cf.item_id = i.item_id) o ON true
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM allocation n WHERE n.resource_id = i.resource_id AND n.known_to IS NULL
               AND (n.valid_to IS NULL OR n.valid_to > @now)) AS live) l
 WHERE i.campaign_id = @campaign_id
 GROUP BY i.inspector_agency_id
 ORDER BY i.inspector_agency_id
 LIMIT 500;

-- name: ListCampaignItems :many
-- A holder sees its own, an operator those of its access. What was found on a line that was given back since is over: ENDED.
SELECT sqlc.embed(i), sqlc.embed(a), sqlc.embed(h), p.name AS principal_name, p.credit_code AS principal_code,
       (CASE WHEN i.state <> 'FOUND' THEN i.state WHEN o.open = 0 THEN 'RECTIFIED' WHEN NOT l.live THEN 'ENDED' ELSE 'FOUND' END)::text AS state_now,
       (i.declaration = '' AND c.return_due < @now)::boolean AS return_late,
       (i.state = 'PENDING' AND c.inspect_due < @now)::boolean AS inspection_late,
       (i.state = 'FOUND' AND o.late > 0 AND l.live)::boolean AS rectification_late
  FROM campaign_item i
  JOIN campaign c ON c.campaign_id = i.campaign_id
  JOIN allocation a ON a.allocation_id = i.allocation_id
  JOIN holder h ON h.holder_id = i.holder_id
  LEFT JOIN holder p ON p.holder_id = a.principal_holder_id
  LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE f.state IN ('OPEN', 'CONFIRMED')) AS open,
               count(*) FILTER (WHERE f.state IN ('OPEN', 'CONFIRMED') AND cf.due < @now) AS late
          FROM campaign_finding cf
          JOIN finding f ON f.finding_id = cf.finding_id
         WHERE cf.item_id = i.item_id) o ON true
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM allocation n WHERE n.resource_id = i.resource_id AND n.known_to IS NULL
               AND (n.valid_to IS NULL OR n.valid_to > @now)) AS live) l
 WHERE i.item_id > @after AND (sqlc.narg(item_id)::uuid IS NULL OR i.item_id = sqlc.narg(item_id)::uuid)
   AND (sqlc.narg(campaign_id)::uuid IS NULL OR i.campaign_id = sqlc.narg(campaign_id)::uuid)
   AND (@inspector::text = '' OR i.inspector_agency_id = @inspector::text)
   AND (@state::text = '' OR @state::text = CASE WHEN i.state <> 'FOUND' THEN i.state WHEN o.open = 0 THEN 'RECTIFIED' WHEN NOT l.live THEN 'ENDED' ELSE 'FOUND' END)
   AND (NOT @overdue::boolean OR (i.declaration = '' AND c.return_due < @now) OR (i.state = 'PENDING' AND c.inspect_due < @now)
        OR (i.state = 'FOUND' AND o.late > 0 AND l.live))
   AND (@sees_all::boolean OR (@party::text <> '' AND h.credit_code = @party::text)
        OR (@agency_id::text <> '' AND same_operator(@agency_id::text, i.access_operator_id)))
 ORDER BY i.item_id
 LIMIT @page_size;

-- name: FindingsOfItems :many
SELECT sqlc.embed(f), sqlc.embed(cf), k.article, coalesce(t.reason, '')::text AS reason
  FROM campaign_finding cf
  JOIN finding f ON f.finding_id = cf.finding_id
  JOIN finding_kind k ON k.kind = f.kind
  LEFT JOIN LATERAL (SELECT reason FROM finding_act WHERE finding_id = f.finding_id ORDER BY act_id DESC LIMIT 1) t ON true
 WHERE cf.item_id = ANY (@item_ids::uuid[])
 ORDER BY cf.item_id, cf.due, f.finding_id;

-- name: LockItem :one
SELECT sqlc.embed(i), sqlc.embed(c), sqlc.embed(a), h.credit_code
  FROM campaign_item i
  JOIN campaign c ON c.campaign_id = i.campaign_id
  JOIN allocation a ON a.allocation_id = i.allocation_id
  JOIN holder h ON h.holder_id = i.holder_id
 WHERE i.item_id = @item_id
   FOR UPDATE OF i;

-- name: ItemOfFinding :one
SELECT item_id FROM campaign_finding WHERE finding_id = @finding_id;

-- name: SetItemInspected :exec
UPDATE campaign_item SET state = @state, inspected_at = @inspected_at, inspected_by = @inspected_by, note = @note WHERE item_id = @item_id;

-- name: SetItemClosed :exec
UPDATE campaign_item SET state = 'CLOSED', closed_at = @closed_at, closing_id = @closing_id::uuid WHERE item_id = @item_id;

-- name: InsertCampaignFinding :exec
INSERT INTO campaign_finding (finding_id, item_id, basis, due, statutory, proof, provisional)
VALUES (@finding_id, @item_id, @basis, @due, @statutory, @proof, @provisional);

-- name: ItemsToDeclare :many
-- The items of a campaign that a return may speak of: the holder's own, or those of the operator's access and
-- its branches'. A branch does not speak for its head office. Locked in order.
SELECT i.item_id
  FROM campaign_item i
  JOIN holder h ON h.holder_id = i.holder_id
 WHERE i.campaign_id = @campaign_id AND i.item_id = ANY (@items::uuid[])
   AND ((@party::text <> '' AND h.credit_code = @party::text) OR (@agency_id::text <> '' AND (i.access_operator_id = @agency_id::text OR starts_with(i.access_operator_id, @agency_id::text || '-'))))
 ORDER BY i.item_id
   FOR UPDATE OF i;

-- name: InsertReturn :exec
INSERT INTO self_inspection (return_id, campaign_id, party, statement, signed_by, late, submitted_by)
VALUES (@return_id, @campaign_id, @party, @statement, @signed_by, @late, @submitted_by);

-- name: InsertDeclarations :exec
INSERT INTO self_inspection_item (return_id, item_id, result, words)
SELECT @return_id, d.item_id, d.result, d.words
  FROM ROWS FROM (unnest(@items::uuid[]), unnest(@results::text[]), unnest(@words::text[])) AS d (item_id, result, words);

-- name: SetDeclarations :exec
-- What the holder itself has declared stands, whatever the operator of its access says: both are on record.
UPDATE campaign_item i SET declaration = d.result, returned_at = @returned_at
  FROM ROWS FROM (unnest(@items::uuid[]), unnest(@results::text[])) AS d (item_id, result), holder h
 WHERE i.item_id = d.item_id AND h.holder_id = i.holder_id
   AND ((@party::text <> '' AND h.credit_code = @party::text)
        OR NOT EXISTS (SELECT 1 FROM self_inspection_item t JOIN self_inspection r ON r.return_id = t.return_id
                        WHERE t.item_id = i.item_id AND r.party = h.credit_code));

-- name: AuditCampaigns :many
-- Campaigns whose items are not as many as were drawn.
SELECT c.campaign_id FROM campaign c
 WHERE c.campaign_id > @after AND c.sample_count <> (SELECT count(*) FROM campaign_item i WHERE i.campaign_id = c.campaign_id)
 ORDER BY c.campaign_id
 LIMIT @page_size;

-- name: AuditItems :many
-- Items whose state its findings or the history of the resource do not bear out.
SELECT i.item_id FROM campaign_item i
 WHERE i.item_id > @after
   AND ((i.state IN ('FOUND', 'CLOSED')) <> EXISTS (SELECT 1 FROM campaign_finding cf WHERE cf.item_id = i.item_id)
     OR (i.state = 'CLOSED' AND NOT EXISTS (SELECT 1 FROM resource_event e WHERE e.resource_id = i.resource_id AND e.event = 'closed'))
     OR i.declaration <> coalesce((SELECT d.result FROM self_inspection_item d JOIN self_inspection r ON r.return_id = d.return_id
                                    WHERE d.item_id = i.item_id
                                    ORDER BY r.party = (SELECT h.credit_code FROM holder h WHERE h.holder_id = i.holder_id) DESC,
                                             r.submitted_at DESC, r.return_id DESC LIMIT 1), ''))
 ORDER BY i.item_id
 LIMIT @page_size;

-- name: AuditUnfollowed :many
-- Resources on which something was found an hour ago and more that no workflow follows: nobody is given a task.
SELECT item_id FROM campaign_item
 WHERE state = 'FOUND' AND followed_at IS NULL AND inspected_at < now() - interval '1 hour'
 ORDER BY inspected_at
 LIMIT @page_size;

-- name: CampaignsToDraw :many
-- The newest campaign, whose sample an audit draws again; GetCampaign does so for any.
SELECT * FROM campaign ORDER BY created_at DESC LIMIT 1;
