-- The public register (公示登记簿): kinds with their gates and publishers as data, bases of the take-down date, versions,
-- withdrawals with their clocks, and a feed of changes for those who follow.

-- +goose Up
-- What may be published at all; a family gathers kinds that the public knows by one word.
CREATE TABLE publication_kind (
    kind       text        PRIMARY KEY,
    family     text        NOT NULL,
    name       text        NOT NULL,
    of_party   boolean     NOT NULL, -- false: it may be about nobody
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO publication_kind (kind, family, name, of_party) VALUES
    ('penalty', 'penalty', '行政处罚公示', true),
    ('listing', 'listing', '名单公布', true),
    ('exposure', 'exposure', '曝光', true),
    ('circular', 'circular', '通报', false),
    ('recall_notice', 'notice', '拟收回码号资源公告', true),
    ('recall', 'notice', '收回码号资源公告', true),
    ('service_notice', 'notice', '公告送达', true),
    ('digest', 'digest', '举报情况盘点', false);

-- Who may publish what, who keeps the register in which it stands as well, and the basis of its term (公示主体). agency is
-- a pattern of LIKE over agency identifiers; party_prefix is the beginning of the credit code (9: market entities, led by
-- the market regulator), empty for all. The longest prefix, then the longest pattern wins.
CREATE TABLE publisher_policy (
    kind               text        NOT NULL REFERENCES publication_kind,
    agency             text        NOT NULL,
    party_prefix       text        NOT NULL DEFAULT '',
    register_agency_id text        NOT NULL DEFAULT '',
    timely_basis       text        NOT NULL DEFAULT '',
    source             text        NOT NULL,
    to_confirm         boolean     NOT NULL,
    valid_from         timestamptz NOT NULL,
    valid_to           timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publisher_policy_pkey PRIMARY KEY (kind, agency, party_prefix, valid_from),
    CONSTRAINT publisher_policy_one_at_a_time EXCLUDE USING gist
        (kind WITH =, agency WITH =, party_prefix WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO publisher_policy (kind, agency, party_prefix, register_agency_id, timely_basis, source, to_confirm, valid_from) VALUES
    ('penalty', '%', '', '', 'publish_20wd', '行政处罚法 第四十八条;作出决定的机关公示,期限参照市场监督管理行政处罚信息公示规定', true, '2018-07-01T00:00:00+08:00'),
    ('penalty', '%', '9', 'samr', 'publish_20wd', '综合整治骚扰电话专项行动方案:由市场监管总局牵头将违规企业向社会公示', true, '2018-07-01T00:00:00+08:00'),
    ('penalty', 'samr%', '9', 'samr', 'publish_20wd', '市场监督管理行政处罚信息公示规定(20个工作日内)', false, '2018-07-01T00:00:00+08:00'),
    ('listing', 'miit', '', '', '', '电信业务经营许可管理办法 第三十七条;名单定期公布', false, '2017-09-01T00:00:00+08:00'),
    ('listing', 'miit', '9', 'samr', '', '电信业务经营许可管理办法 第三十七条;综合整治骚扰电话专项行动方案', true, '2017-09-01T00:00:00+08:00'),
    ('listing', 'ca-%', '', '', '', '电信业务经营许可管理办法 第三十七条;名单定期公布', false, '2017-09-01T00:00:00+08:00'),
    ('listing', 'ca-%', '9', 'samr', '', '电信业务经营许可管理办法 第三十七条;综合整治骚扰电话专项行动方案', true, '2017-09-01T00:00:00+08:00'),
    ('exposure', '%', '', '', '', '综合整治骚扰电话专项行动方案:经警示仍继续的,依法处罚并公开曝光', true, '2018-07-01T00:00:00+08:00'),
    ('exposure', '%', '9', 'samr', '', '综合整治骚扰电话专项行动方案:由市场监管总局牵头将违规企业向社会公示', true, '2018-07-01T00:00:00+08:00'),
    ('circular', '%', '', '', '', '综合整治骚扰电话专项行动工作方案:监督检查,适时抽查并通报', true, '2018-07-01T00:00:00+08:00'),
    ('recall_notice', 'miit', '', '', '', '电信网码号资源管理办法', true, '2018-07-01T00:00:00+08:00'),
    ('recall_notice', 'ca-%', '', '', '', '电信网码号资源管理办法', true, '2018-07-01T00:00:00+08:00'),
    ('recall', 'miit', '', '', '', '电信网码号资源管理办法', true, '2018-07-01T00:00:00+08:00'),
    ('recall', 'ca-%', '', '', '', '电信网码号资源管理办法', true, '2018-07-01T00:00:00+08:00'),
    ('service_notice', '%', '', '', '', '行政处罚法 第六十一条;依照民事诉讼法公告送达', false, '2018-07-01T00:00:00+08:00'),
    ('digest', 'miit', '', '', '', '综合整治骚扰电话专项行动方案:定期公开发布举报情况盘点', true, '2018-07-01T00:00:00+08:00'),
    ('digest', 'centre-12321', '', '', '', '综合整治骚扰电话专项行动方案:定期公开发布举报情况盘点', true, '2018-07-01T00:00:00+08:00');

-- What an item of a kind must have (公示条件). The code says what is missing; how it is checked is in the service, in the
-- constraints below and once more in the view publication_violation. fatal: nothing of the kind can be without it, so
-- asking is an error and not an answer.
CREATE TABLE gate_condition (
    kind       text        NOT NULL REFERENCES publication_kind,
    code       text        NOT NULL,
    rank       int         NOT NULL,
    fatal      boolean     NOT NULL DEFAULT false,
    words      text        NOT NULL,
    article    text        NOT NULL,
    to_confirm boolean     NOT NULL DEFAULT false,
    valid_from timestamptz NOT NULL DEFAULT '2017-09-01T00:00:00+08:00',
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT gate_condition_pkey PRIMARY KEY (kind, code, valid_from),
    CONSTRAINT gate_condition_one_at_a_time EXCLUDE USING gist (kind WITH =, code WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO gate_condition (kind, code, rank, fatal, words, article, to_confirm)
SELECT k.kind, c.code, c.rank, c.fatal, c.words, c.article, c.to_confirm
  FROM (VALUES
    ('{penalty,listing,exposure,circular,recall_notice,recall,service_notice,digest}', 'in_future', 10, true, '条件所载时间尚未到来', '行政处罚法 第五条(公正、公开)', false),
    ('{penalty,listing,circular,recall_notice,recall,service_notice,digest}', 'no_decision', 20, true, '没有经签发的决定或文书', '行政处罚法 第五十七条', false),
    ('{penalty}', 'no_penalty', 30, true, '决定没有给予行政处罚', '行政处罚法 第九条、第四十八条', false),
    ('{penalty,listing,exposure,circular,recall_notice,recall,service_notice,digest}', 'natural_person', 40, false, '当事人为自然人,没有规则允许公示', '行政处罚法 第五十条;个人信息保护法 第二十五条', false),
    ('{penalty}', 'warning_only', 50, false, '仅受到警告的不公示', '市场监督管理行政处罚信息公示规定', false),
    ('{penalty}', 'no_social_impact', 60, false, '未认定具有一定社会影响', '行政处罚法 第四十八条', false),
    ('{penalty}', 'minor_not_published', 65, false, '轻微失信信息原则上不公示', '信用修复管理办法(国家发展改革委令第36号)', true),
    ('{penalty,listing}', 'no_notice', 70, false, '作出决定前没有送达告知书', '行政处罚法 第四十四条、第四十五条、第六十二条', false),
    ('{recall}', 'no_notice', 70, false, '收回决定前没有公告', 'programme: 收回公告期三十日', true),
    ('{circular}', 'party_not_informed', 70, false, '通报涉及当事人,但通报前没有告知当事人', '行政处罚法 第四十五条', true),
    ('{penalty,listing}', 'not_delivered', 80, false, '决定书没有送达', '行政处罚法 第六十一条', false),
    ('{penalty}', 'no_amount', 90, false, '罚款决定没有载明数额', '行政处罚法 第五十九条', false),
    ('{listing}', 'no_credit_code', 100, false, '缺少统一社会信用代码', '工业和信息化部关于做好电信业务经营不良名单和失信名单管理工作的通知(2018年3月)', false),
    ('{listing}', 'no_licence', 110, false, '缺少许可证编号:名单只列电信业务经营者', '工业和信息化部关于做好电信业务经营不良名单和失信名单管理工作的通知(2018年3月)', false),
    ('{listing}', 'no_ground', 120, false, '缺少列入事由', '工业和信息化部关于做好电信业务经营不良名单和失信名单管理工作的通知(2018年3月)', false),
    ('{exposure}', 'no_warning', 130, false, '曝光前没有警示记录', '综合整治骚扰电话专项行动方案:经警示仍继续的公开曝光', false),
    ('{exposure}', 'no_continuation', 140, false, '没有警示后仍继续实施的记录', '综合整治骚扰电话专项行动方案:经警示仍继续的公开曝光', false),
    ('{service_notice}', 'no_failed_service', 150, false, '其他方式送达尚未试过,不得公告送达', '行政处罚法 第六十一条;民事诉讼法 关于公告送达的规定', false),
    ('{service_notice}', 'no_document_no', 160, false, '没有载明所送达文书的文号', '行政处罚法 第五十九条、第六十一条', false),
    ('{penalty,listing,exposure,circular,recall_notice,recall,service_notice,digest}', 'agency_not_named', 170, false, '标题没有载明公示单位名称', '行政处罚法 第四十八条', false),
    ('{penalty,listing,exposure,circular,recall_notice,recall,service_notice,digest}', 'publisher_not_entitled', 180, false, '该单位无权公示此类信息', '行政处罚法 第四十八条;电信业务经营许可管理办法 第三十七条', false),
    ('{penalty,listing,exposure}', 'term_over', 190, false, '公示期限已经届满', '信用修复管理办法(国家发展改革委令第36号)', false),
    ('{penalty,listing,exposure,circular,recall_notice,recall,service_notice,digest}', 'withdrawn_before', 200, false, '所依据的决定已被撤销、变更、确认违法或者已经修复', '行政处罚法 第四十八条', false)
  ) AS c (kinds, code, rank, fatal, words, article, to_confirm), unnest(c.kinds::text[]) AS k (kind);

UPDATE gate_condition SET valid_from = '2026-04-01T00:00:00+08:00' WHERE code = 'minor_not_published'; -- when the order came into force

-- Exceptions from minor_not_published (轻微失信信息例外公示): none is enacted. with_impact: it needs an impact on society as well.
CREATE TABLE minor_exception (
    penalty_kind text        NOT NULL, -- simplified: a fine on the spot; empty: every kind
    with_impact  boolean     NOT NULL,
    source       text        NOT NULL,
    to_confirm   boolean     NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT minor_exception_pkey PRIMARY KEY (penalty_kind, valid_from),
    CONSTRAINT minor_exception_sourced CHECK (source <> ''),
    CONSTRAINT minor_exception_one_at_a_time EXCLUDE USING gist (penalty_kind WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
GRANT SELECT ON minor_exception TO disclosure;

-- Rules under which a natural person may stand on a public page (自然人公示规则). There are none until one is enacted; whoever
-- is shown is shown by surname only.
CREATE TABLE publication_person_policy (
    kind         text        NOT NULL REFERENCES publication_kind,
    penalty_kind text        NOT NULL DEFAULT '',
    source       text        NOT NULL,
    to_confirm   boolean     NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_person_policy_pkey PRIMARY KEY (kind, penalty_kind, valid_from),
    CONSTRAINT publication_person_policy_sourced CHECK (source <> '')
);

-- Take-down dates rest on several bases at once, of which the earliest end holds. earliest_months: from when on repair may
-- end it; null: never early. A term runs from the publication, or from the date of the document.
ALTER TABLE take_down_policy
    ADD COLUMN basis           text   NOT NULL DEFAULT 'programme',
    ADD COLUMN class           text   NOT NULL DEFAULT '',
    ADD COLUMN min_fen         bigint NOT NULL DEFAULT 0,
    ADD COLUMN below_fen       bigint,
    ADD COLUMN earliest_months int,
    ADD COLUMN counts_from     text   NOT NULL DEFAULT 'published',
    DROP CONSTRAINT take_down_policy_kind,
    DROP CONSTRAINT take_down_policy_one_at_a_time,
    DROP CONSTRAINT take_down_policy_pkey,
    ADD CONSTRAINT take_down_policy_pkey PRIMARY KEY (kind, penalty_kind, basis, min_fen, valid_from),
    ADD CONSTRAINT take_down_policy_kind FOREIGN KEY (kind) REFERENCES publication_kind,
    ADD CONSTRAINT take_down_policy_class CHECK (class IN ('', 'minor', 'general', 'serious')),
    ADD CONSTRAINT take_down_policy_earliest CHECK (earliest_months BETWEEN 0 AND months),
    ADD CONSTRAINT take_down_policy_counts CHECK (counts_from IN ('published', 'decided')),
    ADD CONSTRAINT take_down_policy_one_at_a_time EXCLUDE USING gist (kind WITH =, penalty_kind WITH =, basis WITH =,
        int8range(min_fen, below_fen) WITH &&, tstzrange(valid_from, valid_to) WITH &&);
DELETE FROM take_down_policy WHERE kind IN ('penalty', 'listing'); -- what was published keeps its date, see below
INSERT INTO take_down_policy (kind, penalty_kind, basis, class, min_fen, below_fen, earliest_months, months, counts_from, source, to_confirm, valid_from) VALUES
    ('penalty', 'criticism', 'samr_disclosure', '', 0, NULL, 0, 3, 'published', '市场监督管理行政处罚信息公示规定:仅受到通报批评的,满三个月', false, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'simplified', 'samr_disclosure', '', 0, NULL, 0, 3, 'published', '市场监督管理行政处罚信息公示规定:较低数额罚款,满三个月', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'fine', 'samr_disclosure', '', 0, 300001, 0, 3, 'published', '市场监督管理行政处罚信息公示规定:较低数额罚款,满三个月(数额3000元以下待确认)', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'fine', 'samr_disclosure', '', 300001, NULL, 6, 36, 'published', '市场监督管理行政处罚信息公示规定:其他处罚满三年(提前停止公示的六个月待确认)', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'confiscation', 'samr_disclosure', '', 0, NULL, 6, 36, 'published', '市场监督管理行政处罚信息公示规定:其他处罚满三年(提前停止公示的六个月待确认)', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'closure', 'samr_disclosure', '', 0, NULL, NULL, 36, 'published', '市场监督管理行政处罚信息公示规定:责令停产停业满三年,不提前停止公示', false, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'revocation', 'samr_disclosure', '', 0, NULL, NULL, 36, 'published', '市场监督管理行政处罚信息公示规定:吊销许可证件满三年,不提前停止公示', false, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'criticism', 'order_36', 'minor', 0, NULL, 0, 3, 'decided', '信用修复管理办法(国家发展改革委令第36号):轻微失信信息最长三个月', false, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'simplified', 'order_36', 'minor', 0, NULL, 0, 3, 'decided', '信用修复管理办法(国家发展改革委令第36号):简易程序处罚为轻微失信信息,最长三个月', false, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'fine', 'order_36', 'general', 0, 100000000, 3, 12, 'decided', '信用修复管理办法(国家发展改革委令第36号):一般失信信息三个月至一年', false, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'fine', 'order_36', 'serious', 100000000, NULL, 12, 36, 'decided', '信用修复管理办法(国家发展改革委令第36号):特大数额罚款为严重失信信息,一年至三年(数额100万元待确认)', true, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'confiscation', 'order_36', 'general', 0, NULL, 3, 12, 'decided', '信用修复管理办法(国家发展改革委令第36号):一般失信信息三个月至一年', false, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'closure', 'order_36', 'serious', 0, NULL, 12, 36, 'decided', '信用修复管理办法(国家发展改革委令第36号):严重失信信息一年至三年', true, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'revocation', 'order_36', 'serious', 0, NULL, 12, 36, 'decided', '信用修复管理办法(国家发展改革委令第36号):严重失信信息一年至三年', false, '2026-04-01T00:00:00+08:00'),
    ('listing', 'bad', 'list_rules', '', 0, NULL, 0, 12, 'decided', '电信业务经营许可管理办法 第四十二条:列入不良名单一年', true, '2017-09-01T00:00:00+08:00'),
    ('listing', 'dishonest', 'list_rules', '', 0, NULL, 0, 36, 'decided', '电信业务经营许可管理办法 第四十二条:列入失信名单三年', true, '2017-09-01T00:00:00+08:00'),
    ('listing', 'bad', 'order_36', 'general', 0, NULL, 3, 12, 'decided', '信用修复管理办法(国家发展改革委令第36号):一般失信信息三个月至一年', true, '2026-04-01T00:00:00+08:00'),
    ('listing', 'dishonest', 'order_36', 'serious', 0, NULL, 12, 36, 'decided', '信用修复管理办法(国家发展改革委令第36号):严重失信信息一年至三年', true, '2026-04-01T00:00:00+08:00'),
    ('circular', '', 'programme', '', 0, NULL, 0, 3, 'published', 'programme (to confirm): 通报保留三个月,参照轻微失信信息', true, '2018-07-01T00:00:00+08:00'),
    ('service_notice', '', 'programme', '', 0, NULL, NULL, 2, 'published', '民事诉讼法:公告送达三十日;programme (to confirm): 公告保留两个月', true, '2018-07-01T00:00:00+08:00'),
    ('digest', '', 'programme', '', 0, NULL, NULL, 36, 'published', 'programme (to confirm): 盘点公示三年', true, '2018-07-01T00:00:00+08:00');

-- Publications: what else a gate asks for. gate_version 1 is the gate as it was before this migration.
ALTER TABLE publication
    ADD COLUMN gate_version        int     NOT NULL DEFAULT 1,
    ADD COLUMN agency_name         text    NOT NULL DEFAULT '',
    ADD COLUMN register_agency_id  text    NOT NULL DEFAULT '',
    ADD COLUMN region_codes        text[]  NOT NULL DEFAULT '{}',
    ADD COLUMN codes               text[]  NOT NULL DEFAULT '{}',
    ADD COLUMN licence_no          text    NOT NULL DEFAULT '',
    ADD COLUMN decision_no         text    NOT NULL DEFAULT '',
    ADD COLUMN ground              text    NOT NULL DEFAULT '',
    ADD COLUMN delivered_by        text    NOT NULL DEFAULT '',
    ADD COLUMN amount_fen          bigint  NOT NULL DEFAULT 0,
    ADD COLUMN simplified          boolean NOT NULL DEFAULT false,
    ADD COLUMN person              boolean NOT NULL DEFAULT false,
    ADD COLUMN continued_time      timestamptz,
    ADD COLUMN failed_service_time timestamptz,
    ADD COLUMN publish_basis       text    NOT NULL DEFAULT '', -- the clock: until when it had to be published
    ADD COLUMN publish_due         timestamptz,
    ADD COLUMN publish_proof       text    NOT NULL DEFAULT '',
    ADD COLUMN publish_provisional boolean NOT NULL DEFAULT false;
ALTER TABLE publication ALTER COLUMN gate_version SET DEFAULT 2;

-- +goose StatementBegin
CREATE FUNCTION name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT regexp_replace(lower(normalize(name, NFKC)), '\s', '', 'g') $$;
-- +goose StatementEnd
COMMENT ON FUNCTION name_key IS 'a name as it is searched: full-width forms, case and blanks make no difference';
-- +goose StatementBegin
-- Every character and every two neighbours: what an index on substrings of Chinese names needs, in whatever locale.
CREATE FUNCTION name_grams(key text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(key, i, n)), '{}')
      FROM generate_series(1, length(key)) AS i, generate_series(1, 2) AS n WHERE i + n <= length(key) + 1
$$;
-- +goose StatementEnd
-- +goose StatementBegin
-- A region with the regions that it lies in: 110105 is in 1101 and in 11.
CREATE FUNCTION region_grams(codes text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(c, 1, n)), '{}') FROM unnest(codes) AS c, unnest(ARRAY[2, 4, 6]) AS n WHERE n <= length(c)
$$;
-- +goose StatementEnd
-- +goose StatementBegin
-- Codes that may stand on public pages: 95, 96 (with its area), 400 and 1010; never a subscriber's number.
CREATE FUNCTION codes_public(codes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (SELECT FROM unnest(codes) AS c
        WHERE c !~ '^(95[0-9]{3,6}|(0[1-9][0-9]{1,2})?96[0-9]{3,6}|400[0-9]{7}|1010[0-9]{4})$')
$$;
-- +goose StatementEnd

ALTER TABLE publication
    DROP CONSTRAINT publication_kind,
    DROP CONSTRAINT publication_worded,
    DROP CONSTRAINT publication_gate_decision,
    DROP CONSTRAINT publication_gate_recall,
    ADD CONSTRAINT publication_kind FOREIGN KEY (kind) REFERENCES publication_kind,
    ADD CONSTRAINT publication_worded CHECK (title <> '' AND agency_id <> '' AND (party_name <> '' OR kind IN ('circular', 'digest'))),
    ADD CONSTRAINT publication_gate_decision CHECK (kind NOT IN ('penalty', 'listing') OR (case_id IS NOT NULL
        AND notice_time IS NOT NULL AND decided_time IS NOT NULL AND delivered_time IS NOT NULL
        AND notice_time <= decided_time AND decided_time <= delivered_time)),
    ADD CONSTRAINT publication_gate_recall CHECK (kind NOT IN ('recall_notice', 'recall') OR (case_id IS NOT NULL
        AND decided_time IS NOT NULL AND (kind = 'recall_notice' OR (notice_time IS NOT NULL AND notice_time < decided_time)))),
    ADD CONSTRAINT publication_gate_signed CHECK (kind = 'exposure' OR decided_time IS NOT NULL),
    ADD CONSTRAINT publication_gate_amount CHECK (gate_version < 2 OR penalty_kind <> 'fine' OR amount_fen > 0),
    ADD CONSTRAINT publication_gate_listing CHECK (gate_version < 2 OR kind <> 'listing' OR (credit_code <> '' AND licence_no <> '' AND ground <> '')),
    ADD CONSTRAINT publication_gate_continued CHECK (gate_version < 2 OR kind <> 'exposure'
        OR (continued_time IS NOT NULL AND continued_time > warned_time AND continued_time <= publish_time + interval '5 minutes')),
    ADD CONSTRAINT publication_gate_circular CHECK (kind <> 'circular' OR party_name = '' OR (notice_time IS NOT NULL AND notice_time < publish_time)),
    ADD CONSTRAINT publication_gate_service CHECK (kind <> 'service_notice' OR (failed_service_time IS NOT NULL AND failed_service_time < publish_time AND decision_no <> '')),
    ADD CONSTRAINT publication_named CHECK (gate_version < 2 OR (agency_name <> '' AND strpos(title, agency_name) > 0)),
    ADD CONSTRAINT publication_codes CHECK (codes_public(codes)),
    ADD CONSTRAINT publication_amount CHECK (amount_fen >= 0),
    ADD CONSTRAINT publication_clock CHECK ((publish_basis = '') = (publish_due IS NULL)),
    -- what searches look at, computed once
    ADD COLUMN party_key   text   NOT NULL GENERATED ALWAYS AS (name_key(party_name)) STORED,
    ADD COLUMN party_grams text[] NOT NULL GENERATED ALWAYS AS (name_grams(name_key(party_name))) STORED,
    ADD COLUMN regions     text[] NOT NULL GENERATED ALWAYS AS (region_grams(region_codes)) STORED;
CREATE INDEX publication_names ON publication USING gin (party_grams);
CREATE INDEX publication_regions ON publication USING gin (regions);
CREATE INDEX publication_codes ON publication USING gin (codes);
CREATE INDEX publication_credit_code ON publication (credit_code, publish_time DESC) WHERE credit_code <> '';
CREATE INDEX publication_of_case ON publication (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX publication_take_down ON publication (take_down_time);

-- What an item said at a time (版本), append-only. The first version is the publication's own words.
CREATE TABLE publication_version (
    publication_id uuid        NOT NULL REFERENCES publication,
    version        int         NOT NULL,
    title          text        NOT NULL,
    summary        text        NOT NULL,
    note           text        NOT NULL DEFAULT '',
    corrected_by   text        NOT NULL,
    version_time   timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_version_pkey PRIMARY KEY (publication_id, version),
    CONSTRAINT publication_version_noted CHECK (version >= 1 AND (version = 1) = (note = '') AND title <> '')
);
INSERT INTO publication_version (publication_id, version, title, summary, corrected_by, version_time)
SELECT publication_id, 1, title, summary, published_by, publish_time FROM publication;

-- The bases of a take-down date as computed at birth (撤下依据), append-only.
CREATE TABLE publication_term (
    publication_id uuid        NOT NULL REFERENCES publication,
    basis          text        NOT NULL,
    class          text        NOT NULL,
    earliest_time  timestamptz,
    end_time       timestamptz NOT NULL,
    proof          text        NOT NULL,
    source         text        NOT NULL,
    to_confirm     boolean     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_term_pkey PRIMARY KEY (publication_id, basis),
    CONSTRAINT publication_term_shown CHECK (proof <> '' AND source <> '' AND (earliest_time IS NULL OR earliest_time <= end_time))
);
INSERT INTO publication_term (publication_id, basis, class, end_time, proof, source, to_confirm)
SELECT publication_id, 'as_published', '', take_down_time, '公示时确定:' || (take_down_time AT TIME ZONE 'Asia/Shanghai')::date, '公示时适用的规定', true
  FROM publication;

-- That a case's publications go, or never come (撤回决定), append-only: the decision was reversed, or a listing repaired.
CREATE TABLE withdrawal_order (
    kind         text        NOT NULL REFERENCES publication_kind,
    case_id      uuid        NOT NULL,
    cause        text        NOT NULL,
    cause_time   timestamptz NOT NULL,
    reason       text        NOT NULL,
    due_time     timestamptz NOT NULL,
    ordered_by   text        NOT NULL,
    ordered_time timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT withdrawal_order_pkey PRIMARY KEY (kind, case_id),
    CONSTRAINT withdrawal_order_cause CHECK (cause IN ('revoked', 'changed', 'illegal', 'repaired', 'moot', 'error'))
);
CREATE INDEX withdrawal_order_due ON withdrawal_order (due_time);

-- Withdrawals have a cause, and a term from when that was decided (行政处罚法 48: 3 working days). Those before this
-- migration have none.
ALTER TABLE publication_withdrawal
    ADD COLUMN cause       text    NOT NULL DEFAULT 'error',
    ADD COLUMN cause_time  timestamptz,
    ADD COLUMN basis       text    NOT NULL DEFAULT '',
    ADD COLUMN due_time    timestamptz,
    ADD COLUMN proof       text    NOT NULL DEFAULT '',
    ADD COLUMN provisional boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT publication_withdrawal_cause CHECK (cause IN ('revoked', 'changed', 'illegal', 'repaired', 'moot', 'error')),
    ADD CONSTRAINT publication_withdrawal_clock CHECK ((cause_time IS NULL) = (due_time IS NULL) AND (due_time IS NULL) = (basis = ''));

-- The feed of changes (公示变更), append-only.
CREATE TABLE publication_change (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid            xid8        NOT NULL DEFAULT pg_current_xact_id(),
    publication_id uuid        NOT NULL REFERENCES publication,
    change         text        NOT NULL,
    change_time    timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_change_kind CHECK (change IN ('published', 'corrected', 'withdrawn', 'ended'))
);
CREATE UNIQUE INDEX publication_change_once ON publication_change (publication_id, change) WHERE change <> 'corrected';
CREATE INDEX publication_change_feed ON publication_change (xid, id);
CREATE INDEX publication_change_newest ON publication_change (publication_id, id);
INSERT INTO publication_change (publication_id, change, change_time)
SELECT publication_id, change, change_time FROM (
    SELECT publication_id, 'published' AS change, publish_time AS change_time FROM publication
    UNION ALL SELECT publication_id, 'withdrawn', withdrawn_time FROM publication_withdrawal) AS c ORDER BY change_time, change;

-- What was asked for and did not pass (未公示), append-only: once per set of missing conditions.
CREATE TABLE publication_withheld (
    withheld_id uuid        PRIMARY KEY,
    kind        text        NOT NULL REFERENCES publication_kind,
    case_id     uuid        NOT NULL,
    agency_id   text        NOT NULL,
    missing     text[]      NOT NULL,
    ask_time    timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT publication_withheld_once UNIQUE (kind, case_id, missing),
    CONSTRAINT publication_withheld_why CHECK (cardinality(missing) > 0)
);
CREATE INDEX publication_withheld_agency ON publication_withheld (agency_id, ask_time DESC, withheld_id DESC);

-- +goose StatementBegin
-- What depends on other rows, refused whoever asks: a barred case, a publisher who is not entitled, a person without rule.
CREATE FUNCTION publication_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM withdrawal_order o WHERE o.kind = NEW.kind AND o.case_id = NEW.case_id) THEN
        RAISE EXCEPTION 'its case was reversed or repaired' USING ERRCODE = 'check_violation', CONSTRAINT = 'publication_gate_barred';
    END IF;
    IF NOT EXISTS (SELECT FROM publisher_policy p WHERE p.kind = NEW.kind AND NEW.agency_id LIKE p.agency
            AND starts_with(NEW.credit_code, p.party_prefix) AND p.valid_from <= NEW.publish_time
            AND (p.valid_to IS NULL OR p.valid_to > NEW.publish_time)) THEN
        RAISE EXCEPTION 'the agency does not publish this kind' USING ERRCODE = 'check_violation', CONSTRAINT = 'publication_gate_publisher';
    END IF;
    IF NEW.person AND NOT EXISTS (SELECT FROM publication_person_policy p WHERE p.kind = NEW.kind AND p.penalty_kind IN ('', NEW.penalty_kind)
            AND p.valid_from <= NEW.publish_time AND (p.valid_to IS NULL OR p.valid_to > NEW.publish_time)) THEN
        RAISE EXCEPTION 'no rule lets a person be published' USING ERRCODE = 'check_violation', CONSTRAINT = 'publication_gate_person';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER publication_guard BEFORE INSERT ON publication FOR EACH ROW EXECUTE FUNCTION publication_guard();

GRANT SELECT ON publication_kind, publisher_policy, gate_condition, publication_person_policy TO disclosure;
GRANT SELECT, INSERT ON publication_version, publication_term, withdrawal_order, publication_change, publication_withheld TO disclosure;

-- +goose Down
DROP TRIGGER publication_guard ON publication;
DROP FUNCTION publication_guard;
DROP TABLE publication_withheld, publication_change, withdrawal_order, publication_term, publication_version;
ALTER TABLE publication_withdrawal
    DROP COLUMN cause, DROP COLUMN cause_time, DROP COLUMN basis, DROP COLUMN due_time, DROP COLUMN proof, DROP COLUMN provisional;
DELETE FROM publication_withdrawal w USING publication p
 WHERE p.publication_id = w.publication_id AND p.kind IN ('circular', 'service_notice', 'digest');
DELETE FROM publication WHERE kind IN ('circular', 'service_notice', 'digest');
DROP INDEX publication_names, publication_regions, publication_codes, publication_credit_code, publication_of_case, publication_take_down;
ALTER TABLE publication DROP COLUMN party_key, DROP COLUMN party_grams, DROP COLUMN regions;
ALTER TABLE publication
    DROP CONSTRAINT publication_kind, DROP CONSTRAINT publication_worded, DROP CONSTRAINT publication_gate_decision,
    DROP CONSTRAINT publication_gate_signed, DROP CONSTRAINT publication_gate_service,
    DROP COLUMN gate_version, DROP COLUMN agency_name, DROP COLUMN register_agency_id, DROP COLUMN region_codes, DROP COLUMN codes,
    DROP COLUMN licence_no, DROP COLUMN decision_no, DROP COLUMN ground, DROP COLUMN delivered_by, DROP COLUMN amount_fen,
    DROP COLUMN simplified, DROP COLUMN person, DROP COLUMN continued_time, DROP COLUMN failed_service_time, DROP COLUMN publish_basis,
    DROP COLUMN publish_due, DROP COLUMN publish_proof, DROP COLUMN publish_provisional,
    ADD CONSTRAINT publication_kind CHECK (kind IN ('penalty', 'listing', 'exposure', 'recall_notice', 'recall')),
    ADD CONSTRAINT publication_worded CHECK (title <> '' AND party_name <> '' AND agency_id <> ''),
    ADD CONSTRAINT publication_gate_decision CHECK (kind IN ('exposure', 'recall_notice', 'recall') OR (case_id IS NOT NULL
        AND notice_time IS NOT NULL AND decided_time IS NOT NULL AND delivered_time IS NOT NULL
        AND notice_time <= decided_time AND decided_time <= delivered_time));
DROP FUNCTION codes_public, region_grams, name_grams, name_key;
DELETE FROM take_down_policy WHERE basis <> 'programme' OR kind IN ('circular', 'service_notice', 'digest');
ALTER TABLE take_down_policy
    DROP CONSTRAINT take_down_policy_kind, DROP CONSTRAINT take_down_policy_one_at_a_time, DROP CONSTRAINT take_down_policy_pkey,
    DROP COLUMN basis, DROP COLUMN class, DROP COLUMN min_fen, DROP COLUMN below_fen, DROP COLUMN earliest_months, DROP COLUMN counts_from,
    ADD CONSTRAINT take_down_policy_pkey PRIMARY KEY (kind, penalty_kind, valid_from),
    ADD CONSTRAINT take_down_policy_kind CHECK (kind IN ('penalty', 'listing', 'exposure', 'recall_notice', 'recall')),
    ADD CONSTRAINT take_down_policy_one_at_a_time EXCLUDE USING gist (kind WITH =, penalty_kind WITH =, tstzrange(valid_from, valid_to) WITH &&);
INSERT INTO take_down_policy (kind, penalty_kind, months, source, to_confirm, valid_from) VALUES
    ('penalty', 'criticism', 3, '市场监督管理行政处罚信息公示规定:仅受到通报批评的满三个月', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'fine', 12, '信用修复管理办法(国家发展改革委令第36号):一般失信信息最长一年', true, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'confiscation', 12, '信用修复管理办法(国家发展改革委令第36号):一般失信信息最长一年', true, '2026-04-01T00:00:00+08:00'),
    ('penalty', 'closure', 36, '市场监督管理行政处罚信息公示规定;信用修复管理办法:严重失信信息最长三年', true, '2021-07-15T00:00:00+08:00'),
    ('penalty', 'revocation', 36, '市场监督管理行政处罚信息公示规定;信用修复管理办法:严重失信信息最长三年', true, '2021-07-15T00:00:00+08:00'),
    ('listing', '', 12, '电信业务经营许可管理办法 第三十七条;信用修复管理办法:一般失信信息最长一年', true, '2017-09-01T00:00:00+08:00');
DROP TABLE minor_exception, publication_person_policy, gate_condition, publisher_policy, publication_kind;
