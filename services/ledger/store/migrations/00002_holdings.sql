-- What a resource is beside its four fields: licences, contracts, further access, sublets, seats; the policy of allocation;
-- findings. All of it in two times, like the allocations.

-- +goose Up

-- One trigger for every table in two times: nothing is changed but known_to, once, at the moment of the correction. Who
-- waited for another's correction and began before it comes too early and is to try again.
-- +goose StatementBegin
CREATE FUNCTION only_corrected() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    computed CONSTANT text[] := '{known_to,numbers,valid,known}'; -- generated columns are not computed yet
BEGIN
    IF OLD.known_to IS NOT NULL OR NEW.known_to IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'a row of % can only be closed once, at the moment of the correction', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF to_jsonb(NEW) - computed <> to_jsonb(OLD) - computed THEN
        RAISE EXCEPTION 'nothing but known_to of a row of % can be changed', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.known_from >= NEW.known_to THEN
        RAISE EXCEPTION 'the row of % was corrected meanwhile', TG_TABLE_NAME USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
DROP TRIGGER allocation_only_corrected ON allocation;
DROP FUNCTION allocation_only_corrected();
CREATE TRIGGER allocation_only_corrected BEFORE UPDATE ON allocation FOR EACH ROW EXECUTE FUNCTION only_corrected();

-- Whether an agency is an operator, its head office or one of its branches: cmcc and cmcc-11 are concerned with each other's.
CREATE FUNCTION same_operator(agency text, operator text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT agency = operator OR starts_with(operator, agency || '-') OR starts_with(agency, operator || '-') $$;

-- Whether a scheme is that of the numbers, in their one form: 96000 to 96999 and 960000 to 969999 are of a province, and
-- no seven or eight digits from 2 on are a number without their area code.
CREATE FUNCTION canonical_scheme(scheme text, digits int, first bigint, last bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE
    WHEN digits IN (5, 6) AND first / (10 ^ (digits - 2))::bigint <= 96 AND last / (10 ^ (digits - 2))::bigint >= 96
        THEN scheme ~ '^[1-6][0-9]$' AND first / (10 ^ (digits - 2))::bigint = 96 AND last / (10 ^ (digits - 2))::bigint = 96
    ELSE scheme = 'national' AND NOT (digits IN (7, 8)
        AND first / (10 ^ (digits - 1))::bigint <= 8 AND last / (10 ^ (digits - 1))::bigint >= 2)
    END $$;

-- In-house 自营 or outsourced 外包, and for whom; the reasoned approval and the vetting evidence that the rules asked for;
-- which row this one replaces, and why.
ALTER TABLE allocation
    ADD COLUMN operation           text   NOT NULL DEFAULT '',
    ADD COLUMN principal_holder_id uuid   REFERENCES holder,
    ADD COLUMN approval_document   text   NOT NULL DEFAULT '',
    ADD COLUMN approval_reason     text   NOT NULL DEFAULT '',
    ADD COLUMN evidence            text[] NOT NULL DEFAULT '{}',
    ADD COLUMN corrects            uuid,
    ADD COLUMN reason              text   NOT NULL DEFAULT '',
    ADD CONSTRAINT allocation_operation CHECK (operation IN ('', 'in_house', 'outsourced')),
    ADD CONSTRAINT allocation_principal CHECK ((operation = 'outsourced') = (principal_holder_id IS NOT NULL)),
    ADD CONSTRAINT allocation_approval_reasoned CHECK ((approval_document = '') = (approval_reason = '')),
    ADD CONSTRAINT allocation_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    -- the one form of a number: a 96 code is one of its province, everything else national, a landline with its area code.
    -- Rows of the first release may say it otherwise; they get this form when they are replaced
    ADD CONSTRAINT allocation_scheme_of_number CHECK (known_to IS NOT NULL OR canonical_scheme(scheme, digits, first_number, last_number)) NOT VALID,
    -- as before, with what tells rows apart in front: half the cost of an entry, and an index for a range of numbers
    DROP CONSTRAINT allocation_overlaps,
    ADD CONSTRAINT allocation_overlaps EXCLUDE USING gist
        (numbers WITH &&, valid WITH &&, known WITH &&, scheme WITH =, digits WITH =);
-- The newest version of a number comes first.
DROP INDEX allocation_lookup;
CREATE INDEX allocation_lookup ON allocation (scheme, digits, first_number DESC, valid_from DESC, known_from DESC);
CREATE INDEX allocation_of_resource ON allocation (resource_id, valid_from);
DROP INDEX allocation_resource;
GRANT INSERT (operation, principal_holder_id, approval_document, approval_reason, evidence, corrects, reason) ON allocation TO ledger;

ALTER TABLE resource_event
    DROP CONSTRAINT resource_event_known,
    -- purpose_changed and allocation_corrected leave the state as it is; ended is an end
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'suspended', 'resumed', 'recalled',
        'purpose_changed', 'allocation_corrected', 'ended')),
    -- 电信条例 28: a use is changed by a decision
    ADD CONSTRAINT resource_event_change_decided CHECK (event <> 'purpose_changed' OR basis <> '');

-- Licences (许可证) of a holder with their scope. kinds are codes of 电信业务分类目录, such as B24 for call centres; provinces
-- are GB/T 2260, 00 for the whole country; outbound: a licence or commitment letter covers calls out (信管〔2020〕81号).
CREATE TABLE licence (
    licence_id uuid        PRIMARY KEY,
    holder_id  uuid        NOT NULL REFERENCES holder,
    number     text        NOT NULL,
    kinds      text[]      NOT NULL,
    provinces  text[]      NOT NULL,
    outbound   boolean     NOT NULL,
    document   text        NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    known_from timestamptz NOT NULL DEFAULT now(),
    known_to   timestamptz,
    corrects   uuid,
    reason     text        NOT NULL DEFAULT '',
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    valid tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT licence_numbered CHECK (number <> ''),
    CONSTRAINT licence_scoped CHECK (cardinality(kinds) > 0 AND cardinality(provinces) > 0),
    CONSTRAINT licence_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT licence_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    CONSTRAINT licence_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    CONSTRAINT licence_one_version EXCLUDE USING gist (number WITH =, valid WITH &&, known WITH &&)
);
CREATE INDEX licence_of_holder ON licence (holder_id);

-- Contracts (合同) between holder and operator: the limit of calls and the clauses that T1-09 asks for.
CREATE TABLE contract (
    contract_id         uuid        PRIMARY KEY,
    resource_id         uuid        NOT NULL REFERENCES resource,
    operator_id         text        NOT NULL,
    number              text        NOT NULL,
    call_limit          int         NOT NULL,
    limit_unit          text        NOT NULL,
    complaint_clauses   text        NOT NULL,
    handling_clauses    text        NOT NULL,
    valid_from          timestamptz NOT NULL,
    valid_to            timestamptz,
    known_from          timestamptz NOT NULL DEFAULT now(),
    known_to            timestamptz,
    corrects            uuid,
    reason              text        NOT NULL DEFAULT '',
    created_by          text        NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    valid tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT contract_limit CHECK (call_limit > 0),
    CONSTRAINT contract_limit_unit CHECK (limit_unit IN ('per_number_day', 'per_number_hour', 'per_line_day', 'per_line_hour')),
    CONSTRAINT contract_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT contract_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    CONSTRAINT contract_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    CONSTRAINT contract_one_version EXCLUDE USING gist (resource_id WITH =, operator_id WITH =, valid WITH &&, known WITH &&)
);
CREATE INDEX contract_of_resource ON contract (resource_id);

-- Access (接入) of a resource beside the one that its allocation names: a 95 code enters several networks in several places.
CREATE TABLE access (
    access_id   uuid        PRIMARY KEY,
    resource_id uuid        NOT NULL REFERENCES resource,
    province    text        NOT NULL,
    operator_id text        NOT NULL,
    location    text        NOT NULL DEFAULT '',
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz,
    known_from  timestamptz NOT NULL DEFAULT now(),
    known_to    timestamptz,
    corrects    uuid,
    reason      text        NOT NULL DEFAULT '',
    created_by  text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    valid tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT access_province_form CHECK (province ~ '^[0-9]{2}$'),
    CONSTRAINT access_operator_given CHECK (operator_id <> ''),
    CONSTRAINT access_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT access_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    CONSTRAINT access_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    CONSTRAINT access_one_version EXCLUDE USING gist
        (resource_id WITH =, province WITH =, operator_id WITH =, valid WITH &&, known WITH &&)
);
CREATE INDEX access_of_resource ON access (resource_id);

-- Declared sub-holders (转租转售备案): the lessor lets the numbers to the lessee. Who lets is the holder or a lessee, so the rows
-- of a number make one chain: nobody lets it to two, nobody gets it from two. 电信条例 28: not without approval.
CREATE TABLE sublet (
    sublet_id    uuid        PRIMARY KEY,
    resource_id  uuid        NOT NULL REFERENCES resource,
    lessor_id    uuid        NOT NULL REFERENCES holder,
    lessee_id    uuid        NOT NULL REFERENCES holder,
    digits       smallint    NOT NULL,
    first_number bigint      NOT NULL,
    last_number  bigint      NOT NULL,
    purpose      text        NOT NULL,
    document     text        NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    known_from   timestamptz NOT NULL DEFAULT now(),
    known_to     timestamptz,
    corrects     uuid,
    reason       text        NOT NULL DEFAULT '',
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    numbers int8range GENERATED ALWAYS AS (int8range(first_number, last_number, '[]')) STORED,
    valid   tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known   tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT sublet_approved CHECK (document <> ''),
    CONSTRAINT sublet_to_another CHECK (lessor_id <> lessee_id),
    CONSTRAINT sublet_numbers_ordered CHECK (0 <= first_number AND first_number <= last_number),
    CONSTRAINT sublet_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT sublet_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    CONSTRAINT sublet_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    CONSTRAINT sublet_one_lessee EXCLUDE USING gist
        (resource_id WITH =, lessor_id WITH =, numbers WITH &&, valid WITH &&, known WITH &&),
    CONSTRAINT sublet_one_lessor EXCLUDE USING gist
        (resource_id WITH =, lessee_id WITH =, numbers WITH &&, valid WITH &&, known WITH &&)
);
CREATE INDEX sublet_of_lessor ON sublet (resource_id, lessor_id);

-- Seats (坐席) of call centres and the lines they are connected to, many to many: a seat may use several lines, and a line is
-- scheduled over seats in several regions.
CREATE TABLE seat (
    seat_id    uuid        PRIMARY KEY,
    holder_id  uuid        NOT NULL REFERENCES holder,
    code       text        NOT NULL,
    province   text        NOT NULL,
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT seat_once UNIQUE (holder_id, code),
    CONSTRAINT seat_coded CHECK (code <> ''),
    CONSTRAINT seat_province_form CHECK (province ~ '^[0-9]{2}$')
);
CREATE TABLE seat_line (
    seat_line_id uuid        PRIMARY KEY,
    seat_id      uuid        NOT NULL REFERENCES seat,
    resource_id  uuid        NOT NULL REFERENCES resource,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    known_from   timestamptz NOT NULL DEFAULT now(),
    known_to     timestamptz,
    corrects     uuid,
    reason       text        NOT NULL DEFAULT '',
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    valid tstzrange GENERATED ALWAYS AS (tstzrange(valid_from, valid_to)) STORED,
    known tstzrange GENERATED ALWAYS AS (tstzrange(known_from, known_to)) STORED,
    CONSTRAINT seat_line_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT seat_line_known_ordered CHECK (known_to IS NULL OR known_from < known_to),
    CONSTRAINT seat_line_correction_reasoned CHECK (corrects IS NULL OR reason <> ''),
    CONSTRAINT seat_line_one_version EXCLUDE USING gist (seat_id WITH =, resource_id WITH =, valid WITH &&, known WITH &&)
);
CREATE INDEX seat_line_of_resource ON seat_line (resource_id);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY '{licence,contract,access,sublet,seat_line}'::text[] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_only_corrected BEFORE UPDATE ON %1$s FOR EACH ROW EXECUTE FUNCTION only_corrected()', name);
        EXECUTE format('GRANT SELECT, UPDATE (known_to) ON %s TO ledger', name);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT INSERT (licence_id, holder_id, number, kinds, provinces, outbound, document, valid_from, valid_to, corrects, reason, created_by)
    ON licence TO ledger;
GRANT INSERT (contract_id, resource_id, operator_id, number, call_limit, limit_unit, complaint_clauses, handling_clauses,
    valid_from, valid_to, corrects, reason, created_by) ON contract TO ledger;
GRANT INSERT (access_id, resource_id, province, operator_id, location, valid_from, valid_to, corrects, reason, created_by)
    ON access TO ledger;
GRANT INSERT (sublet_id, resource_id, lessor_id, lessee_id, digits, first_number, last_number, purpose, document,
    valid_from, valid_to, corrects, reason, created_by) ON sublet TO ledger;
GRANT INSERT (seat_line_id, seat_id, resource_id, valid_from, valid_to, corrects, reason, created_by) ON seat_line TO ledger;
GRANT SELECT ON seat TO ledger;
GRANT INSERT (seat_id, holder_id, code, province, created_by) ON seat TO ledger;

-- Purposes (资源用途) that the ledger knows: whether a resource for it calls out at all, and whether it may market.
CREATE TABLE purpose (
    purpose    text    PRIMARY KEY,
    name       text    NOT NULL,
    calls_out  boolean NOT NULL,
    markets    boolean NOT NULL,
    source     text    NOT NULL,
    to_confirm boolean NOT NULL,
    CONSTRAINT purpose_marketing_calls_out CHECK (calls_out OR NOT markets)
);
INSERT INTO purpose (purpose, name, calls_out, markets, source, to_confirm) VALUES
    ('inbound', '呼入', false, false, '工信部信管〔2020〕81号', false),
    ('customer_service', '客户服务', true, false, '综合整治骚扰电话工作方案(2018)一(一)', true),
    ('callback', '即时回访', true, false, '综合整治骚扰电话工作方案(2018)一(二)', true),
    ('verification', '身份验证', true, false, '按登记用途', true),
    ('notification', '通知提醒', true, false, '按登记用途', true),
    ('public_service', '公共服务', true, false, '电信网编号计划', true),
    ('outbound_consented', '经同意外呼', true, true, '工信部信管〔2020〕81号(承诺书)', true),
    ('outbound_marketing', '营销外呼', true, true, '按登记用途', true);

-- What an allocation must satisfy, one row a rule, with valid time and source. A rule is about the allocations that match
-- all of its conditions; an empty condition matches everything. Its effect: refuse; a licence, a licence or commitment
-- for calls out, an approval with its reason, or vetting evidence is needed.
CREATE TABLE allocation_policy (
    rule          text        NOT NULL,
    number_kinds  text[]      NOT NULL DEFAULT '{}',
    purposes      text[]      NOT NULL DEFAULT '{}',
    operations    text[]      NOT NULL DEFAULT '{}',
    list          text        NOT NULL DEFAULT '',
    new_holder    boolean     NOT NULL DEFAULT false,
    effect        text        NOT NULL,
    licence_kinds text[]      NOT NULL DEFAULT '{}',
    words         text        NOT NULL,
    article       text        NOT NULL,
    source        text        NOT NULL,
    to_confirm    boolean     NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT allocation_policy_pkey PRIMARY KEY (rule, valid_from),
    CONSTRAINT allocation_policy_effect CHECK (effect IN ('refuse', 'licence', 'outbound_licence', 'approval', 'evidence')),
    CONSTRAINT allocation_policy_list CHECK (list IN ('', 'bad', 'dishonest')),
    CONSTRAINT allocation_policy_licence CHECK ((effect IN ('licence', 'outbound_licence')) = (cardinality(licence_kinds) > 0)),
    CONSTRAINT allocation_policy_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT allocation_policy_one_at_a_time EXCLUDE USING gist (rule WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO allocation_policy (rule, number_kinds, purposes, operations, list, new_holder, effect, licence_kinds, words, article, source, to_confirm, valid_from) VALUES
    ('subscriber_outbound', '{mobile,landline}', '{outbound_consented,outbound_marketing,callback,notification}', '{}', '', false, 'refuse', '{}',
     'subscriber numbers are not allocated for calls out of a call centre', '严禁为经营性呼叫中心外呼核配用户号码', '综合整治骚扰电话工作方案(2018)一(一)', false, '2018-11-01T00:00:00+08:00'),
    ('subscriber_call_centre', '{mobile,landline}', '{}', '{in_house,outsourced}', '', false, 'refuse', '{}',
     'a call centre does not use subscriber numbers as its business numbers', '呼叫中心不得使用用户号码作为业务号码', '综合整治骚扰电话工作方案(2018)一(二)', false, '2018-11-01T00:00:00+08:00'),
    ('licence_call_centre_code', '{code95_callcentre}', '{}', '{}', '', false, 'licence', '{B24,B25,B22,B23}',
     'these codes are for licensed call centres and other licensed services', '严禁为非法经营、超范围经营企业提供通信资源', '综合整治骚扰电话工作方案(2018)一(一);电信条例 7', true, '2018-11-01T00:00:00+08:00'),
    ('licence_outsourced', '{}', '{}', '{outsourced}', '', false, 'licence', '{B24}',
     'who calls for others runs a call centre and needs its licence', '严禁为非法经营、超范围经营企业提供通信资源', '综合整治骚扰电话工作方案(2018)一(一);电信业务分类目录(2015) B24', false, '2018-11-01T00:00:00+08:00'),
    ('outbound_commitment', '{}', '{outbound_consented}', '{outsourced}', '', false, 'outbound_licence', '{B24}',
     'a call centre''s numbers are inbound only unless it has committed itself to consented calls', '呼叫中心码号默认仅开通呼入', '工信部信管〔2020〕81号', true, '2020-06-01T00:00:00+08:00'),
    ('outbound_commitment_code', '{code95_callcentre}', '{outbound_consented}', '{}', '', false, 'outbound_licence', '{B24}',
     'a call centre''s numbers are inbound only unless it has committed itself to consented calls', '呼叫中心码号默认仅开通呼入', '工信部信管〔2020〕81号', true, '2020-06-01T00:00:00+08:00'),
    ('marketing_outsourced', '{}', '{outbound_marketing}', '{outsourced}', '', false, 'refuse', '{}',
     'a call centre''s licence does not cover marketing calls', '呼叫中心不得开展商业营销类外呼', '工信部信管〔2020〕81号', true, '2020-06-01T00:00:00+08:00'),
    ('marketing_call_centre_code', '{code95_callcentre}', '{outbound_marketing}', '{}', '', false, 'refuse', '{}',
     'a call centre''s licence does not cover marketing calls', '呼叫中心不得开展商业营销类外呼', '工信部信管〔2020〕81号', true, '2020-06-01T00:00:00+08:00'),
    ('bad_list', '{}', '{}', '{}', 'bad', false, 'approval', '{}',
     'the holder is on the bad list: only with a reasoned approval on file', '列入电信业务经营不良名单的从严审查', '电信业务经营许可管理办法 42', true, '2017-09-01T00:00:00+08:00'),
    ('dishonest_list', '{}', '{}', '{}', 'dishonest', false, 'refuse', '{}',
     'the holder is on the dishonest list', '列入电信业务经营失信名单的不予核配', '电信业务经营许可管理办法 42', true, '2017-09-01T00:00:00+08:00'),
    ('new_user_vetting', '{}', '{}', '{}', '', true, 'evidence', '{}',
     'a new user is vetted: name the documents', '严格审查新用户资质', '综合整治骚扰电话工作方案(2018)一(一)', false, '2018-11-01T00:00:00+08:00');

-- Findings (问题) on a resource: what was observed differs from what is declared. Kinds are data: rectify_days is the term.
CREATE TABLE finding_kind (
    kind         text    PRIMARY KEY,
    name         text    NOT NULL,
    rectify_days int     NOT NULL,
    article      text    NOT NULL,
    to_confirm   boolean NOT NULL,
    CONSTRAINT finding_kind_term CHECK (rectify_days > 0)
);
INSERT INTO finding_kind (kind, name, rectify_days, article, to_confirm) VALUES
    ('purpose_differs', '擅自改变码号资源用途', 30, '电信条例 28', true),
    ('caller_not_permitted', '传送未经允许的主叫号码', 15, '反电信网络诈骗法 13', true),
    ('sublet_undeclared', '转租转售未备案', 30, '电信条例 28', true),
    ('unlicensed', '无证或超范围经营', 15, '电信条例 7', true),
    ('access_differs', '接入位置与台账不符', 30, '综合整治骚扰电话工作方案(2018)一(一)', true),
    ('contract_missing', '合同未约定频次限制或举报处置措施', 30, '综合整治骚扰电话工作方案(2018)一(一)', true),
    ('not_in_use', '长期不用', 30, '电信网码号资源管理办法', true),
    ('holder_differs', '使用主体与台账不符', 30, '电信条例 28', true);
CREATE TABLE finding (
    finding_id    uuid        PRIMARY KEY,
    resource_id   uuid        NOT NULL REFERENCES resource,
    source        text        NOT NULL,
    source_ref    text        NOT NULL,
    kind          text        NOT NULL REFERENCES finding_kind,
    declared      text        NOT NULL,
    observed      text        NOT NULL,
    observed_time timestamptz NOT NULL,
    due_time      timestamptz NOT NULL,
    state         text        NOT NULL DEFAULT 'OPEN',
    found_by      text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT finding_source CHECK (source IN ('complaint', 'campaign', 'self_inspection')),
    CONSTRAINT finding_state CHECK (state IN ('OPEN', 'RECTIFIED', 'CONFIRMED', 'DISMISSED', 'CLOSED')),
    CONSTRAINT finding_once UNIQUE (resource_id, source, source_ref, kind)
);
CREATE INDEX finding_newest ON finding (created_at DESC, finding_id DESC);
CREATE INDEX finding_open ON finding (due_time) WHERE state = 'OPEN';
-- What was done about it, append-only.
CREATE TABLE finding_act (
    act_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding_id uuid        NOT NULL REFERENCES finding,
    state      text        NOT NULL,
    reason     text        NOT NULL,
    document   text        NOT NULL DEFAULT '',
    done_by    text        NOT NULL,
    done_time  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT finding_act_state CHECK (state IN ('RECTIFIED', 'CONFIRMED', 'DISMISSED', 'CLOSED')),
    CONSTRAINT finding_act_reasoned CHECK (reason <> '')
);
CREATE INDEX finding_act_history ON finding_act (finding_id, act_id);

-- Names of operators as the public look-up shows them (基础电信企业).
CREATE TABLE operator_name (
    operator_id text PRIMARY KEY,
    name        text NOT NULL
);
INSERT INTO operator_name (operator_id, name) VALUES
    ('ctcc', '中国电信'), ('cmcc', '中国移动'), ('cucc', '中国联通'), ('cbn', '中国广电');

GRANT SELECT ON purpose, allocation_policy, finding_kind, finding, finding_act, operator_name TO ledger;
GRANT INSERT (finding_id, resource_id, source, source_ref, kind, declared, observed, observed_time, due_time, found_by) ON finding TO ledger;
GRANT UPDATE (state) ON finding TO ledger;
GRANT INSERT (finding_id, state, reason, document, done_by) ON finding_act TO ledger;

-- +goose Down
DROP TABLE finding_act, finding, finding_kind, operator_name, allocation_policy, purpose, seat_line, seat, sublet, access, contract, licence;
ALTER TABLE resource_event
    DROP CONSTRAINT resource_event_change_decided,
    DROP CONSTRAINT resource_event_known,
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'suspended', 'resumed', 'recalled'));
DROP INDEX allocation_lookup;
DROP INDEX allocation_of_resource;
CREATE INDEX allocation_lookup ON allocation (scheme, digits, first_number DESC);
CREATE INDEX allocation_resource ON allocation (resource_id) WHERE known_to IS NULL;
ALTER TABLE allocation DROP COLUMN operation, DROP COLUMN principal_holder_id, DROP COLUMN approval_document,
    DROP COLUMN approval_reason, DROP COLUMN evidence, DROP COLUMN corrects, DROP COLUMN reason,
    DROP CONSTRAINT allocation_scheme_of_number;
DROP FUNCTION canonical_scheme(text, int, bigint, bigint);
ALTER FUNCTION only_corrected() RENAME TO allocation_only_corrected;
DROP FUNCTION same_operator(text, text);
