package enforcement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// RecordPayment writes a payment of the party.
func (s *Server) RecordPayment(ctx context.Context, req *enforcementv1.RecordPaymentRequest) (*enforcementv1.RecordPaymentResponse, error) {
	at := s.now()
	if t := req.GetPaidTime(); t != nil {
		at = t.AsTime()
	}
	if req.GetAmount().GetFen() <= 0 {
		return nil, errs.Field("amount", "must be more than nothing")
	}
	a := identity.ActorOf(ctx)
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordPaymentResponse, error) {
		q := store.New(tx)
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if m.entered(stateDelivered) == 0 {
			return nil, wrongState("行政处罚法 第六十七条: nothing is owed before the decision is delivered")
		}
		if err := payable(m, at, s.now(), "paid_time"); err != nil {
			return nil, err
		}
		if err := checkOwed(m, req.GetAmount().GetFen(), at, "amount"); err != nil {
			return nil, err
		}
		for _, p := range m.payments {
			if p.ReceiptNo == req.GetReceiptNo() {
				return nil, errs.Field("receipt_no", "stands on file already")
			}
		}
		p, err := s.pay(ctx, q, m, req.GetAmount().GetFen(), at, req.GetReceiptNo(), a.GetSubject()+"@"+a.GetAgencyId())
		if err != nil {
			return nil, err
		}
		err = s.write(ctx, q, m, line{step: logPayment, to: m.State, at: s.now(), subject: a.GetSubject(), agency: a.GetAgencyId()})
		return &enforcementv1.RecordPaymentResponse{Payment: paymentProto(p), Debt: debtProto(m.debtAt(s.now()))}, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.nudgeCase(req.GetCaseId())
	return resp, nil
}

// RecordRemedy writes a fact of a reconsideration or a suit. It does not stop the performance; while it runs nothing is
// added for late payment (行政处罚法 73). What takes the decision back reverses the case (48).
func (s *Server) RecordRemedy(ctx context.Context, req *enforcementv1.RecordRemedyRequest) (*enforcementv1.RecordRemedyResponse, error) {
	at := s.now()
	if t := req.GetFactTime(); t != nil {
		at = t.AsTime()
	}
	if at.After(s.now()) {
		return nil, errs.Field("fact_time", "must not be in the future")
	}
	reopened := false
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordRemedyResponse, error) {
		q := store.New(tx)
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		id, n, err := s.remedyFor(ctx, q, m, req, at)
		if err != nil {
			return nil, err
		}
		reopened = m.State == closed && reverses[req.GetFact()]
		if err := s.remedyFact(ctx, q, m, req, id, n, at); err != nil {
			return nil, err
		}
		rows, err := q.RemediesOf(ctx, m.CaseID)
		if err != nil {
			return nil, err
		}
		resp := &enforcementv1.RecordRemedyResponse{}
		for _, r := range remediesProto(rows) {
			if r.GetRemedyId() == id {
				resp.Remedy = r
			}
		}
		resp.Case, err = s.after(ctx, q, m.CaseID)
		return resp, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.told(req.GetCaseId(), reopened)
	return resp, nil
}

// remedyFor is the remedy that a fact belongs to; filed begins one. One of a kind runs at a time.
func (s *Server) remedyFor(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest, at time.Time) (string, int32, error) {
	running, n := "", int32(0)
	for _, r := range m.remedies {
		if r.Kind != req.GetKind() {
			continue
		}
		if running, n = r.RemedyID, r.N; endsRemedy[r.Fact] {
			running = ""
		}
	}
	if req.GetFact() != "filed" {
		if running == "" {
			return "", 0, wrongState("行政处罚法 第七十三条: no %s runs", req.GetKind())
		}
		return running, n + 1, nil
	}
	switch {
	case running != "":
		return "", 0, wrongState("行政处罚法 第七十三条: a %s runs already", req.GetKind())
	case m.DeliverTime == nil || at.Before(*m.DeliverTime):
		return "", 0, wrongState("行政复议法 第二十条、行政诉讼法 第四十六条: the decision was not delivered before that")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", 0, err
	}
	row := store.InsertRemedyParams{RemedyID: id.String(), CaseID: m.CaseID, Kind: req.GetKind(), FileTime: at}
	basis := map[string]string{"reconsideration": basisReconsider, "litigation": basisLitigate}[req.GetKind()]
	if k := m.clock(basis, 0); k != nil {
		row.FileDue = &k.DueTime
		if err := s.meet(ctx, q, m, basis, actMet, at); err != nil {
			return "", 0, err
		}
	}
	return row.RemedyID, 1, q.InsertRemedy(ctx, row)
}

// remedyFact writes the fact and what follows from it.
func (s *Server) remedyFact(ctx context.Context, q *store.Queries, m *matter, req *enforcementv1.RecordRemedyRequest, id string, n int32, at time.Time) error {
	a := identity.ActorOf(ctx)
	err := q.InsertRemedyFact(ctx, store.InsertRemedyFactParams{
		RemedyID: id, N: n, EventSeq: m.next(), Fact: req.GetFact(), FactTime: at, DocumentNo: req.GetDocumentNo(), RecordedBy: a.GetSubject() + "@" + a.GetAgencyId(),
	})
	if err != nil {
		return err
	}
	to := m.State
	if reverses[req.GetFact()] && m.State != stateReversed && m.ReverseTime == nil {
		to = stateReversed
	}
	seq, now := m.next(), s.now()
	err = s.write(ctx, q, m, line{step: logRemedy, outcome: req.GetKind() + "/" + req.GetFact(), to: to, at: now,
		subject: a.GetSubject(), agency: a.GetAgencyId()})
	switch {
	case err != nil:
		return err
	case to == stateReversed:
		return s.takenBack(ctx, q, m, seq, now, s.profileOf(""))
	case req.GetKind() == "litigation" && endsRemedy[req.GetFact()]:
		// nothing is left to wait for: the court may be asked to enforce (行政强制法 53)
		for _, b := range []string{basisReconsider, basisLitigate} {
			if err := s.cancelWait(ctx, q, m.CaseID, b, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// cancelWait says that a clock need not be waited for, whatever else became of it.
func (s *Server) cancelWait(ctx context.Context, q *store.Queries, caseID, basis string, at time.Time) error {
	m, err := matterOf(ctx, q, caseID)
	if err != nil {
		return err
	}
	k := m.clock(basis, 0)
	if k == nil || m.acted(k.ClockID, actCancelled) != nil {
		return nil
	}
	d, err := deadlineOf(k)
	if err != nil {
		return err
	}
	return s.enterAct(ctx, q, k, clockAct{kind: actCancelled, at: at}, d)
}
