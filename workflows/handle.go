package workflows

import (
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// handle is step 4, 处置: what is proposed, approved where it weighs, and carried out. The answer is the result.
func (c *complaint) handle(ctx workflow.Context) (string, error) {
	for {
		d, ground, err := c.propose(ctx)
		if err != nil {
			return "", err
		}
		if d.GetOutcome() == onlyCase || d.GetOutcome() == measuresCase {
			c.openCasesFor(ctx, d)
		}
		if d.GetOutcome() == noMeasure || d.GetOutcome() == onlyCase {
			return c.awaitCases(ctx)
		}
		if err := c.carryOut(ctx, d.recorded.GetMeasures(), ground); err != nil || c.effective {
			return measures, err
		}
		// None could be carried out: nobody is told of measures, and the lead decides anew.
	}
}

// awaitCases waits for the first case that comes to something, a penalty or a transfer: that is the result, and the other branches live on in their
// cases. When all end without one, that is the result.
func (c *complaint) awaitCases(ctx workflow.Context) (string, error) {
	if len(c.openCases) == 0 {
		return noMeasure, nil
	}
	if err := workflow.Await(ctx, func() bool { return c.punished() || c.casesPending() == 0 }); err != nil {
		return "", err
	}
	for _, e := range c.endedCases {
		if effective(e) {
			return orElse(map[string]string{transferred: transferred}[e.GetOutcome()], onlyCase), nil
		}
	}
	return caseNoPenalty, nil
}

// punished says whether a case of the complaint came to more than nothing.
func (c *complaint) punished() bool { return slices.ContainsFunc(c.endedCases, effective) }

// effective says whether what a case came to is a result for its reporters: a penalty that was delivered, a matter that the
// police have. What was reversed before they heard of it is none.
func effective(e *caseworkv1.CaseEnded) bool {
	return e.GetOutcome() != noPenalty && e.GetOutcome() != reversal
}

// casesPending counts the cases of the complaint that have not ended.
func (c *complaint) casesPending() int {
	n := 0
	for _, id := range c.openCases {
		if !slices.ContainsFunc(c.endedCases, func(e *caseworkv1.CaseEnded) bool { return e.GetCaseId() == id }) {
			n++
		}
	}
	return n
}

// propose asks for the handling until it stands. What weighs is reviewed and signed by two other people. The answer is
// the proposal and the task that is the ground of its measures.
func (c *complaint) propose(ctx workflow.Context) (*decision, string, error) {
	for {
		d, err := c.ask(ctx, c.order(stepHandle))
		if err != nil {
			return nil, "", err
		}
		if !slices.ContainsFunc(d.recorded.GetMeasures(), (*caseworkv1.PlannedMeasure).GetWeighs) {
			return d, d.GetTaskId(), nil
		}
		review, err := c.approve(ctx, stepReview, d.by.GetSubject())
		if err != nil {
			return nil, "", err
		}
		if review.GetOutcome() == returned {
			continue
		}
		signature, err := c.approve(ctx, stepSign, d.by.GetSubject(), review.by.GetSubject())
		if err != nil {
			return nil, "", err
		}
		if signature.GetOutcome() == signed {
			return d, signature.GetTaskId(), nil
		}
	}
}

func (c *complaint) approve(ctx workflow.Context, s step, excluded ...string) (*decision, error) {
	o := c.order(s)
	o.excluded = excluded
	return c.ask(ctx, o)
}

// openCasesFor attaches the complaint to a case per party.
func (c *complaint) openCasesFor(ctx workflow.Context, d *decision) {
	parties := suable(d.GetDetail().GetParties())
	if len(parties) == 0 {
		parties = suable(c.parties)
	}
	q := openingCases{ComplaintID: c.in.GetComplaintId(), Round: c.in.GetRound(), AgencyID: c.route.GetLeadAgencyId(), Act: actOf(c.category), Parties: parties}
	for range parties {
		q.Requests = append(q.Requests, c.request())
	}
	opened := &caseworkv1.OpenedCases{}
	perform(ctx, opened, act.OpenCases, q)
	for _, o := range opened.GetCases() {
		if !slices.Contains(c.openCases, o.GetCaseId()) { // opened before, with measures that came to nothing
			c.openCases = append(c.openCases, o.GetCaseId())
		}
		if o.GetEndedOutcome() != "" {
			c.caseEnded(&caseworkv1.CaseEnded{CaseId: o.GetCaseId(), Outcome: o.GetEndedOutcome()})
		}
	}
}

// actOf is the act that a case is about (违法行为).
func actOf(category string) string {
	if category == "malicious" {
		return "malicious_calls"
	}
	return "marketing_without_consent"
}

// carryOut is the execution of measures, all at once. What another must do counts as done with its receipt, and reporters
// are told of the first that is done.
func (c *complaint) carryOut(ctx workflow.Context, planned []*caseworkv1.PlannedMeasure, ground string) error {
	running := 0
	for i, m := range planned {
		executor := c.executorOf(m)
		id := derived(fmt.Sprintf("%s/measure/%d/%s", c.workflowID, i+1, ground))
		if executor == c.route.GetLeadAgencyId() {
			c.recordMeasure(m, id, executor, ground, ground, done)
			c.carriedOut(m, ground)
			continue
		}
		c.recordMeasure(m, id, executor, ground, "", "ordered")
		o := c.orderAt(stepExecute, executor)
		o.facts["measure"], o.facts["measure_id"] = m.GetCode(), id
		t := c.plan(ctx, o)
		running++
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer func() { running-- }()
			if err := workflow.Await(ctx, func() bool { return t.opened != nil }); err != nil {
				return
			}
			d, err := c.await(ctx, t)
			if err != nil {
				return // the script was stopped
			}
			c.recordMeasure(m, id, executor, ground, d.GetTaskId(), d.GetOutcome())
			if d.GetOutcome() == done {
				c.carriedOut(m, ground)
			} else {
				c.failed = append(c.failed, m.GetCode())
			}
		})
	}
	if running > 0 {
		c.flush(ctx)
	}
	for left := running; left > 0; left = running {
		if err := workflow.Await(ctx, func() bool { return running < left }); err != nil {
			return err
		}
		if running > 0 { // what the last one wrote goes with the feedback
			c.flush(ctx)
		}
	}
	return ctx.Err()
}

// carriedOut is what follows from a measure that is done.
func (c *complaint) carriedOut(m *caseworkv1.PlannedMeasure, ground string) {
	if !c.effective {
		c.effective = true
		c.tell("measure", m.GetCode(), "")
	}
	c.onLedger(m, ground)
}

// executorOf is who carries a measure out: who the decision names, else who the catalogue says.
func (c *complaint) executorOf(m *caseworkv1.PlannedMeasure) string {
	lead := c.route.GetLeadAgencyId()
	if m.GetExecutorAgencyId() != "" {
		return m.GetExecutorAgencyId()
	}
	if m.GetExecutor() != "operator" {
		return lead
	}
	for _, id := range []string{c.known.GetAccessOperatorId(), c.served, c.known.GetServingOperatorId(), c.route.GetVerifierAgencyId()} {
		if id != "" {
			return id
		}
	}
	return lead
}

func (c *complaint) recordMeasure(m *caseworkv1.PlannedMeasure, id, executor, ground, receipt, state string) {
	c.measure(&enforcementv1.RecordMeasureRequest{
		MeasureId: id, Code: m.GetCode(), DecidedAgencyId: c.route.GetLeadAgencyId(), ExecutorAgencyId: executor,
		DecidedTaskId: ground, ReceiptTaskId: receipt, State: state, ResourceId: c.resourceOf(m),
	})
}

func (c *complaint) resourceOf(m *caseworkv1.PlannedMeasure) string {
	if m.GetLedgerAction() == "" {
		return ""
	}
	return c.known.GetResourceId()
}

// onLedger does to the ledger what a measure means for a resource that stands there.
func (c *complaint) onLedger(m *caseworkv1.PlannedMeasure, ground string) {
	if c.known.GetResourceId() == "" {
		return
	}
	const remedy = "可在六十日内申请行政复议, 或在六个月内提起行政诉讼 (行政复议法 20, 行政诉讼法 46)"
	basis, nature := orElse(m.GetBasis(), m.GetCode()), orElse(m.GetNature(), "administrative_order")
	switch m.GetLedgerAction() {
	case "warn":
		c.later(&ledgerv1.WarnResourceRequest{
			RequestId: c.request(), ResourceId: c.known.GetResourceId(), ReasonCode: m.GetCode(), Basis: basis, Nature: nature, TaskId: ground,
			AgencyId: c.route.GetLeadAgencyId(), PriorNotice: "约谈时当面告知 (told when warned)", Remedy: "可申诉; " + remedy,
		})
	case "suspend":
		c.later(&ledgerv1.SuspendResourceRequest{
			RequestId: c.request(), ResourceId: c.known.GetResourceId(), ReasonCode: m.GetCode(), Basis: basis, Nature: nature, TaskId: ground,
			AgencyId: c.route.GetLeadAgencyId(), PriorNotice: "随处置决定书一并告知 (told with the decision)", Remedy: remedy,
		})
	}
}

// caseReversed is what becomes of a publication that was withdrawn with its decision.
const caseReversed = "case_reversed"

// caseEnded takes a case's end in, once. When its decision is taken back later, its publication is gone; the reporters are told
// by the case.
func (c *complaint) caseEnded(e *caseworkv1.CaseEnded) {
	for _, known := range c.endedCases {
		if known.GetCaseId() == e.GetCaseId() {
			if e.GetOutcome() == reversal && known.GetDisclosure() != "" {
				known.Disclosure = caseReversed
			}
			return
		}
	}
	c.endedCases = append(c.endedCases, e)
}
