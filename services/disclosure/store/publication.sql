-- Publications: policies, gate, birth, end, versions.

-- name: Kinds :many
SELECT * FROM publication_kind ORDER BY kind;

-- name: GateConditions :many
SELECT kind, code, fatal, words, article FROM gate_condition
 WHERE kind = @kind AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at) ORDER BY rank, code;

-- name: PublisherPolicy :one
-- The most particular row that entitles an agency to publish a kind about a party.
SELECT register_agency_id, timely_basis FROM publisher_policy
 WHERE kind = @kind AND sqlc.arg(agency_id)::text LIKE agency AND starts_with(sqlc.arg(credit_code)::text, party_prefix)
   AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at)
 ORDER BY length(party_prefix) DESC, length(agency) DESC LIMIT 1;

-- name: PersonPolicy :one
SELECT count(*) > 0 AS allowed FROM publication_person_policy
 WHERE kind = @kind AND penalty_kind IN ('', sqlc.arg(penalty_kind)::text) AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: TakeDownTerms :many
SELECT basis, class, earliest_months, months, counts_from, source, to_confirm FROM take_down_policy
 WHERE kind = @kind AND penalty_kind = @penalty_kind AND sqlc.arg(amount_fen)::bigint <@ int8range(min_fen, below_fen)
   AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at) ORDER BY basis;

-- name: MinorException :one
-- Whether a rule lets a minor penalty be published all the same.
SELECT EXISTS (SELECT FROM minor_exception e WHERE e.penalty_kind IN ('', @penalty_kind) AND (NOT e.with_impact OR sqlc.arg(impact)::boolean)
   AND e.valid_from <= @at AND (e.valid_to IS NULL OR e.valid_to > @at));

-- name: PublicationOfCase :one
-- The newest: a case may serve several documents by public notice.
SELECT publication_id FROM publication WHERE kind = @kind AND case_id = @case_id ORDER BY publish_time DESC, publication_id DESC LIMIT 1;

-- name: PublicationOfTask :one
SELECT publication_id FROM publication WHERE task_id = @task_id;

-- name: PublicationsOfCase :many
SELECT publication_id, kind FROM publication WHERE case_id = @case_id AND (sqlc.arg(kind)::text = '' OR kind = @kind) ORDER BY kind;

-- name: WithdrawalOrder :one
SELECT * FROM withdrawal_order WHERE kind = @kind AND case_id = @case_id;

-- name: InsertWithdrawalOrder :exec
INSERT INTO withdrawal_order (kind, case_id, cause, cause_time, reason, due_time, ordered_by, ordered_time)
VALUES (@kind, @case_id, @cause, @cause_time, @reason, @due_time, @ordered_by, @ordered_time)
ON CONFLICT DO NOTHING;

-- name: InsertPublication :exec
INSERT INTO publication (publication_id, kind, title, party_name, credit_code, agency_id, summary, case_id, penalty_kind,
                         social_impact, notice_time, decided_time, delivered_time, warned_time, publish_time,
                         take_down_time, published_by, agency_name, register_agency_id, region_codes, codes, licence_no,
                         decision_no, ground, delivered_by, amount_fen, simplified, person, continued_time,
                         failed_service_time, publish_basis, publish_due, publish_proof, publish_provisional, proposal_id, task_id)
VALUES (@publication_id, @kind, @title, @party_name, @credit_code, @agency_id, @summary, @case_id, @penalty_kind,
        @social_impact, @notice_time, @decided_time, @delivered_time, @warned_time, @publish_time,
        @take_down_time, @published_by, @agency_name, @register_agency_id, @region_codes, @codes, @licence_no,
        @decision_no, @ground, @delivered_by, @amount_fen, @simplified, @person, @continued_time,
        @failed_service_time, @publish_basis, @publish_due, @publish_proof, @publish_provisional, @proposal_id, @task_id);

-- name: InsertTerm :exec
INSERT INTO publication_term (publication_id, basis, class, earliest_time, end_time, proof, source, to_confirm)
VALUES (@publication_id, @basis, @class, @earliest_time, @end_time, @proof, @source, @to_confirm);

-- name: InsertVersion :exec
INSERT INTO publication_version (publication_id, version, title, summary, note, corrected_by, version_time)
VALUES (@publication_id, @version, @title, @summary, @note, @corrected_by, @version_time);

-- name: InsertChange :exec
INSERT INTO publication_change (publication_id, change, change_time) VALUES (@publication_id, @change, @change_time);

-- name: InsertWithheld :exec
INSERT INTO publication_withheld (withheld_id, kind, case_id, agency_id, missing, ask_time)
VALUES (@withheld_id, @kind, @case_id, @agency_id, @missing, @ask_time) ON CONFLICT DO NOTHING;

-- name: ListWithheld :many
-- What an agency, or whoever sees all, asked for in vain and what is not published since.
SELECT w.* FROM publication_withheld w
 WHERE (sqlc.arg(sees_all)::boolean OR w.agency_id = @agency_id)
   AND (sqlc.narg(case_id)::uuid IS NULL OR w.case_id = sqlc.narg(case_id)::uuid)
   AND NOT EXISTS (SELECT FROM publication p WHERE p.kind = w.kind AND p.case_id = w.case_id)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (w.ask_time, w.withheld_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY w.ask_time DESC, w.withheld_id DESC LIMIT @page_size;

-- name: ConditionWords :many
SELECT kind, code, words, article FROM gate_condition
 WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at) ORDER BY kind, rank;

-- name: GetPublication :one
SELECT sqlc.embed(p), sqlc.embed(v), w.reason, w.withdrawn_time, w.cause, w.basis, w.due_time, w.proof, w.provisional
  FROM publication p
  JOIN publication_version v ON v.publication_id = p.publication_id
   AND v.version = (SELECT max(x.version) FROM publication_version x WHERE x.publication_id = p.publication_id)
  LEFT JOIN publication_withdrawal w ON w.publication_id = p.publication_id
 WHERE p.publication_id = @publication_id;

-- name: Versions :many
SELECT * FROM publication_version WHERE publication_id = @publication_id ORDER BY version;

-- name: Terms :many
SELECT * FROM publication_term WHERE publication_id = ANY (sqlc.arg(publication_ids)::uuid[]) ORDER BY publication_id, end_time, basis;

-- name: InsertWithdrawal :exec
INSERT INTO publication_withdrawal (publication_id, reason, withdrawn_by, withdrawn_time, cause, cause_time, basis, due_time, proof, provisional)
VALUES (@publication_id, @reason, @withdrawn_by, @withdrawn_time, @cause, @cause_time, @basis, @due_time, @proof, @provisional);

-- name: AnnounceEnds :execrows
-- Items whose time is over are announced as ended, each once, at the time when they ended.
INSERT INTO publication_change (publication_id, change, change_time)
SELECT p.publication_id, 'ended', p.take_down_time FROM publication p
 WHERE p.take_down_time <= @at
   AND NOT EXISTS (SELECT FROM publication_change c WHERE c.publication_id = p.publication_id AND c.change IN ('ended', 'withdrawn'))
 ORDER BY p.take_down_time LIMIT @n
ON CONFLICT DO NOTHING;
