-- What is on record of the basis of a publication.

-- name: ProvenParty :one
SELECT party_id, person, coalesce(name, '')::text AS name, credit_code FROM party WHERE party_id = @party_id;

-- name: ProvenWarning :one
-- A measure that warns, carried out, against that party as the body that took it has named it.
SELECT r.code, l.created_at AS warned_time
  FROM measure_record r
  JOIN measure_log l ON l.measure_id = r.measure_id AND l.state = 'done'
  JOIN warning_measure w ON w.measure_code = r.code AND w.valid_from <= l.created_at AND (w.valid_to IS NULL OR w.valid_to > l.created_at)
 WHERE r.measure_id = @measure_id
   AND EXISTS (SELECT 1 FROM chain_party x WHERE x.measure_id = r.measure_id AND x.party_id = @party_id AND x.agency_id = r.decided_agency_id);

-- name: ProvenContinuation :one
-- A finding of the agency that stands, of a complaint in which the party is named by it or sued.
SELECT f.found_time
  FROM finding f
 WHERE f.complaint_id = @complaint_id AND f.round = @round AND f.agency_id = @agency_id
   AND NOT EXISTS (SELECT 1 FROM finding_settled s WHERE s.complaint_id = f.complaint_id AND s.round = f.round AND s.how IN ('overturned', 'superseded'))
   AND (EXISTS (SELECT 1 FROM chain_party x WHERE x.complaint_id = f.complaint_id AND x.party_id = @party_id AND x.agency_id = f.agency_id)
        OR EXISTS (SELECT 1 FROM case_complaint a JOIN enforcement_case c ON c.case_id = a.case_id
                    WHERE a.complaint_id = f.complaint_id AND a.round = f.round AND c.party_id = @party_id AND c.reverse_time IS NULL));

-- name: ProvenInformed :one
-- When a document for the party first reached it, in a case of the agency whose decision was not taken back.
SELECT v.served_time
  FROM case_document d
  JOIN case_delivery v ON v.document_id = d.document_id AND v.result = 'served'
  JOIN enforcement_case c ON c.case_id = d.case_id
 WHERE d.document_id = @document_id AND d.party_id = @party_id AND d.agency_id = @agency_id AND d.for_party AND c.reverse_time IS NULL
   AND v.served_time <= @at::timestamptz
 ORDER BY v.served_time LIMIT 1;

-- name: ProvenCase :one
-- A case of the agency: its party, its decision, whether that warned and does still, and when another way of service first failed in it (1970: none did).
SELECT c.case_no, c.party_id, c.deliver_time, c.reverse_time,
       (c.deliver_time IS NOT NULL AND EXISTS (SELECT 1 FROM case_standing p WHERE p.case_id = c.case_id AND p.kind = 'warning')
            AND EXISTS (SELECT 1 FROM case_penalty p WHERE p.case_id = c.case_id AND p.kind = 'warning'
            AND p.seq = (SELECT max(x.seq) FROM case_proposal x WHERE x.case_id = c.case_id)))::boolean AS warns,
       coalesce((SELECT min(t.at) FROM (
            SELECT f.served_time AS at FROM case_delivery f WHERE f.case_id = c.case_id AND f.result = 'failed' AND f.method <> 'public_notice'
            UNION ALL
            SELECT e.event_time FROM case_event e WHERE e.case_id = c.case_id AND e.outcome IN ('not_delivered', 'not_served') AND e.method <> 'public_notice'
       ) AS t), to_timestamp(0))::timestamptz AS failed_time,
       coalesce((SELECT d.document_no FROM case_document d WHERE d.case_id = c.case_id AND d.kind IN ('decision', 'no_penalty')
                    AND NOT EXISTS (SELECT 1 FROM case_delivery v WHERE v.document_id = d.document_id AND v.result = 'served')
                  ORDER BY d.drawn_time DESC LIMIT 1), '')::text AS undelivered_no
  FROM enforcement_case c
 WHERE c.case_id = @case_id AND c.agency_id = @agency_id;

-- name: TakenMeasures :many
SELECT r.measure_id, r.code, r.round, r.decided_agency_id, l.state, l.created_at AS state_time,
       (EXISTS (SELECT 1 FROM warning_measure w WHERE w.measure_code = r.code AND w.valid_from <= l.created_at
                   AND (w.valid_to IS NULL OR w.valid_to > l.created_at)))::boolean AS warns,
       coalesce((SELECT x.party_id::text FROM chain_party x WHERE x.measure_id = r.measure_id ORDER BY x.chain_party_id DESC LIMIT 1), '')::text AS party_id
  FROM measure_record r
  JOIN LATERAL (SELECT m.state, m.created_at FROM measure_log m WHERE m.measure_id = r.measure_id ORDER BY m.state = 'ordered', m.created_at LIMIT 1) l ON true
 WHERE r.complaint_id = @complaint_id AND r.measure_id > @after
 ORDER BY r.measure_id LIMIT @page_size;
