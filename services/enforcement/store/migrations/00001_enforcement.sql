-- Enforcement (案件办理): parties, cases with their decisions, the catalogue of measures and what came of each measure.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Parties (当事人). A natural person's name is stored sealed; only a keyed index of it is compared. party_key is what makes
-- two mentions the same party: a firm's credit code, else its name; a person's name only within one complaint.
CREATE TABLE party (
    party_id    uuid        PRIMARY KEY,
    party_key   text        NOT NULL,
    person      boolean     NOT NULL,
    name        text,
    name_sealed bytea,
    credit_code text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT party_once UNIQUE (party_key),
    CONSTRAINT party_person_sealed CHECK (NOT person OR (name IS NULL AND name_sealed IS NOT NULL AND credit_code = '')),
    CONSTRAINT party_firm_named CHECK (person OR (name <> '' AND name IS NOT NULL AND name_sealed IS NULL)),
    CONSTRAINT party_credit_code_form CHECK (credit_code = '' OR credit_code ~ '^[0-9A-Z]{18}$')
);

-- The last case number of an agency and year, in Shanghai (案号).
CREATE TABLE case_number (
    agency_id text   NOT NULL,
    year      int    NOT NULL,
    last      bigint NOT NULL,
    CONSTRAINT case_number_pkey PRIMARY KEY (agency_id, year),
    CONSTRAINT case_number_counts CHECK (last > 0)
);

-- Cases (案件): one party, one act. First to open has it (行政处罚法 25), so a party has one open case for an act.
CREATE TABLE enforcement_case (
    case_id                  uuid        PRIMARY KEY,
    case_no                  text        NOT NULL,
    agency_id                text        NOT NULL,
    party_id                 uuid        NOT NULL REFERENCES party,
    party_role               text        NOT NULL,
    act                      text        NOT NULL,
    state                    text        NOT NULL,
    open_time                timestamptz NOT NULL,
    decision_due             timestamptz NOT NULL,
    decision_due_proof       text        NOT NULL,
    decision_due_provisional boolean     NOT NULL,
    notice_time              timestamptz,
    notice_task_id           uuid,
    close_time               timestamptz,
    created_at               timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT enforcement_case_no_once UNIQUE (case_no),
    CONSTRAINT enforcement_case_state CHECK (state IN ('OPENED', 'INVESTIGATING', 'NOTICE_SERVED', 'DECIDED', 'CLOSED')),
    CONSTRAINT enforcement_case_role CHECK (party_role IN ('advertiser', 'caller', 'data_supplier', 'access_operator')),
    CONSTRAINT enforcement_case_notice CHECK (state <> 'NOTICE_SERVED' OR notice_time IS NOT NULL),
    CONSTRAINT enforcement_case_notice_has_task CHECK ((notice_time IS NULL) = (notice_task_id IS NULL)),
    CONSTRAINT enforcement_case_closed CHECK ((state = 'CLOSED') = (close_time IS NOT NULL))
);
CREATE UNIQUE INDEX enforcement_case_one_open ON enforcement_case (party_id, act) WHERE state <> 'CLOSED';
CREATE INDEX enforcement_case_of_agency ON enforcement_case (agency_id, open_time DESC, case_id DESC);
CREATE INDEX enforcement_case_newest ON enforcement_case (open_time DESC, case_id DESC);
CREATE INDEX enforcement_case_unstarted ON enforcement_case (open_time, case_id) WHERE state = 'OPENED';

-- Notices served in a case (处罚告知), append-only. A changed proposal needs a new one; the last is what a decision stands on.
-- enforcement_case has the last one too.
CREATE TABLE case_notice (
    case_id     uuid        NOT NULL REFERENCES enforcement_case,
    task_id     uuid        NOT NULL,
    served_time timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_notice_pkey PRIMARY KEY (case_id, task_id)
);

-- Complaints that attached to a case (关联事项), each with the round that did.
CREATE TABLE case_complaint (
    case_id      uuid        NOT NULL REFERENCES enforcement_case,
    complaint_id uuid        NOT NULL,
    round        int         NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_complaint_pkey PRIMARY KEY (case_id, complaint_id, round),
    CONSTRAINT case_complaint_round CHECK (round >= 0)
);
CREATE INDEX case_complaint_of ON case_complaint (complaint_id);

-- Decisions (处罚决定), append-only. Proposer, reviewer and signer are three people; no penalty without a notice served
-- before it (行政处罚法 44, 45, 62), and none without a legal basis (38).
CREATE TABLE case_decision (
    case_id         uuid        PRIMARY KEY REFERENCES enforcement_case,
    penalty_kind    text        NOT NULL,
    amount_fen      bigint      NOT NULL DEFAULT 0,
    basis           text        NOT NULL DEFAULT '',
    list_party      boolean     NOT NULL,
    publish         boolean     NOT NULL,
    proposed_by     text        NOT NULL,
    reviewed_by     text        NOT NULL,
    signed_by       text        NOT NULL,
    signing_task_id uuid        NOT NULL,
    notice_time     timestamptz,
    decided_time    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_decision_kind CHECK (penalty_kind IN
        ('none', 'warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation')),
    CONSTRAINT case_decision_three_people CHECK (proposed_by <> '' AND reviewed_by <> '' AND signed_by <> ''
        AND proposed_by <> reviewed_by AND reviewed_by <> signed_by AND proposed_by <> signed_by),
    CONSTRAINT case_decision_amount CHECK (amount_fen >= 0 AND (penalty_kind <> 'fine' OR amount_fen > 0)
        AND (penalty_kind IN ('fine', 'confiscation') OR amount_fen = 0)),
    CONSTRAINT case_decision_basis CHECK (penalty_kind = 'none' OR basis <> ''),
    CONSTRAINT case_decision_after_notice CHECK (penalty_kind = 'none'
        OR (notice_time IS NOT NULL AND notice_time <= decided_time)),
    CONSTRAINT case_decision_nothing_follows_none CHECK (penalty_kind <> 'none' OR NOT (list_party OR publish))
);

-- The catalogue of measures (措施目录), data with valid time.
CREATE TABLE measure (
    code          text        NOT NULL,
    name          text        NOT NULL,
    kind          text        NOT NULL,
    weighs        boolean     NOT NULL,
    executor      text        NOT NULL,
    ledger_action text        NOT NULL DEFAULT '',
    basis         text        NOT NULL,
    nature        text        NOT NULL DEFAULT '',
    to_confirm    boolean     NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT measure_pkey PRIMARY KEY (code, valid_from),
    CONSTRAINT measure_kind CHECK (kind IN ('legal', 'administrative', 'economic', 'technical')),
    CONSTRAINT measure_executor CHECK (executor IN ('self', 'operator', 'platform')),
    CONSTRAINT measure_ledger_action CHECK (ledger_action IN ('', 'suspend')),
    CONSTRAINT measure_nature CHECK (nature IN ('', 'operator_measure', 'administrative_order')),
    CONSTRAINT measure_one_at_a_time EXCLUDE USING gist (code WITH =, tstzrange(valid_from, valid_to) WITH &&)
);

-- to_confirm: the legal basis is the builders' reading and waits for a lawyer's.
INSERT INTO measure (code, name, kind, weighs, executor, ledger_action, basis, nature, to_confirm, valid_from) VALUES
    ('warn_holder', '约谈警示使用主体', 'administrative', false, 'self', '',
     '关于推进综合整治骚扰电话专项行动的工作方案:监督检查', '', true, '2018-11-01T00:00:00+08:00'),
    ('criticism', '行业内通报', 'administrative', false, 'self', '',
     '关于推进综合整治骚扰电话专项行动的工作方案:适时抽查并通报(不属于行政处罚法第九条的通报批评)', '', true, '2018-11-01T00:00:00+08:00'),
    ('rectify_order', '责令限期改正', 'legal', true, 'self', '',
     '行政处罚法 第二十八条', 'administrative_order', true, '2018-11-01T00:00:00+08:00'),
    ('suspend_number', '暂停码号或线路使用', 'legal', true, 'operator', 'suspend',
     '电信条例 第二十八条;理由与救济的告知依反电信网络诈骗法 第三十二条', 'administrative_order', true, '2018-11-01T00:00:00+08:00'),
    ('restrict_outbound', '限制外呼', 'economic', false, 'operator', '',
     '接入服务合同:呼叫频次限制与举报处置条款(工作方案 加强通信资源和用户管理)', 'operator_measure', true, '2018-11-01T00:00:00+08:00'),
    ('mark_risk', '来电风险提示', 'technical', false, 'operator', '',
     '工作方案:骚扰电话风险提示能力;反电信网络诈骗法 第十三条', 'operator_measure', true, '2018-11-01T00:00:00+08:00'),
    ('intercept', '网内拦截', 'technical', false, 'operator', '',
     '工作方案:虚假主叫、不规范主叫甄别拦截;反电信网络诈骗法 第十三条', 'operator_measure', true, '2018-11-01T00:00:00+08:00'),
    ('refer_platform', '移送互联网平台清理信息', 'administrative', false, 'self', '',
     '工作方案:切断搜索、发布、下载、交易渠道', '', true, '2018-11-01T00:00:00+08:00');

-- What was decided for a complaint (记录措施), and its log: ordered, then done or failed, once.
CREATE TABLE measure_record (
    measure_id         uuid        PRIMARY KEY,
    complaint_id       uuid        NOT NULL,
    round              int         NOT NULL,
    code               text        NOT NULL,
    decided_agency_id  text        NOT NULL,
    executor_agency_id text        NOT NULL,
    decided_task_id    uuid        NOT NULL,
    resource_id        uuid,
    created_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX measure_record_of ON measure_record (complaint_id, round);
CREATE TABLE measure_log (
    measure_id      uuid        NOT NULL REFERENCES measure_record,
    state           text        NOT NULL,
    receipt_task_id uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT measure_log_pkey PRIMARY KEY (measure_id, state),
    CONSTRAINT measure_log_state CHECK (state IN ('ordered', 'done', 'failed'))
);
CREATE UNIQUE INDEX measure_log_ends_once ON measure_log (measure_id) WHERE state <> 'ordered';

-- What the constraints and the rules forbid, asked again without trusting them.
CREATE VIEW violation AS
    SELECT c.case_id AS id, ('case without decision is ' || c.state)::text AS what
      FROM enforcement_case c
     WHERE c.state IN ('DECIDED', 'CLOSED') AND NOT EXISTS (SELECT 1 FROM case_decision d WHERE d.case_id = c.case_id)
    UNION ALL
    SELECT c.case_id, 'case with a decision is ' || c.state
      FROM enforcement_case c JOIN case_decision d ON d.case_id = c.case_id
     WHERE c.state NOT IN ('DECIDED', 'CLOSED')
    UNION ALL
    SELECT d.case_id, 'penalty without a notice served before it'
      FROM case_decision d JOIN enforcement_case c ON c.case_id = d.case_id
     WHERE d.penalty_kind <> 'none' AND (c.notice_time IS NULL OR c.notice_time > d.decided_time)
    UNION ALL
    SELECT d.case_id, 'penalty that does not stand on the last notice before it'
      FROM case_decision d
     WHERE d.penalty_kind <> 'none' AND d.notice_time IS DISTINCT FROM
           (SELECT max(n.served_time) FROM case_notice n WHERE n.case_id = d.case_id)
    UNION ALL
    SELECT d.case_id, 'decision whose proposer, reviewer and signer are not three people'
      FROM case_decision d
     WHERE d.proposed_by = d.reviewed_by OR d.reviewed_by = d.signed_by OR d.proposed_by = d.signed_by
    UNION ALL
    SELECT c.case_id, 'case without a complaint'
      FROM enforcement_case c WHERE NOT EXISTS (SELECT 1 FROM case_complaint a WHERE a.case_id = c.case_id)
    UNION ALL
    SELECT r.measure_id, 'measure done by another agency without its receipt'
      FROM measure_record r JOIN measure_log l ON l.measure_id = r.measure_id
     WHERE l.state = 'done' AND l.receipt_task_id IS NULL AND r.executor_agency_id <> r.decided_agency_id;

GRANT SELECT ON violation TO enforcement;
GRANT SELECT, INSERT ON party, enforcement_case, case_notice, case_complaint, case_decision, measure_record, measure_log TO enforcement;
GRANT SELECT ON measure TO enforcement;
GRANT SELECT, INSERT, UPDATE ON case_number TO enforcement;
GRANT UPDATE (state, notice_time, notice_task_id, close_time) ON enforcement_case TO enforcement;

-- +goose Down
DROP VIEW violation;
DROP TABLE measure_log, measure_record, measure, case_decision, case_complaint, case_notice, enforcement_case, case_number, party;
