-- name: ChangesOf :many
-- What a decision was changed to, each time anew.
SELECT case_id, seq, n, kind, amount_fen, basis, catalogue_code, list_party, publish FROM case_change WHERE case_id = @case_id ORDER BY seq, n;

-- name: InsertChange :exec
INSERT INTO case_change (case_id, seq, n, kind, amount_fen, basis, catalogue_code, list_party, publish)
VALUES (@case_id, @seq, @n, @kind, @amount_fen, @basis, @catalogue_code, @list_party, @publish);

-- name: ChangeTimes :many
-- When decisions were changed last.
SELECT r.case_id, max(f.fact_time)::timestamptz AS change_time
  FROM case_remedy r JOIN case_remedy_fact f ON f.remedy_id = r.remedy_id
  JOIN case_change x ON x.case_id = r.case_id AND x.seq = f.event_seq
 WHERE r.case_id = ANY (@case_ids::uuid[])
 GROUP BY r.case_id;

-- name: StandingPenalties :many
-- The penalties of decisions as they stand.
SELECT * FROM case_standing WHERE case_id = ANY (@case_ids::uuid[]) ORDER BY case_id, n;

-- name: RemissionsOf :many
SELECT * FROM case_remission WHERE case_id = @case_id ORDER BY seq;

-- name: InsertRemission :exec
INSERT INTO case_remission (case_id, seq, amount_fen, agreement_no, reason, decided_by, remit_time)
VALUES (@case_id, @seq, @amount_fen, @agreement_no, @reason, @decided_by, @remit_time);

-- name: EndClocks :exec
-- EndClocks ends the clocks of a case that still run: those of the bases, or where none is named all but those kept.
INSERT INTO case_clock_act (clock_id, n, kind, act_time, reason, due_time, statutory_due, proof, provisional, reckoning)
SELECT k.clock_id, k.acts + 1, @kind, @at, @reason, k.due_time, k.statutory_due, k.proof, k.provisional, k.reckoning
  FROM case_clock_now k
 WHERE k.case_id = @case_id AND k.met_time IS NULL AND k.cancel_time IS NULL AND NOT k.basis = ANY (@kept::text[])
   AND (cardinality(@bases::text[]) = 0 OR k.basis = ANY (@bases::text[]));

-- name: OpeningWanted :one
-- Whether the head of an agency opens its cases, by its own row or its family's; without one, no.
SELECT coalesce((SELECT y.wanted FROM opening_policy y
  WHERE y.agency_id IN (@agency_id::text, split_part(@agency_id::text, '-', 1)) AND y.valid_from <= @at::timestamptz
    AND (y.valid_to IS NULL OR y.valid_to > @at::timestamptz)
  ORDER BY y.agency_id = @agency_id::text DESC LIMIT 1), false)::boolean AS wanted;

-- name: PoliceAgreed :one
-- Whether the police that have a case agree to its party being notified.
SELECT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = @case_id AND a.step = 'police_agreed'
   AND a.seq > (SELECT coalesce(max(t.seq), 0) FROM case_event t WHERE t.case_id = @case_id AND t.to_state = 'TRANSFERRED' AND t.from_state <> 'TRANSFERRED'));
