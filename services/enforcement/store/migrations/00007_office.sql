-- Offices (办案单位): how each agency of the programme signs its documents. To be confirmed by each. And what fsck asks of
-- documents and deliveries.

-- +goose Up

-- Offices (办案单位): how an agency signs its documents, and where remedies against them lie. Data with valid time.
CREATE TABLE office (
    agency_id     text        NOT NULL,
    name          text        NOT NULL,
    short         text        NOT NULL, -- 机关代字, begins every document number
    review_body   text        NOT NULL, -- 行政复议机关
    court         text        NOT NULL, -- 管辖法院
    contact       text        NOT NULL, -- 联系地址和方式
    to_confirm    boolean     NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT office_pkey PRIMARY KEY (agency_id, valid_from),
    CONSTRAINT office_whole CHECK (name <> '' AND short <> '' AND review_body <> '' AND court <> '' AND contact <> ''),
    CONSTRAINT office_one_at_a_time EXCLUDE USING gist (agency_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
);

GRANT SELECT, INSERT ON office TO enforcement;
GRANT UPDATE (valid_to) ON office TO enforcement;

-- +goose StatementBegin
DO $$
DECLARE
    since  CONSTANT timestamptz := '2018-07-01 00:00+08';
    court  CONSTANT text := '有管辖权的人民法院';
    contact CONSTANT text := '办公地址和电话以本机关门户网站公布的为准';
BEGIN
    INSERT INTO office (agency_id, name, short, review_body, court, contact, to_confirm, valid_from)
    SELECT id, name, short, '本机关', court, contact, true, since FROM (VALUES
        ('miit', '工业和信息化部', '工信'), ('moe', '教育部', '教'), ('mps', '公安部', '公'),
        ('mohrss', '人力资源和社会保障部', '人社'), ('mohurd', '住房和城乡建设部', '建'), ('mct', '文化和旅游部', '文旅'),
        ('nhc', '国家卫生健康委员会', '国卫'), ('samr', '国家市场监督管理总局', '国市监'), ('csrc', '中国证券监督管理委员会', '证监'),
        ('mofcom', '商务部', '商'), ('nfra', '国家金融监督管理总局', '金')) AS m (id, name, short);
    INSERT INTO office (agency_id, name, short, review_body, court, contact, to_confirm, valid_from)
    SELECT o.id || '-' || p.code,
           CASE WHEN o.prefix THEN o.region || regexp_replace(p.name, '(省|市|自治区|壮族自治区|回族自治区|维吾尔自治区)$', '') || '监管局' WHEN p.city THEN p.name || o.city ELSE p.name || o.region END,
           p.short || o.short, coalesce(o.review, p.name || '人民政府'), court, contact, true, since
      FROM (VALUES
        ('ca', '通信管理局', '通信管理局', false, '通管', '工业和信息化部'),
        ('moe', '教育委员会', '教育厅', false, '教', NULL),
        ('mps', '公安局', '公安厅', false, '公', NULL),
        ('mohrss', '人力资源和社会保障局', '人力资源和社会保障厅', false, '人社', NULL),
        ('mohurd', '住房和城乡建设委员会', '住房和城乡建设厅', false, '建', NULL),
        ('mct', '文化和旅游局', '文化和旅游厅', false, '文旅', NULL),
        ('nhc', '卫生健康委员会', '卫生健康委员会', false, '卫', NULL),
        ('samr', '市场监督管理局', '市场监督管理局', false, '市监', NULL),
        ('mofcom', '商务局', '商务厅', false, '商', NULL),
        ('lfa', '地方金融管理局', '地方金融管理局', false, '地金', NULL),
        ('csrc', '', '中国证券监督管理委员会', true, '证监', '中国证券监督管理委员会'),
        ('nfra', '', '国家金融监督管理总局', true, '金', '国家金融监督管理总局')) AS o (id, city, region, prefix, short, review)
     CROSS JOIN (VALUES
        ('11', '北京市', '京', true), ('12', '天津市', '津', true), ('13', '河北省', '冀', false), ('14', '山西省', '晋', false),
        ('15', '内蒙古自治区', '内蒙古', false), ('21', '辽宁省', '辽', false), ('22', '吉林省', '吉', false),
        ('23', '黑龙江省', '黑', false), ('31', '上海市', '沪', true), ('32', '江苏省', '苏', false), ('33', '浙江省', '浙', false),
        ('34', '安徽省', '皖', false), ('35', '福建省', '闽', false), ('36', '江西省', '赣', false), ('37', '山东省', '鲁', false),
        ('41', '河南省', '豫', false), ('42', '湖北省', '鄂', false), ('43', '湖南省', '湘', false), ('44', '广东省', '粤', false),
        ('45', '广西壮族自治区', '桂', false), ('46', '海南省', '琼', false), ('50', '重庆市', '渝', true), ('51', '四川省', '川', false),
        ('52', '贵州省', '黔', false), ('53', '云南省', '滇', false), ('54', '西藏自治区', '藏', false), ('61', '陕西省', '陕', false),
        ('62', '甘肃省', '甘', false), ('63', '青海省', '青', false), ('64', '宁夏回族自治区', '宁', false),
        ('65', '新疆维吾尔自治区', '新', false)) AS p (code, name, short, city);
END $$;
-- +goose StatementEnd

-- What must not be among documents and their delivery, asked again without trusting the trigger.
CREATE VIEW party_violation AS
    SELECT v.delivery_id AS id, 'delivery to the party of a document that is not for it'::text AS what
      FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id WHERE NOT d.for_party
    UNION ALL
    SELECT v.delivery_id, 'electronic delivery without consent in force'
      FROM case_delivery v
     WHERE v.method = 'electronic' AND NOT EXISTS (SELECT 1 FROM case_consent c WHERE c.case_id = v.case_id
           AND c.given_time <= v.served_time AND (c.revoked_time IS NULL OR c.revoked_time > v.served_time))
    UNION ALL
    SELECT v.delivery_id, 'public notice before another way failed'
      FROM case_delivery v
     WHERE v.method = 'public_notice' AND NOT case_delivery_failed(v.case_id, v.served_time)
    UNION ALL
    SELECT r.delivery_id, 'receipt for what was not served, or signed before it was'
      FROM case_receipt r JOIN case_delivery v ON v.delivery_id = r.delivery_id
     WHERE v.result <> 'served' OR r.signed_time < v.served_time
    UNION ALL
    SELECT h.hearing_request_id, 'hearing asked for after a notice that grants none'
      FROM case_hearing_request h
     WHERE NOT EXISTS (SELECT 1 FROM case_notice n WHERE n.case_id = h.case_id AND n.hearing_offered AND n.served_time = h.notice_time)
    UNION ALL
    SELECT h.hearing_request_id, 'hearing asked for that the log of the case does not know'
      FROM case_hearing_request h
     WHERE NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = h.case_id AND e.step = 'hearing_request'
           AND e.note = h.hearing_request_id::text)
    UNION ALL
    SELECT d.document_id, 'document that corrects one of another case'
      FROM case_document d JOIN case_document o ON o.document_id = d.corrects_id WHERE o.case_id <> d.case_id;

GRANT SELECT ON party_violation TO enforcement;

-- +goose Down
DROP VIEW party_violation;
DROP TABLE office;
