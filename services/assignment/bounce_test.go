package assignment

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// bounced has an agency send a fact check back.
func (w *world) bounced(t *testing.T, agency, rule string, before int, to, reason string) {
	t.Helper()
	task := w.newTask(agency)
	task.Facts["bounces"] = strconv.Itoa(before)
	if rule != "" {
		task.Facts["route_rule"], task.Facts["route_table"] = rule, "2026-1"
	}
	w.open(t, task)
	req := decide(task.GetTaskId(), "bounced")
	req.Decision.ReasonCode, req.Decision.Detail = reason, &assignmentv1.DecisionDetail{ShouldActAgencyId: to}
	if _, err := w.workflows(caseworker("c", agency)).RecordDecision(t.Context(), req); err != nil {
		t.Fatal(err)
	}
}

func TestListBounces(t *testing.T) {
	w := newWorld(t)
	w.bounced(t, "nfra-44", "finance", 0, "lfa-44", "not_our_sector") // before the period
	w.pass(time.Hour)
	begin := w.clock()
	for range 3 {
		w.bounced(t, "nfra-44", "finance", 0, "lfa-44", "not_our_sector")
	}
	w.bounced(t, "nfra-11", "finance", 0, "samr-11", "other_region")
	w.bounced(t, "lfa-44", "", 1, "nfra-44", "not_our_sector") // to whom a person gave it
	w.bounced(t, "samr-44", "retail", 2, "moe-44", "not_our_sector")
	w.open(t, w.newTask("nfra-44")) // and one that was not sent back
	w.routeAs(t, newID(), "", &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", NumberProvince: "44"})
	w.routeAs(t, newID(), "samr-44", &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", NumberProvince: "44"}) // not by the rule
	w.pass(time.Minute)

	counts := func(a *commonv1.Actor, by string, size int32) []string {
		t.Helper()
		var out []string
		for token := ""; ; {
			resp, err := w.as(a).ListBounceCounts(t.Context(), &assignmentv1.ListBounceCountsRequest{
				SinceTime: timestamppb.New(begin), By: by, PageSize: size, PageToken: token,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range resp.GetCounts() {
				out = append(out, fmt.Sprintf("%s %d=%d+%d+%d of %d", c.GetKey(), c.GetBounces(), c.GetFirst(), c.GetSecond(), c.GetThird(), c.GetOpened()))
			}
			if token = resp.GetNextPageToken(); token == "" {
				return out
			}
		}
	}
	statistician := person("s", "isc", accessv1.Role_ROLE_STATISTICIAN)
	for _, tc := range []struct {
		who  *commonv1.Actor
		by   string
		want []string
	}{
		{lead, "agency", []string{"nfra-44 3=3+0+0 of 4", "lfa-44 1=0+1+0 of 1", "nfra-11 1=1+0+0 of 1", "samr-44 1=0+0+1 of 1"}},
		{statistician, "rule", []string{"2026-1/finance 4=4+0+0 of 4", "- 1=0+1+0 of 2", "2026-1/retail 1=0+0+1 of 1"}},
		{lead, "should_act", []string{"lfa-44 3=3+0+0 of 0", "moe-44 1=0+0+1 of 0", "nfra-44 1=0+1+0 of 0", "samr-11 1=1+0+0 of 0"}},
		{lead, "reason", []string{"not_our_sector 5=3+1+1 of 0", "other_region 1=1+0+0 of 0"}},
		{caseworker("c", "nfra-11"), "agency", []string{"nfra-11 1=1+0+0 of 1"}},
		{caseworker("c", "nfra-11"), "rule", []string{"2026-1/finance 1=1+0+0 of 1"}},
		{caseworker("c", "moe-11"), "agency", nil},
	} {
		for _, size := range []int32{0, 1} {
			if got := counts(tc.who, tc.by, size); fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("by %s for %s, page of %d:\n got  %q\n want %q", tc.by, tc.who.GetSubject(), size, got, tc.want)
			}
		}
	}

	rules := func(a *commonv1.Actor, owner string) ([]string, error) {
		resp, err := w.as(a).ListBouncingRules(t.Context(), &assignmentv1.ListBouncingRulesRequest{SinceTime: timestamppb.New(begin), OwnerAgencyId: owner})
		var out []string
		for _, r := range resp.GetRules() {
			out = append(out, fmt.Sprintf("%s/%s %d of %d to %s: %s", r.GetVersion(), r.GetRule().GetRuleId(), r.GetBounces(), r.GetRouted(),
				r.GetMostlyShouldActId(), r.GetMostlyReasonCode()))
		}
		return out, err
	}
	finance, retail := "2026-1/finance 4 of 1 to lfa-44: not_our_sector", "2026-1/retail 1 of 0 to moe-44: not_our_sector"
	for _, tc := range []struct {
		who   *commonv1.Actor
		owner string
		want  []string
	}{
		{lead, "", []string{finance, retail}}, {lead, "samr", []string{retail}}, {lead, "miit", nil},
		{person("h", "nfra", accessv1.Role_ROLE_HEAD), "", []string{finance}}, {caseworker("c", "nfra-44"), "", []string{finance}},
		{caseworker("c", "samr-11"), "samr", []string{retail}},
	} {
		if got, err := rules(tc.who, tc.owner); err != nil || fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("rules of %q for %s: %q, %v, want %q", tc.owner, tc.who.GetAgencyId(), got, err, tc.want)
		}
	}
	_, err := rules(caseworker("c", "samr-11"), "nfra")
	refused(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	for _, count := range []int64{-1, math.MinInt64} { // no page ends so
		_, err := w.as(lead).ListBounceCounts(t.Context(), &assignmentv1.ListBounceCountsRequest{
			By: "agency", SinceTime: timestamppb.New(begin), PageToken: countToken(count, "x"),
		})
		refused(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
	}
}
