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
			resp := &enforcementv1.OpenCaseResponse{CaseId: known.CaseID}
			if known.State == closed {
				resp.EndedOutcome = outcomeOf(known.PenaltyKind)
			}
			return resp, nil
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
		err = q.Attach(ctx, store.AttachParams{CaseID: id, ComplaintID: req.GetComplaintId(), Round: req.GetComplaintRound()})
		if err != nil {
			return nil, err
		}
		return &enforcementv1.OpenCaseResponse{CaseId: id, Opened: isNew}, nil
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
	n, err := q.NextCaseNumber(ctx, store.NextCaseNumberParams{AgencyID: req.GetAgencyId(), Year: year})
	if err != nil {
		return "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), q.InsertCase(ctx, store.InsertCaseParams{
		CaseID: id.String(), CaseNo: caseNo(req.GetAgencyId(), year, n), AgencyID: req.GetAgencyId(),
		PartyID: party, PartyRole: req.GetParty().GetRole(), Act: req.GetAct(), OpenTime: now,
		DecisionDue: due.Statutory, DecisionDueProof: due.Proof, DecisionDueProvisional: due.Provisional,
	})
}

// AdvanceCase writes that a case is investigated, or that a notice was served. Where it is already is a no-op, but a
// further notice, served by another task, is added: the last one is what the decision stands on.
func (s *Server) AdvanceCase(ctx context.Context, req *enforcementv1.AdvanceCaseRequest) (*enforcementv1.AdvanceCaseResponse, error) {
	if req.GetState() == noticeServed && uuid.Validate(req.GetTaskId()) != nil {
		return nil, errs.Field("task_id", "must name the task by which the notice was served")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.AdvanceCaseResponse, error) {
		q := store.New(tx)
		c, err := q.LockCase(ctx, req.GetCaseId())
		if err != nil {
			return nil, errs.NotFound(err, "no such case")
		}
		act, err := advances(c.State, req.GetState())
		if err != nil {
			return nil, err
		}
		switch {
		case req.GetState() == noticeServed:
			err = q.ServeNotice(ctx, store.ServeNoticeParams{CaseID: c.CaseID, TaskID: req.GetTaskId(), ServedTime: s.now()})
		case act:
			err = q.Investigate(ctx, c.CaseID)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.after(ctx, q, c.CaseID)
		if err != nil {
			return nil, err
		}
		return &enforcementv1.AdvanceCaseResponse{Case: out}, nil
	})
}

// DecideCase writes the signed decision. The same signature sent again is a no-op.
func (s *Server) DecideCase(ctx context.Context, req *enforcementv1.DecideCaseRequest) (*enforcementv1.DecideCaseResponse, error) {
	d := req.GetDecision()
	if err := checkDecision(d); err != nil {
		return nil, err
	}
	if uuid.Validate(d.GetSigningTaskId()) != nil {
		return nil, errs.Field("decision.signing_task_id", "must name the task whose decision is the signature")
	}
	decidedTime := s.now()
	if d.GetDecidedTime() != nil {
		decidedTime = d.GetDecidedTime().AsTime()
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DecideCaseResponse, error) {
		q := store.New(tx)
		c, err := q.LockCase(ctx, req.GetCaseId())
		if err != nil {
			return nil, errs.NotFound(err, "no such case")
		}
		if rank[c.State] < rank[decided] {
			if err := decides(c.State, c.NoticeTime, decidedTime, d.GetPenalty().GetKind()); err != nil {
				return nil, err
			}
			err = errors.Join(q.InsertDecision(ctx, store.InsertDecisionParams{
				CaseID: c.CaseID, PenaltyKind: d.GetPenalty().GetKind(), AmountFen: d.GetPenalty().GetAmount().GetFen(),
				Basis: d.GetPenalty().GetBasis(), ListParty: d.GetPenalty().GetListParty(), Publish: d.GetPenalty().GetPublish(),
				ProposedBy: d.GetProposedBy(), ReviewedBy: d.GetReviewedBy(), SignedBy: d.GetSignedBy(),
				SigningTaskID: d.GetSigningTaskId(), NoticeTime: c.NoticeTime, DecidedTime: decidedTime,
			}), q.SetDecided(ctx, c.CaseID))
		} else {
			err = sameDecision(ctx, q, c.CaseID, d)
		}
		if err != nil {
			return nil, err
		}
		out, err := s.after(ctx, q, c.CaseID)
		if err != nil {
			return nil, err
		}
		return &enforcementv1.DecideCaseResponse{Case: out}, nil
	})
}

func sameDecision(ctx context.Context, q *store.Queries, id string, d *enforcementv1.CaseDecision) error {
	old, err := q.DecisionOf(ctx, id)
	if err != nil {
		return fmt.Errorf("decision of a decided case: %w", err)
	}
	if old.SigningTaskID != d.GetSigningTaskId() || old.PenaltyKind != d.GetPenalty().GetKind() {
		return wrongState("the case is decided already")
	}
	return nil
}

// CloseCase closes a decided case and returns what is to be told of it. Closing a closed case tells the same again.
func (s *Server) CloseCase(ctx context.Context, req *enforcementv1.CloseCaseRequest) (*enforcementv1.CloseCaseResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.CloseCaseResponse, error) {
		q := store.New(tx)
		c, err := q.LockCase(ctx, req.GetCaseId())
		if err != nil {
			return nil, errs.NotFound(err, "no such case")
		}
		act, err := advances(c.State, closed)
		if err != nil {
			return nil, err
		}
		if act {
			now := s.now()
			if err := q.SetClosed(ctx, store.SetClosedParams{CaseID: c.CaseID, CloseTime: &now}); err != nil {
				return nil, err
			}
		}
		d, err := q.DecisionOf(ctx, c.CaseID)
		if err != nil {
			return nil, fmt.Errorf("decision of a closed case: %w", err)
		}
		attached, err := q.ComplaintsOf(ctx, c.CaseID)
		if err != nil {
			return nil, err
		}
		resp := &enforcementv1.CloseCaseResponse{Outcome: outcomeOf(d.PenaltyKind)}
		for _, a := range attached {
			resp.Complaints = append(resp.Complaints, &enforcementv1.AttachedComplaint{ComplaintId: a.ComplaintID, Round: a.Round})
		}
		return resp, nil
	})
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
