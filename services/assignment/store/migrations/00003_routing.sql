-- The first decision table. Rules are tried in order; a symbol (sector, operator, ca, police, lfa) is resolved by sector
-- and region, an agency_id of a ministry at the level that acts.

-- +goose Up
INSERT INTO routing_table (version, valid_from, loaded_by) VALUES ('2018-1', '2018-07-01 00:00+08', 'migration');

INSERT INTO routing_rule (version, ordinal, rule_id, condition, lead, co, verifier, source)
SELECT '2018-1', row_number() OVER (ORDER BY n), rule_id, condition, lead, co::text[], verifier, source FROM (VALUES
    (10, 'criminal_forged', 'category == "criminal" && number_kind.endsWith("_spoofed")', 'police', '{ca,sector}', 'ca', '138号文:违法犯罪类由公安机关查处;虚假主叫由通信管理局溯源'),
    (20, 'criminal', 'category == "criminal"', 'police', '{ca,sector}', 'operator', '138号文:违法犯罪类由公安机关查处'),
    (30, 'debt_threats', 'category == "malicious" && sector == "debt_collection"', 'police', '{nfra,ca}', 'operator', '138号文;恐吓威胁式催收由公安机关查处'),
    (40, 'malicious', 'category == "malicious"', 'ca', '{police}', 'operator', '138号文:恶意骚扰由通信管理局牵头、公安机关配合'),
    (50, 'debt_licensed', 'sector == "debt_collection" && ("credit_card" in other_sectors || number_kind == "code95_enterprise")', 'nfra', '{ca}', 'operator', '持牌机构的催收由金融监管部门监管'),
    (60, 'debt_small_lender', 'sector == "debt_collection" && "loans" in other_sectors', 'lfa', '{nfra,ca}', 'operator', '小额贷款公司由地方金融管理部门监管'),
    (70, 'debt_collection', 'sector == "debt_collection"', 'nfra', '{lfa,ca}', 'operator', '方案政策:放贷机构不明时由金融监管部门受理'),
    (80, 'housekeeping', 'sector == "housekeeping"', 'mofcom', '{samr}', 'operator', '家庭服务业管理暂行办法;待确认'),
    (90, 'health_food', 'sector == "health_food"', 'samr', '{nhc}', 'operator', '138号文:保健食品由市场监管总局会同卫生健康委'),
    (100, 'medical', 'sector in ["medical_maternity", "medical_beauty"]', 'nhc', '{samr}', 'operator', '138号文:医疗机构、医疗美容由卫生健康委会同市场监管总局'),
    (110, 'telecom', 'sector == "telecom"', 'ca', '{}', 'operator', '138号文:电信业务由通信管理局监管'),
    (120, 'sector', 'sector != "" && sector != "other"', 'sector', '{}', 'operator', '138号文:各行业主管部门按职责'),
    (130, 'forged', 'number_kind.endsWith("_spoofed") || number_kind in ["foreign", "text", "empty", "invalid"]', 'ca', '{}', 'ca', '虚假、境外主叫由通信管理局溯源'),
    (999, 'catch_all', 'true', 'ca', '{}', 'operator', '138号文:其余由牵头部门的属地机构办理')
) AS r (n, rule_id, condition, lead, co, verifier, source);

-- +goose Down
DELETE FROM routing_rule WHERE version = '2018-1';
DELETE FROM routing_table WHERE version = '2018-1';
