-- Routes that stay explained: every route of a complaint is kept with its facts, tables say who changed what and why, rules
-- say level, clock and owner, and the directory is maintained through the mesh. Then the second decision table, with the
-- bodies that it names besides the thirteen.

-- +goose Up
ALTER TABLE routing_table
    ADD COLUMN loaded_agency text NOT NULL DEFAULT '',
    ADD COLUMN reason        text NOT NULL DEFAULT '',
    ADD COLUMN former        text CONSTRAINT routing_table_former REFERENCES routing_table (version);
COMMENT ON COLUMN routing_table.former IS 'in force right before this one when it was loaded: what its changes are told against';

ALTER TABLE routing_rule
    ADD COLUMN level          text NOT NULL DEFAULT '' CONSTRAINT routing_rule_level CHECK (level IN ('', 'province', 'ministry')),
    ADD COLUMN verifier_level text NOT NULL DEFAULT '' CONSTRAINT routing_rule_verifier_level CHECK (verifier_level IN ('', 'branch', 'enterprise')),
    ADD COLUMN check_basis    text NOT NULL DEFAULT '',
    ADD COLUMN handle_basis   text NOT NULL DEFAULT '',
    ADD COLUMN owner_id       text NOT NULL DEFAULT '',
    ADD COLUMN reason         text NOT NULL DEFAULT '',
    ADD COLUMN example        jsonb,
    ADD CONSTRAINT routing_rule_unsettled_says_why CHECK (lead <> 'centre' OR reason <> '');
COMMENT ON COLUMN routing_rule.example IS 'facts of RouteRequest that lead to this row';

-- routing is every route of a complaint as it was found: facts and outcome, codes only. Never changed or deleted.
CREATE TABLE routing (
    routing_id   uuid        NOT NULL CONSTRAINT routing_pk PRIMARY KEY,
    complaint_id uuid        NOT NULL,
    round        integer     NOT NULL CONSTRAINT routing_round CHECK (round > 0),
    routed_time  timestamptz NOT NULL,
    version      text        NOT NULL,
    rule_id      text        NOT NULL,
    lead_id      text        NOT NULL CONSTRAINT routing_has_lead CHECK (lead_id <> ''),
    named_lead   text        NOT NULL DEFAULT '',
    facts        jsonb       NOT NULL,
    route        jsonb       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT routing_by_rule FOREIGN KEY (version, rule_id) REFERENCES routing_rule (version, rule_id)
);
COMMENT ON COLUMN routing.lead_id IS 'lead by the table';
COMMENT ON COLUMN routing.named_lead IS 'lead that a person named instead, or the limit of reopenings';
CREATE INDEX routing_of_complaint ON routing (complaint_id, routed_time, routing_id);
CREATE INDEX routing_in_time ON routing (routed_time, routing_id);

-- agency_change is who changed the directory, and why. Never changed or deleted.
CREATE TABLE agency_change (
    change_id      bigint      NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT agency_change_pk PRIMARY KEY,
    agency_id      text        NOT NULL,
    changed_by     text        NOT NULL CONSTRAINT agency_change_by_somebody CHECK (changed_by <> ''),
    changed_agency text        NOT NULL,
    reason         text        NOT NULL CONSTRAINT agency_change_has_reason CHECK (reason <> ''),
    before         jsonb,
    after          jsonb       NOT NULL,
    change_time    timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agency_change_of ON agency_change (agency_id, change_id);

-- Bounces are counted from decisions, against the fact checks that could have been sent back.
CREATE INDEX decision_bounced ON decision (decided_time, task_id) WHERE outcome = 'bounced';
CREATE INDEX task_fact_check ON task (open_time) WHERE step = 'fact_check';

-- The service maintains the directory: it adds versions and ends the one before, nothing else. The counter of changes is
-- moved with the owner's rights.
ALTER FUNCTION directory_changed() SECURITY DEFINER;
GRANT INSERT ON agency TO assignment;
GRANT UPDATE (valid) ON agency TO assignment;
GRANT SELECT, INSERT ON routing, agency_change TO assignment;

-- +goose StatementBegin
DO $$
DECLARE
    joined CONSTANT timestamptz := '2026-10-01 00:00+08';
    term CONSTANT tstzrange := tstzrange(joined, NULL);
BEGIN
    -- Bureaus of the two financial regulators leave out 省, 市 and 自治区 in their names.
    UPDATE agency SET name = regexp_replace(name, '(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区)监管局$', '监管局')
     WHERE agency_id ~ '^(nfra|csrc)-[0-9]{2}$';

    -- Who joins: ordinary rows, competent by their own laws. The programme's assent is to be confirmed (待确认).
    UPDATE agency SET valid = tstzrange(lower(valid), joined) WHERE agency_id = 'cac' AND upper_inf(valid) AND lower(valid) < joined;
    INSERT INTO agency (agency_id, valid, name, name_en, kind, sectors, assignable, source)
    SELECT a.id, term, a.name, a.name_en, 'ministry', '{}', true, a.source FROM (VALUES
        ('mot', '交通运输部', 'Ministry of Transport', '道路运输条例 第三十九条(机动车驾驶员培训);是否参加方案待确认'),
        ('sat', '国家税务总局', 'State Taxation Administration', '发票管理办法 第四条、第三十五条;是否参加方案待确认'),
        ('spb', '国家邮政局', 'State Post Bureau', '邮政法 第四条、快递暂行条例 第五条;是否参加方案待确认'),
        ('cac', '国家互联网信息办公室', 'Cyberspace Administration of China', '个人信息保护法 第六十条、第六十五条;是否参加方案待确认')
    ) AS a (id, name, name_en, source)
    ON CONFLICT DO NOTHING; -- an installation may have added them itself

    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, source)
    SELECT m.id || '-' || p.code, term,
           COALESCE(x.name, m.before || p.name || CASE WHEN p.form = 'municipality' THEN m.municipal ELSE m.other END),
           m.name_en || ', ' || p.code, 'provincial_body', m.id, p.code, '{}', true, COALESCE(x.source, '各省(区、市)机构名录')
      FROM (VALUES
            ('mot', '', '交通运输委员会', '交通运输厅', 'Transport Department'),
            ('sat', '国家税务总局', '税务局', '税务局', 'Tax Service'),
            ('spb', '', '邮政管理局', '邮政管理局', 'Postal Administration'),
            ('cac', '', '互联网信息办公室', '互联网信息办公室', 'Cyberspace Administration')
           ) AS m (id, before, municipal, other, name_en)
      CROSS JOIN province p
      LEFT JOIN (VALUES
            ('mot', '11', '北京市交通委员会', '北京市机构名录'),
            ('mot', '31', '上海市交通委员会', '上海市机构名录')
           ) AS x (id, code, name, source) ON x.id = m.id AND x.code = p.code
    ON CONFLICT DO NOTHING;

    -- An installation that has loaded a table of its own keeps to it. Where matters were routed already the new one begins now:
    -- how they were routed stays as it was.
    INSERT INTO routing_table (version, valid_from, loaded_by, loaded_agency, reason, former)
    SELECT '2026-1', CASE WHEN EXISTS (SELECT FROM task) THEN greatest(joined, now()) ELSE joined END, 'migration', 'miit',
           '补齐主管不明的行业,写明层级、期限和规则责任单位;主管不明确的由中心确定', '2018-1'
     WHERE NOT EXISTS (SELECT FROM routing_table WHERE version <> '2018-1');
END
$$;
-- +goose StatementEnd

INSERT INTO routing_rule (version, ordinal, rule_id, condition, lead, co, verifier, check_basis, owner_id, reason, example, source)
SELECT '2026-1', row_number() OVER (ORDER BY n), rule_id, condition, lead, co::text[], verifier, basis, owner, reason, example::jsonb, source FROM (VALUES
    (10, 'criminal_forged', 'category == "criminal" && number_kind.endsWith("_spoofed")', 'police', '{ca,sector}', 'ca', '', 'mps', '',
        '{"category":"criminal","numberKind":"code95_spoofed"}', '138号文:违法犯罪类由公安机关查处;反电信网络诈骗法 第十三条:虚假主叫由通信管理局溯源'),
    (12, 'criminal_invoice', 'category == "criminal" && level2 == "invoice"', 'police', '{sat,ca}', 'operator', '', 'mps', '',
        '{"category":"criminal","level2":"invoice"}', '刑法 第二百零五条至第二百一十条;发票由税务机关管理(发票管理办法 第四条)'),
    (14, 'criminal_personal_data', 'category == "criminal" && level2 == "personal_data"', 'police', '{cac,ca}', 'operator', '', 'mps', '',
        '{"category":"criminal","level2":"personal_data"}', '刑法 第二百五十三条之一;个人信息保护法 第六十条'),
    (16, 'criminal_false_advertising', 'category == "criminal" && level2 == "false_advertising"', 'police', '{samr,ca}', 'operator', '', 'mps', '',
        '{"category":"criminal","level2":"false_advertising"}', '刑法 第二百二十二条;广告法 第五十五条'),
    (18, 'criminal_finance', 'category == "criminal" && level2 == "illegal_finance"', 'police', '{nfra,lfa,ca}', 'operator', '', 'mps', '',
        '{"category":"criminal","level2":"illegal_finance"}', '防范和处置非法集资条例 第五条;刑法 第一百七十六条'),
    (20, 'criminal', 'category == "criminal"', 'police', '{ca,sector}', 'operator', '', 'mps', '',
        '{"category":"criminal","sector":"securities"}', '138号文:违法犯罪类由公安机关查处'),
    (30, 'debt_threats', 'threats && (sector == "debt_collection" || level2 == "debt_collection")', 'police', '{nfra,ca}', 'operator', '', 'mps', '',
        '{"category":"malicious","sector":"debt_collection","threats":true}', '138号文;刑法 第二百九十三条之一:恐吓威胁式催收由公安机关查处'),
    (32, 'debt_unlicensed', 'lender == "unlicensed" && (sector == "debt_collection" || level2 == "debt_collection")', 'police', '{lfa,ca}', 'operator', '', 'mps', '',
        '{"category":"malicious","sector":"debt_collection","lender":"unlicensed"}', '刑法 第二百九十三条之一:催收高利放贷等非法债务由公安机关查处'),
    (36, 'forged', 'number_kind.endsWith("_spoofed") && category != "malicious"', 'ca', '{sector}', 'ca', 'fact_check_telecom_30cd', 'miit', '',
        '{"category":"commercial","sector":"loans","numberKind":"code95_spoofed"}', '反电信网络诈骗法 第十三条:虚假主叫由通信管理局溯源,不及于真实使用主体'),
    (40, 'malicious_forged', 'number_kind.endsWith("_spoofed")', 'ca', '{police}', 'ca', 'fact_check_telecom_30cd', 'miit', '',
        '{"category":"malicious","numberKind":"carrier_spoofed"}', '反电信网络诈骗法 第十三条:虚假主叫由通信管理局溯源'),
    (50, 'debt_licensed', '(sector == "debt_collection" || level2 == "debt_collection") && (lender == "licensed" || lender == "" && ("credit_card" in other_sectors || holder_sector == "credit_card" || number_kind == "code95_enterprise"))',
        'nfra', '{ca}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"malicious","sector":"debt_collection","lender":"licensed"}', '持牌机构的催收由金融监管部门监管;号码由通信管理局'),
    (60, 'debt_small_lender', '(sector == "debt_collection" || level2 == "debt_collection") && (lender == "small_lender" || lender == "" && "loans" in other_sectors)',
        'lfa', '{nfra,ca}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"malicious","sector":"debt_collection","lender":"small_lender"}', '小额贷款公司监督管理暂行办法:由地方金融管理部门监管;号码由通信管理局'),
    (70, 'debt_collection', '(sector == "debt_collection" || level2 == "debt_collection")', 'nfra', '{lfa,ca}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"malicious","sector":"debt_collection"}', '方案政策:放贷机构不明时由金融监管部门受理'),
    (71, 'malicious', 'category == "malicious"', 'ca', '{police}', 'operator', 'fact_check_telecom_30cd', 'miit', '',
        '{"category":"malicious","sector":"other","level2":"call_bombing"}', '138号文:恶意骚扰由通信管理局牵头、公安机关配合;电信条例 第三十九条'),
    (72, 'small_lender', 'sector == "loans" && lender == "small_lender"', 'lfa', '{nfra}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"commercial","sector":"loans","lender":"small_lender"}', '小额贷款公司监督管理暂行办法:由地方金融管理部门监管'),
    (74, 'unlicensed_lender', 'sector == "loans" && lender == "unlicensed"', 'lfa', '{police,nfra}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"commercial","sector":"loans","lender":"unlicensed"}', '防范和处置非法集资条例 第五条;无照放贷由地方金融管理部门牵头;待确认'),
    (76, 'driving_school', 'level2 == "driving_school"', 'mot', '{samr}', 'operator', '', 'mot', '',
        '{"category":"commercial","sector":"education","level2":"driving_school"}', '道路运输条例 第三十九条:机动车驾驶员培训由交通运输部门监管;待确认'),
    (78, 'invoice', 'level2 == "invoice"', 'sat', '{police}', 'operator', '', 'sat', '',
        '{"category":"commercial","sector":"other","level2":"invoice"}', '发票管理办法 第三十五条、第三十七条:由税务机关查处;待确认'),
    -- The taxonomy has no class of it: texts about parcels tell of frauds. It stands for an installation whose lexicon has one.
    (80, 'express', 'level2 == "express"', 'spb', '{samr}', 'operator', '', 'spb', '',
        '{"category":"commercial","sector":"other","level2":"express"}', '邮政法 第四条、快递暂行条例 第五条;待确认'),
    (82, 'personal_data', 'level2 == "personal_data"', 'cac', '{police,ca}', 'operator', '', 'cac', '',
        '{"category":"commercial","sector":"other","level2":"personal_data"}', '个人信息保护法 第六十条、第六十五条;待确认'),
    (84, 'housekeeping', 'sector == "housekeeping"', 'mofcom', '{samr}', 'operator', '', 'mofcom', '',
        '{"category":"commercial","sector":"housekeeping"}', '家庭服务业管理暂行办法(商务部令2012年第11号);待确认'),
    (90, 'health_food', 'sector == "health_food"', 'samr', '{nhc}', 'operator', 'fact_check_15wd', 'samr', '',
        '{"category":"commercial","sector":"health_food"}', '138号文:保健食品由市场监管总局会同卫生健康委'),
    (100, 'medical', 'sector in ["medical_maternity", "medical_beauty"]', 'nhc', '{samr}', 'operator', '', 'nhc', '',
        '{"category":"commercial","sector":"medical_beauty"}', '138号文:医疗机构、医疗美容由卫生健康委会同市场监管总局'),
    (105, 'retail', 'sector == "retail"', 'samr', '{}', 'operator', 'fact_check_15wd', 'samr', '',
        '{"category":"commercial","sector":"retail"}', '消费者权益保护法 第三十二条、第五十六条;138号文未点名,按方案政策由市场监管部门主办'),
    (110, 'telecom', 'sector == "telecom"', 'ca', '{}', 'operator', 'fact_check_telecom_30cd', 'miit', '',
        '{"category":"commercial","sector":"telecom"}', '138号文:电信业务由通信管理局监管;电信条例 第三十九条'),
    (115, 'finance', 'sector in ["loans", "credit_card", "insurance"]', 'sector', '{}', 'operator', 'fact_check_finance_30cd', 'nfra', '',
        '{"category":"commercial","sector":"insurance"}', '138号文:贷款理财、信用卡、保险由金融监管部门监管'),
    (120, 'sector', 'sector != "" && sector != "other"', 'sector', '{}', 'operator', '', 'miit', '',
        '{"category":"commercial","sector":"real_estate"}', '138号文:各行业主管部门按职责'),
    (130, 'unknown_caller', 'number_kind in ["foreign", "text", "empty", "invalid"]', 'ca', '{}', 'ca', 'fact_check_telecom_30cd', 'miit', '',
        '{"category":"commercial","sector":"other","numberKind":"foreign"}', '境外、无法识别的主叫由通信管理局溯源'),
    (999, 'catch_all', 'true', 'centre', '{}', 'operator', '', 'miit', 'no_competent_agency',
        '{"category":"commercial","sector":"other","numberKind":"mobile"}', '138号文未点名主管部门')
) AS r (n, rule_id, condition, lead, co, verifier, basis, owner, reason, example, source)
 WHERE EXISTS (SELECT FROM routing_table WHERE version = '2026-1' AND loaded_by = 'migration');

-- +goose Down
DROP TABLE routing, agency_change;
DELETE FROM routing_rule WHERE version = '2026-1' AND EXISTS (SELECT FROM routing_table WHERE version = '2026-1' AND loaded_by = 'migration');
DELETE FROM routing_table WHERE version = '2026-1' AND loaded_by = 'migration';
DELETE FROM agency WHERE agency_id ~ '^(mot|sat|spb|cac)(-[0-9]{2})?$' AND lower(valid) = '2026-10-01 00:00+08';
UPDATE agency SET valid = tstzrange(lower(valid), NULL) WHERE agency_id = 'cac';
DROP INDEX decision_bounced, task_fact_check;
ALTER TABLE routing_rule DROP COLUMN level, DROP COLUMN verifier_level, DROP COLUMN check_basis, DROP COLUMN handle_basis,
    DROP COLUMN owner_id, DROP COLUMN reason, DROP COLUMN example;
ALTER TABLE routing_table DROP COLUMN loaded_agency, DROP COLUMN reason, DROP COLUMN former;
