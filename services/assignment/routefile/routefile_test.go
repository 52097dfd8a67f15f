package routefile_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/routefile"
)

var table = &routefile.Table{
	Version: "2026-2", ValidFrom: time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC), Reason: "小额贷款改由地方金融管理局主办",
	Rules: []*assignmentv1.RoutingRule{
		{
			RuleId: "small", Condition: `sector == "loans" && lender == "small_lender", "x"`, Lead: "lfa", Co: []string{"nfra", "ca"}, Verifier: "operator",
			Level: "province", VerifierLevel: "branch", CheckBasis: "fact_check_15wd", HandleBasis: "handle_15wd", OwnerAgencyId: "nfra", Reason: "r",
			Source: "依据,\"待确认\"",
			Example: &assignmentv1.RouteRequest{
				Sector: "loans", Lender: "small_lender", OtherSectors: []string{"travel", "funds"}, Reports: 12, Threats: true,
			},
		},
		{RuleId: "rest", Condition: "true", Lead: "centre", Reason: "no_competent_agency"},
	},
}

// What is written is read again, in both formats.
func TestWriteAndRead(t *testing.T) {
	for _, format := range []string{routefile.YAML, routefile.CSV} {
		var out bytes.Buffer
		if err := routefile.Write(format, &out, table); err != nil {
			t.Fatal(err)
		}
		got, err := routefile.Read(format, strings.NewReader("\ufeff"+out.String()))
		if err != nil {
			t.Fatalf("%v in\n%s", err, out.String())
		}
		if diff := cmp.Diff(table.Rules, got.Rules, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
		if format == routefile.YAML && (got.Version != table.Version || !got.ValidFrom.Equal(table.ValidFrom) || got.Reason != table.Reason) {
			t.Errorf("head: %v", got)
		}
	}
}

func TestRead_refuses(t *testing.T) {
	for name, tc := range map[string]struct{ format, text, want string }{
		"an unknown column":          {routefile.CSV, "rule,when,lead,leader\na,true,ca,x\n", "leader"},
		"no condition":               {routefile.CSV, "rule,lead\na,ca\n", "when"},
		"cut off":                    {routefile.CSV, "rule,when,lead\na,true,c", "line feed"},
		"a row too short":            {routefile.CSV, "rule,when,lead\na,true\n", "wrong number of fields"},
		"an unknown fact":            {routefile.CSV, "rule,when,lead,example\na,true,ca,colour=red\n", "colour=red"},
		"no fact":                    {routefile.CSV, "rule,when,lead,example\na,true,ca,loans\n", "line 2"},
		"not true or false":          {routefile.CSV, "rule,when,lead,example\na,true,ca,threats=maybe\n", "threats"},
		"an unknown key":             {routefile.YAML, "rules:\n- rule: a\n  leader: ca\n", "leader"},
		"an unknown fact in YAML":    {routefile.YAML, "rules:\n- rule: a\n  example: {colour: red}\n", "colour"},
		"no time":                    {routefile.YAML, "valid_from: soon\n", "soon"},
		"larger than a table can be": {routefile.YAML, strings.Repeat("#", 5<<20), "larger"},
	} {
		if _, err := routefile.Read(tc.format, strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	if _, err := routefile.FormatOf("table.xlsx"); err == nil {
		t.Error("a workbook is no table")
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)
	for _, text := range []string{"2026-12-01", "2026-12-01 00:00", "2026-12-01T00:00:00+08:00", "2026-11-30T16:00:00Z"} {
		if got, err := routefile.ParseTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
