-- Warnings, recalls with their public notice, appeals: what restricts a resource and what can be done against it.

-- +goose Up

-- An event names the state that it leads to where its kind alone does not: where a recall was abandoned, a wrong act was
-- corrected, or something happened while a recall is announced. What state a resource is in is read from the last event
-- that has one.
ALTER TABLE resource_event
    ADD COLUMN state_given       text,
    ADD COLUMN corrects_event_id bigint CONSTRAINT resource_event_corrects REFERENCES resource_event,
    ADD COLUMN recall_id         uuid,
    ADD COLUMN appeal_id         uuid,
    -- NULL for what says nothing of the state, such as a change of purpose
    ADD COLUMN state             text GENERATED ALWAYS AS (coalesce(state_given, CASE event
        WHEN 'allocated' THEN 'ACTIVE'
        WHEN 'resumed' THEN 'ACTIVE'
        WHEN 'warned' THEN 'WARNED'
        WHEN 'suspended' THEN 'SUSPENDED'
        WHEN 'recall_noticed' THEN 'RECALL_NOTICE'
        WHEN 'recalled' THEN 'RECALLED'
        WHEN 'ended' THEN 'ENDED' END)) STORED,
    DROP CONSTRAINT resource_event_known,
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'warned', 'suspended', 'resumed', 'recall_noticed',
        'recall_abandoned', 'recalled', 'purpose_changed', 'allocation_corrected', 'corrected', 'ended')),
    ADD CONSTRAINT resource_event_state CHECK (state IN ('ACTIVE', 'WARNED', 'SUSPENDED', 'RECALL_NOTICE', 'RECALLED', 'ENDED')),
    DROP CONSTRAINT resource_event_suspension_grounded,
    -- 反电信网络诈骗法 32: the restricted party learns why, on what basis, and what it can do
    ADD CONSTRAINT resource_event_restriction_grounded CHECK (event NOT IN ('warned', 'suspended')
        OR (reason_code <> '' AND basis <> '' AND nature <> '' AND prior_notice <> '' AND remedy <> '')),
    -- an order takes a resource out of service by a signed decision; an operator does by its contract
    ADD CONSTRAINT resource_event_order_decided CHECK (event <> 'suspended' OR task_id IS NOT NULL OR nature = 'operator_measure'),
    ADD CONSTRAINT resource_event_correction CHECK (corrects_event_id IS NULL OR (event = 'corrected' AND appeal_id IS NOT NULL)),
    ADD CONSTRAINT resource_event_of_recall CHECK (event NOT IN ('recall_noticed', 'recall_abandoned') OR recall_id IS NOT NULL);
-- an act is corrected once, however many appeals against it are upheld
CREATE UNIQUE INDEX resource_event_corrected_once ON resource_event (corrects_event_id) WHERE corrects_event_id IS NOT NULL;
CREATE INDEX resource_event_restrictions ON resource_event (event_id DESC) WHERE event IN ('warned', 'suspended', 'closed');
CREATE INDEX resource_event_of_recalls ON resource_event (resource_id) WHERE event IN ('recall_noticed', 'recalled');
GRANT INSERT (state_given, corrects_event_id, recall_id, appeal_id) ON resource_event TO ledger;

-- For what a resource may be taken back (收回事由), data with valid time. to_confirm: the basis or its reading waits for a
-- lawyer. after_restriction: only from who was warned or suspended before and did not mend its ways (经警示或暂停仍不改正).
CREATE TABLE recall_ground (
    code       text        NOT NULL,
    name       text        NOT NULL,
    basis      text        NOT NULL,
    source     text        NOT NULL,
    to_confirm boolean     NOT NULL,
    after_restriction boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to   timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recall_ground_pkey PRIMARY KEY (code, valid_from),
    CONSTRAINT recall_ground_worded CHECK (code <> '' AND name <> '' AND basis <> '' AND source <> ''),
    CONSTRAINT recall_ground_valid_ordered CHECK (valid_to IS NULL OR valid_from < valid_to),
    CONSTRAINT recall_ground_one_at_a_time EXCLUDE USING gist (code WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO recall_ground (code, name, basis, source, to_confirm, after_restriction, valid_from) VALUES
    ('transferred', '擅自转让、出租码号资源', '电信条例 第二十八条', '电信条例 第二十八条; 收回条文待确认', true, false, '2014-08-15T00:00:00+08:00'),
    ('purpose_changed', '擅自改变码号资源用途', '电信条例 第二十八条', '电信条例 第二十八条; 收回条文待确认', true, false, '2014-08-15T00:00:00+08:00'),
    ('unused', '逾期未启用码号资源', '电信网码号资源管理办法', '电信网码号资源管理办法; 收回条文待确认', true, false, '2014-08-15T00:00:00+08:00'),
    ('unlicensed', '无证或超范围经营', '电信条例 第七条', '综合整治骚扰电话专项行动方案; 收回条文待确认', true, false, '2018-07-01T00:00:00+08:00'),
    ('harassment', '使用码号资源实施骚扰, 经警示或暂停仍不改正', '综合整治骚扰电话专项行动方案', 'programme: 综合整治骚扰电话专项行动方案; 收回依据待确认', true, true, '2018-07-01T00:00:00+08:00');

-- A recall (收回) of a resource: proposed, reviewed and signed by three people, announced, and after its term carried out,
-- unless an objection stands.
CREATE TABLE recall (
    recall_id           uuid        PRIMARY KEY,
    resource_id         uuid        NOT NULL REFERENCES resource,
    holder_id           uuid        NOT NULL REFERENCES holder,
    access_operator_id  text        NOT NULL,
    agency_id           text        NOT NULL,
    reason_code         text        NOT NULL,
    basis               text        NOT NULL,
    statement           text        NOT NULL,
    state               text        NOT NULL DEFAULT 'PROPOSED',
    proposed_by         text        NOT NULL,
    propose_time        timestamptz NOT NULL,
    former_state        text        NOT NULL DEFAULT '',
    signing_task_id     uuid,
    publication_id      uuid,
    notice_time         timestamptz,
    notice_until        timestamptz,
    clock_basis         text        NOT NULL DEFAULT '',
    clock_statutory_due text        NOT NULL DEFAULT '',
    clock_proof         text        NOT NULL DEFAULT '',
    clock_provisional   boolean     NOT NULL DEFAULT false,
    end_time            timestamptz,
    end_reason          text        NOT NULL DEFAULT '',
    end_task_id         uuid,
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recall_state CHECK (state IN ('PROPOSED', 'REVIEWING', 'REJECTED', 'NOTICE', 'ABANDONED', 'RECALLED')),
    CONSTRAINT recall_worded CHECK (agency_id <> '' AND reason_code <> '' AND basis <> '' AND statement <> '' AND proposed_by <> ''),
    CONSTRAINT recall_signed CHECK (state IN ('PROPOSED', 'REVIEWING', 'REJECTED') OR signing_task_id IS NOT NULL),
    CONSTRAINT recall_announced CHECK (state IN ('PROPOSED', 'REVIEWING', 'REJECTED') OR (publication_id IS NOT NULL
        AND notice_time < notice_until AND clock_proof <> '' AND former_state <> '')),
    CONSTRAINT recall_ended CHECK ((state IN ('REJECTED', 'ABANDONED', 'RECALLED')) = (end_time IS NOT NULL)),
    CONSTRAINT recall_ended_by_a_person CHECK (state NOT IN ('REJECTED', 'ABANDONED') OR end_task_id IS NOT NULL),
    CONSTRAINT recall_after_its_term CHECK (state <> 'RECALLED' OR end_time >= notice_until)
);
CREATE UNIQUE INDEX recall_one_open ON recall (resource_id) WHERE state IN ('PROPOSED', 'REVIEWING', 'NOTICE');
CREATE INDEX recall_unstarted ON recall (propose_time, recall_id) WHERE state = 'PROPOSED';
CREATE INDEX recall_newest ON recall (propose_time DESC, recall_id DESC);
CREATE INDEX recall_of_resource ON recall (resource_id, propose_time DESC);
CREATE INDEX recall_of_holder ON recall (holder_id, propose_time DESC);

-- What the holder says against it (异议), one open at a time.
CREATE TABLE recall_objection (
    objection_id uuid        PRIMARY KEY,
    recall_id    uuid        NOT NULL REFERENCES recall,
    text         text        NOT NULL,
    objected_by  text        NOT NULL,
    object_time  timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'OPEN',
    task_id      uuid,
    reason_code  text        NOT NULL DEFAULT '',
    reply        text        NOT NULL DEFAULT '',
    decided_time timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recall_objection_state CHECK (state IN ('OPEN', 'UPHELD', 'DISMISSED')),
    CONSTRAINT recall_objection_worded CHECK (text <> '' AND objected_by <> ''),
    CONSTRAINT recall_objection_answered CHECK ((state = 'OPEN') = (task_id IS NULL) AND (state = 'OPEN') = (decided_time IS NULL)
        AND (state = 'OPEN' OR (reason_code <> '' AND reply <> '')))
);
CREATE UNIQUE INDEX recall_objection_one_open ON recall_objection (recall_id) WHERE state = 'OPEN';
CREATE INDEX recall_objection_of_recall ON recall_objection (recall_id, object_time);

-- An appeal (申诉) against a warning, a suspension or the closing of a line. disposition_task_id is the task whose decision had ordered it: what an
-- appeal upheld discounts (申诉核减).
CREATE TABLE appeal (
    appeal_id           uuid        PRIMARY KEY,
    event_id            bigint      NOT NULL REFERENCES resource_event,
    resource_id         uuid        NOT NULL REFERENCES resource,
    restriction         text        NOT NULL,
    nature              text        NOT NULL,
    appellant           text        NOT NULL,
    holder_id           uuid        NOT NULL REFERENCES holder,
    access_operator_id  text        NOT NULL,
    reference           text        NOT NULL DEFAULT '',
    filed_agency_id     text        NOT NULL DEFAULT '',
    filed_by            text        NOT NULL,
    statement           text        NOT NULL,
    file_time           timestamptz NOT NULL,
    state               text        NOT NULL DEFAULT 'FILED',
    agency_id           text        NOT NULL DEFAULT '',
    executor_agency_id  text        NOT NULL DEFAULT '',
    disposition_task_id uuid,
    clock_basis         text        NOT NULL,
    clock_statutory_due text        NOT NULL,
    clock_proof         text        NOT NULL,
    clock_provisional   boolean     NOT NULL,
    deciding_task_id    uuid,
    reason_code         text        NOT NULL DEFAULT '',
    reply               text        NOT NULL DEFAULT '',
    decided_time        timestamptz,
    correcting_event_id bigint      REFERENCES resource_event,
    restore             boolean     NOT NULL DEFAULT false,
    restoring_task_id   uuid,
    restored_time       timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT appeal_state CHECK (state IN ('FILED', 'REVIEWING', 'DISMISSED', 'UPHELD', 'RESTORED')),
    CONSTRAINT appeal_restriction CHECK (restriction IN ('warned', 'suspended', 'closed')),
    CONSTRAINT appeal_nature CHECK (nature IN ('operator_measure', 'administrative_order')),
    CONSTRAINT appeal_appellant CHECK (appellant IN ('holder', 'subscriber')),
    CONSTRAINT appeal_of_a_subscriber CHECK (appellant = 'holder' OR filed_agency_id <> ''),
    CONSTRAINT appeal_worded CHECK (statement <> '' AND filed_by <> '' AND clock_proof <> ''),
    CONSTRAINT appeal_has_a_decider CHECK (state = 'FILED' OR agency_id <> ''),
    CONSTRAINT appeal_answered CHECK ((state IN ('FILED', 'REVIEWING')) = (deciding_task_id IS NULL)
        AND (deciding_task_id IS NULL OR (decided_time IS NOT NULL AND reason_code <> '' AND reply <> ''))),
    CONSTRAINT appeal_upheld_corrects CHECK ((state IN ('UPHELD', 'RESTORED')) = (correcting_event_id IS NOT NULL)),
    CONSTRAINT appeal_restored_by CHECK ((state = 'RESTORED') = (restoring_task_id IS NOT NULL)
        AND (state = 'RESTORED') = (restored_time IS NOT NULL))
);
-- each appellant has an appeal of its own: a subscriber's is known by the number that the centre which took it in gave it
CREATE UNIQUE INDEX appeal_one_open ON appeal (event_id, appellant, holder_id, filed_agency_id, reference) WHERE state IN ('FILED', 'REVIEWING');
CREATE INDEX appeal_of_event ON appeal (event_id, file_time DESC);
CREATE INDEX appeal_unstarted ON appeal (file_time, appeal_id) WHERE state = 'FILED';
CREATE INDEX appeal_newest ON appeal (file_time DESC, appeal_id DESC);
CREATE INDEX appeal_of_disposition ON appeal (disposition_task_id) WHERE correcting_event_id IS NOT NULL;

GRANT SELECT ON recall_ground, recall, recall_objection, appeal TO ledger;
GRANT INSERT ON recall, recall_objection, appeal TO ledger;
GRANT UPDATE (state, former_state, signing_task_id, publication_id, notice_time, notice_until, clock_basis, clock_statutory_due,
    clock_proof, clock_provisional, end_time, end_reason, end_task_id) ON recall TO ledger;
GRANT UPDATE (state, task_id, reason_code, reply, decided_time) ON recall_objection TO ledger;
GRANT UPDATE (state, agency_id, executor_agency_id, deciding_task_id, reason_code, reply, decided_time, correcting_event_id,
    restore, restoring_task_id, restored_time) ON appeal TO ledger;

-- +goose Down
DROP TABLE appeal, recall_objection, recall, recall_ground;
DROP INDEX resource_event_corrected_once, resource_event_restrictions, resource_event_of_recalls;
ALTER TABLE resource_event
    DROP COLUMN state, DROP COLUMN state_given, DROP COLUMN corrects_event_id, DROP COLUMN recall_id, DROP COLUMN appeal_id,
    DROP CONSTRAINT resource_event_restriction_grounded, DROP CONSTRAINT resource_event_order_decided,
    DROP CONSTRAINT resource_event_known,
    ADD CONSTRAINT resource_event_known CHECK (event IN ('allocated', 'suspended', 'resumed', 'recalled', 'purpose_changed',
        'allocation_corrected', 'ended')),
    ADD CONSTRAINT resource_event_suspension_grounded CHECK (event <> 'suspended' OR (reason_code <> '' AND basis <> ''
        AND nature <> '' AND prior_notice <> '' AND remedy <> '' AND task_id IS NOT NULL));
