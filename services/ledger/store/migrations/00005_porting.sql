-- Answers of operators that a number was ported (携号转网), so that the next check of the same number knows.

-- +goose Up

-- Append-only. An answer says who served the number at the call that was asked about; the latest one up to a time holds.
-- Numbers stand in clear, as in reports: they are the key, and nothing else here singles anybody out.
CREATE TABLE porting (
    porting_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text        NOT NULL,
    operator_id text        NOT NULL,
    served_time timestamptz NOT NULL,
    task_id     uuid        NOT NULL,
    done_by     text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    -- only mobiles are ported (携号转网服务管理规定 2)
    CONSTRAINT porting_number_form CHECK (number ~ '^1[3-9][0-9]{9}$'),
    CONSTRAINT porting_operator_given CHECK (operator_id <> ''),
    -- a task is decided once
    CONSTRAINT porting_of_task UNIQUE (task_id)
);
CREATE INDEX porting_lookup ON porting (number, served_time DESC, porting_id DESC);

GRANT SELECT ON porting TO ledger;
GRANT INSERT (number, operator_id, served_time, task_id, done_by) ON porting TO ledger;

-- +goose Down
DROP TABLE porting;
