package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Signals that a complaint hears.
const (
	signalNudge     = "Nudge"
	signalCaseEnded = "CaseEnded"
)

// conclude is steps 5 and 6: every reporter gets the result, what became of disclosure is written, watching begins.
// Reports that join meanwhile are checked, or told, before that.
func (c *complaint) conclude(ctx workflow.Context, result string) error {
	c.checked = true
	c.handled = workflow.Now(ctx)
	for {
		out := &caseworkv1.Concluded{}
		c.alone(ctx, func(ctx workflow.Context) {
			if !c.over {
				perform(ctx, out, act.Conclude, c.conclusion(ctx, result))
			}
		})
		if c.over {
			return ctx.Err()
		}
		switch {
		case out.GetLate() > 0:
			if err := c.checkLate(ctx); err != nil {
				return err
			}
		case out.GetWatching():
			c.watchUntil = out.GetUntilTime().AsTime()
			return nil
		default:
			if err := workflow.Sleep(ctx, time.Second); err != nil {
				return err
			}
		}
	}
}

// conclusion is what the activity needs, with the writes that are queued.
func (c *complaint) conclusion(ctx workflow.Context, result string) concluding {
	return concluding{
		Deeds: c.take(), Profile: c.profile, Now: workflow.Now(ctx), NeedFindings: c.findings != "",
		Feedback: &reportingv1.GiveFeedbackRequest{
			RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: "result", Code: result, Office: c.office(),
		},
		Advance: c.disclosed(result),
		Watch: &reportingv1.StartWatchingRequest{
			RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Result: result, HandledTime: timestamp(c.handled),
		},
	}
}

// disclosed is the write of result and publication outcome. While a complaint is watched its owner leaves the stage alone.
func (c *complaint) disclosed(result string) *reportingv1.AdvanceComplaintRequest {
	c.stage = "disclose"
	return &reportingv1.AdvanceComplaintRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: c.stage, Result: result,
		Forged: c.forgedNumber, Office: c.office(), Disclosure: c.disclosure(result), AccessOperatorId: c.access(),
	}
}

// access is who gave the number access at the call (谁接入谁负责): as the ledger has it, else as the check of the number found,
// else who is known to serve it. A forged number has none.
func (c *complaint) access() string {
	if c.forgedNumber {
		return ""
	}
	return orElse(c.known.GetAccessOperatorId(), orElse(c.served, c.known.GetServingOperatorId()))
}

// disclosure is what was published, or why nothing was.
func (c *complaint) disclosure(result string) string {
	switch result {
	case forged, notAccepted:
		return result
	case transferred:
		return criminal
	case notSubstantiated, noEvidence:
		return notSubstantiated
	}
	out := "no_penalty_decision"
	for _, e := range c.endedCases {
		if strings.HasPrefix(e.GetDisclosure(), casePublished) {
			return e.GetDisclosure()
		}
		out = orElse(e.GetDisclosure(), out)
	}
	if c.casesPending() > 0 {
		return "case_pending"
	}
	return out
}

// watch is step 7, 回访: until the time is over, or reporters say that it goes on and a new round takes its place. What is
// asked beside the script must be decided before the complaint is closed.
func (c *complaint) watch(ctx workflow.Context, result string) error {
	told, timeIsOver := len(c.endedCases), false
	ended := func() bool { return len(c.endedCases) > told }
	for until := c.watchUntil; ; {
		_, err := within(ctx, until, func() bool { return ended() || timeIsOver && c.background == 0 })
		if err != nil {
			return err
		}
		if ended() {
			told = len(c.endedCases)
			c.later(c.disclosed(result))
			c.flush(ctx)
			continue
		}
		c.look(ctx)
		if c.over {
			return ctx.Err()
		}
		if c.background == 0 {
			c.end(ctx, result)
			return nil
		}
		until, timeIsOver = c.until(ctx, basisWatch), true
	}
}
