-- Deductions (申诉核减): an appeal that a disposition of harassment caused counts not against the operator that carried it out,
-- when the report was true and the appeal was dismissed (工信部联信管〔2018〕138号, 举报属实的可在申诉考核中核减).

-- +goose Up
-- What an appeal was caused by, as its workflow knew it when it was answered, append-only: the evidence (核减依据).
CREATE TABLE appeal_cause (
    appeal_id         uuid        CONSTRAINT appeal_cause_pkey PRIMARY KEY REFERENCES appeal,
    complaint_id      uuid        NOT NULL,
    round             integer     NOT NULL CONSTRAINT appeal_cause_round CHECK (round >= 1),
    forged            boolean     NOT NULL, -- the number proved forged: then nothing counts against anybody
    substantiated     integer     NOT NULL, -- reports of the complaint found true
    checked           integer     NOT NULL, -- reports with a finding
    operator_id       text        NOT NULL CONSTRAINT appeal_cause_has_an_operator CHECK (operator_id <> ''),
    administration_id text        NOT NULL CONSTRAINT appeal_cause_has_an_administration CHECK (administration_id <> ''),
    answered_by       text        NOT NULL CONSTRAINT appeal_cause_answered_by_somebody CHECK (answered_by <> ''),
    excluded          text[]      NOT NULL, -- who had a part in the disposition
    stated_time       timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT appeal_cause_counts CHECK (substantiated BETWEEN 0 AND checked)
);

CREATE TABLE deduction (
    deduction_id      uuid        CONSTRAINT deduction_pkey PRIMARY KEY,
    appeal_id         uuid        NOT NULL CONSTRAINT deduction_of_a_cause REFERENCES appeal_cause,
    event_id          bigint      NOT NULL REFERENCES resource_event,
    operator_id       text        NOT NULL,
    administration_id text        NOT NULL,
    state             text        NOT NULL DEFAULT 'PROPOSED',
    effect            smallint    NOT NULL DEFAULT 0, -- 1 while the appeal is deducted
    proposed_time     timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deduction_once UNIQUE (appeal_id),
    CONSTRAINT deduction_state CHECK (state IN ('PROPOSED', 'CONTESTED', 'GRANTED', 'REFUSED', 'LAPSED')),
    CONSTRAINT deduction_effect CHECK (effect IN (0, 1) AND (effect = 0 OR state NOT IN ('PROPOSED', 'REFUSED', 'LAPSED'))
        AND (effect = 1 OR state <> 'GRANTED'))
);
CREATE INDEX deduction_newest ON deduction (proposed_time DESC, deduction_id DESC);
CREATE INDEX deduction_of_event ON deduction (event_id);

-- Its history, append-only. Effects of a month add up to what that month's scorecard deducts.
CREATE TABLE deduction_act (
    act_id       bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT deduction_act_pkey PRIMARY KEY,
    deduction_id uuid        NOT NULL REFERENCES deduction,
    act          text        NOT NULL CONSTRAINT deduction_act_known CHECK (act IN ('proposed', 'contested', 'granted', 'refused', 'lapsed')),
    side         text        NOT NULL CONSTRAINT deduction_act_side CHECK (side IN ('mesh', 'operator', 'administration')),
    done_by      text        NOT NULL CONSTRAINT deduction_act_by_somebody CHECK (done_by <> ''),
    agency_id    text        NOT NULL,
    reason       text        NOT NULL CONSTRAINT deduction_act_has_reason CHECK (reason <> ''),
    evidence     uuid[]      NOT NULL DEFAULT '{}',
    effect       smallint    NOT NULL,
    act_time     timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deduction_act_effect CHECK (effect = 0 OR (effect = 1 AND act = 'granted') OR (effect = -1 AND act IN ('refused', 'lapsed'))),
    CONSTRAINT deduction_act_decided_by_the_administration CHECK (act NOT IN ('granted', 'refused') OR side = 'administration'),
    CONSTRAINT deduction_act_of_the_mesh CHECK ((act IN ('proposed', 'lapsed')) = (side = 'mesh'))
);
-- each side contests once
CREATE UNIQUE INDEX deduction_contested_once ON deduction_act (deduction_id, side) WHERE act = 'contested';
CREATE INDEX deduction_act_of ON deduction_act (deduction_id, act_id);
CREATE INDEX deduction_act_counts ON deduction_act (act_time) WHERE effect <> 0;
CREATE INDEX appeal_filed ON appeal (file_time, appeal_id);

-- What the rules of deductions forbid, asked again without trusting them.
CREATE VIEW deduction_violation AS
    SELECT d.deduction_id AS id, 'deduction of an appeal that was not dismissed, or whose report was not true'::text AS what
      FROM deduction d JOIN appeal p USING (appeal_id) JOIN appeal_cause c USING (appeal_id)
     WHERE d.state <> 'LAPSED' AND (p.state <> 'DISMISSED' OR c.substantiated = 0)
    UNION ALL
    SELECT d.deduction_id, 'deduction of an appeal over a forged number'
      FROM deduction d JOIN appeal_cause c USING (appeal_id) WHERE c.forged
    UNION ALL
    SELECT d.deduction_id, 'deduction names another operator or administration than its cause'
      FROM deduction d JOIN appeal_cause c USING (appeal_id)
     WHERE (d.operator_id, d.administration_id) IS DISTINCT FROM (c.operator_id, c.administration_id)
    UNION ALL
    SELECT DISTINCT d.deduction_id, 'deduction was decided by who answered the appeal or had a part in the disposition'
      FROM deduction d JOIN appeal_cause c USING (appeal_id) JOIN deduction_act a USING (deduction_id)
     WHERE a.act IN ('granted', 'refused') AND (a.done_by = c.answered_by OR a.done_by = ANY (c.excluded))
    UNION ALL
    SELECT DISTINCT a.deduction_id, 'deduction was decided by who had contested or decided it before'
      FROM deduction_act a JOIN deduction_act b ON b.deduction_id = a.deduction_id AND b.act_id < a.act_id AND b.done_by = a.done_by
     WHERE a.act IN ('granted', 'refused')
    UNION ALL
    SELECT a.deduction_id, 'deduction was decided by another agency than its administration'
      FROM deduction_act a JOIN deduction d USING (deduction_id)
     WHERE a.act IN ('granted', 'refused') AND a.agency_id <> d.administration_id
    UNION ALL
    SELECT d.deduction_id, 'deduction is in another state than its last act says, or counts otherwise than its acts'
      FROM deduction d LEFT JOIN LATERAL (SELECT upper(act) AS act FROM deduction_act a WHERE a.deduction_id = d.deduction_id ORDER BY act_id DESC LIMIT 1) l ON true
     WHERE l.act IS DISTINCT FROM d.state
        OR d.effect <> (SELECT coalesce(sum(a.effect), 0) FROM deduction_act a WHERE a.deduction_id = d.deduction_id)
    UNION ALL
    SELECT d.deduction_id, 'deduction stands though the disposition was found wrong'
      FROM deduction d WHERE d.state <> 'LAPSED' AND EXISTS (SELECT FROM resource_event e WHERE e.corrects_event_id = d.event_id)
    UNION ALL
    SELECT c.appeal_id, 'appeal was dismissed over a true report and no deduction was proposed'
      FROM appeal_cause c JOIN appeal p USING (appeal_id)
     WHERE p.state = 'DISMISSED' AND c.substantiated > 0 AND NOT c.forged
       AND NOT EXISTS (SELECT FROM resource_event e WHERE e.corrects_event_id = p.event_id)
       AND NOT EXISTS (SELECT FROM deduction d WHERE d.appeal_id = c.appeal_id);

GRANT SELECT, INSERT ON appeal_cause, deduction, deduction_act TO ledger;
GRANT UPDATE (state, effect) ON deduction TO ledger;
GRANT SELECT ON deduction_violation TO ledger;

-- +goose Down
DROP VIEW deduction_violation;
DROP INDEX appeal_filed;
DROP TABLE deduction_act, deduction, appeal_cause;
