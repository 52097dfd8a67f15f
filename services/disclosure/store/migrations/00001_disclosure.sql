-- Disclosure (公示): publications behind their gates, and the digests of reports.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- How long an item stays public (撤下期限), data with valid time; penalty_kind is empty where the kind of item decides.
-- to_confirm: the figure or its reading waits for a lawyer.
CREATE TABLE take_down_policy (
    kind         text        NOT NULL,
    penalty_kind text        NOT NULL DEFAULT '',
    months       int         NOT NULL,
    source       text        NOT NULL,
    to_confirm   boolean     NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT take_down_policy_pkey PRIMARY KEY (kind, penalty_kind, valid_from),
    CONSTRAINT take_down_policy_kind CHECK (kind IN ('penalty', 'listing', 'exposure')),
    CONSTRAINT take_down_policy_months CHECK (months BETWEEN 1 AND 36),
    CONSTRAINT take_down_policy_one_at_a_time EXCLUDE USING gist
        (kind WITH =, penalty_kind WITH =, tstzrange(valid_from, valid_to) WITH &&)
);

INSERT INTO take_down_policy (kind, penalty_kind, months, source, to_confirm, valid_from, valid_to) VALUES
    ('penalty', 'criticism', 3, '市场监督管理行政处罚信息公示规定:仅受到通报批评的满三个月', true, '2021-07-15T00:00:00+08:00', NULL),
    ('penalty', 'fine', 36, '市场监督管理行政处罚信息公示规定:其他满三年', true, '2021-07-15T00:00:00+08:00', '2026-04-01T00:00:00+08:00'),
    ('penalty', 'confiscation', 36, '市场监督管理行政处罚信息公示规定:其他满三年', true, '2021-07-15T00:00:00+08:00', '2026-04-01T00:00:00+08:00'),
    -- since then 一般 ends after a year at the latest, 严重 after three
    ('penalty', 'fine', 12, '信用修复管理办法(国家发展改革委令第36号):一般失信信息最长一年', true, '2026-04-01T00:00:00+08:00', NULL),
    ('penalty', 'confiscation', 12, '信用修复管理办法(国家发展改革委令第36号):一般失信信息最长一年', true, '2026-04-01T00:00:00+08:00', NULL),
    ('penalty', 'closure', 36, '市场监督管理行政处罚信息公示规定;信用修复管理办法:严重失信信息最长三年', true, '2021-07-15T00:00:00+08:00', NULL),
    ('penalty', 'revocation', 36, '市场监督管理行政处罚信息公示规定;信用修复管理办法:严重失信信息最长三年', true, '2021-07-15T00:00:00+08:00', NULL),
    ('listing', '', 12, '电信业务经营许可管理办法 第三十七条;信用修复管理办法:一般失信信息最长一年', true, '2017-09-01T00:00:00+08:00', NULL),
    ('exposure', '', 3, 'programme: 警示后曝光三个月', true, '2018-11-01T00:00:00+08:00', NULL);

-- Publications (公示) with the facts of their gate, append-only. No natural person ever stands here. What is checked by
-- the rule in Go is checked here again: a publication that lacks its due process cannot exist.
CREATE TABLE publication (
    publication_id uuid        PRIMARY KEY,
    kind           text        NOT NULL,
    title          text        NOT NULL,
    party_name     text        NOT NULL,
    credit_code    text        NOT NULL DEFAULT '',
    agency_id      text        NOT NULL,
    summary        text        NOT NULL,
    case_id        uuid,
    penalty_kind   text        NOT NULL DEFAULT '',
    social_impact  boolean     NOT NULL,
    notice_time    timestamptz,
    decided_time   timestamptz,
    delivered_time timestamptz,
    warned_time    timestamptz,
    publish_time   timestamptz NOT NULL,
    take_down_time timestamptz NOT NULL,
    published_by   text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_kind CHECK (kind IN ('penalty', 'listing', 'exposure')),
    CONSTRAINT publication_worded CHECK (title <> '' AND party_name <> '' AND agency_id <> ''),
    CONSTRAINT publication_credit_code_form CHECK (credit_code = '' OR credit_code ~ '^[0-9A-Z]{18}$'),
    CONSTRAINT publication_taken_down CHECK (publish_time < take_down_time AND take_down_time <= publish_time + interval '3 years 1 day'),
    CONSTRAINT publication_gate_decision CHECK (kind = 'exposure' OR (case_id IS NOT NULL
        AND notice_time IS NOT NULL AND decided_time IS NOT NULL AND delivered_time IS NOT NULL
        AND notice_time <= decided_time AND decided_time <= delivered_time)),
    CONSTRAINT publication_gate_penalty CHECK (kind <> 'penalty' OR (social_impact
        AND penalty_kind IN ('criticism', 'fine', 'confiscation', 'closure', 'revocation'))),
    CONSTRAINT publication_gate_exposure CHECK (kind <> 'exposure' OR (warned_time IS NOT NULL AND warned_time < publish_time))
);
CREATE UNIQUE INDEX publication_once ON publication (kind, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX publication_newest ON publication (publish_time DESC, publication_id DESC);

-- Withdrawals (撤回公示), append-only: they make a publication its tombstone.
CREATE TABLE publication_withdrawal (
    publication_id uuid        PRIMARY KEY REFERENCES publication,
    reason         text        NOT NULL,
    withdrawn_by   text        NOT NULL,
    withdrawn_time timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_withdrawal_reasoned CHECK (reason <> '')
);

-- What a digest is called and from how many reporters on a figure is shown, data with valid time.
CREATE TABLE digest_policy (
    title         text        NOT NULL,
    min_reporters int         NOT NULL,
    source        text        NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_policy_pkey PRIMARY KEY (valid_from),
    CONSTRAINT digest_policy_min CHECK (min_reporters >= 2),
    CONSTRAINT digest_policy_one_at_a_time EXCLUDE USING gist (tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO digest_policy (title, min_reporters, source, valid_from) VALUES
    ('{year}年{month}月骚扰电话举报情况盘点', 10, 'programme: 举报人不足10人的数据不公开', '2018-11-01T00:00:00+08:00');

-- Digests (举报情况盘点), append-only: a correction is a new version.
CREATE TABLE digest (
    digest_id     uuid        PRIMARY KEY,
    month         text        NOT NULL,
    version       int         NOT NULL,
    title         text        NOT NULL,
    total         bigint      NOT NULL,
    cut_hash      text        NOT NULL,
    rounding      text        NOT NULL,
    min_reporters int         NOT NULL,
    build_time    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_version_once UNIQUE (month, version),
    CONSTRAINT digest_month_form CHECK (month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
    CONSTRAINT digest_version_counts CHECK (version > 0),
    CONSTRAINT digest_total_counts CHECK (total >= 0),
    CONSTRAINT digest_rounding CHECK (rounding IN ('largest_remainder'))
);
CREATE TABLE digest_row (
    digest_id  uuid    NOT NULL REFERENCES digest,
    axis       text    NOT NULL,
    key        text    NOT NULL,
    reports    bigint  NOT NULL,
    reporters  bigint  NOT NULL,
    per_mille  int     NOT NULL,
    suppressed boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_row_pkey PRIMARY KEY (digest_id, axis, key),
    CONSTRAINT digest_row_counts CHECK (reports > 0 AND reporters BETWEEN 0 AND reports AND per_mille BETWEEN 0 AND 1000),
    CONSTRAINT digest_row_key CHECK (axis <> '' AND key NOT IN ('', 'suppressed'))
);

-- What the constraints and the rules forbid, asked again without trusting them.
CREATE VIEW violation AS
    SELECT p.publication_id AS id, 'publication did not pass its gate'::text AS what
      FROM publication p
     WHERE (p.kind <> 'exposure' AND (p.notice_time IS NULL OR p.decided_time IS NULL OR p.delivered_time IS NULL
               OR p.notice_time > p.decided_time OR p.decided_time > p.delivered_time))
        OR (p.kind = 'penalty' AND (NOT p.social_impact OR p.penalty_kind IN ('', 'none', 'warning')))
        OR (p.kind = 'exposure' AND (p.warned_time IS NULL OR p.warned_time >= p.publish_time))
    UNION ALL
    SELECT r.digest_id, 'digest table ' || r.axis || ' does not add up'
      FROM digest_row r JOIN digest d ON d.digest_id = r.digest_id
     GROUP BY r.digest_id, r.axis, d.total
    HAVING sum(r.per_mille) <> 1000 OR sum(r.reports) <> d.total
    UNION ALL
    SELECT r.digest_id, 'digest table ' || r.axis || ' shows a figure of too few reporters'
      FROM digest_row r JOIN digest d ON d.digest_id = r.digest_id
     WHERE NOT r.suppressed AND r.reporters < d.min_reporters;

GRANT SELECT, INSERT ON publication, publication_withdrawal, digest, digest_row TO disclosure;
GRANT SELECT ON take_down_policy, digest_policy, violation TO disclosure;

-- +goose Down
DROP VIEW violation;
DROP TABLE digest_row, digest, digest_policy, publication_withdrawal, publication, take_down_policy;
