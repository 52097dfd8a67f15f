package assignment

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

var numberKinds = []string{
	"", "mobile", "landline", "code400", "code800", "code1010", "code95_enterprise", "code95_callcentre", "code95_public", "code96", "carrier1xx",
	"public12x", "sms106", "foreign", "code95_spoofed", "public_spoofed", "carrier_spoofed", "text", "empty", "invalid",
}

// Every sector of every province, from every kind of number, ends at agencies that are there and can be given work, by every
// table that was ever in force. The authority is one of the province: the directory has no gap in any of the 31.
func TestRoute_everySectorProvinceAndNumberKind(t *testing.T) {
	w := newWorld(t)
	for _, at := range []time.Time{time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), w.clock()} {
		table, v, err := w.server.table(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		unsettled := map[string]bool{}
		for _, category := range []string{"", commercial, malicious, criminal} {
			for _, sector := range append(slices.Sorted(maps.Keys(sectors)), "") {
				for _, province := range provincesOf(v) {
					for i, kind := range numberKinds {
						req := &assignmentv1.RouteRequest{
							Category: category, Sector: sector, NumberKind: kind, NumberProvince: province,
							OperatorId: []string{"cmcc", "ctcc", "cucc", "cbn"}[i%4],
						}
						got, err := table.route(v, req)
						if err != nil {
							t.Fatal(err)
						}
						for _, id := range append([]string{got.GetLeadAgencyId(), got.GetVerifierAgencyId()}, got.GetCoAgencyIds()...) {
							if a, ok := v.get(id); !ok || !a.assignable || a.province != province && id != centre {
								t.Fatalf("%v ends at %q", req, id)
							}
						}
						if !got.GetSettled() {
							unsettled[category+"/"+sector] = true
						}
					}
				}
			}
		}
		want := []string{"/", "/other", "commercial/", "commercial/other"}
		if table.version == "2018-1" { // it gave the rest to the lead ministry's local bodies
			want = nil
		}
		if got := slices.Sorted(maps.Keys(unsettled)); !slices.Equal(got, want) {
			t.Errorf("%s: nothing is settled for %v, want %v", table.version, got, want)
		}
	}
}

func provincesOf(v view) []string {
	var provinces []string
	for _, id := range v.d.ids {
		if a, ok := v.get(id); ok && a.kind == kindAdministration {
			provinces = append(provinces, a.province)
		}
	}
	return provinces
}

// Every row of the table in force can match: it has an example, which leads there and not to a row before it. And it has a
// source and an owner.
func TestRoute_everyRowHasItsExample(t *testing.T) {
	w := newWorld(t)
	table, v, err := w.server.table(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	if err := table.try(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if len(table.rules) < 25 || table.version != "2026-1" {
		t.Fatalf("%s has %d rows", table.version, len(table.rules))
	}
	for i := range table.rules {
		r := &table.rules[i]
		if r.GetExample() == nil || r.GetSource() == "" || r.GetOwnerAgencyId() == "" {
			t.Errorf("row %s lacks its example, source or owner", r.GetRuleId())
		}
		for _, province := range provincesOf(v) { // and whom it names is there in every province
			req := proto.CloneOf(r.GetExample())
			req.NumberProvince, req.OperatorId = province, "cucc"
			got, err := table.route(v, req)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range append([]string{got.GetLeadAgencyId(), got.GetVerifierAgencyId()}, got.GetCoAgencyIds()...) {
				if v.provinceOf(id) != province && id != centre || !v.assignable(id) {
					t.Errorf("row %s in %s: %s", r.GetRuleId(), province, id)
				}
			}
			if got.GetRuleId() != r.GetRuleId() || r.GetLead() != "ca" && got.GetLeadAgencyId() == "ca-"+province {
				t.Errorf("row %s in %s: led by %s by %s", r.GetRuleId(), province, got.GetLeadAgencyId(), got.GetRuleId())
			}
		}
		if top := r.GetLead(); !slices.Contains(symbols, top) && !v.competentToLead(top) {
			t.Errorf("row %s: %q cannot lead", r.GetRuleId(), top)
		}
	}
}

// Whatever is asked, there is exactly one answer, and the same one however often it is asked.
func TestRoute_totalAndDeterministic(t *testing.T) {
	w := newWorld(t)
	table, v, err := w.server.table(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	words := func(known ...string) *rapid.Generator[string] {
		return rapid.OneOf(rapid.SampledFrom(append(known, "")), rapid.StringN(0, 12, 40))
	}
	agencies := rapid.OneOf(rapid.SampledFrom(v.d.ids), rapid.Just(""), rapid.Just("nobody"))
	rapid.Check(t, func(t *rapid.T) {
		req := &assignmentv1.RouteRequest{
			Category: words(commercial, malicious, criminal).Draw(t, "category"), Sector: words(slices.Sorted(maps.Keys(sectors))...).Draw(t, "sector"),
			NumberKind: words(numberKinds...).Draw(t, "kind"), AccessProvince: words("44", "4403", "99").Draw(t, "access"),
			NumberProvince: words("11", "65").Draw(t, "number"), ReportersProvince: words("31").Draw(t, "reporters"), HolderProvince: words("33").Draw(t, "holder"),
			OperatorId: agencies.Draw(t, "operator"), PartyAgencyId: agencies.Draw(t, "party"), AccessOperatorId: agencies.Draw(t, "access operator"),
			OtherSectors: rapid.SliceOfN(words("loans", "travel", "credit_card"), 0, 4).Draw(t, "others"), HolderSector: words("loans").Draw(t, "holder sector"),
			Level2: words("debt_collection", "driving_school", "invoice", "express", "personal_data").Draw(t, "level2"),
			Lender: words("licensed", "small_lender", "unlicensed").Draw(t, "lender"), Threats: rapid.Bool().Draw(t, "threats"), Reports: rapid.Int32Min(0).Draw(t, "reports"),
		}
		one, err := table.route(v, req)
		if err != nil {
			t.Fatal(err)
		}
		again, err := table.route(v, proto.CloneOf(req))
		if err != nil || !proto.Equal(one, again) {
			t.Fatalf("%v, then %v (%v)", one, again, err)
		}
		party := req.GetPartyAgencyId()
		for _, id := range append([]string{one.GetLeadAgencyId(), one.GetVerifierAgencyId()}, one.GetCoAgencyIds()...) {
			if !v.assignable(id) {
				t.Fatalf("ends at %q", id)
			}
			if v.isParty(id, party) && id != leadMinistry && id != centre { // nobody is above the lead ministry
				t.Fatalf("ends at %q, the reported party", id)
			}
		}
		if one.GetSettled() == (one.GetUnsettledReason() != "") || one.GetSettled() == (one.GetLeadAgencyId() == centre) || one.GetWhy() == "" {
			t.Fatalf("settled or not? %v", one)
		}
	})
}

// The change log tells every difference once and nothing else, and no more rows have moved than must have.
func TestRuleChanges(t *testing.T) {
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}), 0, 7, rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		tableOf := func(label string) []*assignmentv1.RoutingRule {
			var rules []*assignmentv1.RoutingRule
			for _, id := range ids.Draw(t, label) {
				rules = append(rules, &assignmentv1.RoutingRule{RuleId: id, Condition: "true", Lead: rapid.SampledFrom([]string{"ca", "ca", "samr"}).Draw(t, "lead")})
			}
			return rules
		}
		before, after := tableOf("before"), tableOf("after")
		changes := ruleChanges(before, after)
		was, is, told := byRuleID(before), byRuleID(after), map[string]string{}
		for _, c := range changes {
			if told[c.GetRuleId()] != "" {
				t.Fatalf("%s is told twice", c.GetRuleId())
			}
			told[c.GetRuleId()] = c.GetChange()
			if !proto.Equal(c.GetBefore(), was[c.GetRuleId()]) || !proto.Equal(c.GetAfter(), is[c.GetRuleId()]) {
				t.Fatalf("%v is not what was and is", c)
			}
		}
		for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			want := map[[2]bool]string{{true, false}: ruleRemoved, {false, true}: ruleAdded}[[2]bool{was[id] != nil, is[id] != nil}]
			if was[id] != nil && is[id] != nil && was[id].GetLead() != is[id].GetLead() {
				want = ruleChanged
			}
			if got := told[id]; got != want && (got != ruleMoved || want != "") {
				t.Fatalf("%s is told as %q, want %q", id, got, want)
			}
		}
		// What is left when the rows that moved are put aside stands in the same order in both.
		stays := func(rules []*assignmentv1.RoutingRule) []string {
			var left []string
			for _, r := range rules {
				if was[r.GetRuleId()] != nil && is[r.GetRuleId()] != nil && inOrder(before, after)[r.GetRuleId()] {
					left = append(left, r.GetRuleId())
				}
			}
			return left
		}
		if !slices.Equal(stays(before), stays(after)) {
			t.Fatalf("%v and %v", stays(before), stays(after))
		}
	})
}

// load loads a table from now on.
func (w *world) load(t *testing.T, version string, rules ...*assignmentv1.RoutingRule) *assignmentv1.LoadRoutingTableResponse {
	t.Helper()
	resp, err := w.as(lead).LoadRoutingTable(t.Context(), &assignmentv1.LoadRoutingTableRequest{
		RequestId: newID(), Version: version, ValidFrom: timestamppb.New(w.clock()), Rules: rules, Reason: "试验 " + version,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func (w *world) rules(t *testing.T) []*assignmentv1.RoutingRule {
	t.Helper()
	resp, err := w.as(lead).GetRoutingTable(t.Context(), &assignmentv1.GetRoutingTableRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetTable().GetRules()
}

// A table that is valid now decides the next route, on every replica, and none is started anew.
func TestLoadRoutingTable_swapsWhileRunning(t *testing.T) {
	w := newWorld(t)
	other := &Server{db: w.db, now: w.clock} // another replica on the same database
	req := &assignmentv1.RouteRequest{Category: commercial, Sector: "education", NumberProvince: "44"}
	ask := func() string {
		t.Helper()
		one, err := w.workflows(nil).Route(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		two, err := other.Route(t.Context(), req)
		if err != nil || !proto.Equal(one, two) {
			t.Fatalf("the replicas say %v and %v (%v)", one, two, err)
		}
		return one.GetVersion() + " " + one.GetLeadAgencyId()
	}
	if got := ask(); got != "2026-1 moe-44" {
		t.Fatalf("before: %s", got)
	}
	w.load(t, "2026-9", &assignmentv1.RoutingRule{RuleId: "rest", Condition: "true", Lead: "samr"})
	if got := ask(); got != "2026-9 samr-44" {
		t.Errorf("right after: %s", got)
	}
}

// Every version says who made it, when, why, and what it changed; rows are compared by name, and as few as possible have moved.
func TestListRoutingTables_changeLog(t *testing.T) {
	w := newWorld(t)
	rules := w.rules(t)
	edited := make([]*assignmentv1.RoutingRule, 0, len(rules))
	for _, r := range rules {
		r = proto.CloneOf(r)
		switch r.GetRuleId() {
		case "express":
			continue
		case "housekeeping":
			r.Co, r.CheckBasis = append(r.Co, "ca"), "fact_check_15wd"
		case "catch_all":
			edited = append(edited, &assignmentv1.RoutingRule{RuleId: "many", Condition: "reports >= 100", Lead: "ca", Level: atMinistry})
		}
		edited = append(edited, r)
	}
	at := func(id string) int {
		return slices.IndexFunc(edited, func(r *assignmentv1.RoutingRule) bool { return r.GetRuleId() == id })
	}
	i, j := at("retail"), at("telecom")
	edited[i], edited[j] = edited[j], edited[i]
	w.pass(time.Minute)
	summary := func(changes []*assignmentv1.RuleChange) map[string]string {
		m := map[string]string{}
		for _, c := range changes {
			m[c.GetRuleId()] = c.GetChange()
			for _, f := range c.GetFields() {
				m[c.GetRuleId()] += " " + f
			}
		}
		return m
	}
	want := map[string]string{"express": ruleRemoved, "housekeeping": ruleChanged + " co check_basis", "many": ruleAdded, "retail": ruleMoved}
	if diff := cmp.Diff(want, summary(w.load(t, "2026-2", edited...).GetChanges())); diff != "" {
		t.Errorf("told when it is loaded (-want +got):\n%s", diff)
	}
	got, err := w.as(person("a", leadMinistry, accessv1.Role_ROLE_AUDITOR)).ListRoutingTables(t.Context(), &assignmentv1.ListRoutingTablesRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	newest := got.GetTables()[0]
	if newest.GetVersion() != "2026-2" || newest.GetFormerVersion() != "2026-1" || newest.GetLoadedBy() != "lead" || newest.GetLoadedAgencyId() != leadMinistry ||
		newest.GetReason() != "试验 2026-2" || !newest.GetLoadedTime().AsTime().Equal(w.clock()) || len(newest.GetRules()) != 0 {
		t.Errorf("newest: %v", newest)
	}
	if diff := cmp.Diff(want, summary(newest.GetChanges())); diff != "" {
		t.Errorf("told later (-want +got):\n%s", diff)
	}
	rest, err := w.as(lead).ListRoutingTables(t.Context(), &assignmentv1.ListRoutingTablesRequest{PageSize: 2, PageToken: got.GetNextPageToken()})
	if err != nil || len(rest.GetTables()) != 1 || rest.GetTables()[0].GetVersion() != "2018-1" || rest.GetTables()[0].GetFormerVersion() != "" {
		t.Errorf("oldest: %v, %v", rest, err)
	}
	// What is in force comes out as it went in.
	if diff := cmp.Diff(edited, w.rules(t), protocmp.Transform()); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
	_, err = w.as(lead).GetRoutingTable(t.Context(), &assignmentv1.GetRoutingTableRequest{Version: "nine"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

// Levels: a rule may keep a matter at the ministry and its number at the operator's head office; that is no onward assignment.
func TestRoute_levels(t *testing.T) {
	w := newWorld(t)
	w.load(t, "2026-9", &assignmentv1.RoutingRule{
		RuleId: "many", Condition: `reports > 99 && holder_province == "33" && access_operator_id == "cmcc-44"`, Lead: "sector", Co: []string{"police", "lfa"},
		Level: atMinistry, VerifierLevel: "enterprise", CheckBasis: "fact_check_15wd", HandleBasis: "handle_15wd",
		Example: &assignmentv1.RouteRequest{Sector: "loans", Reports: 100, HolderProvince: "33", AccessOperatorId: "cmcc-44"},
	}, &assignmentv1.RoutingRule{RuleId: "rest", Condition: "true", Lead: "samr"})
	req := &assignmentv1.RouteRequest{Sector: "loans", NumberProvince: "44", OperatorId: "cmcc-44", Reports: 100, HolderProvince: "33", AccessOperatorId: "cmcc-44"}
	got, err := w.workflows(nil).Route(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	want := &assignmentv1.RouteResponse{
		LeadAgencyId: "nfra", LeadName: "国家金融监督管理总局", CoAgencyIds: []string{"mps"}, VerifierAgencyId: "cmcc", RuleId: "many", Version: "2026-9",
		RegionSource: byNumber, Settled: true, Level: atMinistry, CheckBasis: "fact_check_15wd", HandleBasis: "handle_15wd", Why: got.GetWhy(),
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	req.Reports = 99
	if got, err = w.workflows(nil).Route(t.Context(), req); err != nil || got.GetLeadAgencyId() != "samr-44" || got.GetVerifierAgencyId() != "cmcc-44" {
		t.Errorf("below: %v, %v", got, err)
	}
}
