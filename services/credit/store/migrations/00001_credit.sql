-- The credit lists (信用名单): the policy of grounds, the listings and their withdrawals.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Grounds of listing (列入事由), data with valid time. min_months is when repair may be asked for, max_months when the
-- listing ends by itself; both run from the date of the decision. to_confirm: figure or reading waits for a lawyer.
CREATE TABLE listing_ground (
    ground     text        NOT NULL,
    list       text        NOT NULL,
    name       text        NOT NULL,
    severity   text        NOT NULL,
    min_months int         NOT NULL,
    max_months int         NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_ground_pkey PRIMARY KEY (list, ground, valid_from),
    CONSTRAINT listing_ground_list CHECK (list IN ('bad', 'dishonest')),
    CONSTRAINT listing_ground_severity CHECK (severity IN ('minor', 'general', 'serious')),
    CONSTRAINT listing_ground_months CHECK (0 <= min_months AND min_months <= max_months AND max_months > 0),
    -- 信用修复管理办法: a permanent list is unlawful
    CONSTRAINT listing_ground_bounded CHECK (max_months <= CASE severity WHEN 'minor' THEN 3 WHEN 'general' THEN 12 ELSE 36 END),
    CONSTRAINT listing_ground_one_at_a_time EXCLUDE USING gist
        (list WITH =, ground WITH =, tstzrange(valid_from, valid_to) WITH &&)
);

INSERT INTO listing_ground (ground, list, name, severity, min_months, max_months, source, to_confirm, valid_from) VALUES
    ('annual_report_default', 'bad', '未按规定报送年报且逾期未改正', 'minor', 0, 3,
     '电信业务经营许可管理办法 第三十八条;2018年3月名单管理通知;信用修复管理办法(轻微)', true, '2017-09-01T00:00:00+08:00'),
    ('licence_change_not_filed', 'bad', '许可证登载事项变更未按规定办理并受到处罚', 'general', 3, 12,
     '2018年3月名单管理通知;信用修复管理办法(一般)', true, '2017-09-01T00:00:00+08:00'),
    ('supervision_penalty', 'bad', '监督检查中发现违法违规行为并受到行政处罚', 'general', 3, 12,
     '电信业务经营许可管理办法 第四十二条;2018年3月名单管理通知;信用修复管理办法(一般)', true, '2017-09-01T00:00:00+08:00'),
    ('penalty_overdue', 'dishonest', '逾期不履行行政处罚决定', 'serious', 12, 36,
     '2018年3月名单管理通知;信用修复管理办法(严重)', true, '2017-09-01T00:00:00+08:00'),
    ('repeated_serious', 'dishonest', '列入不良名单后三年内再次受到责令停业整顿、吊销许可证处罚', 'serious', 12, 36,
     '电信业务经营许可管理办法 第四十二条(待核)', true, '2017-09-01T00:00:00+08:00'),
    ('licence_revoked', 'dishonest', '被吊销电信业务经营许可证', 'serious', 12, 36,
     '电信业务经营许可管理办法 第四十二条', true, '2017-09-01T00:00:00+08:00');

-- Listings (名单条目), append-only. severity and ends are what the policy said when it was entered.
CREATE TABLE listing (
    listing_id   uuid        PRIMARY KEY,
    list         text        NOT NULL,
    ground       text        NOT NULL,
    party_name   text        NOT NULL,
    credit_code  text        NOT NULL,
    licence      text        NOT NULL DEFAULT '',
    case_id      uuid        NOT NULL,
    agency_id    text        NOT NULL,
    severity     text        NOT NULL,
    decided_time timestamptz NOT NULL,
    earliest_end timestamptz NOT NULL,
    latest_end   timestamptz NOT NULL,
    listed_time  timestamptz NOT NULL,
    listed_by    text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_once UNIQUE (credit_code, list, ground, case_id),
    CONSTRAINT listing_list CHECK (list IN ('bad', 'dishonest')),
    CONSTRAINT listing_severity CHECK (severity IN ('minor', 'general', 'serious')),
    CONSTRAINT listing_credit_code_form CHECK (credit_code ~ '^[0-9A-Z]{18}$'),
    CONSTRAINT listing_named CHECK (party_name <> ''),
    CONSTRAINT listing_ends_ordered CHECK (decided_time <= earliest_end AND earliest_end <= latest_end AND listed_time < latest_end),
    CONSTRAINT listing_ends_bounded CHECK (latest_end <= decided_time + interval '3 years 1 day')
);
CREATE INDEX listing_of_party ON listing (credit_code, latest_end);
CREATE INDEX listing_newest ON listing (listed_time DESC, listing_id DESC);

-- Withdrawals (撤销列入), append-only: the listing's row stays.
CREATE TABLE listing_withdrawal (
    listing_id     uuid        PRIMARY KEY REFERENCES listing,
    reason         text        NOT NULL,
    withdrawn_by   text        NOT NULL,
    withdrawn_time timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_withdrawal_reasoned CHECK (reason <> '')
);

-- What the constraints forbid, asked again without trusting them.
CREATE VIEW violation AS
    SELECT l.listing_id AS id, 'listing longer than the law allows for its severity'::text AS what
      FROM listing l
     WHERE l.latest_end > l.decided_time + CASE l.severity WHEN 'minor' THEN interval '3 months 1 day'
           WHEN 'general' THEN interval '1 year 1 day' ELSE interval '3 years 1 day' END
    UNION ALL
    SELECT l.listing_id, 'listing on a ground that the policy did not have'
      FROM listing l
     WHERE NOT EXISTS (SELECT 1 FROM listing_ground g WHERE g.list = l.list AND g.ground = l.ground
           AND g.valid_from <= l.decided_time AND (g.valid_to IS NULL OR g.valid_to > l.decided_time));

GRANT SELECT, INSERT ON listing, listing_withdrawal TO credit;
GRANT SELECT ON listing_ground, violation TO credit;

-- +goose Down
DROP VIEW violation;
DROP TABLE listing_withdrawal, listing, listing_ground;
