package enforcement

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// toy is a case in memory: the rules on their own, without the database's guards.
type toy struct {
	m  *matter
	at time.Time
	// due is what the law wants of each proposal
	due lawDue
	// hands says whether the common superior gives the case to the agency that claims it
	hands bool
}

func newToy(due lawDue) *toy {
	y := &toy{m: &matter{}, at: monday, due: due}
	y.m.CaseID, y.m.AgencyID, y.m.State, y.m.Procedure, y.m.OpenTime = uuid.NewString(), "samr-11", opened, "ordinary", monday
	y.log(line{step: logOpen, to: opened, at: monday})
	y.clock(basisDecision, 1, monday)
	return y
}

func (y *toy) log(l line) {
	e := store.InsertEventParams{Seq: y.m.next(), FromState: y.m.State, ToState: l.to, Step: l.step, Outcome: l.outcome, EventTime: l.at,
		Subject: l.subject, OtherAgencyID: l.other}
	if l.task != nil {
		fill(&e, l.task)
	}
	y.m.events = append(y.m.events, store.CaseEvent{Seq: e.Seq, FromState: e.FromState, ToState: e.ToState, Step: e.Step, Outcome: e.Outcome,
		EventTime: e.EventTime, Subject: e.Subject, AgencyID: e.AgencyID, OtherAgencyID: e.OtherAgencyID, Chair: e.Chair, HearingTime: e.HearingTime})
	y.m.State = l.to
}

func (y *toy) clock(basis string, seq int32, from time.Time) {
	d, err := dueOf(basis, from, calendar.Rehearsal)
	if err != nil {
		panic(err)
	}
	y.m.clocks = append(y.m.clocks, store.ClocksOfRow{ClockID: uuid.NewString(), Basis: basis, EventSeq: seq, Profile: calendar.Rehearsal,
		StartTime: from, DueTime: d.Due, StatutoryDue: d.Statutory, Reckoning: []byte("{}")})
}

// take records a step as the writer does, when the rules allow it.
func (y *toy) take(st *enforcementv1.CaseStep) error {
	d, err := judge(y.m, st, y.at)
	if err != nil {
		return err
	}
	w, seq := d.words(), y.m.next()
	for _, o := range w.GetOfficers() {
		y.m.officers = append(y.m.officers, store.OfficersOfRow{Subject: o.GetSubject(), AgencyID: y.m.AgencyID, AppointTime: y.at})
	}
	to := target(d)
	switch st.GetStep() {
	case stepSign:
		to = map[bool]string{true: investigating, false: decided}[st.GetOutcome() == outReturned]
		if p := y.m.proposal(); p.Kind == outNoPenalty && to == decided {
			to = stateNoPenalty
		}
	case stepDeliver:
		to = y.m.State
		if st.GetOutcome() == outDelivered {
			to = map[string]string{stateNoPenalty: closed, decided: stateDelivered}[y.m.State]
		}
	case stepOnspot:
		to = investigating
		if st.GetOutcome() == outDelivered {
			y.log(line{step: stepOnspot, outcome: st.GetOutcome(), to: noticeServed, at: y.at, task: st})
			y.log(line{step: stepOnspot, outcome: st.GetOutcome(), to: decided, at: y.at, task: st})
			to = stateDelivered
		}
	}
	other := ""
	if st.GetStep() == stepSend {
		other = d.task.facts["to_agency"]
	}
	y.log(line{step: st.GetStep(), outcome: st.GetOutcome(), to: to, at: y.at, task: st, other: other})
	y.follow(d, seq, to, st)
	return nil
}

// follow is what the writer writes beside and after a step.
func (y *toy) follow(d deed, seq int32, to string, st *enforcementv1.CaseStep) {
	switch {
	case st.GetStep() == stepInvestigate && st.GetOutcome() != outTransfer:
		y.m.proposals = append(y.m.proposals, store.CaseProposal{Seq: seq, Kind: st.GetOutcome(), ProposedBy: signature(st),
			HearingDue: y.due.Hearing, LegalDue: y.due.LegalReview, DiscussDue: y.due.Discussion})
		for i, p := range proposedPenalties(st) {
			y.m.penalties = append(y.m.penalties, store.CasePenalty{Seq: seq, N: int32(i + 1), Kind: p.GetKind(), AmountFen: p.GetAmount().GetFen()})
		}
	case st.GetStep() == stepNotice:
		y.clock(basisStatement, seq, y.at)
		if y.due.Hearing {
			y.clock(basisHearingRequest, seq, y.at)
		}
	case st.GetStep() == stepDesignate:
		y.m.AgencyID = d.words().GetAgencyId()
	case to == stateDelivered:
		y.clock(basisPerform, seq, y.at)
		y.clock(basisLitigate, seq, y.at)
		y.log(line{step: st.GetStep(), outcome: st.GetOutcome(), to: statePerforming, at: y.at, task: st})
	case to == stateDemanded:
		y.clock(basisDemand, seq, y.at)
		y.clock(basisCourt, seq, y.m.remediesOver())
	case to == statePerformed, to == stateEnforced:
		y.log(line{step: st.GetStep(), outcome: st.GetOutcome(), to: closed, at: y.at, task: st})
	}
	if fen := d.words().GetPaid().GetFen(); fen > 0 {
		y.m.payments = append(y.m.payments, store.CasePayment{AmountFen: fen, PaidTime: y.at, EventSeq: seq})
	}
}

// words are what a decider who wants to go on would say.
func (y *toy) words(t planned, outcome string, fen int64) *assignmentv1.CaseStepDetail {
	w := &assignmentv1.CaseStepDetail{Method: "direct", ReceiptNo: "1", QualificationNo: "A", RecordHash: strings.Repeat("a", 64), StatementHeard: true,
		Participants: []string{"h1", "h2", "h3"}, Basis: "x"}
	switch t.step {
	case stepAppoint:
		for i := len(y.m.officers); len(w.Officers) < 2; i++ {
			if name := fmt.Sprintf("officer-%d", i); !y.m.judged(name) {
				w.Officers = append(w.Officers, &assignmentv1.AppointedOfficer{Subject: name, QualificationNo: name, Name: name})
			}
		}
	case stepInvestigate:
		w.Proposal = &assignmentv1.CaseProposal{}
		if outcome == outNoPenalty {
			w.Proposal.NoPenaltyGround = "no_fault"
		} else {
			w.Proposal.Penalties = []*assignmentv1.PenaltyDetail{{Kind: "fine", Amount: &commonv1.Money{Fen: fen}, Basis: "x"}}
		}
	case stepAnnounce:
		w.HearingTime, w.HearingPlace, w.Chair, w.ChairName = timestamppb.New(y.at.Add(10*time.Second)), "x", "chair", "某主持人"
	case stepApprove:
		w.AgencyId = "mps-11"
	case stepOnspot:
		w.Participants = y.m.inOffice(y.at)
	case stepDesignate:
		w.AgencyId = y.m.AgencyID
		if y.hands {
			w.AgencyId = t.facts["claimed_by"]
		}
	case stepConfirm:
		w.Paid = &commonv1.Money{Fen: y.m.debtAt(y.at).owed()}
		if outcome != outPerformed {
			w.Paid = nil
		}
	}
	return w
}

func (y *toy) step(t planned, outcome, who string, fen int64) *enforcementv1.CaseStep {
	agency := t.agency
	if agency == "" {
		agency = "superior"
	}
	return &enforcementv1.CaseStep{Key: t.key(), Step: t.step, TaskId: uuid.NewString(), Outcome: outcome, ActorSubject: who, ActorAgency: agency,
		DecidedTime: timestamppb.New(y.at), Detail: &assignmentv1.DecisionDetail{CaseStep: y.words(t, outcome, fen)}}
}

// rightful is somebody who may decide a task.
func rightful(t planned) string {
	if len(t.only) > 0 {
		for _, s := range t.only {
			if !slices.Contains(t.excluded, s) {
				return s
			}
		}
	}
	return "somebody-for-" + t.step
}

// act is something the party, or the agency, does beside the steps.
func (y *toy) act(which string) {
	switch which {
	case logStatement, logWaiver, logHearingRequest, logHearingWaiver, logHearingWithdrawn:
		if out, err := admissible(y.m, which, y.at); err == nil {
			y.log(line{step: which, outcome: out, to: y.m.State, at: y.at})
		}
	case logRecuse:
		if in := y.m.inOffice(y.at); undecided(y.m.State) && len(in) > 0 {
			out := "enough"
			if len(in) <= minOfficers {
				out = "too_few"
			}
			y.log(line{step: logRecuse, outcome: out, to: y.m.State, at: y.at})
			for i := range y.m.officers {
				if y.m.officers[i].Subject == in[0] {
					at := y.at
					y.m.officers[i].RecuseTime = &at
				}
			}
		}
	case logDispute: // as DisputeJurisdiction lets it
		if _, pending := y.m.dispute(); (y.m.State == opened || undecided(y.m.State)) && !pending && y.m.seqOf(stepDesignate, 0) == 0 {
			y.log(line{step: logDispute, to: y.m.State, at: y.at, other: "samr-12"})
		}
	default:
		y.log(line{step: logRequest, outcome: which, to: y.m.State, at: y.at, subject: "asker"})
	}
}

// wronged says what the law wanted before the signature and is not in the log; it is written apart from the rules.
func wronged(m *matter, due lawDue) string {
	var proposal, review, notice, request, dealt, held, legal, discussed, statement, answer, waiver, hearingWaiver, signed int
	told, proposer, checker, signer, claimant, handed := time.Time{}, "", "", "", "", 0
	for i, e := range m.events {
		switch e.Step + "/" + e.Outcome {
		case "investigate/proposed":
			proposal, proposer = i, e.Subject
		case "dispute/":
			claimant = e.OtherAgencyID
		case "designate_case/designated":
			if e.OtherAgencyID == claimant {
				handed = i
			}
		case "case_review/approved":
			review, checker = i, e.Subject
		case "serve_notice/served":
			notice, told = i, e.EventTime
		case "hearing_request/in_time":
			request = i
		case "hold_hearing/held":
			held, dealt = i, i
		case "hold_hearing/abandoned", "hearing_withdrawn/":
			dealt = i
		case "legal_review/passed":
			legal = i
		case "discuss/agreed":
			discussed = i
		case "statement/in_time":
			statement = i
		case "answer_statement/not_adopted", "answer_statement/adopted":
			answer = i
		case "waiver/":
			waiver = i
		case "hearing_waiver/":
			hearingWaiver = i
		}
		if e.ToState == decided && e.Step == stepSign {
			signed, signer = i, e.Subject
			break
		}
	}
	if signed == 0 {
		return ""
	}
	const five = 5 * time.Second // of rehearsal
	over := m.events[signed].EventTime.Sub(told) >= five
	switch {
	case proposal < handed:
		return "another agency's proposal"
	case review < proposal, notice < review:
		return "not reviewed, or not told"
	case !over && waiver < notice:
		return "the party had no time"
	case statement > notice && answer < statement:
		return "not answered"
	case request > notice && dealt < request:
		return "not heard"
	case due.Hearing && !over && max(hearingWaiver, dealt) < notice:
		return "no time to ask for a hearing"
	case (due.LegalReview || held > proposal) && legal < max(proposal, held):
		return "no legal review"
	case due.Discussion && discussed < proposal:
		return "no discussion"
	case proposer == checker || checker == signer || proposer == signer || m.investigated(checker) || m.investigated(signer):
		return "not three people"
	}
	return ""
}

// TestNothingReachesADecisionWithoutTheGuards: whatever is done in whatever order, by whomever, no decision lacks what the
// law wants, and from wherever the case is then, it can be closed.
func TestNothingReachesADecisionWithoutTheGuards(t *testing.T) {
	people := []string{"officer-0", "officer-1", "officer-2", "chair", "reviewer", "head", "asker"}
	acts := []string{logStatement, logWaiver, logHearingRequest, logHearingWaiver, logHearingWithdrawn, logRecuse, logDispute, stepApprove, stepExtend, stepAppoint, stepReverse}
	rapid.Check(t, func(t *rapid.T) {
		y := newToy(lawDue{Hearing: rapid.Bool().Draw(t, "hearing"), LegalReview: rapid.Bool().Draw(t, "legal"), Discussion: rapid.Bool().Draw(t, "discussion")})
		y.hands = rapid.Bool().Draw(t, "handed over")
		keys := map[string]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "moves") {
			y.at = y.at.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
			tasks := planOf(y.m, y.at).tasks
			if len(tasks) == 0 || rapid.IntRange(0, 4).Draw(t, "who") == 0 {
				if !slices.Contains([]string{closed, stateReversed}, y.m.State) {
					y.act(rapid.SampledFrom(acts).Draw(t, "act"))
				}
				continue
			}
			p := rapid.SampledFrom(tasks).Draw(t, "task")
			who := rightful(p)
			if rapid.IntRange(0, 3).Draw(t, "wrong person") == 0 {
				who = rapid.SampledFrom(people).Draw(t, "person")
			}
			step := rapid.SampledFrom([]string{p.step, p.step, p.step, stepSign, stepDeliver, stepNotice}).Draw(t, "step")
			st := y.step(p, rapid.SampledFrom(ways[step].outcomes).Draw(t, "outcome"), who, int64(rapid.IntRange(1, 3).Draw(t, "fen"))*10_000)
			st.Step = step
			if keys[st.GetKey()] && step == p.step && y.wasDecided(st.GetKey()) {
				t.Fatalf("key %s came again", st.GetKey())
			}
			if y.take(st) == nil {
				keys[st.GetKey()] = true
				y.m.events[len(y.m.events)-1].PlanKey = st.GetKey()
			}
			if wrong := wronged(y.m, y.due); wrong != "" {
				t.Fatalf("decided although %s: %s", wrong, y.story())
			}
		}
		y.mustClose(t)
	})
}

func (y *toy) wasDecided(key string) bool {
	return slices.ContainsFunc(y.m.events, func(e store.CaseEvent) bool { return e.PlanKey == key })
}

// mustClose goes on as people who want to end the case would.
func (y *toy) mustClose(t *rapid.T) {
	forward := map[string]string{stepInvestigate: outNoPenalty, stepReview: outApproved, stepAnswer: "not_adopted", stepHold: "abandoned", stepOnspot: outDelivered,
		stepDeliver: outDelivered, stepConfirm: outPerformed, stepCourt: outApplied, stepApprove: outRefused, stepPolice: outReturned, stepPoliceEnd: outReturned,
		stepReverse: "maintained", stepExtend: outRefused}
	for range 60 {
		if y.m.State == closed || y.m.State == stateReversed { // reversed: the effects close it
			return
		}
		p := planOf(y.m, y.at)
		y.at = y.at.Add(time.Second)
		if len(p.tasks) == 0 {
			if p.until == nil {
				t.Fatalf("nothing to do and nothing to wait for: %s", y.story())
			}
			y.at = later(y.at, p.until.Add(time.Millisecond))
			continue
		}
		task := p.tasks[0]
		if task.hearingTime != nil {
			y.at = later(y.at, *task.hearingTime)
		}
		out := forward[task.step]
		if out == "" || !slices.Contains(task.outcomes, out) {
			out = task.outcomes[0]
		}
		if err := y.take(y.step(task, out, rightful(task), 10_000)); err != nil {
			t.Fatalf("%s %s: %v after %s", task.step, out, err, y.story())
		}
	}
	t.Fatalf("not closed in 60 steps: %s", y.story())
}

func (y *toy) story() string {
	var out []string
	for _, e := range y.m.events {
		out = append(out, fmt.Sprintf("%s/%s→%s", e.Step, e.Outcome, e.ToState))
	}
	return strings.Join(out, " ")
}
