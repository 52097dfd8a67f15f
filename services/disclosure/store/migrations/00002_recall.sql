-- Recalls of number resources (收回码号资源): the notice that opens the term for objections, and the outcome.

-- +goose Up
ALTER TABLE take_down_policy
    DROP CONSTRAINT take_down_policy_kind,
    ADD CONSTRAINT take_down_policy_kind CHECK (kind IN ('penalty', 'listing', 'exposure', 'recall_notice', 'recall'));
INSERT INTO take_down_policy (kind, penalty_kind, months, source, to_confirm, valid_from, valid_to) VALUES
    ('recall_notice', '', 3, 'programme: 公告期三十日, 公告保留三个月', true, '2018-07-01T00:00:00+08:00', NULL),
    ('recall', '', 12, 'programme: 收回公告保留一年', true, '2018-07-01T00:00:00+08:00', NULL);

-- Of a recall, case_id names the recall. Its notice stands on a signed decision; its outcome on a notice that came before.
ALTER TABLE publication
    DROP CONSTRAINT publication_kind,
    ADD CONSTRAINT publication_kind CHECK (kind IN ('penalty', 'listing', 'exposure', 'recall_notice', 'recall')),
    DROP CONSTRAINT publication_gate_decision,
    ADD CONSTRAINT publication_gate_decision CHECK (kind IN ('exposure', 'recall_notice', 'recall') OR (case_id IS NOT NULL
        AND notice_time IS NOT NULL AND decided_time IS NOT NULL AND delivered_time IS NOT NULL
        AND notice_time <= decided_time AND decided_time <= delivered_time)),
    ADD CONSTRAINT publication_gate_recall CHECK (kind NOT IN ('recall_notice', 'recall') OR (case_id IS NOT NULL
        AND decided_time IS NOT NULL AND (kind = 'recall_notice' OR (notice_time IS NOT NULL AND notice_time < decided_time))));

CREATE OR REPLACE VIEW violation AS
    SELECT p.publication_id AS id, 'publication did not pass its gate'::text AS what
      FROM publication p
     WHERE (p.kind IN ('penalty', 'listing') AND (p.notice_time IS NULL OR p.decided_time IS NULL OR p.delivered_time IS NULL
               OR p.notice_time > p.decided_time OR p.decided_time > p.delivered_time))
        OR (p.kind = 'penalty' AND (NOT p.social_impact OR p.penalty_kind IN ('', 'none', 'warning')))
        OR (p.kind = 'exposure' AND (p.warned_time IS NULL OR p.warned_time >= p.publish_time))
        OR (p.kind IN ('recall_notice', 'recall') AND (p.case_id IS NULL OR p.decided_time IS NULL))
        OR (p.kind = 'recall' AND (p.notice_time IS NULL OR p.notice_time >= p.decided_time))
    UNION ALL
    SELECT r.digest_id, 'digest table ' || r.axis || ' does not add up'
      FROM digest_row r JOIN digest d ON d.digest_id = r.digest_id
     GROUP BY r.digest_id, r.axis, d.total
    HAVING sum(r.per_mille) <> 1000 OR sum(r.reports) <> d.total
    UNION ALL
    SELECT r.digest_id, 'digest table ' || r.axis || ' shows a figure of too few reporters'
      FROM digest_row r JOIN digest d ON d.digest_id = r.digest_id
     WHERE NOT r.suppressed AND r.reporters < d.min_reporters;

-- +goose Down
DELETE FROM publication_withdrawal w USING publication p WHERE p.publication_id = w.publication_id AND p.kind IN ('recall_notice', 'recall');
DELETE FROM publication WHERE kind IN ('recall_notice', 'recall');
DELETE FROM take_down_policy WHERE kind IN ('recall_notice', 'recall');
ALTER TABLE take_down_policy
    DROP CONSTRAINT take_down_policy_kind,
    ADD CONSTRAINT take_down_policy_kind CHECK (kind IN ('penalty', 'listing', 'exposure'));
ALTER TABLE publication
    DROP CONSTRAINT publication_gate_recall,
    DROP CONSTRAINT publication_gate_decision,
    ADD CONSTRAINT publication_gate_decision CHECK (kind = 'exposure' OR (case_id IS NOT NULL
        AND notice_time IS NOT NULL AND decided_time IS NOT NULL AND delivered_time IS NOT NULL
        AND notice_time <= decided_time AND decided_time <= delivered_time)),
    DROP CONSTRAINT publication_kind,
    ADD CONSTRAINT publication_kind CHECK (kind IN ('penalty', 'listing', 'exposure'));
