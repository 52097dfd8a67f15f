package enforcement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"quietline/services/enforcement/store"
)

// writer writes a judged decision: the lines of the log, what stands beside them, the clocks they start and meet, and the
// documents that are served.
type writer struct {
	*Server
	deed
	ctx     context.Context
	q       *store.Queries
	profile string
}

func (w *writer) write() error {
	before := map[string]func() error{stepAppoint: w.officers, stepAnnounce: w.announceClock, stepConfirm: w.takePayment}
	if f := before[w.GetStep()]; f != nil {
		if err := f(); err != nil {
			return err
		}
	}
	switch w.GetStep() {
	case stepSign:
		return w.sign()
	case stepOnspot:
		return w.onspot()
	case stepDeliver:
		return w.delivered()
	}
	seq := w.m.next()
	if err := w.to(target(w.deed)); err != nil {
		return err
	}
	after := map[string]func(int32) error{
		stepInvestigate: w.investigated, stepNotice: w.notified, stepAnnounce: w.drawn(kindHearingNotice), stepConfirm: w.confirmed,
		stepDemand: w.demanded, stepCourtResult: w.enforced, stepSend: w.sent, stepPolice: w.fromPolice, stepPoliceEnd: w.fromPolice,
		stepExtend: w.extend, stepReverse: w.reversed,
	}
	if f := after[w.GetStep()]; f != nil {
		return f(seq)
	}
	return nil
}

// Kinds of documents that steps make.
const (
	kindNotice        = "notice"
	kindHearingNotice = "hearing_notice"
	kindDecision      = "decision"
	kindNoPenalty     = "no_penalty_decision"
	kindOnspot        = "onspot_decision"
	kindReceipt       = "delivery_receipt"
	kindDemand        = "demand"
	kindTransfer      = "transfer_letter"
)

// to writes the line of the decision.
func (w *writer) to(state string) error {
	return w.Server.write(w.ctx, w.q, w.m, line{step: w.GetStep(), outcome: w.GetOutcome(), to: state, at: w.at, task: w.CaseStep, other: w.other()})
}

// other is the agency that a transfer goes to.
func (w *writer) other() string {
	if w.GetStep() == stepSend {
		return w.task.facts["to_agency"]
	}
	return ""
}

// target is the state that a decision leads to.
func target(d deed) string {
	state, out := d.m.State, d.GetOutcome()
	switch d.GetStep() {
	case stepAppoint:
		if state == opened {
			return investigating
		}
	case stepNotice:
		return noticeServed
	case stepAnswer:
		if out == outAdopted {
			return investigating
		}
		if state == noticeServed {
			return stateStatement
		}
	case stepAnnounce:
		return stateHearing
	case stepLegal, stepDiscuss:
		if out == outReturned {
			return investigating
		}
		return map[string]string{stepLegal: stateLegal, stepDiscuss: stateDiscussion}[d.GetStep()]
	default:
		return targetAfter(d, state, out)
	}
	return state
}

// targetAfter goes on with the steps after the decision, and beside the way to it.
func targetAfter(d deed, state, out string) string {
	switch d.GetStep() + "/" + out {
	case stepConfirm + "/" + outPerformed:
		return statePerformed
	case stepDemand + "/served":
		return stateDemanded
	case stepCourt + "/" + outNotTaken:
		return statePerforming
	case stepCourtResult + "/enforced", stepCourtResult + "/terminated":
		return stateEnforced
	case stepSend + "/sent":
		return stateTransferred
	case stepPolice + "/" + outReturned, stepPoliceEnd + "/" + outReturned:
		return investigating
	case stepPoliceEnd + "/" + outCrime:
		return closed
	case stepReverse + "/" + outReversed:
		return stateReversed
	}
	return state
}

func (w *writer) officers() error {
	for _, o := range w.words().GetOfficers() {
		err := w.q.InsertOfficer(w.ctx, store.InsertOfficerParams{
			CaseID: w.m.CaseID, Subject: o.GetSubject(), AgencyID: w.GetActorAgency(), QualificationNo: o.GetQualificationNo(), AppointTime: w.at,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// announceClock keeps the last day for announcing a hearing beside the line that announces it.
func (w *writer) announceClock() error {
	return w.clock(basisHearingNotice, w.m.next(), w.words().GetHearingTime().AsTime())
}

func (w *writer) clock(basis string, seq int32, from time.Time) error {
	return w.start(w.ctx, w.q, w.m.CaseID, basis, seq, "", from, w.profile)
}

func (w *writer) met(bases ...string) error {
	for _, b := range bases {
		if err := w.meet(w.ctx, w.q, w.m, b, actMet, w.at); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) investigated(seq int32) error {
	if w.GetOutcome() == outTransfer {
		return nil
	}
	return w.propose(seq)
}

// served is when something reached the party.
func (w *writer) served() time.Time {
	if t := w.words().GetServedTime(); t != nil {
		return t.AsTime()
	}
	return w.at
}

// notified keeps the notice, and starts the party's terms (行政处罚法 44, 63, 64).
func (w *writer) notified(seq int32) error {
	p := w.m.proposal()
	by := signature(w.CaseStep)
	if err := w.acknowledgeActs(w.ctx, w.q, w.m.CaseID, w.words().GetAcknowledgedCaseIds(), by, w.at); err != nil {
		return err
	}
	document, err := w.draw(w.ctx, w.q, kindNotice, w.m.CaseID, seq)
	if err != nil {
		return err
	}
	err = w.q.InsertNotice(w.ctx, store.InsertNoticeParams{
		CaseID: w.m.CaseID, TaskID: w.GetTaskId(), ServedTime: w.served(), Method: w.words().GetMethod(), ProposalSeq: &p.Seq,
		HearingOffered: p.HearingDue, DocumentID: document,
	})
	if err != nil {
		return err
	}
	if err := w.clock(basisStatement, seq, w.served()); err != nil || !p.HearingDue {
		return err
	}
	return w.clock(basisHearingRequest, seq, w.served())
}

// drawn makes a document of the step.
func (w *writer) drawn(kind string) func(int32) error {
	return func(seq int32) error {
		_, err := w.draw(w.ctx, w.q, kind, w.m.CaseID, seq)
		return err
	}
}

// sign writes the signed decision with its line; what is returned is investigated again.
func (w *writer) sign() error {
	if w.GetOutcome() == outReturned {
		return w.to(investigating)
	}
	p := w.m.proposal()
	review := w.m.last(stepReview, p.Seq, outApproved)
	if err := w.decide(p, review.Subject+"@"+review.AgencyID, "ordinary"); err != nil {
		return err
	}
	seq, state, kind := w.m.next(), decided, kindDecision
	if p.Kind == outNoPenalty {
		state, kind = stateNoPenalty, kindNoPenalty
	}
	if err := w.to(state); err != nil {
		return err
	}
	if err := w.settled(p); err != nil {
		return err
	}
	if _, err := w.draw(w.ctx, w.q, kind, w.m.CaseID, seq); err != nil {
		return err
	}
	if err := w.met(basisDecision); err != nil {
		return err
	}
	return w.clock(basisDeliver, seq, w.at)
}

// settled keeps what each penalty was measured against.
func (w *writer) settled(p *store.CaseProposal) error {
	if p.Kind == outNoPenalty {
		return nil
	}
	detail, err := proposalOf(p)
	if err != nil {
		return err
	}
	return w.settle(w.ctx, w.q, w.m.EnforcementCase, detail, w.profile, w.at)
}

// decide writes the row of the decision; its first penalty stands in it, all of them stand with the proposal.
func (w *writer) decide(p *store.CaseProposal, reviewedBy, procedure string) error {
	row := store.InsertSignedDecisionParams{
		CaseID: w.m.CaseID, PenaltyKind: noPenalty, ProposedBy: p.ProposedBy, ReviewedBy: reviewedBy, SignedBy: signature(w.CaseStep),
		SigningTaskID: w.GetTaskId(), NoticeTime: w.m.noticed(p, w.served()), DecidedTime: w.at, Procedure: procedure, ProposalSeq: &p.Seq,
		NoPenaltyGround: p.NoPenaltyGround,
	}
	for i, x := range w.m.punished(p.Seq) {
		if i == 0 {
			row.PenaltyKind, row.AmountFen, row.Basis = x.Kind, x.AmountFen, x.Basis
		}
		row.ListParty, row.Publish = row.ListParty || x.ListParty, row.Publish || x.Publish
	}
	return w.q.InsertSignedDecision(w.ctx, row)
}

// noticed is when the notice of a proposal was served; on the spot that is at once.
func (m *matter) noticed(p *store.CaseProposal, now time.Time) *time.Time {
	if p.Kind == outNoPenalty {
		return nil
	}
	if e := m.last(stepNotice, p.Seq); e != nil {
		if e.ServedTime != nil {
			return e.ServedTime
		}
		return &e.EventTime
	}
	return &now
}

// onspot is notice, statement, decision and delivery at once, by two officers (行政处罚法 51, 52).
func (w *writer) onspot() error {
	if w.GetOutcome() == outOrdinary {
		return w.to(investigating)
	}
	p := w.m.proposal()
	second := ""
	for _, o := range w.m.inOffice(w.at) {
		if o+"@"+w.m.AgencyID != p.ProposedBy && second == "" {
			second = o + "@" + w.m.AgencyID
		}
	}
	if err := w.decide(p, second, "simplified"); err != nil {
		return err
	}
	if err := w.to(noticeServed); err != nil {
		return err
	}
	err := w.q.InsertNotice(w.ctx, store.InsertNoticeParams{
		CaseID: w.m.CaseID, TaskID: w.GetTaskId(), ServedTime: w.served(), Method: "onspot", ProposalSeq: &p.Seq,
	})
	if err != nil {
		return err
	}
	seq := w.m.next()
	if err := w.to(decided); err != nil {
		return err
	}
	if err := w.settled(p); err != nil {
		return err
	}
	if _, err := w.draw(w.ctx, w.q, kindOnspot, w.m.CaseID, seq); err != nil {
		return err
	}
	if err := w.met(basisDecision); err != nil {
		return err
	}
	return w.reached(stateDelivered)
}

// delivered writes that the decision reached the party, or that it did not (行政处罚法 61).
func (w *writer) delivered() error {
	seq := w.m.next()
	if w.GetOutcome() == outFailed {
		if err := w.to(w.m.State); err != nil {
			return err
		}
		return w.drawn(kindReceipt)(seq)
	}
	if w.m.State == stateNoPenalty {
		if err := w.to(closed); err != nil {
			return err
		}
		if err := w.drawn(kindReceipt)(seq); err != nil {
			return err
		}
		if err := w.met(basisDeliver); err != nil {
			return err
		}
		return w.remedyClocks(seq)
	}
	return w.reached(stateDelivered)
}

// reached is delivery: the terms of performance and of the remedies run from it; what needs no performance is closed.
func (w *writer) reached(state string) error {
	seq := w.m.next()
	if err := w.to(state); err != nil {
		return err
	}
	if w.GetStep() == stepDeliver {
		if err := w.drawn(kindReceipt)(seq); err != nil {
			return err
		}
		if err := w.met(basisDeliver); err != nil {
			return err
		}
	}
	if err := w.remedyClocks(seq); err != nil {
		return err
	}
	for _, p := range w.m.decidedPenalties() {
		if p.Kind != "warning" && p.Kind != "criticism" {
			if err := w.clock(basisPerform, seq, w.served()); err != nil {
				return err
			}
			return w.to(statePerforming)
		}
	}
	return w.to(closed)
}

func (w *writer) remedyClocks(seq int32) error {
	for _, b := range []string{basisReconsider, basisLitigate} {
		if err := w.clock(b, seq, w.served()); err != nil {
			return err
		}
	}
	return nil
}

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
	p := store.InsertPaymentParams{PaymentID: id.String(), CaseID: m.CaseID, AmountFen: fen, PaidTime: at, ReceiptNo: receipt, RecordedBy: by}
	paid := store.CasePayment{PaymentID: p.PaymentID, CaseID: m.CaseID, AmountFen: fen, PaidTime: at, ReceiptNo: receipt}
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
	from := w.served()
	if k := w.m.clock(basisLitigate, 0); k != nil {
		from = k.DueTime
	}
	return w.clock(basisCourt, seq, from)
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
	if w.GetOutcome() == outCrime {
		return w.meet(w.ctx, w.q, w.m, basisDecision, actCancelled, w.at)
	}
	return nil
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
		kind: actExtended, basis: w.words().GetBasis(), signedBy: signature(w.CaseStep), days: w.words().GetExtendDays(), at: w.at,
	}, longer)
}

// reversed starts the term for taking back what was published, and ends those of performance (行政处罚法 48).
func (w *writer) reversed(seq int32) error {
	if w.GetOutcome() != outReversed {
		return nil
	}
	return w.takenBack(w.ctx, w.q, w.m, seq, w.at, w.profile)
}

func (s *Server) takenBack(ctx context.Context, q *store.Queries, m *matter, seq int32, at time.Time, profile string) error {
	for _, b := range []string{basisDeliver, basisPerform, basisDemand, basisCourt} {
		if err := s.meet(ctx, q, m, b, actCancelled, at); err != nil {
			return err
		}
	}
	return s.start(ctx, q, m.CaseID, basisWithdraw, seq, "", at, profile)
}
