package enforcement

import (
	"slices"
	"strconv"
	"time"

	"quietline/services/enforcement/store"
)

// planned is a task that should be open. anchor is the event that made it wanted: its key never comes again.
type planned struct {
	step        string
	anchor      int32
	part        string // of a step that is open several times at once
	agency      string
	superiorOf  []string
	from        time.Time
	due         *time.Time
	statutory   *time.Time
	excluded    []string
	only        []string
	facts       map[string]string
	outcomes    []string
	hearingTime *time.Time
}

func (p planned) key() string { return p.step + "/" + strconv.Itoa(int(p.anchor)) + p.part }

// effect is something that the mesh has to do.
type effect struct {
	key, kind string
	facts     map[string]string
	due       *time.Time
}

// plan is what should be open in a case at a time.
type plan struct {
	tasks   []planned
	effects []effect
	until   *time.Time
	ended   bool
}

var beforeDecision = []string{investigating, noticeServed, stateStatement, stateHearing, stateLegal, stateDiscussion}

func undecided(state string) bool { return slices.Contains(beforeDecision, state) }

// planOf says what should be open. It is a pure function of what is on record and of the time.
func planOf(m *matter, at time.Time) plan {
	var p plan
	due := m.effectsDue()
	p.effects = due
	if m.DeliverTime != nil && m.DeliverTime.After(at) && m.State != stateReversed { // published, not served yet: nothing follows from it
		p.effects = slices.DeleteFunc(slices.Clone(due), func(e effect) bool { return afterDelivery[e.kind] })
		p.wait(m.DeliverTime)
	}
	switch {
	case m.Procedure == logBefore && m.beginnings() == 1: // an old case is driven by its old script, until it moves again
		p.ended = true
		return p
	case m.State == closed && m.request(stepReverse, stepReverse) == nil:
		p.ended = len(due) == 0
		return p
	case m.State == stateReversed:
		p.tasks = m.restoring()
		p.brake(m, at)
		return p
	}
	if t, ok := m.dispute(); ok {
		p.tasks = append(p.tasks, t)
	}
	main, wait := m.mainStep(at)
	if main != nil {
		p.tasks = append(p.tasks, *main)
	}
	p.wait(wait)
	if due := m.performDue(); m.State == statePerforming && due != nil && due.After(at) { // what is over is waited for no more
		p.wait(due)
	}
	if r := m.request(stepExtend, stepExtend); r != nil && undecided(m.State) {
		p.tasks = append(p.tasks, m.task(stepExtend, r.Seq, r.EventTime))
	}
	if r := m.request(stepReverse, stepReverse); r != nil && afterDecision(m.State) {
		t := m.task(stepReverse, r.Seq, r.EventTime)
		t.excluded = append(t.excluded, r.Subject)
		p.tasks = append(p.tasks, t)
	}
	p.brake(m, at)
	return p
}

// afterDelivery are the effects of a decision that reached the party.
var afterDelivery = map[string]bool{effList: true, effPublish: true, effTell: true}

// wait has the plan looked at again at a time.
func (p *plan) wait(until *time.Time) {
	if until != nil && (p.until == nil || until.Before(*p.until)) {
		p.until = until
	}
}

func afterDecision(state string) bool {
	return slices.Contains([]string{decided, stateDelivered, statePerforming, statePerformed, stateDemanded, stateEnforced, stateNoPenalty, closed}, state)
}

// mainStep is the one step that the procedure is at, or what it waits for.
func (m *matter) mainStep(at time.Time) (*planned, *time.Time) {
	switch {
	case m.State == opened && m.toApprove():
		return m.one(stepOpen, m.after(0), m.OpenTime), nil
	case m.State == opened:
		return m.one(stepAppoint, m.interrupt(), m.OpenTime), nil
	case undecided(m.State):
		return m.beforeDecision(at)
	case m.State == decided, m.State == stateNoPenalty:
		return m.delivery(), nil
	case m.State == statePerforming:
		return m.performance(at), nil
	case m.State == stateDemanded:
		return m.enforcement(at)
	case m.State == stateTransferred:
		return m.withPolice(), nil
	}
	return nil, nil
}

// beforeDecision is the way from the appointment of officers to the signature.
func (m *matter) beforeDecision(at time.Time) (*planned, *time.Time) {
	if t := m.transfer(); t != nil {
		return t, nil
	}
	if len(m.inOffice(at)) < minOfficers || m.request(stepAppoint, stepAppoint) != nil {
		return m.one(stepAppoint, m.interrupt(), m.timeOf(m.interrupt())), nil
	}
	p := m.proposal()
	switch {
	case p == nil:
		return m.investigation(), nil
	case p.Kind == outSimple:
		t := m.one(stepOnspot, m.after(p.Seq), m.timeOf(p.Seq)) // by the other officer: each has an act of his own
		t.excluded = append(t.excluded, subjectOfSignature(p.ProposedBy))
		return t, nil
	case m.seqOf(stepReview, p.Seq, outApproved) == 0:
		return m.one(stepReview, m.after(p.Seq), m.timeOf(p.Seq)), nil
	case p.Kind == outProposed:
		if t, wait := m.hearingOut(p, at); t != nil || wait != nil {
			return t, wait
		}
	}
	return m.signing(p), nil
}

// hearingOut is the notice, and the party's time, defence and hearing; nothing when it was told, heard and answered.
func (m *matter) hearingOut(p *store.CaseProposal, at time.Time) (*planned, *time.Time) {
	notice := m.seqOf(stepNotice, p.Seq, "served")
	if notice == 0 {
		approved := m.seqOf(stepReview, p.Seq, outApproved)
		return m.one(stepNotice, m.after(approved), m.timeOf(approved)), nil
	}
	if t := m.hearing(notice); t != nil {
		return t, nil
	}
	if wait := m.partysTime(p, notice, at); wait != nil {
		return nil, wait
	}
	if s := m.unanswered(notice); s != 0 {
		return m.one(stepAnswer, m.after(s), m.timeOf(s)), nil
	}
	return nil, nil
}

// partysTime is when the party's terms are over; nil when they are.
func (m *matter) partysTime(p *store.CaseProposal, notice int32, at time.Time) *time.Time {
	var wait *time.Time
	if k := m.clock(basisStatement, notice); k != nil && !over(k, at) && m.seqOf(logWaiver, notice) == 0 {
		wait = &k.DueTime
	}
	heard := m.seqOf(logHearingWaiver, notice) + m.seqOf(stepHold, notice) + m.seqOf(logHearingWithdrawn, notice)
	if k := m.clock(basisHearingRequest, notice); p.HearingDue && k != nil && !over(k, at) && heard == 0 && (wait == nil || wait.Before(k.DueTime)) {
		wait = &k.DueTime
	}
	return wait
}

// unanswered is the last statement in time that nobody answered; 0 when there is none.
func (m *matter) unanswered(notice int32) int32 {
	s := m.seqOf(logStatement, notice, outInTime)
	if s > m.seqOf(stepAnswer, notice) {
		return s
	}
	return 0
}

// asked is the request for a hearing that is not dealt with; 0 when there is none.
func (m *matter) asked(notice int32) int32 {
	r := m.seqOf(logHearingRequest, notice)
	if r == 0 || m.seqOf(stepHold, r) != 0 || m.seqOf(logHearingWithdrawn, r) != 0 {
		return 0
	}
	return r
}

// hearing is its announcement, and its holding by the announced chair.
func (m *matter) hearing(notice int32) *planned {
	r := m.asked(notice)
	if r == 0 {
		return nil
	}
	again := m.request(stepAnnounce, stepAnnounce) // postponed: another announcement was asked for
	if a := m.last(stepAnnounce, r); a != nil && again == nil {
		t := m.task(stepHold, m.after(a.Seq), a.EventTime)
		t.only, t.hearingTime, t.due, t.statutory = []string{a.Chair}, a.HearingTime, a.HearingTime, a.HearingTime
		t.facts["chair"], t.facts["hearing_time"] = a.Chair, a.HearingTime.UTC().Format(time.RFC3339)
		return &t
	}
	if again != nil {
		r = max(r, again.Seq)
	}
	return m.one(stepAnnounce, m.after(r), m.timeOf(r))
}

// signing is legal review and discussion where they are due, then the signature.
func (m *matter) signing(p *store.CaseProposal) *planned {
	from := m.seqOf(stepReview, p.Seq, outApproved)
	if p.Kind == outProposed {
		from = max(from, m.seqOf(stepNotice, p.Seq), m.seqOf(stepHold, p.Seq), m.seqOf(stepAnswer, p.Seq), m.seqOf(logWaiver, p.Seq))
	}
	if m.legalDue(p) {
		passed := m.seqOf(stepLegal, max(p.Seq, m.seqOf(stepHold, p.Seq, outHeld)), outPassed)
		if passed == 0 {
			return m.one(stepLegal, m.after(from), m.timeOf(from))
		}
		from = max(from, passed)
	}
	if p.DiscussDue {
		agreed := m.seqOf(stepDiscuss, p.Seq, outAgreed)
		if agreed == 0 {
			return m.one(stepDiscuss, m.after(from), m.timeOf(from))
		}
		from = max(from, agreed)
	}
	return m.one(stepSign, m.after(from), m.timeOf(from))
}

// legalDue: by the proposal, and always after a hearing (行政处罚法 58).
func (m *matter) legalDue(p *store.CaseProposal) bool {
	return p.LegalDue || m.seqOf(stepHold, p.Seq, outHeld) != 0
}

// investigation is open until something is proposed, and has the clock of the decision (行政处罚法 60).
func (m *matter) investigation() *planned {
	t := m.task(stepInvestigate, m.after(m.sentBack()), m.OpenTime)
	if k := m.clock(basisDecision, 0); k != nil {
		t.due, t.statutory = &k.DueTime, &k.StatutoryDue
	}
	return &t
}

// transfer is its approval and its sending, when it was proposed (行政处罚法 27); nil when it was not.
func (m *matter) transfer() *planned {
	asked := max(m.seqOf(logRequest, 0, stepApprove), m.seqOf(stepInvestigate, 0, outTransfer))
	over := max(m.seqOf(stepApprove, 0, outRefused), m.seqOf(stepSend, 0))
	if asked == 0 || asked < over {
		return nil
	}
	if a := m.last(stepApprove, asked, outApproved); a != nil {
		t := m.task(stepSend, m.after(a.Seq), a.EventTime)
		t.excluded = append(t.excluded, a.Subject)
		t.facts["to_agency"] = a.OtherAgencyID
		return &t
	}
	t := m.task(stepApprove, m.after(asked), m.timeOf(asked))
	t.excluded = append(t.excluded, m.subjectOf(asked))
	return &t
}

// withPolice is what the police do with what they were sent.
func (m *matter) withPolice() *planned {
	sent := m.last(stepSend, 0)
	step, anchor := stepPolice, sent
	if a := m.last(stepPolice, sent.Seq, outAccepted); a != nil {
		step, anchor = stepPoliceEnd, a
	}
	t := m.task(step, anchor.Seq, anchor.EventTime)
	t.agency = sent.OtherAgencyID
	return &t
}

// dispute is the decision of the common superior on who has the case (行政处罚法 25).
func (m *matter) dispute() (planned, bool) {
	d := m.last(logDispute, m.seqOf(stepDesignate, 0))
	if d == nil || m.State != opened && !undecided(m.State) {
		return planned{}, false
	}
	t := m.task(stepDesignate, d.Seq, d.EventTime)
	t.agency, t.superiorOf, t.excluded = "", []string{m.AgencyID, d.OtherAgencyID}, nil
	t.facts["claimed_by"] = d.OtherAgencyID
	return t, true
}

// request is the last request for a step that no decision on it has followed.
func (m *matter) request(step string, settledBy string) *store.CaseEvent {
	return m.last(logRequest, m.seqOf(settledBy, 0), step)
}
