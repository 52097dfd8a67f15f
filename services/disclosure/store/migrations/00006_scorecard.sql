-- Scorecards of access operators (接入企业考核, 谁接入谁负责): what the counts frozen for a digest say of each operator, with the
-- appeals that the ledger counted for the month. Internal: nothing of them is public.

-- +goose Up
-- Appeals as the ledger had them when the cards were made, append-only (冻结申诉).
CREATE TABLE scorecard_appeal (
    digest_id       uuid        NOT NULL REFERENCES digest,
    appeal_id       uuid        NOT NULL,
    operator_id     text        NOT NULL,
    file_time       timestamptz NOT NULL,
    state           text        NOT NULL,
    filed           boolean     NOT NULL, -- in the month
    deduction_id    uuid,
    deduction_state text        NOT NULL DEFAULT '',
    effect          smallint    NOT NULL DEFAULT 0, -- of the month's decisions on its deduction
    decided_time    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scorecard_appeal_pkey PRIMARY KEY (digest_id, appeal_id),
    CONSTRAINT scorecard_appeal_effect CHECK (effect BETWEEN -1 AND 1 AND (effect = 0 OR (deduction_id IS NOT NULL AND decided_time IS NOT NULL)))
);

-- A version of the cards of a month (YYYY-MM) or quarter (YYYY-Qn).
CREATE TABLE scorecard_set (
    set_id     uuid        CONSTRAINT scorecard_set_pkey PRIMARY KEY,
    digest_id  uuid        NOT NULL REFERENCES digest, -- that they were made with
    period     text        NOT NULL CONSTRAINT scorecard_set_period CHECK (period ~ '^20[0-9]{2}-(0[1-9]|1[0-2]|Q[1-4])$'),
    version    integer     NOT NULL CONSTRAINT scorecard_set_version CHECK (version >= 1),
    note       text        NOT NULL,
    hash       text        NOT NULL CONSTRAINT scorecard_set_hash CHECK (hash ~ '^[0-9a-f]{64}$'),
    build_time timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scorecard_set_once UNIQUE (digest_id, period),
    CONSTRAINT scorecard_set_versions UNIQUE (period, version),
    CONSTRAINT scorecard_set_says_what_it_corrects CHECK (version = 1 OR note <> '')
);
CREATE TABLE scorecard_source (
    set_id     uuid        NOT NULL REFERENCES scorecard_set,
    digest_id  uuid        NOT NULL REFERENCES digest,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scorecard_source_pkey PRIMARY KEY (set_id, digest_id)
);
CREATE TABLE scorecard (
    set_id            uuid        NOT NULL REFERENCES scorecard_set,
    operator_id       text        COLLATE "C" NOT NULL,
    name              text        NOT NULL,
    administration_id text        NOT NULL,
    complaints        bigint      NOT NULL,
    checked           bigint      NOT NULL,
    substantiated     bigint      NOT NULL,
    handled           bigint      NOT NULL,
    repeated          bigint      NOT NULL,
    reopened          bigint      NOT NULL,
    appeals           bigint      NOT NULL,
    upheld            bigint      NOT NULL,
    deducted          bigint      NOT NULL, -- may be below 0: a deduction of an earlier month was taken back
    hash              text        NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scorecard_pkey PRIMARY KEY (set_id, operator_id),
    CONSTRAINT scorecard_has_an_administration CHECK (administration_id <> ''),
    CONSTRAINT scorecard_counts CHECK (0 <= substantiated AND substantiated <= checked AND checked <= complaints AND handled BETWEEN 0 AND complaints
        AND repeated BETWEEN 0 AND complaints AND reopened BETWEEN 0 AND complaints AND upheld BETWEEN 0 AND appeals)
);
CREATE INDEX scorecard_of ON scorecard (operator_id, set_id);
CREATE TABLE scorecard_step (
    set_id         uuid        NOT NULL,
    operator_id    text        COLLATE "C" NOT NULL,
    step           text        NOT NULL,
    scored         boolean     NOT NULL, -- tracing a forged call is a duty of its own and no score
    asked          bigint      NOT NULL,
    answered       bigint      NOT NULL,
    bounced        bigint      NOT NULL,
    overdue        bigint      NOT NULL,
    median_minutes bigint,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scorecard_step_pkey PRIMARY KEY (set_id, operator_id, step),
    CONSTRAINT scorecard_step_of_card FOREIGN KEY (set_id, operator_id) REFERENCES scorecard (set_id, operator_id),
    CONSTRAINT scorecard_step_known CHECK (step IN ('number_check', 'preserve', 'execute', 'traceback', 'all')),
    CONSTRAINT scorecard_step_scored CHECK (scored = (step <> 'traceback'))
);
GRANT SELECT, INSERT ON scorecard_appeal, scorecard_set, scorecard_source, scorecard, scorecard_step TO disclosure;

-- What must hold of scorecards, beside what the digests must.
CREATE VIEW scorecard_violation AS
    SELECT s.set_id AS id, ('scorecards of ' || s.period || ', version ' || s.version || ', without the version before')::text AS what
      FROM scorecard_set s WHERE s.version > 1 AND NOT EXISTS (SELECT FROM scorecard_set b WHERE b.period = s.period AND b.version = s.version - 1)
    UNION ALL
    SELECT s.set_id, 'scorecards of ' || s.period || ' are not made from one digest of each of its months'
      FROM scorecard_set s LEFT JOIN scorecard_source x USING (set_id) LEFT JOIN digest d ON d.digest_id = x.digest_id
     GROUP BY s.set_id, s.period
    HAVING count(DISTINCT d.month) <> count(*) OR count(d.month) <> CASE WHEN s.period ~ 'Q' THEN 3 ELSE 1 END
        OR NOT bool_and(coalesce(CASE WHEN s.period ~ 'Q' THEN left(d.month, 4) || '-Q' || (right(d.month, 2)::int + 2) / 3 ELSE d.month END = s.period, false))
    UNION ALL
    SELECT c.set_id, 'scorecard of ' || c.operator_id || ' counts other appeals than were frozen for it'
      FROM scorecard c
      LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE a.filed) AS appeals, count(*) FILTER (WHERE a.filed AND a.state IN ('UPHELD', 'RESTORED')) AS upheld,
             coalesce(sum(a.effect), 0) AS deducted
             FROM scorecard_source x JOIN scorecard_appeal a ON a.digest_id = x.digest_id WHERE x.set_id = c.set_id AND a.operator_id = c.operator_id) f ON true
     WHERE (c.appeals, c.upheld, c.deducted) IS DISTINCT FROM (f.appeals, f.upheld, f.deducted)
    UNION ALL
    SELECT c.set_id, 'scorecard of ' || c.operator_id || ' does not add its steps up'
      FROM scorecard_step c JOIN scorecard_step t ON t.set_id = c.set_id AND t.operator_id = c.operator_id AND t.scored AND t.step <> 'all'
     WHERE c.step = 'all'
     GROUP BY c.set_id, c.operator_id, c.asked, c.answered, c.bounced, c.overdue
    HAVING (c.asked, c.answered, c.bounced, c.overdue) IS DISTINCT FROM (sum(t.asked), sum(t.answered), sum(t.bounced), sum(t.overdue));
GRANT SELECT ON scorecard_violation TO disclosure;

-- +goose Down
DROP VIEW scorecard_violation;
DROP TABLE scorecard_step, scorecard, scorecard_source, scorecard_set, scorecard_appeal;
