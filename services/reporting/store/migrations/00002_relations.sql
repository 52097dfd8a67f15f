-- How complaints hang together: split by holder or by person, merged, linked; where each report was before.

-- +goose Up
ALTER TABLE complaint
    ADD COLUMN part        text NOT NULL DEFAULT '', -- of a split complaint: what its key has behind the number's key and '#'
    ADD COLUMN holder      text NOT NULL DEFAULT '', -- split by holder: who held the number at these calls; 'none': nobody
    ADD COLUMN merged_into uuid REFERENCES complaint,
    ADD CONSTRAINT complaint_merged_is_closed CHECK (merged_into IS NULL OR state = 'CLOSED'),
    ADD CONSTRAINT complaint_merged_is_result CHECK ((merged_into IS NOT NULL) = (result = 'merged')),
    ADD CONSTRAINT complaint_merged_into_another CHECK (merged_into <> complaint_id);
CREATE INDEX complaint_merged ON complaint (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX complaint_merged_time ON complaint (closed_time, complaint_id) WHERE merged_into IS NOT NULL;

-- A report's own number, where it is not its complaint's: complaints of several numbers were merged.
ALTER TABLE report ADD COLUMN number_normal text NOT NULL DEFAULT '';

ALTER TABLE complaint_history
    ADD COLUMN why text NOT NULL DEFAULT '',
    DROP CONSTRAINT history_what,
    ADD CONSTRAINT history_what CHECK (what IN ('state', 'classified', 'forged', 'findings', 'result', 'withdrawn', 'split', 'merged',
        'linked', 'unlinked'));

ALTER TABLE feedback
    DROP CONSTRAINT feedback_stage,
    ADD CONSTRAINT feedback_stage CHECK (stage IN ('accepted', 'not_accepted', 'supplement_asked', 'assigned', 'checked', 'measure',
        'result', 'reopened', 'watching', 'moved'));

-- complaint_alias: reports under this key, of calls in this time, join that complaint while it lives. So the reports of a
-- merged number follow it, and those of a holder's time find that holder's part.
CREATE TABLE complaint_alias (
    alias_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text        NOT NULL,
    calls        tstzrange   NOT NULL,
    complaint_id uuid        NOT NULL REFERENCES complaint,
    created_at   timestamptz NOT NULL,
    ended_at     timestamptz, -- NULL while it stands
    CONSTRAINT alias_of_some_calls CHECK (NOT isempty(calls)),
    CONSTRAINT alias_leads_to_one EXCLUDE USING gist (key WITH =, calls WITH &&) WHERE (ended_at IS NULL)
);
CREATE INDEX complaint_alias_of ON complaint_alias (complaint_id) WHERE ended_at IS NULL;
CREATE INDEX complaint_alias_key ON complaint_alias (key) WHERE ended_at IS NULL;

-- complaint_link ties complaints that have to do with each other (关联). A link is taken back by a row of its own.
CREATE TABLE complaint_link (
    link_id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    complaint_id       uuid        NOT NULL REFERENCES complaint,
    other_complaint_id uuid        NOT NULL REFERENCES complaint,
    kind               text        NOT NULL,
    ends               bigint      REFERENCES complaint_link, -- the link that this row takes back
    reason             text        NOT NULL DEFAULT '',
    actor              text        NOT NULL,
    agency_id          text        NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL,
    CONSTRAINT link_of_two CHECK (complaint_id <> other_complaint_id),
    CONSTRAINT link_kind CHECK (kind IN ('same_party', 'same_campaign', 'successor', 'relapse', 'related', 'split', 'merged')),
    CONSTRAINT link_ended_once UNIQUE (ends)
);
CREATE INDEX complaint_link_of ON complaint_link (complaint_id);
CREATE INDEX complaint_link_with ON complaint_link (other_complaint_id);

-- report_move is where a report was before, for what refers to the complaint it was then with.
CREATE TABLE report_move (
    move_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id    uuid        NOT NULL REFERENCES report,
    moved_from   uuid        NOT NULL REFERENCES complaint,
    from_round   integer     NOT NULL,
    moved_to     uuid        NOT NULL REFERENCES complaint,
    to_round     integer     NOT NULL,
    what         text        NOT NULL CONSTRAINT move_what CHECK (what IN ('split', 'merged', 'forged')),
    created_at   timestamptz NOT NULL,
    CONSTRAINT move_leads_elsewhere CHECK (moved_from <> moved_to)
);
CREATE INDEX report_move_of ON report_move (report_id, move_id);
CREATE INDEX report_move_from ON report_move (moved_from);

-- After closing, a new complaint of the number has a link to the old one, whoever opens it.
-- +goose StatementBegin
CREATE FUNCTION link_to_previous() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO complaint_link (complaint_id, other_complaint_id, kind, reason, actor, created_at)
    VALUES (NEW.complaint_id, NEW.previous_complaint_id, 'successor', '同一号码的前一事项', 'reporting', NEW.created_at);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER complaint_links_to_previous AFTER INSERT ON complaint FOR EACH ROW
    WHEN (NEW.previous_complaint_id IS NOT NULL) EXECUTE FUNCTION link_to_previous();
INSERT INTO complaint_link (complaint_id, other_complaint_id, kind, reason, actor, created_at)
SELECT complaint_id, previous_complaint_id, 'successor', '同一号码的前一事项', 'reporting', created_at
FROM complaint WHERE previous_complaint_id IS NOT NULL ORDER BY created_at, complaint_id;

GRANT SELECT, INSERT ON complaint_alias, complaint_link, report_move TO reporting;
GRANT UPDATE (ended_at) ON complaint_alias TO reporting;
GRANT UPDATE (complaint_id, round) ON supplement TO reporting;

-- +goose Down
DROP TRIGGER complaint_links_to_previous ON complaint;
DROP FUNCTION link_to_previous();
DROP TABLE report_move, complaint_link, complaint_alias;
DELETE FROM feedback WHERE stage = 'moved';
ALTER TABLE feedback DROP CONSTRAINT feedback_stage,
    ADD CONSTRAINT feedback_stage CHECK (stage IN ('accepted', 'not_accepted', 'supplement_asked', 'assigned', 'checked', 'measure',
        'result', 'reopened', 'watching'));
ALTER TABLE complaint_history DROP COLUMN why;
ALTER TABLE report DROP COLUMN number_normal;
ALTER TABLE complaint DROP COLUMN merged_into, DROP COLUMN holder, DROP COLUMN part;
