-- name: MeasurePowers :many
SELECT * FROM measure_power
 WHERE measure_code = ANY (@codes::text[]) AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY measure_code, family, level;

-- name: NotAdministrative :one
SELECT EXISTS (SELECT 1 FROM not_administrative WHERE family = @family);

-- name: PartOfChain :one
-- An agency has a part in a complaint's chain by a case, a measure, a finding, or what it recorded there.
SELECT (EXISTS (SELECT 1 FROM case_complaint a JOIN enforcement_case c ON c.case_id = a.case_id
                WHERE a.complaint_id = @complaint_id AND c.agency_id = @agency_id)
    OR EXISTS (SELECT 1 FROM measure_record r WHERE r.complaint_id = @complaint_id AND r.decided_agency_id = @agency_id)
    OR EXISTS (SELECT 1 FROM finding f WHERE f.complaint_id = @complaint_id AND f.agency_id = @agency_id))::boolean AS takes_part;

-- name: KnownComplaint :one
SELECT (EXISTS (SELECT 1 FROM case_complaint a WHERE a.complaint_id = @complaint_id)
    OR EXISTS (SELECT 1 FROM measure_record r WHERE r.complaint_id = @complaint_id)
    OR EXISTS (SELECT 1 FROM finding f WHERE f.complaint_id = @complaint_id))::boolean AS known;

-- name: ChainCases :many
SELECT sqlc.embed(c), sqlc.embed(p), coalesce(d.penalty_kind, '')::text AS penalty_kind
  FROM enforcement_case c
  JOIN party p ON p.party_id = c.party_id
  LEFT JOIN case_decision d ON d.case_id = c.case_id
 WHERE EXISTS (SELECT 1 FROM case_complaint a WHERE a.case_id = c.case_id AND a.complaint_id = @complaint_id)
 ORDER BY c.open_time, c.case_id
 LIMIT 100;

-- name: ChainParties :many
SELECT sqlc.embed(x), sqlc.embed(p), coalesce(r.code, '')::text AS measure_code, coalesce(r.decided_agency_id, '')::text AS measure_agency_id,
       coalesce((SELECT l.state FROM measure_log l WHERE l.measure_id = r.measure_id ORDER BY l.created_at DESC, l.state LIMIT 1), '')::text AS measure_state
  FROM chain_party x
  JOIN party p ON p.party_id = x.party_id
  LEFT JOIN measure_record r ON r.measure_id = x.measure_id
 WHERE x.complaint_id = @complaint_id
 ORDER BY x.chain_party_id
 LIMIT 200;

-- name: ChainEdges :many
SELECT * FROM chain_edge WHERE complaint_id = @complaint_id ORDER BY chain_edge_id LIMIT 200;

-- name: NotPursued :many
SELECT * FROM not_pursued WHERE complaint_id = @complaint_id ORDER BY not_pursued_id LIMIT 200;

-- name: AddChainParty :exec
INSERT INTO chain_party (chain_party_id, complaint_id, party_id, role, measure_id, reason, recorded_by, agency_id, recorded_time)
VALUES (@chain_party_id, @complaint_id, @party_id, @role, sqlc.narg(measure_id), @reason, @recorded_by, @agency_id, @recorded_time);

-- name: AddChainEdge :exec
INSERT INTO chain_edge (chain_edge_id, complaint_id, from_party_id, to_party_id, kind, reason, recorded_by, agency_id, recorded_time)
VALUES (@chain_edge_id, @complaint_id, @from_party_id, @to_party_id, @kind, @reason, @recorded_by, @agency_id, @recorded_time)
    ON CONFLICT (complaint_id, from_party_id, to_party_id, kind) DO NOTHING;

-- name: AddNotPursued :exec
INSERT INTO not_pursued (not_pursued_id, complaint_id, party_id, reason_code, reason, decided_by, agency_id, decided_time)
VALUES (@not_pursued_id, @complaint_id, @party_id, @reason_code, @reason, @decided_by, @agency_id, @decided_time);

-- name: InChain :one
-- Whether a party is one of a complaint's chain, and whether a case is against it there.
SELECT EXISTS (SELECT 1 FROM chain_party x WHERE x.complaint_id = @complaint_id AND x.party_id = @party_id)::boolean AS named,
       EXISTS (SELECT 1 FROM case_complaint a JOIN enforcement_case c ON c.case_id = a.case_id
                WHERE a.complaint_id = @complaint_id AND c.party_id = @party_id)::boolean AS sued;

-- name: MeasureOfComplaint :one
SELECT EXISTS (SELECT 1 FROM measure_record WHERE measure_id = @measure_id AND complaint_id = @complaint_id);

-- name: Attribute :exec
UPDATE enforcement_case SET party_id = @party_id WHERE case_id = @case_id;

-- name: AddAttribution :exec
INSERT INTO attribution (attribution_id, case_id, person_party_id, principal_id, relation, evidence_ids, reason, decided_by, agency_id, decided_time)
VALUES (@attribution_id, @case_id, @person_party_id, @principal_id, @relation, @evidence_ids::uuid[], @reason, @decided_by, @agency_id, @decided_time);

-- name: AddResponsiblePerson :exec
INSERT INTO responsible_person (person_id, case_id, name_sealed, kind, position, recorded_by, recorded_time)
VALUES (@person_id, @case_id, @name_sealed, @kind, @position, @recorded_by, @recorded_time);

-- name: ResponsiblePersons :many
SELECT * FROM responsible_person WHERE case_id = @case_id ORDER BY person_id LIMIT 50;

-- name: AddLook :exec
INSERT INTO responsible_look (look_id, case_id, looked_by, agency_id, purpose, look_time)
VALUES (@look_id, @case_id, @looked_by, @agency_id, @purpose, @look_time);

-- name: CountLooks :one
SELECT count(*) FROM responsible_look WHERE case_id = @case_id;

-- name: AddFinding :exec
INSERT INTO finding (complaint_id, round, agency_id, task_id, found_time)
VALUES (@complaint_id, @round, @agency_id, sqlc.narg(task_id), @found_time)
    ON CONFLICT (complaint_id, round) DO NOTHING;

-- name: SettleFinding :exec
INSERT INTO finding_settled (complaint_id, round, how, settled_time) VALUES (@complaint_id, @round, @how, @settled_time)
    ON CONFLICT (complaint_id, round, how) DO NOTHING;

-- name: ListUndisposed :many
SELECT complaint_id, round, agency_id, found_time FROM undisposed
 WHERE (@agency_id::text = '' OR agency_id = @agency_id::text)
   AND (found_time, complaint_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY found_time, complaint_id
 LIMIT @page_size;

-- name: CountUndisposed :one
SELECT count(*) FROM undisposed WHERE @agency_id::text = '' OR agency_id = @agency_id::text;

-- name: UndisposedDays :many
SELECT * FROM undisposed_day WHERE @agency_id::text = '' OR agency_id = @agency_id::text
 ORDER BY day DESC, agency_id LIMIT 31;

-- name: ClaimDay :execrows
INSERT INTO undisposed_counted (day) VALUES (to_date(@day::text, 'YYYY-MM-DD')) ON CONFLICT (day) DO NOTHING;

-- name: CountDay :exec
INSERT INTO undisposed_day (day, agency_id, findings, oldest_time)
SELECT to_date(@day::text, 'YYYY-MM-DD'), agency_id, count(*), min(found_time) FROM undisposed GROUP BY agency_id;
