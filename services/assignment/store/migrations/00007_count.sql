-- Day aggregates (日统计) for the digest: what each day of the calendar in Shanghai counts, and with which cut a figure came
-- and went. A day is counted from the facts; rows that differ from the last count are replaced. Days that were there before
-- this migration are counted by the first cut.

-- +goose Up
CREATE TABLE day_cut (
    cut        bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT day_cut_pkey PRIMARY KEY,
    cut_time   timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE day_count (
    day        date     NOT NULL, -- in Asia/Shanghai
    unit       text     COLLATE "C" NOT NULL,
    axis       text     COLLATE "C" NOT NULL,
    key        text     COLLATE "C" NOT NULL,
    col        text     COLLATE "C" NOT NULL DEFAULT '',
    bucket     bigint   NOT NULL DEFAULT 0, -- of a distribution: the value seen
    count      bigint   NOT NULL,
    reporters  smallint NOT NULL, -- distinct complaints and cases, counted up to 32
    witnesses  bytea    NOT NULL, -- of fewer: eight bytes of each one's keyed pseudonym
    since_cut  bigint   NOT NULL,
    until_cut  bigint,            -- NULL while it stands
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT day_count_pkey PRIMARY KEY (day, unit, axis, key, col, bucket, since_cut),
    CONSTRAINT day_count_counts CHECK (count >= 0 AND reporters BETWEEN 0 AND 32),
    CONSTRAINT day_count_witnesses CHECK (octet_length(witnesses) = CASE WHEN reporters < 32 THEN 8 * reporters ELSE 0 END),
    CONSTRAINT day_count_goes_after_it_came CHECK (until_cut > since_cut)
);
CREATE UNIQUE INDEX day_count_stands ON day_count (day, unit, axis, key, col, bucket) WHERE until_cut IS NULL;

-- When each day was last counted, and the days whose facts changed after that (待重算).
CREATE TABLE day_fold (
    scope      text        NOT NULL,
    day        date        NOT NULL,
    fold_time  timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT day_fold_pkey PRIMARY KEY (scope, day)
);
CREATE TABLE day_stale (
    stale_id   bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT day_stale_pkey PRIMARY KEY,
    scope      text        NOT NULL,
    day        date        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- day_count_trim deletes what went more than 30 days ago: by then no digest is being made of it.
-- +goose StatementBegin
CREATE FUNCTION day_count_trim() RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DELETE FROM day_count WHERE until_cut <= (SELECT max(cut) FROM day_cut WHERE cut_time < now() - interval '30 days');
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION day_count_trim() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION day_count_trim() TO assignment;
GRANT SELECT, INSERT ON day_cut, day_count TO assignment;
GRANT UPDATE (until_cut) ON day_count TO assignment;
GRANT SELECT, INSERT, UPDATE ON day_fold TO assignment;
GRANT SELECT, INSERT, DELETE ON day_stale TO assignment;

-- The tasks of a day are found by when they were opened or decided: both are written in order of time.
CREATE INDEX task_opened ON task USING brin (open_time) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX decision_decided ON decision USING brin (decided_time) WITH (pages_per_range = 16, autosummarize = on);

-- A deadline that is moved after its day is over marks both days.
-- +goose StatementBegin
CREATE FUNCTION task_day_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day) VALUES ('tasks', (OLD.due_time AT TIME ZONE 'Asia/Shanghai')::date),
        ('tasks', (NEW.due_time AT TIME ZONE 'Asia/Shanghai')::date);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER task_marks_day AFTER UPDATE OF due_time ON task FOR EACH ROW
    WHEN (OLD.due_time < now() - interval '1 day' AND OLD.due_time <> NEW.due_time)
    EXECUTE FUNCTION task_day_stale();

-- +goose Down
DROP TRIGGER task_marks_day ON task;
DROP FUNCTION task_day_stale();
DROP INDEX decision_decided, task_opened;
DROP FUNCTION day_count_trim();
DROP TABLE day_stale, day_fold, day_count, day_cut;
