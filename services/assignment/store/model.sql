-- name: ClassifierInForce :one
-- ClassifierInForce is what Classify needs to know whether its copy of the model is still good, and whether the model is of
-- its lexicon. 0: the lexicon alone.
SELECT p.value AS threshold, COALESCE(f.model_id, 0)::bigint AS model_id, COALESCE(f.lexicon_version, '')::text AS lexicon_version
  FROM policy p
  LEFT JOIN (SELECT a.model_id, m.lexicon_version FROM model_act a LEFT JOIN model m USING (model_id)
              ORDER BY a.act_id DESC LIMIT 1) AS f ON true
 WHERE p.name = 'classify_threshold' AND p.valid @> @at::timestamptz;

-- name: KeepFeatures :exec
-- KeepFeatures writes a row a report, set-wise; a report that is classified again replaces its own. What did not change is
-- not written again.
INSERT INTO report_feature (report_id, complaint_id, features, lexicon_version, sector, category, confidence, classified_time)
SELECT r.report_id, @complaint_id::uuid, r.features, @lexicon_version::text, r.sector, r.category, r.confidence, @at::timestamptz
  FROM (SELECT unnest(@report_ids::uuid[]) AS report_id, unnest(@features::bytea[]) AS features, unnest(@sectors::text[]) AS sector,
               unnest(@categories::text[]) AS category, unnest(@confidences::real[]) AS confidence) AS r
 ORDER BY r.report_id
ON CONFLICT (report_id) DO UPDATE
   SET complaint_id = excluded.complaint_id, features = excluded.features, lexicon_version = excluded.lexicon_version,
       sector = excluded.sector, category = excluded.category, confidence = excluded.confidence, classified_time = excluded.classified_time
 WHERE (report_feature.complaint_id, report_feature.features, report_feature.lexicon_version, report_feature.sector, report_feature.category)
    IS DISTINCT FROM (excluded.complaint_id, excluded.features, excluded.lexicon_version, excluded.sector, excluded.category);

-- name: TrimFeatures :one
SELECT report_feature_trim(@before);

-- name: ConfirmingDecisions :many
-- ConfirmingDecisions are the newest decisions that say what a complaint is about, where features were kept of it.
SELECT d.task_id, d.outcome, d.detail, d.decided_time, t.subject_id, t.step, t.agency_id, t.facts
  FROM decision d JOIN task t USING (task_id)
 WHERE t.subject_kind = 'complaint' AND t.step IN ('accept', 'assign', 'fact_check')
   AND EXISTS (SELECT FROM report_feature f WHERE f.complaint_id = t.subject_id)
 ORDER BY d.decided_time DESC, d.task_id LIMIT @n;

-- name: FeaturesOf :many
-- FeaturesOf are kept features by complaint, of each at most some, so that no large complaint outweighs the others.
SELECT report_id, complaint_id, features, sector, category, confidence
  FROM (SELECT f.*, row_number() OVER (PARTITION BY f.complaint_id ORDER BY f.report_id) AS place
          FROM report_feature f WHERE f.complaint_id = ANY (@complaint_ids::uuid[])) AS ranked
 WHERE place <= @each::int ORDER BY report_id LIMIT @n;

-- name: InsertModel :one
INSERT INTO model (lexicon_version, seed, trained_on, held_back, weights, evaluation, baseline, baseline_id, created_by, created_time)
VALUES (@lexicon_version, @seed, @trained_on, @held_back, @weights, @evaluation, @baseline, sqlc.narg('baseline_id'), @created_by, @created_time)
RETURNING model_id;

-- name: ModelWeights :one
SELECT weights FROM model WHERE model_id = @model_id;

-- name: GetModel :one
SELECT m.model_id, m.lexicon_version, m.trained_on, m.held_back, m.evaluation, m.baseline, m.baseline_id, m.created_by, m.created_time,
       COALESCE((SELECT max(a.act_time) FROM model_act a WHERE a.model_id = m.model_id AND a.act = 'promoted'), 'epoch')::timestamptz AS promoted_time
  FROM model m WHERE m.model_id = @model_id;

-- name: ListModels :many
SELECT m.model_id, m.lexicon_version, m.trained_on, m.held_back, m.evaluation, m.baseline, m.baseline_id, m.created_by, m.created_time,
       COALESCE((SELECT max(a.act_time) FROM model_act a WHERE a.model_id = m.model_id AND a.act = 'promoted'), 'epoch')::timestamptz AS promoted_time
  FROM model m WHERE m.model_id < @before ORDER BY m.model_id DESC LIMIT @n;

-- name: LockModelActs :exec
-- LockModelActs lets one person at a time put models in force.
SELECT pg_advisory_xact_lock(hashtextextended('assignment/model_act', 0));

-- name: ModelActs :many
SELECT a.act, a.model_id, COALESCE(m.lexicon_version, '')::text AS lexicon_version
  FROM model_act a LEFT JOIN model m USING (model_id) ORDER BY a.act_id;

-- name: InsertModelAct :exec
INSERT INTO model_act (act, model_id, evaluation, baseline, reason, acted_by, act_time)
VALUES (@act, sqlc.narg('model_id'), @evaluation, @baseline, @reason, @acted_by, @act_time);

-- name: AuditModelActs :many
SELECT a.act_id, a.act, a.model_id, COALESCE(m.lexicon_version, '')::text AS lexicon_version, a.evaluation, a.baseline
  FROM model_act a LEFT JOIN model m USING (model_id) ORDER BY a.act_id;

-- name: AuditFeatures :one
-- AuditFeatures counts features that outlived their retention by more than the daily deletion may leave.
SELECT count(*) FROM (SELECT FROM report_feature WHERE classified_time < @before LIMIT 1000) AS old;
