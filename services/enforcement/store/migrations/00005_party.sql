-- The reported side (当事人): documents as served, their delivery, and what the party answers, asks and hands in. Nothing
-- here is ever changed but by a row that follows it; only a withdrawal, a revocation and an answer are entered in place, once.

-- +goose Up

-- Kinds of documents (文书种类). word stands in the number after the office's own; basis is the article that asks for it.
CREATE TABLE document_kind (
    kind      text    PRIMARY KEY,
    name      text    NOT NULL,
    word      text    NOT NULL,
    for_party boolean NOT NULL,
    basis     text    NOT NULL
);
INSERT INTO document_kind (kind, name, word, for_party, basis) VALUES
    ('notice',         '行政处罚事先告知书', '罚告',   true,  '行政处罚法 第四十四条、第四十五条、第六十二条'),
    ('hearing_notice', '行政处罚听证通知书', '听通',   true,  '行政处罚法 第六十四条'),
    ('decision',       '行政处罚决定书',     '罚决',   true,  '行政处罚法 第五十九条'),
    ('onspot_decision', '当场行政处罚决定书', '当罚',  true,  '行政处罚法 第五十一条、第五十二条'),
    ('no_penalty',     '不予行政处罚决定书', '不罚',   true,  '行政处罚法 第三十三条、第五十七条'),
    ('receipt',        '送达回证',           '送',     false, '行政处罚法 第六十一条;民事诉讼法 第八十七条'),
    ('transfer',       '案件移送书',         '移送',   false, '行政处罚法 第二十七条;行政执法机关移送涉嫌犯罪案件的规定 第六条'),
    ('demand',         '行政决定履行催告书', '催',     true,  '行政强制法 第三十五条、第五十四条'),
    ('reminder',       '提示函',             '提示',   true,  '关于推进综合整治骚扰电话专项行动的工作方案 (to confirm)'),
    ('order',          '责令改正通知书',     '责改',   true,  '行政处罚法 第二十八条'),
    ('consent_demand', '提供用户同意记录通知书', '调证', true, '个人信息保护法 第六十三条;行政处罚法 第五十五条 (to confirm)'),
    ('publication',    '行政处罚决定公示文本', '公示', false, '行政处罚法 第四十八条');

-- Templates that an office put in place of the built-in ones (文书模板), each version for its time; agency_id '' is for all.
CREATE TABLE document_template (
    kind       text        NOT NULL REFERENCES document_kind,
    agency_id  text        NOT NULL,
    version    int         NOT NULL,
    body       text        NOT NULL,
    sha256     bytea       NOT NULL,
    valid_from timestamptz NOT NULL,
    put_by     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT document_template_pkey PRIMARY KEY (kind, agency_id, version),
    CONSTRAINT document_template_version CHECK (version > 0),
    CONSTRAINT document_template_size CHECK (octet_length(body) BETWEEN 1 AND 100000)
);

-- The last document number of an agency, kind and year, in Shanghai (文号).
CREATE TABLE document_number (
    agency_id text   NOT NULL,
    kind      text   NOT NULL REFERENCES document_kind,
    year      int    NOT NULL,
    last      bigint NOT NULL,
    CONSTRAINT document_number_pkey PRIMARY KEY (agency_id, kind, year),
    CONSTRAINT document_number_counts CHECK (last > 0)
);

-- Documents (文书), append-only, byte for byte as they were made; sealed, because names of persons stand in them. A
-- correction is a new document that names the one it corrects.
CREATE TABLE case_document (
    document_id      uuid        PRIMARY KEY,
    case_id          uuid        NOT NULL REFERENCES enforcement_case,
    party_id         uuid        NOT NULL REFERENCES party, -- whom it is about: an attribution may give the case another later
    agency_id        text        NOT NULL,
    kind             text        NOT NULL REFERENCES document_kind,
    document_no      text        NOT NULL,
    template_version int         NOT NULL, -- 0: built in
    template_sha256  bytea       NOT NULL,
    content_sealed   bytea       NOT NULL,
    sha256           bytea       NOT NULL, -- of the clear bytes
    size_bytes       int         NOT NULL,
    for_party        boolean     NOT NULL,
    hearing_granted  boolean     NOT NULL DEFAULT false, -- what a notice told of art. 63
    corrects_id      uuid        REFERENCES case_document,
    task_id          uuid,
    drawn_by         text        NOT NULL,
    drawn_time       timestamptz NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_document_no_once UNIQUE (document_no),
    CONSTRAINT case_document_hash CHECK (octet_length(sha256) = 32 AND octet_length(template_sha256) = 32),
    CONSTRAINT case_document_of_case UNIQUE (document_id, case_id)
);
CREATE UNIQUE INDEX case_document_once ON case_document (case_id, kind, task_id) WHERE task_id IS NOT NULL;
CREATE INDEX case_document_list ON case_document (case_id, drawn_time DESC, document_id DESC);

-- Attempts at delivery (送达), append-only: how, when, and whether it reached the party.
CREATE TABLE case_delivery (
    delivery_id uuid        PRIMARY KEY,
    document_id uuid        NOT NULL,
    case_id     uuid        NOT NULL,
    method      text        NOT NULL,
    result      text        NOT NULL,
    served_time timestamptz NOT NULL, -- of a failed attempt: when it was tried
    task_id     uuid,
    served_by   text        NOT NULL,
    statement_due   timestamptz, -- of a notice: the terms of the party, as they were when it was served
    statement_proof text    NOT NULL DEFAULT '',
    hearing_due     timestamptz,
    hearing_proof   text    NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_delivery_of_document FOREIGN KEY (document_id, case_id) REFERENCES case_document (document_id, case_id),
    CONSTRAINT case_delivery_method CHECK (method IN ('direct', 'left', 'mail', 'entrusted', 'electronic', 'public_notice', 'onspot')),
    CONSTRAINT case_delivery_result CHECK (result IN ('served', 'failed'))
);
CREATE UNIQUE INDEX case_delivery_once ON case_delivery (document_id) WHERE result = 'served';
CREATE INDEX case_delivery_of_case ON case_delivery (case_id, served_time DESC, delivery_id DESC);

-- Receipts (送达回证): the party signed that it has the document.
CREATE TABLE case_receipt (
    delivery_id uuid        PRIMARY KEY REFERENCES case_delivery,
    case_id     uuid        NOT NULL REFERENCES enforcement_case,
    signed_time timestamptz NOT NULL,
    signer_sealed bytea     NOT NULL,
    channel     text        NOT NULL,
    received_by text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_receipt_channel CHECK (channel IN ('electronic', 'paper'))
);

-- Consent to electronic delivery by a signed confirmation (同意电子送达的确认书, 行政处罚法 61), revocable for the future.
CREATE TABLE case_consent (
    consent_id     uuid        PRIMARY KEY,
    case_id        uuid        NOT NULL REFERENCES enforcement_case,
    given_time     timestamptz NOT NULL,
    address_sealed bytea       NOT NULL,
    channel        text        NOT NULL,
    received_by    text        NOT NULL,
    revoked_time   timestamptz,
    revoked_channel text,
    revoked_by     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_consent_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_consent_revoked CHECK (revoked_time IS NULL OR revoked_time >= given_time)
);
CREATE UNIQUE INDEX case_consent_one_in_force ON case_consent (case_id) WHERE revoked_time IS NULL;
CREATE INDEX case_consent_of_case ON case_consent (case_id, given_time);

-- Files that the party hands in (当事人提交的材料): sealed, with their hash.
CREATE TABLE party_file (
    file_id        uuid        PRIMARY KEY,
    case_id        uuid        NOT NULL REFERENCES enforcement_case,
    name_sealed    bytea       NOT NULL,
    media_type     text        NOT NULL,
    content_sealed bytea       NOT NULL,
    sha256         bytea       NOT NULL,
    size_bytes     int         NOT NULL,
    received_time  timestamptz NOT NULL,
    channel        text        NOT NULL,
    received_by    text        NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT party_file_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT party_file_hash CHECK (octet_length(sha256) = 32),
    CONSTRAINT party_file_of_case UNIQUE (file_id, case_id)
);
CREATE INDEX party_file_list ON party_file (case_id, created_at);
CREATE TABLE party_file_log (
    log_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id    uuid        NOT NULL REFERENCES party_file,
    deed       text        NOT NULL,
    done_by    text        NOT NULL,
    purpose    text        NOT NULL,
    done_time  timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT party_file_log_deed CHECK (deed IN ('put', 'read'))
);
CREATE INDEX party_file_log_of ON party_file_log (file_id);

-- Statement and defence (陈述申辩, 行政处罚法 45). A late one is kept and marked so.
CREATE TABLE case_statement (
    statement_id  uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    notice_time   timestamptz, -- the notice it answers; NULL before any
    due           timestamptz,
    due_proof     text        NOT NULL DEFAULT '',
    late          boolean     NOT NULL,
    received_time timestamptz NOT NULL,
    text_sealed   bytea       NOT NULL,
    channel       text        NOT NULL,
    received_by   text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_statement_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_statement_late CHECK (late = (due IS NOT NULL AND received_time > due))
);
CREATE INDEX case_statement_of_case ON case_statement (case_id, received_time);

-- Waivers (放弃陈述申辩或者听证): valid for the one notice only.
CREATE TABLE case_waiver (
    waiver_id   uuid        PRIMARY KEY,
    case_id     uuid        NOT NULL REFERENCES enforcement_case,
    waived      text        NOT NULL,
    notice_time timestamptz NOT NULL,
    waived_time timestamptz NOT NULL,
    channel     text        NOT NULL,
    received_by text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_waiver_what CHECK (waived IN ('statement', 'hearing')),
    CONSTRAINT case_waiver_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_waiver_after_notice CHECK (waived_time >= notice_time),
    CONSTRAINT case_waiver_once UNIQUE (case_id, waived, notice_time)
);

-- Requests for a hearing (听证申请, 行政处罚法 63, 64): within five working days of the notice.
CREATE TABLE case_hearing_request (
    hearing_request_id uuid        PRIMARY KEY,
    case_id            uuid        NOT NULL REFERENCES enforcement_case,
    notice_time        timestamptz NOT NULL,
    due                timestamptz NOT NULL,
    due_proof          text        NOT NULL,
    asked_time         timestamptz NOT NULL,
    reason_sealed      bytea       NOT NULL,
    channel            text        NOT NULL,
    received_by        text        NOT NULL,
    withdrawn_time     timestamptz,
    withdrawn_channel  text,
    withdrawn_by       text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_hearing_request_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_hearing_request_term CHECK (asked_time BETWEEN notice_time AND due),
    CONSTRAINT case_hearing_request_withdrawn CHECK (withdrawn_time IS NULL OR withdrawn_time >= asked_time)
);
CREATE UNIQUE INDEX case_hearing_request_one ON case_hearing_request (case_id, notice_time) WHERE withdrawn_time IS NULL;
CREATE INDEX case_hearing_request_of_case ON case_hearing_request (case_id, asked_time);

-- Objections to an officer (回避申请, 行政处罚法 43), decided by the head; until then the investigation goes on.
CREATE TABLE case_objection (
    objection_id    uuid        PRIMARY KEY,
    case_id         uuid        NOT NULL REFERENCES enforcement_case,
    officer         text        NOT NULL,
    ground          text        NOT NULL,
    text_sealed     bytea       NOT NULL,
    objected_time   timestamptz NOT NULL,
    channel         text        NOT NULL,
    received_by     text        NOT NULL,
    decision        text,
    decision_reason text,
    decided_by      text,
    decided_time    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_objection_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_objection_ground CHECK (ground IN ('direct_interest', 'other_relation')),
    CONSTRAINT case_objection_decision CHECK (decision IN ('granted', 'refused')),
    CONSTRAINT case_objection_decided CHECK ((decision IS NULL) = (decided_time IS NULL)
        AND (decision IS NULL) = (decided_by IS NULL) AND (decided_time IS NULL OR decided_time >= objected_time)),
    CONSTRAINT case_objection_by_another CHECK (decided_by IS DISTINCT FROM officer)
);
CREATE INDEX case_objection_of_case ON case_objection (case_id, objected_time);

-- Demands for the consent records as a whole (责令提供用户同意记录): whole months, never a call. Who does not answer in
-- time has not shown consent, which is a fact of its own.
CREATE TABLE consent_demand (
    demand_id       uuid        PRIMARY KEY,
    case_id         uuid        NOT NULL REFERENCES enforcement_case,
    document_id     uuid        NOT NULL REFERENCES case_document,
    first_month     date        NOT NULL,
    last_month      date        NOT NULL,
    demanded_by     text        NOT NULL,
    demanded_time   timestamptz NOT NULL,
    due             timestamptz NOT NULL,
    due_statutory   timestamptz NOT NULL,
    due_proof       text        NOT NULL,
    due_provisional boolean     NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consent_demand_months CHECK (extract(day FROM first_month) = 1 AND extract(day FROM last_month) = 1
        AND last_month >= first_month)
);
CREATE INDEX consent_demand_of_case ON consent_demand (case_id, demanded_time);
CREATE INDEX consent_demand_due ON consent_demand (due);
CREATE TABLE consent_proof (
    proof_id      uuid        PRIMARY KEY,
    demand_id     uuid        NOT NULL REFERENCES consent_demand,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    has_records   boolean     NOT NULL,
    text_sealed   bytea       NOT NULL,
    answered_time timestamptz NOT NULL,
    late          boolean     NOT NULL,
    channel       text        NOT NULL,
    received_by   text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consent_proof_channel CHECK (channel IN ('electronic', 'paper'))
);
CREATE INDEX consent_proof_of ON consent_proof (demand_id);
CREATE INDEX consent_proof_of_case ON consent_proof (case_id);
CREATE TABLE consent_unanswered (
    demand_id     uuid        PRIMARY KEY REFERENCES consent_demand,
    recorded_time timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

-- What the party says it paid (缴款凭证), until the agency confirms it by the payments of the case.
CREATE TABLE case_payment_claim (
    claim_id      uuid        PRIMARY KEY,
    case_id       uuid        NOT NULL REFERENCES enforcement_case,
    amount_fen    bigint      NOT NULL,
    paid_on       date        NOT NULL,
    received_time timestamptz NOT NULL,
    channel       text        NOT NULL,
    received_by   text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_payment_claim_channel CHECK (channel IN ('electronic', 'paper')),
    CONSTRAINT case_payment_claim_amount CHECK (amount_fen > 0)
);
CREATE INDEX case_payment_claim_of_case ON case_payment_claim (case_id, received_time);

-- Which files came with which of the party's writings.
CREATE TABLE case_filing_file (
    filing_id  uuid        NOT NULL,
    file_id    uuid        NOT NULL,
    case_id    uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT case_filing_file_pkey PRIMARY KEY (filing_id, file_id),
    CONSTRAINT case_filing_file_of_case FOREIGN KEY (file_id, case_id) REFERENCES party_file (file_id, case_id)
);

-- +goose StatementBegin
-- Whether a way of delivery other than public notice failed before, in a case.
CREATE FUNCTION case_delivery_failed(of_case uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM case_delivery f WHERE f.case_id = of_case AND f.result = 'failed' AND f.method <> 'public_notice'
                      AND f.served_time <= at)
        OR EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = of_case AND e.outcome IN ('not_delivered', 'not_served')
                      AND e.method <> 'public_notice' AND e.event_time <= at)
$$;
-- +goose StatementEnd
-- +goose StatementBegin
-- What delivery must not do, whoever writes it: reach the party with what is not for it, go electronically without a
-- consent in force (行政处罚法 61), or be by public notice before another way failed (民事诉讼法 95).
CREATE FUNCTION case_delivery_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT d.for_party FROM case_document d WHERE d.document_id = NEW.document_id) THEN
        RAISE EXCEPTION 'this document is not for the party' USING ERRCODE = 'check_violation', CONSTRAINT = 'case_delivery_for_party';
    END IF;
    IF NEW.method = 'electronic' AND NOT EXISTS (SELECT 1 FROM case_consent c WHERE c.case_id = NEW.case_id
            AND c.given_time <= NEW.served_time AND (c.revoked_time IS NULL OR c.revoked_time > NEW.served_time)) THEN
        RAISE EXCEPTION 'no consent to electronic delivery' USING ERRCODE = 'check_violation', CONSTRAINT = 'case_delivery_consent';
    END IF;
    IF NEW.method = 'public_notice' AND NOT case_delivery_failed(NEW.case_id, NEW.served_time) THEN
        RAISE EXCEPTION 'no other way failed before' USING ERRCODE = 'check_violation', CONSTRAINT = 'case_delivery_last_resort';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_delivery_allowed BEFORE INSERT ON case_delivery FOR EACH ROW EXECUTE FUNCTION case_delivery_allowed();

-- What the party wrote, in one list.
CREATE VIEW case_filing AS
    SELECT statement_id AS filing_id, case_id, 'statement'::text AS kind, received_time, due, late, channel, received_by,
           text_sealed, NULL::timestamptz AS ended_time, ''::text AS note, NULL::uuid AS document_id, 0::bigint AS amount_fen
      FROM case_statement
    UNION ALL
    SELECT waiver_id, case_id, 'waiver', waived_time, NULL, false, channel, received_by, NULL, NULL, waived, NULL, 0 FROM case_waiver
    UNION ALL
    SELECT hearing_request_id, case_id, 'hearing_request', asked_time, due, false, channel, received_by, reason_sealed,
           withdrawn_time, '', NULL, 0
      FROM case_hearing_request
    UNION ALL
    SELECT objection_id, case_id, 'objection', objected_time, NULL, false, channel, received_by, text_sealed, decided_time,
           coalesce(decision, ''), NULL, 0
      FROM case_objection
    UNION ALL
    SELECT consent_id, case_id, 'delivery_consent', given_time, NULL, false, channel, received_by, address_sealed, revoked_time, '', NULL, 0
      FROM case_consent
    UNION ALL
    SELECT r.delivery_id, r.case_id, 'receipt', r.signed_time, NULL, false, r.channel, r.received_by, r.signer_sealed, NULL, '', d.document_id, 0
      FROM case_receipt r JOIN case_delivery d ON d.delivery_id = r.delivery_id
    UNION ALL
    SELECT p.proof_id, p.case_id, 'consent_proof', p.answered_time, d.due, p.late, p.channel, p.received_by, p.text_sealed, NULL,
           CASE WHEN p.has_records THEN 'records' ELSE 'none' END, d.document_id, 0
      FROM consent_proof p JOIN consent_demand d ON d.demand_id = p.demand_id
    UNION ALL
    SELECT claim_id, case_id, 'payment', received_time, NULL, false, channel, received_by, NULL, NULL, paid_on::text, NULL, amount_fen
      FROM case_payment_claim;

GRANT SELECT ON document_kind, case_filing TO enforcement;
GRANT SELECT, INSERT ON document_template, case_document, case_delivery, case_receipt, case_consent, party_file, party_file_log,
    case_statement, case_waiver, case_hearing_request, case_objection, consent_demand, consent_proof, consent_unanswered,
    case_payment_claim, case_filing_file TO enforcement;
GRANT SELECT, INSERT, UPDATE ON document_number TO enforcement;
GRANT UPDATE (revoked_time, revoked_channel, revoked_by) ON case_consent TO enforcement;
GRANT UPDATE (withdrawn_time, withdrawn_channel, withdrawn_by) ON case_hearing_request TO enforcement;
GRANT UPDATE (decision, decision_reason, decided_by, decided_time) ON case_objection TO enforcement;

-- +goose Down
DROP VIEW case_filing;
DROP TABLE case_filing_file, case_payment_claim, consent_unanswered, consent_proof, consent_demand, case_objection,
    case_hearing_request, case_waiver, case_statement, party_file_log, party_file, case_consent, case_receipt, case_delivery;
DROP FUNCTION case_delivery_allowed(), case_delivery_failed(uuid, timestamptz);
DROP TABLE case_document, document_number, document_template, document_kind;
