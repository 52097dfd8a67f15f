-- The address of a party in a proposal of a case (当事人地址) is sealed with the names of natural persons; the service seals
-- those of before when it starts.

-- +goose Up
ALTER TABLE decision ADD CONSTRAINT decision_address_sealed
    CHECK (NOT jsonb_path_exists(detail, '$.caseStep.proposal.partyAddress ? (@ != "***" && @ != "")')) NOT VALID;

-- +goose Down
ALTER TABLE decision DROP CONSTRAINT decision_address_sealed;
