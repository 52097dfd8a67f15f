-- +goose Up
-- The clock of a task as a fact: what it was computed from, so that no rule that changes later moves it, and what became
-- of it. A task from before has no term of its own: that of its basis when it was opened counts.
ALTER TABLE task
    ADD COLUMN clock_source           text        NOT NULL DEFAULT '',
    ADD COLUMN clock_profile          text        NOT NULL DEFAULT '' CONSTRAINT task_clock_profile CHECK (clock_profile IN ('', 'statutory', 'rehearsal')),
    ADD COLUMN clock_start            timestamptz,
    ADD COLUMN clock_term             text        NOT NULL DEFAULT '',
    ADD COLUMN clock_counted          timestamptz,
    ADD COLUMN clock_escalate_seconds bigint      NOT NULL DEFAULT 0,
    ADD COLUMN clock_paused_since     timestamptz,
    ADD COLUMN clock_paused_for       text        NOT NULL DEFAULT '',
    ADD CONSTRAINT task_clock_pause_has_reason CHECK ((clock_paused_since IS NULL) = (clock_paused_for = ''));

CREATE INDEX task_provisional ON task (due_time, task_id) WHERE state = 'OPEN' AND clock_provisional;
CREATE INDEX task_paused ON task (agency_id) WHERE state = 'OPEN' AND clock_paused_since IS NOT NULL;

-- task_clock_change is a pause that is over, or an extension: each with its own basis, who did it, and both dates.
CREATE TABLE task_clock_change (
    task_id       uuid        NOT NULL CONSTRAINT task_clock_change_of_task REFERENCES task (task_id),
    seq           integer     NOT NULL CONSTRAINT task_clock_change_seq CHECK (seq > 0),
    kind          text        NOT NULL CONSTRAINT task_clock_change_kind CHECK (kind IN ('pause', 'extension')),
    from_time     timestamptz NOT NULL,
    to_time       timestamptz,
    reason        text        NOT NULL CONSTRAINT task_clock_change_reason CHECK (reason <> ''),
    basis         text        NOT NULL DEFAULT '',
    term          text        NOT NULL DEFAULT '',
    source        text        NOT NULL CONSTRAINT task_clock_change_source CHECK (source <> ''),
    old_due       timestamptz NOT NULL,
    new_due       timestamptz NOT NULL,
    old_statutory timestamptz NOT NULL,
    new_statutory timestamptz NOT NULL,
    actor         text        NOT NULL CONSTRAINT task_clock_change_actor CHECK (actor <> ''),
    agency_id     text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_clock_change_pk PRIMARY KEY (task_id, seq),
    CONSTRAINT task_clock_change_never_shortens CHECK (new_due >= old_due AND new_statutory >= old_statutory),
    CONSTRAINT task_clock_change_pause_ends CHECK ((kind = 'pause') = (to_time IS NOT NULL)),
    CONSTRAINT task_clock_change_extension_has_basis CHECK ((kind = 'extension') = (basis <> '' AND term <> ''))
);

-- clock_settlement is the one time that a provisional date was settled: who, when, for which notice, and both dates.
CREATE TABLE clock_settlement (
    task_id       uuid        NOT NULL CONSTRAINT clock_settlement_once PRIMARY KEY CONSTRAINT clock_settlement_of_task REFERENCES task (task_id),
    year          integer     NOT NULL,
    old_due       timestamptz NOT NULL,
    new_due       timestamptz NOT NULL,
    old_statutory timestamptz NOT NULL,
    new_statutory timestamptz NOT NULL,
    old_proof     text        NOT NULL,
    party         boolean     NOT NULL,
    settled_by    text        NOT NULL CONSTRAINT clock_settlement_by_somebody CHECK (settled_by <> ''),
    settled_time  timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clock_settlement_party_not_shorter CHECK (NOT party OR new_statutory >= old_statutory)
);

ALTER TABLE task_change DROP CONSTRAINT task_change_kind;
ALTER TABLE task_change ADD CONSTRAINT task_change_kind CHECK (change IN
    ('opened', 'claimed', 'released', 'reassigned', 'decided', 'cancelled', 'escalated', 'paused', 'resumed', 'extended', 'settled'));

GRANT SELECT, INSERT ON task_clock_change, clock_settlement TO assignment;
GRANT UPDATE (due_time, clock_statutory_due, clock_proof, clock_provisional, clock_counted, clock_paused_since, clock_paused_for)
    ON task TO assignment;

-- +goose Down
DELETE FROM task_change WHERE change IN ('paused', 'resumed', 'extended', 'settled');
ALTER TABLE task_change DROP CONSTRAINT task_change_kind;
ALTER TABLE task_change ADD CONSTRAINT task_change_kind CHECK (change IN
    ('opened', 'claimed', 'released', 'reassigned', 'decided', 'cancelled', 'escalated'));
REVOKE UPDATE (due_time, clock_statutory_due, clock_proof, clock_provisional, clock_counted, clock_paused_since, clock_paused_for)
    ON task FROM assignment;
DROP TABLE clock_settlement, task_clock_change;
DROP INDEX task_provisional, task_paused;
ALTER TABLE task DROP COLUMN clock_source, DROP COLUMN clock_profile, DROP COLUMN clock_start, DROP COLUMN clock_term,
    DROP COLUMN clock_counted, DROP COLUMN clock_escalate_seconds, DROP COLUMN clock_paused_since, DROP COLUMN clock_paused_for;
