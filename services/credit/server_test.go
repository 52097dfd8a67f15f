package credit

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

const firm = "91110000000000000A"

// world is the credit lists with a clock that the test sets.
type world struct {
	db                            *pgxpool.Pool
	server                        *Server
	clock                         atomic.Pointer[time.Time]
	flows, operator, head, au, at creditv1.CreditServiceClient
	dial                          func(identity.Workload, *commonv1.Actor) *grpc.ClientConn
}

// as is a person at the gateway.
func (w *world) as(subject, agency, party string, roles ...accessv1.Role) creditv1.CreditServiceClient {
	return creditv1.NewCreditServiceClient(w.dial(identity.Gateway, &commonv1.Actor{Subject: subject, AgencyId: agency, Party: party, Roles: roles}))
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{db: testkit.DB(t, "credit", store.Migrations)}
	w.set(at("2026-05-01 10:00"))
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.server = New(w.db, keys, func() time.Time { return *w.clock.Load() })
	dial := testkit.Serve(t, identity.Credit, func(s *grpc.Server) {
		creditv1.RegisterCreditServiceServer(s, w.server)
	})
	w.dial = dial
	as := func(caller identity.Workload, agency string, role accessv1.Role) creditv1.CreditServiceClient {
		return creditv1.NewCreditServiceClient(dial(caller, &commonv1.Actor{
			Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role},
		}))
	}
	w.flows = as(identity.Workflows, "ca-11", accessv1.Role_ROLE_SYSTEM)
	w.operator = as(identity.Gateway, "cmcc-11", accessv1.Role_ROLE_OPERATOR)
	w.head = as(identity.Gateway, "ca-11", accessv1.Role_ROLE_HEAD)
	w.at = as(identity.Gateway, "ca-31", accessv1.Role_ROLE_HEAD)
	w.au = as(identity.Gateway, "miit", accessv1.Role_ROLE_AUDITOR)
	return w
}

func (w *world) set(t time.Time) { w.clock.Store(&t) }

func (w *world) list(t *testing.T, change func(*creditv1.ListPartyRequest)) (*creditv1.Listing, error) {
	t.Helper()
	req := &creditv1.ListPartyRequest{
		RequestId: uuid.NewString(), List: "bad", PartyName: "甲公司", CreditCode: firm, Licence: "B2-20260001", Ground: "supervision_penalty",
		CaseId: "00000000-0000-4000-8000-000000000001", DecidedTime: timestamppb.New(at("2026-04-20 09:00")), AgencyId: "ca-11",
	}
	if change != nil {
		change(req)
	}
	resp, err := w.flows.ListParty(t.Context(), req)
	return resp.GetListing(), err
}

func (w *world) check(t *testing.T, when *time.Time) []*creditv1.Listing {
	t.Helper()
	req := &creditv1.CheckPartyRequest{CreditCode: firm}
	if when != nil {
		req.At = timestamppb.New(*when)
	}
	resp, err := w.at.CheckParty(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetListings()
}

func wantReason(t *testing.T, err error, want commonv1.ErrorReason) {
	t.Helper()
	if got := errs.Reason(err); got != want {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func TestListedOncePerGround(t *testing.T) {
	w := newWorld(t)
	a, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.list(t, nil)
	if diff := cmp.Diff(a, b, protocmp.Transform()); err != nil || diff != "" {
		t.Fatalf("%v: %s", err, diff)
	}
	if a.GetSeverity() != "general" || !a.GetEarliestEnd().AsTime().Equal(at("2026-07-20 00:00")) || !a.GetLatestEnd().AsTime().Equal(at("2027-04-20 00:00")) {
		t.Errorf("%v", a)
	}
	if _, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() }); err != nil {
		t.Errorf("another case: %v", err)
	}
	if got := w.check(t, nil); len(got) != 2 {
		t.Errorf("listed: %v", got)
	}
	before := at("2026-04-30 10:00") // decided, not entered
	if got := w.check(t, &before); len(got) != 0 {
		t.Errorf("before it was entered: %v", got)
	}
	w.set(at("2027-04-20 00:00"))
	if got := w.check(t, nil); len(got) != 0 {
		t.Errorf("after the latest end: %v", got)
	}
	got, err := w.at.GetListing(t.Context(), &creditv1.GetListingRequest{ListingId: a.GetListingId()})
	if err != nil || got.GetListing().GetState() != expired {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(*creditv1.ListPartyRequest)
		reason commonv1.ErrorReason
	}{
		"unknown ground":       {func(r *creditv1.ListPartyRequest) { r.Ground = "rudeness" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"ground of the other":  {func(r *creditv1.ListPartyRequest) { r.List = "dishonest" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"no such credit code":  {func(r *creditv1.ListPartyRequest) { r.CreditCode = "123" }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"decided in future":    {func(r *creditv1.ListPartyRequest) { r.DecidedTime = timestamppb.New(at("2026-06-01 00:00")) }, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		"without a licence":    {func(r *creditv1.ListPartyRequest) { r.Licence = "" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"by another ministry":  {func(r *creditv1.ListPartyRequest) { r.AgencyId = "samr" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"of unread wording":    {func(r *creditv1.ListPartyRequest) { r.List, r.Ground = "dishonest", "security_serious" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		"ended before entered": {func(r *creditv1.ListPartyRequest) { r.DecidedTime = timestamppb.New(at("2025-04-01 00:00")) }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
	} {
		if _, err := w.list(t, c.change); errs.Reason(err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.head.ListParty(t.Context(), &creditv1.ListPartyRequest{})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
}

func TestWithdrawal(t *testing.T) {
	w := newWorld(t)
	l, err := w.list(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	withdraw := func(c creditv1.CreditServiceClient, reason string) (*creditv1.Listing, error) {
		resp, err := c.WithdrawListing(t.Context(), &creditv1.WithdrawListingRequest{
			RequestId: uuid.NewString(), ListingId: l.GetListingId(), Reason: reason,
		})
		return resp.GetListing(), err
	}
	_, err = withdraw(w.at, "not mine")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	w.set(at("2026-05-02 10:00"))
	for _, reason := range []string{"the decision was revoked", "again"} {
		got, err := withdraw(w.head, reason)
		if err != nil || got.GetState() != withdrawn || got.GetWithdrawnReason() != "the decision was revoked" {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if got := w.check(t, nil); len(got) != 0 {
		t.Errorf("still listed: %v", got)
	}
	then := at("2026-05-01 12:00")
	if got := w.check(t, &then); len(got) != 1 || got[0].GetState() != listed {
		t.Errorf("as of the day before: %v", got)
	}
	list, err := w.at.ListListings(t.Context(), &creditv1.ListListingsRequest{List: "bad"})
	if err != nil || len(list.GetListings()) != 1 {
		t.Errorf("the row stays: %v, %v", list, err)
	}
}

func TestPagesAndAudit(t *testing.T) {
	w := newWorld(t)
	var want []string
	for range 5 {
		l, err := w.list(t, func(r *creditv1.ListPartyRequest) { r.CaseId = uuid.NewString() })
		if err != nil {
			t.Fatal(err)
		}
		want = append([]string{l.GetListingId()}, want...)
	}
	var got []string
	req := &creditv1.AuditRequest{What: "listings", PageSize: 2}
	for {
		resp, err := w.au.Audit(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range resp.GetListings() {
			got = append(got, l.GetListingId())
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	bad, err := w.au.Audit(t.Context(), &creditv1.AuditRequest{What: "violations"})
	if err != nil || len(bad.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", bad, err)
	}
	for name, sql := range map[string]string{
		"change":   "UPDATE listing SET party_name = 'x'",
		"deletion": "DELETE FROM listing",
		"policy":   "UPDATE severity_term SET max_months = 12",
		"log":      "INSERT INTO listing_event VALUES (gen_random_uuid(), 1, '', 'LISTED', now(), 'x', '', NULL, '')",
		"feed":     "DELETE FROM listing_change",
	} {
		if _, err := w.db.Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE severity_term SET max_months = 600 WHERE severity = 'serious'")
	if pg.Constraint(err) != "severity_term_bounded" {
		t.Errorf("a list for ever: %v", err)
	}
}
