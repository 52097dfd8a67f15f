-- Digests (举报情况盘点) made from frozen day aggregates: what was frozen, the tables of both editions, who released what.

-- +goose Up
ALTER TABLE digest_policy
    ADD CONSTRAINT digest_policy_counted CHECK (min_reporters <= 32); -- owners count reporters up to 32

ALTER TABLE digest
    ADD COLUMN note          text        NOT NULL DEFAULT '', -- what a later version corrects
    ADD COLUMN drafted_by    text        NOT NULL DEFAULT '', -- empty: the schedule
    ADD COLUMN cut_time      timestamptz,                     -- NULL: before aggregates were frozen
    ADD COLUMN total_hidden  boolean     NOT NULL DEFAULT false,
    ADD COLUMN previous      text        NOT NULL DEFAULT '', -- version that changes on the month before are on
    ADD COLUMN previous_year text        NOT NULL DEFAULT '';

-- A draft is public once a named person released it. Append-only: what was public stays known.
CREATE TABLE digest_release (
    digest_id          uuid        PRIMARY KEY REFERENCES digest,
    released_by        text        NOT NULL,
    released_by_agency text        NOT NULL,
    release_time       timestamptz NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_release_by_somebody CHECK (released_by NOT IN ('', 'anonymous'))
);

-- The owners' day aggregates as of one cut, append-only (冻结统计). They come page by page before the digest itself.
CREATE TABLE digest_cut (
    digest_id  uuid        NOT NULL,
    owner      text        COLLATE "C" NOT NULL,
    cut        bigint      NOT NULL,
    cut_time   timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_cut_pkey PRIMARY KEY (digest_id, owner),
    CONSTRAINT digest_cut_owner CHECK (owner IN ('reporting', 'assignment', 'enforcement'))
);
-- Pages as they came, each a message of counts in order: nobody asks for one count of them, and there are many.
CREATE TABLE digest_page (
    digest_id  uuid        NOT NULL,
    owner      text        COLLATE "C" NOT NULL,
    page       int         NOT NULL,
    counts     int         NOT NULL,
    body       bytea       NOT NULL, -- pseudonyms in it hold within the owner's cut only
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_page_pkey PRIMARY KEY (digest_id, owner, page),
    CONSTRAINT digest_page_of_cut FOREIGN KEY (digest_id, owner) REFERENCES digest_cut (digest_id, owner),
    CONSTRAINT digest_page_counts CHECK (page >= 0 AND counts >= 0)
);
ALTER TABLE digest_page ALTER COLUMN body SET STORAGE EXTERNAL;

-- The tables as each edition shows them, append-only, so that a later build of the program changes no old digest.
CREATE TABLE digest_table (
    digest_id   uuid   NOT NULL REFERENCES digest,
    edition     text   NOT NULL,
    axis        text   NOT NULL,
    position    int    NOT NULL,
    title       text   NOT NULL,
    unit        text   NOT NULL,
    unit_name   text   NOT NULL,
    date_basis  text   NOT NULL,
    region_kind text   NOT NULL,
    span        text   NOT NULL,
    share_kind  text   NOT NULL,
    columns     text[] NOT NULL, -- code, title and decimals of each, one after the other
    total       bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_table_pkey PRIMARY KEY (digest_id, edition, axis),
    CONSTRAINT digest_table_edition CHECK (edition IN ('public', 'internal')),
    CONSTRAINT digest_table_share_kind CHECK (share_kind IN ('exclusive', 'multi')),
    CONSTRAINT digest_table_span CHECK (span IN ('cohort', 'period')),
    CONSTRAINT digest_table_region_kind CHECK (region_kind IN ('', 'reporter', 'number'))
);
CREATE TABLE digest_cell (
    digest_id       uuid     NOT NULL,
    edition         text     NOT NULL,
    axis            text     NOT NULL,
    position        int      NOT NULL,
    key             text     NOT NULL,
    label           text     NOT NULL,
    members         text[]   NOT NULL, -- the keys that the row stands for
    count           bigint   NOT NULL,
    per_mille       int      NOT NULL,
    reporters       int      NOT NULL, -- counted up to 32; never served to the public
    change_previous int,
    change_year     int,
    figures         bigint[] NOT NULL, -- one for each column; NULL: none
    hidden          boolean[] NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_cell_pkey PRIMARY KEY (digest_id, edition, axis, position),
    CONSTRAINT digest_cell_of_table FOREIGN KEY (digest_id, edition, axis) REFERENCES digest_table (digest_id, edition, axis),
    CONSTRAINT digest_cell_once UNIQUE (digest_id, edition, axis, key),
    CONSTRAINT digest_cell_counts CHECK (count >= 0 AND per_mille BETWEEN 0 AND 1000 AND cardinality(members) > 0),
    CONSTRAINT digest_cell_figures CHECK (cardinality(figures) = cardinality(hidden))
);

-- The programme's goals, measured (方案目标指标).
CREATE TABLE digest_indicator (
    digest_id       uuid   NOT NULL REFERENCES digest,
    edition         text   NOT NULL,
    code            text   NOT NULL,
    title           text   NOT NULL,
    method          text   NOT NULL,
    per_mille       int,
    reports         bigint,
    change_previous int,
    change_year     int,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT digest_indicator_pkey PRIMARY KEY (digest_id, edition, code),
    CONSTRAINT digest_indicator_edition CHECK (edition IN ('public', 'internal'))
);

-- How many users operators had at the end of a month (用户数), append-only: the last row of an operator and month holds.
CREATE TABLE user_figure (
    figure_id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id text        NOT NULL,
    month       text        NOT NULL,
    users       bigint      NOT NULL,
    source      text        NOT NULL,
    loaded_by   text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_figure_month CHECK (month ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$'),
    CONSTRAINT user_figure_counts CHECK (users > 0),
    CONSTRAINT user_figure_has_source CHECK (source <> '' AND loaded_by <> '')
);
CREATE INDEX user_figure_of ON user_figure (operator_id, month, figure_id);

-- What the rules of digests forbid, asked again without trusting them.
CREATE VIEW digest_violation AS
    SELECT t.digest_id AS id, ('digest table ' || t.axis || ' (' || t.edition || ') does not add up')::text AS what
      FROM digest_table t JOIN digest_cell c USING (digest_id, edition, axis)
     WHERE t.share_kind = 'exclusive'
     GROUP BY t.digest_id, t.edition, t.axis, t.total
    HAVING (sum(c.per_mille) <> 1000 AND sum(c.count) > 0) OR sum(c.count) <> t.total
    UNION ALL
    SELECT c.digest_id, 'public digest table ' || c.axis || ' shows a figure of too few reporters'
      FROM digest_cell c JOIN digest d USING (digest_id)
     WHERE c.edition = 'public' AND c.reporters < d.min_reporters
    UNION ALL
    SELECT d.digest_id, 'the editions of digest table ' || i.axis || ' do not count the same'
      FROM digest d JOIN digest_table i USING (digest_id) JOIN digest_table p USING (digest_id, axis)
     WHERE i.edition = 'internal' AND p.edition = 'public' AND p.total <> i.total
    UNION ALL
    SELECT d.digest_id, 'digest version without the one before it'
      FROM digest d WHERE d.version > 1 AND NOT EXISTS (SELECT 1 FROM digest e WHERE e.month = d.month AND e.version = d.version - 1)
    UNION ALL
    SELECT d.digest_id, 'digest released by who drafted it'
      FROM digest d JOIN digest_release r USING (digest_id) WHERE r.released_by = d.drafted_by
    UNION ALL
    SELECT d.digest_id, 'digest whose counts were not frozen'
      FROM digest d WHERE d.cut_time IS NOT NULL AND NOT EXISTS (SELECT 1 FROM digest_cut c WHERE c.digest_id = d.digest_id);

-- Digests from before: their figures become an internal edition; a person who wants them public drafts a new version.
INSERT INTO digest_table (digest_id, edition, axis, position, title, unit, unit_name, date_basis, region_kind, span, share_kind, columns, total)
SELECT r.digest_id, 'internal', r.axis, row_number() OVER (PARTITION BY r.digest_id ORDER BY r.axis), r.axis, 'reports', '件次', '收到日期',
       CASE r.axis WHEN 'province' THEN 'reporter' ELSE '' END, 'cohort', 'exclusive', '{}', sum(r.reports)
  FROM digest_row r GROUP BY r.digest_id, r.axis;
INSERT INTO digest_cell (digest_id, edition, axis, position, key, label, members, count, per_mille, reporters, figures, hidden)
SELECT digest_id, 'internal', axis, row_number() OVER (PARTITION BY digest_id, axis ORDER BY reports DESC, key), key, key, ARRAY[key],
       reports, per_mille, least(reporters, 32), '{}', '{}'
  FROM digest_row;

GRANT SELECT, INSERT ON digest_release, digest_cut, digest_page, digest_table, digest_cell, digest_indicator, user_figure TO disclosure;
GRANT SELECT ON digest_violation TO disclosure;

-- +goose Down
DROP VIEW digest_violation;
DROP TABLE user_figure, digest_indicator, digest_cell, digest_table, digest_page, digest_cut, digest_release;
ALTER TABLE digest
    DROP COLUMN note, DROP COLUMN drafted_by, DROP COLUMN cut_time, DROP COLUMN total_hidden, DROP COLUMN previous, DROP COLUMN previous_year;
ALTER TABLE digest_policy DROP CONSTRAINT digest_policy_counted;
