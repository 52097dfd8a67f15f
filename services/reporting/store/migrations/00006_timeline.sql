-- The last step of a round is read at each move of its complaint.

-- +goose Up
-- In the index with what it is ordered by, or the planner may walk all steps of all complaints back from the newest.
CREATE INDEX stage_entry_last ON stage_entry (complaint_id, round, entry_id DESC);
DROP INDEX stage_entry_of;

-- +goose Down
CREATE INDEX stage_entry_of ON stage_entry (complaint_id, round);
DROP INDEX stage_entry_last;
