package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// TestDrawingIsThatOfItsSeed: the sample depends on seed and population only, is of the size asked for, and one resource
// more or less moves at most one other.
func TestDrawingIsThatOfItsSeed(t *testing.T) {
	ids := func(d drawn) []string {
		out := []string{}
		for _, row := range d.items {
			out = append(out, row.ResourceID)
		}
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		population := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-9a-f]{8}`), 1, 60, rapid.ID[string]).Draw(t, "population")
		slices.Sort(population)
		seed, size := rapid.String().Draw(t, "seed"), rapid.IntRange(1, 30).Draw(t, "size")
		take := func(all []string, seed string) drawn {
			d := newDrawing(seed, size)
			for _, id := range all {
				d.add(store.ListPopulationRow{ResourceID: id})
			}
			return d.end(0)
		}
		first, again := take(population, seed), take(population, seed)
		if d := cmp.Diff(ids(first), ids(again)); d != "" || first.populationSum != again.populationSum || first.itemsSum != again.itemsSum {
			t.Fatalf("another sample: %s", d)
		}
		if len(first.items) != min(size, len(population)) || !slices.IsSorted(ids(first)) || first.population != int64(len(population)) {
			t.Fatalf("%d of %d: %v", size, len(population), ids(first))
		}
		without := take(population[1:], seed)
		left := slices.DeleteFunc(ids(first), func(id string) bool { return slices.Contains(ids(without), id) })
		if len(left) > 1 || without.populationSum == first.populationSum {
			t.Fatalf("one resource less moved %v", left)
		}
	})
}

func TestShareIsRoundedUp(t *testing.T) {
	for _, c := range []struct {
		population int64
		percent    int
		want       int
	}{{0, 10, 0}, {1, 1, 1}, {100, 1, 1}, {101, 1, 2}, {7, 100, 7}} {
		if got := shareOf(c.population, c.percent); got != c.want {
			t.Errorf("%d %% of %d: %d", c.percent, c.population, got)
		}
	}
}

// audited is a ledger with a clock, twelve lines of three holders and a campaign over all of them.
type audited struct {
	*world
	clock    atomic.Int64
	campaign *ledgerv1.Campaign
}

func (a *audited) now() time.Time { return time.Unix(0, a.clock.Add(int64(time.Microsecond))) }

func newAudited(t *testing.T, change func(*ledgerv1.OpenCampaignRequest)) *audited {
	t.Helper()
	a := &audited{}
	a.clock.Store(time.Now().UnixNano())
	a.world = newWorldAt(t, a.now)
	rows := []string{loadHead}
	for i := range 12 {
		sector := []string{"insurance", "education", "real_estate"}[i%3]
		operator := []string{"cmcc-11", "ctcc-31"}[i%2]
		row := line(fmt.Sprintf("4008000%03d", i), "静线样例"+sector, fmt.Sprintf("91000000DEMNDEMN%02d", i%3+1), operator)
		row = strings.Replace(row, ",retail,", ","+sector+",", 1)
		rows = append(rows, strings.Replace(row, ",11,", map[string]string{"cmcc-11": ",11,", "ctcc-31": ",31,"}[operator], 1))
	}
	ministry := as(t.Context(), accessv1.Role_ROLE_REGISTRAR, "miit", "registrar")
	l := a.loaded(ministry, t, strings.Join(rows, "\n"), "", a.now().AddDate(-1, 0, 0))
	if _, err := a.apply(ministry, l, false); err != nil {
		t.Fatalf("%v\n%s", err, a.report(t.Context(), t, l))
	}
	a.campaign = a.open(t, change)
	return a
}

func (a *audited) open(t *testing.T, change func(*ledgerv1.OpenCampaignRequest)) *ledgerv1.Campaign {
	t.Helper()
	req := &ledgerv1.OpenCampaignRequest{
		RequestId: uuid.NewString(), Name: "语音专线清查", Basis: "综合整治骚扰电话专项行动方案 一(一)", SampleSize: 100, Seed: "2026-11",
	}
	if change != nil {
		change(req)
	}
	resp, err := a.registrar.OpenCampaign(as(t.Context(), accessv1.Role_ROLE_REGISTRAR, "miit", "lead"), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetCampaign()
}

func (a *audited) items(t *testing.T, change func(*ledgerv1.ListCampaignItemsRequest)) []*ledgerv1.CampaignItem {
	t.Helper()
	req := &ledgerv1.ListCampaignItemsRequest{CampaignId: a.campaign.GetCampaignId(), PageSize: 5}
	if change != nil {
		change(req)
	}
	var all []*ledgerv1.CampaignItem
	for {
		resp, err := a.worker.ListCampaignItems(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp.GetItems()...)
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return all
		}
	}
}

func TestSampleOfThePopulationAsItWasKnown(t *testing.T) {
	a := newAudited(t, func(r *ledgerv1.OpenCampaignRequest) { r.SampleSize = 4 })
	first := a.campaign
	if first.GetPopulationCount() != 12 || first.GetSampleCount() != 4 || len(a.items(t, nil)) != 4 {
		t.Fatalf("%v", first)
	}
	// the ledger goes on: one line ends, one is new
	if _, err := a.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.FirstNumber = a.holder(t, "新", "91000000DEMNDEMN99").GetHolderId(), "4008009999"
	}); err != nil {
		t.Fatal(err)
	}
	ended := a.items(t, nil)[0]
	if _, err := a.registrar.EndAllocation(t.Context(), &ledgerv1.EndAllocationRequest{
		RequestId: uuid.NewString(), ResourceId: ended.GetResource().GetResourceId(), Reason: "拆机", EndTime: timestamppb.New(a.now().AddDate(0, -6, 0)),
	}); err != nil {
		t.Fatal(err)
	}
	then := a.open(t, func(r *ledgerv1.OpenCampaignRequest) {
		r.SampleSize, r.AsOf, r.KnownAt = 4, first.GetAsOf(), first.GetKnownAt()
	})
	if then.GetSampleSha256() != first.GetSampleSha256() || then.GetPopulationSha256() != first.GetPopulationSha256() {
		t.Errorf("the same seed over the same time drew another sample: %v, %v", first, then)
	}
	today := a.open(t, func(r *ledgerv1.OpenCampaignRequest) { r.SampleSize = 4 })
	if today.GetPopulationSha256() == first.GetPopulationSha256() || today.GetPopulationCount() != 12 {
		t.Errorf("today's population is that of then: %v", today)
	}
	if other := a.open(t, func(r *ledgerv1.OpenCampaignRequest) {
		r.SampleSize, r.Seed, r.AsOf, r.KnownAt = 4, "another", first.GetAsOf(), first.GetKnownAt()
	}); other.GetSampleSha256() == first.GetSampleSha256() {
		t.Error("another seed drew the same sample")
	}
	got, err := a.registrar.GetCampaign(t.Context(), &ledgerv1.GetCampaignRequest{CampaignId: first.GetCampaignId(), DrawAgain: true})
	if err != nil || !got.GetSameSample() {
		t.Errorf("drawn again: %v %v", got, err)
	}
	_, err = a.registrar.OpenCampaign(t.Context(), &ledgerv1.OpenCampaignRequest{
		RequestId: uuid.NewString(), Name: "x", Basis: "x", SampleSize: 1, KnownAt: timestamppb.New(time.Now().Add(time.Hour)),
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	noViolations(t, a.world)
}

func TestPopulations(t *testing.T) {
	a := newAudited(t, nil)
	for name, c := range map[string]struct {
		p    *ledgerv1.Population
		want int64
	}{
		"all":        {nil, 12},
		"priority":   {&ledgerv1.Population{Priority: true}, 8},
		"sector":     {&ledgerv1.Population{Sectors: []string{"education"}}, 4},
		"operator":   {&ledgerv1.Population{AccessOperatorIds: []string{"ctcc"}}, 6},
		"province":   {&ledgerv1.Population{Provinces: []string{"31"}, Sectors: []string{"insurance"}}, 2},
		"kind":       {&ledgerv1.Population{Kinds: []string{"code400"}}, 12},
		"other kind": {&ledgerv1.Population{Kinds: []string{"landline"}}, 0},
		"purpose":    {&ledgerv1.Population{Purposes: []string{"inbound"}}, 0},
	} {
		if got := a.open(t, func(r *ledgerv1.OpenCampaignRequest) { r.Population, r.SampleSize, r.SamplePercent = c.p, 0, 50 }); got.GetPopulationCount() != c.want || got.GetSampleCount() != (c.want+1)/2 {
			t.Errorf("%s: %d of %d", name, got.GetSampleCount(), got.GetPopulationCount())
		}
	}
}

// selfInspect sends a return that says the same of each item.
func (a *audited) selfInspect(ctx context.Context, t *testing.T, items []*ledgerv1.CampaignItem, result string) (*ledgerv1.SubmitSelfInspectionResponse, error) {
	t.Helper()
	req := &ledgerv1.SubmitSelfInspectionRequest{
		RequestId: uuid.NewString(), CampaignId: a.campaign.GetCampaignId(), Statement: "已逐条自查", SignedBy: "甲",
	}
	for _, i := range items {
		req.Declarations = append(req.Declarations, &ledgerv1.Declaration{ItemId: i.GetItemId(), Result: result, Text: "自查"})
	}
	return a.registrar.SubmitSelfInspection(ctx, req)
}

// TestACampaignFromOpeningToClosing goes through all of it: returns, inspections, findings, terms, a line that is closed.
func TestACampaignFromOpeningToClosing(t *testing.T) {
	a := newAudited(t, nil)
	ctx := t.Context()
	if c := a.campaign.GetReturnClock(); c.GetProof() == "" || c.GetBasis() != returnBasis || a.campaign.GetInspectionClock().GetStatutoryDue() <= c.GetStatutoryDue() {
		t.Errorf("clocks: %v", a.campaign)
	}
	firm, operator := holderOf(ctx, "91000000DEMNDEMN01"), as(ctx, accessv1.Role_ROLE_OPERATOR, "ctcc-31", "line-desk")
	own, err := a.registrar.ListCampaignItems(firm, &ledgerv1.ListCampaignItemsRequest{CampaignId: a.campaign.GetCampaignId()})
	if err != nil || len(own.GetItems()) != 4 {
		t.Fatalf("the holder sees %v, %v", own, err)
	}
	lines, err := a.registrar.ListCampaignItems(operator, &ledgerv1.ListCampaignItemsRequest{CampaignId: a.campaign.GetCampaignId()})
	if err != nil || len(lines.GetItems()) != 6 {
		t.Fatalf("the operator sees %v, %v", lines, err)
	}

	// returns: each for what is its own
	_, err = a.selfInspect(firm, t, own.GetItems(), "conforming")
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.selfInspect(holderOf(ctx, "91000000DEMNDEMN02"), t, own.GetItems()[:1], "conforming")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = a.selfInspect(operator, t, own.GetItems(), "conforming") // not all of them are its lines
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	if _, err = a.selfInspect(operator, t, lines.GetItems(), "to_rectify"); err != nil {
		t.Fatal(err)
	}

	// inspections: by the administration of the place
	bad := lines.GetItems()[0]
	inspector, head := as(ctx, accessv1.Role_ROLE_CASEWORKER, "ca-31", "inspector"), as(ctx, accessv1.Role_ROLE_HEAD, "ca-31", "head")
	inspect := &ledgerv1.RecordInspectionRequest{RequestId: uuid.NewString(), ItemId: bad.GetItemId(), Note: "现场核查", Findings: []*ledgerv1.Observation{
		{Kind: "purpose_differs", Observed: "营销外呼"}, {Kind: "caller_not_permitted", Observed: "95012345"},
	}}
	_, err = a.registrar.RecordInspection(as(ctx, accessv1.Role_ROLE_CASEWORKER, "ca-11", "inspector"), inspect)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	for range 2 { // once, and answered again
		resp, err := a.registrar.RecordInspection(inspector, inspect)
		if err != nil || resp.GetItem().GetState() != itemFound || len(resp.GetItem().GetFindings()) != 2 {
			t.Fatalf("%v %v", resp, err)
		}
		bad = resp.GetItem()
	}
	if f := bad.GetFindings()[0]; f.GetClock().GetProof() == "" || f.GetFinding().GetDueTime().AsTime().Before(a.now()) || f.GetFinding().GetDeclared() == "" {
		t.Errorf("finding %v", f)
	}
	good := lines.GetItems()[1]
	if resp, err := a.registrar.RecordInspection(inspector, &ledgerv1.RecordInspectionRequest{RequestId: uuid.NewString(), ItemId: good.GetItemId()}); err != nil || resp.GetItem().GetState() != itemConforming {
		t.Fatalf("%v %v", resp, err)
	}

	// closing: not before the term is over, by three people, none of whom inspected it at the end, not what is put right
	propose := &ledgerv1.ProposeClosingRequest{
		RequestId: uuid.NewString(), ItemId: bad.GetItemId(), Basis: "综合整治骚扰电话专项行动方案 一(一)", PriorNotice: "2026-11-01 告知书", Remedy: "60 日内可申请行政复议",
	}
	_, err = a.registrar.ProposeClosing(inspector, propose)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	a.clock.Add(int64(80 * 24 * time.Hour))
	if late := a.items(t, func(r *ledgerv1.ListCampaignItemsRequest) { r.Overdue = true }); len(late) != 11 { // all but the conforming one
		t.Errorf("%d overdue", len(late))
	}
	closing := &ledgerv1.CloseNonConformingRequest{RequestId: uuid.NewString(), ItemId: bad.GetItemId()}
	a.proposesTheClosing(t, propose, closing)
	_, err = a.registrar.ProposeClosing(inspector, &ledgerv1.ProposeClosingRequest{RequestId: uuid.NewString(), ItemId: good.GetItemId(), Basis: "x", PriorNotice: "x", Remedy: "x"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	rectify := bad.GetFindings()[0].GetFinding().GetFindingId()
	if resp, err := a.registrar.RectifyFinding(inspector, &ledgerv1.RectifyFindingRequest{RequestId: uuid.NewString(), FindingId: rectify, Reason: "已恢复登记用途"}); err != nil || resp.GetItem().GetState() != itemFound {
		t.Fatalf("%v %v", resp, err)
	}
	closedItem, err := a.registrar.CloseNonConforming(head, closing)
	if err != nil || closedItem.GetItem().GetState() != itemClosed {
		t.Fatalf("%v %v", closedItem, err)
	}
	if got := a.held(ctx, t, bad.GetResource().GetFirstNumber()); got != "nobody" {
		t.Errorf("the closed line is still held: %s", got)
	}
	before, err := a.worker.WhoHeld(ctx, &ledgerv1.WhoHeldRequest{Number: bad.GetResource().GetFirstNumber(), At: a.campaign.GetAsOf()})
	if err != nil || before.GetResource().GetState() != stateActive {
		t.Errorf("before it was closed: %v %v", before, err)
	}
	resource, err := a.worker.GetResource(ctx, &ledgerv1.GetResourceRequest{ResourceId: bad.GetResource().GetResourceId()})
	if err != nil || resource.GetResource().GetState() != stateEnded {
		t.Fatalf("%v %v", resource, err)
	}
	if e := resource.GetEvents()[1]; e.GetEvent() != closed || e.GetNature() != byLaw || e.GetRemedy() == "" || e.GetPriorNotice() == "" || e.GetDoneBy() != "head@ca-31" {
		t.Errorf("closing: %v", e)
	}
	a.appealsTheClosing(t, bad)

	got, err := a.registrar.GetCampaign(ctx, &ledgerv1.GetCampaignRequest{CampaignId: a.campaign.GetCampaignId()})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got.GetProgress() {
		if p.GetAgencyId() == "ca-31" {
			want := &ledgerv1.CampaignProgress{AgencyId: "ca-31", Sampled: 6, Returned: 6, Inspected: 2, Conforming: 1, Findings: 2, Rectified: 1, Closed: 1, Overdue: 4}
			if p.String() != want.String() {
				t.Errorf("%v", p)
			}
		}
	}
	end := &ledgerv1.CloseCampaignRequest{RequestId: uuid.NewString(), CampaignId: a.campaign.GetCampaignId(), Conclusion: "抽查 12 条, 关停 1 条"}
	_, err = a.registrar.CloseCampaign(ctx, end) // ca-11 did not open it
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	if resp, err := a.registrar.CloseCampaign(as(ctx, accessv1.Role_ROLE_LEAD, "miit", "lead"), end); err != nil || resp.GetCampaign().GetState() != campaignClosed {
		t.Errorf("%v %v", resp, err)
	}
	_, err = a.selfInspect(firm, t, own.GetItems(), "rectified")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	noViolations(t, a.world)
}
