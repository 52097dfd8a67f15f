-- name: LockKey :exec
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));

-- name: GroundInForce :one
SELECT * FROM listing_ground
 WHERE list = @list AND ground = @ground AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: TermInForce :one
SELECT * FROM severity_term
 WHERE severity = @severity AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: SeveritiesInForce :many
SELECT * FROM penalty_severity
 WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at)
 ORDER BY penalty_kind, simplified, from_fen;

-- name: ListInForce :one
SELECT * FROM list_policy
 WHERE list = @list AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at);

-- name: DishonestRulesInForce :many
SELECT * FROM dishonest_rule
 WHERE valid_from <= @at AND (valid_to IS NULL OR valid_to > @at)
 ORDER BY rank;

-- name: LastOnBadList :one
-- The last entry on the bad list that a further penalty counts from; one that was taken back counts for nothing.
SELECT listing_id, decided_time FROM listing
 WHERE credit_code = @credit_code AND list = 'bad' AND state NOT IN ('PROPOSED', 'NOTIFIED', 'WITHDRAWN')
   AND decided_time <= @before AND decided_time >= @since AND case_id IS DISTINCT FROM sqlc.narg(case_id)::uuid
 ORDER BY decided_time DESC LIMIT 1;

-- name: InsertListing :exec
INSERT INTO listing (listing_id, list, ground, ground_name, party_name, credit_code, licence, case_id, agency_id, severity, sector, outcome,
                     statement_sealed, ground_time, entry_due, entry_statutory, entry_proof, entry_provisional, proposed_by, propose_time, reviewed_by, signed_by, rests_on,
                     state_time, state_by, state_article)
VALUES (@listing_id, @list, @ground, @ground_name, @party_name, @credit_code, @licence, sqlc.narg(case_id), @agency_id, @severity, @sector, @outcome,
        sqlc.narg(statement_sealed), @ground_time, @entry_due, @entry_statutory, @entry_proof, @entry_provisional, @proposed_by, @propose_time, sqlc.narg(reviewed_by), sqlc.narg(signed_by),
        sqlc.narg(rests_on), @propose_time, @state_by, @state_article);

-- name: EnterListing :exec
UPDATE listing SET state = 'LISTED', state_time = @listed_time, state_by = @listed_by, state_reason = '', state_article = @article,
       state_task_id = sqlc.narg(task_id), listed_time = @listed_time, listed_by = @listed_by, decided_time = @decided_time,
       earliest_end = @earliest_end, latest_end = @latest_end, statutory_earliest = @statutory_earliest, statutory_latest = @statutory_latest,
       ends_proof = @ends_proof, ends_to_confirm = @ends_to_confirm, publish_from = sqlc.narg(publish_from),
       reviewed_by = coalesce(reviewed_by, sqlc.narg(reviewed_by)), signed_by = coalesce(signed_by, sqlc.narg(signed_by))
 WHERE listing_id = @listing_id;

-- name: MoveListing :exec
UPDATE listing SET state = @state, state_time = @at, state_by = @by, state_reason = @reason, state_article = @article,
       state_task_id = sqlc.narg(task_id)
 WHERE listing_id = @listing_id;

-- name: EndListing :exec
-- What had ended keeps the time when it ended.
UPDATE listing SET state = @state, state_time = @at, state_by = @by, state_reason = @reason, state_article = @article,
       state_task_id = sqlc.narg(task_id), end_time = coalesce(end_time, @end_time), lift_due = coalesce(lift_due, @lift_due),
       lift_statutory = coalesce(lift_statutory, @lift_statutory), lift_proof = coalesce(lift_proof, @lift_proof),
       lift_provisional = coalesce(lift_provisional, @lift_provisional)
 WHERE listing_id = @listing_id;

-- name: ListingByGround :one
-- The entry that stands or has ended; one that was taken back only if there is no other.
SELECT listing_id, state, decided_time FROM listing
 WHERE credit_code = @credit_code AND list = @list AND ground = @ground AND case_id = @case_id
 ORDER BY state = 'WITHDRAWN', decided_time DESC LIMIT 1;

-- name: ListingOfCase :one
-- The entry on a telecom list that a case made, whichever ground it chose.
SELECT listing_id, state, decided_time FROM listing WHERE case_id = @case_id AND list <> 'credit_record' AND ground <> 'penalty_overdue'
 ORDER BY state = 'WITHDRAWN', decided_time DESC LIMIT 1;

-- name: RecordOfCase :one
SELECT listing_id, state, decided_time FROM listing WHERE case_id = @case_id AND list = 'credit_record' AND credit_code = @credit_code
 ORDER BY state = 'WITHDRAWN', decided_time DESC LIMIT 1;

-- name: ListingsOfCase :many
-- The entries of a case and those that rest on them.
SELECT * FROM listing l
 WHERE l.case_id = @case_id OR l.rests_on IN (SELECT e.listing_id FROM listing e WHERE e.case_id = @case_id)
 ORDER BY l.propose_time, l.listing_id LIMIT 50;

-- name: ListingsOn :many
-- The entries that rest on one, and still stand or were not taken back.
SELECT * FROM listing WHERE rests_on = @listing_id AND state <> 'WITHDRAWN' ORDER BY propose_time, listing_id LIMIT 50;

-- name: GetListing :one
SELECT * FROM listing WHERE listing_id = @listing_id;

-- name: LockListing :one
SELECT * FROM listing WHERE listing_id = @listing_id FOR UPDATE;

-- name: EventsOf :many
SELECT * FROM listing_event WHERE listing_id = @listing_id ORDER BY seq LIMIT 100;

-- name: CheckParty :many
-- What stood then: entered, not ended until then.
SELECT * FROM listing
 WHERE credit_code = @credit_code AND listed_time <= @at AND latest_end > @at AND (end_time IS NULL OR end_time > @at)
   AND (list = 'credit_record') = @records::boolean
 ORDER BY listed_time DESC, listing_id DESC
 LIMIT 50;

-- name: ListListings :many
SELECT * FROM listing l
 WHERE CASE @list::text WHEN '' THEN l.list <> 'credit_record' WHEN '*' THEN true ELSE l.list = @list END
   AND (@credit_code::text = '' OR l.credit_code = @credit_code)
   AND (@state::text = '' OR l.state = @state)
   -- who is not of its agency sees nothing of a proposal; a party sees its own from the notice on
   AND (@sees_all::boolean OR l.state NOT IN ('PROPOSED', 'NOTIFIED') AND l.listed_time IS NOT NULL OR l.agency_id = @agency_id
        OR l.credit_code = @party AND l.notice_time IS NOT NULL)
   AND (@party::text = '' OR l.credit_code = @party)
   -- an operator sees what is public now
   AND (sqlc.narg(public_at)::timestamptz IS NULL OR (l.list <> 'credit_record' AND l.publish_from <= sqlc.narg(public_at)::timestamptz
        AND l.latest_end > sqlc.narg(public_at)::timestamptz AND l.end_time IS NULL))
   AND (sqlc.narg(live_at)::timestamptz IS NULL OR (l.listed_time <= sqlc.narg(live_at)::timestamptz AND l.latest_end > sqlc.narg(live_at)::timestamptz
        AND l.end_time IS NULL))
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (l.propose_time, l.listing_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY l.propose_time DESC, l.listing_id DESC
 LIMIT @page_size;

-- name: QuarterRows :many
SELECT * FROM listing
 WHERE list = @list AND listed_time >= @from_time AND listed_time < @to_time AND publish_from IS NOT NULL AND end_time IS NULL AND latest_end > @at
   AND (sqlc.narg(after_time)::timestamptz IS NULL
        OR (decided_time, listing_id) > (sqlc.narg(after_time)::timestamptz, sqlc.narg(after_id)::uuid))
 ORDER BY decided_time, listing_id
 LIMIT @page_size;

-- name: Standing :one
SELECT count(*)::int FROM listing
 WHERE list = @list AND listed_time <= @at AND latest_end > @at AND (end_time IS NULL OR end_time > @at) AND publish_from IS NOT NULL;

-- name: ListingsToEnd :many
SELECT listing_id FROM listing
 WHERE state IN ('LISTED', 'REPAIR_REQUESTED') AND latest_end <= @at
 ORDER BY latest_end LIMIT @n;

-- name: PublicationWork :many
-- To publish, while it stands; to withdraw, once it does not, and with a repaired entry the publication of its penalty.
SELECT * FROM listing l
 WHERE ((l.publish_from <= @at AND l.publication_id IS NULL AND l.not_published_because IS NULL AND l.end_time IS NULL AND l.latest_end > @at)
     OR (l.publication_id IS NOT NULL AND l.unpublish_time IS NULL AND l.end_time IS NOT NULL)
     OR (l.state = 'REMOVED' AND l.case_id IS NOT NULL AND l.penalty_unpublish_time IS NULL
         AND (l.penalty_public_until IS NULL OR l.penalty_public_until <= @at)))
   AND l.listing_id > @after::uuid
 ORDER BY l.listing_id LIMIT @page_size;

-- name: SetPublished :exec
UPDATE listing SET publication_id = coalesce(publication_id, sqlc.narg(publication_id)),
       not_published_because = coalesce(not_published_because, sqlc.narg(because))
 WHERE listing_id = @listing_id;

-- name: SetUnpublished :exec
UPDATE listing SET unpublish_time = coalesce(unpublish_time, @at) WHERE listing_id = @listing_id AND publication_id IS NOT NULL;

-- name: SetPenaltyUnpublished :exec
UPDATE listing SET penalty_unpublish_time = coalesce(penalty_unpublish_time, @at) WHERE listing_id = @listing_id AND state = 'REMOVED';

-- name: SetPenaltyKept :exec
-- The first refusal stays as it was written: the terms of a publication never change.
UPDATE listing SET penalty_public_until = @until, penalty_public_because = @because
 WHERE listing_id = @listing_id AND state = 'REMOVED' AND penalty_public_until IS NULL;

-- name: RepairedListings :many
SELECT * FROM listing l WHERE l.state = 'REMOVED' AND l.case_id IS NOT NULL AND l.listing_id > @after::uuid ORDER BY l.listing_id LIMIT @page_size;

-- name: LateListings :many
-- Entered after the 30 days, or proposed and not entered though they are over.
SELECT * FROM listing l
 WHERE l.list <> 'credit_record' AND (l.listed_time > l.entry_due AND l.state <> 'WITHDRAWN' OR l.state IN ('PROPOSED', 'NOTIFIED') AND l.entry_due < @at)
   AND l.listing_id > @after::uuid
 ORDER BY l.listing_id LIMIT @page_size;

-- name: OpenProposals :many
SELECT * FROM listing WHERE state IN ('PROPOSED', 'NOTIFIED') AND listing_id > @after::uuid ORDER BY listing_id LIMIT @page_size;

-- name: AuditViolations :many
SELECT v.id, v.what FROM (
    SELECT id, what FROM violation
    UNION ALL
    SELECT m.listing_id, 'the entry ended, and ' || m.agency_id || ' still punishes: measure ' || m.measure_id::text || ' was due to be lifted'
      FROM joint_measure m JOIN listing l USING (listing_id)
     WHERE l.lift_due < @at AND NOT EXISTS (SELECT 1 FROM lifting f WHERE f.measure_id = m.measure_id)
    UNION ALL
    SELECT l.listing_id, 'past its latest end for an hour and not expired: the sweep does not run'
      FROM listing l WHERE l.state IN ('LISTED', 'REPAIR_REQUESTED') AND l.latest_end < sqlc.arg(at)::timestamptz - interval '1 hour'
    UNION ALL
    SELECT l.listing_id, 'ended for an hour and still published'
      FROM listing l WHERE l.publication_id IS NOT NULL AND l.unpublish_time IS NULL AND l.end_time < sqlc.arg(at)::timestamptz - interval '1 hour'
    UNION ALL
    SELECT l.listing_id, 'a date of it is not as it was settled'
      FROM clock_settlement s JOIN listing l ON l.listing_id = s.id
     WHERE s.new_due IS DISTINCT FROM CASE s.kind WHEN 'entry' THEN l.entry_due WHEN 'statement' THEN l.objection_until ELSE l.lift_due END
) v WHERE (v.id, v.what) > (@after::uuid, @after_what::text) ORDER BY v.id, v.what LIMIT @page_size;
