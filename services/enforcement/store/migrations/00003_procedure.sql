-- The procedure of a case (办案程序, 行政处罚法 2021): a log of events alone moves the state of a case, along the edges of a
-- table (00012), past guards (00009) that ask for everything that the law wants before it. Whoever writes past the rules of the service
-- is refused here. Clocks are facts that are stored once; what happens to them later are acts with their own basis.

-- +goose Up

-- procedure: ordinary or simplified (行政处罚法 51); before are cases of the time before this file, which end as they began.
ALTER TABLE enforcement_case
    ADD COLUMN procedure         text NOT NULL DEFAULT 'ordinary',
    ADD COLUMN deliver_time      timestamptz,
    ADD COLUMN reverse_time      timestamptz,
    ADD COLUMN effective_outcome text NOT NULL DEFAULT '',
    ADD COLUMN transferred_to    text NOT NULL DEFAULT '',
    ADD COLUMN reopened          int  NOT NULL DEFAULT 0, -- how often it moved again after it was closed
    ADD CONSTRAINT enforcement_case_procedure CHECK (procedure IN ('ordinary', 'simplified', 'before')),
    ADD CONSTRAINT enforcement_case_effective CHECK (effective_outcome IN ('', 'penalty', 'no_penalty', 'transferred')),
    DROP CONSTRAINT enforcement_case_state,
    ADD CONSTRAINT enforcement_case_state CHECK (state IN ('OPENED', 'INVESTIGATING', 'NOTICE_SERVED', 'STATEMENT', 'HEARING',
        'LEGAL_REVIEW', 'DISCUSSION', 'DECIDED', 'DELIVERED', 'PERFORMING', 'PERFORMED', 'DEMANDED', 'ENFORCED', 'CLOSED',
        'TRANSFERRED', 'NO_PENALTY', 'REVERSED'));
UPDATE enforcement_case SET procedure = 'before';
UPDATE enforcement_case c SET effective_outcome = CASE d.penalty_kind WHEN 'none' THEN 'no_penalty' ELSE 'penalty' END
  FROM case_decision d WHERE d.case_id = c.case_id AND c.state = 'CLOSED';
-- The script of before delivered a decision and closed the case at once: from then on a remedy is open (行政处罚法 73).
UPDATE enforcement_case c SET deliver_time = c.close_time
  FROM case_decision d WHERE d.case_id = c.case_id AND c.state = 'CLOSED';
DROP INDEX enforcement_case_one_open;
-- A reversed case is over: what follows it is a new one.
CREATE UNIQUE INDEX enforcement_case_one_open ON enforcement_case (party_id, act) WHERE state NOT IN ('CLOSED', 'REVERSED');

-- Thresholds of the procedure with their source, data with valid time (办案标准). Amounts in fen; late_day_begun is 0 or 1.
CREATE TABLE case_policy (
    code       text        NOT NULL,
    party_kind text        NOT NULL,
    amount_fen bigint      NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    CONSTRAINT case_policy_pkey PRIMARY KEY (code, party_kind, valid_from),
    CONSTRAINT case_policy_party_kind CHECK (party_kind IN ('person', 'firm')),
    CONSTRAINT case_policy_one_at_a_time EXCLUDE USING gist (code WITH =, party_kind WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO case_policy (code, party_kind, amount_fen, source, to_confirm, valid_from) VALUES
    ('simplified_fine_most', 'person', 20000, '行政处罚法 第五十一条 (公民二百元以下)', false, '2021-07-15T00:00:00+08:00'),
    ('simplified_fine_most', 'firm', 300000, '行政处罚法 第五十一条 (法人或者其他组织三千元以下)', false, '2021-07-15T00:00:00+08:00'),
    ('late_day_begun', 'person', 0, '行政处罚法 第七十二条 (每日按罚款数额的百分之三): 届满后只计满一日(二十四小时)的天数, 0 为不计未满之日, 1 为计入', true, '2021-07-15T00:00:00+08:00'),
    ('late_day_begun', 'firm', 0, '行政处罚法 第七十二条 (每日按罚款数额的百分之三): 届满后只计满一日(二十四小时)的天数, 0 为不计未满之日, 1 为计入', true, '2021-07-15T00:00:00+08:00'),
    ('hearing_fine_least', 'person', 1000000, '行政处罚法 第六十三条 (较大数额罚款); 数额参照部门规定', true, '2021-07-15T00:00:00+08:00'),
    ('hearing_fine_least', 'firm', 10000000, '行政处罚法 第六十三条 (较大数额罚款); 数额参照部门规定', true, '2021-07-15T00:00:00+08:00'),
    ('hearing_confiscation_least', 'person', 1000000, '行政处罚法 第六十三条 (没收较大数额违法所得); 数额参照部门规定', true, '2021-07-15T00:00:00+08:00'),
    ('hearing_confiscation_least', 'firm', 10000000, '行政处罚法 第六十三条 (没收较大数额违法所得); 数额参照部门规定', true, '2021-07-15T00:00:00+08:00');

-- Officers (办案人员, 行政处罚法 42), and those who had to step back (回避, 43); both append-only.
CREATE TABLE case_officer (
    case_id          uuid        NOT NULL REFERENCES enforcement_case,
    subject          text        NOT NULL,
    agency_id        text        NOT NULL,
    qualification_no text        NOT NULL,
    appoint_time     timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_officer_pkey PRIMARY KEY (case_id, subject),
    CONSTRAINT case_officer_qualified CHECK (subject <> '' AND qualification_no <> '')
);
CREATE TABLE case_recusal (
    case_id     uuid        NOT NULL,
    subject     text        NOT NULL,
    reason      text        NOT NULL,
    decided_by  text        NOT NULL,
    recuse_time timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_recusal_pkey PRIMARY KEY (case_id, subject),
    CONSTRAINT case_recusal_of_officer FOREIGN KEY (case_id, subject) REFERENCES case_officer
);

-- The log of a case, append-only. A line has what the guards of later lines need. actor is subject@agency.
CREATE TABLE case_event (
    case_id           uuid        NOT NULL REFERENCES enforcement_case,
    seq               int         NOT NULL,
    from_state        text        NOT NULL,
    to_state          text        NOT NULL,
    step              text        NOT NULL,
    outcome           text        NOT NULL DEFAULT '',
    task_id           uuid,
    plan_key          text        NOT NULL DEFAULT '',
    subject           text        NOT NULL DEFAULT '',
    agency_id         text        NOT NULL DEFAULT '',
    event_time        timestamptz NOT NULL,
    article           text        NOT NULL DEFAULT '',
    reason_code       text        NOT NULL DEFAULT '',
    note              text        NOT NULL DEFAULT '',
    method            text        NOT NULL DEFAULT '',
    served_time       timestamptz,
    document_id       text        NOT NULL DEFAULT '',
    hearing_time      timestamptz,
    place             text        NOT NULL DEFAULT '',
    chair             text        NOT NULL DEFAULT '',
    participants      text[]      NOT NULL DEFAULT '{}',
    qualification_no  text        NOT NULL DEFAULT '',
    record_hash       text        NOT NULL DEFAULT '',
    receipt_no        text        NOT NULL DEFAULT '',
    other_agency_id   text        NOT NULL DEFAULT '',
    statement_heard   boolean     NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_event_pkey PRIMARY KEY (case_id, seq)
);
CREATE INDEX case_event_of_task ON case_event (case_id, task_id) WHERE task_id IS NOT NULL;

-- What the investigators proposed (调查终结意见), append-only; seq is that of its event. hearing_due, legal_due, discuss_due:
-- what the law wants because of it (行政处罚法 63, 58, 57), as judged then.
CREATE TABLE case_proposal (
    case_id               uuid        NOT NULL,
    seq                   int         NOT NULL,
    kind                  text        NOT NULL,
    proposed_by           text        NOT NULL,
    no_penalty_ground     text        NOT NULL DEFAULT '',
    act_end_time          timestamptz,
    discover_time         timestamptz,
    discover_basis        text        NOT NULL DEFAULT '',
    gains_fen             bigint      NOT NULL DEFAULT 0,
    serious               boolean     NOT NULL DEFAULT false,
    egregious             boolean     NOT NULL DEFAULT false,
    complex_or_major      boolean     NOT NULL DEFAULT false,
    major_public_interest boolean     NOT NULL DEFAULT false,
    third_party_interest  boolean     NOT NULL DEFAULT false,
    findings              text        NOT NULL DEFAULT '',
    evidence_ids          uuid[]      NOT NULL DEFAULT '{}',
    hearing_due           boolean     NOT NULL,
    legal_due             boolean     NOT NULL,
    discuss_due           boolean     NOT NULL,
    warnings              text[]      NOT NULL DEFAULT '{}',
    detail                jsonb       NOT NULL DEFAULT '{}', -- the whole proposal as it was sent
    created_at            timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_proposal_pkey PRIMARY KEY (case_id, seq),
    CONSTRAINT case_proposal_of_event FOREIGN KEY (case_id, seq) REFERENCES case_event,
    CONSTRAINT case_proposal_kind CHECK (kind IN ('proposed', 'no_penalty', 'simplified')),
    CONSTRAINT case_proposal_ground CHECK ((kind = 'no_penalty') = (no_penalty_ground <> '')),
    CONSTRAINT case_proposal_reviewed CHECK (legal_due OR NOT (major_public_interest OR third_party_interest) OR kind = 'simplified'),
    CONSTRAINT case_proposal_discussed CHECK (discuss_due OR NOT complex_or_major OR kind = 'simplified')
);
CREATE TABLE case_penalty (
    case_id        uuid    NOT NULL,
    seq            int     NOT NULL,
    n              int     NOT NULL,
    kind           text    NOT NULL,
    amount_fen     bigint  NOT NULL DEFAULT 0,
    basis          text    NOT NULL,
    catalogue_code text    NOT NULL DEFAULT '',
    list_party     boolean NOT NULL,
    publish        boolean NOT NULL,
    CONSTRAINT case_penalty_pkey PRIMARY KEY (case_id, seq, n),
    CONSTRAINT case_penalty_of_proposal FOREIGN KEY (case_id, seq) REFERENCES case_proposal,
    CONSTRAINT case_penalty_once UNIQUE (case_id, seq, kind),
    CONSTRAINT case_penalty_kind CHECK (kind IN ('warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation')),
    CONSTRAINT case_penalty_amount CHECK (amount_fen >= 0 AND (kind <> 'fine' OR amount_fen > 0)
        AND (kind IN ('fine', 'confiscation') OR amount_fen = 0)),
    CONSTRAINT case_penalty_basis CHECK (basis <> '')
);

ALTER TABLE case_notice
    ADD COLUMN method          text    NOT NULL DEFAULT '',
    ADD COLUMN proposal_seq    int,
    ADD COLUMN hearing_offered boolean NOT NULL DEFAULT false,
    ADD COLUMN document_id     text    NOT NULL DEFAULT '';

-- On the spot there is no reviewer: the second officer stands in his place (行政处罚法 51, 52).
ALTER TABLE case_decision
    ADD COLUMN procedure         text NOT NULL DEFAULT 'ordinary',
    ADD COLUMN proposal_seq      int,
    ADD COLUMN no_penalty_ground text NOT NULL DEFAULT '',
    ADD COLUMN document_id       text NOT NULL DEFAULT '',
    DROP CONSTRAINT case_decision_three_people,
    ADD CONSTRAINT case_decision_three_people CHECK (proposed_by <> '' AND reviewed_by <> '' AND signed_by <> ''
        AND proposed_by <> reviewed_by
        AND (procedure = 'simplified' OR (reviewed_by <> signed_by AND proposed_by <> signed_by)));

-- Clocks of a case (期限), computed once; reckoning is the whole computation, so that a later act can go on from it.
CREATE TABLE case_clock (
    clock_id      uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    basis         text        NOT NULL,
    source        text        NOT NULL,
    profile       text        NOT NULL,
    event_seq     int         NOT NULL,
    subject_id    text        NOT NULL DEFAULT '',
    start_time    timestamptz NOT NULL,
    due_time      timestamptz NOT NULL,
    statutory_due timestamptz NOT NULL,
    proof         text        NOT NULL,
    provisional   boolean     NOT NULL,
    reckoning     jsonb       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_clock_once UNIQUE (case_id, basis, event_seq, subject_id),
    CONSTRAINT case_clock_profile CHECK (profile IN ('statutory', 'rehearsal'))
);
CREATE INDEX case_clock_due ON case_clock (due_time);
-- What happened to a clock (期限变动), append-only: met, cancelled, paused, resumed, extended, settled. due_time, statutory_due,
-- proof and reckoning are what it is after the act.
CREATE TABLE case_clock_act (
    clock_id      uuid        NOT NULL REFERENCES case_clock,
    n             int         NOT NULL,
    kind          text        NOT NULL,
    act_time      timestamptz NOT NULL,
    reason        text        NOT NULL DEFAULT '',
    basis         text        NOT NULL DEFAULT '',
    days          int         NOT NULL DEFAULT 0,
    signed_by     text        NOT NULL DEFAULT '',
    due_time      timestamptz NOT NULL,
    statutory_due timestamptz NOT NULL,
    proof         text        NOT NULL,
    provisional   boolean     NOT NULL,
    reckoning     jsonb       NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_clock_act_pkey PRIMARY KEY (clock_id, n),
    CONSTRAINT case_clock_act_kind CHECK (kind IN ('met', 'cancelled', 'paused', 'resumed', 'extended', 'settled')),
    CONSTRAINT case_clock_act_extension CHECK (kind <> 'extended' OR (basis <> '' AND signed_by <> '')),
    CONSTRAINT case_clock_act_pause CHECK (kind <> 'paused' OR reason <> '')
);
-- Each clock as it is now.
CREATE VIEW case_clock_now AS
    SELECT k.clock_id, k.case_id, k.basis, k.source, k.profile, k.event_seq, k.subject_id, k.start_time,
           coalesce(a.due_time, k.due_time) AS due_time, coalesce(a.statutory_due, k.statutory_due) AS statutory_due,
           coalesce(a.proof, k.proof) AS proof, coalesce(a.provisional, k.provisional) AS provisional,
           coalesce(a.reckoning, k.reckoning) AS reckoning, coalesce(a.n, 0) AS acts,
           (SELECT min(m.act_time) FROM case_clock_act m WHERE m.clock_id = k.clock_id AND m.kind = 'met') AS met_time,
           (SELECT min(m.act_time) FROM case_clock_act m WHERE m.clock_id = k.clock_id AND m.kind = 'cancelled') AS cancel_time,
           coalesce((SELECT x.kind = 'paused' FROM case_clock_act x WHERE x.clock_id = k.clock_id AND x.kind IN ('paused', 'resumed')
                      ORDER BY x.n DESC LIMIT 1), false) AS paused
      FROM case_clock k
      LEFT JOIN LATERAL (SELECT * FROM case_clock_act x WHERE x.clock_id = k.clock_id ORDER BY x.n DESC LIMIT 1) a ON true;

-- Effects that were carried out (效果), append-only.
CREATE TABLE case_effect (
    case_id    uuid        NOT NULL REFERENCES enforcement_case,
    key        text        NOT NULL,
    kind       text        NOT NULL,
    target_id  text        NOT NULL DEFAULT '',
    result     text        NOT NULL,
    done_time  timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_effect_pkey PRIMARY KEY (case_id, key)
);

-- Reconsideration and litigation (复议、诉讼, 行政处罚法 73), and their facts; append-only.
CREATE TABLE case_remedy (
    remedy_id  uuid        PRIMARY KEY,
    case_id    uuid        NOT NULL REFERENCES enforcement_case,
    kind       text        NOT NULL,
    file_time  timestamptz NOT NULL,
    file_due   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_remedy_kind CHECK (kind IN ('reconsideration', 'litigation'))
);
CREATE INDEX case_remedy_of ON case_remedy (case_id);
CREATE TABLE case_remedy_fact (
    remedy_id   uuid        NOT NULL REFERENCES case_remedy,
    n           int         NOT NULL,
    fact        text        NOT NULL,
    fact_time   timestamptz NOT NULL,
    document_no text        NOT NULL DEFAULT '',
    recorded_by text        NOT NULL,
    event_seq   int         NOT NULL, -- the line of the log by which it became known
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_remedy_fact_pkey PRIMARY KEY (remedy_id, n),
    CONSTRAINT case_remedy_fact_known CHECK (fact IN ('filed', 'accepted', 'refused', 'upheld', 'changed', 'revoked', 'declared_illegal', 'withdrawn'))
);
CREATE UNIQUE INDEX case_remedy_ends_once ON case_remedy_fact (remedy_id)
    WHERE fact IN ('refused', 'upheld', 'changed', 'revoked', 'declared_illegal', 'withdrawn');

-- Payments (缴款) and the plan of instalments (分期, 行政处罚法 66); append-only.
CREATE TABLE case_payment (
    payment_id  uuid        PRIMARY KEY,
    case_id     uuid        NOT NULL REFERENCES enforcement_case,
    amount_fen  bigint      NOT NULL,
    paid_time   timestamptz NOT NULL,
    receipt_no  text        NOT NULL,
    recorded_by text        NOT NULL,
    event_seq   int         NOT NULL, -- the line of the log by which it became known; paid_time may be long before
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_payment_once UNIQUE (case_id, receipt_no),
    CONSTRAINT case_payment_amount CHECK (amount_fen > 0)
);
CREATE TABLE case_instalment (
    case_id    uuid        NOT NULL,
    seq        int         NOT NULL,
    n          int         NOT NULL,
    due_time   timestamptz NOT NULL,
    amount_fen bigint      NOT NULL,
    CONSTRAINT case_instalment_pkey PRIMARY KEY (case_id, seq, n),
    CONSTRAINT case_instalment_of_event FOREIGN KEY (case_id, seq) REFERENCES case_event,
    CONSTRAINT case_instalment_amount CHECK (amount_fen > 0)
);

-- Evidence with its chain of custody (证据与保管链, 行政处罚法 46, 56); append-only.
CREATE TABLE case_evidence (
    evidence_id uuid        PRIMARY KEY,
    case_id     uuid        NOT NULL REFERENCES enforcement_case,
    kind        text        NOT NULL,
    title       text        NOT NULL,
    sha256      text        NOT NULL,
    registered  boolean     NOT NULL,
    created_at  timestamptz NOT NULL,
    CONSTRAINT case_evidence_kind CHECK (kind IN ('documentary', 'physical', 'audiovisual', 'electronic', 'testimony',
        'party_statement', 'expert_opinion', 'site_record')),
    CONSTRAINT case_evidence_hash CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
CREATE INDEX case_evidence_of ON case_evidence (case_id, created_at, evidence_id);
CREATE TABLE case_custody (
    evidence_id uuid        NOT NULL REFERENCES case_evidence,
    seq         int         NOT NULL,
    act         text        NOT NULL,
    from_holder text        NOT NULL,
    to_holder   text        NOT NULL,
    decision    text        NOT NULL DEFAULT '',
    actor       text        NOT NULL,
    link_time   timestamptz NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_custody_pkey PRIMARY KEY (evidence_id, seq),
    CONSTRAINT case_custody_act CHECK (act IN ('collected', 'moved', 'examined', 'returned', 'registration_decided')),
    CONSTRAINT case_custody_decision CHECK ((act = 'registration_decided') = (decision <> ''))
);
CREATE UNIQUE INDEX case_custody_decided_once ON case_custody (evidence_id) WHERE act = 'registration_decided';

-- Cases of before get the first line of their log: what they were when it began.
INSERT INTO case_event (case_id, seq, from_state, to_state, step, outcome, event_time, article)
SELECT case_id, 1, state, state, 'before', 'migrated', now(), '行政处罚法 第四十七条' FROM enforcement_case;

GRANT SELECT ON case_policy, case_clock_now TO enforcement;
GRANT SELECT, INSERT ON case_officer, case_recusal, case_event, case_proposal, case_penalty, case_clock, case_clock_act, case_effect,
    case_remedy, case_remedy_fact, case_payment, case_instalment, case_evidence, case_custody TO enforcement;
-- Only the log moves a case.
REVOKE UPDATE (state, notice_time, notice_task_id, close_time) ON enforcement_case FROM enforcement;
GRANT UPDATE (created_at) ON enforcement_case TO enforcement; -- SELECT ... FOR UPDATE asks for the right to one column

-- +goose Down
DROP VIEW case_clock_now;
DROP TABLE case_custody, case_evidence, case_instalment, case_payment, case_remedy_fact, case_remedy, case_effect, case_clock_act, case_clock,
    case_penalty, case_proposal, case_event, case_recusal, case_officer, case_policy;
ALTER TABLE case_decision
    DROP CONSTRAINT case_decision_three_people, DROP COLUMN procedure, DROP COLUMN proposal_seq, DROP COLUMN no_penalty_ground, DROP COLUMN document_id,
    ADD CONSTRAINT case_decision_three_people CHECK (proposed_by <> '' AND reviewed_by <> '' AND signed_by <> ''
        AND proposed_by <> reviewed_by AND reviewed_by <> signed_by AND proposed_by <> signed_by) NOT VALID;
ALTER TABLE case_notice DROP COLUMN method, DROP COLUMN proposal_seq, DROP COLUMN hearing_offered, DROP COLUMN document_id;
DROP INDEX enforcement_case_one_open;
CREATE UNIQUE INDEX enforcement_case_one_open ON enforcement_case (party_id, act) WHERE state <> 'CLOSED';
ALTER TABLE enforcement_case
    DROP COLUMN procedure, DROP COLUMN deliver_time, DROP COLUMN reverse_time, DROP COLUMN effective_outcome, DROP COLUMN transferred_to, DROP COLUMN reopened,
    DROP CONSTRAINT enforcement_case_state,
    ADD CONSTRAINT enforcement_case_state CHECK (state IN ('OPENED', 'INVESTIGATING', 'NOTICE_SERVED', 'DECIDED', 'CLOSED')) NOT VALID;
GRANT UPDATE (state, notice_time, notice_task_id, close_time) ON enforcement_case TO enforcement;
