package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// beside runs a part of the script beside it. The complaint is not closed before that has ended.
func (c *complaint) beside(ctx workflow.Context, do func(workflow.Context) error) workflow.Future {
	ended, settle := workflow.NewFuture(ctx)
	c.background++
	workflow.Go(ctx, func(ctx workflow.Context) {
		err := do(ctx) // an error is the script's end, and ends this too
		c.background--
		settle.Set(nil, err)
	})
	return ended
}

// preserve asks for the call records at once (证据保全); the script does not wait for it.
func (c *complaint) preserve(ctx workflow.Context) {
	if len(c.preservers) == 0 {
		c.keepSafe(ctx, c.who(ofPreserver))
		c.keepMergedSafe(ctx, c.known.GetPreserverIds())
	}
}

// preserveRecordings asks a registered call centre for its recordings, as soon as it is certain that the matter is not
// criminal: then nobody asks the holder itself.
func (c *complaint) preserveRecordings(ctx workflow.Context) {
	if c.category != criminal && !c.forgedNumber {
		c.keepSafe(ctx, c.known.GetCallCentreId())
	}
}

// preserveMerged asks whoever carried calls from numbers that were merged into the complaint since.
func (c *complaint) preserveMerged(ctx workflow.Context, carriers []string) {
	if len(c.preservers) == 0 || c.stopped != "" { // the script asks first
		return
	}
	if before := len(c.preservers); c.keepMergedSafe(ctx, carriers) > before {
		c.flush(ctx)
	}
}

func (c *complaint) keepMergedSafe(ctx workflow.Context, carriers []string) (asked int) {
	for _, id := range carriers {
		if !c.holderItself(id) {
			c.keepSafe(ctx, id)
		}
	}
	return len(c.preservers)
}

func (c *complaint) keepSafe(ctx workflow.Context, at string) {
	if at == "" || slices.Contains(c.preservers, at) {
		return
	}
	c.preservers = append(c.preservers, at)
	c.advance(ctx, orElse(c.stage, "accept"), "", &reportingv1.Participation{AgencyId: at, Part: stepPreserve.part})
	t := c.plan(ctx, c.orderAt(stepPreserve, at))
	c.beside(ctx, func(ctx workflow.Context) error {
		// Its row is written with whatever the script sends first.
		if err := workflow.Await(ctx, func() bool { return t.opened != nil }); err != nil {
			return err
		}
		_, err := c.await(ctx, t)
		return err
	})
}

// preserver holds the call records: who carried the call, else who took it in, else who would check the number as far as
// is known. A forged number says nothing about who carried it, and in a criminal matter nobody asks the holder itself.
func (c *complaint) preserver() string {
	carried := orElse(c.known.GetAccessOperatorId(), c.known.GetServingOperatorId())
	if c.forgedNumber {
		carried = ""
	}
	for _, id := range []string{
		carried, c.known.GetReportersOperatorId(), c.route.GetVerifierAgencyId(), c.known.GetProvisionalVerifierId(),
	} {
		if id != "" && !c.holderItself(id) {
			return id
		}
	}
	return ""
}

// tracer is the operator that took the call in: from there a call is traced back. Where nobody knows it, the verifier is.
func (c *complaint) tracer() string {
	if at := c.known.GetReportersOperatorId(); at != "" && at != c.known.GetPartyAgencyId() {
		return at
	}
	return c.route.GetVerifierAgencyId()
}

func (c *complaint) holderItself(id string) bool {
	return c.category == criminal && id == c.known.GetPartyAgencyId()
}
