-- Lists for licensed operators only, credit records for all others, proposed entries, repair, joint punishment, the feed.

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
    ('bad', 12, '^(miit|ca-[0-9]{2})$', true, '电信业务经营许可管理办法 第四十二条: 一年内未再受处罚的移出(待核)', true, '2014-03-15T00:00:00+08:00'),
    ('dishonest', 36, '^(miit|ca-[0-9]{2})$', true, '电信业务经营许可管理办法 第四十二条: 三年内未再受处罚的移出(待核); 2018年3月名单管理通知: 联合惩戒', true, '2014-03-15T00:00:00+08:00'),
    ('credit_record', 36, '.', true, '消费者权益保护法 第五十六条; 期限从信用修复管理办法', false, '2014-03-15T00:00:00+08:00');

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

-- Entries. state and what a state brings are written by the service; the guard below holds every move to the edges and
-- writes the log, so that nobody moves an entry without a trace.
ALTER TABLE listing
    DROP CONSTRAINT listing_list,
    DROP CONSTRAINT listing_ends_ordered,
    DROP CONSTRAINT listing_ends_bounded,
    ALTER COLUMN case_id DROP NOT NULL,
    ALTER COLUMN decided_time DROP NOT NULL,
    ALTER COLUMN earliest_end DROP NOT NULL,
    ALTER COLUMN latest_end DROP NOT NULL,
    ALTER COLUMN listed_time DROP NOT NULL,
    ALTER COLUMN listed_by DROP NOT NULL,
    ADD COLUMN state                text    NOT NULL DEFAULT 'PROPOSED',
    ADD COLUMN state_time           timestamptz,
    ADD COLUMN state_by             text    NOT NULL DEFAULT '',
    ADD COLUMN state_reason         text    NOT NULL DEFAULT '',
    ADD COLUMN state_task_id        uuid,
    ADD COLUMN state_article        text    NOT NULL DEFAULT '',
    ADD COLUMN ground_name          text    NOT NULL DEFAULT '',
    ADD COLUMN sector               text    NOT NULL DEFAULT '',
    ADD COLUMN outcome              text    NOT NULL DEFAULT '',
    ADD COLUMN statement_sealed     bytea,
    ADD COLUMN ground_time          timestamptz,
    ADD COLUMN entry_due            timestamptz,
    ADD COLUMN entry_proof          text    NOT NULL DEFAULT '',
    ADD COLUMN ends_proof           text,
    ADD COLUMN ends_to_confirm      boolean,
    ADD COLUMN statutory_earliest   timestamptz,
    ADD COLUMN statutory_latest     timestamptz,
    ADD COLUMN proposed_by          text,
    ADD COLUMN propose_time         timestamptz,
    ADD COLUMN reviewed_by          text,
    ADD COLUMN signed_by            text,
    ADD COLUMN notice_time          timestamptz,
    ADD COLUMN objection_until      timestamptz,
    ADD COLUMN notice_proof         text,
    ADD COLUMN rests_on             uuid    REFERENCES listing,
    ADD COLUMN publish_from         timestamptz,
    ADD COLUMN publication_id       text,
    ADD COLUMN not_published_because text,
    ADD COLUMN unpublish_time       timestamptz,
    ADD COLUMN end_time             timestamptz,
    ADD COLUMN lift_due             timestamptz;

-- The edges of an entry (名单条目状态).
CREATE TABLE listing_edge (
    from_state text NOT NULL,
    to_state   text NOT NULL,
    CONSTRAINT listing_edge_pkey PRIMARY KEY (from_state, to_state)
);
INSERT INTO listing_edge (from_state, to_state) VALUES
    ('PROPOSED', 'NOTIFIED'), ('PROPOSED', 'LISTED'), ('PROPOSED', 'WITHDRAWN'),
    ('NOTIFIED', 'LISTED'), ('NOTIFIED', 'WITHDRAWN'),
    ('LISTED', 'REPAIR_REQUESTED'), ('LISTED', 'EXPIRED'), ('LISTED', 'WITHDRAWN'),
    ('REPAIR_REQUESTED', 'LISTED'), ('REPAIR_REQUESTED', 'REMOVED'), ('REPAIR_REQUESTED', 'EXPIRED'), ('REPAIR_REQUESTED', 'WITHDRAWN'),
    -- a decision that is reversed takes back also what has ended
    ('REMOVED', 'WITHDRAWN'), ('EXPIRED', 'WITHDRAWN');

-- The log (日志), append-only; only the guard writes it.
CREATE TABLE listing_event (
    listing_id uuid        NOT NULL REFERENCES listing,
    seq        int         NOT NULL,
    from_state text        NOT NULL,
    to_state   text        NOT NULL,
    event_time timestamptz NOT NULL,
    by         text        NOT NULL,
    reason     text        NOT NULL,
    task_id    uuid,
    article    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_event_pkey PRIMARY KEY (listing_id, seq)
);

-- The feed (名单变更), append-only. IDs are given out under a lock that is held to the commit, so they become visible in
-- their order and a reader that saw one misses none before it.
CREATE TABLE listing_change (
    change_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id  uuid        NOT NULL REFERENCES listing,
    list        text        NOT NULL,
    state       text        NOT NULL,
    party_name  text        NOT NULL,
    credit_code text        NOT NULL,
    licence     text        NOT NULL,
    ground      text        NOT NULL,
    agency_id   text        NOT NULL,
    reason      text        NOT NULL,
    change_time timestamptz NOT NULL,
    latest_end  timestamptz,
    lift_due    timestamptz,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT listing_change_state CHECK (state IN ('LISTED', 'REMOVED', 'EXPIRED', 'WITHDRAWN'))
);

-- Who follows (订阅单位), and how far each is.
CREATE TABLE subscriber (
    agency_id  text        PRIMARY KEY,
    acked      bigint      NOT NULL,
    acked_time timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT subscriber_acked CHECK (acked >= 0)
);

-- Objections to a proposed entry (陈述申辩).
CREATE TABLE listing_objection (
    objection_id uuid        PRIMARY KEY,
    listing_id   uuid        NOT NULL REFERENCES listing,
    text_sealed  bytea       NOT NULL,
    filed_by     text        NOT NULL,
    file_time    timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'OPEN',
    task_id      uuid,
    reason_code  text        NOT NULL DEFAULT '',
    reply        text        NOT NULL DEFAULT '',
    decided_by   text        NOT NULL DEFAULT '',
    decide_time  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_objection_state CHECK (state IN ('OPEN', 'UPHELD', 'DISMISSED')),
    CONSTRAINT listing_objection_decided CHECK ((state = 'OPEN') = (decide_time IS NULL) AND (state = 'OPEN' OR decided_by <> ''))
);
CREATE UNIQUE INDEX listing_objection_open ON listing_objection (listing_id) WHERE state = 'OPEN';
CREATE INDEX listing_objection_of ON listing_objection (listing_id);

-- Applications for repair (信用修复).
CREATE TABLE repair (
    repair_id         uuid        PRIMARY KEY,
    listing_id        uuid        NOT NULL REFERENCES listing,
    state             text        NOT NULL DEFAULT 'FILED',
    applied_by        text        NOT NULL,
    on_behalf         boolean     NOT NULL,
    proofs            jsonb       NOT NULL,
    commitment_sealed bytea       NOT NULL,
    apply_time        timestamptz NOT NULL,
    due_time          timestamptz,
    clock_basis       text        NOT NULL DEFAULT '',
    clock_statutory   text        NOT NULL DEFAULT '',
    clock_proof       text        NOT NULL DEFAULT '',
    clock_provisional boolean     NOT NULL DEFAULT false,
    task_id           uuid,
    decided_by        text        NOT NULL DEFAULT '',
    decide_time       timestamptz,
    reason_code       text        NOT NULL DEFAULT '',
    reply             text        NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT repair_state CHECK (state IN ('FILED', 'REVIEWING', 'GRANTED', 'REFUSED', 'MOOT')),
    CONSTRAINT repair_proved CHECK (jsonb_array_length(proofs) > 0),
    CONSTRAINT repair_decided CHECK ((state IN ('GRANTED', 'REFUSED')) = (decided_by <> '') AND (state IN ('FILED', 'REVIEWING')) = (decide_time IS NULL)),
    -- who filed it does not grant it
    CONSTRAINT repair_other_person CHECK (state NOT IN ('GRANTED', 'REFUSED') OR decided_by <> applied_by)
);
CREATE UNIQUE INDEX repair_open ON repair (listing_id) WHERE state IN ('FILED', 'REVIEWING');
CREATE INDEX repair_newest ON repair (apply_time DESC, repair_id DESC);
CREATE INDEX repair_of ON repair (listing_id);

-- Joint punishment (联合惩戒): rows of each agency's own, append-only.
CREATE TABLE joint_measure (
    measure_id  uuid        PRIMARY KEY,
    listing_id  uuid        NOT NULL REFERENCES listing,
    agency_id   text        NOT NULL,
    measure     text        NOT NULL,
    basis       text        NOT NULL,
    begin_time  timestamptz NOT NULL,
    recorded_by text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT joint_measure_once UNIQUE (listing_id, agency_id, measure),
    CONSTRAINT joint_measure_based CHECK (measure <> '' AND basis <> '' AND agency_id <> '')
);
CREATE INDEX joint_measure_of_agency ON joint_measure (agency_id);
CREATE TABLE lifting (
    measure_id  uuid        PRIMARY KEY REFERENCES joint_measure,
    reason      text        NOT NULL,
    lift_time   timestamptz NOT NULL,
    recorded_by text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lifting_reasoned CHECK (reason <> '')
);

-- What there is so far. The telecom lists are for licensed operators: an entry without a licence is taken back, and its
-- penalty stands in the credit record instead.
UPDATE listing l SET state = 'LISTED', state_time = listed_time, state_by = listed_by, propose_time = listed_time, proposed_by = listed_by,
       ground_time = decided_time, statutory_earliest = earliest_end, statutory_latest = latest_end,
       ground_name = coalesce((SELECT g.name FROM listing_ground g WHERE g.list = l.list AND g.ground = l.ground ORDER BY g.valid_from DESC LIMIT 1), l.ground),
       entry_due = ((decided_time AT TIME ZONE 'Asia/Shanghai')::date + 31) AT TIME ZONE 'Asia/Shanghai', entry_proof = '30 cd (00002)',
       ends_proof = 'entered before the terms had a proof of their own', ends_to_confirm = true;
INSERT INTO listing_event (listing_id, seq, from_state, to_state, event_time, by, reason, article)
SELECT listing_id, n, (ARRAY['', 'PROPOSED'])[n], (ARRAY['PROPOSED', 'LISTED'])[n], listed_time, listed_by, '', '' FROM listing, generate_series(1, 2) n;
UPDATE listing l SET state = 'WITHDRAWN', state_time = w.withdrawn_time, state_by = w.withdrawn_by, state_reason = w.reason,
       end_time = w.withdrawn_time, lift_due = w.withdrawn_time + interval '3 days'
  FROM listing_withdrawal w WHERE w.listing_id = l.listing_id;
INSERT INTO listing (listing_id, list, ground, party_name, credit_code, case_id, agency_id, severity, decided_time, earliest_end, latest_end,
                     listed_time, listed_by, state, state_time, state_by, ground_name, sector, propose_time, proposed_by, ground_time,
                     statutory_earliest, statutory_latest, entry_due, entry_proof, ends_proof, ends_to_confirm)
SELECT gen_random_uuid(), 'credit_record', 'administrative_penalty', party_name, credit_code, case_id, agency_id, severity, decided_time, earliest_end,
       latest_end, listed_time, listed_by, 'LISTED', now(), 'migration', '受到行政处罚', 'unknown', listed_time, listed_by, ground_time,
       earliest_end, latest_end, entry_due, entry_proof, ends_proof, true
  FROM listing WHERE licence = '' AND state = 'LISTED' AND latest_end > now();
INSERT INTO listing_event (listing_id, seq, from_state, to_state, event_time, by, reason, article)
SELECT listing_id, n, (ARRAY['', 'PROPOSED'])[n], (ARRAY['PROPOSED', 'LISTED'])[n], state_time, state_by, '', '消费者权益保护法 第五十六条'
  FROM listing, generate_series(1, 2) n WHERE list = 'credit_record';
UPDATE listing SET state = 'WITHDRAWN', state_time = now(), state_by = 'migration', end_time = now(), lift_due = now() + interval '3 days',
       state_reason = '电信业务经营名单只列入持证的电信业务经营者, 转入信用记录', state_article = '电信业务经营许可管理办法 第四十二条'
 WHERE list <> 'credit_record' AND licence = '' AND state = 'LISTED';
INSERT INTO listing_event (listing_id, seq, from_state, to_state, event_time, by, reason, article)
SELECT listing_id, 3, 'LISTED', 'WITHDRAWN', state_time, state_by, state_reason, state_article FROM listing WHERE state = 'WITHDRAWN';
INSERT INTO listing_change (listing_id, list, state, party_name, credit_code, licence, ground, agency_id, reason, change_time, latest_end, lift_due)
SELECT l.listing_id, l.list, e.to_state, l.party_name, l.credit_code, l.licence, l.ground, l.agency_id, e.reason, e.event_time, l.latest_end,
       CASE WHEN e.to_state <> 'LISTED' THEN l.lift_due END
  FROM listing_event e JOIN listing l USING (listing_id) WHERE e.to_state IN ('LISTED', 'WITHDRAWN')
 ORDER BY e.event_time, e.listing_id, e.seq;
DROP VIEW violation;
DROP TABLE listing_withdrawal;

ALTER TABLE listing
    ALTER COLUMN state_time SET NOT NULL,
    ALTER COLUMN propose_time SET NOT NULL,
    ALTER COLUMN proposed_by SET NOT NULL,
    ADD CONSTRAINT listing_list CHECK (list IN ('bad', 'dishonest', 'credit_record')),
    ADD CONSTRAINT listing_state CHECK (state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED', 'REMOVED', 'EXPIRED', 'WITHDRAWN')),
    -- 许可管理办法 42: the telecom lists are for licensed operators
    ADD CONSTRAINT listing_licensed CHECK (list = 'credit_record' OR licence <> '' OR state = 'WITHDRAWN'),
    ADD CONSTRAINT listing_sector CHECK ((list = 'credit_record') = (sector <> '')),
    ADD CONSTRAINT listing_record_of_case CHECK (list <> 'credit_record' OR case_id IS NOT NULL),
    ADD CONSTRAINT listing_entered CHECK (state IN ('PROPOSED', 'NOTIFIED', 'WITHDRAWN') OR listed_time IS NOT NULL),
    ADD CONSTRAINT listing_whole CHECK (listed_time IS NULL OR (decided_time IS NOT NULL AND earliest_end IS NOT NULL AND latest_end IS NOT NULL
        AND listed_by IS NOT NULL AND ends_proof IS NOT NULL AND statutory_latest IS NOT NULL)),
    ADD CONSTRAINT listing_ends_ordered CHECK (listed_time IS NULL OR (decided_time <= earliest_end AND earliest_end <= latest_end)),
    -- 信用修复管理办法: nobody is listed longer than the class allows, and nobody for ever
    ADD CONSTRAINT listing_ends_bounded CHECK (listed_time IS NULL OR (isfinite(decided_time) AND isfinite(latest_end)
        AND greatest(latest_end, statutory_latest) <= decided_time + interval '1 day' + CASE severity WHEN 'minor' THEN interval '3 months'
            WHEN 'general' THEN interval '1 year' ELSE interval '3 years' END)),
    -- 拟办, 审核, 签发 by three people, unless a case has had its three
    ADD CONSTRAINT listing_three_people CHECK (listed_time IS NULL OR case_id IS NOT NULL OR (reviewed_by IS NOT NULL AND signed_by IS NOT NULL
        AND proposed_by <> reviewed_by AND proposed_by <> signed_by AND reviewed_by <> signed_by)),
    ADD CONSTRAINT listing_end_marked CHECK ((state IN ('REMOVED', 'EXPIRED', 'WITHDRAWN')) = (end_time IS NOT NULL)),
    ADD CONSTRAINT listing_published_once CHECK (unpublish_time IS NULL OR publication_id IS NOT NULL);
-- One live entry per firm, list and ground where no case tells two apart.
CREATE UNIQUE INDEX listing_one_live ON listing (credit_code, list, ground)
    WHERE case_id IS NULL AND state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED');
CREATE INDEX listing_of_case ON listing (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX listing_to_end ON listing (latest_end) WHERE state IN ('LISTED', 'REPAIR_REQUESTED');
CREATE INDEX listing_to_publish ON listing (publish_from) WHERE publication_id IS NULL AND not_published_because IS NULL AND publish_from IS NOT NULL;
CREATE INDEX listing_to_unpublish ON listing (end_time) WHERE publication_id IS NOT NULL AND unpublish_time IS NULL;
CREATE INDEX listing_proposed ON listing (propose_time, listing_id) WHERE state IN ('PROPOSED', 'NOTIFIED');
DROP INDEX listing_newest;
CREATE INDEX listing_newest ON listing (propose_time DESC, listing_id DESC);

-- The guard of every move. It runs with the owner's rights: the service itself cannot write the log or the feed.
-- +goose StatementBegin
CREATE FUNCTION listing_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    moving CONSTANT text[] := '{state,state_time,state_by,state_reason,state_task_id,state_article}';
    frozen text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'PROPOSED' OR NEW.listed_time IS NOT NULL OR NEW.end_time IS NOT NULL THEN
            RAISE EXCEPTION 'an entry begins as PROPOSED' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_begin';
        END IF;
        RETURN NEW;
    END IF;
    -- what was written once stays as it was written
    SELECT o.key INTO frozen FROM jsonb_each(to_jsonb(OLD)) o JOIN jsonb_each(to_jsonb(NEW)) n ON n.key = o.key
     WHERE o.key <> ALL (moving) AND o.value <> 'null' AND o.value <> n.value LIMIT 1;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION '% of an entry is written once', frozen USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_frozen';
    END IF;
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM listing_edge WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'an entry does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_edge';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'PROPOSED' AND NEW.case_id IS NULL THEN
        RAISE EXCEPTION 'nobody is listed unheard without a case' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_notice';
    END IF;
    IF NEW.state = 'LISTED' AND OLD.state = 'NOTIFIED' AND (NEW.objection_until IS NULL OR NEW.listed_time < NEW.objection_until
        OR EXISTS (SELECT 1 FROM listing_objection WHERE listing_id = NEW.listing_id AND state = 'OPEN')) THEN
        RAISE EXCEPTION 'the party has not been heard' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_heard';
    END IF;
    IF NEW.state = 'REMOVED' AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = NEW.listing_id AND r.state = 'GRANTED'
        AND r.apply_time >= NEW.earliest_end AND r.decided_by NOT IN (NEW.proposed_by, coalesce(NEW.reviewed_by, ''), coalesce(NEW.signed_by, ''))) THEN
        RAISE EXCEPTION 'no repair was granted by another person' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_repair';
    END IF;
    IF NEW.state = 'EXPIRED' AND NEW.state_time < NEW.latest_end THEN
        RAISE EXCEPTION 'the latest end has not come' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_early';
    END IF;
    IF NEW.state = 'WITHDRAWN' AND NEW.state_reason = '' THEN
        RAISE EXCEPTION 'a withdrawal has a reason' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'listing_guard_reasoned';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION listing_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.state = OLD.state THEN
            RETURN NULL;
        END IF;
        before := OLD.state;
    END IF;
    INSERT INTO listing_event (listing_id, seq, from_state, to_state, event_time, by, reason, task_id, article)
    SELECT NEW.listing_id, coalesce(max(seq), 0) + 1, before, NEW.state, NEW.state_time, NEW.state_by, NEW.state_reason, NEW.state_task_id, NEW.state_article
      FROM listing_event WHERE listing_id = NEW.listing_id;
    -- others act on what begins and on what ends; who was never listed concerns nobody
    IF NEW.listed_time IS NOT NULL AND (NEW.state IN ('REMOVED', 'EXPIRED', 'WITHDRAWN')
        OR NEW.state = 'LISTED' AND before IN ('PROPOSED', 'NOTIFIED')) THEN
        PERFORM pg_advisory_xact_lock(hashtext('listing_change'));
        INSERT INTO listing_change (listing_id, list, state, party_name, credit_code, licence, ground, agency_id, reason, change_time, latest_end, lift_due)
        VALUES (NEW.listing_id, NEW.list, NEW.state, NEW.party_name, NEW.credit_code, NEW.licence, NEW.ground, NEW.agency_id, NEW.state_reason,
                NEW.state_time, NEW.latest_end, NEW.lift_due);
        PERFORM pg_notify('listing_change', '');
    END IF;
    RETURN NULL;
END
$$;

-- A measure rests on an entry that stands, and on a list whose policy knows joint punishment.
CREATE FUNCTION joint_measure_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM listing WHERE listing_id = NEW.listing_id AND state IN ('LISTED', 'REPAIR_REQUESTED') FOR SHARE) THEN
        RAISE EXCEPTION 'a measure rests on an entry that stands' USING ERRCODE = 'restrict_violation', CONSTRAINT = 'joint_measure_guard';
    END IF;
    RETURN NEW;
END
$$;

-- A decision is made once.
CREATE FUNCTION decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.decide_time IS NOT NULL THEN
        RAISE EXCEPTION 'a row of % is decided once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation', CONSTRAINT = 'decided_once';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER listing_guard BEFORE INSERT OR UPDATE ON listing FOR EACH ROW EXECUTE FUNCTION listing_guard();
CREATE TRIGGER listing_log AFTER INSERT OR UPDATE ON listing FOR EACH ROW EXECUTE FUNCTION listing_log();
CREATE TRIGGER joint_measure_guard BEFORE INSERT ON joint_measure FOR EACH ROW EXECUTE FUNCTION joint_measure_guard();
CREATE TRIGGER repair_decided_once BEFORE UPDATE ON repair FOR EACH ROW EXECUTE FUNCTION decided_once();
CREATE TRIGGER listing_objection_decided_once BEFORE UPDATE ON listing_objection FOR EACH ROW EXECUTE FUNCTION decided_once();

-- What the constraints forbid, asked again without trusting them.
CREATE VIEW violation AS
    SELECT l.listing_id AS id, 'listing longer than the law allows for its severity'::text AS what
      FROM listing l
     WHERE l.listed_time IS NOT NULL AND (NOT isfinite(l.latest_end) OR l.latest_end > l.decided_time + CASE l.severity
           WHEN 'minor' THEN interval '3 months 1 day' WHEN 'general' THEN interval '1 year 1 day' ELSE interval '3 years 1 day' END)
    UNION ALL
    SELECT l.listing_id, 'listing on a ground that the policy did not have'
      FROM listing l
     WHERE l.state <> 'WITHDRAWN' AND NOT EXISTS (SELECT 1 FROM listing_ground g WHERE g.list = l.list AND g.ground = l.ground
           AND g.valid_from <= coalesce(l.decided_time, l.ground_time) AND (g.valid_to IS NULL OR g.valid_to > coalesce(l.decided_time, l.ground_time)))
    UNION ALL
    SELECT l.listing_id, 'on a telecom list without a licence (许可管理办法 42)'
      FROM listing l WHERE l.list <> 'credit_record' AND l.licence = '' AND l.state <> 'WITHDRAWN'
    UNION ALL
    SELECT l.listing_id, 'listed by fewer than three people and without a case'
      FROM listing l
     WHERE l.listed_time IS NOT NULL AND l.case_id IS NULL AND (l.reviewed_by IS NULL OR l.signed_by IS NULL
           OR l.proposed_by = l.reviewed_by OR l.proposed_by = l.signed_by OR l.reviewed_by = l.signed_by)
    UNION ALL
    SELECT l.listing_id, 'its state is not the last of its log'
      FROM listing l
     WHERE l.state IS DISTINCT FROM (SELECT e.to_state FROM listing_event e WHERE e.listing_id = l.listing_id ORDER BY e.seq DESC LIMIT 1)
    UNION ALL
    SELECT l.listing_id, 'two live entries for the same ground'
      FROM listing l JOIN listing m ON m.credit_code = l.credit_code AND m.list = l.list AND m.ground = l.ground AND m.listing_id > l.listing_id
       AND m.case_id IS NOT DISTINCT FROM l.case_id
     WHERE l.state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED') AND m.state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED')
    UNION ALL
    SELECT l.listing_id, 'it rests on an earlier entry that was withdrawn'
      FROM listing l JOIN listing e ON e.listing_id = l.rests_on
     WHERE l.state IN ('LISTED', 'REPAIR_REQUESTED') AND e.state = 'WITHDRAWN'
    UNION ALL
    SELECT l.listing_id, 'removed without a repair that another person granted'
      FROM listing l
     WHERE l.state = 'REMOVED' AND NOT EXISTS (SELECT 1 FROM repair r WHERE r.listing_id = l.listing_id AND r.state = 'GRANTED'
           AND r.decided_by NOT IN (l.proposed_by, coalesce(l.reviewed_by, ''), coalesce(l.signed_by, '')))
    UNION ALL
    SELECT r.listing_id, 'a repair is granted and the entry still stands'
      FROM repair r JOIN listing l USING (listing_id) WHERE r.state = 'GRANTED' AND l.state IN ('LISTED', 'REPAIR_REQUESTED')
    UNION ALL
    SELECT l.listing_id, 'a move of it is not in the feed'
      FROM listing l JOIN listing_event e USING (listing_id)
     WHERE l.listed_time IS NOT NULL AND e.to_state IN ('LISTED', 'REMOVED', 'EXPIRED', 'WITHDRAWN') AND e.from_state <> 'REPAIR_REQUESTED'
       AND NOT EXISTS (SELECT 1 FROM listing_change c WHERE c.listing_id = l.listing_id AND c.state = e.to_state);

GRANT SELECT, INSERT ON listing, listing_objection, repair, joint_measure, lifting, subscriber TO credit;
GRANT UPDATE (state, state_time, state_by, state_reason, state_task_id, state_article, decided_time, earliest_end, latest_end, listed_time,
    listed_by, ends_proof, ends_to_confirm, statutory_earliest, statutory_latest, reviewed_by, signed_by, notice_time, objection_until,
    notice_proof, publish_from, publication_id, not_published_because, unpublish_time, end_time, lift_due) ON listing TO credit;
GRANT UPDATE (state, task_id, reason_code, reply, decided_by, decide_time) ON listing_objection TO credit;
GRANT UPDATE (state, due_time, clock_basis, clock_statutory, clock_proof, clock_provisional, task_id, decided_by, decide_time, reason_code, reply)
    ON repair TO credit;
GRANT UPDATE (acked, acked_time) ON subscriber TO credit;
GRANT SELECT ON listing_event, listing_change, listing_edge, severity_term, penalty_severity, list_policy, dishonest_rule, violation TO credit;

-- +goose Down
DROP VIEW violation;
DROP TRIGGER listing_log ON listing;
DROP TRIGGER listing_guard ON listing;
DROP TABLE lifting, joint_measure, repair, listing_objection, subscriber, listing_change, listing_event, listing_edge;
DROP FUNCTION listing_log(), listing_guard(), joint_measure_guard(), decided_once();
CREATE TABLE listing_withdrawal (
    listing_id     uuid        PRIMARY KEY REFERENCES listing,
    reason         text        NOT NULL,
    withdrawn_by   text        NOT NULL,
    withdrawn_time timestamptz NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT listing_withdrawal_reasoned CHECK (reason <> '')
);
DELETE FROM listing WHERE rests_on IS NOT NULL;
DELETE FROM listing WHERE listed_time IS NULL OR case_id IS NULL OR list = 'credit_record';
INSERT INTO listing_withdrawal (listing_id, reason, withdrawn_by, withdrawn_time)
SELECT listing_id, state_reason, state_by, state_time FROM listing WHERE state = 'WITHDRAWN';
DROP INDEX listing_one_live, listing_of_case, listing_to_end, listing_to_publish, listing_to_unpublish, listing_proposed, listing_newest;
ALTER TABLE listing
    DROP CONSTRAINT listing_list, DROP CONSTRAINT listing_state, DROP CONSTRAINT listing_licensed, DROP CONSTRAINT listing_sector,
    DROP CONSTRAINT listing_record_of_case, DROP CONSTRAINT listing_entered, DROP CONSTRAINT listing_whole, DROP CONSTRAINT listing_ends_ordered,
    DROP CONSTRAINT listing_ends_bounded, DROP CONSTRAINT listing_three_people, DROP CONSTRAINT listing_end_marked, DROP CONSTRAINT listing_published_once,
    DROP COLUMN state, DROP COLUMN state_time, DROP COLUMN state_by, DROP COLUMN state_reason, DROP COLUMN state_task_id, DROP COLUMN state_article,
    DROP COLUMN ground_name, DROP COLUMN sector, DROP COLUMN outcome, DROP COLUMN statement_sealed, DROP COLUMN ground_time, DROP COLUMN entry_due,
    DROP COLUMN entry_proof, DROP COLUMN ends_proof, DROP COLUMN ends_to_confirm, DROP COLUMN statutory_earliest, DROP COLUMN statutory_latest,
    DROP COLUMN proposed_by, DROP COLUMN propose_time, DROP COLUMN reviewed_by, DROP COLUMN signed_by, DROP COLUMN notice_time,
    DROP COLUMN objection_until, DROP COLUMN notice_proof, DROP COLUMN rests_on, DROP COLUMN publish_from, DROP COLUMN publication_id,
    DROP COLUMN not_published_because, DROP COLUMN unpublish_time, DROP COLUMN end_time, DROP COLUMN lift_due,
    ALTER COLUMN case_id SET NOT NULL, ALTER COLUMN decided_time SET NOT NULL, ALTER COLUMN earliest_end SET NOT NULL,
    ALTER COLUMN latest_end SET NOT NULL, ALTER COLUMN listed_time SET NOT NULL, ALTER COLUMN listed_by SET NOT NULL,
    ADD CONSTRAINT listing_list CHECK (list IN ('bad', 'dishonest')),
    ADD CONSTRAINT listing_ends_ordered CHECK (decided_time <= earliest_end AND earliest_end <= latest_end AND listed_time < latest_end),
    ADD CONSTRAINT listing_ends_bounded CHECK (latest_end <= decided_time + interval '3 years 1 day');
CREATE INDEX listing_newest ON listing (listed_time DESC, listing_id DESC);
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
GRANT SELECT, INSERT ON listing_withdrawal TO credit;
CREATE VIEW violation AS
    SELECT l.listing_id AS id, 'listing longer than the law allows for its severity'::text AS what
      FROM listing l
     WHERE l.latest_end > l.decided_time + CASE l.severity WHEN 'minor' THEN interval '3 months 1 day'
           WHEN 'general' THEN interval '1 year 1 day' ELSE interval '3 years 1 day' END;
GRANT SELECT ON violation TO credit;
