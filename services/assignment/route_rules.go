package assignment

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"quietline/internal/obs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// What one condition may cost on the facts of one matter; a rule over a handful of short codes needs a few dozen units. In
// force it may cost more than when it was tried, so that richer facts than those tried do not make it fail.
const (
	costTried   = 1_000
	costInForce = 10_000
)

// ruleErrors counts conditions that failed on the facts of a matter.
var ruleErrors = promauto.With(obs.Registry()).NewCounterVec(prometheus.CounterOpts{
	Name: "quietline_routing_rule_errors_total", Help: "Conditions of routing rules that failed, so that the centre has to say who leads.",
}, []string{"version", "rule"})

// rule is a compiled row of the decision table.
type rule struct {
	*assignmentv1.RoutingRule
	condition cel.Program
	warn      *sync.Once // of a condition that fails: told once, counted always
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

// compileTable compiles a table and refuses one that could leave a matter without an agency. No condition may cost more than
// the given cost.
func compileTable(version string, rows []*assignmentv1.RoutingRule, d *directory, cost uint64) (*table, error) {
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
		program, err := compileCondition(env, row.GetCondition(), cost)
		if err != nil {
			return nil, &errRule{i, "condition", err}
		}
		if field, target := unknownTarget(d, row); field != "" {
			return nil, &errRule{i, field, fmt.Errorf("%q is neither one of %s nor an agency", target, strings.Join(symbols, ", "))}
		}
		t.rules = append(t.rules, rule{row, program, new(sync.Once)})
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
		cel.Variable("level2", cel.StringType),
		cel.Variable("lender", cel.StringType),
		cel.Variable("threats", cel.BoolType),
		cel.Variable("holder_id", cel.StringType),
		cel.Variable("holder_sector", cel.StringType),
		cel.Variable("holder_province", cel.StringType),
		cel.Variable("access_operator_id", cel.StringType),
		cel.Variable("reports", cel.IntType),
	)
}

func compileCondition(env *cel.Env, source string, cost uint64) (cel.Program, error) {
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("a condition is true or false, this is a %s", ast.OutputType())
	}
	return env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(cost))
}

// match is the first rule whose condition holds. A condition that fails says neither yes nor no, so no rule after it can be
// known to be the one: then it is a row of the same name by which the centre says who leads.
func (t *table) match(r *routing) (*rule, error) {
	facts := factsOf(r.req, r.province)
	for i := range t.rules {
		out, _, err := t.rules[i].condition.Eval(facts)
		if err != nil {
			t.tell(&t.rules[i], err)
			return t.rules[i].failed(), nil
		}
		if out.Value() == true {
			return &t.rules[i], nil
		}
	}
	return nil, fmt.Errorf("routing table %s has no catch-all", t.version)
}

// failed is what stands in for a rule whose condition failed: it settles nothing, and names nobody.
func (r *rule) failed() *rule {
	return &rule{RoutingRule: &assignmentv1.RoutingRule{RuleId: r.GetRuleId(), Lead: "centre", Reason: ruleFailed}}
}

// factsOf is what conditions look at.
func factsOf(req *assignmentv1.RouteRequest, region string) map[string]any {
	return map[string]any{
		"category": req.GetCategory(), "sector": req.GetSector(), "number_kind": req.GetNumberKind(),
		"access_province": req.GetAccessProvince(), "number_province": req.GetNumberProvince(),
		"reporters_province": req.GetReportersProvince(), "region": region,
		"operator_id": req.GetOperatorId(), "party_agency_id": req.GetPartyAgencyId(),
		"other_sectors": append([]string{}, req.GetOtherSectors()...), // never null
		"level2":        req.GetLevel2(), "lender": req.GetLender(), "threats": req.GetThreats(),
		"holder_id": req.GetHolderId(), "holder_sector": req.GetHolderSector(), "holder_province": req.GetHolderProvince(),
		"access_operator_id": req.GetAccessOperatorId(), "reports": int64(req.GetReports()),
	}
}

// tell reports a rule whose condition failed.
func (t *table) tell(r *rule, err error) {
	ruleErrors.WithLabelValues(t.version, r.GetRuleId()).Inc()
	r.warn.Do(func() {
		slog.Error("a routing rule fails: the centre says who leads", slog.String("version", t.version), slog.String("rule", r.GetRuleId()), slog.Any("error", err))
	})
}
