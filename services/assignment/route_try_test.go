package assignment

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"quietline/internal/errs"
	"quietline/internal/obs"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// A rule that fails on the facts of a matter, in a table that is in force already, settles nothing: the centre says who leads,
// not the rules after it.
func TestRoute_aRuleThatFailsSettlesNothing(t *testing.T) {
	w := newWorld(t)
	version := newID() // the counter outlives the test
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), strings.ReplaceAll(`
		INSERT INTO routing_table (version, valid_from, loaded_by) VALUES ('bad', '2026-10-01', 'x');
		INSERT INTO routing_rule (version, ordinal, rule_id, condition, lead) VALUES
			('bad', 1, 'fails', 'other_sectors[0] == "loans"', 'nfra'), ('bad', 2, 'operator', 'sector == "telecom"', 'operator'),
			('bad', 3, 'rest', 'true', 'samr')`, "bad", version)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		req                  *assignmentv1.RouteRequest
		rule, lead, verifier string
		settled              bool
	}{
		{&assignmentv1.RouteRequest{Sector: "travel", NumberProvince: "44", OtherSectors: []string{"loans"}}, "fails", "nfra-44", "ca-44", true},
		{&assignmentv1.RouteRequest{Category: criminal, Sector: "travel", NumberProvince: "44", OperatorId: "cmcc"}, "fails", centre, "cmcc-44", false},
		{&assignmentv1.RouteRequest{Sector: "telecom", NumberProvince: "44", OtherSectors: []string{"x"}, OperatorId: "cmcc"}, "operator", "ca-44", "cmcc-44", true}, // no operator leads
		{&assignmentv1.RouteRequest{Sector: "telecom", NumberProvince: "44"}, "fails", centre, "ca-44", false},
	} {
		got, err := w.workflows(nil).Route(t.Context(), tc.req)
		if err != nil || got.GetRuleId() != tc.rule || got.GetLeadAgencyId() != tc.lead || got.GetVerifierAgencyId() != tc.verifier || got.GetSettled() != tc.settled {
			t.Errorf("%v: %v, %v, want %s by %s", tc.req, got, err, tc.lead, tc.rule)
		}
		if tc.settled {
			continue
		}
		if got.GetUnsettledReason() != "rule_failed" || got.GetLevel() != atCentre || len(got.GetCoAgencyIds()) != 0 ||
			!strings.Contains(got.GetWhy(), "规则条件无法判断") || !strings.Contains(got.GetWhy(), "规则 fails") {
			t.Errorf("%v: why? %v", tc.req, got)
		}
	}
	if kept := w.routeAs(t, newID(), "", &assignmentv1.RouteRequest{Category: criminal, Sector: "travel", NumberProvince: "44"}); kept.GetSettled() {
		t.Errorf("kept as settled: %v", kept)
	}
	metrics := httptest.NewRecorder()
	obs.Handler().ServeHTTP(metrics, httptest.NewRequest("GET", "/metrics", nil))
	if want := `quietline_routing_rule_errors_total{rule="fails",version="` + version + `"} 3`; !strings.Contains(metrics.Body.String(), want) {
		t.Errorf("metrics lack %s", want)
	}
}

// Trying a table ends when nobody waits for it any more, and costs no more than it may.
func TestTried_isBounded(t *testing.T) {
	w := newWorld(t)
	_, v, err := w.server.table(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	rules := w.rules(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tried(gone, "x", rules, v); !errors.Is(err, context.Canceled) {
		t.Errorf("trying goes on: %v", err)
	}
	table, err := tried(t.Context(), "x", rules, v)
	if err != nil {
		t.Fatal(err)
	}
	run := &dryRun{table: table, view: v, resp: &assignmentv1.DryRunRoutingTableResponse{}}
	if err := run.look(gone, &store.Routing{Facts: []byte("{}"), Route: []byte("{}")}); !errors.Is(err, context.Canceled) {
		t.Errorf("the dry run goes on: %v", err)
	}
	dear := strings.Repeat(`other_sectors.all(a, a != "x") && `, 5) + "reports > 2" // below what one may cost
	one := []*assignmentv1.RoutingRule{{RuleId: "r", Condition: dear, Lead: "ca"}, rules[len(rules)-1]}
	if _, err := tried(t.Context(), "x", one, v); err != nil {
		t.Error(err)
	}
	var many []*assignmentv1.RoutingRule
	for i := range 499 {
		many = append(many, &assignmentv1.RoutingRule{RuleId: fmt.Sprint("r", i), Condition: dear, Lead: "ca"})
	}
	many = append(many, rules[len(rules)-1])
	if _, err := tried(t.Context(), "x", many, v); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
		t.Errorf("%d dear conditions: %v, want INVALID_FIELD", len(many), err)
	}
}
