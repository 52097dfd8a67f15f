package enforcement

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/enforcement/store"
)

// addressPlace is the place that the address in a proposal is bound to.
func addressPlace(caseID string, seq int32) []byte {
	return []byte("enforcement/proposal/" + caseID + "/" + strconv.Itoa(int(seq)) + "/address")
}

// sealAddress takes the party's address out of a proposal and seals it; nil when it has none.
func (s *Server) sealAddress(p *assignmentv1.CaseProposal, caseID string, seq int32) ([]byte, error) {
	address := p.GetPartyAddress()
	if p.PartyAddress = ""; address == "" {
		return nil, nil
	}
	return s.keys.Seal([]byte(address), addressPlace(caseID, seq))
}

// addressOf is the party's address as the last investigation found it; empty when none did (行政处罚法 59).
func (s *Server) addressOf(ctx context.Context, q *store.Queries, caseID string) (string, error) {
	row, err := q.LastAddress(ctx, caseID)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	plain, err := s.keys.Unseal(row.AddressSealed, addressPlace(caseID, row.Seq))
	if err != nil {
		return "", fmt.Errorf("address in proposal %d of case %s: %w", row.Seq, caseID, err)
	}
	return string(plain), nil
}

// showAddress puts the address of the party into the last proposal of an answer, for the people of the case's agency; others
// learn only that there is one.
func (s *Server) showAddress(m *matter, p *assignmentv1.CaseProposal, r reader) error {
	last := m.lastProposal()
	if last == nil || len(last.AddressSealed) == 0 {
		return nil
	}
	if p.PartyAddress = masked; r.agency == "" || r.agency != m.AgencyID {
		return nil
	}
	plain, err := s.keys.Unseal(last.AddressSealed, addressPlace(m.CaseID, last.Seq))
	if err != nil {
		return fmt.Errorf("address in proposal %d of case %s: %w", last.Seq, m.CaseID, err)
	}
	p.PartyAddress = string(plain)
	return nil
}

// sealAddresses seals the addresses that were kept in clear before, as the owner of the database: the service itself changes
// no proposal.
func sealAddresses(ctx context.Context, ownerURL string, keys *seal.Keys) error {
	db, err := pg.Open(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	return pg.Tx(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT case_id::text, seq, detail ->> 'partyAddress' FROM case_proposal
			WHERE coalesce(detail ->> 'partyAddress', '') <> '' FOR UPDATE`)
		if err != nil {
			return err
		}
		type clear struct {
			CaseID  string
			Seq     int32
			Address string
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[clear])
		if err != nil {
			return err
		}
		for _, c := range found {
			sealed, err := keys.Seal([]byte(c.Address), addressPlace(c.CaseID, c.Seq))
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "UPDATE case_proposal SET address_sealed = $3, detail = detail - 'partyAddress' WHERE case_id = $1 AND seq = $2",
				c.CaseID, c.Seq, sealed)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
