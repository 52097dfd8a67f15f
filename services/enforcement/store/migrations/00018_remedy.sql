-- What a remedy does to a decision (复议、诉讼), and what is owed of it: a change replaces what the decision asks for, what came
-- after its term counts once it was accepted, the court is asked within its three months, and performed is what is paid with
-- the addition for late payment (行政处罚法 72, 73; 行政复议法 20, 63; 行政诉讼法 45, 46, 77; 行政强制法 42, 45, 53).

-- +goose Up

-- late_reason says which day a remedy missed; empty when it came in time. Those of before count as they did.
ALTER TABLE case_remedy
    ADD COLUMN late_reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT case_remedy_late CHECK (file_due IS NULL OR file_time <= file_due OR late_reason <> '') NOT VALID;

-- What a decision is after a change (变更后的处罚), append-only; seq is the line of the log that made it so.
CREATE TABLE case_change (
    case_id        uuid        NOT NULL REFERENCES enforcement_case,
    seq            int         NOT NULL,
    n              int         NOT NULL,
    kind           text        NOT NULL,
    amount_fen     bigint      NOT NULL DEFAULT 0,
    basis          text        NOT NULL,
    catalogue_code text        NOT NULL DEFAULT '',
    list_party     boolean     NOT NULL,
    publish        boolean     NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_change_pkey PRIMARY KEY (case_id, seq, n),
    CONSTRAINT case_change_once UNIQUE (case_id, seq, kind),
    CONSTRAINT case_change_kind CHECK (kind IN ('warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation')),
    CONSTRAINT case_change_amount CHECK (amount_fen >= 0 AND (kind <> 'fine' OR amount_fen > 0)
        AND (kind IN ('fine', 'confiscation') OR amount_fen = 0)),
    CONSTRAINT case_change_basis CHECK (basis <> '')
);

-- The addition remitted by agreement (减免加处罚款, 行政强制法 42), append-only.
CREATE TABLE case_remission (
    case_id      uuid        NOT NULL REFERENCES enforcement_case,
    seq          int         NOT NULL,
    amount_fen   bigint      NOT NULL,
    agreement_no text        NOT NULL,
    reason       text        NOT NULL,
    decided_by   text        NOT NULL,
    remit_time   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_remission_pkey PRIMARY KEY (case_id, seq),
    CONSTRAINT case_remission_amount CHECK (amount_fen > 0),
    CONSTRAINT case_remission_said CHECK (agreement_no <> '' AND reason <> '')
);

-- +goose StatementBegin
-- Rows beside a line of the log come before it: what a written line rests on is not added to.
CREATE FUNCTION case_row_before_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = NEW.case_id AND e.seq >= NEW.seq) THEN
        PERFORM case_refuse('行政处罚法 第四十七条', 'what a line of the log rests on is not added to');
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_change_before BEFORE INSERT ON case_change FOR EACH ROW EXECUTE FUNCTION case_row_before_line();
CREATE TRIGGER case_remission_before BEFORE INSERT ON case_remission FOR EACH ROW EXECUTE FUNCTION case_row_before_line();

-- The penalties of a decision as it stands.
CREATE VIEW case_standing AS
    SELECT p.case_id, p.seq, p.n, p.kind, p.amount_fen, p.basis, p.catalogue_code, p.list_party, p.publish
      FROM case_penalty p JOIN case_decision d ON d.case_id = p.case_id AND d.proposal_seq = p.seq
     WHERE NOT EXISTS (SELECT 1 FROM case_change x WHERE x.case_id = p.case_id)
    UNION ALL
    SELECT x.case_id, x.seq, x.n, x.kind, x.amount_fen, x.basis, x.catalogue_code, x.list_party, x.publish
      FROM case_change x
     WHERE x.seq = (SELECT max(y.seq) FROM case_change y WHERE y.case_id = x.case_id);

-- Remedies that count: those in time, and late ones that were accepted; with how they ended.
CREATE VIEW case_remedy_counting AS
    SELECT r.remedy_id, r.case_id, r.kind, r.file_time, f.fact AS end_fact, f.fact_time AS end_time, f.event_seq AS end_seq
      FROM case_remedy r
      LEFT JOIN case_remedy_fact f ON f.remedy_id = r.remedy_id
           AND f.fact IN ('refused', 'upheld', 'changed', 'revoked', 'declared_illegal', 'withdrawn')
     WHERE r.late_reason = '' OR EXISTS (SELECT 1 FROM case_remedy_fact a WHERE a.remedy_id = r.remedy_id AND a.fact = 'accepted');

-- +goose StatementBegin
-- How harsh the decision was before a line of the log, as case_harshness measures it.
CREATE FUNCTION case_harshness_before(of_case uuid, line int, what text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(CASE what WHEN 'kinds' THEN count(*) WHEN 'rank' THEN max(array_position(ARRAY['warning', 'criticism', 'fine', 'confiscation', 'closure', 'revocation'], t.kind))
                    ELSE sum(t.amount_fen) FILTER (WHERE t.kind = what) END, 0)
      FROM (SELECT x.kind, x.amount_fen FROM case_change x WHERE x.case_id = of_case
               AND x.seq = (SELECT max(y.seq) FROM case_change y WHERE y.case_id = of_case AND y.seq < line)
            UNION ALL
            SELECT p.kind, p.amount_fen FROM case_penalty p JOIN case_decision d ON d.case_id = p.case_id AND d.proposal_seq = p.seq
             WHERE p.case_id = of_case AND NOT EXISTS (SELECT 1 FROM case_change y WHERE y.case_id = of_case AND y.seq < line)) t
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A change is not harsher than what it changes (行政复议法 63; 行政诉讼法 77).
CREATE FUNCTION case_change_harsher(of_case uuid, line int) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT bool_or(case_harshness_before(of_case, line + 1, w) > case_harshness_before(of_case, line, w))
      FROM unnest(ARRAY['fine', 'confiscation', 'rank', 'kinds']) w
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Late days from the end of a term to a time: no day of a remedy, nor of the term that a change set anew (行政处罚法 67, 72, 73).
-- A day lasts as long as the profile says under which the term was computed.
CREATE FUNCTION case_late_days(of_case uuid, due timestamptz, until timestamptz, at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    k      record;
    day    numeric := 86400;
    begun  boolean;
    last   timestamptz := until;
    spans  tstzmultirange;
    idle   numeric;
BEGIN
    SELECT c.profile, c.start_time, c.due_time INTO k FROM case_clock_now c WHERE c.case_id = of_case AND c.basis = 'perform_15d' ORDER BY c.event_seq LIMIT 1;
    IF k.profile IS NULL OR due IS NULL OR until IS NULL THEN
        RETURN 0;
    END IF;
    IF k.profile <> 'statutory' THEN
        day := greatest(trunc(extract(epoch FROM k.due_time - k.start_time) * 1000000000 / 15), 1000000) / 1000000000;
    END IF;
    SELECT y.amount_fen > 0 INTO begun FROM enforcement_case c JOIN party t ON t.party_id = c.party_id
      JOIN case_policy y ON y.code = 'late_day_begun' AND y.party_kind = CASE WHEN t.person THEN 'person' ELSE 'firm' END
       AND y.valid_from <= c.deliver_time AND (y.valid_to IS NULL OR y.valid_to > c.deliver_time)
     WHERE c.case_id = of_case;
    IF begun THEN
        last := until + make_interval(secs => greatest(day - 0.000001, 0)::float8);
    END IF;
    IF last <= due THEN
        RETURN 0;
    END IF;
    SELECT range_agg(tstzrange(s.begins, s.ends)) INTO spans FROM (
        SELECT r.file_time AS begins, coalesce((SELECT n.due_time FROM case_clock_now n WHERE n.case_id = of_case AND n.basis = 'perform_15d'
                   AND n.event_seq = r.end_seq AND r.end_fact = 'changed'), r.end_time, at) AS ends
          FROM case_remedy_counting r WHERE r.case_id = of_case) s
     WHERE s.ends > s.begins;
    SELECT coalesce(sum(extract(epoch FROM upper(x) - lower(x))), 0) INTO idle
      FROM unnest(coalesce(spans, '{}'::tstzmultirange) * tstzmultirange(tstzrange(due, last))) x;
    RETURN floor(greatest(extract(epoch FROM last - due) - idle, 0) / day);
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What is owed of a decision at a time: fine, confiscation, and 3 % of the fine for each late day, at most the fine, less what
-- was remitted of it (行政处罚法 66, 72, 73; 行政强制法 42, 45). A plan of parts that was granted stops the days from when it was
-- asked for to its last part.
CREATE FUNCTION case_debt(of_case uuid, at timestamptz, OUT fine bigint, OUT confiscation bigint, OUT addition bigint, OUT remitted bigint,
                          OUT paid bigint, OUT owed bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    until   timestamptz;
    due     timestamptz;
    granted int;
    asked   timestamptz;
    rest    timestamptz;
    days    bigint;
BEGIN
    SELECT coalesce(sum(s.amount_fen) FILTER (WHERE s.kind = 'fine'), 0), coalesce(sum(s.amount_fen) FILTER (WHERE s.kind = 'confiscation'), 0)
      INTO fine, confiscation FROM case_standing s WHERE s.case_id = of_case;
    SELECT coalesce(sum(y.amount_fen), 0) INTO paid FROM case_payment y WHERE y.case_id = of_case;
    SELECT coalesce(sum(y.amount_fen), 0) INTO remitted FROM case_remission y WHERE y.case_id = of_case;
    SELECT min(y.paid_time) INTO until FROM (SELECT z.paid_time, sum(z.amount_fen) OVER (ORDER BY z.paid_time, z.payment_id) AS so_far
        FROM case_payment z WHERE z.case_id = of_case) y WHERE y.so_far >= fine + confiscation;
    until := coalesce(until, at);
    SELECT k.due_time INTO due FROM case_clock_now k WHERE k.case_id = of_case AND k.basis = 'perform_15d' ORDER BY k.event_seq LIMIT 1;
    SELECT max(a.seq) INTO granted FROM case_event a WHERE a.case_id = of_case AND a.step = 'confirm_performance' AND a.outcome = 'instalments'
       AND a.seq < (SELECT max(g.seq) FROM case_event g WHERE g.case_id = of_case AND g.step = 'instalments_sign' AND g.outcome = 'approved');
    SELECT i.due_time INTO rest FROM case_instalment i WHERE i.case_id = of_case AND i.seq = granted ORDER BY i.n DESC LIMIT 1;
    IF rest IS NULL THEN
        days := case_late_days(of_case, due, until, at);
    ELSE
        SELECT e.event_time INTO asked FROM case_event e WHERE e.case_id = of_case AND e.seq = granted;
        days := case_late_days(of_case, due, least(until, asked), at) + case_late_days(of_case, rest, until, at);
    END IF;
    addition := CASE WHEN fine = 0 THEN 0 ELSE least(fine * 3 / 100 * days, fine) END;
    owed := greatest(fine + confiscation + greatest(addition - remitted, 0) - paid, 0);
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Delivery, performance, enforcement (行政处罚法 61, 66, 67, 72; 行政强制法 42, 45, 53, 54).
CREATE OR REPLACE FUNCTION case_guard_after(e case_event, c enforcement_case) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed int := coalesce((SELECT max(x.seq) FROM case_change x WHERE x.case_id = e.case_id), 0);
    demand  int := (SELECT max(d.seq) FROM case_event d WHERE d.case_id = e.case_id AND d.step = 'demand');
BEGIN
    IF e.step = 'deliver' AND e.outcome = 'delivered' AND e.method = 'electronic' AND e.document_id = '' THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'electronic delivery needs the signed consent of the party');
    ELSIF e.step = 'deliver' AND e.outcome = 'delivered' AND e.method = 'public_notice' AND NOT EXISTS (SELECT 1 FROM case_event t
           WHERE t.case_id = e.case_id AND t.step = 'deliver' AND t.outcome = 'not_delivered') THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'public notice is for what could not be delivered otherwise');
    ELSIF e.step = 'deliver' AND e.method = '' THEN
        PERFORM case_refuse('行政处罚法 第六十一条', 'how the decision was delivered must be said');
    ELSIF e.from_state = 'DELIVERED' AND e.to_state = 'CLOSED' AND EXISTS (SELECT 1 FROM case_standing x WHERE x.case_id = e.case_id
           AND x.kind NOT IN ('warning', 'criticism')) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'the case is not closed before the penalty is performed');
    ELSIF e.to_state = 'PERFORMED' AND (SELECT d.owed FROM case_debt(e.case_id, e.event_time) d) > 0 THEN
        PERFORM case_refuse('行政处罚法 第六十七条、第七十二条', 'not all is paid, the addition for late payment included');
    ELSIF e.step = 'confirm_performance' AND e.outcome = 'unperformed' AND NOT coalesce((SELECT k.due_time <= e.event_time FROM case_clock_now k
           WHERE k.case_id = e.case_id AND k.basis = 'perform_15d' ORDER BY k.event_seq DESC LIMIT 1), false) THEN
        PERFORM case_refuse('行政处罚法 第六十七条', 'the term for payment is not over');
    ELSIF e.step = 'confirm_performance' AND e.outcome = 'instalments' AND NOT EXISTS (SELECT 1 FROM party_file f
           WHERE f.case_id = e.case_id AND f.file_id::text = lower(e.document_id)) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'instalments are granted on the application of the party');
    ELSIF e.step = 'instalments_sign' AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id AND a.step = 'confirm_performance'
           AND a.outcome = 'instalments' AND a.subject <> e.subject
           AND a.seq > (SELECT coalesce(max(s.seq), 0) FROM case_event s WHERE s.case_id = e.case_id AND s.step = 'instalments_sign')) THEN
        PERFORM case_refuse('行政处罚法 第六十六条', 'the head grants a plan that another put forward');
    ELSIF e.step = 'remit' AND (NOT EXISTS (SELECT 1 FROM case_remission r WHERE r.case_id = e.case_id AND r.seq = e.seq)
           OR EXISTS (SELECT 1 FROM case_debt(e.case_id, e.event_time) d WHERE d.remitted > d.addition)) THEN
        PERFORM case_refuse('行政强制法 第四十二条', 'only the addition for late payment is remitted, by agreement');
    ELSIF e.to_state = 'DEMANDED' AND e.from_state = 'PERFORMING' AND NOT EXISTS (SELECT 1 FROM case_event u WHERE u.case_id = e.case_id
           AND u.step = 'confirm_performance' AND u.outcome = 'unperformed' AND u.seq > changed) THEN
        PERFORM case_refuse('行政强制法 第五十四条', 'a demand follows what was found not performed');
    ELSIF e.step = 'apply_court' AND e.outcome = 'applied' AND NOT EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
           AND k.basis = 'demand_10d' AND k.event_seq >= demand AND k.due_time <= e.event_time AND k.cancel_time IS NULL) THEN
        PERFORM case_refuse('行政强制法 第五十四条', 'ten days after the demand are not over');
    ELSIF e.step = 'apply_court' AND e.outcome = 'applied' AND (EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
               AND k.basis IN ('litigate_6m', 'litigate_15d') AND k.due_time > e.event_time AND k.met_time IS NULL AND k.cancel_time IS NULL)
            OR EXISTS (SELECT 1 FROM case_remedy_counting r WHERE r.case_id = e.case_id AND r.end_fact IS NULL)) THEN
        PERFORM case_refuse('行政强制法 第五十三条', 'the time for reconsideration and suit is not over, or one of them runs');
    ELSIF e.step = 'apply_court' AND e.outcome = 'applied' AND NOT EXISTS (SELECT 1 FROM case_clock_now k WHERE k.case_id = e.case_id
           AND k.basis = 'court_3m' AND k.met_time IS NULL AND k.cancel_time IS NULL AND k.start_time <= e.event_time AND k.due_time >= e.event_time) THEN
        PERFORM case_refuse('行政强制法 第五十三条', 'the court is asked within three months of the end of the time for reconsideration and suit');
    ELSIF e.to_state = 'ENFORCED' AND NOT EXISTS (SELECT 1 FROM case_event a WHERE a.case_id = e.case_id AND a.step = 'apply_court' AND a.outcome = 'applied') THEN
        PERFORM case_refuse('行政强制法 第五十三条', 'nothing is enforced that the court was not asked for');
    END IF;
END $$;
-- +goose StatementEnd

INSERT INTO case_edge (from_state, to_state, step, article) VALUES
    ('DEMANDED', 'PERFORMING', 'remedy', '行政复议法 第六十三条'),
    ('PERFORMING', 'PERFORMING', 'remit', '行政强制法 第四十二条'),
    ('DEMANDED', 'DEMANDED', 'remit', '行政强制法 第四十二条');
GRANT SELECT, INSERT ON case_change, case_remission TO enforcement;
GRANT SELECT ON case_standing, case_remedy_counting TO enforcement;

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN RAISE EXCEPTION 'what was changed or remitted would be owed again: there is no way back'; END $$;
-- +goose StatementEnd
