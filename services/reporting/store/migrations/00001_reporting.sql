-- Reports (举报件) and the complaints (涉骚扰事项) they make up, with evidence, feedback and what reporters add later.
-- Numbers of reporters and called numbers, texts and raw rows stand here only sealed; reported numbers are keys.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- policy holds the figures of intake with valid time, so that one can be changed without a build (政策参数).
CREATE TABLE policy (
    code       text        NOT NULL,
    value      bigint      NOT NULL CONSTRAINT policy_value_not_negative CHECK (value >= 0),
    valid      tstzrange   NOT NULL DEFAULT tstzrange('2020-01-01', NULL),
    basis      text        NOT NULL, -- where the figure comes from
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT policy_one_at_a_time EXCLUDE USING gist (code WITH =, valid WITH &&)
);
INSERT INTO policy (code, value, basis) VALUES
    ('relapse_threshold', 3, 'programme: verified relapse reports while watching that re-open a complaint'),
    ('reopen_limit', 2, 'programme: ordinary re-openings; one more goes to the lead ministry, none after it'),
    ('same_call_seconds', 120, 'programme: same reporter, number and call time within this many seconds is one call'),
    ('call_age_days', 730, 'programme: oldest call that is taken in, counted back from the filing'),
    ('clock_skew_seconds', 600, 'programme: how far a sender''s clock may run ahead'),
    ('reveal_per_task', 20, 'programme: called numbers shown in clear for one task and day'),
    ('public_evidence_files', 5000, 'programme: files a day from people without an agency, per account; the anonymous share one'),
    ('public_evidence_bytes', 4294967296, 'programme: bytes a day from people without an agency, per account; the anonymous share one'),
    ('evidence_hold_days', 1095, 'programme: evidence is kept this long at least');

-- complaint is all reports about the same conduct of the same party. At most one lives per key. It keeps no counts of
-- its reports: filing takes a share of the row's lock and writes nothing to it, so that a number that everyone reports
-- is no bottleneck, and counts cannot disagree with the reports.
CREATE TABLE complaint (
    complaint_id          uuid        NOT NULL,
    key                   text,                 -- normal number, with area for 96 codes; NULL: opened without number
    displayed             text        NOT NULL, -- as the first reporter saw it
    number_normal         text        NOT NULL,
    number_kind           text        NOT NULL,
    number_province       text        NOT NULL DEFAULT '',
    number_carrier        text        NOT NULL DEFAULT '',
    number_reason         text        NOT NULL DEFAULT '',
    state                 text        NOT NULL DEFAULT 'RECEIVED',
    stage                 text        NOT NULL DEFAULT 'accept',
    round                 integer     NOT NULL DEFAULT 1,
    reopened              integer     NOT NULL DEFAULT 0,
    to_lead               boolean     NOT NULL DEFAULT false,
    relapse_count         integer     NOT NULL DEFAULT 0, -- of this watch, toward the threshold
    category              text        NOT NULL DEFAULT '',
    sector                text        NOT NULL DEFAULT '',
    result                text        NOT NULL DEFAULT '',
    forged                boolean     NOT NULL DEFAULT false,
    region_source         text        NOT NULL DEFAULT '',
    disclosure            text        NOT NULL DEFAULT '',
    office                text        NOT NULL DEFAULT '', -- public name of the office in charge of the stage
    due_time              timestamptz,
    created_at            timestamptz NOT NULL,
    round_time            timestamptz NOT NULL, -- when the round began: filing or re-opening
    state_time            timestamptz NOT NULL, -- when the state last changed
    updated_at            timestamptz NOT NULL,
    handled_time          timestamptz,
    watch_until           timestamptz,
    closed_time           timestamptz,
    previous_complaint_id uuid,
    CONSTRAINT complaint_pkey PRIMARY KEY (complaint_id),
    CONSTRAINT complaint_state CHECK (state IN ('RECEIVED', 'OPEN', 'WATCHING', 'CLOSED')),
    CONSTRAINT complaint_stage CHECK (stage IN ('accept', 'assign', 'number_check', 'fact_check', 'handle', 'feedback',
        'disclose', 'watch', 'closed')),
    CONSTRAINT complaint_stage_fits_state CHECK (CASE state
        WHEN 'RECEIVED' THEN stage = 'accept'
        WHEN 'WATCHING' THEN stage = 'watch'
        WHEN 'CLOSED' THEN stage = 'closed'
        ELSE stage NOT IN ('watch', 'closed') END),
    CONSTRAINT complaint_closed_has_time CHECK ((state = 'CLOSED') = (closed_time IS NOT NULL)),
    CONSTRAINT complaint_watch_has_end CHECK (state <> 'WATCHING' OR watch_until IS NOT NULL),
    CONSTRAINT complaint_round_counts_reopenings CHECK (round = reopened + 1),
    CONSTRAINT complaint_relapses CHECK (relapse_count >= 0),
    CONSTRAINT complaint_category CHECK (category IN ('', 'commercial', 'malicious', 'criminal')),
    CONSTRAINT complaint_previous_closed FOREIGN KEY (previous_complaint_id) REFERENCES complaint
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX complaint_one_live ON complaint (key) WHERE state <> 'CLOSED';
CREATE INDEX complaint_closed_key ON complaint (key, closed_time) WHERE state = 'CLOSED';
CREATE INDEX complaint_number ON complaint (number_normal);
CREATE INDEX complaint_waiting ON complaint (round_time, complaint_id) WHERE state = 'RECEIVED';

-- complaint_history says who changed what. Filing is not in it: the reports themselves are its record.
CREATE TABLE complaint_history (
    history_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    complaint_id uuid        NOT NULL REFERENCES complaint,
    round        integer     NOT NULL,
    actor        text        NOT NULL, -- subject of the token, or the workload that acted
    agency_id    text        NOT NULL DEFAULT '',
    what         text        NOT NULL CONSTRAINT history_what CHECK (what IN ('state', 'classified', 'forged', 'findings',
        'result', 'withdrawn', 'split', 'merged', 'linked')),
    old          text        NOT NULL DEFAULT '',
    new          text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL
);
CREATE INDEX complaint_history_of ON complaint_history (complaint_id);

-- complaint_party says which agencies take part and took part; every row-level right follows from a part that lasts.
CREATE TABLE complaint_party (
    party_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    complaint_id uuid        NOT NULL REFERENCES complaint,
    agency_id    text        NOT NULL,
    part         text        NOT NULL CONSTRAINT party_part CHECK (part IN ('lead', 'co', 'verifier', 'preserver', 'executor',
        'superior')),
    since_time   timestamptz NOT NULL,
    until_time   timestamptz, -- NULL while it lasts
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX complaint_party_once ON complaint_party (complaint_id, agency_id, part) WHERE until_time IS NULL;
CREATE INDEX complaint_party_agency ON complaint_party (agency_id, complaint_id) WHERE until_time IS NULL;
CREATE INDEX complaint_party_of ON complaint_party (complaint_id);

-- stage_entry is the timeline of a complaint, one row for each step reached in a round.
CREATE TABLE stage_entry (
    entry_id     uuid        NOT NULL PRIMARY KEY, -- in order of time
    complaint_id uuid        NOT NULL REFERENCES complaint,
    round        integer     NOT NULL,
    stage        text        NOT NULL,
    office       text        NOT NULL DEFAULT '', -- public name; empty where it must not be told
    due_time     timestamptz,
    reached_time timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stage_entry_of ON stage_entry (complaint_id, round);

-- report is one person's account of one call. The row is written once; classes, findings and withdrawal come later.
CREATE TABLE report (
    report_id         uuid        NOT NULL,
    complaint_id      uuid        NOT NULL,
    round             integer     NOT NULL, -- round in which it is handled: the one it joined, or re-opened
    receipt           text        NOT NULL,
    sender            text        NOT NULL,
    sender_no         text        NOT NULL,
    content_hash      bytea       NOT NULL, -- keyed MAC of the raw row
    channel           text        NOT NULL,
    displayed         text        NOT NULL,
    call_time         timestamptz NOT NULL,
    duration_seconds  integer     NOT NULL,
    method            text        NOT NULL,
    reported_type     text        NOT NULL,
    company           text        NOT NULL,
    reporter_province text        NOT NULL,
    consent           smallint    NOT NULL,
    verified          boolean     NOT NULL,
    privacy_notice    text        NOT NULL,
    filed_time        timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    reporter_index    bytea       NOT NULL, -- keyed MAC of the reporter's number
    reporter_operator text        NOT NULL, -- agency ID of the operator to which that number's segment is allocated
    sealed            bytea       NOT NULL, -- reporter's and called number, text, raw row
    same_call_as      uuid,
    relapse           boolean     NOT NULL DEFAULT false, -- told of a call after the handling, while watching
    category          text        NOT NULL DEFAULT '',
    sector            text        NOT NULL DEFAULT '',
    classified        boolean     NOT NULL DEFAULT false, -- also when the class came out empty
    confidence        real        NOT NULL DEFAULT 0,
    finding           text        NOT NULL DEFAULT '',
    finding_reason    text        NOT NULL DEFAULT '',
    finding_task      text        NOT NULL DEFAULT '',
    withdrawn_at      timestamptz,
    request_key       uuid, -- of a typed report: hash of the request ID and who sent it, so that a repeat is known
    joined            boolean     NOT NULL DEFAULT false, -- of a typed report: what its sender was told
    CONSTRAINT report_pkey PRIMARY KEY (report_id),
    CONSTRAINT report_receipt UNIQUE (receipt),
    CONSTRAINT report_sent_once UNIQUE (sender, sender_no),
    CONSTRAINT report_has_complaint FOREIGN KEY (complaint_id) REFERENCES complaint,
    CONSTRAINT report_consent CHECK (consent IN (0, 1, 2)),
    CONSTRAINT report_finding CHECK (finding IN ('', 'substantiated', 'not_substantiated', 'no_evidence', 'not_checked'))
);
CREATE UNIQUE INDEX report_request ON report (request_key) WHERE request_key IS NOT NULL; -- rows of batches pay nothing
-- also finds the same call told twice
CREATE INDEX report_of_complaint ON report (complaint_id, reporter_index);
CREATE INDEX report_taken_in ON report USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);

-- row_header keeps the header of a file once, to read its quarantined rows again.
CREATE TABLE row_header (
    header_hash bytea       NOT NULL PRIMARY KEY,
    header      bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- quarantine holds rows that wait for a person: unusable ones, and conflicts with what was sent before.
CREATE TABLE quarantine (
    quarantine_id uuid        NOT NULL PRIMARY KEY, -- in order of time
    sender        text        NOT NULL,
    sender_no     text        NOT NULL, -- empty where it could not be read
    content_hash  bytea       NOT NULL,
    fate          text        NOT NULL CONSTRAINT quarantine_fate CHECK (fate IN ('quarantined', 'conflict')),
    field         text        NOT NULL,
    reason        text        NOT NULL,
    state         text        NOT NULL DEFAULT 'open' CONSTRAINT quarantine_state CHECK (state IN ('open', 'repaired', 'dismissed')),
    report_id     uuid        REFERENCES report, -- that resolved it
    first_id      uuid        REFERENCES report, -- of a conflict: the report that stands
    format        text        NOT NULL,
    header_hash   bytea       REFERENCES row_header, -- NULL for a typed report
    line          integer     NOT NULL,
    sealed        bytea       NOT NULL, -- the raw row
    created_at    timestamptz NOT NULL,
    resolved_by   text        NOT NULL DEFAULT '',
    resolved_why  text        NOT NULL DEFAULT '',
    resolved_at   timestamptz,
    CONSTRAINT quarantine_once UNIQUE (sender, sender_no, content_hash),
    CONSTRAINT quarantine_resolved CHECK ((state = 'open') = (resolved_at IS NULL)),
    CONSTRAINT quarantine_repaired_by CHECK (state <> 'repaired' OR report_id IS NOT NULL)
);
CREATE INDEX quarantine_by_state ON quarantine (state, quarantine_id);

-- feedback is what reporters are told: one row a report, round and stage. It is also a change feed for the senders.
CREATE TABLE feedback (
    feedback_id  uuid        NOT NULL PRIMARY KEY,
    report_id    uuid        NOT NULL REFERENCES report,
    round        integer     NOT NULL,
    stage        text        NOT NULL CONSTRAINT feedback_stage CHECK (stage IN ('accepted', 'not_accepted', 'supplement_asked',
        'assigned', 'checked', 'measure', 'result', 'reopened', 'watching')),
    code         text        NOT NULL DEFAULT '',
    text         text        NOT NULL,
    sender       text        NOT NULL, -- of the report, to which the feed goes
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at   timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text     NOT NULL DEFAULT '',
    CONSTRAINT feedback_once UNIQUE (report_id, round, stage)
);
CREATE INDEX feedback_feed ON feedback (sender, xid, feedback_id);

-- round_feedback is what the reports of a round were told together, for those that join later.
CREATE TABLE round_feedback (
    complaint_id uuid        NOT NULL REFERENCES complaint,
    round        integer     NOT NULL,
    stage        text        NOT NULL,
    code         text        NOT NULL,
    text         text        NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT round_feedback_pkey PRIMARY KEY (complaint_id, round, stage)
);

-- evidence describes a stored file; its content lies sealed in the blob store under its ID.
CREATE TABLE evidence (
    evidence_id  uuid        NOT NULL PRIMARY KEY,
    complaint_id uuid        REFERENCES complaint,
    kind         text        NOT NULL CONSTRAINT evidence_kind CHECK (kind IN ('recording', 'screenshot', 'call_record', 'document')),
    media_type   text        NOT NULL,
    size_bytes   bigint      NOT NULL CONSTRAINT evidence_size CHECK (size_bytes > 0),
    sha256       bytea       NOT NULL,
    blob_key     text        NOT NULL,
    hold_until   timestamptz NOT NULL,
    agency_id    text        NOT NULL DEFAULT '',
    put_by       text        NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX evidence_of ON evidence (complaint_id);

-- evidence_quota counts what people without an agency put in a day.
CREATE TABLE evidence_quota (
    day    timestamptz NOT NULL, -- its beginning in Asia/Shanghai
    put_by text        NOT NULL,
    files  bigint      NOT NULL,
    bytes  bigint      NOT NULL,
    CONSTRAINT evidence_quota_pkey PRIMARY KEY (day, put_by)
);

-- evidence_log is the custody log: who put, read or attached a file, and why.
CREATE TABLE evidence_log (
    log_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    evidence_id uuid        NOT NULL REFERENCES evidence,
    deed        text        NOT NULL CONSTRAINT evidence_deed CHECK (deed IN ('put', 'read', 'attached')),
    actor       text        NOT NULL,
    agency_id   text        NOT NULL DEFAULT '',
    purpose     text        NOT NULL DEFAULT '',
    request_id  uuid        NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX evidence_log_of ON evidence_log (evidence_id);

-- report_evidence names the files handed in with a report.
CREATE TABLE report_evidence (
    report_id   uuid        NOT NULL REFERENCES report,
    evidence_id uuid        NOT NULL REFERENCES evidence,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT report_evidence_pkey PRIMARY KEY (report_id, evidence_id)
);

-- supplement is what a reporter added later.
CREATE TABLE supplement (
    supplement_id uuid        NOT NULL PRIMARY KEY,
    report_id     uuid        NOT NULL REFERENCES report,
    complaint_id  uuid        NOT NULL REFERENCES complaint,
    round         integer     NOT NULL,
    sealed        bytea       NOT NULL, -- the text
    created_at    timestamptz NOT NULL
);
CREATE INDEX supplement_of ON supplement (complaint_id, round);

-- follow_up is a reporter's answer to the question whether it stopped, once a round.
CREATE TABLE follow_up (
    report_id  uuid        NOT NULL REFERENCES report,
    round      integer     NOT NULL,
    stopped    boolean     NOT NULL,
    reopened   boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT follow_up_once PRIMARY KEY (report_id, round)
);

-- reveal records each called number shown in clear.
CREATE TABLE reveal (
    reveal_id  uuid        NOT NULL PRIMARY KEY,
    report_id  uuid        NOT NULL REFERENCES report,
    task_id    uuid        NOT NULL,
    agency_id  text        NOT NULL,
    subject    text        NOT NULL,
    purpose    text        NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX reveal_of_task ON reveal (task_id, created_at);

GRANT SELECT ON policy TO reporting;
GRANT SELECT, INSERT, UPDATE ON complaint, report, quarantine, round_feedback, evidence_quota TO reporting;
GRANT SELECT, INSERT ON complaint_party TO reporting;
GRANT UPDATE (until_time) ON complaint_party TO reporting;
GRANT SELECT, INSERT ON complaint_history, row_header, report_evidence, supplement, follow_up, reveal, evidence_log TO reporting;
GRANT SELECT, INSERT ON stage_entry, feedback, evidence TO reporting;
GRANT UPDATE (office, due_time) ON stage_entry TO reporting;
GRANT UPDATE (acknowledged_at, acknowledged_by) ON feedback TO reporting;
GRANT UPDATE (complaint_id, hold_until) ON evidence TO reporting;

-- +goose Down
DROP TABLE reveal, follow_up, supplement, report_evidence, evidence_log, evidence_quota, evidence, round_feedback, feedback, quarantine, row_header, report,
    stage_entry, complaint_party, complaint_history, complaint, policy;
