-- What must hold of the register, asked again without trusting what wrote it.

-- +goose Up
-- The gate once more, from the facts alone (核对), with what else must hold of publications.
CREATE VIEW publication_violation AS
    SELECT p.publication_id AS id, 'publication did not pass its gate: ' || g.what AS what
      FROM publication p, LATERAL (VALUES
        (p.kind <> 'exposure' AND p.decided_time IS NULL, 'no signed decision'),
        (p.kind IN ('penalty', 'listing') AND (p.notice_time IS NULL OR p.notice_time > p.decided_time), 'no notice before the decision'),
        (p.kind IN ('penalty', 'listing') AND (p.delivered_time IS NULL OR p.delivered_time < p.decided_time), 'decision not delivered'),
        (p.kind = 'penalty' AND NOT p.social_impact, 'no social impact'),
        (p.kind = 'penalty' AND p.penalty_kind IN ('', 'none', 'warning'), 'no penalty that is published'),
        (p.kind = 'exposure' AND (p.warned_time IS NULL OR p.warned_time >= p.publish_time), 'no warning before'),
        (p.kind IN ('recall_notice', 'recall') AND p.case_id IS NULL, 'no recall'),
        (p.kind = 'recall' AND (p.notice_time IS NULL OR p.notice_time >= p.decided_time), 'no notice before the recall'),
        (p.kind = 'circular' AND p.party_name <> '' AND (p.notice_time IS NULL OR p.notice_time >= p.publish_time), 'party not informed'),
        (p.kind = 'service_notice' AND (p.failed_service_time IS NULL OR p.decision_no = ''), 'no other service tried before'),
        (p.gate_version > 1 AND p.kind = 'exposure' AND (p.continued_time IS NULL OR p.continued_time <= p.warned_time), 'did not go on after the warning'),
        (p.gate_version > 1 AND p.kind = 'listing' AND '' IN (p.credit_code, p.licence_no, p.ground, p.agency_name), 'one of the six fields is missing'),
        (p.gate_version > 1 AND p.penalty_kind = 'fine' AND p.amount_fen = 0, 'a fine without amount'),
        (p.gate_version > 1 AND (p.agency_name = '' OR strpos(p.title, p.agency_name) = 0), 'the title does not name the agency')
      ) AS g (broken, what) WHERE g.broken
    UNION ALL
    SELECT p.publication_id, 'publication by ' || p.agency_id || ', which may not publish a ' || p.kind
      FROM publication p
     WHERE p.gate_version > 1 AND NOT EXISTS (SELECT FROM publisher_policy y WHERE y.kind = p.kind AND p.agency_id LIKE y.agency
            AND starts_with(p.credit_code, y.party_prefix) AND tstzrange(y.valid_from, y.valid_to) @> p.publish_time)
    UNION ALL
    SELECT p.publication_id, 'publication of a natural person without a rule'
      FROM publication p
     WHERE p.person AND NOT EXISTS (SELECT FROM publication_person_policy y WHERE y.kind = p.kind
            AND y.penalty_kind IN ('', p.penalty_kind) AND tstzrange(y.valid_from, y.valid_to) @> p.publish_time)
    UNION ALL
    SELECT p.publication_id, 'publication is not taken down at the earliest end of its bases'
      FROM publication p
     WHERE p.take_down_time IS DISTINCT FROM (SELECT min(t.end_time) FROM publication_term t WHERE t.publication_id = p.publication_id)
    UNION ALL
    SELECT p.publication_id, 'publication names a number that is no published code' FROM publication p WHERE NOT codes_public(p.codes)
    UNION ALL
    SELECT p.publication_id, 'versions of the publication do not run from 1 without a gap'
      FROM publication p LEFT JOIN publication_version v ON v.publication_id = p.publication_id
     GROUP BY p.publication_id HAVING count(v.version) = 0 OR max(v.version) <> count(v.version)
    UNION ALL
    SELECT p.publication_id, 'publication was never announced to those who follow the register'
      FROM publication p WHERE NOT EXISTS (SELECT FROM publication_change c WHERE c.publication_id = p.publication_id AND c.change = 'published')
    UNION ALL
    SELECT w.publication_id, 'withdrawal was never announced to those who follow the register'
      FROM publication_withdrawal w
     WHERE NOT EXISTS (SELECT FROM publication_change c WHERE c.publication_id = w.publication_id AND c.change = 'withdrawn')
    UNION ALL
    SELECT v.publication_id, 'publication was corrected after it was withdrawn'
      FROM publication_version v JOIN publication_withdrawal w ON w.publication_id = v.publication_id WHERE v.version_time > w.withdrawn_time;

-- What was published or withdrawn after its term (逾期).
CREATE VIEW publication_late AS
    SELECT p.publication_id AS id, 'published late: due ' || (p.publish_due AT TIME ZONE 'Asia/Shanghai')::date || ', '
           || (p.publish_time AT TIME ZONE 'Asia/Shanghai')::date || '; ' || p.publish_proof AS what
      FROM publication p WHERE p.publish_time > p.publish_due
    UNION ALL
    SELECT w.publication_id, 'withdrawn late: due ' || (w.due_time AT TIME ZONE 'Asia/Shanghai')::date || ', '
           || (w.withdrawn_time AT TIME ZONE 'Asia/Shanghai')::date || '; ' || w.proof
      FROM publication_withdrawal w WHERE w.withdrawn_time > w.due_time;

GRANT SELECT ON publication_violation, publication_late TO disclosure;

-- +goose Down
DROP VIEW publication_late, publication_violation;
