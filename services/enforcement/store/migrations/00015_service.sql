-- Service on the party (送达), asked of whoever writes: nothing is served before there is something to serve, nor later than
-- it is recorded, and what is published counts as served when its time is over (行政处罚法 44, 45, 61, 62; 民事诉讼法 95).

-- +goose Up

-- What a served line of the log rests on: the approved proposal, the signature, or the finding that nothing was performed.
CREATE VIEW case_service AS
    SELECT e.case_id, e.seq, e.step, e.task_id, e.method, e.event_time, coalesce(e.served_time, e.event_time) AS served_time,
           (SELECT max(r.event_time) FROM case_event r WHERE r.case_id = e.case_id AND r.seq < e.seq
               AND (r.step, r.outcome) IN (VALUES (CASE e.step WHEN 'serve_notice' THEN 'case_review' WHEN 'deliver' THEN 'case_sign'
                   ELSE 'confirm_performance' END, CASE e.step WHEN 'serve_notice' THEN 'approved' WHEN 'deliver' THEN 'signed'
                   ELSE 'unperformed' END))) AS rests_on
      FROM case_event e
     WHERE e.step IN ('serve_notice', 'deliver', 'demand') AND e.outcome <> 'not_delivered';

-- Lines whose service is not possible so.
CREATE VIEW case_service_wrong AS
    SELECT s.case_id, s.seq, s.step
      FROM case_service s
     WHERE CASE WHEN s.method = 'public_notice'
        THEN NOT EXISTS (SELECT 1 FROM case_clock k WHERE k.case_id = s.case_id AND k.basis = 'service_notice_30d' AND k.due_time = s.served_time
                 AND k.start_time >= s.rests_on AND k.start_time <= s.event_time)
        ELSE s.served_time < s.rests_on OR s.served_time > s.event_time END;

-- +goose StatementBegin
CREATE FUNCTION case_event_served() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM case_service_wrong w WHERE w.case_id = NEW.case_id AND w.seq = NEW.seq) THEN
        PERFORM case_refuse(CASE NEW.step WHEN 'serve_notice' THEN '行政处罚法 第四十四条、第四十五条、第六十二条' WHEN 'deliver' THEN '行政处罚法 第六十一条'
            ELSE '行政强制法 第五十四条' END, 'nothing is served before there is something to serve, nor after it is recorded');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_event_served AFTER INSERT ON case_event FOR EACH ROW
    WHEN (NEW.step IN ('serve_notice', 'deliver', 'demand')) EXECUTE FUNCTION case_event_served();

CREATE VIEW service_violation AS
    SELECT w.case_id AS id, 'line ' || w.seq || ' (' || w.step || ') was served before there was something to serve, or after it was recorded' AS what
      FROM case_service_wrong w
    UNION ALL
    SELECT n.case_id, 'notice that was served at another time than its line says'
      FROM case_notice n JOIN case_service s ON s.case_id = n.case_id AND s.task_id = n.task_id AND s.step = 'serve_notice'
     WHERE n.served_time <> s.served_time
    UNION ALL
    SELECT k.case_id, 'term ' || k.basis || ' that began before the party was served'
      FROM case_clock k JOIN case_service s ON s.case_id = k.case_id AND s.seq = k.event_seq
     WHERE k.basis IN ('statement_5wd', 'hearing_request_5wd', 'perform_15d', 'demand_10d', 'reconsider_60d', 'litigate_6m')
       AND k.start_time < s.served_time
    UNION ALL
    SELECT w.case_id, 'waiver on paper without the scan of what the party signed'
      FROM case_waiver w
     WHERE w.channel = 'paper' AND NOT EXISTS (SELECT 1 FROM case_filing_file f WHERE f.filing_id = w.waiver_id)
    UNION ALL
    SELECT w.case_id, 'waiver on paper entered by an officer of the case'
      FROM case_waiver w JOIN case_officer o ON o.case_id = w.case_id AND o.subject = split_part(w.received_by, '@', 1)
     WHERE w.channel = 'paper' AND o.appoint_time <= w.created_at
    UNION ALL
    SELECT d.case_id, 'penalty on the spot that one officer proposed and decided'
      FROM case_decision d
     WHERE d.procedure = 'simplified' AND d.proposed_by = d.signed_by;
GRANT SELECT ON case_service, case_service_wrong, service_violation TO enforcement;
CREATE OR REPLACE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation
    UNION ALL
    SELECT id, what FROM effect_violation
    UNION ALL
    SELECT id, what FROM service_violation;

-- +goose Down
CREATE OR REPLACE VIEW every_violation AS
    SELECT id, what FROM violation
    UNION ALL
    SELECT id, what FROM law_violation
    UNION ALL
    SELECT id, what FROM party_violation
    UNION ALL
    SELECT id, what FROM effect_violation;
DROP VIEW service_violation;
DROP TRIGGER case_event_served ON case_event;
DROP FUNCTION case_event_served();
DROP VIEW case_service_wrong, case_service;
