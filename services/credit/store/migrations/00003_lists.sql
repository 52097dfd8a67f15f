-- Lists for licensed operators only, credit records for all others, proposed entries, repair, joint punishment, the feed.

-- +goose Up

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
    ADD COLUMN lift_due             timestamptz,
    ADD COLUMN penalty_public_until   timestamptz,
    ADD COLUMN penalty_public_because text,
    ADD COLUMN penalty_unpublish_time timestamptz;

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
    ADD CONSTRAINT listing_penalty_kept CHECK ((penalty_public_until IS NULL) = (penalty_public_because IS NULL)),
    ADD CONSTRAINT listing_published_once CHECK (unpublish_time IS NULL OR publication_id IS NOT NULL);
-- One live entry per firm, list and ground where no case tells two apart.
CREATE UNIQUE INDEX listing_one_live ON listing (credit_code, list, ground)
    WHERE case_id IS NULL AND state IN ('PROPOSED', 'NOTIFIED', 'LISTED', 'REPAIR_REQUESTED');
CREATE INDEX listing_of_case ON listing (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX listing_to_end ON listing (latest_end) WHERE state IN ('LISTED', 'REPAIR_REQUESTED');
CREATE INDEX listing_to_publish ON listing (publish_from) WHERE publication_id IS NULL AND not_published_because IS NULL AND publish_from IS NOT NULL;
CREATE INDEX listing_to_unpublish ON listing (end_time) WHERE publication_id IS NOT NULL AND unpublish_time IS NULL;
CREATE INDEX listing_penalty_to_unpublish ON listing (listing_id) WHERE state = 'REMOVED' AND case_id IS NOT NULL AND penalty_unpublish_time IS NULL;
CREATE INDEX listing_proposed ON listing (propose_time, listing_id) WHERE state IN ('PROPOSED', 'NOTIFIED');
DROP INDEX listing_newest;
CREATE INDEX listing_newest ON listing (propose_time DESC, listing_id DESC);

-- +goose Down
DROP TABLE lifting, joint_measure, repair, listing_objection, subscriber, listing_change, listing_event, listing_edge;
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
DROP INDEX listing_one_live, listing_of_case, listing_to_end, listing_to_publish, listing_to_unpublish, listing_penalty_to_unpublish, listing_proposed, listing_newest;
ALTER TABLE listing
    DROP CONSTRAINT listing_list, DROP CONSTRAINT listing_state, DROP CONSTRAINT listing_licensed, DROP CONSTRAINT listing_sector,
    DROP CONSTRAINT listing_record_of_case, DROP CONSTRAINT listing_entered, DROP CONSTRAINT listing_whole, DROP CONSTRAINT listing_ends_ordered,
    DROP CONSTRAINT listing_ends_bounded, DROP CONSTRAINT listing_three_people, DROP CONSTRAINT listing_end_marked, DROP CONSTRAINT listing_published_once,
    DROP CONSTRAINT listing_penalty_kept, DROP COLUMN penalty_public_until, DROP COLUMN penalty_public_because, DROP COLUMN penalty_unpublish_time,
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
GRANT SELECT, INSERT ON listing_withdrawal TO credit;
