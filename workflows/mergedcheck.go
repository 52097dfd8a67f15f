package workflows

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// factReport names the report that stands for a number merged into the complaint: a task about it is about that number, not
// about the complaint's own.
const factReport = "report_id"

// askMerged asks about every number that was merged into the complaint and not asked about yet, each of who serves it; it does
// not wait. Whose numbers they are nobody else finds out: the rounds that would have asked have ended.
//
// Runs from before numbers were counted never come here: neither their triage nor a look of theirs says of any.
func (c *complaint) askMerged(ctx workflow.Context) (asking []workflow.Future) {
	c.mergedNumbers = max(c.mergedNumbers, c.known.GetMergedNumbers())
	if int(c.mergedNumbers) <= len(c.mergedAsked) || c.stopped != "" {
		return nil
	}
	q := &caseworkv1.MergedChecks{}
	perform(ctx, q, act.MergedChecks, c.in, c.known.GetPartyAgencyId())
	for _, n := range q.GetNumbers() {
		if c.mergedAsked[n.GetReportId()] {
			continue
		}
		if c.mergedAsked == nil {
			c.mergedAsked, c.mergedChecks = map[string]bool{}, map[string]int{}
		}
		c.mergedAsked[n.GetReportId()] = true
		asking = append(asking, c.beside(ctx, func(ctx workflow.Context) error { return c.checkMerged(ctx, n) }))
	}
	return asking
}

// checkMerged asks who serves a merged number whether it placed the call, and where a forged one came from. What comes of it is
// of this number alone: the complaint's own may be as true as this one is forged.
func (c *complaint) checkMerged(ctx workflow.Context, n *caseworkv1.MergedCheck) error {
	at := orElse(orElse(n.GetOperatorId(), c.who(ofVerifier)), c.known.GetProvisionalVerifierId())
	for ports := 0; ; ports++ {
		o := c.aboutReport(c.orderAt(stepNumberCheck, at), n)
		if ports >= int(c.known.GetMaxPorts()) {
			o.step = o.without(ported)
		}
		d, err := c.ask(ctx, o)
		if err != nil {
			return err
		}
		outcome := d.GetOutcome()
		if outcome == ported {
			at = orElse(d.recorded.GetVerifierAgencyId(), d.GetDetail().GetPortedTo())
			continue
		}
		c.mergedChecks[outcome]++
		if outcome == forged || outcome == notInUse {
			_, err = c.ask(ctx, c.aboutReport(c.order(stepTraceback), n))
		}
		return err
	}
}

// aboutReport makes an order one about a merged number; what is known of the complaint's own number says nothing of it.
func (c *complaint) aboutReport(o order, n *caseworkv1.MergedCheck) order {
	o.facts = maps.Clone(o.facts)
	for _, own := range []string{"serving_source", "first_call", "resource_id", "number_check"} {
		delete(o.facts, own)
	}
	o.facts[factReport] = n.GetReportId()
	return o
}

// tally says how often what came of something.
func tally(outcomes map[string]int) string {
	var out []string
	for _, name := range workflow.DeterministicKeys(outcomes) {
		out = append(out, fmt.Sprintf("%s:%d", name, outcomes[name]))
	}
	return strings.Join(out, " ")
}

// MergedChecks says which numbers are merged into a complaint and who serves each; who is itself reported does not check.
func (a *Activities) MergedChecks(ctx context.Context, in *caseworkv1.ComplaintInput, party string) (*caseworkv1.MergedChecks, error) {
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: in.GetComplaintId(), MaxReports: maxClassified})
	if err != nil {
		return nil, err
	}
	out := &caseworkv1.MergedChecks{}
	for _, m := range f.GetMergedNumbers() {
		at, err := a.carrier(ctx, f, m)
		if err != nil {
			return nil, err
		}
		itself, err := a.same(ctx, at, party)
		if err != nil {
			return nil, err
		}
		if itself {
			at = ""
		}
		out.Numbers = append(out.Numbers, &caseworkv1.MergedCheck{ReportId: m.GetReportId(), OperatorId: at})
	}
	return out, nil
}

// numberOf is the number that a task is about, the complaint's or one merged into it, and its first call.
func numberOf(f *reportingv1.GetFactsResponse, report string) (*commonv1.Number, *timestamppb.Timestamp) {
	if report == "" {
		return f.GetComplaint().GetNumber(), f.GetFirstCallTime()
	}
	for _, m := range f.GetMergedNumbers() {
		if m.GetReportId() == report {
			return m.GetNumber(), m.GetFirstCallTime()
		}
	}
	return nil, nil
}
