-- Proposed publications, and the basis of what is public.

-- name: InsertProposal :exec
INSERT INTO publication_proposal (proposal_id, kind, agency_id, agency_name, title, summary, party_name, credit_code, region_codes, codes,
                                  party_id, measure_id, case_id, complaint_id, complaint_round, document_id,
                                  warned_time, continued_time, notice_time, proposed_by, propose_time)
VALUES (@proposal_id, @kind, @agency_id, @agency_name, @title, @summary, @party_name, @credit_code, @region_codes, @codes,
        @party_id, @measure_id, @case_id, @complaint_id, @complaint_round, @document_id,
        @warned_time, @continued_time, @notice_time, @proposed_by, @propose_time);

-- name: GetProposal :one
SELECT sqlc.embed(r), p.publication_id FROM publication_proposal r LEFT JOIN publication p ON p.proposal_id = r.proposal_id
 WHERE r.proposal_id = @proposal_id AND (sqlc.arg(sees_all)::boolean OR r.agency_id = @agency_id);

-- name: LockProposal :one
SELECT * FROM publication_proposal WHERE proposal_id = @proposal_id FOR UPDATE;

-- name: EndProposal :exec
UPDATE publication_proposal SET state = @state, reviewed_by = @reviewed_by, signed_by = @signed_by, end_time = @end_time, reason = @reason
 WHERE proposal_id = @proposal_id;

-- name: ListProposals :many
SELECT sqlc.embed(r), p.publication_id FROM publication_proposal r LEFT JOIN publication p ON p.proposal_id = r.proposal_id
 WHERE (sqlc.arg(sees_all)::boolean OR r.agency_id = @agency_id) AND (sqlc.arg(state)::text = '' OR r.state = @state)
   AND (sqlc.narg(before_time)::timestamptz IS NULL
        OR (r.propose_time, r.proposal_id) < (sqlc.narg(before_time)::timestamptz, sqlc.narg(before_id)::uuid))
 ORDER BY r.propose_time DESC, r.proposal_id DESC LIMIT @page_size;

-- name: ListUnstartedProposals :many
SELECT proposal_id, propose_time FROM publication_proposal
 WHERE state = 'PROPOSED' AND propose_time <= @until AND (propose_time, proposal_id) > (@after_time::timestamptz, @after_id::uuid)
 ORDER BY propose_time, proposal_id LIMIT @page_size;

-- name: ListFounded :many
SELECT p.publication_id, p.kind, p.case_id, p.agency_id, p.task_id, p.warned_time, p.publish_time, r.party_id, r.measure_id,
       r.case_id AS basis_case_id, r.complaint_id, r.complaint_round, r.document_id
  FROM publication p LEFT JOIN publication_proposal r ON r.proposal_id = p.proposal_id
 WHERE p.kind IN ('exposure', 'circular', 'service_notice') AND p.gate_version > 2 AND p.take_down_time > @at AND p.publication_id > @after
   AND NOT EXISTS (SELECT FROM publication_withdrawal w WHERE w.publication_id = p.publication_id)
 ORDER BY p.publication_id LIMIT @page_size;
