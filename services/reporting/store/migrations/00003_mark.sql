-- Marks (标记): what marking apps and operators count for a number. A weak signal, counted apart from reports, never a
-- complaint by itself; past a threshold they open a discovered clue (线索), which asks for a number check and no more.

-- +goose Up

-- A complaint that marks opened stays one that marks opened, also when reports join it.
ALTER TABLE complaint ADD COLUMN origin text NOT NULL DEFAULT 'report'
    CONSTRAINT complaint_origin CHECK (origin IN ('report', 'marks'));
CREATE INDEX complaint_discovered ON complaint (complaint_id) WHERE origin = 'marks';

INSERT INTO policy (code, value, basis) VALUES
    ('mark_threshold', 50, 'programme: marks of a number within the window that open a discovered clue'),
    ('mark_sources', 2, 'programme: independent sources that these marks come from at least'),
    ('mark_window_days', 7, 'programme: days over which marks are summed, today included'),
    ('mark_quiet_days', 30, 'programme: after a matter of the number was closed no clue is opened for this long'),
    ('mark_unknown_counts', 0, 'programme: 1 when labels that nobody mapped count toward a clue'),
    ('mark_age_days', 730, 'programme: oldest day that is taken in'),
    ('mark_keep_days', 1095, 'programme: marks are kept this long, then dropped by whole months');

-- mark is a source's count so far for a number, day and label. The key begins with the number: one index serves both the
-- upsert, which comes in that order, and the look-up. Months are partitions, so that old ones go as a whole.
CREATE TABLE mark (
    number    text COLLATE "C" NOT NULL, -- normal form; forged numbers have theirs, and are not their holder's
    day       date             NOT NULL, -- in Asia/Shanghai
    source    text COLLATE "C" NOT NULL,
    label     text COLLATE "C" NOT NULL, -- in the source's words; mark_label says what it means
    count     bigint           NOT NULL CONSTRAINT mark_count_not_negative CHECK (count >= 0),
    stated_at timestamptz      NOT NULL, -- as of when the source counted
    CONSTRAINT mark_pkey PRIMARY KEY (number, day, source, label)
) PARTITION BY RANGE (day);

-- mark_source names the sources that an agency speaks for besides itself (标记来源). The marks of apps come through the
-- centre; whether each really is delivered is to be confirmed, and a row's time then ended.
CREATE TABLE mark_source (
    source     text        NOT NULL CONSTRAINT mark_source_name CHECK (source ~ '^[a-z0-9][a-z0-9-]{1,59}$'),
    speaker    text        NOT NULL, -- agency
    name       text        NOT NULL,
    valid      tstzrange   NOT NULL DEFAULT tstzrange('2018-01-01', NULL),
    basis      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mark_source_one_speaker EXCLUDE USING gist (source WITH =, valid WITH &&)
);
INSERT INTO mark_source (source, speaker, name, basis) VALUES
    ('app-tencent', 'centre-12321', '腾讯手机管家', 'programme: 标记软件数据经举报中心汇集, to confirm'),
    ('app-360', 'centre-12321', '360手机卫士', 'programme: 标记软件数据经举报中心汇集, to confirm'),
    ('app-sogou', 'centre-12321', '搜狗号码通', 'programme: 标记软件数据经举报中心汇集, to confirm'),
    ('app-teddy', 'centre-12321', '泰迪熊', 'programme: 标记软件数据经举报中心汇集, to confirm'),
    ('app-dianhuabang', 'centre-12321', '电话邦', 'programme: 标记软件数据经举报中心汇集, to confirm');

-- mark_label maps the words of sources to the taxonomy (标记类型对照). What is not here is kept as other. Labels that
-- praise or describe, such as couriers, count toward nothing.
CREATE TABLE mark_label (
    label      text        NOT NULL,
    code       text        NOT NULL,
    category   text        NOT NULL CONSTRAINT mark_label_category CHECK (category IN ('', 'commercial', 'malicious', 'criminal')),
    counts     boolean     NOT NULL, -- toward a clue
    valid      tstzrange   NOT NULL DEFAULT tstzrange('2018-01-01', NULL),
    basis      text        NOT NULL DEFAULT 'programme: 号码标记常用类型',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mark_label_one_meaning EXCLUDE USING gist (label WITH =, valid WITH &&)
);
INSERT INTO mark_label (label, code, category, counts) VALUES
    ('骚扰电话', 'harassment', 'malicious', true), ('骚扰', 'harassment', 'malicious', true),
    ('恶意骚扰', 'harassment', 'malicious', true), ('harassment', 'harassment', 'malicious', true),
    ('响一声', 'one_ring', 'malicious', true), ('响一声电话', 'one_ring', 'malicious', true), ('one_ring', 'one_ring', 'malicious', true),
    ('呼死你', 'bombing', 'malicious', true), ('bombing', 'bombing', 'malicious', true),
    ('催收', 'debt_collection', 'malicious', true), ('违规催收', 'debt_collection', 'malicious', true),
    ('debt_collection', 'debt_collection', 'malicious', true),
    ('诈骗电话', 'fraud', 'criminal', true), ('诈骗', 'fraud', 'criminal', true), ('疑似诈骗', 'fraud', 'criminal', true),
    ('欺诈', 'fraud', 'criminal', true), ('违法犯罪', 'fraud', 'criminal', true), ('fraud', 'fraud', 'criminal', true),
    ('发票办证', 'fake_papers', 'criminal', true), ('非法金融', 'illegal_finance', 'criminal', true),
    ('广告推销', 'advertising', 'commercial', true), ('广告', 'advertising', 'commercial', true), ('推销', 'advertising', 'commercial', true),
    ('商业营销', 'advertising', 'commercial', true), ('advertising', 'advertising', 'commercial', true),
    ('房产中介', 'real_estate', 'commercial', true), ('real_estate', 'real_estate', 'commercial', true),
    ('保险理财', 'insurance', 'commercial', true), ('保险推销', 'insurance', 'commercial', true), ('insurance', 'insurance', 'commercial', true),
    ('贷款理财', 'loans', 'commercial', true), ('贷款', 'loans', 'commercial', true), ('loans', 'loans', 'commercial', true),
    ('信用卡', 'credit_card', 'commercial', true), ('证券股票', 'securities', 'commercial', true), ('股票', 'securities', 'commercial', true),
    ('基金', 'funds', 'commercial', true), ('教育培训', 'education', 'commercial', true), ('education', 'education', 'commercial', true),
    ('医疗美容', 'medical_beauty', 'commercial', true), ('医疗', 'medical_maternity', 'commercial', true),
    ('妇幼保健', 'medical_maternity', 'commercial', true), ('保健食品', 'health_food', 'commercial', true),
    ('招聘猎头', 'recruitment', 'commercial', true), ('人才招聘', 'recruitment', 'commercial', true), ('家政服务', 'housekeeping', 'commercial', true),
    ('旅游签证', 'travel', 'commercial', true), ('旅游推广', 'travel', 'commercial', true), ('零售推销', 'retail', 'commercial', true),
    ('电信业务', 'telecom', 'commercial', true), ('电信营销', 'telecom', 'commercial', true),
    ('快递送餐', 'delivery', '', false), ('快递', 'delivery', '', false), ('外卖', 'delivery', '', false), ('出租车', 'taxi', '', false),
    ('客服', 'service', '', false), ('客户服务', 'service', '', false), ('其他', 'other', '', false), ('其它', 'other', '', false);

-- mark_house is who stands behind a source: the branches of an operator are one and the same (同一企业的分支机构视为一个来源).
-- Each app and each resale operator (移动转售企业) is a source of its own.
CREATE FUNCTION mark_house(source text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN source LIKE 'app-%' OR source LIKE 'mvno-%' THEN source ELSE split_part(source, '-', 1) END;

-- clue is why marks opened a complaint: what they came to then, and the figures of the policy they were held against.
CREATE TABLE clue (
    complaint_id uuid        NOT NULL PRIMARY KEY REFERENCES complaint,
    since_day    date        NOT NULL,
    until_day    date        NOT NULL,
    marks        bigint      NOT NULL,
    sources      integer     NOT NULL,
    threshold    bigint      NOT NULL,
    least        integer     NOT NULL, -- sources
    created_at   timestamptz NOT NULL,
    CONSTRAINT clue_past_threshold CHECK (marks >= threshold AND sources >= least)
);

-- mark_dropped proves that marks older than they are kept are gone (销毁记录).
CREATE TABLE mark_dropped (
    month      date        NOT NULL PRIMARY KEY,
    rows       bigint      NOT NULL, -- estimated by the planner's statistics
    created_at timestamptz NOT NULL DEFAULT now()
);

-- mark_month makes the partition of a day's month. It runs with the owner's rights so that the service's role needs none.
-- +goose StatementBegin
CREATE FUNCTION mark_month(day date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '5s'
AS $$
DECLARE
    m    date := date_trunc('month', day::timestamp)::date;
    part text := 'mark_' || to_char(m, 'YYYY_MM');
BEGIN
    IF day NOT BETWEEN DATE '2000-01-01' AND (now() + interval '400 days')::date THEN
        RAISE EXCEPTION 'no marks are kept for that day';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('quietline.mark_month'));
    IF to_regclass('public.' || part) IS NULL THEN
        -- Attached, not made as a partition: that would wait for whoever reads marks, and all others for it. Updates change
        -- no indexed column; room on the page keeps them there.
        EXECUTE format('CREATE TABLE public.%I (LIKE public.mark INCLUDING ALL) WITH (fillfactor = 90)', part);
        EXECUTE format('ALTER TABLE public.mark ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            part, m, (m + interval '1 month')::date);
    END IF;
END
$$;

-- mark_retire drops the months that are older than marks are kept, by the policy in force.
CREATE FUNCTION mark_retire() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '5s'
AS $$
DECLARE
    keep bigint;
    part record;
BEGIN
    SELECT value INTO keep FROM public.policy WHERE code = 'mark_keep_days' AND valid @> now();
    IF keep IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('quietline.mark_month'));
    FOR part IN
        SELECT c.relname, to_date(substr(c.relname, 6), 'YYYY_MM') AS month, c.reltuples
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.mark'::regclass
           AND (to_date(substr(c.relname, 6), 'YYYY_MM') + interval '1 month')::date <= now()::date - keep::integer
    LOOP
        EXECUTE format('DROP TABLE public.%I', part.relname);
        INSERT INTO public.mark_dropped (month, rows) VALUES (part.month, greatest(part.reltuples::bigint, 0))
            ON CONFLICT (month) DO UPDATE SET rows = mark_dropped.rows + excluded.rows, created_at = now();
    END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION mark_month(date), mark_retire() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mark_month(date), mark_retire() TO reporting;

GRANT SELECT, INSERT, UPDATE ON mark TO reporting;
GRANT SELECT ON mark_source, mark_label TO reporting;
GRANT SELECT, INSERT ON clue TO reporting;

-- +goose Down
DROP FUNCTION mark_month(date), mark_retire(), mark_house(text);
DROP TABLE mark_dropped, clue, mark_label, mark_source, mark;
DELETE FROM policy WHERE code LIKE 'mark\_%';
ALTER TABLE complaint DROP COLUMN origin;
