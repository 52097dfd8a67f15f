package credit

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "quietline/proto/quietline/access/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

const (
	worker   = accessv1.Role_ROLE_CASEWORKER
	reviewer = accessv1.Role_ROLE_REVIEWER
	lead     = accessv1.Role_ROLE_LEAD
	party    = accessv1.Role_ROLE_PARTY
)

// propose proposes a missing annual report as an officer.
func (w *world) propose(t *testing.T, subject, agency, code string) (*creditv1.Listing, error) {
	t.Helper()
	resp, err := w.as(subject, agency, "", worker).ProposeListing(t.Context(), &creditv1.ProposeListingRequest{
		RequestId: uuid.NewString(), List: "bad", Ground: "annual_report_default", PartyName: "甲公司", CreditCode: code, Licence: "B2-20260001",
		GroundTime: timestamppb.New(at("2026-04-20 00:00")), Statement: "逾期未报送年报",
	})
	return resp.GetListing(), err
}

// notify tells the party of a proposal; it may speak for five days.
func (w *world) notify(t *testing.T, id string) error {
	t.Helper()
	now := *w.clock.Load()
	_, err := w.flows.AdvanceListing(t.Context(), &creditv1.AdvanceListingRequest{
		RequestId: uuid.NewString(), ListingId: id, State: notified, TaskId: uuid.NewString(), NoticeTime: timestamppb.New(now),
		ObjectionUntil: timestamppb.New(now.AddDate(0, 0, 5)),
	})
	return err
}

func (w *world) sign(t *testing.T, id, reviewedBy, signedBy string) error {
	t.Helper()
	_, err := w.flows.AdvanceListing(t.Context(), &creditv1.AdvanceListingRequest{
		RequestId: uuid.NewString(), ListingId: id, State: listed, TaskId: uuid.NewString(), ReviewedBy: reviewedBy, SignedBy: signedBy,
		DecidedTime: timestamppb.New(*w.clock.Load()),
	})
	return err
}

func (w *world) apply(t *testing.T, c creditv1.CreditServiceClient, id string) (*creditv1.Repair, error) {
	t.Helper()
	resp, err := c.ApplyForRepair(t.Context(), &creditv1.ApplyForRepairRequest{
		RequestId: uuid.NewString(), ListingId: id, Commitment: "承诺依法经营",
		Proofs: []*creditv1.RepairProof{{Name: "缴款凭证", Sha256: fmt.Sprintf("%064x", 7)}},
	})
	return resp.GetRepair(), err
}

func (w *world) decideRepair(t *testing.T, id, by string, grant bool) (*creditv1.Repair, error) {
	t.Helper()
	resp, err := w.flows.DecideRepair(t.Context(), &creditv1.DecideRepairRequest{
		RequestId: uuid.NewString(), RepairId: id, Granted: grant, TaskId: uuid.NewString(), DecidedBy: by, ReasonCode: "performed", Reply: "准予",
	})
	return resp.GetRepair(), err
}

func (w *world) state(t *testing.T, id string) string {
	t.Helper()
	resp, err := w.flows.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetListing().GetState()
}

func (w *world) violations(t *testing.T) []string {
	t.Helper()
	resp, err := w.au.Audit(t.Context(), &creditv1.AuditRequest{What: "violations"})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetViolations()
}

func (w *world) changes(t *testing.T, after string) []string {
	t.Helper()
	resp, err := w.head.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{AfterCursor: after})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range resp.GetChanges() {
		out = append(out, c.GetList()+" "+c.GetState())
	}
	return out
}
