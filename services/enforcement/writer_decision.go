package enforcement

import (
	"time"

	"quietline/services/enforcement/store"
)

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
	// one officer proposed it, the other decided it: each by an act of his own
	if err := w.decide(p, signature(w.CaseStep), "simplified"); err != nil {
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
		if err := w.met(basisDeliver); err != nil {
			return err
		}
		if err := w.to(closed); err != nil {
			return err
		}
		if err := w.drawn(kindReceipt)(seq); err != nil {
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
	bases := []string{basisReconsider, basisLitigate}
	if w.m.Procedure == procedureOnspot || w.GetStep() == stepOnspot { // it is reconsidered first (行政复议法 23)
		bases = bases[:1]
	}
	for _, b := range bases {
		if err := w.clock(b, seq, w.served()); err != nil {
			return err
		}
	}
	return nil
}
