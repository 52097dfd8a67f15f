package enforcement

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// OpenCase opens a case against a party for an act, or returns the party's open case for the same act, and attaches the
// complaint. A round of a complaint that is attached already gets its case again, with the outcome when that has ended.
func (s *Server) OpenCase(ctx context.Context, req *enforcementv1.OpenCaseRequest) (*enforcementv1.OpenCaseResponse, error) {
	if err := checkParty(req.GetParty()); err != nil {
		return nil, err
	}
	if req.GetComplaintRound() < 0 {
		return nil, errs.Field("complaint_round", "must not be negative")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.OpenCaseResponse, error) {
		q := store.New(tx)
		party, err := s.party(ctx, q, req)
		if err != nil {
			return nil, err
		}
		known, err := q.AttachedCase(ctx, store.AttachedCaseParams{
			PartyID: party, Act: req.GetAct(), ComplaintID: req.GetComplaintId(), Round: req.GetComplaintRound(),
		})
		if err == nil {
			return &enforcementv1.OpenCaseResponse{CaseId: known.CaseID, EndedOutcome: known.EffectiveOutcome}, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		id, err := q.LockOpenCase(ctx, store.LockOpenCaseParams{PartyID: party, Act: req.GetAct()})
		isNew := errors.Is(err, pgx.ErrNoRows)
		if isNew {
			id, err = s.open(ctx, q, party, req)
		}
		if err != nil {
			return nil, err
		}
		// whoever attaches before the case has its first effect is told of it, whoever comes later has it in the answer
		c, err := q.LockCase(ctx, id)
		if err != nil {
			return nil, err
		}
		err = q.Attach(ctx, store.AttachParams{CaseID: id, ComplaintID: req.GetComplaintId(), Round: req.GetComplaintRound()})
		if err != nil {
			return nil, err
		}
		if err := s.discovered(ctx, q, id, req); err != nil {
			return nil, err
		}
		return &enforcementv1.OpenCaseResponse{CaseId: id, Opened: isNew, EndedOutcome: c.EffectiveOutcome}, nil
	})
}

// party finds or enters the party; until the end of the transaction nobody else opens a case against it.
func (s *Server) party(ctx context.Context, q *store.Queries, req *enforcementv1.OpenCaseRequest) (string, error) {
	p := req.GetParty()
	key := "name:" + p.GetName()
	switch {
	case p.GetPerson():
		// the name alone does not say that two people are one; within one complaint it does
		key = "person:" + hex.EncodeToString(s.keys.Index("enforcement/person", req.GetComplaintId()+"/"+p.GetName()))
	case p.GetCreditCode() != "":
		key = "code:" + p.GetCreditCode()
	}
	if err := q.LockKey(ctx, "party/"+key); err != nil {
		return "", err
	}
	id, err := q.PartyByKey(ctx, key)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return id, err
	}
	next, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	arg := store.InsertPartyParams{PartyID: next.String(), PartyKey: key, Person: p.GetPerson(), CreditCode: p.GetCreditCode()}
	if p.GetPerson() {
		if arg.NameSealed, err = s.keys.Seal([]byte(p.GetName()), nameOf(arg.PartyID)); err != nil {
			return "", err
		}
	} else {
		name := p.GetName()
		arg.Name = &name
	}
	return arg.PartyID, q.InsertParty(ctx, arg)
}

// open enters a new case with the next number of its agency and year and with the due date of its decision.
func (s *Server) open(ctx context.Context, q *store.Queries, party string, req *enforcementv1.OpenCaseRequest) (string, error) {
	now := s.now()
	due, err := calendar.Due("case_90d", now, calendar.Statutory)
	if err != nil {
		return "", fmt.Errorf("due date of the decision: %w", err)
	}
	year := yearOf(now)
	office, err := s.officeFor(ctx, q, req.GetAgencyId())
	if err != nil {
		return "", err
	}
	n, err := q.NextCaseNumber(ctx, store.NextCaseNumberParams{AgencyID: req.GetAgencyId(), Year: year})
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	err = q.InsertCase(ctx, store.InsertCaseParams{
		CaseID: id.String(), CaseNo: caseNo(shortOf(office, req.GetAgencyId()), year, n), AgencyID: req.GetAgencyId(),
		PartyID: party, PartyRole: req.GetParty().GetRole(), Act: req.GetAct(), OpenTime: now,
		DecisionDue: due.Statutory, DecisionDueProof: due.Proof, DecisionDueProvisional: due.Provisional,
	})
	if err != nil {
		return "", err
	}
	m, err := matterOf(ctx, q, id.String())
	if err != nil {
		return "", err
	}
	return id.String(), s.begin(ctx, q, m, req.GetAgencyId())
}

// after is the case as a write left it, for an answer that is stored: without names of natural persons.
func (s *Server) after(ctx context.Context, q *store.Queries, id string) (*enforcementv1.Case, error) {
	row, err := q.GetCase(ctx, store.GetCaseParams{CaseID: id, SeesAll: true})
	if err != nil {
		return nil, fmt.Errorf("case after the write: %w", err)
	}
	cases, err := s.cases(ctx, q, []store.ListCasesRow{store.ListCasesRow(row)}, reader{})
	if err != nil {
		return nil, err
	}
	return cases[0], nil
}
