package assignment

import (
	"net/http/httptest"
	"strings"
	"testing"

	"quietline/internal/obs"
	"quietline/internal/testkit"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// A table that is in force already, with a rule that fails on some facts, still routes every matter.
func TestRoute_passesOverARuleThatFails(t *testing.T) {
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
		req        *assignmentv1.RouteRequest
		rule, lead string
	}{
		{&assignmentv1.RouteRequest{Sector: "travel", NumberProvince: "44"}, "rest", "samr-44"},
		{&assignmentv1.RouteRequest{Sector: "travel", NumberProvince: "44", OtherSectors: []string{"loans"}}, "fails", "nfra-44"},
		{&assignmentv1.RouteRequest{Sector: "telecom", NumberProvince: "44", OperatorId: "cmcc"}, "operator", "ca-44"}, // no operator leads
	} {
		got, err := w.workflows(nil).Route(t.Context(), tc.req)
		if err != nil || got.GetRuleId() != tc.rule || got.GetLeadAgencyId() != tc.lead {
			t.Errorf("%v: %v, %v, want %s by %s", tc.req, got, err, tc.lead, tc.rule)
		}
	}
	metrics := httptest.NewRecorder()
	obs.Handler().ServeHTTP(metrics, httptest.NewRequest("GET", "/metrics", nil))
	if want := `quietline_routing_rule_errors_total{rule="fails",version="` + version + `"} 2`; !strings.Contains(metrics.Body.String(), want) {
		t.Errorf("metrics lack %s", want)
	}
}
