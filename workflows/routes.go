package workflows

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/workflow"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// routeFacts is what the decision table may look at, codes only: what is known of the complaint, and what it is about.
func routeFacts(t *caseworkv1.Triage, category, sector string) *assignmentv1.RouteRequest {
	req := &assignmentv1.RouteRequest{
		Category: category, Sector: sector, NumberKind: t.GetNumberKind(), AccessProvince: t.GetAccessProvince(),
		NumberProvince: t.GetNumberProvince(), ReportersProvince: t.GetReportersProvince(),
		OperatorId:    orElse(t.GetServingOperatorId(), t.GetReportersOperatorId()),
		PartyAgencyId: t.GetPartyAgencyId(), OtherSectors: t.GetOtherSectors(),
		HolderId: t.GetHolderId(), HolderSector: t.GetHolderSector(), HolderProvince: t.GetHolderProvince(),
		AccessOperatorId: t.GetAccessOperatorId(), Reports: t.GetReports(), Lender: t.GetLender(), Threats: t.GetThreats(),
	}
	if category == t.GetCategory() && sector == t.GetSector() { // a person who says otherwise says so of the level below too
		req.Level2 = t.GetLevel2()
	}
	return req
}

// holderFacts are the codes of a holder that routing may look at. Where it is registered stands in its credit code: digits 3
// to 8 are the division of the registry (GB 32100-2015).
func holderFacts(h *ledgerv1.Holder, t *caseworkv1.Triage) {
	t.HolderSector = h.GetSector()
	if code := h.GetCreditCode(); creditCode.MatchString(code) && code[2:4] != "10" { // 10: the national registry
		t.HolderProvince = code[2:4]
	}
}

// routing asks who acts.
type routing struct {
	Request *assignmentv1.RouteRequest
	Lead    string // named by a person; empty: by the table
	How, By string // how it was named, and by which agency
	ToLead  bool   // beyond the limit of reopenings the lead ministry takes it
	// The complaint, whose route is kept with its facts, and the place in its workflow: request IDs follow from it. Without a
	// place nothing is kept.
	Place, ComplaintID string
	Round              int32
}

// Route asks the decision table who acts, and the directory who stands above. Where the table settles no competence and nobody
// named a lead, it says why: then a person of the centre must.
func (a *Activities) Route(ctx context.Context, q routing) (*caseworkv1.RoutedTo, error) {
	lead, err := a.namedLead(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := a.ask(ctx, q, lead)
	if err != nil {
		return nil, err
	}
	to := &caseworkv1.RoutedTo{
		LeadAgencyId: resp.GetLeadAgencyId(), CoAgencyIds: resp.GetCoAgencyIds(), VerifierAgencyId: resp.GetVerifierAgencyId(),
		LeadName: resp.GetLeadName(), RegionSource: resp.GetRegionSource(), RuleId: resp.GetRuleId(), Version: resp.GetVersion(),
		Why: resp.GetWhy(), CheckBasis: resp.GetCheckBasis(), HandleBasis: resp.GetHandleBasis(),
	}
	if !resp.GetSettled() && lead == "" {
		to.Unsettled = orElse(resp.GetUnsettledReason(), "unknown")
	}
	if lead != "" && lead != to.GetLeadAgencyId() {
		to.CoAgencyIds = slices.DeleteFunc(slices.Clone(to.GetCoAgencyIds()), func(id string) bool { return id == lead })
		to.LeadAgencyId, to.LeadName = lead, ""
		to.RuleId, to.Version = "", ""         // no rule answers for what a person said
		to.CheckBasis, to.HandleBasis = "", "" // nor does the clock of whom it names
	}
	stands, err := a.agency(ctx, to.GetLeadAgencyId())
	if err != nil {
		return nil, err
	}
	to.LeadName = orElse(to.GetLeadName(), stands.GetName())
	to.SuperiorId = orElse(stands.GetSuperiorId(), leadMinistry)
	return to, nil
}

// namedLead is who leads whatever the table says, or nobody: the reported party never does, the table finds who stands in for
// it.
func (a *Activities) namedLead(ctx context.Context, q routing) (string, error) {
	lead := q.Lead
	if q.ToLead && lead == "" && q.Request.GetCategory() != criminal {
		lead = leadMinistry
	}
	itself, err := a.same(ctx, lead, q.Request.GetPartyAgencyId())
	if itself {
		lead = ""
	}
	return lead, err
}

// ask asks the table, and has the route of a complaint kept.
func (a *Activities) ask(ctx context.Context, q routing, lead string) (*assignmentv1.RouteResponse, error) {
	if q.Place == "" {
		return a.Assignment.Route(ctx, q.Request)
	}
	req := &assignmentv1.RouteComplaintRequest{
		ComplaintId: q.ComplaintID, Round: q.Round, Facts: q.Request, NamedLeadId: lead, NamedHow: q.How, NamedById: q.By,
	}
	if lead == "" {
		req.NamedHow, req.NamedById = "", "" // who was named is itself reported
	} else if q.Lead == "" {
		req.NamedHow = namedByReopening
	}
	var err error
	if req.RequestId, err = requestOf(q.Place, req); err != nil {
		return nil, err
	}
	resp, err := a.Assignment.RouteComplaint(ctx, req)
	return resp.GetRoute(), err
}

// askCentre has a person of the centre say what the complaint is about, and who leads where that is not settled.
func (c *complaint) askCentre(ctx workflow.Context) (lead string, err error) {
	o := c.order(stepAssign)
	if c.category == criminal { // suspected: the police must not wait for the usual term
		o.basis = stepAccept.basis
	}
	c.explain(o.facts)
	c.guesses(o.facts)
	d, err := c.ask(ctx, o)
	if err != nil {
		return "", err
	}
	if d.GetOutcome() == urgentCriminal {
		c.classify(criminal, "")
		return "", nil
	}
	c.classify(d.GetDetail().GetCategory(), d.GetDetail().GetSector())
	return d.GetDetail().GetLeadAgencyId(), nil
}

// How a lead comes to be named otherwise than by a bounce.
const (
	namedByCentre    = "centre"
	namedByReopening = "reopened"
)

// reroute asks the table anew with what is known now. A lead named by a person stands; how and by whom it was named stands in
// the sentence of the route.
func (c *complaint) reroute(ctx workflow.Context, lead, how, by string) {
	c.reroutes++
	if lead == "" {
		how, by = "", ""
	}
	q := routing{
		Lead: lead, How: how, By: by, ToLead: c.known.GetToLead(), Request: routeFacts(c.known, c.category, c.sector),
		Place: fmt.Sprintf("%s/route/%d", c.workflowID, c.reroutes), ComplaintID: c.in.GetComplaintId(), Round: c.in.GetRound(),
	}
	to := &caseworkv1.RoutedTo{} // until it is known the route before stands: what runs beside the script reads it
	perform(ctx, to, act.Route, q)
	c.route, c.routed = to, true
}

// explain adds to the facts of a task how the complaint was routed: by which row, or why nothing is settled, in which
// province, and in one sentence.
func (c *complaint) explain(facts map[string]string) {
	add := func(name, value string) {
		if value != "" {
			facts[name] = value
		}
	}
	add("route_rule", c.route.GetRuleId())
	add("route_table", c.route.GetVersion())
	add("route_why", c.route.GetWhy())
	add(factUnsettled, c.route.GetUnsettled())
	switch c.route.GetRegionSource() {
	case "access":
		add("region", c.known.GetAccessProvince())
	case "number":
		add("region", c.known.GetNumberProvince())
	case "reporters":
		add("region", c.known.GetReportersProvince())
	}
}
