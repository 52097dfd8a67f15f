package enforcement

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// RecordResponsiblePerson names a person who answers for a firm's act (主要负责人, 直接责任人), sealed.
func (s *Server) RecordResponsiblePerson(ctx context.Context, req *enforcementv1.RecordResponsiblePersonRequest) (*enforcementv1.RecordResponsiblePersonResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordResponsiblePersonResponse, error) {
		q := store.New(tx)
		c, err := q.LockCase(ctx, req.GetCaseId())
		if err == nil && c.AgencyID != identity.ActorOf(ctx).GetAgencyId() {
			err = pgx.ErrNoRows
		}
		if err != nil {
			return nil, errs.NotFound(err, "no such case")
		}
		party, err := q.PartyOf(ctx, c.PartyID)
		if err != nil {
			return nil, err
		}
		if party.Person {
			return nil, wrongState("the party is a natural person, who answers by itself")
		}
		id, by, at, err := s.entry(ctx)
		if err != nil {
			return nil, err
		}
		sealed, err := s.keys.Seal([]byte(req.GetName()), responsibleOf(id))
		if err != nil {
			return nil, err
		}
		return &enforcementv1.RecordResponsiblePersonResponse{PersonId: id}, q.AddResponsiblePerson(ctx, store.AddResponsiblePersonParams{
			PersonID: id, CaseID: req.GetCaseId(), NameSealed: sealed, Kind: req.GetKind(), Position: req.GetPosition(),
			RecordedBy: by.GetSubject(), RecordedTime: at,
		})
	})
}

// responsibleOf is the place that a sealed name is bound to.
func responsibleOf(id string) []byte { return []byte("enforcement/responsible/" + id + "/name") }

// LookUpResponsiblePersons shows them to the head of the case's agency and to the lead. The look is on record before any
// name is opened, and no name is in the stored answer.
func (s *Server) LookUpResponsiblePersons(ctx context.Context, req *enforcementv1.LookUpResponsiblePersonsRequest) (*enforcementv1.LookUpResponsiblePersonsResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.LookUpResponsiblePersonsResponse, error) {
		q := store.New(tx)
		if _, err := s.ownCase(ctx, q, req.GetCaseId()); err != nil {
			return nil, err
		}
		before, err := q.CountLooks(ctx, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		id, by, at, err := s.entry(ctx)
		if err != nil {
			return nil, err
		}
		return &enforcementv1.LookUpResponsiblePersonsResponse{Looks: int32(before)}, q.AddLook(ctx, store.AddLookParams{
			LookID: id, CaseID: req.GetCaseId(), LookedBy: by.GetSubject(), AgencyID: by.GetAgencyId(), Purpose: req.GetPurpose(), LookTime: at,
		})
	})
	if err != nil {
		return nil, err
	}
	rows, err := store.New(s.db).ResponsiblePersons(ctx, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		name, err := s.keys.Unseal(r.NameSealed, responsibleOf(r.PersonID))
		if err != nil {
			return nil, fmt.Errorf("name of responsible person %s: %w", r.PersonID, err)
		}
		resp.Persons = append(resp.Persons, &enforcementv1.ResponsiblePerson{
			PersonId: r.PersonID, Name: string(name), Kind: r.Kind, Position: r.Position, RecordedTime: timestamppb.New(r.RecordedTime),
		})
	}
	return resp, nil
}
