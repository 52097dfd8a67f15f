package assignment

import (
	"slices"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Where the region came from.
const (
	byAccess    = "access"
	byNumber    = "number"
	byReporters = "reporters"
	byNothing   = "none"
)

// Levels at which the lead acts.
const (
	atMinistry = "ministry"
	atProvince = "province"
	atCentre   = "centre"
)

// Why nothing is settled.
const (
	noCompetentAgency = "no_competent_agency" // a rule names the sector's ministry and no sector has one
	ruleFailed        = "rule_failed"         // the condition of a rule failed on the facts of the matter
)

// routing is one matter on its way through a table.
type routing struct {
	view
	req      *assignmentv1.RouteRequest
	rule     *rule
	province string
	source   string
	aside    string // who would have led but is itself reported
}

// route says who acts. It always finds an assignable agency: the catch-all matches, and what a rule names is replaced
// by the communications administration or the lead ministry where it cannot act. Where the rule settles no competence, or its
// condition fails, the centre has it, to say who leads.
func (t *table) route(v view, req *assignmentv1.RouteRequest) (*assignmentv1.RouteResponse, error) {
	r := &routing{view: v, req: req}
	r.province, r.source = v.region(req)
	var err error
	if r.rule, err = t.match(r); err != nil {
		return nil, err
	}
	resp := &assignmentv1.RouteResponse{
		RuleId: r.rule.GetRuleId(), Version: t.version, RegionSource: r.source, Settled: true,
		CheckBasis: r.rule.GetCheckBasis(), HandleBasis: r.rule.GetHandleBasis(),
	}
	if resp.UnsettledReason = r.unsettled(); resp.GetUnsettledReason() != "" {
		resp.Settled, resp.LeadAgencyId, resp.Level = false, centre, atCentre
	} else {
		r.lead(resp)
	}
	resp.LeadName = v.name(resp.GetLeadAgencyId())
	resp.CoAgencyIds = r.coAgencies(r.rule.GetCo(), resp.GetLeadAgencyId())
	verifier := r.rule.GetVerifier()
	if verifier == "" {
		verifier = "operator"
	}
	resp.VerifierAgencyId = r.resolve(verifier)
	resp.Why = r.explain(resp)
	return resp, nil
}

// unsettled is why no authority is competent by the rule; empty where one is.
func (r *routing) unsettled() string {
	switch {
	case r.rule.GetLead() == "centre":
		return r.rule.GetReason()
	case r.rule.GetLead() == "sector" && r.competent(r.req.GetSector()) == "":
		return noCompetentAgency
	}
	return ""
}

// region is where a matter belongs: the access location, else the number's region, else most reporters' region.
func (v view) region(req *assignmentv1.RouteRequest) (province, source string) {
	if p := v.province(req.GetAccessProvince()); p != "" {
		return p, byAccess
	}
	if p := v.province(req.GetNumberProvince()); p != "" {
		return p, byNumber
	}
	if p := v.province(req.GetReportersProvince()); p != "" {
		return p, byReporters
	}
	return "", byNothing
}

// resolve is the agency that a rule's target means in this matter. Who is itself reported, or belongs to who is, never
// acts: its supervisor does.
func (r *routing) resolve(target string) string {
	return r.notParty(r.meant(target), r.req.GetPartyAgencyId(), r.province)
}

// meant is who acts for a target at the level that the rule asks for, reported or not.
func (r *routing) meant(target string) string {
	id := r.national(target)
	a, ok := r.get(id)
	switch {
	case ok && a.kind == kindMinistry && r.rule.GetLevel() == atMinistry:
	case ok && a.kind == kindOperatorBranch && r.rule.GetVerifierLevel() == "enterprise":
		id = r.enterprise(id)
	case ok && a.kind == kindOperator && r.rule.GetVerifierLevel() == "enterprise":
	default:
		id = r.levelThatActs(id, r.province)
	}
	if !r.assignable(id) {
		id = r.levelThatActs(leadMinistry, r.province)
	}
	return id
}

// lead fills in who leads by the rule, an authority whatever the rule says, at which level, and whether a national body gets
// the matter only to assign it onward.
func (r *routing) lead(resp *assignmentv1.RouteResponse) {
	id := r.meant(r.rule.GetLead())
	if !r.competentToLead(id) && !r.isParty(id, r.req.GetPartyAgencyId()) {
		id = r.levelThatActs(leadMinistry, r.province)
	}
	if r.isParty(id, r.req.GetPartyAgencyId()) {
		r.aside = id
	}
	id = r.notParty(id, r.req.GetPartyAgencyId(), r.province)
	a, _ := r.get(id)
	resp.LeadAgencyId, resp.Level = id, atProvince
	if a.province == "" && a.kind == kindMinistry {
		resp.Level = atMinistry
		resp.ForOnwardAssignment = r.rule.GetLevel() != atMinistry
	}
}

// national is the body that a target means before it is known at which level it acts.
func (r *routing) national(target string) string {
	switch target {
	case "sector":
		if id := r.competent(r.req.GetSector()); id != "" {
			return id
		}
		return leadMinistry
	case "operator":
		return r.servingOperator()
	case "ca":
		return leadMinistry
	case "police":
		return police
	case localFinance:
		if id := localFinance + "-" + r.province; r.assignable(id) && r.rule.GetLevel() != atMinistry {
			return id
		}
		return financial
	case "centre":
		return centre
	default:
		return target
	}
}

// servingOperator is the operator of the request when it is one, else who supervises operators.
func (r *routing) servingOperator() string {
	a, ok := r.get(r.req.GetOperatorId())
	if ok && slices.Contains([]string{kindOperator, kindOperatorBranch, kindResale}, a.kind) {
		return a.id
	}
	return leadMinistry
}

// coAgencies are those the rule names and those of the sectors that more than a fifth of the reports are about.
func (r *routing) coAgencies(targets []string, lead string) []string {
	var co []string
	add := func(id string) {
		if id != lead && !slices.Contains(co, id) {
			co = append(co, id)
		}
	}
	for _, target := range targets {
		if target == "sector" && r.competent(r.req.GetSector()) == "" {
			continue // no sector ministry is competent, so none takes part
		}
		add(r.resolve(target))
	}
	for _, sector := range r.req.GetOtherSectors() {
		if ministry := r.competent(sector); ministry != "" {
			add(r.resolve(ministry))
		}
	}
	return co
}
