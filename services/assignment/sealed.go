package assignment

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// masked stands in place of what is sealed.
const masked = "***"

// keep makes what is stored of a decision's detail: JSON without names of natural persons and addresses of parties, and
// where there are any, those as they were given, sealed.
func (s *Server) keep(taskID string, d *assignmentv1.DecisionDetail) (detail, sealed []byte, err error) {
	d = proto.CloneOf(d)
	if d == nil {
		d = &assignmentv1.DecisionDetail{}
	}
	if private := private(d); proto.Size(private) > 0 {
		plain, err := proto.Marshal(private)
		if err != nil {
			return nil, nil, fmt.Errorf("what is sealed: %w", err)
		}
		if sealed, err = s.keys.Seal(plain, partiesOf(taskID)); err != nil {
			return nil, nil, err
		}
		mask(d)
	}
	if detail, err = protojson.Marshal(d); err != nil {
		return nil, nil, fmt.Errorf("decision detail: %w", err)
	}
	return detail, sealed, nil
}

// private is what of a decision is sealed: its parties, when a natural person is among them, and a party's address.
func private(d *assignmentv1.DecisionDetail) *assignmentv1.DecisionDetail {
	out := &assignmentv1.DecisionDetail{}
	if slices.ContainsFunc(d.GetParties(), (*assignmentv1.PartyDetail).GetPerson) {
		out.Parties = proto.CloneOf(d).GetParties()
	}
	if address := d.GetCaseStep().GetProposal().GetPartyAddress(); address != "" {
		out.CaseStep = &assignmentv1.CaseStepDetail{Proposal: &assignmentv1.CaseProposal{PartyAddress: address}}
	}
	return out
}

func mask(d *assignmentv1.DecisionDetail) {
	for _, p := range d.GetParties() {
		if p.GetPerson() {
			p.Name = masked
		}
	}
	if p := d.GetCaseStep().GetProposal(); p.GetPartyAddress() != "" {
		p.PartyAddress = masked
	}
}

// name puts the names of natural persons into a decision, for a reader who may know them.
func (s *Server) name(ctx context.Context, r *store.Decision, d *assignmentv1.Decision) error {
	if !mayName(ctx, r.AgencyID) {
		return nil
	}
	return s.unseal(r, d)
}

func (s *Server) unseal(r *store.Decision, d *assignmentv1.Decision) error {
	if r.Sealed == nil {
		return nil
	}
	named, err := opened(s.keys, r.TaskID, r.Sealed)
	if err != nil {
		return err
	}
	if len(named.GetParties()) > 0 {
		d.Detail.Parties = named.GetParties()
	}
	if p := d.GetDetail().GetCaseStep().GetProposal(); p.GetPartyAddress() == masked {
		p.PartyAddress = named.GetCaseStep().GetProposal().GetPartyAddress()
	}
	return nil
}

// opened is what was sealed of a decision.
func opened(keys *seal.Keys, taskID string, sealed []byte) (*assignmentv1.DecisionDetail, error) {
	out := &assignmentv1.DecisionDetail{}
	plain, err := keys.Unseal(sealed, partiesOf(taskID))
	if err == nil {
		err = proto.Unmarshal(plain, out)
	}
	if err != nil {
		return nil, fmt.Errorf("what is sealed of decision %s: %w", taskID, err)
	}
	return out, nil
}

// sealAddresses seals the addresses of parties that were kept in clear before, as the owner of the database: the service
// itself changes no decision.
func sealAddresses(ctx context.Context, ownerURL string, keys *seal.Keys) error {
	db, err := pg.Open(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer db.Close()
	return pg.Tx(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT task_id::text, detail, sealed FROM decision
			WHERE jsonb_path_exists(detail, '$.caseStep.proposal.partyAddress ? (@ != "***" && @ != "")') FOR UPDATE`)
		if err != nil {
			return err
		}
		type kept struct {
			TaskID         string
			Detail, Sealed []byte
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
		if err != nil {
			return err
		}
		s := &Server{keys: keys}
		for _, k := range found {
			d := &assignmentv1.DecisionDetail{}
			if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(k.Detail, d); err != nil {
				return fmt.Errorf("detail of decision %s: %w", k.TaskID, err)
			}
			if k.Sealed != nil {
				named, err := opened(keys, k.TaskID, k.Sealed)
				if err != nil {
					return err
				}
				d.Parties = named.GetParties()
			}
			detail, sealed, err := s.keep(k.TaskID, d)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE decision SET detail = $2, sealed = $3 WHERE task_id = $1", k.TaskID, detail, sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

// mayName says whether names go to the caller: people who work for the agency that decided. What the workflows read may
// end in a history.
func mayName(ctx context.Context, agency string) bool {
	a := identity.ActorOf(ctx)
	return identity.CallerOf(ctx) == accessv1.Caller_CALLER_GATEWAY && agency != "" && a.GetAgencyId() == agency &&
		identity.HasRole(a, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD)
}

// partiesOf is the place that sealed parties are bound to.
func partiesOf(taskID string) []byte { return []byte("assignment/decision/" + taskID + "/parties") }
