package workflows

import (
	"hash/fnv"
	"strconv"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Complaint drives one round of a complaint (涉骚扰事项) through the steps of process.md. It fails for nobody's mistake.
func Complaint(ctx workflow.Context, in *caseworkv1.ComplaintInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	c := newComplaint(ctx, in)
	if err := c.open(ctx); err != nil {
		return err
	}
	script, stop := workflow.WithCancel(ctx)
	c.listen(ctx, stop)
	if err := c.run(script); err != nil {
		if c.stopped == "" {
			return err // the run itself was cancelled by an operator
		}
		if c.stopped == withdrawn {
			c.end(ctx, withdrawn)
		}
	}
	c.close(ctx, orElse(c.stopped, "not_needed"))
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// run is the script.
func (c *complaint) run(ctx workflow.Context) error {
	if !c.triage(ctx) { // the round is over, or everything was withdrawn
		return nil
	}
	c.preserve(ctx)             // 1 证据保全, before anything else
	taken, err := c.accept(ctx) // 0 受理
	if err != nil {
		return err
	}
	if !taken {
		c.end(ctx, notAccepted)
		return nil
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
	stage            string // last one written
	forgedNumber     bool
	numberCheck      string // outcome
	served           string // operator that serves the number, once ported
	bounces          int
	findings         string // what the fact check came to; empty without one
	parties          []*assignmentv1.PartyDetail
	refusal          string // reason code of "not accepted"
	handled          time.Time
	watchUntil       time.Time

	preserving   bool
	background   int // preservations not yet decided
	supplemented bool
	checked      bool   // from then on a withdrawal ends nothing
	stopped      string // why the script was stopped: withdrawn, superseded
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

// triage has the rules look at the reports: acceptance, class, holder, operators, route.
func (c *complaint) triage(ctx workflow.Context) bool {
	c.known = &caseworkv1.Triage{}
	perform(ctx, c.known, act.Triage, c.workflowID, c.in)
	if !c.known.GetCurrent() {
		return false
	}
	c.category, c.sector, c.route = c.known.GetCategory(), c.known.GetSector(), c.known.GetRoute()
	c.confident, c.forgedNumber = c.known.GetConfident(), c.known.GetForged()
	if first := c.known.GetFirstCallTime(); first != nil {
		c.subject.RecordingsUntil = timestamppb.New(first.AsTime().AddDate(0, 0, 30))
	}
	if c.known.GetVerdict() == withdrawn {
		c.end(ctx, withdrawn)
		return false
	}
	return true
}

// preserve asks for the call records at once; the script does not wait for it. Where nobody is known yet who carried the
// call, it is asked again once the routing table named somebody.
func (c *complaint) preserve(ctx workflow.Context) {
	at := c.who(ofPreserver)
	if at == "" || c.preserving {
		return
	}
	c.preserving = true
	c.advance(ctx, orElse(c.stage, "accept"), "", &reportingv1.Participation{AgencyId: at, Part: stepPreserve.part})
	t := c.plan(ctx, order{step: stepPreserve, agencyID: at, facts: c.facts()})
	c.background++
	workflow.Go(ctx, func(ctx workflow.Context) {
		defer func() { c.background-- }()
		// Its row is written with whatever the script sends first.
		if err := workflow.Await(ctx, func() bool { return t.opened != nil }); err != nil {
			return
		}
		_, _ = c.await(ctx, t) // an error is the script's end, and ends this too
	})
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
	s := stepAccept
	for {
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
			s = stepAccept.without(supplementDue) // the clock pauses once
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

// awaitSupplement waits for the reporter, for a while.
func (c *complaint) awaitSupplement(ctx workflow.Context, reason string) error {
	c.tell(supplementDue, reason, "")
	c.flush(ctx)
	_, err := within(ctx, c.until(ctx, basisSupplement), func() bool { return c.supplemented })
	return err
}

// assign finds who acts: by the routing table, after a person said what it is about where the classifier is unsure.
func (c *complaint) assign(ctx workflow.Context) error {
	lead := ""
	if !c.confident {
		d, err := c.ask(ctx, c.order(stepAssign))
		if err != nil {
			return err
		}
		if d.GetOutcome() == urgentCriminal {
			c.classify(criminal, "")
		} else {
			c.classify(d.GetDetail().GetCategory(), d.GetDetail().GetSector())
			lead = d.GetDetail().GetLeadAgencyId()
		}
	}
	if c.route == nil {
		c.reroute(ctx, lead)
	}
	c.preserve(ctx)
	c.taken(ctx)
	return nil
}

// taken writes who takes part from now on, and tells the reporters.
func (c *complaint) taken(ctx workflow.Context) {
	parts := []*reportingv1.Participation{{AgencyId: c.route.GetLeadAgencyId(), Part: "lead"}}
	for _, id := range c.route.GetCoAgencyIds() {
		parts = append(parts, &reportingv1.Participation{AgencyId: id, Part: "co"})
	}
	c.advance(ctx, "assign", c.office(), parts...)
	c.tell(assigned, c.publicCategory(), c.office())
}

// reroute asks the table anew with what is known now. A lead named by a person stands.
func (c *complaint) reroute(ctx workflow.Context, lead string) {
	k := c.known
	q := routing{Lead: lead, ToLead: k.GetToLead(), Request: &assignmentv1.RouteRequest{
		Category: c.category, Sector: c.sector, NumberKind: k.GetNumberKind(), AccessProvince: k.GetAccessProvince(),
		NumberProvince: k.GetNumberProvince(), ReportersProvince: k.GetReportersProvince(),
		OperatorId: k.GetServingOperatorId(), PartyAgencyId: k.GetPartyAgencyId(), OtherSectors: k.GetOtherSectors(),
	}}
	c.route = &caseworkv1.RoutedTo{}
	perform(ctx, c.route, act.Route, q)
}

// classify takes over what a person said; empty leaves what is known.
func (c *complaint) classify(category, sector string) {
	if category == "" && sector == "" {
		return
	}
	c.category, c.sector = orElse(category, c.category), orElse(sector, c.sector)
	c.confident = complete(c.category, c.sector)
	c.route = nil
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
	case ofVerifier, ofTracer:
		return c.route.GetVerifierAgencyId()
	default: // lead, police; all others are named where they are asked
		return c.route.GetLeadAgencyId()
	}
}

// preserver holds the call records. A forged number says nothing about who carried the call, and in a criminal matter
// nobody asks the holder itself.
func (c *complaint) preserver() string {
	at := orElse(c.known.GetAccessOperatorId(), c.known.GetServingOperatorId())
	if c.forgedNumber || at == "" || c.category == criminal && at == c.known.GetPartyAgencyId() {
		return c.route.GetVerifierAgencyId()
	}
	return at
}

// order is a step for the agency that its row of the table names.
func (c *complaint) order(s step) order { return c.orderAt(s, c.who(s.agency)) }

func (c *complaint) orderAt(s step, agencyID string) order {
	return order{step: s, agencyID: agencyID, hidden: c.category == criminal, facts: c.facts()}
}

// facts are the codes that every task of the complaint carries.
func (c *complaint) facts() map[string]string {
	f := map[string]string{
		"category": c.category, "sector": c.sector, "number_kind": c.known.GetNumberKind(),
		"reports": strconv.Itoa(int(c.known.GetReports())), factUnverifiedOnly: strconv.FormatBool(c.known.GetUnverifiedOnly()),
		factBounces: strconv.Itoa(c.bounces), factParties: strconv.Itoa(len(suable(c.parties))),
	}
	if first := c.known.GetFirstCallTime(); first != nil {
		f["first_call"] = first.AsTime().Format(time.RFC3339)
	}
	if id := c.known.GetResourceId(); id != "" {
		f["resource_id"] = id
	}
	if c.numberCheck != "" {
		f["number_check"] = c.numberCheck
	}
	return f
}

// advance queues the stage and who takes part.
func (c *complaint) advance(ctx workflow.Context, stage, office string, parts ...*reportingv1.Participation) {
	for _, p := range parts {
		p.SinceTime = timestamppb.New(workflow.Now(ctx))
	}
	c.stage = stage
	c.later(&reportingv1.AdvanceComplaintRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: stage, Office: office,
		Participations: parts, Forged: c.forgedNumber, RegionSource: c.route.GetRegionSource(),
	})
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
	return h.Sum32()%recheckOf < recheckFive
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
