package credit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/testing/protocmp"

	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
)

// An operator who allocates learns that an entry stands and its ground; who it is of, who listed and what else there is to
// read comes with the publication, and a credit record never.
func TestOperatorLearnsWhatItNeeds(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, func(r *creditv1.ListPartyRequest) {
		r.Ground, r.List, r.Penalties, r.Outcome = "", "", []*creditv1.Penalty{{Kind: "fine", Amount: &commonv1.Money{Fen: 100}}}, "罚款一元"
	})
	if err != nil {
		t.Fatal(err)
	}
	w.record(t, uuid.NewString())
	check := func() *creditv1.CheckPartyResponse {
		t.Helper()
		resp, err := w.operator.CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: firm})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	want := &creditv1.CheckPartyResponse{FocusedSupervision: true, Listings: []*creditv1.Listing{{
		ListingId: l.GetListingId(), List: badList, Ground: l.GetGround(), GroundName: l.GetGroundName(), Severity: "general", State: listed,
	}}}
	if diff := cmp.Diff(want, check(), protocmp.Transform()); diff != "" {
		t.Errorf("before it is public: %s", diff)
	}
	resp, err := creditv1.NewCreditServiceClient(w.dial(identity.Ledger, nil)).CheckParty(t.Context(), &creditv1.CheckPartyRequest{CreditCode: firm})
	if diff := cmp.Diff(want, resp, protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("the ledger learns more than an operator: %v %s", err, diff)
	}
	if got := w.listedFor(t); len(got) != 0 {
		t.Errorf("an operator lists %v", got)
	}
	statistician := w.as("x", "cmcc", "", accessv1.Role_ROLE_STATISTICIAN)
	for c, want := range map[creditv1.CreditServiceClient]int{w.operator: 0, statistician: 0, w.at: 1} {
		quarter, err := c.ListQuarter(t.Context(), &creditv1.ListQuarterRequest{Year: 2026, Quarter: 2, List: badList})
		if err != nil || len(quarter.GetRows()) != want {
			t.Errorf("of a quarter that is not over: %v, %v", quarter, err)
		}
	}
	w.set(at("2026-07-01 09:00")) // the quarter is published
	got := w.listedFor(t)
	if len(got) != 1 || got[0].GetPartyName() == "" || got[0].GetLicence() == "" || got[0].GetAgencyId() != "ca-11" ||
		got[0].GetCaseId()+got[0].GetOutcome()+got[0].GetProof() != "" || len(got[0].GetDecidedBy()) != 0 {
		t.Errorf("public: %v", got)
	}
	if _, err := w.head.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{RequestId: uuid.NewString(), ListingId: l.GetListingId(), Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := check(); len(got.GetListings())+len(w.listedFor(t)) != 0 {
		t.Errorf("what has ended is used still: %v", got)
	}
	_, err = w.operator.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: l.GetListingId()})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

func (w *world) listedFor(t *testing.T) []*creditv1.Listing {
	t.Helper()
	var out []*creditv1.Listing
	for _, list := range []string{"", creditRecord} {
		resp, err := w.operator.ListListings(t.Context(), &creditv1.ListListingsRequest{List: list})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, resp.GetListings()...)
	}
	return out
}

// An operator reads of joint punishment what it does itself.
func TestOperatorReadsItsOwnMeasures(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []creditv1.CreditServiceClient{w.operator, w.as("x", "samr-11", "", worker)} {
		if _, err := by.RecordJointMeasure(t.Context(), &creditv1.RecordJointMeasureRequest{
			RequestId: uuid.NewString(), ListingId: l.GetListingId(), Measure: "限制新增资源", Basis: "通知",
		}); err != nil {
			t.Fatal(err)
		}
	}
	own, err := w.operator.ListJointMeasures(t.Context(), &creditv1.ListJointMeasuresRequest{AgencyId: "samr-11"})
	if err != nil || len(own.GetMeasures()) != 1 || own.GetMeasures()[0].GetAgencyId() != "cmcc-11" {
		t.Errorf("%v, %v", own, err)
	}
	all, err := w.at.ListJointMeasures(t.Context(), &creditv1.ListJointMeasuresRequest{})
	if err != nil || len(all.GetMeasures()) != 2 {
		t.Errorf("%v, %v", all, err)
	}
}

// Who reads the feed and never acknowledges is named all the same, with how far it has read and when.
func TestFeed_whoNeverAcknowledges(t *testing.T) {
	w := newWorld(t)
	silent := w.as("sys", "cmcc", "", accessv1.Role_ROLE_OPERATOR)
	for range 3 {
		if _, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() }); err != nil {
			t.Fatal(err)
		}
	}
	read := func(after string) string {
		resp, err := silent.ListListingChanges(t.Context(), &creditv1.ListListingChangesRequest{AfterCursor: after, PageSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetChanges() {
			if c.GetCreditCode() != firm || c.GetPartyName()+c.GetLicence() != "" {
				t.Errorf("an operator hears %v", c)
			}
		}
		return resp.GetNextCursor()
	}
	for _, want := range []int32{3, 1} {
		next := ""
		if want == 1 {
			next = read("")
		}
		read(next)
		all, err := w.au.ListSubscribers(t.Context(), &creditv1.ListSubscribersRequest{})
		if err != nil || len(all.GetSubscribers()) != 1 {
			t.Fatalf("%v, %v", all, err)
		}
		s := all.GetSubscribers()[0]
		if s.GetAgencyId() != "cmcc" || s.GetAckTime() != nil || !s.GetReadTime().AsTime().Equal(*w.clock.Load()) || s.GetUnread() != want || s.GetBehind() != 3 {
			t.Errorf("want %d unread: %v", want, s)
		}
	}
}
