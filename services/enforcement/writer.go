package enforcement

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/services/enforcement/store"
)

// writer writes a judged decision: the lines of the log, what stands beside them, the clocks they start and meet, and the
// documents that are served.
type writer struct {
	*Server
	deed
	ctx     context.Context //nolint:containedctx // a writer lives for one call
	q       *store.Queries
	profile string
}

func (w *writer) write() error {
	if err := w.deemed(); err != nil {
		return err
	}
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
		stepDemand: w.demanded, stepCourt: w.asked, stepOpen: w.opened, stepCourtResult: w.enforced, stepSend: w.sent, stepPolice: w.fromPolice, stepPoliceEnd: w.fromPolice,
		stepExtend: w.extend, stepReverse: w.reversed, stepRestore: w.restored,
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
	case stepDesignate: // another agency investigates for itself; otherwise all goes on
		if state != opened && d.words().GetAgencyId() == d.task.facts["claimed_by"] {
			return investigating
		}
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
	case stepPoliceEnd + "/" + outCrime, stepOpen + "/" + outNotOpened:
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
			Name: strings.TrimSpace(o.GetName()),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// announceClock keeps the last day for announcing a hearing beside the line that announces it.
func (w *writer) announceClock() error {
	if err := w.clock(basisHearingNotice, w.m.next(), w.words().GetHearingTime().AsTime()); err != nil {
		return err
	}
	return w.endClocks(w.ctx, w.q, w.m.CaseID, actMet, "", w.at, basisHearingNotice)
}

func (w *writer) clock(basis string, seq int32, from time.Time) error {
	return w.start(w.ctx, w.q, w.m.CaseID, basis, seq, "", from, w.profile)
}

func (w *writer) met(bases ...string) error {
	for _, b := range bases {
		if err := w.meet(w.ctx, w.q, w.m, b, w.at); err != nil {
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

// deemed: what is served by public notice counts as served thirty days after its publication (民事诉讼法 95; to confirm). The
// step says when it was published; from here on its time of service is that day, from which the party's terms run. The
// clock keeps both.
func (w *writer) deemed() error {
	if w.words().GetMethod() != publicNotice || w.GetOutcome() == outFailed || !slices.Contains([]string{stepNotice, stepDeliver, stepDemand}, w.GetStep()) {
		return nil
	}
	published := w.served()
	d, err := dueOf(basisPublicNotice, published, w.profile)
	if err != nil {
		return err
	}
	w.CaseStep = proto.CloneOf(w.CaseStep)
	w.words().ServedTime = timestamppb.New(d.Due)
	return w.clock(basisPublicNotice, w.m.next(), published)
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
