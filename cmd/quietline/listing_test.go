package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// listedCode is a licensee that no other test names.
const listedCode = "91000000DEMPDEMP8X"

// licensee enters a firm with a licence of telecom business.
func (m *testMesh) licensee(t *testing.T, code, number string) {
	t.Helper()
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@ca-44"))
	h, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: "静线样例辛通信有限公司", CreditCode: code, Licence: number, Sector: "telecom"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ledger.RecordLicence(t.Context(), &ledgerv1.RecordLicenceRequest{RequestId: uuid.NewString(), Licence: &ledgerv1.Licence{
		HolderId: h.GetHolder().GetHolderId(), Number: number, Kinds: []string{"B24"}, Provinces: []string{"44"}, Document: "样例许可证",
		ValidFrom: timestamppb.New(time.Now().AddDate(-1, 0, 0)),
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *testMesh) proposeListing(t *testing.T, code, licence string) *creditv1.Listing {
	t.Helper()
	resp, err := creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@ca-44")).ProposeListing(t.Context(), &creditv1.ProposeListingRequest{
		RequestId: uuid.NewString(), List: "bad", Ground: "annual_report_default", PartyName: "静线样例辛通信有限公司", CreditCode: code,
		Licence: licence, GroundTime: timestamppb.New(time.Now().AddDate(0, 0, -1)), Statement: "逾期未报送年报,责令限期改正后仍未报送",
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetListing()
}

// TestMesh_listing lists a licensee for a missing annual report, three people deciding and the party heard; another agency
// follows the lists and punishes; the party performs its duty and is repaired by a fourth person, and the measure is lifted.
func TestMesh_listing(t *testing.T) {
	m := theMesh(t)
	m.licensee(t, listedCode, "B2-44-LIST")
	id := m.proposeListing(t, listedCode, "B2-44-LIST").GetListingId()
	m.forecasts(t, "CASEWORKER@ca-44", id)
	party := creditv1.NewCreditServiceClient(m.as(t, "PARTY@"+listedCode))
	other := creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@samr-44"))
	state := func() *creditv1.Listing {
		resp, err := creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@ca-44")).GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetListing()
	}
	m.decideUntil(t, id, map[string]string{"listing_review": "approved", "listing_notify": "served", "listing_sign": "signed"},
		func() (bool, error) { return state().GetState() == "LISTED", nil })
	if by := state().GetDecidedBy(); len(by) != 3 {
		t.Errorf("decided by %v", by)
	}
	check, err := other.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: listedCode})
	if err != nil || !check.GetFocusedSupervision() || len(check.GetListings()) != 1 {
		t.Fatalf("%v, %v", check, err)
	}
	access, err := creditv1.NewCreditServiceClient(m.as(t, "OPERATOR@cmcc")).CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: listedCode})
	if err != nil || len(access.GetListings()) != 1 || access.GetListings()[0].GetGround() == "" || access.GetListings()[0].GetPartyName() != "" {
		t.Errorf("who gives access learns %v, %v", access, err) // it stands, and what for; its class is not published
	}
	m.followsTo(t, other, id, "LISTED")
	measure, err := other.RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
		RequestId: uuid.NewString(), ListingId: id, Measure: "列为重点检查对象", Basis: "市场监督管理规定(样例)",
	})
	if err != nil {
		t.Fatal(err)
	}
	m.repaired(t, party, id)
	m.followsTo(t, other, id, "REMOVED")
	view, err := party.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id})
	if err != nil || len(view.GetMeasures()) != 1 || view.GetMeasures()[0].GetMeasureId() != measure.GetMeasure().GetMeasureId() ||
		view.GetMeasures()[0].GetLiftTime() == nil {
		t.Errorf("%v, %v", view, err)
	}
	if _, err := other.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: listedCode}); err != nil {
		t.Error(err)
	}
}

// forecasts: the 30 days of an entry are forecast for the agency that lists, and for nobody else.
func (m *testMesh) forecasts(t *testing.T, account, id string) {
	t.Helper()
	for who, want := range map[string]bool{account: true, "CASEWORKER@ca-31": false} {
		f, err := creditv1.NewCreditServiceClient(m.as(t, who)).ForecastTerms(t.Context(), &creditv1.ForecastTermsRequest{Days: 60, PageSize: 500})
		if err != nil {
			t.Fatal(err)
		}
		if has := slices.ContainsFunc(f.GetTerms(), func(r *commonv1.RunningTerm) bool { return r.GetKind() == "entry" && r.GetId() == id }); has != want {
			t.Errorf("the forecast of %s: %v", who, f)
		}
	}
}

// repaired has the party apply and a person who had no part decide; the measure of the other agency is lifted with it.
func (m *testMesh) repaired(t *testing.T, party creditv1.CreditServiceClient, id string) {
	t.Helper()
	r, err := party.ApplyForRepair(t.Context(), &creditv1.ApplyForRepairRequest{
		RequestId: uuid.NewString(), ListingId: id, Commitment: "承诺按时报送年报",
		Proofs: []*creditv1.RepairProof{{Name: "年报回执", Sha256: fmt.Sprintf("%064x", 1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := m.decideUntil(t, r.GetRepair().GetRepairId(), map[string]string{"repair_review": "granted", "lift_measure": "lifted"},
		func() (bool, error) {
			live, err := party.ListJointMeasures(t.Context(), &creditv1.ListJointMeasuresRequest{ListingId: id, Live: true})
			got, err2 := party.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: id})
			if err == nil {
				err = err2
			}
			return got.GetListing().GetState() == "REMOVED" && len(live.GetMeasures()) == 0, err
		})
	if all := strings.Join(steps, " "); !strings.Contains(all, "repair_review@ca-44") || !strings.Contains(all, "lift_measure@samr-44") {
		t.Errorf("steps: %s", all)
	}
}

// followsTo follows the feed from its beginning until an entry is in a state.
func (m *testMesh) followsTo(t *testing.T, service creditv1.CreditServiceClient, id, state string) {
	t.Helper()
	cursor := ""
	await(t, "the change "+state, time.Minute, func() (bool, error) {
		resp, err := service.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{AfterCursor: cursor, MaxWait: durationpb.New(time.Second)})
		cursor = resp.GetNextCursor()
		for _, c := range resp.GetChanges() {
			if c.GetListingId() == id && c.GetState() == state {
				_, err := service.AckListingChanges(t.Context(), &creditv1.AckListingChangesRequest{RequestId: uuid.NewString(), Cursor: c.GetCursor()})
				return true, err
			}
		}
		return false, err
	})
}

// TestMesh_listingRefusals: who has no licence is on no telecom list, another ministry does not list there, and nobody lists
// a firm by a call of its own.
func TestMesh_listingRefusals(t *testing.T) {
	m := theMesh(t)
	const unlicensed = "91000000DEMQDEMQ7W"
	_, err := creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@ca-44")).ProposeListing(t.Context(), &creditv1.ProposeListingRequest{
		RequestId: uuid.NewString(), List: "bad", Ground: "annual_report_default", PartyName: "x", CreditCode: unlicensed, Licence: "B2-MADE-UP",
		GroundTime: timestamppb.New(time.Now().AddDate(0, 0, -1)), Statement: "x",
	})
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) || !strings.Contains(errs.Text(err), "第四十二条") {
		t.Errorf("without a licence: %v", err)
	}
	_, err = creditv1.NewCreditServiceClient(m.as(t, "CASEWORKER@samr-44")).ProposeListing(t.Context(), &creditv1.ProposeListingRequest{
		RequestId: uuid.NewString(), List: "bad", Ground: "annual_report_default", PartyName: "x", CreditCode: unlicensed, Licence: "x",
		GroundTime: timestamppb.New(time.Now().AddDate(0, 0, -1)), Statement: "x",
	})
	if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) || !strings.Contains(errs.Text(err), "第三十七条") {
		t.Errorf("another ministry: %v", err)
	}
	_, err = creditv1.NewCreditServiceClient(m.as(t, "HEAD@ca-44")).ListParty(t.Context(), &creditv1.ListPartyRequest{
		RequestId: uuid.NewString(), List: "bad", PartyName: "x", CreditCode: unlicensed, Licence: "x", Ground: "supervision_penalty",
		CaseId: uuid.NewString(), DecidedTime: timestamppb.Now(), AgencyId: "ca-44",
	})
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("a head alone: %v", err)
	}
}
