-- The policy of the lists: grounds, how serious a penalty is, how long an entry lasts, who lists.

-- +goose Up

-- Grounds (列入事由): which article, whether the wording was read in a source, whether it is used, whether it needs a case.
-- How long an entry lasts no longer follows from the ground alone, but from how serious it is.
ALTER TABLE listing_ground
    DROP CONSTRAINT listing_ground_list,
    DROP CONSTRAINT listing_ground_months,
    DROP CONSTRAINT listing_ground_bounded,
    DROP COLUMN min_months,
    DROP COLUMN max_months,
    ADD COLUMN article    text    NOT NULL DEFAULT '',
    ADD COLUMN sourced    boolean NOT NULL DEFAULT false,
    ADD COLUMN in_use     boolean NOT NULL DEFAULT true,
    ADD COLUMN needs_case boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT listing_ground_list CHECK (list IN ('bad', 'dishonest', 'credit_record')),
    -- a wording that nobody has read or confirmed lists nobody
    ADD CONSTRAINT listing_ground_read CHECK (sourced OR to_confirm);
UPDATE listing_ground SET sourced = true, to_confirm = false, article = '电信业务经营许可管理办法 第三十八条', needs_case = false
 WHERE ground = 'annual_report_default';
UPDATE listing_ground SET sourced = true, to_confirm = false, article = '2018年3月名单管理通知' WHERE ground = 'licence_change_not_filed';
UPDATE listing_ground SET sourced = true, to_confirm = false, article = '电信业务经营许可管理办法 第四十二条' WHERE ground = 'supervision_penalty';
UPDATE listing_ground SET sourced = true, to_confirm = false, article = '2018年3月名单管理通知' WHERE ground = 'penalty_overdue';
UPDATE listing_ground SET sourced = true, to_confirm = false, article = '电信业务经营许可管理办法 第四十二条' WHERE ground = 'licence_revoked';
UPDATE listing_ground SET article = '电信业务经营许可管理办法 第四十二条(后段待核)' WHERE ground = 'repeated_serious';
INSERT INTO listing_ground (ground, list, name, severity, source, to_confirm, valid_from, article, sourced, in_use, needs_case) VALUES
    ('licence_by_deceit', 'dishonest', '以欺骗、贿赂等不正当手段取得许可证被撤销(待核)', 'serious',
     '2018年3月名单管理通知: 七项事由之一, 文本未核', true, '2017-09-01T00:00:00+08:00', '', false, false, true),
    ('suspension_ignored', 'dishonest', '拒不执行责令停业整顿(待核)', 'serious',
     '2018年3月名单管理通知: 七项事由之一, 文本未核', true, '2017-09-01T00:00:00+08:00', '', false, false, true),
    ('security_serious', 'dishonest', '违反网络与信息安全规定情节严重(待核)', 'serious',
     '2018年3月名单管理通知: 七项事由之一, 文本未核; 参照电信条例 第七十七条', true, '2017-09-01T00:00:00+08:00', '', false, false, true),
    ('market_order_serious', 'dishonest', '扰乱电信市场秩序情节严重(待核)', 'serious',
     '2018年3月名单管理通知: 七项事由之一, 文本未核; 参照电信条例 第七十七条', true, '2017-09-01T00:00:00+08:00', '', false, false, true),
    ('administrative_penalty', 'credit_record', '受到行政处罚', 'general',
     '消费者权益保护法 第五十六条: 处罚机关应当记入信用档案', false, '2014-03-15T00:00:00+08:00', '消费者权益保护法 第五十六条', true, true, true);
GRANT SELECT ON listing_ground TO credit;

-- How long an entry of a class lasts (失信程度与期限) and whether it is published; months from the date of the document.
CREATE TABLE severity_term (
    severity   text        NOT NULL,
    min_months int         NOT NULL,
    max_months int         NOT NULL,
    published  boolean     NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT severity_term_pkey PRIMARY KEY (severity, valid_from),
    CONSTRAINT severity_term_severity CHECK (severity IN ('minor', 'general', 'serious')),
    CONSTRAINT severity_term_months CHECK (0 <= min_months AND min_months <= max_months AND max_months > 0),
    -- 信用修复管理办法: a permanent list is unlawful
    CONSTRAINT severity_term_bounded CHECK (max_months <= CASE severity WHEN 'minor' THEN 3 WHEN 'general' THEN 12 ELSE 36 END),
    CONSTRAINT severity_term_one_at_a_time EXCLUDE USING gist (severity WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO severity_term (severity, min_months, max_months, published, source, to_confirm, valid_from, valid_to) VALUES
    ('minor',   0,  3,  true,  '国家发展改革委令第58号(已废止), 过渡适用', true, '2014-03-15T00:00:00+08:00', '2026-04-01T00:00:00+08:00'),
    ('general', 3,  12, true,  '国家发展改革委令第58号(已废止), 过渡适用', true, '2014-03-15T00:00:00+08:00', '2026-04-01T00:00:00+08:00'),
    ('serious', 12, 36, true,  '国家发展改革委令第58号(已废止), 过渡适用', true, '2014-03-15T00:00:00+08:00', '2026-04-01T00:00:00+08:00'),
    ('minor',   0,  3,  false, '信用修复管理办法(国家发展改革委令第36号): 轻微, 原则上不公示, 最长三个月', false, '2026-04-01T00:00:00+08:00', NULL),
    ('general', 3,  12, true,  '信用修复管理办法(国家发展改革委令第36号): 一般, 最短三个月, 最长一年', false, '2026-04-01T00:00:00+08:00', NULL),
    ('serious', 12, 36, true,  '信用修复管理办法(国家发展改革委令第36号): 严重, 最短一年, 最长三年', false, '2026-04-01T00:00:00+08:00', NULL);

-- How serious a penalty is (处罚与失信程度). from_fen: a fine of at least so much; the highest row that applies counts.
CREATE TABLE penalty_severity (
    penalty_kind text        NOT NULL,
    simplified   boolean     NOT NULL DEFAULT false,
    from_fen     bigint      NOT NULL DEFAULT 0,
    severity     text        NOT NULL,
    source       text        NOT NULL,
    to_confirm   boolean     NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT penalty_severity_pkey PRIMARY KEY (penalty_kind, simplified, from_fen, valid_from),
    CONSTRAINT penalty_severity_severity CHECK (severity IN ('minor', 'general', 'serious')),
    CONSTRAINT penalty_severity_from CHECK (from_fen >= 0),
    CONSTRAINT penalty_severity_one_at_a_time EXCLUDE USING gist
        (penalty_kind WITH =, simplified WITH =, from_fen WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO penalty_severity (penalty_kind, simplified, from_fen, severity, source, to_confirm, valid_from) VALUES
    ('warning', false, 0, 'minor', '信用修复管理办法: 警告属轻微', false, '2014-03-15T00:00:00+08:00'),
    ('criticism', false, 0, 'minor', '信用修复管理办法: 通报批评属轻微', false, '2014-03-15T00:00:00+08:00'),
    ('warning', true, 0, 'minor', '信用修复管理办法: 简易程序属轻微', false, '2014-03-15T00:00:00+08:00'),
    ('fine', true, 0, 'minor', '信用修复管理办法: 简易程序属轻微', false, '2014-03-15T00:00:00+08:00'),
    ('fine', false, 0, 'general', '信用修复管理办法: 较大数额罚款属一般; 较小数额的归类待确认', true, '2014-03-15T00:00:00+08:00'),
    ('fine', false, 100000000, 'serious', '信用修复管理办法: 特大数额罚款属严重; 界限一百万元为暂定', true, '2014-03-15T00:00:00+08:00'),
    ('confiscation', false, 0, 'general', '信用修复管理办法: 没收属一般', false, '2014-03-15T00:00:00+08:00'),
    ('closure', false, 0, 'serious', '信用修复管理办法: 责令停产停业属严重(归类待确认)', true, '2014-03-15T00:00:00+08:00'),
    ('restriction', false, 0, 'serious', '信用修复管理办法: 限制从业属严重', false, '2014-03-15T00:00:00+08:00'),
    ('downgrade', false, 0, 'general', '信用修复管理办法: 降低资质等级(归类待确认)', true, '2014-03-15T00:00:00+08:00'),
    ('revocation', false, 0, 'serious', '信用修复管理办法: 吊销许可证属严重', false, '2014-03-15T00:00:00+08:00');

-- The lists themselves (名单): their own term, which may end an entry before its class does; who may list; whether others
-- may punish jointly on it.
CREATE TABLE list_policy (
    list       text        NOT NULL,
    months     int         NOT NULL,
    listers    text        NOT NULL,
    joint      boolean     NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT list_policy_pkey PRIMARY KEY (list, valid_from),
    CONSTRAINT list_policy_list CHECK (list IN ('bad', 'dishonest', 'credit_record')),
    CONSTRAINT list_policy_months CHECK (months BETWEEN 1 AND 36),
    CONSTRAINT list_policy_one_at_a_time EXCLUDE USING gist (list WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
COMMENT ON COLUMN list_policy.listers IS 'regular expression of the agencies that list (列入单位)';
INSERT INTO list_policy (list, months, listers, joint, source, to_confirm, valid_from) VALUES
    ('bad', 12, '^(miit|ca-[0-9]{2})$', true, '电信业务经营许可管理办法 第四十二条: 一年内未再受处罚的移出(待核); 2018年3月名单管理通知: 重点监管、接入资源和招标投标的参考; 与其他部门的联合惩戒待确认', true, '2014-03-15T00:00:00+08:00'),
    ('dishonest', 36, '^(miit|ca-[0-9]{2})$', true, '电信业务经营许可管理办法 第四十二条: 三年内未再受处罚的移出(待核); 2018年3月名单管理通知: 联合惩戒', true, '2014-03-15T00:00:00+08:00'),
    ('credit_record', 36, '.', false, '消费者权益保护法 第五十六条: 记入信用档案, 向社会公布, 未规定联合惩戒; 期限从信用修复管理办法', false, '2014-03-15T00:00:00+08:00');

-- When a penalty brings a firm onto the dishonest list at once (直接列入失信名单), the first by rank that applies.
CREATE TABLE dishonest_rule (
    rule          text        NOT NULL,
    rank          int         NOT NULL,
    ground        text        NOT NULL,
    penalty_kinds text[]      NOT NULL,
    within_months int, -- of an earlier entry on the bad list; NULL: none is needed
    source        text        NOT NULL,
    to_confirm    boolean     NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dishonest_rule_pkey PRIMARY KEY (rule, valid_from),
    CONSTRAINT dishonest_rule_kinds CHECK (cardinality(penalty_kinds) > 0),
    CONSTRAINT dishonest_rule_one_at_a_time EXCLUDE USING gist (rule WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO dishonest_rule (rule, rank, ground, penalty_kinds, within_months, source, to_confirm, valid_from) VALUES
    ('again_within_three_years', 1, 'repeated_serious', '{closure,revocation}', 36, '电信业务经营许可管理办法 第四十二条(后段待核)', true, '2017-09-01T00:00:00+08:00'),
    ('revoked', 2, 'licence_revoked', '{revocation}', NULL, '电信业务经营许可管理办法 第四十二条', false, '2017-09-01T00:00:00+08:00');

-- +goose Down
DROP TABLE severity_term, penalty_severity, list_policy, dishonest_rule;
DELETE FROM listing_ground WHERE list = 'credit_record' OR NOT in_use;
ALTER TABLE listing_ground
    DROP CONSTRAINT listing_ground_list, DROP CONSTRAINT listing_ground_read,
    DROP COLUMN article, DROP COLUMN sourced, DROP COLUMN in_use, DROP COLUMN needs_case,
    ADD COLUMN min_months int NOT NULL DEFAULT 0,
    ADD COLUMN max_months int NOT NULL DEFAULT 3,
    ADD CONSTRAINT listing_ground_list CHECK (list IN ('bad', 'dishonest'));
UPDATE listing_ground SET min_months = CASE severity WHEN 'minor' THEN 0 WHEN 'general' THEN 3 ELSE 12 END,
       max_months = CASE severity WHEN 'minor' THEN 3 WHEN 'general' THEN 12 ELSE 36 END;
ALTER TABLE listing_ground ALTER COLUMN min_months DROP DEFAULT, ALTER COLUMN max_months DROP DEFAULT,
    ADD CONSTRAINT listing_ground_months CHECK (0 <= min_months AND min_months <= max_months AND max_months > 0),
    ADD CONSTRAINT listing_ground_bounded CHECK (max_months <= CASE severity WHEN 'minor' THEN 3 WHEN 'general' THEN 12 ELSE 36 END);
CREATE VIEW violation AS
    SELECT l.listing_id AS id, 'listing longer than the law allows for its severity'::text AS what
      FROM listing l
     WHERE l.latest_end > l.decided_time + CASE l.severity WHEN 'minor' THEN interval '3 months 1 day'
           WHEN 'general' THEN interval '1 year 1 day' ELSE interval '3 years 1 day' END;
GRANT SELECT ON violation TO credit;
