-- Reporters are told when the decision that they were told of is taken back (撤销告知).

-- +goose Up
ALTER TABLE feedback
    DROP CONSTRAINT feedback_stage,
    ADD CONSTRAINT feedback_stage CHECK (stage IN ('accepted', 'not_accepted', 'supplement_asked', 'assigned', 'checked', 'measure',
        'result', 'reopened', 'watching', 'moved', 'reversed'));

-- +goose Down
DELETE FROM feedback WHERE stage = 'reversed';
ALTER TABLE feedback
    DROP CONSTRAINT feedback_stage,
    ADD CONSTRAINT feedback_stage CHECK (stage IN ('accepted', 'not_accepted', 'supplement_asked', 'assigned', 'checked', 'measure',
        'result', 'reopened', 'watching', 'moved'));
