package workflows

import (
	"go.temporal.io/sdk/workflow"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// check is step 3, 核查: first whose number it was, then what happened. The answer is the result of the complaint, or
// "substantiated" when it is to be handled.
func (c *complaint) check(ctx workflow.Context) (string, error) {
	if c.forgedNumber {
		return c.traceback(ctx)
	}
	outcome, err := c.checkNumber(ctx)
	if err != nil {
		return "", err
	}
	if outcome == forged || outcome == notInUse {
		c.forgedNumber = true // detached from its true holder: no notice, measure, score or listing
		return c.traceback(ctx)
	}
	if c.category == criminal {
		d, err := c.ask(ctx, c.order(stepTransfer))
		if err != nil || d.GetOutcome() == accepted {
			return transferred, err
		}
		c.classify(commercial, "") // 违法犯罪 not confirmed: the administrative way
		if err := c.assign(ctx); err != nil {
			return "", err
		}
	}
	return c.checkFacts(ctx)
}

// checkNumber is step 3a, 号码核查. "Ported to" goes on at once and is no bounce.
func (c *complaint) checkNumber(ctx workflow.Context) (string, error) {
	at := c.who(ofVerifier)
	for ports := 0; ; ports++ {
		o := c.orderAt(stepNumberCheck, at)
		if ports == maxPorts {
			o.step = o.without(ported)
		}
		d, err := c.ask(ctx, o)
		if err != nil {
			return "", err
		}
		c.numberCheck = d.GetOutcome()
		if c.numberCheck != ported {
			return c.numberCheck, nil
		}
		at = d.GetDetail().GetPortedTo()
		c.served = at
	}
}

// traceback asks where a forged call came from.
func (c *complaint) traceback(ctx workflow.Context) (string, error) {
	c.advance(ctx, stepTraceback.stage, "")
	_, err := c.ask(ctx, c.order(stepTraceback))
	return forged, err
}

// checkFacts is step 3b, 事实核查, with its bounces.
func (c *complaint) checkFacts(ctx workflow.Context) (string, error) {
	for {
		d, err := c.ask(ctx, c.order(stepFactCheck))
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
	lead := to.GetNextAgencyId()
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
		lead = d.GetDetail().GetLeadAgencyId()
	}
	c.reroute(ctx, lead)
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
