-- The answers of writes, so that the same request sent twice is done once. Rows are kept for 90 days, by month.

-- +goose Up
CREATE TABLE request (
    -- The month, and not the moment, is the partition key: so the primary key still holds within a partition what the
    -- advisory lock of pg.Once holds everywhere.
    month        date        NOT NULL DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')::date,
    actor        text        NOT NULL,
    rpc          text        NOT NULL,
    request_id   uuid        NOT NULL,
    request_hash bytea       NOT NULL,
    response     bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT request_once PRIMARY KEY (request_id, rpc, actor, month)
) PARTITION BY RANGE (month);

-- request_maintain makes the partitions of this and the next two months and drops what is older than 90 days. It runs
-- with the owner's rights so that the service's role needs none.
-- +goose StatementBegin
CREATE FUNCTION request_maintain() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '3s'
AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    m     date;
    part  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('quietline.request_maintain'));
    FOR i IN 0..2 LOOP
        m := (date_trunc('month', today::timestamp) + make_interval(months => i))::date;
        part := 'request_' || to_char(m, 'YYYY_MM');
        IF to_regclass('public.' || part) IS NULL THEN
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.request FOR VALUES FROM (%L) TO (%L)',
                part, m, (m + interval '1 month')::date);
        END IF;
    END LOOP;
    FOR part IN
        SELECT c.relname
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'public.request'::regclass
           AND (to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month')::date <= today - 90
    LOOP
        EXECUTE format('DROP TABLE public.%I', part);
    END LOOP;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION request_maintain() FROM PUBLIC;

-- +goose Down
DROP FUNCTION request_maintain();
DROP TABLE request;
