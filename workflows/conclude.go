package workflows

import (
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

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
		perform(ctx, out, act.Conclude, c.conclusion(ctx, result))
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
		Forged: c.forgedNumber, Office: c.office(), Disclosure: c.disclosure(result),
	}
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
	case withdrawn:
		return ""
	}
	out := "no_penalty_decision"
	for _, e := range c.endedCases {
		if strings.HasPrefix(e.GetDisclosure(), "case_published:") {
			return e.GetDisclosure()
		}
		out = orElse(e.GetDisclosure(), out)
	}
	if len(c.openCases) > len(c.endedCases) {
		return "case_pending"
	}
	return out
}

// watch is step 7, 回访: until the time is over, or reporters say that it goes on and a new round takes its place.
func (c *complaint) watch(ctx workflow.Context, result string) error {
	for told := len(c.endedCases); ; told = len(c.endedCases) {
		more, err := within(ctx, c.watchUntil, func() bool { return len(c.endedCases) > told })
		if err != nil {
			return err
		}
		if !more {
			break
		}
		c.later(c.disclosed(result))
		c.flush(ctx)
	}
	if err := workflow.Await(ctx, func() bool { return c.background == 0 }); err != nil {
		return err
	}
	c.end(ctx, result)
	return nil
}

// end closes the complaint, after what is still open was cancelled; no closed complaint has an open task. When a new
// round began meanwhile there is nothing to close.
func (c *complaint) end(ctx workflow.Context, result string) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	if result == notAccepted {
		c.tell(notAccepted, c.refusal, "")
	}
	if result == notAccepted || result == withdrawn {
		c.later(c.disclosed(result))
	}
	c.close(ctx, result)
	perform(ctx, nil, act.Close, closing{
		Untold: c.watchUntil.IsZero(),
		Feedback: &reportingv1.GiveFeedbackRequest{
			RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: "result", Code: result,
		},
		Close: &reportingv1.CloseComplaintRequest{
			RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Result: result,
		},
	})
}

// listen hears what happens outside: nudges that facts changed, and the end of cases.
func (c *complaint) listen(ctx workflow.Context, stop workflow.CancelFunc) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		for nudges := workflow.GetSignalChannel(ctx, signalNudge); ; {
			nudges.Receive(ctx, nil)
			if c.stopped = c.look(ctx); c.stopped != "" {
				stop()
				return
			}
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for ends := workflow.GetSignalChannel(ctx, signalCaseEnded); ; {
			e := &caseworkv1.CaseEnded{}
			ends.Receive(ctx, e)
			c.caseEnded(proto.CloneOf(e))
		}
	})
}

// look asks what changed and says why the script must stop, if it must. What was checked is handled even when its
// reporters take it back: 有案必查.
func (c *complaint) look(ctx workflow.Context) string {
	now := &caseworkv1.Looked{}
	perform(ctx, now, act.Look, c.in)
	c.supplemented = c.supplemented || now.GetSupplemented()
	switch {
	case !now.GetCurrent():
		return "superseded"
	case now.GetAllWithdrawn() && !c.checked:
		return withdrawn
	}
	return ""
}
