-- What assignment owns: the directory of agencies, policy values, routing tables, tasks with their decisions and feed.

-- +goose Up
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- province is the administrative divisions that agencies and branches belong to (GB/T 2260, first two digits).
CREATE TABLE province (
    code       text        NOT NULL CONSTRAINT province_pk PRIMARY KEY CONSTRAINT province_code CHECK (code ~ '^[0-9]{2}$'),
    name       text        NOT NULL,
    form       text        NOT NULL CONSTRAINT province_form CHECK (form IN ('municipality', 'province', 'region')),
    source     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- agency is one body under one name for a time. A renamed body keeps its id and gets a new row; a body that another
-- one succeeds in function names it in successor_id.
CREATE TABLE agency (
    agency_id    text        NOT NULL CONSTRAINT agency_id_form CHECK (agency_id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    valid        tstzrange   NOT NULL CONSTRAINT agency_valid CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
    name         text        NOT NULL,
    name_en      text        NOT NULL DEFAULT '',
    kind         text        NOT NULL CONSTRAINT agency_kind CHECK (kind IN ('ministry', 'provincial_administration',
        'provincial_body', 'operator', 'operator_branch', 'resale_operator', 'police', 'centre', 'observer', 'association')),
    superior_id  text        CONSTRAINT agency_not_its_own_superior CHECK (superior_id <> agency_id),
    province     text        CONSTRAINT agency_province REFERENCES province (code),
    sectors      text[]      NOT NULL DEFAULT '{}',
    assignable   boolean     NOT NULL,
    successor_id text,
    host_ids     text[]      NOT NULL DEFAULT '{}',
    source       text        NOT NULL CONSTRAINT agency_has_source CHECK (source <> ''),
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT agency_one_name_at_a_time EXCLUDE USING gist (agency_id WITH =, valid WITH &&)
);
COMMENT ON COLUMN agency.host_ids IS 'for resale operators: the operators whose networks they resell, main one first';

-- directory_revision counts the changes of the directory, so that readers know when their copy is old.
CREATE TABLE directory_revision (
    one        boolean NOT NULL DEFAULT true CONSTRAINT directory_revision_one PRIMARY KEY CHECK (one),
    revision   bigint  NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO directory_revision (revision) VALUES (1);

-- +goose StatementBegin
CREATE FUNCTION directory_changed() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE directory_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE ON agency
    FOR EACH STATEMENT EXECUTE FUNCTION directory_changed();

-- policy is a value with valid time: what a programme decides and may decide otherwise.
CREATE TABLE policy (
    name       text        NOT NULL,
    valid      tstzrange   NOT NULL CONSTRAINT policy_valid CHECK (NOT isempty(valid)),
    value      double precision NOT NULL,
    unit       text        NOT NULL,
    source     text        NOT NULL CONSTRAINT policy_has_source CHECK (source <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT policy_one_value_at_a_time EXCLUDE USING gist (name WITH =, valid WITH &&)
);

-- routing_table is a version of the decision table; the newest that is valid decides. Versions are never changed.
CREATE TABLE routing_table (
    version    text        NOT NULL CONSTRAINT routing_table_version PRIMARY KEY,
    valid_from timestamptz NOT NULL CONSTRAINT routing_table_valid_from UNIQUE,
    loaded_by  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE routing_rule (
    version    text     NOT NULL CONSTRAINT routing_rule_table REFERENCES routing_table (version),
    ordinal    integer  NOT NULL CONSTRAINT routing_rule_ordinal CHECK (ordinal > 0),
    rule_id    text     NOT NULL,
    condition  text     NOT NULL,
    lead       text     NOT NULL,
    co         text[]   NOT NULL DEFAULT '{}',
    verifier   text     NOT NULL DEFAULT '',
    source     text     NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT routing_rule_order PRIMARY KEY (version, ordinal),
    CONSTRAINT routing_rule_once UNIQUE (version, rule_id)
);

-- task is one step that one agency must do by a deadline. Codes only: no number, no text, no person but who claimed it.
CREATE TABLE task (
    task_id             uuid        NOT NULL CONSTRAINT task_pk PRIMARY KEY,
    subject_kind        text        NOT NULL,
    subject_id          uuid        NOT NULL,
    workflow_id         text        NOT NULL,
    round               integer     NOT NULL DEFAULT 0,
    step                text        NOT NULL,
    agency_id           text        NOT NULL,
    role                text        NOT NULL CONSTRAINT task_role CHECK (role IN ('CENTRE', 'CASEWORKER', 'REVIEWER', 'HEAD', 'OPERATOR', 'LEAD')),
    outcomes            text[]      NOT NULL CONSTRAINT task_outcomes CHECK (cardinality(outcomes) > 0),
    due_time            timestamptz NOT NULL,
    clock_basis         text        NOT NULL DEFAULT '',
    clock_statutory_due text        NOT NULL DEFAULT '',
    clock_proof         text        NOT NULL DEFAULT '',
    clock_provisional   boolean     NOT NULL DEFAULT false,
    recordings_until    timestamptz,
    facts               jsonb       NOT NULL DEFAULT '{}',
    state               text        NOT NULL DEFAULT 'OPEN' CONSTRAINT task_state CHECK (state IN ('OPEN', 'DONE', 'CANCELLED')),
    claimed_by          text,
    claimed_until       timestamptz,
    escalation_level    smallint    NOT NULL DEFAULT 0 CONSTRAINT task_escalation_level CHECK (escalation_level BETWEEN 0 AND 2),
    open_time           timestamptz NOT NULL,
    close_time          timestamptz,
    outcome             text        NOT NULL DEFAULT '',
    cancel_reason       text        NOT NULL DEFAULT '',
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_closed_has_time CHECK ((state = 'OPEN') = (close_time IS NULL)),
    CONSTRAINT task_closed_is_not_claimed CHECK (state = 'OPEN' OR claimed_by IS NULL),
    CONSTRAINT task_claim_has_end CHECK ((claimed_by IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT task_done_has_outcome CHECK ((state = 'DONE') = (outcome <> ''))
) WITH (fillfactor = 85);
-- The inbox, and the inbox of who sees all. Partial, so that they stay as small as the work that is left.
CREATE INDEX task_inbox ON task (agency_id, due_time, task_id) WHERE state = 'OPEN';
CREATE INDEX task_open ON task (due_time, task_id) WHERE state = 'OPEN';
CREATE INDEX task_claimed ON task (claimed_by, due_time, task_id) WHERE state = 'OPEN' AND claimed_by IS NOT NULL;
CREATE INDEX task_closed_of_agency ON task (agency_id, due_time, task_id) WHERE state <> 'OPEN';
CREATE INDEX task_closed ON task (due_time, task_id) WHERE state <> 'OPEN';
CREATE INDEX task_subject ON task (subject_id, due_time, task_id);

-- decision is what a person decided on a task: one, and never changed. Parties of whom one is a natural person are sealed,
-- and masked in detail. A request decides one task: its key stands here once, with the hash of all that was asked.
CREATE TABLE decision (
    task_id      uuid        NOT NULL CONSTRAINT decision_once PRIMARY KEY CONSTRAINT decision_of_task REFERENCES task (task_id),
    outcome      text        NOT NULL CONSTRAINT decision_outcome CHECK (outcome <> ''),
    reason_code  text        NOT NULL DEFAULT '',
    note         text        NOT NULL DEFAULT '',
    detail       jsonb       NOT NULL DEFAULT '{}',
    sealed       bytea,
    decided_by   text        NOT NULL CONSTRAINT decision_by_somebody CHECK (decided_by <> ''),
    agency_id    text        NOT NULL,
    decided_time timestamptz NOT NULL,
    request_key  text        NOT NULL DEFAULT '',
    request_hash bytea       NOT NULL DEFAULT '',
    taken        boolean     NOT NULL DEFAULT false, -- its workflow has confirmed it; all else is append-only
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT decision_people_sealed CHECK (NOT jsonb_path_exists(detail, '$.parties[*] ? (@.person == true && @.name != "***")'))
);
CREATE INDEX decision_untaken ON decision (decided_time, task_id) WHERE NOT taken;
CREATE UNIQUE INDEX decision_request_once ON decision (request_key) WHERE request_key <> '';

-- escalation tells a superior of an overdue task, once per level. The superior sees the task; there is no second one.
CREATE TABLE escalation (
    task_id    uuid        NOT NULL CONSTRAINT escalation_of_task REFERENCES task (task_id),
    level      smallint    NOT NULL CONSTRAINT escalation_level CHECK (level IN (1, 2)),
    agency_id  text        NOT NULL,
    copy_id    text        NOT NULL,
    due_time   timestamptz NOT NULL,
    closed     boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT escalation_once PRIMARY KEY (task_id, level)
);
CREATE INDEX escalation_inbox ON escalation (agency_id, due_time, task_id) WHERE NOT closed;
CREATE INDEX escalation_closed ON escalation (agency_id, due_time, task_id) WHERE closed;

-- task_change is the feed: what became of a task, addressed to one agency, with what can change of the task as it was
-- then. Readers take rows in order of (xid, id) below the oldest running transaction, so none is ever passed over.
CREATE TABLE task_change (
    id               bigint      NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT task_change_pk PRIMARY KEY,
    xid              xid8        NOT NULL DEFAULT pg_current_xact_id(),
    agency_id        text        NOT NULL,
    task_id          uuid        NOT NULL,
    change           text        NOT NULL CONSTRAINT task_change_kind CHECK (change IN
        ('opened', 'claimed', 'released', 'reassigned', 'decided', 'cancelled', 'escalated')),
    change_time      timestamptz NOT NULL,
    actor            text        NOT NULL,
    reason           text        NOT NULL DEFAULT '',
    state            text        NOT NULL,
    claimed_by       text,
    claimed_until    timestamptz,
    escalation_level smallint    NOT NULL,
    close_time       timestamptz,
    outcome          text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX task_change_feed ON task_change (agency_id, xid, id);
CREATE INDEX task_change_age ON task_change USING brin (created_at); -- rows come in order of time

-- task_change_trim deletes some changes older than 90 days and says how many. It runs with the owner's rights, so that
-- the service's role can delete nothing else.
-- +goose StatementBegin
CREATE FUNCTION task_change_trim() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM task_change WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM task_change WHERE created_at < now() - interval '90 days' LIMIT 10000))
        RETURNING 1
    )
    SELECT count(*) FROM gone;
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION task_change_trim() FROM PUBLIC;

GRANT SELECT ON province, agency, directory_revision, policy TO assignment;
GRANT SELECT, INSERT ON routing_table, routing_rule, decision, task_change TO assignment;
GRANT SELECT, INSERT ON task, escalation TO assignment;
GRANT UPDATE (state, claimed_by, claimed_until, escalation_level, close_time, outcome, cancel_reason) ON task TO assignment;
GRANT UPDATE (closed) ON escalation TO assignment;
GRANT UPDATE (taken) ON decision TO assignment;
GRANT EXECUTE ON FUNCTION task_change_trim() TO assignment;

-- +goose Down
DROP TABLE task_change, escalation, decision, task, routing_rule, routing_table, policy, directory_revision, agency, province;
DROP FUNCTION directory_changed(), task_change_trim();
