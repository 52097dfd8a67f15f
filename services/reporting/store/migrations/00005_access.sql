-- Who gave a complaint's number access at the time of its call (谁接入谁负责), and the days whose counts by access operator change.

-- +goose Up
-- Append-only: the last row of a complaint holds. Complaints of before have none until their workflow writes again.
CREATE TABLE complaint_access (
    access_id    bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT complaint_access_pkey PRIMARY KEY,
    complaint_id uuid        NOT NULL REFERENCES complaint,
    round        integer     NOT NULL,
    operator_id  text        NOT NULL CONSTRAINT complaint_access_named CHECK (operator_id <> ''),
    created_at   timestamptz NOT NULL
);
CREATE INDEX complaint_access_of ON complaint_access (complaint_id, access_id DESC);
GRANT SELECT, INSERT ON complaint_access TO reporting;

-- Younger days are counted again anyway.
-- +goose StatementBegin
CREATE FUNCTION access_day_stale() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day)
    SELECT 'access', day_of(created_at) FROM complaint WHERE complaint_id = NEW.complaint_id AND created_at < now() - interval '2 days';
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER access_marks_day AFTER INSERT ON complaint_access FOR EACH ROW EXECUTE FUNCTION access_day_stale();
CREATE TRIGGER history_marks_access_day AFTER INSERT ON complaint_history FOR EACH ROW
    WHEN (NEW.what IN ('findings', 'forged', 'split', 'merged')) EXECUTE FUNCTION access_day_stale();
CREATE TRIGGER complaint_marks_access_day AFTER UPDATE ON complaint FOR EACH ROW
    WHEN (OLD.created_at < now() - interval '2 days'
          AND (OLD.forged, OLD.reopened, OLD.relapse_count, OLD.handled_time, OLD.merged_into)
              IS DISTINCT FROM (NEW.forged, NEW.reopened, NEW.relapse_count, NEW.handled_time, NEW.merged_into))
    EXECUTE FUNCTION access_day_stale();

-- +goose Down
DROP TRIGGER complaint_marks_access_day ON complaint;
DROP TRIGGER history_marks_access_day ON complaint_history;
DROP TABLE complaint_access;
DROP FUNCTION access_day_stale();
