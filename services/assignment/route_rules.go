package assignment

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"quietline/internal/obs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// costLimit bounds one condition; a rule over a handful of short codes needs a few dozen units.
const costLimit = 10_000

// ruleErrors counts conditions that failed on the facts of a matter.
var ruleErrors = promauto.With(obs.Registry()).NewCounterVec(prometheus.CounterOpts{
	Name: "quietline_routing_rule_errors_total", Help: "Conditions of routing rules that failed and were passed over.",
}, []string{"version", "rule"})

// Where the region came from.
const (
	byAccess    = "access"
	byNumber    = "number"
	byReporters = "reporters"
	byNothing   = "none"
)

// rule is a compiled row of the decision table.
type rule struct {
	id, lead, verifier string
	co                 []string
	condition          cel.Program
	warn               *sync.Once // of a condition that fails: told once, counted always
}

// table is a compiled version of the decision table. Its last rule always matches.
type table struct {
	version string
	rules   []rule
}

// errRule is what is wrong with the rule at an index.
type errRule struct {
	index int
	field string
	err   error
}

func (e *errRule) Error() string { return fmt.Sprintf("rules[%d].%s: %v", e.index, e.field, e.err) }

// compileTable compiles a table and refuses one that could leave a matter without an agency.
func compileTable(version string, rows []*assignmentv1.RoutingRule, d *directory) (*table, error) {
	env, err := conditionEnv()
	if err != nil {
		return nil, err
	}
	t := &table{version: version}
	ids := map[string]bool{}
	for i, row := range rows {
		if ids[row.GetRuleId()] {
			return nil, &errRule{i, "rule_id", fmt.Errorf("%q stands there twice", row.GetRuleId())}
		}
		ids[row.GetRuleId()] = true
		program, err := compileCondition(env, row.GetCondition())
		if err != nil {
			return nil, &errRule{i, "condition", err}
		}
		if field, target := unknownTarget(d, row); field != "" {
			return nil, &errRule{i, field, fmt.Errorf("%q is neither one of %s nor an agency", target, strings.Join(symbols, ", "))}
		}
		t.rules = append(t.rules, rule{row.GetRuleId(), row.GetLead(), row.GetVerifier(), row.GetCo(), program, new(sync.Once)})
	}
	if last := len(rows) - 1; last < 0 || strings.TrimSpace(rows[last].GetCondition()) != "true" {
		return nil, &errRule{max(last, 0), "condition", errors.New(`the last rule must be the catch-all: condition "true"`)}
	}
	return t, nil
}

func unknownTarget(d *directory, row *assignmentv1.RoutingRule) (field, target string) {
	if !d.knownTarget(row.GetLead()) {
		return "lead", row.GetLead()
	}
	if v := row.GetVerifier(); v != "" && !d.knownTarget(v) {
		return "verifier", v
	}
	for _, co := range row.GetCo() {
		if !d.knownTarget(co) {
			return "co", co
		}
	}
	return "", ""
}

// conditionEnv is what conditions may look at: the facts of RouteRequest, and the region they lead to.
func conditionEnv() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("category", cel.StringType),
		cel.Variable("sector", cel.StringType),
		cel.Variable("number_kind", cel.StringType),
		cel.Variable("access_province", cel.StringType),
		cel.Variable("number_province", cel.StringType),
		cel.Variable("reporters_province", cel.StringType),
		cel.Variable("region", cel.StringType),
		cel.Variable("operator_id", cel.StringType),
		cel.Variable("party_agency_id", cel.StringType),
		cel.Variable("other_sectors", cel.ListType(cel.StringType)),
	)
}

func compileCondition(env *cel.Env, source string) (cel.Program, error) {
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("a condition is true or false, this is a %s", ast.OutputType())
	}
	return env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
}

// routing is one matter on its way through a table.
type routing struct {
	view
	req      *assignmentv1.RouteRequest
	province string
	source   string
}

// route says who acts. It always finds an assignable agency: the catch-all matches, and what a rule names is replaced
// by the communications administration or the lead ministry where it cannot act.
func (t *table) route(v view, req *assignmentv1.RouteRequest) (*assignmentv1.RouteResponse, error) {
	r := &routing{view: v, req: req}
	r.province, r.source = v.region(req)
	matched, err := t.match(r)
	if err != nil {
		return nil, err
	}
	lead, onward := r.lead(matched.lead)
	verifier := matched.verifier
	if verifier == "" {
		verifier = "operator"
	}
	return &assignmentv1.RouteResponse{
		LeadAgencyId:        lead,
		CoAgencyIds:         r.coAgencies(matched.co, lead),
		VerifierAgencyId:    r.resolve(verifier),
		RuleId:              matched.id,
		Version:             t.version,
		RegionSource:        r.source,
		ForOnwardAssignment: onward,
		LeadName:            v.name(lead),
	}, nil
}

// match is the first rule whose condition holds. A condition that fails on these facts does not hold: one bad rule must
// not keep matters from the rules after it.
func (t *table) match(r *routing) (*rule, error) {
	facts := factsOf(r.req, r.province)
	for i := range t.rules {
		out, _, err := t.rules[i].condition.Eval(facts)
		if err != nil {
			t.tell(&t.rules[i], err)
			continue
		}
		if out.Value() == true {
			return &t.rules[i], nil
		}
	}
	return nil, fmt.Errorf("routing table %s has no catch-all", t.version)
}

// factsOf is what conditions look at.
func factsOf(req *assignmentv1.RouteRequest, region string) map[string]any {
	return map[string]any{
		"category": req.GetCategory(), "sector": req.GetSector(), "number_kind": req.GetNumberKind(),
		"access_province": req.GetAccessProvince(), "number_province": req.GetNumberProvince(),
		"reporters_province": req.GetReportersProvince(), "region": region,
		"operator_id": req.GetOperatorId(), "party_agency_id": req.GetPartyAgencyId(),
		"other_sectors": append([]string{}, req.GetOtherSectors()...), // never null
	}
}

// tell reports a rule whose condition failed.
func (t *table) tell(r *rule, err error) {
	ruleErrors.WithLabelValues(t.version, r.id).Inc()
	r.warn.Do(func() {
		slog.Error("a routing rule fails and is passed over", slog.String("version", t.version), slog.String("rule", r.id), slog.Any("error", err))
	})
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
	id := r.levelThatActs(r.national(target), r.province)
	if !r.assignable(id) {
		id = r.levelThatActs(leadMinistry, r.province)
	}
	return r.notParty(id, r.req.GetPartyAgencyId(), r.province)
}

// lead is who leads by a rule's target, an authority whatever the rule says, and whether a national body gets the matter
// only to assign it onward.
func (r *routing) lead(target string) (id string, onward bool) {
	id = r.resolve(target)
	if !r.competentToLead(id) {
		id = r.notParty(r.levelThatActs(leadMinistry, r.province), r.req.GetPartyAgencyId(), r.province)
	}
	a, _ := r.get(id)
	return id, a.province == "" && a.kind == kindMinistry
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
		if id := localFinance + "-" + r.province; r.assignable(id) {
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

// coAgencies are those the rule names and those of the sectors that a fifth of the reports or more are about.
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
