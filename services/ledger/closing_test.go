package ledger

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// proposesTheClosing brings a closing up to its signature, and tries every pair of people that is one person.
func (a *audited) proposesTheClosing(t *testing.T, propose *ledgerv1.ProposeClosingRequest, closing *ledgerv1.CloseNonConformingRequest) {
	t.Helper()
	person := func(role accessv1.Role, who string) context.Context { return as(t.Context(), role, "ca-31", who) }
	review := func(who string, approved bool, reason string) error {
		_, err := a.registrar.ReviewClosing(person(accessv1.Role_ROLE_REVIEWER, who), &ledgerv1.ReviewClosingRequest{
			RequestId: uuid.NewString(), ItemId: propose.GetItemId(), Approved: approved, Reason: reason,
		})
		return err
	}
	sign := func(who string) error {
		_, err := a.registrar.CloseNonConforming(person(accessv1.Role_ROLE_HEAD, who), closing)
		return err
	}
	wantReason(t, sign("head"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // nothing is proposed
	if _, err := a.registrar.ProposeClosing(person(accessv1.Role_ROLE_CASEWORKER, "worker"), propose); err != nil {
		t.Fatal(err)
	}
	wantReason(t, sign("head"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // nobody has reviewed it
	wantReason(t, review("worker", true, ""), commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	wantReason(t, review("reviewer", false, ""), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	if err := review("reviewer", false, "告知书未送达"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, sign("head"), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // it was returned
	again := proto.CloneOf(propose)
	again.RequestId = uuid.NewString()
	if _, err := a.registrar.ProposeClosing(person(accessv1.Role_ROLE_CASEWORKER, "worker"), again); err != nil {
		t.Fatal(err)
	}
	if err := review("reviewer", true, ""); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"worker", "reviewer", "inspector"} {
		wantReason(t, sign(who), commonv1.ErrorReason_ERROR_REASON_SAME_PERSON)
	}
}

// appealsTheClosing: the holder of a closed line sees the closing and appeals; upheld, the record says that it was wrong, and
// the line stays ended: it may be another's by now. What was found on it is closed with it.
func (a *audited) appealsTheClosing(t *testing.T, item *ledgerv1.CampaignItem) {
	t.Helper()
	resource := item.GetResource()
	found, err := a.worker.ListFindings(t.Context(), &ledgerv1.ListFindingsRequest{ResourceId: resource.GetResourceId()})
	if err != nil || len(found.GetFindings()) == 0 {
		t.Fatalf("findings: %v, %v", found, err)
	}
	for _, f := range found.GetFindings() {
		if f.GetState() == findingOpen || f.GetState() == findingConfirmed {
			t.Errorf("a finding of a closed line is %s", f.GetState())
		}
	}
	party := ledgerv1.NewLedgerServiceClient(a.dial(identity.Gateway, &commonv1.Actor{
		Subject: "holder", Party: resource.GetHolder().GetCreditCode(), Roles: []accessv1.Role{accessv1.Role_ROLE_PARTY},
	}))
	seen, err := party.ListRestrictions(t.Context(), &ledgerv1.ListRestrictionsRequest{})
	if err != nil || len(seen.GetRestrictions()) != 1 || seen.GetRestrictions()[0].GetEvent().GetEvent() != closed {
		t.Fatalf("the holder sees %v, %v", seen, err)
	}
	filed, err := party.AppealRestriction(t.Context(), &ledgerv1.AppealRestrictionRequest{
		RequestId: uuid.NewString(), EventId: seen.GetRestrictions()[0].GetEvent().GetEventId(), Statement: "已按期整改",
	})
	if err != nil {
		t.Fatal(err)
	}
	id := filed.GetAppeal().GetAppealId()
	if _, err := a.workflows.AdvanceAppeal(t.Context(), &ledgerv1.AdvanceAppealRequest{
		RequestId: uuid.NewString(), AppealId: id, State: appealReviewing, AgencyId: "ca-31", ExecutorAgencyId: "ctcc-31",
	}); err != nil {
		t.Fatal(err)
	}
	decided, err := a.workflows.DecideAppeal(t.Context(), &ledgerv1.DecideAppealRequest{
		RequestId: uuid.NewString(), AppealId: id, Upheld: true, TaskId: uuid.NewString(), ReasonCode: "no_ground", Reply: "关停不当",
	})
	if err != nil || decided.GetAppeal().GetState() != appealUpheld || decided.GetRestore() {
		t.Fatalf("decided: %v, %v", decided, err)
	}
	after, err := a.worker.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: resource.GetResourceId()})
	if err != nil || after.GetResource().GetState() != stateEnded {
		t.Errorf("after the appeal: %v, %v", after.GetResource(), err)
	}
	last := after.GetEvents()[len(after.GetEvents())-1]
	if last.GetEvent() != corrected || last.GetCorrectsEventId() != seen.GetRestrictions()[0].GetEvent().GetEventId() {
		t.Errorf("the record ends with %v", last)
	}
}
