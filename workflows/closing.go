package workflows

import (
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// superseding is why a script stops when another round has taken its place, or the complaint is closed.
const superseding = "superseded"

// listen hears what happens outside: nudges that facts changed, and the end of cases.
func (c *complaint) listen(ctx workflow.Context) {
	workflow.Go(ctx, func(ctx workflow.Context) {
		for nudges := workflow.GetSignalChannel(ctx, signalNudge); c.stopped == ""; {
			nudges.Receive(ctx, nil)
			c.look(ctx)
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

// look asks what changed, and stops the script when there is no more to do.
func (c *complaint) look(ctx workflow.Context) {
	asked := c.asked
	now := &caseworkv1.Looked{}
	perform(ctx, now, act.Look, c.in)
	if asked == c.asked { // what was seen before a supplement was asked for says nothing about the answer
		c.supplemented = c.supplemented || now.GetSupplemented()
	}
	c.unreported = c.unreported && now.GetClue()
	switch {
	case !now.GetCurrent():
		c.halt(superseding)
	case now.GetAllWithdrawn():
		c.withdraw(ctx)
	default:
		c.preserveMerged(ctx, now.GetPreserverIds())
		if c.mergedNumbers = max(c.mergedNumbers, now.GetMergedNumbers()); c.numbersAsked && !c.checked {
			c.askMerged(ctx)
		}
	}
}

// halt stops the script: nothing more is written but the cancelling of what is open.
func (c *complaint) halt(why string) {
	if c.stopped != "" {
		return
	}
	c.stopped, c.over = why, true
	c.stop()
}

// withdraw closes a complaint whose reporters took everything back, before it is checked: what was checked is handled all
// the same (有案必查). Its owner refuses when somebody reports it still; then the script goes on as if nothing had been.
func (c *complaint) withdraw(ctx workflow.Context) {
	c.alone(ctx, func(ctx workflow.Context) {
		if c.checked || c.stopped != "" {
			return
		}
		switch ended := c.closeNow(ctx, withdrawn); {
		case ended.GetClosed():
			c.halt(withdrawn)
		case !ended.GetGoesOn():
			c.halt(superseding)
		}
	})
}

// refuse tells the reporters that the complaint is not taken and closes it. It says whether that is the end: when somebody
// joined meanwhile, the round goes on with that report.
func (c *complaint) refuse(ctx workflow.Context) bool {
	c.alone(ctx, func(ctx workflow.Context) {
		if c.stopped != "" {
			return
		}
		c.tell(notAccepted, c.refusal, "")
		c.later(c.disclosed(notAccepted))
		c.over = !c.closeNow(ctx, notAccepted).GetGoesOn()
	})
	return c.over
}

// closeNow closes the complaint while its tasks are still open, and says what came of it. They are cancelled right after.
func (c *complaint) closeNow(ctx workflow.Context, result string) *caseworkv1.Ended {
	ended := &caseworkv1.Ended{}
	q := closing{Close: c.closeRequest(result)}
	if result == notAccepted {
		q.Deeds = c.take()
	}
	perform(ctx, ended, act.CloseUnlessJoined, q)
	return ended
}

// end closes the complaint after its watching, when nothing of it is open; no closed complaint has an open task. When a new
// round began meanwhile there is nothing to close.
func (c *complaint) end(ctx workflow.Context, result string) {
	c.close(ctx, result)
	perform(ctx, nil, act.Close, closing{
		Feedback: &reportingv1.GiveFeedbackRequest{
			RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Stage: "result", Code: result,
		},
		Close: c.closeRequest(result),
	})
}

func (c *complaint) closeRequest(result string) *reportingv1.CloseComplaintRequest {
	return &reportingv1.CloseComplaintRequest{
		RequestId: c.request(), ComplaintId: c.in.GetComplaintId(), Round: c.in.GetRound(), Result: result,
	}
}
