-- The directory of the programme: who takes part, under which name, since when. Rows are data: a later change is a new
-- migration or an UPDATE by the owner that ends a row's valid time and inserts the next, never an edit here.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    start  CONSTANT timestamptz := '2018-07-01 00:00+08'; -- the programme began in July 2018
    notice CONSTANT text := '工信部联信管〔2018〕138号';
    forever CONSTANT tstzrange := tstzrange(start, NULL);
BEGIN
    INSERT INTO province (code, name, form, source)
    SELECT code, name, form, 'GB/T 2260' FROM (VALUES
        ('11', '北京市', 'municipality'), ('12', '天津市', 'municipality'), ('13', '河北省', 'province'),
        ('14', '山西省', 'province'), ('15', '内蒙古自治区', 'region'), ('21', '辽宁省', 'province'),
        ('22', '吉林省', 'province'), ('23', '黑龙江省', 'province'), ('31', '上海市', 'municipality'),
        ('32', '江苏省', 'province'), ('33', '浙江省', 'province'), ('34', '安徽省', 'province'),
        ('35', '福建省', 'province'), ('36', '江西省', 'province'), ('37', '山东省', 'province'),
        ('41', '河南省', 'province'), ('42', '湖北省', 'province'), ('43', '湖南省', 'province'),
        ('44', '广东省', 'province'), ('45', '广西壮族自治区', 'region'), ('46', '海南省', 'province'),
        ('50', '重庆市', 'municipality'), ('51', '四川省', 'province'), ('52', '贵州省', 'province'),
        ('53', '云南省', 'province'), ('54', '西藏自治区', 'region'), ('61', '陕西省', 'province'),
        ('62', '甘肃省', 'province'), ('63', '青海省', 'province'), ('64', '宁夏回族自治区', 'region'),
        ('65', '新疆维吾尔自治区', 'region')) AS p (code, name, form)
    ON CONFLICT DO NOTHING;

    -- The thirteen departments of the notice in the order of its signatures, and who joined since.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, sectors, assignable, source)
    SELECT a.id, forever, a.name, a.name_en, a.kind, a.sectors::text[], a.assignable, a.source FROM (VALUES
        ('miit', '工业和信息化部', 'Ministry of Industry and Information Technology', 'ministry', '{telecom,other}', true, notice),
        ('spc', '最高人民法院', 'Supreme People''s Court', 'ministry', '{}', false, notice || ',只提供法律指导'),
        ('spp', '最高人民检察院', 'Supreme People''s Procuratorate', 'ministry', '{}', false, notice || ',只提供法律指导'),
        ('moe', '教育部', 'Ministry of Education', 'ministry', '{education}', true, notice),
        ('mps', '公安部', 'Ministry of Public Security', 'ministry', '{}', true, notice),
        ('moj', '司法部', 'Ministry of Justice', 'ministry', '{}', false, notice || ',只推动完善法律规定'),
        ('mohrss', '人力资源和社会保障部', 'Ministry of Human Resources and Social Security', 'ministry', '{recruitment}', true, notice),
        ('mohurd', '住房和城乡建设部', 'Ministry of Housing and Urban-Rural Development', 'ministry', '{real_estate}', true, notice),
        ('mct', '文化和旅游部', 'Ministry of Culture and Tourism', 'ministry', '{travel}', true, notice),
        ('nhc', '国家卫生健康委员会', 'National Health Commission', 'ministry', '{medical_maternity,medical_beauty}', true, notice),
        ('samr', '国家市场监督管理总局', 'State Administration for Market Regulation', 'ministry', '{retail,health_food}', true, notice),
        ('csrc', '中国证券监督管理委员会', 'China Securities Regulatory Commission', 'ministry', '{securities,funds}', true, notice),
        ('mofcom', '商务部', 'Ministry of Commerce', 'ministry', '{housekeeping}', true, '家庭服务业管理暂行办法(商务部令2012年第11号);是否参加方案待确认'),
        ('cac', '国家互联网信息办公室', 'Cyberspace Administration of China', 'observer', '{}', false, '个人信息保护统筹协调,观察员'),
        ('centre-12321', '12321网络不良与垃圾信息举报受理中心', '12321 Reporting Centre', 'centre', '{}', true, '受工业和信息化部委托,由中国互联网协会承办'),
        ('isc', '中国互联网协会', 'Internet Society of China', 'association', '{}', false, '12321举报受理中心承办单位')
    ) AS a (id, name, name_en, kind, sectors, assignable, source);

    -- One regulator, two names: the function kept its id when the body was renamed. What it succeeded in 2018 is named
    -- with its successor, for documents of that time.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, sectors, assignable, successor_id, source) VALUES
        ('nfra', tstzrange(start, '2023-05-18 00:00+08'), '中国银行保险监督管理委员会', 'China Banking and Insurance Regulatory Commission',
            'ministry', '{loans,credit_card,insurance,debt_collection}', true, NULL, notice),
        ('nfra', tstzrange('2023-05-18 00:00+08', NULL), '国家金融监督管理总局', 'National Financial Regulatory Administration',
            'ministry', '{loans,credit_card,insurance,debt_collection}', true, NULL, '2023年3月《党和国家机构改革方案》,2023-05-18揭牌'),
        ('cbrc', tstzrange('2003-04-28 00:00+08', '2018-04-08 00:00+08'), '中国银行业监督管理委员会', 'China Banking Regulatory Commission',
            'ministry', '{}', false, 'nfra', '2018年国务院机构改革方案'),
        ('circ', tstzrange('1998-11-18 00:00+08', '2018-04-08 00:00+08'), '中国保险监督管理委员会', 'China Insurance Regulatory Commission',
            'ministry', '{}', false, 'nfra', '2018年国务院机构改革方案');
    UPDATE agency SET superior_id = 'miit' WHERE agency_id = 'centre-12321';

    -- Provincial communications administrations: the level at which the lead ministry acts.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, source)
    SELECT 'ca-' || code, forever, name || '通信管理局', 'Communications Administration, ' || code, 'provincial_administration',
           'miit', code, '{telecom,other}', true, notice || ';各地通信管理局'
      FROM province;

    -- A provincial body for each sector ministry. Municipalities call some of them otherwise.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, source)
    SELECT m.id || '-' || p.code, forever,
           COALESCE(x.name, CASE WHEN m.prefix THEN m.other || p.name || '监管局'
                                 WHEN p.form = 'municipality' THEN p.name || m.municipal ELSE p.name || m.other END),
           m.name_en || ', ' || p.code, CASE m.id WHEN 'mps' THEN 'police' ELSE 'provincial_body' END,
           m.id, p.code, a.sectors, true, COALESCE(x.source, '各省(区、市)机构名录')
      FROM (VALUES
            ('moe', '教育委员会', '教育厅', false, 'Education Department'),
            ('mps', '公安局', '公安厅', false, 'Public Security Department'),
            ('mohrss', '人力资源和社会保障局', '人力资源和社会保障厅', false, 'Human Resources and Social Security Department'),
            ('mohurd', '住房和城乡建设委员会', '住房和城乡建设厅', false, 'Housing and Urban-Rural Development Department'),
            ('mct', '文化和旅游局', '文化和旅游厅', false, 'Culture and Tourism Department'),
            ('nhc', '卫生健康委员会', '卫生健康委员会', false, 'Health Commission'),
            ('samr', '市场监督管理局', '市场监督管理局', false, 'Administration for Market Regulation'),
            ('csrc', '', '中国证券监督管理委员会', true, 'CSRC Regulatory Bureau'),
            ('mofcom', '商务局', '商务厅', false, 'Commerce Department')
           ) AS m (id, municipal, other, prefix, name_en)
      CROSS JOIN province p
      JOIN agency a ON a.agency_id = m.id
      LEFT JOIN (VALUES
            ('mohurd', '31', '上海市住房和城乡建设管理委员会', '上海市机构名录'),
            ('mct', '46', '海南省旅游和文化广电体育厅', '海南省机构名录'),
            ('mct', '50', '重庆市文化和旅游发展委员会', '重庆市机构名录'),
            ('mofcom', '31', '上海市商务委员会', '上海市机构名录'),
            ('mofcom', '50', '重庆市商务委员会', '重庆市机构名录')
           ) AS x (id, code, name, source) ON x.id = m.id AND x.code = p.code;
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, source)
    SELECT 'nfra-' || p.code, a.valid, a.name || p.name || '监管局', 'Financial Regulatory Bureau, ' || p.code,
           'provincial_body', 'nfra', p.code, a.sectors, true, a.source
      FROM province p, agency a WHERE a.agency_id = 'nfra';

    -- Small lenders are supervised locally. The national regulator guides, so overdue work goes up to it.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, sectors, assignable, source)
    SELECT 'lfa-' || code, v.valid, name || v.suffix, 'Local Financial Authority, ' || code, 'provincial_body', 'nfra', code,
           '{}', true, v.source
      FROM province, (VALUES
            (tstzrange(start, '2023-10-01 00:00+08'), '地方金融监督管理局', '2018年地方机构改革;小额贷款公司由地方监管'),
            (tstzrange('2023-10-01 00:00+08', NULL), '地方金融管理局', '2023年地方金融监管体制改革;各地更名日期不一,以本行为准')
           ) AS v (valid, suffix, source);

    -- Operators and their provincial branches.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, assignable, source) VALUES
        ('cmcc', forever, '中国移动通信集团有限公司', 'China Mobile', 'operator', 'miit', true, '电信业务经营许可'),
        ('ctcc', forever, '中国电信集团有限公司', 'China Telecom', 'operator', 'miit', true, '电信业务经营许可'),
        ('cucc', forever, '中国联合网络通信集团有限公司', 'China Unicom', 'operator', 'miit', true, '电信业务经营许可'),
        ('cbn', tstzrange('2019-06-06 00:00+08', NULL), '中国广播电视网络集团有限公司', 'China Broadnet', 'operator', 'miit', true, '2019-06-06发放5G商用牌照');
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, province, assignable, source)
    SELECT o.id || '-' || p.code, a.valid, o.short || p.name || '分公司', o.short_en || ', ' || p.code, 'operator_branch',
           o.id, p.code, true, '电信业务经营许可;省级分公司'
      FROM (VALUES ('cmcc', '中国移动', 'China Mobile'), ('ctcc', '中国电信', 'China Telecom'),
                   ('cucc', '中国联通', 'China Unicom'), ('cbn', '中国广电', 'China Broadnet')) AS o (id, short, short_en)
      JOIN agency a ON a.agency_id = o.id
      CROSS JOIN province p;

    -- Resale operators act nationwide. Whose network they resell is by their main contract; the ledger knows better.
    INSERT INTO agency (agency_id, valid, name, name_en, kind, superior_id, assignable, host_ids, source)
    SELECT id, forever, name, name_en, 'resale_operator', 'miit', true, hosts::text[], '移动通信转售业务经营许可;宿主网络按主要合同,待台账核对'
      FROM (VALUES
            ('mvno-snail', '蜗牛移动', 'Snail Mobile', '{cucc}'), ('mvno-yuante', '远特通信', 'Yuante Telecom', '{cucc,cmcc}'),
            ('mvno-xiaomi', '小米移动', 'Xiaomi Mobile', '{cucc,ctcc}'), ('mvno-alitelecom', '阿里通信', 'Ali Telecom', '{cucc,ctcc,cmcc}'),
            ('mvno-jd', '京东通信', 'JD Telecom', '{cucc,ctcc}'), ('mvno-suning', '苏宁互联', 'Suning Internet', '{ctcc,cucc}'),
            ('mvno-dixintong', '迪信通', 'D.Phone Telecom', '{ctcc,cucc,cmcc}'), ('mvno-fenxiang', '分享通信', 'Fenxiang Telecom', '{cucc,cmcc,ctcc}'),
            ('mvno-hihna', '海航通信', 'HNA Telecom', '{cucc}'), ('mvno-gome', '国美极信', 'Gome Jixin', '{cucc,cmcc,ctcc}')
           ) AS v (id, name, name_en, hosts);

    INSERT INTO policy (name, valid, value, unit, source) VALUES
        ('classify_threshold', tstzrange(start, NULL), 0.7, 'confidence', '方案政策:低于此置信度由人工分办'),
        ('claim_minutes', tstzrange(start, NULL), 240, 'minutes', '方案政策:领取后逾此时限自动退回'),
        ('reassign_minutes', tstzrange(start, NULL), 7200, 'minutes', '方案政策:转派后逾此时限自动退回');
END
$$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM policy;
DELETE FROM agency;
DELETE FROM province;
