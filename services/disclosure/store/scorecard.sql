-- name: FreezeAppeal :exec
INSERT INTO scorecard_appeal (digest_id, appeal_id, operator_id, file_time, state, filed, deduction_id, deduction_state, effect, decided_time)
VALUES (@digest_id, @appeal_id, @operator_id, @file_time, @state, @filed, @deduction_id, @deduction_state, @effect, @decided_time)
ON CONFLICT (digest_id, appeal_id) DO NOTHING;

-- name: FrozenAppeals :many
SELECT * FROM scorecard_appeal WHERE digest_id = ANY (@digests::uuid[]) ORDER BY appeal_id, digest_id;

-- name: ScorecardSetOf :one
SELECT * FROM scorecard_set WHERE digest_id = @digest_id AND period = @period;

-- name: LastScorecardVersion :one
SELECT coalesce(max(version), 0)::int FROM scorecard_set WHERE period = @period;

-- name: NewestMonthlySets :many
-- The digest that the newest cards of each month were made with.
SELECT DISTINCT ON (s.period) s.period, s.digest_id, d.cut_hash FROM scorecard_set s JOIN digest d ON d.digest_id = s.digest_id
 WHERE s.period = ANY (@months::text[]) ORDER BY s.period, s.version DESC;

-- name: InsertScorecardSet :exec
INSERT INTO scorecard_set (set_id, digest_id, period, version, note, hash, build_time)
VALUES (@set_id, @digest_id, @period, @version, @note, @hash, @build_time);

-- name: InsertScorecardSource :exec
INSERT INTO scorecard_source (set_id, digest_id) VALUES (@set_id, @digest_id);

-- name: InsertScorecard :exec
INSERT INTO scorecard (set_id, operator_id, name, administration_id, complaints, checked, substantiated, handled, repeated, reopened,
                       appeals, upheld, deducted, hash)
VALUES (@set_id, @operator_id, @name, @administration_id, @complaints, @checked, @substantiated, @handled, @repeated, @reopened,
        @appeals, @upheld, @deducted, @hash);

-- name: InsertScorecardStep :exec
INSERT INTO scorecard_step (set_id, operator_id, step, scored, asked, answered, bounced, overdue, median_minutes)
VALUES (@set_id, @operator_id, @step, @scored, @asked, @answered, @bounced, @overdue, @median_minutes);

-- name: ListScorecards :many
-- Of a version of a period, or the newest. An operator sees its own and its branches', an administration those it decides on.
SELECT sqlc.embed(s), sqlc.embed(c) FROM scorecard_set s JOIN scorecard c USING (set_id)
 WHERE s.period = @period AND s.version = CASE WHEN @version::int > 0 THEN @version::int
        ELSE (SELECT max(n.version) FROM scorecard_set n WHERE n.period = @period) END
   AND (@operator::text = '' OR c.operator_id = @operator::text)
   AND (@sees_all::boolean OR (@official::boolean AND c.administration_id = @agency_id::text)
        OR (@is_operator::boolean AND (c.operator_id = @agency_id::text OR starts_with(c.operator_id, @agency_id::text || '-'))))
   AND c.operator_id > @after::text
 ORDER BY c.operator_id LIMIT @page_size;

-- name: ScorecardSteps :many
SELECT * FROM scorecard_step WHERE set_id = @set_id AND operator_id = ANY (@operators::text[]) ORDER BY operator_id, step;

-- name: ScorecardSources :many
SELECT d.digest_id, d.month, d.version, d.cut_hash FROM scorecard_source x JOIN digest d ON d.digest_id = x.digest_id
 WHERE x.set_id = @set_id ORDER BY d.month;

-- name: ScorecardAppeals :many
SELECT a.* FROM scorecard_source x JOIN scorecard_appeal a ON a.digest_id = x.digest_id
 WHERE x.set_id = @set_id AND a.operator_id = @operator_id ORDER BY a.file_time, a.appeal_id LIMIT 1000;
