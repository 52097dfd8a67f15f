package workflows

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Complaint drives one round of a complaint (涉骚扰事项) through its steps. It fails for nobody's mistake.
func Complaint(ctx workflow.Context, in *caseworkv1.ComplaintInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	c := newComplaint(ctx, in)
	if err := c.open(ctx); err != nil {
		return err
	}
	script, stop := workflow.WithCancel(ctx)
	c.stop, c.attend = stop, c.look
	c.listen(ctx)
	if err := c.run(script); err != nil && c.stopped == "" {
		return err // the run itself was cancelled by an operator
	}
	c.close(ctx, orElse(c.stopped, "not_needed"))
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// run is the script.
func (c *complaint) run(ctx workflow.Context) error {
	for taken := false; !taken; {
		goesOn, err := c.triage(ctx)
		if err != nil || !goesOn { // the round is over, or everything was withdrawn
			return err
		}
		if c.known.GetVerdict() == clue { // 线索: number check only, until somebody reports it
			if ended, err := c.checkClue(ctx); err != nil || ended {
				return err
			}
			continue
		}
		c.preserve(ctx)                             // 1 证据保全, before anything else
		if taken, err = c.accept(ctx); err != nil { // 0 受理
			return err
		}
		if !taken && c.refuse(ctx) {
			return nil
		}
	}
	if err := c.assign(ctx); err != nil { // 2 分办
		return err
	}
	result, err := c.check(ctx) // 3 核查
	if err == nil && result == substantiated {
		result, err = c.handle(ctx) // 4 处置
	}
	if err != nil {
		return err
	}
	if err := c.conclude(ctx, result); err != nil { // 5 反馈, 6 公示
		return err
	}
	return c.watch(ctx, result) // 7 回访
}

// complaint is what the script knows: IDs and codes.
type complaint struct {
	desk
	in    *caseworkv1.ComplaintInput
	known *caseworkv1.Triage   // what the rules said at the beginning
	route *caseworkv1.RoutedTo // who acts

	category, sector string
	confident        bool   // false: a person must say what it is about
	routed           bool   // false: what was said since has not been routed by
	lead             string // who was written down as lead last
	stage            string // last one written
	forgedNumber     bool
	numberCheck      string          // outcome
	served           string          // operator that serves the number, once ported
	unreported       bool            // marks alone stand for it so far
	asking           workflow.Future // the number check of a clue, which the complaint takes over
	mergedNumbers    int32           // numbers merged into it, as far as is known
	mergedAsked      map[string]bool // by the report that stands for the number
	mergedChecks     map[string]int  // what came of them, by outcome
	numbersAsked     bool            // the number check has begun
	bounces          int
	reroutes         int
	findings         string // what the fact check came to; empty without one
	parties          []*assignmentv1.PartyDetail
	effective        bool     // a measure was carried out
	failed           []string // measures that could not be
	refusal          string   // reason code of "not accepted"
	handled          time.Time
	watchUntil       time.Time

	preservers   []string // asked to preserve
	background   int      // what is asked beside the script and not yet decided
	asked        bool     // for a supplement, which is done once
	supplemented bool     // since then
	checked      bool     // from then on a withdrawal ends nothing
	stopped      string   // why the script was stopped: withdrawn, superseded
	stop         workflow.CancelFunc
	openCases    []string
	endedCases   []*caseworkv1.CaseEnded
}

func newComplaint(ctx workflow.Context, in *caseworkv1.ComplaintInput) *complaint {
	c := &complaint{in: in}
	c.workflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	c.profile = in.GetProfile()
	c.subject = &assignmentv1.Task{SubjectKind: "complaint", SubjectId: in.GetComplaintId(), Round: in.GetRound()}
	return c
}

// triage has the rules look at the reports: acceptance, class, holder, operators, route. It says whether the round goes on.
func (c *complaint) triage(ctx workflow.Context) (bool, error) {
	for {
		c.known = &caseworkv1.Triage{}
		perform(ctx, c.known, act.Triage, c.workflowID, c.in)
		if !c.known.GetCurrent() {
			return false, nil
		}
		if c.known.GetVerdict() != withdrawn {
			break
		}
		if c.withdraw(ctx); c.stopped != "" {
			return false, nil
		}
		if err := workflow.Sleep(ctx, time.Second); err != nil { // somebody reports it still
			return false, err
		}
	}
	c.category, c.sector, c.route = c.known.GetCategory(), c.known.GetSector(), c.known.GetRoute()
	c.confident, c.forgedNumber, c.routed = c.known.GetConfident(), c.known.GetForged(), c.route != nil
	if first := c.known.GetFirstCallTime(); first != nil {
		c.subject.RecordingsUntil = timestamppb.New(first.AsTime().AddDate(0, 0, 30))
	}
	return true, nil
}

// accept says whether the complaint is taken: by rules, by the centre where they are unsure.
func (c *complaint) accept(ctx workflow.Context) (bool, error) {
	if c.known.GetVerdict() == "accept" {
		if c.stage == "" {
			c.advance(ctx, "accept", "")
		}
		c.tell(c.firstStage(), "", "")
		return true, nil
	}
	for {
		s := stepAccept
		if c.asked {
			s = s.without(supplementDue) // the clock pauses once
		}
		d, err := c.ask(ctx, c.order(s))
		if err != nil {
			return false, err
		}
		switch d.GetOutcome() {
		case notAccepted:
			c.refusal = d.GetReasonCode()
			return false, nil
		case supplementDue:
			if err := c.awaitSupplement(ctx, d.GetReasonCode()); err != nil {
				return false, err
			}
			continue
		case urgentCriminal:
			c.classify(criminal, "")
		default:
			c.classify(d.GetDetail().GetCategory(), d.GetDetail().GetSector())
		}
		c.tell(c.firstStage(), "", "")
		return true, nil
	}
}

// awaitSupplement waits for the reporter, for a while. What was sent before it was asked for is no answer; what was sent
// while it was being asked for is found by looking again.
func (c *complaint) awaitSupplement(ctx workflow.Context, reason string) error {
	c.tell(supplementDue, reason, "")
	c.flush(ctx)
	c.asked, c.supplemented = true, false
	c.look(ctx)
	_, err := within(ctx, c.until(ctx, basisSupplement), func() bool { return c.supplemented })
	return err
}

// assign finds who acts: by the routing table, after a person said what it is about where the classifier is unsure.
func (c *complaint) assign(ctx workflow.Context) error {
	lead := ""
	if !c.confident {
		var err error
		if lead, err = c.askCentre(ctx); err != nil {
			return err
		}
	}
	if !c.routed {
		c.reroute(ctx, lead, namedByCentre, "")
	}
	for c.route.GetUnsettled() != "" { // nobody is competent by the table: a person of the centre names who leads
		lead, err := c.askCentre(ctx)
		if err != nil {
			return err
		}
		c.reroute(ctx, lead, namedByCentre, "")
	}
	c.preserve(ctx)
	c.preserveRecordings(ctx)
	c.taken(ctx)
	return nil
}

// taken writes who takes part from now on, and that who led before leads no more, and tells the reporters.
func (c *complaint) taken(ctx workflow.Context) {
	parts := []*reportingv1.Participation{{AgencyId: c.route.GetLeadAgencyId(), Part: "lead"}}
	for _, id := range c.route.GetCoAgencyIds() {
		parts = append(parts, &reportingv1.Participation{AgencyId: id, Part: "co"})
	}
	written := c.advance(ctx, "assign", c.office(), parts...)
	if c.lead != "" && c.lead != c.route.GetLeadAgencyId() {
		written.EndedAgencyIds = []string{c.lead}
	}
	c.lead = c.route.GetLeadAgencyId()
	c.tell(assigned, c.publicCategory(), c.office())
}

// classify takes over what a person said; empty leaves what is known.
func (c *complaint) classify(category, sector string) {
	if category == "" && sector == "" {
		return
	}
	c.category, c.sector = orElse(category, c.category), orElse(sector, c.sector)
	c.confident = complete(c.category, c.sector)
	c.routed = false
	c.later(&reportingv1.RecordClassificationRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Category: c.category, Sector: c.sector,
	})
}

// who resolves a row of the table of steps to an agency.
func (c *complaint) who(w whose) string {
	switch w {
	case ofCentre:
		return centre
	case ofPreserver:
		return c.preserver()
	case ofVerifier:
		return c.route.GetVerifierAgencyId()
	case ofTracer:
		return c.tracer()
	default: // lead, police; all others are named where they are asked
		return c.route.GetLeadAgencyId()
	}
}

// order is a step for the agency that its row of the table names.
func (c *complaint) order(s step) order { return c.orderAt(s, c.who(s.agency)) }

func (c *complaint) orderAt(s step, agencyID string) order {
	switch s.name { // the clock is the route's, where its rule names one
	case stepFactCheck.name:
		s.basis = orElse(c.route.GetCheckBasis(), s.basis)
	case stepHandle.name:
		s.basis = orElse(c.route.GetHandleBasis(), s.basis)
	}
	return order{step: s, agencyID: agencyID, hidden: c.category == criminal, facts: c.facts()}
}

// facts are the codes that every task of the complaint carries.
func (c *complaint) facts() map[string]string {
	f := map[string]string{
		"category": c.category, "sector": c.sector, "number_kind": c.known.GetNumberKind(),
		"reports": strconv.Itoa(int(c.known.GetReports())), factUnverifiedOnly: strconv.FormatBool(c.known.GetUnverifiedOnly()),
		factBounces: strconv.Itoa(c.bounces), factParties: strconv.Itoa(len(suable(c.parties))),
	}
	if source := c.known.GetServingSource(); source != "" {
		f["serving_source"] = source // by plan: the number may be ported, which only its operator knows
	}
	if first := c.known.GetFirstCallTime(); first != nil {
		f["first_call"] = first.AsTime().Format(time.RFC3339)
	}
	if id := c.known.GetResourceId(); id != "" {
		f["resource_id"] = id
	}
	if id := c.known.GetPartyAgencyId(); id != "" {
		f[factParty] = id
	}
	if c.unreported {
		f["origin"] = "marks" // a clue: whoever decides must know that nobody has reported it
	}
	if c.numberCheck != "" {
		f["number_check"] = c.numberCheck
	}
	if len(c.mergedChecks) > 0 {
		f["merged_number_checks"] = tally(c.mergedChecks)
	}
	if len(c.failed) > 0 {
		f["failed_measures"] = strings.Join(c.failed, " ")
	}
	return f
}

// advance queues the stage and who takes part.
func (c *complaint) advance(
	ctx workflow.Context, stage, office string, parts ...*reportingv1.Participation,
) *reportingv1.AdvanceComplaintRequest {
	for _, p := range parts {
		p.SinceTime = timestamppb.New(workflow.Now(ctx))
	}
	c.stage = stage
	m := &reportingv1.AdvanceComplaintRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: stage, Office: office,
		Participations: parts, Forged: c.forgedNumber, RegionSource: c.route.GetRegionSource(), AccessOperatorId: c.access(),
	}
	c.later(m)
	return m
}

// tell queues a staged feedback to every reporter.
func (c *complaint) tell(stage, code, office string) {
	c.later(&reportingv1.GiveFeedbackRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: stage, Code: code, Office: office,
	})
}

// firstStage is what a reporter is told first.
func (c *complaint) firstStage() string {
	if c.in.GetRound() > 1 {
		return "reopened"
	}
	return accepted
}

// office is the lead's public name; in a criminal matter the public learns no more than "the competent authority".
func (c *complaint) office() string {
	if c.category == criminal {
		return ""
	}
	return c.route.GetLeadName()
}

func (c *complaint) publicCategory() string {
	if c.category == criminal {
		return criminal
	}
	return ""
}

// until is when a wait that is nobody's task ends.
func (c *complaint) until(ctx workflow.Context, basis string) time.Time {
	return until(ctx, basis, c.profile)
}

func until(ctx workflow.Context, basis, profile string) time.Time {
	at := &timestamppb.Timestamp{}
	perform(ctx, at, act.Until, basis, workflow.Now(ctx), profile)
	return at.AsTime()
}

// measure queues what became of a measure.
func (c *complaint) measure(m *enforcementv1.RecordMeasureRequest) {
	m.RequestId, m.ComplaintId, m.Round = c.request(), c.in.GetComplaintId(), c.in.GetRound()
	c.later(m)
}

// sampled says whether this complaint is among the share that another checks again; the same in every replay.
func (c *complaint) sampled() bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c.in.GetComplaintId()))
	return h.Sum32()%100 < uint32(c.known.GetRecheckPercent())
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
