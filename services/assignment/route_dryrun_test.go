package assignment

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// routeAs routes a complaint as the workflows do, and keeps it.
func (w *world) routeAs(t *testing.T, complaint, named string, facts *assignmentv1.RouteRequest) *assignmentv1.RouteResponse {
	t.Helper()
	resp, err := w.workflows(nil).RouteComplaint(t.Context(), &assignmentv1.RouteComplaintRequest{
		RequestId: newID(), ComplaintId: complaint, Round: 1, Facts: facts, NamedLeadId: named,
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetRoute()
}

func TestRouteComplaint_isKept(t *testing.T) {
	w := newWorld(t)
	complaint := newID()
	facts := &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", NumberProvince: "44", OperatorId: "cmcc", Reports: 3}
	req := &assignmentv1.RouteComplaintRequest{RequestId: newID(), ComplaintId: complaint, Round: 1, Facts: facts}
	first, err := w.workflows(nil).RouteComplaint(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.workflows(nil).RouteComplaint(t.Context(), req) // sent twice
	if err != nil || !proto.Equal(first, again) {
		t.Errorf("sent twice: %v, %v", again, err)
	}
	w.pass(time.Hour)
	w.routeAs(t, complaint, "samr-44", facts)
	got, err := w.as(lead).ListRoutings(t.Context(), &assignmentv1.ListRoutingsRequest{ComplaintId: complaint})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.GetRoutings()) != 2 {
		t.Fatalf("%d routes are kept, want 2", len(got.GetRoutings()))
	}
	one, two := got.GetRoutings()[0], got.GetRoutings()[1]
	if one.GetRoutingId() != first.GetRoutingId() || !proto.Equal(one.GetRoute(), first.GetRoute()) || !proto.Equal(one.GetFacts(), facts) || one.GetNamedLeadId() != "" {
		t.Errorf("kept: %v", one)
	}
	if two.GetNamedLeadId() != "samr-44" || two.GetRoute().GetLeadAgencyId() != "nfra-44" {
		t.Errorf("kept with a named lead: %v", two)
	}
	for how, want := range map[string]string{
		"":                     "主办单位已指定,由广东省市场监督管理局主办;按路由表:",
		"designation":          "工业和信息化部指定管辖,由广东省市场监督管理局主办;按路由表:",
		"coordination_opinion": "工业和信息化部出具协调意见,由广东省市场监督管理局主办;按路由表:",
	} {
		req := &assignmentv1.RouteComplaintRequest{RequestId: newID(), ComplaintId: newID(), Round: 1, Facts: facts, NamedLeadId: "samr-44", NamedHow: how}
		if how != "" {
			req.NamedById = "miit"
		}
		resp, err := w.workflows(nil).RouteComplaint(t.Context(), req)
		if err != nil || !strings.HasPrefix(resp.GetRoute().GetWhy(), want) || !strings.HasSuffix(resp.GetRoute().GetWhy(), first.GetRoute().GetWhy()) {
			t.Errorf("%q: %s, %v", how, resp.GetRoute().GetWhy(), err)
		}
	}

	// Who has a task in it sees it; others do not.
	task := w.newTask("nfra-44")
	task.SubjectId = complaint
	task.Facts["route_rule"], task.Facts["route_table"] = "finance", "2026-1"
	w.open(t, task)
	if got, err := w.as(caseworker("c", "nfra-44")).ListRoutings(t.Context(), &assignmentv1.ListRoutingsRequest{ComplaintId: complaint}); err != nil || len(got.GetRoutings()) != 2 {
		t.Errorf("its agency: %v, %v", got, err)
	}
	_, err = w.as(caseworker("c", "samr-11")).ListRoutings(t.Context(), &assignmentv1.ListRoutingsRequest{ComplaintId: complaint})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	for _, never := range []string{"UPDATE routing SET lead_id = 'x'", "DELETE FROM routing", "UPDATE agency_change SET reason = 'x'"} {
		if _, err := w.db.Exec(t.Context(), never); pg.Code(err) != "42501" {
			t.Errorf("the service's role may %s: %v", never, err)
		}
	}

	// A fact check that names a rule by which its complaint was never routed is told.
	audit := func() []string {
		resp, err := w.as(person("a", leadMinistry, accessv1.Role_ROLE_AUDITOR)).Audit(t.Context(), &assignmentv1.AuditRequest{What: "violations"})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetViolations()
	}
	if found := audit(); len(found) != 0 {
		t.Errorf("found %q", found)
	}
	stray := w.newTask("nfra-44")
	stray.Facts["route_rule"], stray.Facts["route_table"] = "finance", "2026-1"
	w.open(t, stray)
	if want := []string{"task " + stray.GetTaskId() + " names a rule by which its complaint was never routed"}; !slices.Equal(audit(), want) {
		t.Errorf("found %q, want %q", audit(), want)
	}
}

// The dry run says of past complaints which would go elsewhere, from whom to whom and by which row, page by page, and changes
// nothing.
func TestDryRunRoutingTable(t *testing.T) {
	w := newWorld(t)
	begin := w.clock()
	loans := func(lender string) *assignmentv1.RouteRequest {
		return &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", Lender: lender, NumberProvince: "44", OperatorId: "cmcc"}
	}
	var moved []string
	for i := range 7 { // five of which would go elsewhere
		w.pass(time.Minute)
		id := newID()
		w.routeAs(t, id, "", loans([]string{"", "small_lender"}[i%2]))
		if i%2 == 0 {
			moved = append(moved, id)
		}
	}
	w.pass(time.Minute)
	w.routeAs(t, newID(), "", &assignmentv1.RouteRequest{Category: commercial, Sector: "travel", NumberProvince: "11"})
	otherwise := newID()
	w.routeAs(t, otherwise, "", &assignmentv1.RouteRequest{Category: commercial, Sector: "telecom", NumberProvince: "11"})
	w.routeAs(t, newID(), "samr-44", loans("")) // a person's word stands
	w.pass(time.Minute)

	rules := w.rules(t)
	for i, r := range rules {
		rules[i] = proto.CloneOf(r)
		switch r.GetRuleId() {
		case "finance":
			rules[i].Lead, rules[i].Co, rules[i].CheckBasis = "lfa", []string{"nfra"}, "fact_check_15wd"
		case "telecom":
			rules[i].CheckBasis = ""
		}
	}
	ask := func(size int32, token string) *assignmentv1.DryRunRoutingTableResponse {
		t.Helper()
		resp, err := w.as(lead).DryRunRoutingTable(t.Context(), &assignmentv1.DryRunRoutingTableRequest{
			Rules: rules, SinceTime: timestamppb.New(begin), PageSize: size, PageToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	got := ask(0, "")
	if got.GetExamined() != 10 || got.GetNamed() != 1 || got.GetUnchanged() != 4 || got.GetMoved() != 4 || got.GetNextPageToken() != "" {
		t.Errorf("counts: %v", got)
	}
	flows := []*assignmentv1.RouteFlow{{FromAgencyId: "nfra-44", ToAgencyId: "lfa-44", RuleId: "finance", Count: 4}}
	if diff := cmp.Diff(flows, got.GetFlows(), protocmp.Transform()); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	var ids []string
	for _, d := range got.GetDifferences() {
		ids = append(ids, d.GetComplaintId())
	}
	if !slices.Equal(ids, append(slices.Clone(moved), otherwise)) {
		t.Errorf("differences: %v", ids)
	}
	d := got.GetDifferences()[0]
	if !slices.Equal(d.GetFields(), []string{"lead", "co", "check_basis"}) || d.GetBefore().GetRuleId() != "finance" || d.GetAfter().GetLeadName() != "广东省地方金融管理局" {
		t.Errorf("difference: %v", d)
	}
	if last := got.GetDifferences()[4]; !slices.Equal(last.GetFields(), []string{"check_basis"}) {
		t.Errorf("another clock: %v", last)
	}

	// Page by page it is the same.
	var paged []string
	examined, token := int32(0), ""
	for {
		page := ask(2, token)
		examined += page.GetExamined()
		for _, d := range page.GetDifferences() {
			paged = append(paged, d.GetComplaintId())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if !slices.Equal(paged, ids) || examined != 10 {
		t.Errorf("in pages: %v of %d", paged, examined)
	}

	// Rows that could not be loaded cannot be tried.
	_, err := w.as(lead).DryRunRoutingTable(t.Context(), &assignmentv1.DryRunRoutingTableRequest{
		Rules: rules[:3], SinceTime: timestamppb.New(begin),
	})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	if got, err := w.workflows(nil).Route(t.Context(), loans("")); err != nil || got.GetVersion() != "2026-1" {
		t.Errorf("in force after trying: %v, %v", got, err)
	}
	_, err = w.as(caseworker("c", "nfra-44")).DryRunRoutingTable(t.Context(), &assignmentv1.DryRunRoutingTableRequest{})
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
