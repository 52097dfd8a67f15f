-- name: ListPenalties :many
SELECT * FROM penalty
 WHERE code > @after AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
   AND (@act::text = '' OR @act::text = ANY (acts))
 ORDER BY code
 LIMIT @page_size;

-- name: PenaltiesInForce :many
-- The whole catalogue of a time: it is small.
SELECT * FROM penalty
 WHERE valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY code;

-- name: PenaltyKinds :many
SELECT * FROM penalty_kind WHERE penalty_code = ANY (@codes::text[])
 ORDER BY penalty_code, kind, tier, subject, min_times NULLS LAST;

-- name: PenaltyPowers :many
SELECT * FROM penalty_power
 WHERE penalty_code = ANY (@codes::text[]) AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY penalty_code, family, level;

-- name: DiscretionBands :many
-- Published benchmarks of a family only (行政处罚法 34).
SELECT * FROM discretion_band
 WHERE family = @family AND published AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY penalty_code DESC, subject DESC, grade;

-- name: ProceduresDue :many
SELECT * FROM procedure_due
 WHERE family IN ('', @family) AND subject IN ('', @subject)
   AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at::timestamptz)
 ORDER BY step, kind, family DESC, subject DESC;

-- name: PartyOf :one
SELECT * FROM party WHERE party_id = @party_id;

-- name: AddDiscovery :exec
INSERT INTO case_discovery (case_id, complaint_id, discovery_time, discovery_basis, act_begin_time, act_end_time, number_keys)
VALUES (@case_id, @complaint_id, sqlc.narg(discovery_time), @discovery_basis, sqlc.narg(act_begin_time), sqlc.narg(act_end_time), @number_keys::bytea[])
    ON CONFLICT (case_id, complaint_id) DO NOTHING;

-- name: Discoveries :many
SELECT * FROM case_discovery WHERE case_id = @case_id ORDER BY discovery_time NULLS LAST, complaint_id;

-- name: SameAct :many
-- The cases that officers linked to one, directly or over others, and the case itself.
WITH RECURSIVE same (case_id) AS (
    SELECT @case_id::uuid
    UNION
    SELECT CASE WHEN l.case_id = s.case_id THEN l.other_case_id ELSE l.case_id END
      FROM same s
      JOIN act_link_now l ON s.case_id IN (l.case_id, l.other_case_id)
     WHERE l.verdict = 'same_act'
)
SELECT case_id FROM same ORDER BY case_id;

-- name: FinedCases :many
-- Which of some cases were fined, and the fine was not taken back (行政处罚法 29): a reversed case is closed once all is withdrawn.
SELECT c.case_id, c.case_no, c.agency_id
  FROM enforcement_case c
 WHERE c.case_id = ANY (@case_ids::uuid[]) AND c.reverse_time IS NULL
   AND (EXISTS (SELECT 1 FROM penalty_assessment p WHERE p.case_id = c.case_id AND p.kind = 'fine')
        OR EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id AND d.penalty_kind = 'fine'))
   AND (NOT EXISTS (SELECT 1 FROM case_change x WHERE x.case_id = c.case_id)
        OR EXISTS (SELECT 1 FROM case_standing s WHERE s.case_id = c.case_id AND s.kind = 'fine'))
 ORDER BY c.case_id;

-- name: AddAssessment :exec
INSERT INTO penalty_assessment (case_id, seq, penalty_code, act, kind, amount_fen, gains_fen, subject, party_id, agency_id, tier,
                                low_fen, high_fen, grade, band_low_fen, band_high_fen, band_document, outside, reason,
                                act_end_time, discovery_time, discovery_basis, limitation, profile, decided_time)
VALUES (@case_id, @seq, @penalty_code, @act, @kind, @amount_fen, sqlc.narg(gains_fen), @subject, @party_id, @agency_id, @tier,
        @low_fen, @high_fen, @grade, @band_low_fen, @band_high_fen, @band_document, @outside, @reason,
        sqlc.narg(act_end_time), @discovery_time, @discovery_basis, @limitation, @profile, @decided_time)
    ON CONFLICT (case_id, seq) DO NOTHING;

-- name: SuspectedActs :many
-- The newest of them: an officer cannot look at more before a notice.
SELECT other_case_id, other_agency_id, other_act, shared
  FROM suspected_same_act
 WHERE case_id = @case_id AND cardinality(shared) > 0
 ORDER BY other_case_id DESC
 LIMIT 20;

-- name: AddVerdict :exec
INSERT INTO act_link (link_id, case_id, other_case_id, verdict, reason, decided_by, agency_id, decided_time)
VALUES (@link_id, LEAST(@case_id::uuid, @other_case_id::uuid), GREATEST(@case_id::uuid, @other_case_id::uuid), @verdict, @reason,
        @decided_by, @agency_id, @decided_time);

-- name: VerdictNow :one
SELECT verdict FROM act_link_now
 WHERE case_id = LEAST(@case_id::uuid, @other_case_id::uuid) AND other_case_id = GREATEST(@case_id::uuid, @other_case_id::uuid);

-- name: ListVerdicts :many
SELECT l.link_id, o.case_id AS other_case_id, o.agency_id AS other_agency_id, l.verdict, l.reason, l.agency_id, l.decided_by, l.decided_time
  FROM act_link l
  JOIN enforcement_case o ON o.case_id = CASE WHEN l.case_id = @case_id THEN l.other_case_id ELSE l.case_id END
 WHERE @case_id IN (l.case_id, l.other_case_id)
   AND (sqlc.narg(before)::uuid IS NULL OR l.link_id < sqlc.narg(before)::uuid)
 ORDER BY l.link_id DESC
 LIMIT @page_size;

-- name: CasesOf :many
-- Cases by identifier, whose they are.
SELECT case_id, agency_id, party_id, state FROM enforcement_case WHERE case_id = ANY (@case_ids::uuid[]) ORDER BY case_id;

-- name: ListFines :many
-- Decided fines beside like ones: same act, article, kind of party and bracket of gains.
SELECT f.case_id, f.seq, f.agency_id, f.act, f.penalty_code, f.subject, f.province::text AS province, f.bracket::text AS bracket,
       f.amount_fen, f.band_low_fen, f.band_high_fen, f.grade, f.outside, f.reason, f.decided_time,
       g.median::bigint AS median, g.alike::bigint AS alike, h.alike::bigint AS alike_in_province
  FROM decided_fine f
  JOIN (SELECT act, penalty_code, subject, bracket, percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_fen) AS median, count(*) AS alike
          FROM decided_fine GROUP BY act, penalty_code, subject, bracket) g
    ON g.act = f.act AND g.penalty_code = f.penalty_code AND g.subject = f.subject AND g.bracket = f.bracket
  JOIN (SELECT act, penalty_code, subject, bracket, province, count(*) AS alike
          FROM decided_fine GROUP BY act, penalty_code, subject, bracket, province) h
    ON h.act = f.act AND h.penalty_code = f.penalty_code AND h.subject = f.subject AND h.bracket = f.bracket AND h.province = f.province
 WHERE (@sees_all::boolean OR f.agency_id = @agency_id)
   AND (@act::text = '' OR f.act = @act::text)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (f.decided_time, f.case_id, f.seq) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid, @before_seq::int))
 ORDER BY f.decided_time DESC, f.case_id DESC, f.seq DESC
 LIMIT @page_size;
