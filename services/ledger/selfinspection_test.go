package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"

	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestWhoSpeaksForALine: its holder first, then its operator and that one's head office, never a branch below.
func TestWhoSpeaksForALine(t *testing.T) {
	a := newAudited(t, nil)
	ctx := t.Context()
	firm := holderOf(ctx, "91000000DEMNDEMN01")
	mine := func() *ledgerv1.CampaignItem {
		own, err := a.registrar.ListCampaignItems(firm, &ledgerv1.ListCampaignItemsRequest{CampaignId: a.campaign.GetCampaignId()})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range own.GetItems() {
			if i.GetResource().GetAccessOperatorId() == "ctcc-31" {
				return i
			}
		}
		t.Fatal("no line of ctcc-31")
		return nil
	}
	item := []*ledgerv1.CampaignItem{mine()}
	declare := func(agency, result, want string) {
		t.Helper()
		if _, err := a.selfInspect(as(ctx, accessv1.Role_ROLE_OPERATOR, agency, "desk"), t, item, result); err != nil {
			t.Fatal(err)
		}
		if got := mine().GetDeclaration(); got != want {
			t.Errorf("after %s declared %s: %s", agency, result, got)
		}
	}
	for _, agency := range []string{"ctcc-31-01", "ctcc-44"} {
		_, err := a.selfInspect(as(ctx, accessv1.Role_ROLE_OPERATOR, agency, "desk"), t, item, "rectified")
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	declare("ctcc", "conforming", "conforming")
	declare("ctcc-31", "rectified", "rectified")
	if _, err := a.selfInspect(firm, t, item, "to_rectify"); err != nil || mine().GetDeclaration() != "to_rectify" {
		t.Errorf("the holder: %v, %v", mine(), err)
	}
	declare("ctcc-31", "conforming", "to_rectify")
	noViolations(t, a.world)
}

// TestFoundOnALineGivenBack: what was found on a line that nobody has any more is over, neither overdue nor to be closed.
func TestFoundOnALineGivenBack(t *testing.T) {
	a := newAudited(t, nil)
	ctx := t.Context()
	item := a.items(t, nil)[0]
	agency := item.GetInspectorAgencyId()
	if _, err := a.registrar.RecordInspection(as(ctx, accessv1.Role_ROLE_CASEWORKER, agency, "inspector"), &ledgerv1.RecordInspectionRequest{
		RequestId: uuid.NewString(), ItemId: item.GetItemId(), Findings: []*ledgerv1.Observation{{Kind: "purpose_differs", Observed: "营销外呼"}},
	}); err != nil {
		t.Fatal(err)
	}
	a.clock.Add(int64(80 * 24 * time.Hour))
	late := func() int {
		c, err := a.registrar.GetCampaign(as(ctx, accessv1.Role_ROLE_HEAD, agency, "head"), &ledgerv1.GetCampaignRequest{CampaignId: a.campaign.GetCampaignId()})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range c.GetProgress() {
			n += int(p.GetOverdue())
		}
		return n
	}
	if _, err := a.selfInspect(as(ctx, accessv1.Role_ROLE_OPERATOR, item.GetResource().GetAccessOperatorId(), "desk"), t, []*ledgerv1.CampaignItem{item}, "to_rectify"); err != nil {
		t.Fatal(err)
	}
	before := late()
	if _, err := a.registrar.EndAllocation(ctx, &ledgerv1.EndAllocationRequest{
		RequestId: uuid.NewString(), ResourceId: item.GetResource().GetResourceId(), Reason: "退回",
	}); err != nil {
		t.Fatal(err)
	}
	if got := late(); got != before-1 {
		t.Errorf("%d overdue, and %d after one was given back", before, got)
	}
	over := a.items(t, func(r *ledgerv1.ListCampaignItemsRequest) { r.State = "ENDED" })
	if len(over) != 1 || over[0].GetItemId() != item.GetItemId() || len(over[0].GetOverdue()) > 0 {
		t.Errorf("over: %v", over)
	}
	noViolations(t, a.world)
}
