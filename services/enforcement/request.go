package enforcement

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// ownLocked is a case of the caller's agency for a writer.
func (s *Server) ownLocked(ctx context.Context, q *store.Queries, id string) (*matter, error) {
	m, err := s.locked(ctx, q, id)
	if err == nil && m.AgencyID != agencyOf(ctx) {
		return nil, errs.NotFound(pgx.ErrNoRows, "no such case")
	}
	return m, err
}

// RequestCaseStep asks for a side way, or for a step out of its turn, which is refused with the article.
func (s *Server) RequestCaseStep(ctx context.Context, req *enforcementv1.RequestCaseStepRequest) (*enforcementv1.RequestCaseStepResponse, error) {
	if _, known := ways[req.GetStep()]; !known {
		return nil, errs.Field("step", "must be a step of cases")
	}
	reopened := false
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RequestCaseStepResponse, error) {
		q := store.New(tx)
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		fresh, err := requestable(m, req.GetStep(), s)
		if err != nil {
			return nil, err
		}
		if fresh {
			a := identity.ActorOf(ctx)
			reopened = m.State == closed
			err := s.write(ctx, q, m, line{step: logRequest, outcome: req.GetStep(), to: m.State, at: s.now(),
				subject: a.GetSubject(), agency: a.GetAgencyId(), note: req.GetReason()})
			if err != nil {
				return nil, err
			}
		}
		out, err := s.after(ctx, q, m.CaseID)
		return &enforcementv1.RequestCaseStepResponse{Case: out}, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.told(req.GetCaseId(), reopened)
	return resp, nil
}

// told has the workflow look at the case; a closed one that moved again is started anew.
func (s *Server) told(caseID string, reopened bool) {
	if reopened {
		s.tell.Start(kindCase, caseID)
		return
	}
	s.nudgeCase(caseID)
}

// requestable says whether a step can be asked for now: fresh is false when it is open already.
func requestable(m *matter, step string, s *Server) (fresh bool, err error) {
	at := s.now()
	if m.Procedure == logBefore && (step != stepReverse || m.State != closed) {
		return false, wrongState("行政处罚法 第四十七条: the case began before the procedure and ends as it began")
	}
	for _, t := range planOf(m, at).tasks {
		if t.step == step && step != stepAnnounce {
			return false, nil
		}
	}
	switch step {
	case stepApprove, stepAppoint:
		if undecided(m.State) {
			return true, nil
		}
	case stepExtend:
		if undecided(m.State) {
			_, _, err := m.extended(at)
			return err == nil, err
		}
	case stepReverse:
		if afterDecision(m.State) && (m.seqOf(stepSign, 0, outSigned)+m.seqOf(stepOnspot, 0, outDelivered) != 0 || m.Procedure == logBefore) && m.ReverseTime == nil {
			return true, nil
		}
	case stepAnnounce: // a hearing is put off
		p := m.proposal()
		if p != nil && m.seqOf(stepAnnounce, p.Seq) != 0 && m.asked(m.seqOf(stepNotice, p.Seq)) != 0 {
			return true, nil
		}
	}
	return false, notNow(m, step, at)
}

// RecuseOfficer takes an officer out of a case. By the head, who is none of the officers (行政处罚法 43).
func (s *Server) RecuseOfficer(ctx context.Context, req *enforcementv1.RecuseOfficerRequest) (*enforcementv1.RecuseOfficerResponse, error) {
	a := identity.ActorOf(ctx)
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecuseOfficerResponse, error) {
		q, at := store.New(tx), s.now()
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		switch {
		case a.GetSubject() == req.GetSubject():
			return nil, samePerson("行政处罚法 第四十三条: the head decides on the recusal of others")
		case m.State != opened && !undecided(m.State):
			return nil, wrongState("行政处罚法 第四十三条: the case is %s: there is nothing left to step back from", m.State)
		case !slices.Contains(m.inOffice(at), req.GetSubject()):
			return nil, errs.NotFound(pgx.ErrNoRows, "no such officer in office")
		}
		if err := s.recuse(ctx, q, m, req.GetSubject(), req.GetReason(), at); err != nil {
			return nil, err
		}
		officers, err := q.OfficersOf(ctx, m.CaseID)
		return &enforcementv1.RecuseOfficerResponse{Officers: officersProto(officers)}, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.nudgeCase(req.GetCaseId())
	return resp, nil
}

// recuse takes an officer out of a case; whoever acts decided so.
func (s *Server) recuse(ctx context.Context, q *store.Queries, m *matter, subject, reason string, at time.Time) error {
	a := identity.ActorOf(ctx)
	outcome := "enough"
	if len(m.inOffice(at)) <= minOfficers {
		outcome = "too_few"
	}
	err := s.write(ctx, q, m, line{step: logRecuse, outcome: outcome, to: m.State, at: at, subject: a.GetSubject(), agency: a.GetAgencyId(),
		note: reason, participants: []string{subject}})
	if err != nil {
		return err
	}
	return q.InsertRecusal(ctx, store.InsertRecusalParams{
		CaseID: m.CaseID, Subject: subject, Reason: reason, DecidedBy: a.GetSubject() + "@" + a.GetAgencyId(), RecuseTime: at,
	})
}

// recuseObjected takes out the officer whom a party rightly objected to; one who is none, or is out already, stays so.
func (s *Server) recuseObjected(ctx context.Context, q *store.Queries, caseID, officer, reason string) error {
	m, err := s.locked(ctx, q, caseID)
	if err != nil {
		return err
	}
	at := s.now()
	subject := m.officerMeant(officer)
	if m.State != opened && !undecided(m.State) || !slices.Contains(m.inOffice(at), subject) {
		return nil
	}
	return guarded(s.recuse(ctx, q, m, subject, reason, at))
}

// subjectOfSignature is the person of subject@agency; a subject may have an @ of its own.
func subjectOfSignature(signature string) string {
	if i := strings.LastIndex(signature, "@"); i >= 0 {
		return signature[:i]
	}
	return signature
}

// DisputeJurisdiction says that the caller's agency claims a case that another opened first (行政处罚法 25). The first has it
// until the common superior decides.
func (s *Server) DisputeJurisdiction(ctx context.Context, req *enforcementv1.DisputeJurisdictionRequest) (*enforcementv1.DisputeJurisdictionResponse, error) {
	a := identity.ActorOf(ctx)
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.DisputeJurisdictionResponse, error) {
		q := store.New(tx)
		m, err := s.locked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		_, pending := m.dispute()
		switch {
		case a.GetAgencyId() == "" || m.AgencyID == a.GetAgencyId():
			return nil, wrongState("行政处罚法 第二十五条: the case is the agency's own")
		case m.State != opened && !undecided(m.State):
			return nil, wrongState("行政处罚法 第二十五条: the case is %s: who has it is settled", m.State)
		case pending:
			return nil, wrongState("行政处罚法 第二十五条: a dispute about the case waits for the common superior")
		case m.seqOf(stepDesignate, 0) != 0:
			return nil, wrongState("行政处罚法 第二十五条: the common superior has decided who has the case")
		}
		err = s.write(ctx, q, m, line{step: logDispute, to: m.State, at: s.now(), subject: a.GetSubject(), agency: a.GetAgencyId(),
			note: req.GetReason(), other: a.GetAgencyId()})
		return &enforcementv1.DisputeJurisdictionResponse{CaseId: m.CaseID, AgencyId: m.AgencyID}, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.nudgeCase(req.GetCaseId())
	return resp, nil
}
