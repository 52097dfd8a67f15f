package assignment

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// masked stands in place of a natural person's name.
const masked = "***"

// keep makes what is stored of a decision's detail: JSON without names of natural persons, and where there are any, the
// parties as they were named, sealed.
func (s *Server) keep(taskID string, d *assignmentv1.DecisionDetail) (detail, sealed []byte, err error) {
	d = proto.CloneOf(d)
	if d == nil {
		d = &assignmentv1.DecisionDetail{}
	}
	if slices.ContainsFunc(d.GetParties(), (*assignmentv1.PartyDetail).GetPerson) {
		plain, err := proto.Marshal(&assignmentv1.DecisionDetail{Parties: d.GetParties()})
		if err != nil {
			return nil, nil, fmt.Errorf("parties: %w", err)
		}
		if sealed, err = s.keys.Seal(plain, partiesOf(taskID)); err != nil {
			return nil, nil, err
		}
		for _, p := range d.GetParties() {
			if p.GetPerson() {
				p.Name = masked
			}
		}
	}
	if detail, err = protojson.Marshal(d); err != nil {
		return nil, nil, fmt.Errorf("decision detail: %w", err)
	}
	return detail, sealed, nil
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
	plain, err := s.keys.Unseal(r.Sealed, partiesOf(r.TaskID))
	if err != nil {
		return fmt.Errorf("parties of decision %s: %w", r.TaskID, err)
	}
	named := &assignmentv1.DecisionDetail{}
	if err := proto.Unmarshal(plain, named); err != nil {
		return fmt.Errorf("parties of decision %s: %w", r.TaskID, err)
	}
	d.Detail.Parties = named.GetParties()
	return nil
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
