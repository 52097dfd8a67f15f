-- What the papers of a case say of people and offices: officers and chairs by name, offices with an address and a telephone
-- to ask at, addresses of parties sealed, and numbers that belong to one office for good.

-- +goose Up

-- Names, as documents say them (姓名, 行政处罚法 42, 52, 64). Who was appointed before has none: documents then show the
-- certificate alone, never an account.
ALTER TABLE case_officer ADD COLUMN name text NOT NULL DEFAULT '';
ALTER TABLE case_event ADD COLUMN chair_name text NOT NULL DEFAULT '';

-- The address of the party (当事人地址, 行政处罚法 59) is sealed; the service moves those of before when it starts.
ALTER TABLE case_proposal
    ADD COLUMN address_sealed bytea,
    ADD CONSTRAINT case_proposal_address CHECK (coalesce(detail ->> 'partyAddress', '') = '') NOT VALID;

-- Offices (办案单位): where and whom a party asks. Nobody's telephone is guessed: what is empty is said to be found with the
-- agency itself. The word of its numbers (机关代字) is one agency's for good, so that numbers stay apart.
ALTER TABLE office
    ADD COLUMN address    text NOT NULL DEFAULT '',
    ADD COLUMN telephone  text NOT NULL DEFAULT '',
    ADD COLUMN department text NOT NULL DEFAULT '',
    ADD COLUMN payment    text NOT NULL DEFAULT '',
    ADD COLUMN put_by     text NOT NULL DEFAULT '',
    ADD CONSTRAINT office_short_of_one EXCLUDE USING gist (short WITH =, agency_id WITH <>);
UPDATE office SET contact = '联系方式见本机关公示' WHERE to_confirm;
-- 行政诉讼法 14, 15, 18: a department of the State Council is sued before the intermediate court of its seat.
UPDATE office SET court = CASE WHEN agency_id ~ '-' THEN '本机关所在地有管辖权的人民法院' ELSE '本机关所在地有管辖权的中级人民法院' END
 WHERE to_confirm;

-- Numbers run without a gap: a number is taken in the transaction that makes what it is of, and goes back with it. Beside
-- what 00007 asks of documents and deliveries.
CREATE OR REPLACE VIEW party_violation AS
    SELECT v.delivery_id AS id, 'delivery to the party of a document that is not for it'::text AS what
      FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id WHERE NOT d.for_party
    UNION ALL
    SELECT v.delivery_id, 'electronic delivery without consent in force'
      FROM case_delivery v
     WHERE v.method = 'electronic' AND NOT EXISTS (SELECT 1 FROM case_consent c WHERE c.case_id = v.case_id
           AND c.given_time <= v.served_time AND (c.revoked_time IS NULL OR c.revoked_time > v.served_time))
    UNION ALL
    SELECT v.delivery_id, 'public notice before another way failed'
      FROM case_delivery v
     WHERE v.method = 'public_notice' AND NOT case_delivery_failed(v.case_id, v.served_time)
    UNION ALL
    SELECT r.delivery_id, 'receipt for what was not served, or signed before it was'
      FROM case_receipt r JOIN case_delivery v ON v.delivery_id = r.delivery_id
     WHERE v.result <> 'served' OR r.signed_time < v.served_time
    UNION ALL
    SELECT h.hearing_request_id, 'hearing asked for after a notice that grants none'
      FROM case_hearing_request h
     WHERE NOT EXISTS (SELECT 1 FROM case_notice n WHERE n.case_id = h.case_id AND n.hearing_offered AND n.served_time = h.notice_time)
    UNION ALL
    SELECT h.hearing_request_id, 'hearing asked for that the log of the case does not know'
      FROM case_hearing_request h
     WHERE NOT EXISTS (SELECT 1 FROM case_event e WHERE e.case_id = h.case_id AND e.step = 'hearing_request'
           AND e.note = h.hearing_request_id::text)
    UNION ALL
    SELECT d.document_id, 'document that corrects one of another case'
      FROM case_document d JOIN case_document o ON o.document_id = d.corrects_id WHERE o.case_id <> d.case_id
    UNION ALL
    SELECT md5('document_number/' || n.agency_id || '/' || n.kind || '/' || n.year)::uuid, 'numbers of documents with a gap: ' || n.agency_id || ' ' || n.kind || ' ' || n.year
      FROM document_number n
     WHERE n.last <> (SELECT count(*) FROM case_document d WHERE d.agency_id = n.agency_id AND d.kind = n.kind
               AND extract(year FROM d.drawn_time AT TIME ZONE 'Asia/Shanghai') = n.year)
    UNION ALL
    SELECT md5('case_number/' || n.agency_id || '/' || n.year)::uuid, 'numbers of cases with a gap: ' || n.agency_id || ' ' || n.year
      FROM case_number n
     WHERE n.last <> (SELECT count(*) FROM enforcement_case c JOIN case_event e ON e.case_id = c.case_id AND e.seq = 1
               WHERE coalesce(nullif(e.agency_id, ''), c.agency_id) = n.agency_id
               AND extract(year FROM c.open_time AT TIME ZONE 'Asia/Shanghai') = n.year);

-- +goose Down
CREATE OR REPLACE VIEW party_violation AS
    SELECT v.delivery_id AS id, 'delivery to the party of a document that is not for it'::text AS what
      FROM case_delivery v JOIN case_document d ON d.document_id = v.document_id WHERE NOT d.for_party;
ALTER TABLE office DROP CONSTRAINT office_short_of_one, DROP COLUMN put_by, DROP COLUMN payment, DROP COLUMN department,
    DROP COLUMN telephone, DROP COLUMN address;
ALTER TABLE case_proposal DROP CONSTRAINT case_proposal_address, DROP COLUMN address_sealed;
ALTER TABLE case_event DROP COLUMN chair_name;
ALTER TABLE case_officer DROP COLUMN name;
