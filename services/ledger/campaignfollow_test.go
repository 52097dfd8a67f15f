package ledger

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestFindingsAreFollowed: what an inspection finds waits for a workflow until one follows it, and what that has confirmed by
// the inspector is put right.
func TestFindingsAreFollowed(t *testing.T) {
	a := newAudited(t, nil)
	item := a.items(t, nil)[0]
	by := func(role accessv1.Role) context.Context {
		return as(t.Context(), role, item.GetInspectorAgencyId(), "inspector")
	}
	waiting := func() []string {
		t.Helper()
		resp, err := a.workflows.ListUnstartedMatters(t.Context(), &ledgerv1.ListUnstartedMattersRequest{Kind: kindRectification})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetIds()
	}
	if got := waiting(); len(got) != 0 {
		t.Errorf("before an inspection: %v", got)
	}
	found, err := a.registrar.RecordInspection(by(accessv1.Role_ROLE_REGISTRAR), &ledgerv1.RecordInspectionRequest{
		RequestId: uuid.NewString(), ItemId: item.GetItemId(), Findings: []*ledgerv1.Observation{{Kind: "purpose_differs", Observed: "营销外呼"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := waiting(); len(got) != 1 || got[0] != item.GetItemId() {
		t.Errorf("after it: %v", got)
	}
	follow := func() *ledgerv1.CampaignItem {
		t.Helper()
		resp, err := a.workflows.FollowRectification(t.Context(), &ledgerv1.FollowRectificationRequest{RequestId: uuid.NewString(), ItemId: item.GetItemId()})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetItem()
	}
	if i := follow(); i.GetState() != itemFound || i.GetFindings()[0].GetFinding().GetDueTime() == nil || len(waiting()) != 0 {
		t.Errorf("followed: %v, waiting %v", i, waiting())
	}
	rectify := &ledgerv1.RectifyFindingRequest{
		RequestId: uuid.NewString(), FindingId: found.GetItem().GetFindings()[0].GetFinding().GetFindingId(), Reason: "整改验收合格",
	}
	dial := func(agency string) ledgerv1.LedgerServiceClient {
		return ledgerv1.NewLedgerServiceClient(a.dial(identity.Workflows, &commonv1.Actor{
			Subject: "inspector", AgencyId: agency, Roles: []accessv1.Role{accessv1.Role_ROLE_CASEWORKER},
		}))
	}
	_, err = dial("ca-65").RectifyFinding(t.Context(), rectify)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	if _, err := dial(item.GetInspectorAgencyId()).RectifyFinding(t.Context(), rectify); err != nil {
		t.Fatal(err)
	}
	if i := follow(); i.GetState() != "RECTIFIED" {
		t.Errorf("put right: %v", i)
	}
	noViolations(t, a.world)
}
