package enforcement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	accessv1 "quietline/proto/quietline/access/v1"
	"quietline/services/enforcement/store"
)

// States beside those of case_rules.go. A state names the last stage that was reached.
const (
	stateStatement   = "STATEMENT"
	stateHearing     = "HEARING"
	stateLegal       = "LEGAL_REVIEW"
	stateDiscussion  = "DISCUSSION"
	stateDelivered   = "DELIVERED"
	statePerforming  = "PERFORMING"
	statePerformed   = "PERFORMED"
	stateDemanded    = "DEMANDED"
	stateEnforced    = "ENFORCED"
	stateTransferred = "TRANSFERRED"
	stateNoPenalty   = "NO_PENALTY"
	stateReversed    = "REVERSED"
)

// states are all states of a case, for filters.
var states = []string{opened, investigating, noticeServed, stateStatement, stateHearing, stateLegal, stateDiscussion, decided, stateDelivered,
	statePerforming, statePerformed, stateDemanded, stateEnforced, closed, stateTransferred, stateNoPenalty, stateReversed}

// Steps that people decide.
const (
	stepAppoint     = "appoint"
	stepInvestigate = "investigate"
	stepReview      = "case_review"
	stepNotice      = "serve_notice"
	stepAnswer      = "answer_statement"
	stepAnnounce    = "announce_hearing"
	stepHold        = "hold_hearing"
	stepLegal       = "legal_review"
	stepDiscuss     = "discuss"
	stepSign        = "case_sign"
	stepOnspot      = "onspot"
	stepDeliver     = "deliver"
	stepConfirm     = "confirm_performance"
	stepDemand      = "demand"
	stepCourt       = "apply_court"
	stepCourtResult = "court_result"
	stepApprove     = "transfer_approve"
	stepSend        = "transfer_send"
	stepPolice      = "police_decide"
	stepPoliceEnd   = "police_result"
	stepExtend      = "extend_sign"
	stepReverse     = "reverse"
	stepDesignate   = "designate_case"
)

// Lines of the log that no task wrote.
const (
	logOpen             = "open"
	logRequest          = "request"
	logRecuse           = "recuse"
	logDispute          = "dispute"
	logStatement        = "statement"
	logWaiver           = "waiver"
	logHearingRequest   = "hearing_request"
	logHearingWaiver    = "hearing_waiver"
	logHearingWithdrawn = "hearing_withdrawn"
	logPayment          = "payment"
	logRemedy           = "remedy"
	logWithdrawn        = "withdrawn"
	logLate             = "late"
	logBefore           = "before"
)

// Outcomes that the rules look at.
const (
	outReturned  = "returned"
	outAdopted   = "adopted"
	outOrdinary  = "ordinary"
	outInTime    = "in_time"
	outProposed  = "proposed"
	outNoPenalty = "no_penalty"
	outSimple    = "simplified"
	outTransfer  = "transfer"
	outApproved  = "approved"
	outHeld      = "held"
	outPassed    = "passed"
	outAgreed    = "agreed"
	outSigned    = "signed"
	outDelivered = "delivered"
	outPerformed = "performed"
	outUnpaid    = "unperformed"
	outApplied   = "applied"
	outAccepted  = "accepted"
	outReversed  = "reversed"
	outRefused   = "refused"
	outFailed    = "not_delivered"
	outNotTaken  = "not_applied"
	outCrime     = "crime"
	outParts     = "instalments"
)

// Kinds of effects.
const (
	effBegin      = "begin"
	effTell       = "tell_complaints"
	effList       = "list_party"
	effPublish    = "publish"
	effUnlist     = "withdraw_listing"
	effUnpublish  = "withdraw_publication"
	effRestore    = "restore_resource"
	effProcurator = "copy_procuratorate"
)

// way is what a step is: who decides it, what may come of it, and what its term is.
type way struct {
	role     accessv1.Role
	outcomes []string
	basis    string
	article  string
}

const (
	caseworker = accessv1.Role_ROLE_CASEWORKER
	reviewer   = accessv1.Role_ROLE_REVIEWER
	head       = accessv1.Role_ROLE_HEAD
)

// ways are the steps of the procedure.
var ways = map[string]way{
	stepAppoint:     {head, []string{"appointed"}, "appoint_3wd", "行政处罚法 第四十二条"},
	stepInvestigate: {caseworker, []string{outProposed, outNoPenalty, outSimple, outTransfer}, "case_90d", "行政处罚法 第五十四条"},
	stepReview:      {reviewer, []string{outApproved, outReturned}, "review_3wd", "行政处罚法 第五十七条"},
	stepNotice:      {caseworker, []string{"served"}, "serve_7wd", "行政处罚法 第四十四条"},
	stepAnswer:      {caseworker, []string{outAdopted, "not_adopted"}, "answer_5wd", "行政处罚法 第四十五条"},
	stepAnnounce:    {reviewer, []string{"announced"}, "announce_hearing_5wd", "行政处罚法 第六十四条"},
	stepHold:        {reviewer, []string{outHeld, "abandoned"}, "hearing_20wd", "行政处罚法 第六十四条"},
	stepLegal:       {reviewer, []string{outPassed, outReturned}, "legal_review_5wd", "行政处罚法 第五十八条"},
	stepDiscuss:     {head, []string{outAgreed, outReturned}, "discuss_5wd", "行政处罚法 第五十七条"},
	stepSign:        {head, []string{outSigned, outReturned}, "sign_3wd", "行政处罚法 第五十七条"},
	stepOnspot:      {caseworker, []string{outDelivered, outOrdinary}, "onspot_same_day", "行政处罚法 第五十一条、第五十二条"},
	stepDeliver:     {caseworker, []string{outDelivered, outFailed}, "deliver_7wd", "行政处罚法 第六十一条"},
	stepConfirm:     {caseworker, []string{outPerformed, outUnpaid, outParts}, "perform_15d", "行政处罚法 第六十六条、第六十七条"},
	stepDemand:      {caseworker, []string{"served"}, "demand_serve_5wd", "行政强制法 第五十四条"},
	stepCourt:       {head, []string{outApplied, outNotTaken}, "court_3m", "行政强制法 第五十三条"},
	stepCourtResult: {caseworker, []string{"enforced", "terminated"}, "court_result_6m", "行政处罚法 第七十二条"},
	stepApprove:     {head, []string{outApproved, outRefused}, "transfer_3d", "行政处罚法 第二十七条"},
	stepSend:        {caseworker, []string{"sent"}, "transfer_24h", "行政处罚法 第二十七条"},
	stepPolice:      {caseworker, []string{outAccepted, outReturned}, "police_3d", "行政执法机关移送涉嫌犯罪案件的规定 第八条"},
	stepPoliceEnd:   {caseworker, []string{outCrime, outReturned}, "police_result_60d", "行政处罚法 第二十七条"},
	stepExtend:      {head, []string{"extended", outRefused}, "sign_3wd", "行政处罚法 第六十条"},
	stepReverse:     {head, []string{outReversed, "maintained"}, "reverse_5wd", "行政处罚法 第七十五条"},
	stepDesignate:   {reviewer, []string{"designated"}, "designate_7wd", "行政处罚法 第二十五条"},
}

// planned is a task that should be open. anchor is the event that made it wanted: its key never comes again.
type planned struct {
	step        string
	anchor      int32
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

func (p planned) key() string { return p.step + "/" + strconv.Itoa(int(p.anchor)) }

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
	p.effects = m.effectsDue()
	switch {
	case m.Procedure == logBefore: // an old case is driven by its old script
		p.ended = true
		return p
	case m.State == closed && m.request(stepReverse, stepReverse) == nil:
		p.ended = len(p.effects) == 0
		return p
	case m.State == stateReversed:
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
	if m.State == statePerforming {
		p.wait(m.performDue())
	}
	if r := m.request(stepExtend, stepExtend); r != nil && undecided(m.State) {
		p.tasks = append(p.tasks, m.task(stepExtend, r.Seq, r.EventTime))
	}
	if r := m.request(stepReverse, stepReverse); r != nil && afterDecision(m.State) {
		t := m.task(stepReverse, r.Seq, r.EventTime)
		t.excluded = append(t.excluded, r.Subject)
		p.tasks = append(p.tasks, t)
	}
	return p
}

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
	case m.State == opened:
		return m.one(stepAppoint, m.interrupt(), m.OpenTime), nil
	case undecided(m.State):
		return m.beforeDecision(at)
	case m.State == decided, m.State == stateNoPenalty:
		return m.delivery(), nil
	case m.State == statePerforming:
		return m.performance(), nil
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
		return m.one(stepOnspot, m.after(p.Seq), m.timeOf(p.Seq)), nil
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

// delivery is tried until it is done (行政处罚法 61).
func (m *matter) delivery() *planned {
	signed := m.seqOf(stepSign, 0, outSigned)
	t := m.task(stepDeliver, max(signed, m.seqOf(stepDeliver, signed, outFailed)), m.timeOf(signed))
	return &t
}

// performance is checked until it is there, or is found not to come (行政处罚法 66, 67).
func (m *matter) performance() *planned {
	if u := m.seqOf(stepConfirm, 0, outUnpaid); u > m.seqOf(stepCourt, 0, outNotTaken) {
		return m.one(stepDemand, u, m.timeOf(u))
	}
	since := max(m.entered(statePerforming), m.seqOf(stepConfirm, 0, outParts))
	t := m.task(stepConfirm, since, m.timeOf(since))
	t.due = m.performDue()
	if k := m.clock(basisPerform, 0); k != nil {
		t.statutory = &k.StatutoryDue
	}
	return &t
}

// performDue is when the term for performance, or the next instalment, ends.
func (m *matter) performDue() *time.Time {
	if last := m.seqOf(stepConfirm, 0, outParts); last != 0 {
		var due *time.Time
		for i := range m.instalments {
			if x := &m.instalments[i]; x.Seq == last {
				due = &x.DueTime
			}
		}
		return due
	}
	if k := m.clock(basisPerform, 0); k != nil {
		return &k.DueTime
	}
	return nil
}

// enforcement is the court, ten days after the demand and when no remedy is open any more (行政强制法 53, 54); who pays
// meanwhile has performed.
func (m *matter) enforcement(at time.Time) (*planned, *time.Time) {
	demand := m.entered(stateDemanded)
	if m.paidAll() {
		t := m.task(stepConfirm, demand, m.timeOf(demand))
		t.outcomes = []string{outPerformed}
		return &t, nil
	}
	if a := m.last(stepCourt, demand, outApplied); a != nil {
		return m.one(stepCourtResult, a.Seq, a.EventTime), nil
	}
	if wait := m.courtFrom(demand); wait != nil && wait.After(at) {
		return nil, wait
	}
	if m.remedyOpen() {
		return nil, nil // its end is a fact that is recorded
	}
	t := m.task(stepCourt, max(demand, m.seqOf(logRemedy, demand)), m.timeOf(demand))
	if k := m.clock(basisCourt, 0); k != nil {
		t.due, t.statutory = &k.DueTime, &k.StatutoryDue
	}
	return &t, nil
}

// courtFrom is the first time at which the court may be asked.
func (m *matter) courtFrom(demand int32) *time.Time {
	var from *time.Time
	for _, k := range []*store.ClocksOfRow{m.clock(basisDemand, demand), m.clock(basisLitigate, 0)} {
		if k != nil && m.acted(k.ClockID, actCancelled) == nil && (from == nil || k.DueTime.After(*from)) {
			from = &k.DueTime
		}
	}
	return from
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

// entered is the event by which the case last came into a state.
func (m *matter) entered(state string) int32 {
	var seq int32
	for _, e := range m.events {
		if e.ToState == state && e.FromState != state {
			seq = e.Seq
		}
	}
	return seq
}

// interrupt is the last event after which whatever was open is opened anew: officers, transfers, another agency.
func (m *matter) interrupt() int32 {
	return max(m.seqOf(stepAppoint, 0), m.seqOf(stepApprove, 0, outRefused), m.seqOf(stepDesignate, 0), m.seqOf(logRecuse, 0, "too_few"),
		m.seqOf(logRequest, 0, stepAppoint))
}

// after is the number a key is made of: the event that made the step due, or the interruption after it.
func (m *matter) after(seq int32) int32 { return max(seq, m.interrupt()) }

// timeOf is when an event happened; the opening when there is none.
func (m *matter) timeOf(seq int32) time.Time {
	for i := range m.events {
		if m.events[i].Seq == seq {
			return m.events[i].EventTime
		}
	}
	return m.OpenTime
}

// subjectOf is who wrote an event.
func (m *matter) subjectOf(seq int32) string {
	for _, e := range m.events {
		if e.Seq == seq {
			return e.Subject
		}
	}
	return ""
}

func (m *matter) one(step string, anchor int32, from time.Time) *planned {
	t := m.task(step, anchor, from)
	return &t
}

// task is a step at the case's agency, with who must not and who alone may decide it.
func (m *matter) task(step string, anchor int32, from time.Time) planned {
	t := planned{step: step, anchor: anchor, agency: m.AgencyID, from: from, outcomes: ways[step].outcomes,
		facts: map[string]string{"state": m.State, "person": fmt.Sprint(m.person), "article": ways[step].article}}
	var officers []string
	for _, o := range m.officers {
		if o.RecuseTime != nil {
			t.excluded = append(t.excluded, o.Subject)
		} else if o.AgencyID == m.AgencyID {
			officers = append(officers, o.Subject)
		}
	}
	switch {
	case investigates[step]:
		t.only = officers
		t.facts["officers"] = strings.Join(officers, ",")
	case notByOfficers[step]:
		t.excluded = append(t.excluded, officers...)
	}
	if step == stepSign || step == stepReview || step == stepLegal {
		t.excluded = append(t.excluded, m.othersOf(step)...)
	}
	if owed := m.owed(); owed > 0 && (step == stepConfirm || step == stepDemand || step == stepCourt) {
		t.facts["owed_fen"] = strconv.FormatInt(owed, 10)
	}
	slices.Sort(t.excluded)
	t.excluded = slices.Compact(t.excluded)
	return t
}

// othersOf are who proposed and reviewed: proposal, review and signature are three people's.
func (m *matter) othersOf(step string) []string {
	var out []string
	if p := m.proposal(); p != nil {
		subject, _, _ := strings.Cut(p.ProposedBy, "@")
		out = append(out, subject)
		if r := m.last(stepReview, p.Seq, outApproved); r != nil && step == stepSign {
			out = append(out, r.Subject)
		}
	}
	return out
}

// Who takes part in the investigation and who must not have.
var (
	investigates  = map[string]bool{stepInvestigate: true, stepOnspot: true}
	notByOfficers = map[string]bool{stepReview: true, stepHold: true, stepLegal: true, stepSign: true, stepApprove: true, stepExtend: true}
)

const minOfficers = 2
