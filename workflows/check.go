package workflows

import (
	"go.temporal.io/sdk/workflow"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// check is step 3, 核查: first whose number it was, then what happened. In a criminal matter the police come before that.
// The answer is the result of the complaint, or "substantiated" when it is to be handled.
func (c *complaint) check(ctx workflow.Context) (string, error) {
	if c.category == criminal {
		if result, err := c.transfer(ctx); err != nil || result != "" {
			return result, err
		}
	} else if err := c.checkNumber(ctx); err != nil {
		return "", err
	}
	if c.forgedNumber {
		return forged, nil
	}
	return c.checkFacts(ctx)
}

// transfer hands a criminal matter to the police at once. What is asked about the number runs beside it, forged or not,
// and goes on when they have taken it. No result: they return it, and the administrative way begins.
func (c *complaint) transfer(ctx workflow.Context) (string, error) {
	t := c.plan(ctx, c.order(stepTransfer))
	number := c.beside(ctx, c.checkNumber)
	c.flush(ctx)
	d, err := c.await(ctx, t)
	if err != nil {
		return "", err
	}
	if d.GetOutcome() == accepted {
		return transferred, nil
	}
	c.classify(commercial, "") // 违法犯罪 not confirmed
	if err := c.assign(ctx); err != nil {
		return "", err
	}
	return "", number.Get(ctx, nil)
}

// checkNumber is step 3a, 号码核查, and where a forged call came from. A number that proves forged is detached from its
// true holder: no notice, measure, score or listing.
func (c *complaint) checkNumber(ctx workflow.Context) error {
	c.numbersAsked = true
	merged := c.askMerged(ctx)
	if !c.forgedNumber {
		if err := c.askOnce(ctx); err != nil {
			return err
		}
		c.forgedNumber = c.numberCheck == forged || c.numberCheck == notInUse
	}
	if err := c.traceForged(ctx); err != nil {
		return err
	}
	for _, m := range merged {
		if err := m.Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// traceForged asks where a forged call came from.
func (c *complaint) traceForged(ctx workflow.Context) error {
	if !c.forgedNumber {
		return nil
	}
	c.advance(ctx, stepTraceback.stage, "")
	_, err := c.ask(ctx, c.order(stepTraceback))
	return err
}

// askOnce asks the operators, unless they were asked when the complaint was a clue.
func (c *complaint) askOnce(ctx workflow.Context) error {
	if c.asking != nil {
		c.flush(ctx) // what is to be preserved does not wait for the check
		return c.asking.Get(ctx, nil)
	}
	return c.askOperators(ctx)
}

// askOperators asks who serves the number whether it placed the call. "Ported to" goes on at once and is no bounce.
func (c *complaint) askOperators(ctx workflow.Context) error {
	at := orElse(c.who(ofVerifier), c.known.GetProvisionalVerifierId())
	for ports := 0; ; ports++ {
		o := c.orderAt(stepNumberCheck, at)
		if ports >= int(c.known.GetMaxPorts()) {
			o.step = o.without(ported)
		}
		d, err := c.ask(ctx, o)
		if err != nil {
			return err
		}
		c.numberCheck = d.GetOutcome()
		if c.numberCheck != ported {
			return nil
		}
		c.served = d.GetDetail().GetPortedTo()
		at = orElse(d.recorded.GetVerifierAgencyId(), c.served) // who is itself reported does not check
	}
}

// checkFacts is step 3b, 事实核查, with its bounces.
func (c *complaint) checkFacts(ctx workflow.Context) (string, error) {
	for {
		o := c.order(stepFactCheck)
		c.explain(o.facts)
		d, err := c.ask(ctx, o)
		if err != nil {
			return "", err
		}
		if d.GetOutcome() == bounced {
			if err := c.redirect(ctx, d.recorded.GetRedirected()); err != nil {
				return "", err
			}
			continue
		}
		return c.establish(ctx, d)
	}
}

// redirect finds who acts after a bounce: re-assigned at once the first time, then designated 指定管辖 or by a
// coordination opinion 协调意见, at last by the joint meeting.
func (c *complaint) redirect(ctx workflow.Context, to *caseworkv1.Redirected) error {
	c.bounces++
	lead, by := to.GetNextAgencyId(), ""
	if to.GetHow() == "designation" || to.GetHow() == "coordination_opinion" {
		s := stepDesignate
		if to.GetHow() == "coordination_opinion" {
			s = s.by(roleLead)
		}
		o := c.orderAt(s, to.GetDeciderId())
		o.facts["how"], o.facts["bounced_by"], o.facts["should_act"] = to.GetHow(), c.route.GetLeadAgencyId(), to.GetNextAgencyId()
		d, err := c.ask(ctx, o)
		if err != nil {
			return err
		}
		lead, by = d.GetDetail().GetLeadAgencyId(), to.GetDeciderId()
	}
	c.reroute(ctx, lead, to.GetHow(), by)
	c.taken(ctx)
	return nil
}

// establish takes over the findings. A share of what is not substantiated is checked again by another, before it counts.
func (c *complaint) establish(ctx workflow.Context, d *decision) (string, error) {
	if verdictOf(d.GetDetail().GetFindings()) != substantiated && c.sampled() {
		o := c.orderAt(stepRecheck, c.route.GetSuperiorId())
		o.excluded = []string{d.by.GetSubject()}
		again, err := c.ask(ctx, o)
		if err != nil {
			return "", err
		}
		if again.GetOutcome() == overturned {
			d = again
		}
	}
	c.checked = true
	c.findings = verdictOf(d.GetDetail().GetFindings())
	c.parties = d.GetDetail().GetParties()
	c.findingsOf(d)
	c.tell("checked", c.findings, "")
	return c.findings, nil
}

// findingsOf queues the findings of a decision.
func (c *complaint) findingsOf(d *decision) {
	var findings []*reportingv1.Finding
	for _, f := range d.GetDetail().GetFindings() {
		findings = append(findings, finding(f))
	}
	c.later(&reportingv1.RecordFindingsRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), TaskId: d.GetTaskId(), Findings: findings,
	})
}

func finding(f *assignmentv1.FindingDetail) *reportingv1.Finding {
	return &reportingv1.Finding{ReportIds: f.GetReportIds(), Result: f.GetResult(), ReasonCode: f.GetReasonCode()}
}

// checkLate has the lead say once for all reports that joined after the findings whether they are covered by them.
func (c *complaint) checkLate(ctx workflow.Context) error {
	d, err := c.ask(ctx, c.order(stepLateCheck))
	if err != nil {
		return err
	}
	f := &reportingv1.Finding{Result: c.findings}
	if d.GetOutcome() == notCovered {
		f.Result, f.ReasonCode = noEvidence, notCovered
	}
	c.later(&reportingv1.RecordFindingsRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), TaskId: d.GetTaskId(),
		Findings: []*reportingv1.Finding{f},
	})
	return nil
}
