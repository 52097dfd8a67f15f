-- What the classifier learns from, and the versions of what it learned.

-- +goose Up

-- report_feature is what is kept of a classified report: hashed n-grams under the service's key and the lexicon's scores,
-- never its text. Which decision confirmed it follows from the tasks of its complaint.
CREATE TABLE report_feature (
    report_id       uuid        NOT NULL CONSTRAINT report_feature_pk PRIMARY KEY,
    complaint_id    uuid        NOT NULL,
    features        bytea       NOT NULL CONSTRAINT report_feature_bounded CHECK (octet_length(features) <= 8192),
    lexicon_version text        NOT NULL,
    sector          text        NOT NULL DEFAULT '', -- as it was classified
    category        text        NOT NULL DEFAULT '',
    confidence      real        NOT NULL DEFAULT 0,
    classified_time timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);
CREATE INDEX report_feature_complaint ON report_feature (complaint_id, report_id);
CREATE INDEX report_feature_time ON report_feature (classified_time);

-- model is a version of what was learned: never changed, put in force and out of it by model_act.
CREATE TABLE model (
    model_id        bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT model_pk PRIMARY KEY,
    lexicon_version text        NOT NULL,
    seed            bigint      NOT NULL,
    trained_on      integer     NOT NULL CONSTRAINT model_trained_on_something CHECK (trained_on > 0),
    held_back       integer     NOT NULL CONSTRAINT model_held_back CHECK (held_back >= 0),
    weights         bytea       NOT NULL CONSTRAINT model_bounded CHECK (octet_length(weights) <= 67108864),
    evaluation      jsonb       NOT NULL,
    baseline        jsonb       NOT NULL, -- what was in force then, on the same reports
    baseline_id     bigint      CONSTRAINT model_baseline REFERENCES model (model_id),
    created_by      text        NOT NULL CONSTRAINT model_by_somebody CHECK (created_by <> ''),
    created_time    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- model_act is the log of what was in force: promoted puts a model in force, rolled_back puts back what was before it;
-- model_id is what is in force from then on, null the lexicon alone. The last act decides.
CREATE TABLE model_act (
    act_id     bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT model_act_pk PRIMARY KEY,
    act        text        NOT NULL CONSTRAINT model_act_kind CHECK (act IN ('promoted', 'rolled_back')),
    model_id   bigint      CONSTRAINT model_act_model REFERENCES model (model_id),
    evaluation jsonb       NOT NULL DEFAULT '{}', -- of the promoted model when it was promoted, on what was held back then
    baseline   jsonb       NOT NULL DEFAULT '{}',
    reason     text        NOT NULL CONSTRAINT model_act_reason CHECK (reason <> ''),
    acted_by   text        NOT NULL CONSTRAINT model_act_by_somebody CHECK (acted_by <> ''),
    act_time   timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT model_act_promotes CHECK (act <> 'promoted' OR model_id IS NOT NULL)
);

INSERT INTO policy (name, valid, value, unit, source) VALUES
    ('feature_days', tstzrange('2018-07-01 00:00+08', NULL), 730, 'days', '方案政策:举报特征留存期,个人信息保护法第19条;待确认'),
    ('model_min_held_back', tstzrange('2018-07-01 00:00+08', NULL), 50, 'reports', '方案政策:启用模型所需的最少留出样本'),
    ('model_max_reports', tstzrange('2018-07-01 00:00+08', NULL), 20000, 'reports', '方案政策:一次训练的最多样本');

-- feature_trim deletes features that are older than their retention, some at a time. The role may not delete otherwise.
-- +goose StatementBegin
CREATE FUNCTION report_feature_trim(before timestamptz) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM report_feature WHERE report_id = ANY (ARRAY(
            SELECT report_id FROM report_feature WHERE classified_time < before LIMIT 10000))
        RETURNING 1
    )
    SELECT count(*) FROM gone;
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION report_feature_trim(timestamptz) FROM PUBLIC;

GRANT SELECT, INSERT ON report_feature, model, model_act TO assignment;
GRANT UPDATE (complaint_id, features, lexicon_version, sector, category, confidence, classified_time) ON report_feature TO assignment;
GRANT EXECUTE ON FUNCTION report_feature_trim(timestamptz) TO assignment;

-- +goose Down
DELETE FROM policy WHERE name IN ('feature_days', 'model_min_held_back', 'model_max_reports');
DROP TABLE report_feature, model_act, model;
DROP FUNCTION report_feature_trim(timestamptz);
