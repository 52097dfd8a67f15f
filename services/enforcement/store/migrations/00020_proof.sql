-- What counts as a warning (警示) before an exposure, as data; and how it is found for whoever publishes.

-- +goose Up
CREATE TABLE warning_measure (
    measure_code text        NOT NULL,
    source       text        NOT NULL,
    to_confirm   boolean     NOT NULL,
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT warning_measure_pkey PRIMARY KEY (measure_code, valid_from),
    CONSTRAINT warning_measure_sourced CHECK (source <> ''),
    CONSTRAINT warning_measure_one_at_a_time EXCLUDE USING gist (measure_code WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
INSERT INTO warning_measure (measure_code, source, to_confirm, valid_from) VALUES
    ('caution', '综合整治骚扰电话专项行动方案:经警示仍继续的公开曝光', true, '2018-07-01T00:00:00+08:00'),
    ('interview', '综合整治骚扰电话专项行动方案:约谈警示', true, '2018-07-01T00:00:00+08:00'),
    ('warn_holder', '综合整治骚扰电话专项行动方案:约谈警示使用主体', true, '2018-07-01T00:00:00+08:00'),
    ('rectify_order', '行政处罚法 第二十八条:责令改正后仍继续实施', true, '2018-07-01T00:00:00+08:00');
CREATE INDEX chain_party_measure ON chain_party (measure_id) WHERE measure_id IS NOT NULL;
GRANT SELECT ON warning_measure TO enforcement;

-- +goose Down
DROP INDEX chain_party_measure;
DROP TABLE warning_measure;
