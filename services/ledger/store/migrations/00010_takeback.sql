-- What a task's decision did to a number falls with the decision of its case (行政处罚法 48): such a correction names the task,
-- where one after an appeal names the appeal.

-- +goose Up
ALTER TABLE resource_event
    DROP CONSTRAINT resource_event_correction,
    ADD CONSTRAINT resource_event_correction CHECK (corrects_event_id IS NULL
        OR (event = 'corrected' AND (appeal_id IS NOT NULL OR (reason_code = 'decision_reversed' AND task_id IS NOT NULL))));

-- +goose Down
ALTER TABLE resource_event
    DROP CONSTRAINT resource_event_correction,
    ADD CONSTRAINT resource_event_correction CHECK (corrects_event_id IS NULL OR (event = 'corrected' AND appeal_id IS NOT NULL));
