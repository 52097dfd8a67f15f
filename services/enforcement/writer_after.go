package enforcement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"quietline/services/enforcement/store"
)

// takePayment enters what was paid with the confirmation.
func (w *writer) takePayment() error {
	fen := w.words().GetPaid().GetFen()
	if fen == 0 {
		return nil
	}
	_, err := w.pay(w.ctx, w.q, w.m, fen, w.served(), w.words().GetReceiptNo(), signature(w.CaseStep))
	return err
}

// pay enters a payment.
func (s *Server) pay(ctx context.Context, q *store.Queries, m *matter, fen int64, at time.Time, receipt, by string) (store.CasePayment, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return store.CasePayment{}, err
	}
	p := store.InsertPaymentParams{PaymentID: id.String(), CaseID: m.CaseID, AmountFen: fen, PaidTime: at, ReceiptNo: receipt, RecordedBy: by,
		EventSeq: m.next()}
	paid := store.CasePayment{PaymentID: p.PaymentID, CaseID: m.CaseID, AmountFen: fen, PaidTime: at, ReceiptNo: receipt, EventSeq: p.EventSeq}
	m.payments = append(m.payments, paid)
	return paid, q.InsertPayment(ctx, p)
}

// confirmed closes what is performed, and keeps a plan of instalments.
func (w *writer) confirmed(seq int32) error {
	for i, p := range w.words().GetInstalments() {
		if w.GetOutcome() != outParts {
			break
		}
		err := w.q.InsertInstalment(w.ctx, store.InsertInstalmentParams{
			CaseID: w.m.CaseID, Seq: seq, N: int32(i + 1), DueTime: p.GetDueTime().AsTime(), AmountFen: p.GetAmount().GetFen(),
		})
		if err != nil {
			return err
		}
	}
	if w.GetOutcome() != outPerformed {
		return nil
	}
	if err := w.met(basisPerform, basisDemand, basisCourt); err != nil {
		return err
	}
	return w.to(closed)
}

// demanded starts the ten days, and the three months in which the court may be asked (行政强制法 53, 54).
func (w *writer) demanded(seq int32) error {
	if err := w.drawn(kindDemand)(seq); err != nil {
		return err
	}
	if err := w.clock(basisDemand, seq, w.served()); err != nil {
		return err
	}
	return w.startCourt(w.ctx, w.q, w.m, seq, w.served(), w.profile)
}

// asked: the court was asked within its three months.
func (w *writer) asked(int32) error {
	if w.GetOutcome() != outApplied {
		return nil
	}
	return w.met(basisCourt)
}

func (w *writer) enforced(int32) error {
	if err := w.met(basisPerform, basisDemand, basisCourt); err != nil {
		return err
	}
	return w.to(closed)
}

// sent stops the clock of the decision: the case is with the police (行政处罚法 27).
func (w *writer) sent(seq int32) error {
	if err := w.pause(w.ctx, w.q, w.m, "transferred", w.at); err != nil {
		return err
	}
	return w.drawn(kindTransfer)(seq)
}

// fromPolice has the clock go on when the case comes back.
func (w *writer) fromPolice(int32) error {
	if w.GetOutcome() == outReturned {
		return w.resume(w.ctx, w.q, w.m, w.at)
	}
	return nil // a crime ends the case, and its clocks with it
}

// extend moves the date of the decision, once, by an act with its own basis (行政处罚法 60).
func (w *writer) extend(int32) error {
	if w.GetOutcome() != "extended" {
		return nil
	}
	k, longer, err := w.m.extended(w.at)
	if err != nil {
		return err
	}
	return w.enterAct(w.ctx, w.q, k, clockAct{
		kind: actExtended, basis: w.words().GetBasis(), signedBy: signature(w.CaseStep), days: extensionDays, at: w.at,
	}, longer)
}

// reversed starts the term for taking back what was published, and ends those of performance (行政处罚法 48).
func (w *writer) reversed(seq int32) error {
	if w.GetOutcome() != outReversed {
		return nil
	}
	return w.takenBack(w.ctx, w.q, w.m, seq, w.at, w.profile)
}

// takenBack: there is nothing left to deliver, to perform, or to have looked at by others.
func (s *Server) takenBack(ctx context.Context, q *store.Queries, m *matter, seq int32, at time.Time, profile string) error {
	bases := append([]string{basisDeliver, basisPerform, basisDemand, basisCourt, basisWithdraw}, remedyBases...)
	if err := s.endClocks(ctx, q, m.CaseID, actCancelled, "行政处罚法 第四十八条: the decision was taken back", at, bases...); err != nil {
		return err
	}
	return s.start(ctx, q, m.CaseID, basisWithdraw, seq, "", at, profile)
}
