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
    reporters  smallint NOT NULL, -- distinct reporters, counted up to 32
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
GRANT EXECUTE ON FUNCTION day_count_trim() TO reporting;
GRANT SELECT, INSERT ON day_cut, day_count TO reporting;
GRANT UPDATE (until_cut) ON day_count TO reporting;
GRANT SELECT, INSERT, UPDATE ON day_fold TO reporting;
GRANT SELECT, INSERT, DELETE ON day_stale TO reporting;

-- The complaints that began on a day. Rows come in order of time, at the index's right edge.
CREATE INDEX complaint_began ON complaint (created_at);
-- A report's own number, where complaints of several numbers were merged: a number counts once a month.
CREATE INDEX report_own_number ON report (number_normal, created_at) WHERE number_normal <> '';

-- A fact older than two days that changes marks its day; younger days are counted again anyway, so that filing, classes and
-- checks of what has just come in pay nothing but the comparison.
-- +goose StatementBegin
CREATE FUNCTION day_of(at timestamptz) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (at AT TIME ZONE 'Asia/Shanghai')::date;

CREATE FUNCTION report_day_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day) VALUES ('reports', day_of(NEW.created_at));
    RETURN NULL;
END
$$;
CREATE FUNCTION complaint_day_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day) VALUES ('reports', day_of(NEW.created_at));
    IF (OLD.category, OLD.sector, OLD.number_kind, OLD.number_normal, OLD.number_province, OLD.number_carrier)
        IS DISTINCT FROM (NEW.category, NEW.sector, NEW.number_kind, NEW.number_normal, NEW.number_province, NEW.number_carrier) THEN
        INSERT INTO day_stale (scope, day)
        SELECT DISTINCT 'reports', day_of(created_at) FROM report
         WHERE complaint_id = NEW.complaint_id AND created_at < now() - interval '2 days';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION party_day_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day)
    SELECT 'reports', day_of(created_at) FROM complaint
     WHERE NEW.part = 'lead' AND complaint_id = NEW.complaint_id AND created_at < now() - interval '2 days'
    UNION
    SELECT 'reports', day_of(created_at) FROM report
     WHERE NEW.part = 'verifier' AND complaint_id = NEW.complaint_id AND created_at < now() - interval '2 days';
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER report_marks_day AFTER UPDATE ON report FOR EACH ROW
    WHEN (OLD.created_at < now() - interval '2 days'
          AND (OLD.category, OLD.sector, OLD.finding, OLD.complaint_id, OLD.same_call_as, OLD.number_normal)
              IS DISTINCT FROM (NEW.category, NEW.sector, NEW.finding, NEW.complaint_id, NEW.same_call_as, NEW.number_normal))
    EXECUTE FUNCTION report_day_stale();
CREATE TRIGGER complaint_marks_day AFTER UPDATE ON complaint FOR EACH ROW
    WHEN (OLD.created_at < now() - interval '2 days'
          AND (OLD.category, OLD.sector, OLD.number_kind, OLD.number_normal, OLD.number_province, OLD.number_carrier, OLD.stage, OLD.result,
               OLD.reopened, OLD.disclosure)
              IS DISTINCT FROM (NEW.category, NEW.sector, NEW.number_kind, NEW.number_normal, NEW.number_province, NEW.number_carrier, NEW.stage,
               NEW.result, NEW.reopened, NEW.disclosure))
    EXECUTE FUNCTION complaint_day_stale();
CREATE TRIGGER party_marks_day AFTER INSERT OR UPDATE ON complaint_party FOR EACH ROW
    WHEN (NEW.part IN ('lead', 'verifier'))
    EXECUTE FUNCTION party_day_stale();

-- +goose Down
DROP TRIGGER party_marks_day ON complaint_party;
DROP TRIGGER complaint_marks_day ON complaint;
DROP TRIGGER report_marks_day ON report;
DROP FUNCTION party_day_stale(), complaint_day_stale(), report_day_stale(), day_of(timestamptz);
DROP INDEX report_own_number, complaint_began;
DROP FUNCTION day_count_trim();
DROP TABLE day_stale, day_fold, day_count, day_cut;
