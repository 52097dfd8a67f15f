-- Response times of operators for their scorecards (考核): the days whose counts change when a number proves forged later, or a
-- deadline moves.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION operator_days_stale(subject uuid) RETURNS void LANGUAGE sql
    SET search_path = public, pg_temp AS $$
    INSERT INTO day_stale (scope, day)
    SELECT DISTINCT 'operators', (x.at AT TIME ZONE 'Asia/Shanghai')::date
      FROM task t LEFT JOIN decision d USING (task_id), LATERAL (VALUES (t.open_time), (t.due_time), (d.decided_time)) x (at)
     WHERE t.subject_id = $1 AND t.step IN ('number_check', 'preserve', 'execute') AND x.at < now() - interval '1 day';
$$;
CREATE FUNCTION traceback_marks_days() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM operator_days_stale(NEW.subject_id);
    RETURN NULL;
END
$$;
CREATE FUNCTION forged_marks_days() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM operator_days_stale(subject_id) FROM task WHERE task_id = NEW.task_id AND step = 'number_check';
    RETURN NULL;
END
$$;
CREATE FUNCTION due_marks_operator_days() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO day_stale (scope, day) VALUES ('operators', (OLD.due_time AT TIME ZONE 'Asia/Shanghai')::date),
        ('operators', (NEW.due_time AT TIME ZONE 'Asia/Shanghai')::date);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER task_traces_forged AFTER INSERT ON task FOR EACH ROW WHEN (NEW.step = 'traceback') EXECUTE FUNCTION traceback_marks_days();
CREATE TRIGGER decision_says_forged AFTER INSERT ON decision FOR EACH ROW
    WHEN (NEW.outcome IN ('forged', 'not_in_use')) EXECUTE FUNCTION forged_marks_days();
CREATE TRIGGER task_marks_operator_day AFTER UPDATE OF due_time ON task FOR EACH ROW
    WHEN (OLD.due_time < now() - interval '1 day' AND OLD.due_time <> NEW.due_time
          AND NEW.step IN ('number_check', 'preserve', 'traceback', 'execute'))
    EXECUTE FUNCTION due_marks_operator_days();

-- +goose Down
DROP TRIGGER task_marks_operator_day ON task;
DROP TRIGGER decision_says_forged ON decision;
DROP TRIGGER task_traces_forged ON task;
DROP FUNCTION due_marks_operator_days(), forged_marks_days(), traceback_marks_days(), operator_days_stale(uuid);
