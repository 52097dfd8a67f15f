package workflows

import (
	"go.temporal.io/sdk/workflow"
)

// clue is what the rules say of a complaint that marks opened and nobody has reported: 线索.
const clue = "clue"

// clueResult is how a clue ends: what its number check came to is all that is recorded.
func clueResult(numberCheck string) string { return "clue_" + numberCheck }

// checkClue is all that becomes of a discovered clue: the operator that serves the number says whose it is and whether it
// calls. There is nobody to tell and nothing to be taken against anybody without a report. When somebody reports the number
// meanwhile, or at the last moment, the round goes on as that of an ordinary complaint, with the check that runs. It says
// whether the clue has ended.
//
// Runs from before there were clues never come here: their triage says nothing of one.
func (c *complaint) checkClue(ctx workflow.Context) (ended bool, err error) {
	c.unreported = true
	if !c.forgedNumber && c.asking == nil {
		c.asking = c.beside(ctx, c.askOperators)
	}
	if c.asking != nil {
		err = workflow.Await(ctx, func() bool { return c.asking.IsReady() || !c.unreported })
		if err == nil && c.unreported {
			err = c.asking.Get(ctx, nil)
		}
		if err != nil {
			return true, err
		}
		if !c.unreported {
			return false, nil
		}
	}
	return c.endClue(ctx), nil
}

// endClue closes the clue, unless its owner says that somebody has reported the number. A number that proved forged is
// detached from its true holder.
func (c *complaint) endClue(ctx workflow.Context) bool {
	outcome := c.numberCheck
	if outcome == forged || outcome == notInUse {
		c.forgedNumber = true
	}
	if c.forgedNumber {
		outcome = orElse(outcome, forged)
		c.advance(ctx, stepNumberCheck.stage, "")
		c.flush(ctx)
	}
	c.alone(ctx, func(ctx workflow.Context) {
		if c.stopped == "" {
			c.over = !c.closeNow(ctx, clueResult(outcome)).GetGoesOn()
		}
	})
	return c.over || c.stopped != ""
}
