-- What may be punished, by whom and how far: the catalogue of penalties (处罚目录) as data with valid time, the discretion
-- benchmarks (裁量基准, 行政处罚法 34), the triggers of hearing, legal review and discussion, and whether two cases are
-- about one act (一事不再罚, 29).

-- +goose Up

-- Acts (违法行为) that cases are about.
CREATE TABLE act (
    code       text        NOT NULL,
    name       text        NOT NULL,
    violates   text        NOT NULL,
    to_confirm text        NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT act_pkey PRIMARY KEY (code, valid_from),
    CONSTRAINT act_one_at_a_time EXCLUDE USING gist (code WITH =, tstzrange(valid_from, valid_to) WITH &&)
);

-- A row of the catalogue: one article and what it is for. to_confirm says in words what a lawyer has yet to confirm; empty
-- when the text was read. profile simulation: a draft that rehearsals may cite and nobody else.
CREATE TABLE penalty (
    code       text        NOT NULL,
    law        text        NOT NULL,
    article    text        NOT NULL,
    summary    text        NOT NULL,
    acts       text[]      NOT NULL,
    roles      text[]      NOT NULL DEFAULT '{}',
    subjects   text[]      NOT NULL DEFAULT '{}',
    profile    text        NOT NULL DEFAULT '',
    source     text        NOT NULL,
    to_confirm text        NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT penalty_pkey PRIMARY KEY (code, valid_from),
    CONSTRAINT penalty_one_at_a_time EXCLUDE USING gist (code WITH =, tstzrange(valid_from, valid_to) WITH &&),
    CONSTRAINT penalty_profile CHECK (profile IN ('', 'simulation')),
    CONSTRAINT penalty_acts CHECK (cardinality(acts) > 0),
    CONSTRAINT penalty_roles CHECK (roles <@ ARRAY['advertiser', 'caller', 'data_supplier', 'access_operator']),
    CONSTRAINT penalty_subjects CHECK (subjects <@ ARRAY['firm', 'person', 'operator'])
);

-- The kinds that a row permits, and how far. An amount in fen, or a multiple of the illegal gains where there are some;
-- gains_below_fen: the amount in fen also applies to gains below this. tier: which circumstances it needs.
CREATE TABLE penalty_kind (
    penalty_code    text    NOT NULL,
    kind            text    NOT NULL,
    tier            text    NOT NULL DEFAULT '',
    subject         text    NOT NULL DEFAULT '',
    min_fen         bigint,
    max_fen         bigint,
    min_times       int,
    max_times       int,
    gains_below_fen bigint,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT penalty_kind_once UNIQUE NULLS NOT DISTINCT (penalty_code, kind, tier, subject, min_times),
    CONSTRAINT penalty_kind_known CHECK (kind IN
        ('warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation', 'detention')),
    CONSTRAINT penalty_kind_tier CHECK (tier IN ('', 'ordinary', 'serious', 'egregious')),
    CONSTRAINT penalty_kind_subject CHECK (subject IN ('', 'firm', 'person', 'operator')),
    CONSTRAINT penalty_kind_range CHECK (min_fen <= max_fen AND min_times <= max_times),
    CONSTRAINT penalty_kind_measured CHECK (kind NOT IN ('fine', 'confiscation') OR (max_fen IS NULL) <> (max_times IS NULL)),
    CONSTRAINT penalty_kind_unmeasured CHECK (kind IN ('fine', 'confiscation') OR (max_fen IS NULL AND max_times IS NULL))
);

-- Who may impose it (处罚主体). family is the first part of an agency's identifier (samr of samr-44), level says at which
-- height of it: national, provincial, or empty for both. No row, no power.
CREATE TABLE penalty_power (
    penalty_code text        NOT NULL,
    family       text        NOT NULL,
    level        text        NOT NULL DEFAULT '',
    kinds        text[]      NOT NULL DEFAULT '{}',
    basis        text        NOT NULL,
    to_confirm   text        NOT NULL DEFAULT '',
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT penalty_power_pkey PRIMARY KEY (penalty_code, family, level, valid_from),
    CONSTRAINT penalty_power_level CHECK (level IN ('', 'national', 'provincial'))
);

-- Discretion bands (裁量基准): the part of the statutory range, in thousandths of its span, that a grade takes. They count
-- only when published (行政处罚法 34). An empty penalty_code means all fines of the agency's family; of the rows that fit,
-- the one for the article and for the subject goes first.
CREATE TABLE discretion_band (
    family        text        NOT NULL,
    penalty_code  text        NOT NULL DEFAULT '',
    subject       text        NOT NULL DEFAULT '',
    grade         text        NOT NULL,
    low_permille  int         NOT NULL,
    high_permille int         NOT NULL,
    document      text        NOT NULL,
    published     boolean     NOT NULL,
    to_confirm    text        NOT NULL DEFAULT '',
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT discretion_band_pkey PRIMARY KEY (family, penalty_code, subject, grade, valid_from),
    CONSTRAINT discretion_band_grade CHECK (grade IN ('light', 'ordinary', 'heavy')),
    CONSTRAINT discretion_band_span CHECK (0 <= low_permille AND low_permille < high_permille AND high_permille <= 1000)
);

-- What makes a hearing (63), a legal review (58) or a collective discussion (57) due beside the facts of the case: a
-- penalty of a kind from an amount on. An empty family or subject means all; a family's own row goes before.
CREATE TABLE procedure_due (
    step       text        NOT NULL,
    family     text        NOT NULL DEFAULT '',
    subject    text        NOT NULL DEFAULT '',
    kind       text        NOT NULL,
    min_fen    bigint      NOT NULL DEFAULT 0,
    article    text        NOT NULL,
    source     text        NOT NULL,
    to_confirm text        NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT procedure_due_pkey PRIMARY KEY (step, family, subject, kind, valid_from),
    CONSTRAINT procedure_due_step CHECK (step IN ('hearing', 'legal_review', 'discussion'))
);

-- When an act was and when it was discovered, as each attached complaint says it (发现时间): by default the first report that
-- was substantiated. Numbers are kept as keyed indexes only.
CREATE TABLE case_discovery (
    case_id         uuid        NOT NULL REFERENCES enforcement_case,
    complaint_id    uuid        NOT NULL,
    discovery_time  timestamptz,
    discovery_basis text        NOT NULL,
    act_begin_time  timestamptz,
    act_end_time    timestamptz,
    number_keys     bytea[]     NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_discovery_pkey PRIMARY KEY (case_id, complaint_id),
    CONSTRAINT case_discovery_span CHECK (act_begin_time <= act_end_time)
);

-- Officers' links of cases that are about one act (同一违法行为), append-only: the last row of a pair counts.
CREATE TABLE act_link (
    link_id       uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    other_case_id uuid        NOT NULL REFERENCES enforcement_case,
    verdict       text        NOT NULL,
    reason        text        NOT NULL,
    decided_by    text        NOT NULL,
    agency_id     text        NOT NULL,
    decided_time  timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT act_link_ordered CHECK (case_id < other_case_id),
    CONSTRAINT act_link_verdict CHECK (verdict IN ('same_act', 'unlinked', 'different_acts', 'seen')),
    CONSTRAINT act_link_reason CHECK (reason <> '')
);
CREATE INDEX act_link_of_case ON act_link (case_id, other_case_id, link_id);
CREATE INDEX act_link_of_other ON act_link (other_case_id);
CREATE INDEX enforcement_case_of_party ON enforcement_case (party_id);

CREATE VIEW act_link_now AS
    SELECT DISTINCT ON (case_id, other_case_id) * FROM act_link ORDER BY case_id, other_case_id, link_id DESC;

-- What each decided penalty was measured against, kept for good: for one-act-one-fine and for the consistency view.
CREATE TABLE penalty_assessment (
    case_id         uuid        NOT NULL REFERENCES enforcement_case,
    seq             int         NOT NULL,
    penalty_code    text        NOT NULL,
    act             text        NOT NULL,
    kind            text        NOT NULL,
    amount_fen      bigint      NOT NULL,
    gains_fen       bigint,
    subject         text        NOT NULL,
    party_id        uuid        NOT NULL REFERENCES party,
    agency_id       text        NOT NULL,
    tier            text        NOT NULL,
    low_fen         bigint      NOT NULL,
    high_fen        bigint      NOT NULL,
    grade           text        NOT NULL,
    band_low_fen    bigint      NOT NULL,
    band_high_fen   bigint      NOT NULL,
    band_document   text        NOT NULL,
    outside         boolean     NOT NULL,
    reason          text        NOT NULL,
    act_end_time    timestamptz,
    discovery_time  timestamptz NOT NULL,
    discovery_basis text        NOT NULL,
    limitation      text        NOT NULL,
    profile         text        NOT NULL,
    decided_time    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT penalty_assessment_pkey PRIMARY KEY (case_id, seq),
    CONSTRAINT penalty_assessment_within CHECK (kind <> 'fine' OR (amount_fen BETWEEN low_fen AND high_fen)),
    CONSTRAINT penalty_assessment_reasoned CHECK (NOT outside OR reason <> '')
);
CREATE INDEX penalty_assessment_alike ON penalty_assessment (act, penalty_code, kind, subject, decided_time);
CREATE INDEX penalty_assessment_of_agency ON penalty_assessment (agency_id, decided_time DESC, case_id);

-- Pairs of cases against one party that may be about one act: a complaint or a number in common, or overlapping spans at
-- two agencies. What an officer has judged is not suspected any more, nor what ended without a penalty.
CREATE VIEW suspected_same_act AS
    SELECT a.case_id, b.case_id AS other_case_id, a.agency_id, b.agency_id AS other_agency_id, b.act AS other_act,
           array_remove(ARRAY[
               CASE WHEN EXISTS (SELECT 1 FROM case_complaint x JOIN case_complaint y ON y.complaint_id = x.complaint_id
                                  WHERE x.case_id = a.case_id AND y.case_id = b.case_id) THEN 'complaint' END,
               CASE WHEN EXISTS (SELECT 1 FROM case_discovery x JOIN case_discovery y ON y.number_keys && x.number_keys
                                  WHERE x.case_id = a.case_id AND y.case_id = b.case_id) THEN 'number' END,
               CASE WHEN a.agency_id <> b.agency_id AND EXISTS (SELECT 1 FROM case_discovery x
                                  JOIN case_discovery y ON tstzrange(y.act_begin_time, y.act_end_time, '[]')
                                                        && tstzrange(x.act_begin_time, x.act_end_time, '[]')
                                  WHERE x.case_id = a.case_id AND y.case_id = b.case_id
                                    AND x.act_begin_time IS NOT NULL AND x.act_end_time IS NOT NULL
                                    AND y.act_begin_time IS NOT NULL AND y.act_end_time IS NOT NULL) THEN 'time' END
           ], NULL)::text[] AS shared
      FROM enforcement_case a
      JOIN enforcement_case b ON b.party_id = a.party_id AND b.case_id <> a.case_id
     WHERE NOT EXISTS (SELECT 1 FROM act_link_now l
                        WHERE l.case_id = LEAST(a.case_id, b.case_id) AND l.other_case_id = GREATEST(a.case_id, b.case_id)
                          AND l.verdict <> 'unlinked')
       AND b.state <> 'NO_PENALTY' AND b.reverse_time IS NULL
       AND (b.state <> 'CLOSED' OR EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = b.case_id AND d.penalty_kind <> 'none'));

-- Decided fines that stand, with what makes cases alike (裁量一致性).
CREATE VIEW decided_fine AS
    SELECT p.case_id, p.seq, p.agency_id, p.act, p.penalty_code, p.subject, p.amount_fen, p.band_low_fen, p.band_high_fen, p.grade,
           p.outside, p.reason, p.decided_time,
           CASE WHEN coalesce(p.gains_fen, 0) = 0 THEN 'none' WHEN p.gains_fen < 1000000 THEN 'under_10k'
                WHEN p.gains_fen < 5000000 THEN 'under_50k' WHEN p.gains_fen < 10000000 THEN 'under_100k' ELSE 'over_100k' END AS bracket,
           CASE WHEN p.agency_id ~ '-[0-9]{2}$' THEN right(p.agency_id, 2) ELSE '' END AS province
      FROM penalty_assessment p JOIN enforcement_case c ON c.case_id = p.case_id
     WHERE p.kind = 'fine' AND c.reverse_time IS NULL;

GRANT SELECT ON act, penalty, penalty_kind, penalty_power, discretion_band, procedure_due, act_link_now, suspected_same_act, decided_fine TO enforcement;
GRANT SELECT, INSERT ON case_discovery, act_link, penalty_assessment TO enforcement;

-- The rows. Times before the programme are when a text came into force.
INSERT INTO act (code, name, violates, to_confirm, valid_from) VALUES
    ('marketing_without_consent', '未经同意拨打商业营销电话', '消费者权益保护法 第二十九条、广告法 第四十三条', '', '2018-07-01T00:00:00+08:00'),
    ('calls_after_refusal', '明确拒绝后继续拨打', '消费者权益保护法 第二十九条、广告法 第四十三条', '', '2018-07-01T00:00:00+08:00'),
    ('malicious_calls', '恶意骚扰', '治安管理处罚法(多次发送骚扰信息、干扰他人正常生活)', '拨打电话是否等同发送信息待确认', '2018-07-01T00:00:00+08:00'),
    ('resource_sublet', '擅自转让、出租电信资源', '电信条例 第二十八条', '', '2018-07-01T00:00:00+08:00'),
    ('resource_change_of_use', '擅自改变电信资源用途', '电信条例 第二十八条', '', '2018-07-01T00:00:00+08:00'),
    ('out_of_scope_business', '超范围经营电信业务', '电信条例、工信部信管〔2020〕81号(呼叫中心许可不含外呼营销)', '', '2018-07-01T00:00:00+08:00'),
    ('false_caller_not_blocked', '未识别拦截虚假、不规范主叫', '反电信网络诈骗法 第十三条', '', '2022-12-01T00:00:00+08:00'),
    ('spoofing_device', '非法制造、销售、提供改号或批量控制设备', '反电信网络诈骗法 第十四条', '', '2022-12-01T00:00:00+08:00'),
    ('line_lending', '非法买卖、出租、出借电话卡、线路', '反电信网络诈骗法 第三十一条', '', '2022-12-01T00:00:00+08:00'),
    ('personal_info_misuse', '非法提供、使用个人信息', '消费者权益保护法 第二十九条、电信和互联网用户个人信息保护规定', '', '2018-07-01T00:00:00+08:00'),
    ('telecom_order_breach', '电信条例第五十六条至第五十八条所列行为', '电信条例 第五十六条至第五十八条', '', '2018-07-01T00:00:00+08:00');

INSERT INTO penalty (code, law, article, summary, acts, roles, subjects, profile, source, to_confirm, valid_from, valid_to) VALUES
    ('consumer_56', '消费者权益保护法', '第五十六条',
     '法律、法规未作规定的,警告、没收违法所得、违法所得一倍以上十倍以下罚款,没有违法所得的五十万元以下罚款;情节严重的责令停业整顿、吊销营业执照;记入信用档案并公布',
     '{marketing_without_consent,calls_after_refusal,personal_info_misuse}', '{advertiser,caller,data_supplier}', '{}', '',
     '消费者权益保护法 第五十六条', '自然人当事人是否为“经营者”逐案确认', '2014-03-15T00:00:00+08:00', NULL),
    ('advertising_62', '广告法', '第六十二条', '未经同意发送电子广告等:对广告主处五千元以上三万元以下罚款',
     '{marketing_without_consent,calls_after_refusal}', '{advertiser}', '{firm,person}', '', '广告法 第四十三条、第六十二条', '', '2015-09-01T00:00:00+08:00', NULL),
    ('telecom_69', '电信条例', '第六十九条',
     '没收违法所得,处三倍以上五倍以下罚款;没有违法所得或者不足五万元的,处十万元以上一百万元以下罚款;情节严重的责令停业整顿',
     '{resource_sublet,resource_change_of_use,out_of_scope_business}', '{caller,data_supplier,access_operator}', '{firm,operator}', '',
     '电信条例 第二十八条、第六十九条', '“不足五万元”的界限与停业整顿待核对原文', '2000-09-25T00:00:00+08:00', NULL),
    ('telecom_77', '电信条例', '第七十七条', '第五十六条至第五十八条所列行为情节严重的,由原发证机关吊销许可证',
     '{telecom_order_breach}', '{caller,access_operator}', '{firm,operator}', '', '电信条例 第七十七条', '', '2000-09-25T00:00:00+08:00', NULL),
    ('anti_fraud_39', '反电信网络诈骗法', '第三十九条',
     '电信业务经营者:警告、通报批评或五万元以上五十万元以下罚款;情节严重的五十万元以上五百万元以下,可停业整顿、吊销许可;责任人员一万元以上二十万元以下',
     '{false_caller_not_blocked}', '{access_operator}', '{operator,person}', '', '反电信网络诈骗法 第十三条、第三十九条',
     '停业整顿与吊销的条件待核对原文', '2022-12-01T00:00:00+08:00', NULL),
    ('anti_fraud_42', '反电信网络诈骗法', '第四十二条', '没收违法所得,处一倍以上十倍以下罚款,没有违法所得的五十万元以下罚款',
     '{spoofing_device}', '{}', '{}', '', '反电信网络诈骗法 第十四条、第四十二条', '违法所得较少时的界限待核对原文', '2022-12-01T00:00:00+08:00', NULL),
    ('anti_fraud_44', '反电信网络诈骗法', '第四十四条', '没收违法所得,由公安机关处罚款',
     '{line_lending}', '{}', '{}', '', '反电信网络诈骗法 第三十一条、第四十四条', '一倍以上十倍以下、没有违法所得二十万元以下:数额待核对原文', '2022-12-01T00:00:00+08:00', NULL),
    ('public_security_42', '治安管理处罚法', '第四十二条', '多次发送骚扰信息干扰他人正常生活:五日以下拘留或五百元以下罚款;较重的五日以上十日以下拘留,可并处五百元以下罚款',
     '{malicious_calls}', '{caller}', '{person}', '', '治安管理处罚法(2012 修正) 第四十二条第五项', '', '2013-01-01T00:00:00+08:00', '2026-01-01T00:00:00+08:00'),
    ('public_security_2026', '治安管理处罚法', '2025 年修订相应条款', '多次发送骚扰信息干扰他人正常生活:暂沿用 2012 年修正本的幅度',
     '{malicious_calls}', '{caller}', '{person}', '', '治安管理处罚法(2025 修订,2026-01-01 施行)', '修订后的条号与数额待确认', '2026-01-01T00:00:00+08:00', NULL),
    ('user_info_23', '电信和互联网用户个人信息保护规定', '罚则', '责令限期改正、警告,可并处一万元以上三万元以下罚款,向社会公告',
     '{personal_info_misuse}', '{caller,data_supplier,access_operator}', '{firm,operator}', '', '工业和信息化部令第 24 号', '条号与数额待核对原文', '2013-09-01T00:00:00+08:00', NULL),
    ('licence_measures', '电信业务经营许可管理办法', '罚则', '违反经营许可管理要求:警告',
     '{out_of_scope_business,telecom_order_breach}', '{caller,access_operator}', '{firm,operator}', '', '工业和信息化部令第 42 号', '条号与罚款数额待核对原文,核对前不罚款', '2017-09-01T00:00:00+08:00', NULL),
    ('draft_2020', '通信短信息和语音呼叫服务管理规定(征求意见稿)', '罚则(条号未见)', '对短信息、语音呼叫服务提供者:警告、一万元以上三万元以下罚款、向社会公告;情节严重的吊销许可并收回码号',
     '{marketing_without_consent,calls_after_refusal,malicious_calls,resource_sublet,resource_change_of_use}', '{caller,access_operator}', '{firm,operator}', 'simulation',
     '工业和信息化部 2020-08-31 征求意见稿', '草案,未生效:只供演练', '2020-08-31T00:00:00+08:00', NULL);

INSERT INTO penalty_kind (penalty_code, kind, tier, subject, min_fen, max_fen, min_times, max_times, gains_below_fen) VALUES
    ('consumer_56', 'warning', '', '', NULL, NULL, NULL, NULL, NULL),
    ('consumer_56', 'confiscation', '', '', NULL, NULL, 1, 1, NULL),
    ('consumer_56', 'fine', '', '', NULL, NULL, 1, 10, NULL),
    ('consumer_56', 'fine', '', '', 0, 50000000, NULL, NULL, NULL),
    ('consumer_56', 'closure', 'serious', 'firm', NULL, NULL, NULL, NULL, NULL),
    ('consumer_56', 'revocation', 'serious', 'firm', NULL, NULL, NULL, NULL, NULL),
    ('advertising_62', 'fine', '', '', 500000, 3000000, NULL, NULL, NULL),
    ('telecom_69', 'confiscation', '', '', NULL, NULL, 1, 1, NULL),
    ('telecom_69', 'fine', '', '', NULL, NULL, 3, 5, NULL),
    ('telecom_69', 'fine', '', '', 10000000, 100000000, NULL, NULL, 5000000),
    ('telecom_69', 'closure', 'serious', '', NULL, NULL, NULL, NULL, NULL),
    ('telecom_77', 'revocation', 'serious', '', NULL, NULL, NULL, NULL, NULL),
    ('anti_fraud_39', 'warning', 'ordinary', 'operator', NULL, NULL, NULL, NULL, NULL),
    ('anti_fraud_39', 'criticism', 'ordinary', 'operator', NULL, NULL, NULL, NULL, NULL),
    ('anti_fraud_39', 'fine', 'ordinary', 'operator', 5000000, 50000000, NULL, NULL, NULL),
    ('anti_fraud_39', 'fine', 'serious', 'operator', 50000000, 500000000, NULL, NULL, NULL),
    ('anti_fraud_39', 'fine', 'serious', 'person', 1000000, 20000000, NULL, NULL, NULL),
    ('anti_fraud_39', 'closure', 'serious', 'operator', NULL, NULL, NULL, NULL, NULL),
    ('anti_fraud_39', 'revocation', 'serious', 'operator', NULL, NULL, NULL, NULL, NULL),
    ('anti_fraud_42', 'confiscation', '', '', NULL, NULL, 1, 1, NULL),
    ('anti_fraud_42', 'fine', '', '', NULL, NULL, 1, 10, NULL),
    ('anti_fraud_42', 'fine', '', '', 0, 50000000, NULL, NULL, NULL),
    ('anti_fraud_44', 'confiscation', '', '', NULL, NULL, 1, 1, NULL),
    ('anti_fraud_44', 'fine', '', '', NULL, NULL, 1, 10, NULL),
    ('anti_fraud_44', 'fine', '', '', 0, 20000000, NULL, NULL, NULL),
    ('public_security_42', 'detention', '', 'person', NULL, NULL, NULL, NULL, NULL),
    ('public_security_42', 'fine', '', 'person', 0, 50000, NULL, NULL, NULL),
    ('public_security_2026', 'detention', '', 'person', NULL, NULL, NULL, NULL, NULL),
    ('public_security_2026', 'fine', '', 'person', 0, 50000, NULL, NULL, NULL),
    ('user_info_23', 'warning', '', '', NULL, NULL, NULL, NULL, NULL),
    ('user_info_23', 'fine', '', '', 1000000, 3000000, NULL, NULL, NULL),
    ('licence_measures', 'warning', '', '', NULL, NULL, NULL, NULL, NULL),
    ('draft_2020', 'warning', '', '', NULL, NULL, NULL, NULL, NULL),
    ('draft_2020', 'fine', '', '', 1000000, 3000000, NULL, NULL, NULL),
    ('draft_2020', 'criticism', '', '', NULL, NULL, NULL, NULL, NULL),
    ('draft_2020', 'revocation', 'egregious', '', NULL, NULL, NULL, NULL, NULL);

INSERT INTO penalty_power (penalty_code, family, level, kinds, basis, to_confirm, valid_from)
SELECT p.code, f.family, f.level, f.kinds::text[], f.basis, f.to_confirm, '2018-07-01T00:00:00+08:00'
  FROM (VALUES
    ('consumer_56', 'samr', '', '{}', '消费者权益保护法 第五十六条:市场监督管理部门', ''),
    ('consumer_56', 'moe', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'mohurd', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'mohrss', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'mct', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'nhc', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'nfra', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'csrc', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'mofcom', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'lfa', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '本行业内是否由该部门处罚待确认'),
    ('consumer_56', 'ca', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '电信主管部门是否在内待确认'),
    ('consumer_56', 'miit', '', '{warning,confiscation,fine}', '消费者权益保护法 第五十六条:其他有关行政部门', '电信主管部门是否在内待确认'),
    ('advertising_62', 'samr', '', '{}', '广告法 第六条、第六十二条:市场监督管理部门', '“有关部门”是否另含其他部门待确认'),
    ('telecom_69', 'ca', '', '{}', '电信条例 第三条、第六十九条:省、自治区、直辖市电信管理机构', ''),
    ('telecom_69', 'miit', '', '{}', '电信条例 第三条、第六十九条:国务院信息产业主管部门', ''),
    ('telecom_77', 'ca', '', '{}', '电信条例 第七十七条:原发证机关', '以发证机关为准'),
    ('telecom_77', 'miit', '', '{}', '电信条例 第七十七条:原发证机关', '以发证机关为准'),
    ('anti_fraud_39', 'ca', '', '{}', '反电信网络诈骗法 第三十九条:有关主管部门', ''),
    ('anti_fraud_39', 'miit', '', '{}', '反电信网络诈骗法 第三十九条:有关主管部门', ''),
    ('anti_fraud_42', 'mps', '', '{}', '反电信网络诈骗法 第四十二条:公安机关', ''),
    ('anti_fraud_42', 'ca', '', '{}', '反电信网络诈骗法 第四十二条:有关主管部门', '电信主管部门的分工待确认'),
    ('anti_fraud_42', 'samr', '', '{}', '反电信网络诈骗法 第四十二条:有关主管部门', '市场监督管理部门的分工待确认'),
    ('anti_fraud_44', 'mps', '', '{}', '反电信网络诈骗法 第四十四条:公安机关', ''),
    ('public_security_42', 'mps', '', '{}', '治安管理处罚法 第七条:公安机关', ''),
    ('public_security_2026', 'mps', '', '{}', '治安管理处罚法:公安机关', ''),
    ('user_info_23', 'ca', '', '{}', '电信和互联网用户个人信息保护规定:电信管理机构', ''),
    ('user_info_23', 'miit', '', '{}', '电信和互联网用户个人信息保护规定:电信管理机构', ''),
    ('licence_measures', 'ca', '', '{}', '电信业务经营许可管理办法:电信管理机构', ''),
    ('licence_measures', 'miit', '', '{}', '电信业务经营许可管理办法:电信管理机构', ''),
    ('draft_2020', 'ca', '', '{}', '征求意见稿:电信管理机构', '草案'),
    ('draft_2020', 'miit', '', '{}', '征求意见稿:电信管理机构', '草案')
  ) AS f (code, family, level, kinds, basis, to_confirm)
  JOIN (SELECT DISTINCT code FROM penalty) AS p ON p.code = f.code;

-- Three grades by the share of the statutory span; a natural person's fine in the lower part.
INSERT INTO discretion_band (family, penalty_code, subject, grade, low_permille, high_permille, document, published, to_confirm, valid_from)
SELECT f.family, '', s.subject, g.grade, s.low + g.low * s.span / 1000, s.low + g.high * s.span / 1000, f.document, true, f.to_confirm, '2018-07-01T00:00:00+08:00'
  FROM (VALUES
    ('samr', '关于规范市场监督管理行政处罚裁量权的指导意见', '三成、四成、三成的分档与自然人分档待确认'),
    ('miit', '工业和信息化行政处罚裁量基准', '文号与分档待确认'), ('ca', '各地通信管理局行政处罚裁量基准', '文号与分档待确认'),
    ('nfra', '金融监管行政处罚裁量基准', '文号与分档待确认'), ('mps', '公安机关行政处罚裁量基准', '文号与分档待确认')
  ) AS f (family, document, to_confirm)
  CROSS JOIN (VALUES ('', 0, 1000), ('person', 0, 300)) AS s (subject, low, span)
  CROSS JOIN (VALUES ('light', 0, 300), ('ordinary', 300, 700), ('heavy', 700, 1000)) AS g (grade, low, high);

INSERT INTO procedure_due (step, family, subject, kind, min_fen, article, source, to_confirm, valid_from) VALUES
    ('hearing', '', '', 'closure', 0, '行政处罚法 第六十三条', '行政处罚法 第六十三条第一款第四项', '', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', '', 'revocation', 0, '行政处罚法 第六十三条', '行政处罚法 第六十三条第一款第三项', '', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'person', 'fine', 1000000, '行政处罚法 第六十三条', '较大数额罚款:各部门规定', '一万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'firm', 'fine', 10000000, '行政处罚法 第六十三条', '较大数额罚款:各部门规定', '十万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'operator', 'fine', 10000000, '行政处罚法 第六十三条', '较大数额罚款:各部门规定', '十万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'person', 'confiscation', 1000000, '行政处罚法 第六十三条', '没收较大数额违法所得:各部门规定', '一万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'firm', 'confiscation', 10000000, '行政处罚法 第六十三条', '没收较大数额违法所得:各部门规定', '十万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', '', 'operator', 'confiscation', 10000000, '行政处罚法 第六十三条', '没收较大数额违法所得:各部门规定', '十万元待确认', '2021-07-15T00:00:00+08:00'),
    ('hearing', 'mps', 'person', 'fine', 200000, '行政处罚法 第六十三条', '治安管理处罚法:较大数额罚款', '二千元待确认', '2021-07-15T00:00:00+08:00'),
    ('discussion', '', '', 'closure', 0, '行政处罚法 第五十七条', '情节复杂或者重大违法行为', '是否一律讨论待确认', '2021-07-15T00:00:00+08:00'),
    ('discussion', '', '', 'revocation', 0, '行政处罚法 第五十七条', '情节复杂或者重大违法行为', '是否一律讨论待确认', '2021-07-15T00:00:00+08:00'),
    ('discussion', '', '', 'fine', 10000000, '行政处罚法 第五十七条', '情节复杂或者重大违法行为', '十万元待确认', '2021-07-15T00:00:00+08:00');

-- +goose Down
DROP VIEW decided_fine, suspected_same_act, act_link_now;
DROP INDEX enforcement_case_of_party;
DROP TABLE penalty_assessment, act_link, case_discovery, procedure_due, discretion_band, penalty_power, penalty_kind, penalty, act;
