package assignment

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Whatever is known or not, a matter ends at agencies that exist and may be assigned work, and never at the party.
func TestRoute_everythingEndsAtAnAssignableAgency(t *testing.T) {
	w := newWorld(t)
	table, v, err := w.server.table(t.Context(), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	provinces := []string{"", "99"}
	for _, id := range v.d.ids {
		if a, ok := v.get(id); ok && a.kind == "provincial_administration" {
			provinces = append(provinces, a.province)
		}
	}
	if len(provinces) != 33 {
		t.Fatalf("%d provinces, want 31", len(provinces)-2)
	}
	for _, category := range []string{"", commercial, malicious, criminal} {
		for _, sector := range append(slices.Sorted(maps.Keys(sectors)), "", "unheard_of") {
			for i, province := range provinces {
				req := &assignmentv1.RouteRequest{
					Category: category, Sector: sector, NumberProvince: province,
					NumberKind: []string{"mobile", "code95_spoofed", "foreign", ""}[i%4],
					OperatorId: []string{"cmcc", "", "mvno-snail", "ctcc-11", "nobody"}[i%5],
				}
				for _, party := range []string{"", "cmcc-44", "ca-" + province, "miit", "nfra"} {
					req.PartyAgencyId = party
					got, err := table.route(v, req)
					if err != nil {
						t.Fatal(err)
					}
					for _, id := range append([]string{got.GetLeadAgencyId(), got.GetVerifierAgencyId()}, got.GetCoAgencyIds()...) {
						if !v.assignable(id) {
							t.Errorf("%v ends at %q, which is not assignable", req, id)
						}
						if party != "" && party != leadMinistry && v.enterprise(id) == v.enterprise(party) {
							t.Errorf("%v ends at %q, the party itself", req, id)
						}
					}
					if slices.Contains(got.GetCoAgencyIds(), got.GetLeadAgencyId()) {
						t.Errorf("%v: the lead is its own co-agency", req)
					}
				}
			}
		}
	}
}

func TestRoute_cases(t *testing.T) {
	w := newWorld(t)
	client := w.workflows(nil)
	for _, tc := range []struct {
		name string
		req  *assignmentv1.RouteRequest
		want *assignmentv1.RouteResponse
	}{
		{"loans go to the regulator of the access location", &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", NumberKind: "code95_callcentre", AccessProvince: "4403", NumberProvince: "11", OperatorId: "cucc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "nfra-44", VerifierAgencyId: "cucc-44", RuleId: "finance", CheckBasis: "fact_check_finance_30cd", RegionSource: byAccess, LeadName: "国家金融监督管理总局广东监管局"}},
		{"no access location: the number's region", &assignmentv1.RouteRequest{Category: commercial, Sector: "real_estate", NumberKind: "mobile", NumberProvince: "51", ReportersProvince: "11", OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mohurd-51", VerifierAgencyId: "cmcc-51", RuleId: "sector", RegionSource: byNumber, LeadName: "四川省住房和城乡建设厅"}},
		{"neither: most reporters' region, and the operator unknown", &assignmentv1.RouteRequest{Category: commercial, Sector: "education", NumberKind: "code400", ReportersProvince: "11"},
			&assignmentv1.RouteResponse{LeadAgencyId: "moe-11", VerifierAgencyId: "ca-11", RuleId: "sector", RegionSource: byReporters, LeadName: "北京市教育委员会"}},
		{"no region at all: the ministry, for onward assignment", &assignmentv1.RouteRequest{Category: commercial, Sector: "travel", NumberKind: "code95_callcentre", OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mct", VerifierAgencyId: "cmcc", RuleId: "sector", RegionSource: byNothing, ForOnwardAssignment: true, LeadName: "文化和旅游部"}},
		{"crime goes to the police, the sector's regulator takes part", &assignmentv1.RouteRequest{Category: criminal, Sector: "securities", NumberProvince: "31", OperatorId: "mvno-snail"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mps-31", CoAgencyIds: []string{"ca-31", "csrc-31"}, VerifierAgencyId: "mvno-snail", RuleId: "criminal", RegionSource: byNumber, LeadName: "上海市公安局"}},
		{"malicious calls go to the communications administration with the police", &assignmentv1.RouteRequest{Category: malicious, Sector: "other", NumberProvince: "44", OperatorId: "ctcc-44"},
			&assignmentv1.RouteResponse{LeadAgencyId: "ca-44", CoAgencyIds: []string{"mps-44"}, VerifierAgencyId: "ctcc-44", RuleId: "malicious", CheckBasis: "fact_check_telecom_30cd", RegionSource: byNumber, LeadName: "广东省通信管理局"}},
		{"threats of a debt collector go to the police", &assignmentv1.RouteRequest{Category: malicious, Sector: "debt_collection", Threats: true, NumberProvince: "44", OperatorId: "ctcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mps-44", CoAgencyIds: []string{"nfra-44", "ca-44"}, VerifierAgencyId: "ctcc-44", RuleId: "debt_threats", RegionSource: byNumber, LeadName: "广东省公安厅"}},
		{"a bank's collector", &assignmentv1.RouteRequest{Category: commercial, Sector: "debt_collection", NumberKind: "code95_enterprise", NumberProvince: "11", OperatorId: "ctcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "nfra-11", CoAgencyIds: []string{"ca-11"}, VerifierAgencyId: "ctcc-11", RuleId: "debt_licensed", CheckBasis: "fact_check_finance_30cd", RegionSource: byNumber, LeadName: "国家金融监督管理总局北京监管局"}},
		{"a small lender's collector", &assignmentv1.RouteRequest{Category: commercial, Sector: "debt_collection", NumberKind: "mobile", NumberProvince: "11", OtherSectors: []string{"loans"}, OperatorId: "ctcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "lfa-11", CoAgencyIds: []string{"nfra-11", "ca-11"}, VerifierAgencyId: "ctcc-11", RuleId: "debt_small_lender", CheckBasis: "fact_check_finance_30cd", RegionSource: byNumber, LeadName: "北京市地方金融管理局"}},
		{"housekeeping goes to commerce", &assignmentv1.RouteRequest{Category: commercial, Sector: "housekeeping", NumberProvince: "31", OperatorId: "cbn"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mofcom-31", CoAgencyIds: []string{"samr-31"}, VerifierAgencyId: "cbn-31", RuleId: "housekeeping", RegionSource: byNumber, LeadName: "上海市商务委员会"}},
		{"retail goes to market regulation, a fifth of the reports brings a co-agency", &assignmentv1.RouteRequest{Category: commercial, Sector: "retail", NumberProvince: "46", OtherSectors: []string{"travel", "other"}, OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "samr-46", CoAgencyIds: []string{"mct-46"}, VerifierAgencyId: "cmcc-46", RuleId: "retail", CheckBasis: "fact_check_15wd", RegionSource: byNumber, LeadName: "海南省市场监督管理局"}},
		{"an operator that is reported never checks its own numbers", &assignmentv1.RouteRequest{Category: commercial, Sector: "telecom", NumberKind: "carrier1xx", NumberProvince: "44", OperatorId: "cmcc", PartyAgencyId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "ca-44", VerifierAgencyId: "ca-44", RuleId: "telecom", CheckBasis: "fact_check_telecom_30cd", RegionSource: byNumber, LeadName: "广东省通信管理局"}},
		{"a regulator that is reported does not lead", &assignmentv1.RouteRequest{Category: commercial, Sector: "education", NumberProvince: "44", OperatorId: "cmcc", PartyAgencyId: "moe-44"},
			&assignmentv1.RouteResponse{LeadAgencyId: "ca-44", VerifierAgencyId: "cmcc-44", RuleId: "sector", RegionSource: byNumber, LeadName: "广东省通信管理局"}},
		{"nothing known: no competence is settled, the centre says who leads", &assignmentv1.RouteRequest{},
			&assignmentv1.RouteResponse{LeadAgencyId: centre, VerifierAgencyId: "miit", RuleId: "catch_all", RegionSource: byNothing, UnsettledReason: noCompetentAgency, Level: atCentre, LeadName: "12321网络不良与垃圾信息举报受理中心"}},
		{"what no ministry is named for goes to the centre", &assignmentv1.RouteRequest{Category: commercial, Sector: "other", NumberProvince: "44", NumberKind: "mobile", OperatorId: "cmcc", OtherSectors: []string{"travel"}},
			&assignmentv1.RouteResponse{LeadAgencyId: centre, CoAgencyIds: []string{"mct-44"}, VerifierAgencyId: "cmcc-44", RuleId: "catch_all", RegionSource: byNumber, UnsettledReason: noCompetentAgency, Level: atCentre, LeadName: "12321网络不良与垃圾信息举报受理中心"}},
		{"a collector without a licence goes to the police", &assignmentv1.RouteRequest{Category: malicious, Level2: "debt_collection", Lender: "unlicensed", NumberProvince: "33", OperatorId: "cucc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mps-33", CoAgencyIds: []string{"lfa-33", "ca-33"}, VerifierAgencyId: "cucc-33", RuleId: "debt_unlicensed", RegionSource: byNumber, LeadName: "浙江省公安厅"}},
		{"a collector whose lender nobody knows", &assignmentv1.RouteRequest{Category: malicious, Sector: "debt_collection", NumberProvince: "33", OperatorId: "cucc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "nfra-33", CoAgencyIds: []string{"lfa-33", "ca-33"}, VerifierAgencyId: "cucc-33", RuleId: "debt_collection", CheckBasis: "fact_check_finance_30cd", RegionSource: byNumber, LeadName: "国家金融监督管理总局浙江监管局"}},
		{"a small lender's marketing", &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", Lender: "small_lender", NumberProvince: "45", OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "lfa-45", CoAgencyIds: []string{"nfra-45"}, VerifierAgencyId: "cmcc-45", RuleId: "small_lender", CheckBasis: "fact_check_finance_30cd", RegionSource: byNumber, LeadName: "广西壮族自治区地方金融管理局"}},
		{"a driving school goes to transport", &assignmentv1.RouteRequest{Category: commercial, Sector: "education", Level2: "driving_school", NumberProvince: "31", OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mot-31", CoAgencyIds: []string{"samr-31"}, VerifierAgencyId: "cmcc-31", RuleId: "driving_school", RegionSource: byNumber, LeadName: "上海市交通委员会"}},
		{"invoices: the police with the tax authority", &assignmentv1.RouteRequest{Category: criminal, Sector: "other", Level2: "invoice", NumberProvince: "44", OperatorId: "cmcc"},
			&assignmentv1.RouteResponse{LeadAgencyId: "mps-44", CoAgencyIds: []string{"sat-44", "ca-44"}, VerifierAgencyId: "cmcc-44", RuleId: "criminal_invoice", RegionSource: byNumber, LeadName: "广东省公安厅"}},
		{"a forged number is traced, its true holder's regulator only takes part", &assignmentv1.RouteRequest{Category: commercial, Sector: "credit_card", NumberKind: "code95_spoofed", ReportersProvince: "11"},
			&assignmentv1.RouteResponse{LeadAgencyId: "ca-11", CoAgencyIds: []string{"nfra-11"}, VerifierAgencyId: "ca-11", RuleId: "forged", CheckBasis: "fact_check_telecom_30cd", RegionSource: byReporters, LeadName: "北京市通信管理局"}},
		{"by the directory of the time", &assignmentv1.RouteRequest{Category: commercial, Sector: "insurance", OperatorId: "cbn", NumberProvince: "44", At: timestamppb.New(time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC))},
			&assignmentv1.RouteResponse{LeadAgencyId: "nfra-44", VerifierAgencyId: "ca-44", RuleId: "sector", RegionSource: byNumber, LeadName: "中国银行保险监督管理委员会广东监管局"}},
	} {
		got, err := client.Route(t.Context(), tc.req)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		tc.want.Version = orCode(map[string]string{"2019": "2018-1"}, tc.req.GetAt().AsTime().Format("2006"))
		if tc.req.GetAt() == nil {
			tc.want.Version = "2026-1"
		}
		if tc.want.GetUnsettledReason() == "" {
			tc.want.Settled = true
			tc.want.Level = map[bool]string{true: atMinistry, false: atProvince}[tc.want.GetForOnwardAssignment()]
		}
		if got.GetWhy() == "" || strings.Count(got.GetWhy(), "。") != 1 {
			t.Errorf("%s: explained as %q, not in one sentence", tc.name, got.GetWhy())
		}
		got.Why = ""
		if diff := cmp.Diff(tc.want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	got, err := client.Route(t.Context(), &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", AccessProvince: "4403", OperatorId: "cmcc"})
	if err != nil {
		t.Fatal(err)
	}
	if want := "商业营销—贷款理财类,接入地广东省,由国家金融监督管理总局广东监管局主办(规则 finance,路由表 2026-1)," +
		"中国移动广东省分公司核查号码,依据:138号文:贷款理财、信用卡、保险由金融监管部门监管。"; got.GetWhy() != want {
		t.Errorf("why:\n got  %s\n want %s", got.GetWhy(), want)
	}
	got, err = client.Route(t.Context(), &assignmentv1.RouteRequest{
		Category: criminal, Level2: "fraud", Lender: "licensed", NumberKind: "code95_spoofed", ReportersProvince: "44", OperatorId: "cmcc-44",
	})
	if err != nil {
		t.Fatal(err)
	}
	if why := got.GetWhy(); strings.Contains(why, "核查号码") || !strings.Contains(why, "溯源") || strings.Contains(why, "持牌机构") {
		t.Errorf("a forged number of an impersonated bank: %s", why)
	}
	_, err = client.Route(t.Context(), &assignmentv1.RouteRequest{At: timestamppb.New(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES)
}

func TestLoadRoutingTable(t *testing.T) {
	w := newWorld(t)
	client := w.as(lead)
	from := w.clock().Add(time.Hour)
	load := func(version string, rules ...*assignmentv1.RoutingRule) error {
		_, err := client.LoadRoutingTable(t.Context(), &assignmentv1.LoadRoutingTableRequest{
			RequestId: newID(), Version: version, ValidFrom: timestamppb.New(from), Rules: rules,
		})
		return err
	}
	catchAll := &assignmentv1.RoutingRule{RuleId: "rest", Condition: "true", Lead: "samr", Verifier: "operator"}
	for name, bad := range map[string][]*assignmentv1.RoutingRule{
		"no catch-all":             {{RuleId: "a", Condition: `sector == "loans"`, Lead: "sector"}},
		"does not compile":         {{RuleId: "a", Condition: `sector ==`, Lead: "sector"}, catchAll},
		"unknown fact":             {{RuleId: "a", Condition: `colour == "red"`, Lead: "sector"}, catchAll},
		"not true or false":        {{RuleId: "a", Condition: `sector`, Lead: "sector"}, catchAll},
		"unknown agency":           {{RuleId: "a", Condition: `true`, Lead: "nobody"}, catchAll},
		"unknown co-agency":        {{RuleId: "a", Condition: `true`, Lead: "ca", Co: []string{"nobody"}}, catchAll},
		"the same row ID twice":    {catchAll, catchAll},
		"fails on empty lists":     {{RuleId: "a", Condition: `other_sectors[0] == "loans"`, Lead: "sector"}, catchAll},
		"fails on some sectors":    {{RuleId: "a", Condition: `sector == "loans" && other_sectors[1] == "travel"`, Lead: "sector"}, catchAll},
		"fails on some regions":    {{RuleId: "a", Condition: `int(number_province) > 11`, Lead: "sector"}, catchAll},
		"fails on one report":      {{RuleId: "a", Condition: `category == "criminal" && 10 / (reports - 1) < 100`, Lead: "police"}, catchAll},
		"fails on three sectors":   {{RuleId: "a", Condition: `size(other_sectors) < 3 || other_sectors[3] != "x"`, Lead: "police"}, catchAll},
		"fails on many sectors":    {{RuleId: "a", Condition: `size(other_sectors) < 4 || other_sectors[20] != "x"`, Lead: "police"}, catchAll},
		"costs too much":           {{RuleId: "a", Condition: `other_sectors.all(a, other_sectors.all(b, other_sectors.all(c, a != "x" || b != "x" || c != "x")))`, Lead: "police"}, catchAll},
		"led by the operator":      {{RuleId: "a", Condition: `true`, Lead: "operator"}, catchAll},
		"led by a branch":          {{RuleId: "a", Condition: `true`, Lead: "cmcc-44"}, catchAll},
		"led by the centre":        {{RuleId: "a", Condition: `true`, Lead: "centre"}, catchAll},
		"led by the centre itself": {{RuleId: "a", Condition: `true`, Lead: "centre-12321", Reason: "x"}, catchAll},
		"a clock nobody knows":     {{RuleId: "a", Condition: `true`, Lead: "ca", CheckBasis: "soon"}, catchAll},
		"a clock nobody knows 2":   {{RuleId: "a", Condition: `true`, Lead: "ca", HandleBasis: "soon"}, catchAll},
		"owned by nobody":          {{RuleId: "a", Condition: `true`, Lead: "ca", OwnerAgencyId: "nobody"}, catchAll},
		"owned by an operator":     {{RuleId: "a", Condition: `true`, Lead: "ca", OwnerAgencyId: "cmcc"}, catchAll},
		"its example leads elsewhere": {{RuleId: "a", Condition: `sector == "loans"`, Lead: "ca"}, {RuleId: "b", Condition: `sector == "loans"`, Lead: "ca",
			Example: &assignmentv1.RouteRequest{Sector: "loans"}}, catchAll},
		"led by an adviser": {{RuleId: "a", Condition: `true`, Lead: "spc"}, catchAll},
	} {
		if err := load("bad", bad...); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
			t.Errorf("%s: %v, want INVALID_FIELD", name, err)
		}
	}
	if err := load("2026-2", catchAll); err != nil {
		t.Fatal(err)
	}
	refused(t, load("2026-2", catchAll), commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS)

	route := func(at time.Time) string {
		got, err := w.workflows(nil).Route(t.Context(), &assignmentv1.RouteRequest{Sector: "loans", NumberProvince: "11", At: timestamppb.New(at)})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetVersion() + " " + got.GetLeadAgencyId()
	}
	if got := route(from.Add(-time.Second)); got != "2026-1 nfra-11" {
		t.Errorf("before the new table: %s", got)
	}
	if got := route(from); got != "2026-2 samr-11" {
		t.Errorf("from the new table on: %s", got)
	}
	sent := &assignmentv1.LoadRoutingTableRequest{
		RequestId: newID(), Version: "2026-3", ValidFrom: timestamppb.New(from.Add(time.Hour)), Rules: []*assignmentv1.RoutingRule{catchAll},
	}
	for range 2 { // sent again a day later, when it begins in the past
		if got, err := client.LoadRoutingTable(t.Context(), sent); err != nil || got.GetRules() != 1 {
			t.Errorf("%v, %v", got, err)
		}
		w.pass(24 * time.Hour)
	}
	refused(t, load("2026-4", catchAll), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) // in the past by now
	_, err := w.as(caseworker("c", "nfra-11")).LoadRoutingTable(t.Context(), &assignmentv1.LoadRoutingTableRequest{})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}

func TestDirectory(t *testing.T) {
	w := newWorld(t)
	client := w.as(nil)
	name := func(id string, at time.Time) string {
		got, err := client.GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: id, At: timestamppb.New(at)})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetAgency().GetName()
	}
	renamed := time.Date(2023, 5, 17, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	if got := name("nfra", renamed.Add(-time.Second)); got != "中国银行保险监督管理委员会" {
		t.Errorf("before: %s", got)
	}
	if got := name("nfra", renamed); got != "国家金融监督管理总局" {
		t.Errorf("after: %s", got)
	}
	_, err := client.GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: "cbrc"})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)

	kinds, last, token := map[string]int{}, "", ""
	for {
		page, err := client.ListAgencies(t.Context(), &assignmentv1.ListAgenciesRequest{PageSize: 100, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetAgencies() {
			if a.GetAgencyId() <= last {
				t.Fatalf("%s after %s", a.GetAgencyId(), last)
			}
			last = a.GetAgencyId()
			kinds[a.GetKind()]++
			if a.GetSource() == "" {
				t.Errorf("%s has no source", a.GetAgencyId())
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	want := map[string]int{"ministry": 18, "provincial_administration": 31, "provincial_body": 14 * 31, "police": 31, "operator": 4,
		"operator_branch": 4 * 31, "resale_operator": 10, "centre": 1, "association": 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("directory (-want +got):\n%s", diff)
	}
	for _, id := range []string{"spc", "spp", "moj"} {
		got, err := client.GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: id})
		if err != nil || got.GetAgency().GetAssignable() {
			t.Errorf("%s: assignable %v, %v", id, got.GetAgency().GetAssignable(), err)
		}
	}
}

// A row that the owner adds takes effect at once, and overlapping names are refused by the database.
func TestDirectory_changesWhileRunning(t *testing.T) {
	w := newWorld(t)
	owner := testkit.Owner(t, w.db)
	const insert = `INSERT INTO agency (agency_id, valid, name, kind, superior_id, assignable, source)
		VALUES ('sac', tstzrange('2020-01-01', NULL), '某某协会', 'association', 'miit', true, 'test')`
	if _, err := owner.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	got, err := w.as(nil).GetAgency(t.Context(), &assignmentv1.GetAgencyRequest{AgencyId: "sac"})
	if err != nil || got.GetAgency().GetName() != "某某协会" {
		t.Errorf("new agency: %v, %v", got, err)
	}
	if _, err := owner.Exec(t.Context(), insert); err == nil {
		t.Error("two names at a time were taken")
	}
	for _, never := range []string{"DELETE FROM agency", "UPDATE agency SET name = 'x'", "UPDATE directory_revision SET revision = 1"} {
		if _, err := w.db.Exec(t.Context(), never); pg.Code(err) != "42501" {
			t.Errorf("the service's role may %s: %v", never, err)
		}
	}
}

func TestClassify_overTheWire(t *testing.T) {
	w := newWorld(t)
	got, err := w.as(person("c", centre, accessv1.Role_ROLE_CENTRE)).Classify(t.Context(), &assignmentv1.ClassifyRequest{
		Items: []*assignmentv1.ClassifyItem{{Text: "推销无抵押贷款,当天放款"}, {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.GetClasses()) != 2 || got.GetClasses()[0].GetConfidence() < got.GetThreshold() || got.GetClasses()[1].GetConfidence() >= got.GetThreshold() {
		t.Errorf("got %v", got)
	}
}
