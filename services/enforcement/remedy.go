package enforcement

import (
	"context"
	"time"

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

// RemitAddition remits a part of the addition for late payment (行政强制法 42): by the head, under an agreement with a party
// that made good. Fine and confiscation stay.
func (s *Server) RemitAddition(ctx context.Context, req *enforcementv1.RemitAdditionRequest) (*enforcementv1.RemitAdditionResponse, error) {
	a, fen := identity.ActorOf(ctx), req.GetAmount().GetFen()
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RemitAdditionResponse, error) {
		q, at := store.New(tx), s.now()
		m, err := s.ownLocked(ctx, q, req.GetCaseId())
		if err != nil {
			return nil, err
		}
		if err := remittable(m, a.GetSubject(), fen, at); err != nil {
			return nil, err
		}
		r := store.InsertRemissionParams{
			CaseID: m.CaseID, Seq: m.next(), AmountFen: fen, AgreementNo: req.GetAgreementNo(), Reason: req.GetReason(),
			DecidedBy: a.GetSubject() + "@" + a.GetAgencyId(), RemitTime: at,
		}
		if err := q.InsertRemission(ctx, r); err != nil {
			return nil, err
		}
		m.remissions = append(m.remissions, store.CaseRemission{CaseID: r.CaseID, Seq: r.Seq, AmountFen: fen})
		err = s.write(ctx, q, m, line{step: logRemit, to: m.State, at: at, subject: a.GetSubject(), agency: a.GetAgencyId(), note: req.GetAgreementNo()})
		return &enforcementv1.RemitAdditionResponse{Debt: debtProto(m.debtAt(at))}, err
	})
	if err != nil {
		return nil, guarded(err)
	}
	s.nudgeCase(req.GetCaseId())
	return resp, nil
}

// remittable: what is remitted is addition that is owed, and who investigated does not remit.
func remittable(m *matter, by string, fen int64, at time.Time) error {
	d := m.debtAt(at)
	switch {
	case m.investigated(by):
		return samePerson("行政强制法 第四十二条: who investigated the case does not remit what is owed of it")
	case m.State != statePerforming && m.State != stateDemanded:
		return wrongState("行政强制法 第四十二条: nothing is being collected: the case is %s", m.State)
	case fen <= 0 || fen > d.addition-d.remitted:
		return errs.Field("amount", "must be a part of the addition for late payment that was not remitted, %d fen; the decision itself is never remitted (行政强制法 第四十二条)",
			d.addition-d.remitted)
	}
	return nil
}
