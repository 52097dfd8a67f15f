package ledger

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// world is a ledger with its database and the people who use it.
type world struct {
	db                                               *pgxpool.Pool
	lists                                            *creditLists
	registrar, ministry, workflows, operator, worker ledgerv1.LedgerServiceClient
	auditor, public                                  ledgerv1.LedgerServiceClient
	guangdong, elsewhere                             ledgerv1.LedgerServiceClient
	dial                                             func(identity.Workload, *commonv1.Actor) *grpc.ClientConn
}

// creditLists stands for the service that owns them.
type creditLists struct {
	creditv1.CreditServiceClient
	mu     sync.Mutex
	listed map[string]string // by credit code: bad or dishonest
	down   bool
}

func (c *creditLists) CheckParty(_ context.Context, req *creditv1.CheckPartyRequest, _ ...grpc.CallOption) (*creditv1.CheckPartyResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	resp := &creditv1.CheckPartyResponse{}
	if c.down {
		return nil, status.Error(codes.Unavailable, "connection refused")
	}
	if list := c.listed[req.GetCreditCode()]; list != "" {
		resp.Listings = append(resp.Listings, &creditv1.Listing{List: list, State: "LISTED"})
	}
	return resp, nil
}

func (c *creditLists) set(creditCode, list string, down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed[creditCode], c.down = list, down
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldAt(t, time.Now)
}

func newWorldAt(t *testing.T, now func() time.Time) *world {
	t.Helper()
	lists := &creditLists{listed: map[string]string{}}
	db := testkit.DB(t, "ledger", store.Migrations)
	dial := testkit.Serve(t, identity.Ledger, func(s *grpc.Server) {
		ledgerv1.RegisterLedgerServiceServer(s, New(db, lists, now))
	})
	as := func(caller identity.Workload, agency string, role accessv1.Role) ledgerv1.LedgerServiceClient {
		return ledgerv1.NewLedgerServiceClient(dial(caller, &commonv1.Actor{
			Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role},
		}))
	}
	return &world{
		db:        db,
		dial:      dial,
		lists:     lists,
		registrar: as(identity.Gateway, "ca-11", accessv1.Role_ROLE_REGISTRAR),
		ministry:  as(identity.Gateway, "miit", accessv1.Role_ROLE_REGISTRAR),
		worker:    as(identity.Gateway, "samr-11", accessv1.Role_ROLE_CASEWORKER),
		operator:  as(identity.Gateway, "cmcc-11", accessv1.Role_ROLE_OPERATOR),
		guangdong: as(identity.Gateway, "ctcc", accessv1.Role_ROLE_OPERATOR),
		elsewhere: as(identity.Gateway, "cucc-11", accessv1.Role_ROLE_OPERATOR),
		public:    ledgerv1.NewLedgerServiceClient(dial(identity.Gateway, identity.Anonymous())),
		auditor:   as(identity.Gateway, "miit", accessv1.Role_ROLE_AUDITOR),
		workflows: as(identity.Workflows, "ca-11", accessv1.Role_ROLE_HEAD),
	}
}

func (w *world) holder(t *testing.T, name, creditCode string) *ledgerv1.Holder {
	t.Helper()
	resp, err := w.registrar.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: name, CreditCode: creditCode, Sector: "loans"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetHolder()
}

func (w *world) allocate(t *testing.T, change func(*ledgerv1.AllocateResourceRequest)) (*ledgerv1.Resource, error) {
	t.Helper()
	req := &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), Scheme: National, FirstNumber: "95588", AccessProvince: "11",
		Purpose: "customer_service", AccessOperatorId: "cmcc", Basis: "test approval", PermittedCallers: []string{"95588"},
		Evidence: []string{"test vetting"},
	}
	change(req)
	resp, err := w.ministry.AllocateResource(t.Context(), req)
	return resp.GetResource(), err
}

func wantReason(t *testing.T, err error, want commonv1.ErrorReason) {
	t.Helper()
	if got := errs.Reason(err); got != want {
		t.Fatalf("got %v (%v), want %v", got, err, want)
	}
}

func TestLookupAsOfTheCall(t *testing.T) {
	w := newWorld(t)
	old, young := w.holder(t, "甲", "91110000000000000A"), w.holder(t, "乙", "91110000000000000B")
	change := time.Now().Add(-24 * time.Hour)
	first, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.ValidFrom, r.ValidTo = old.GetHolderId(), timestamppb.New(change.Add(-time.Hour)), timestamppb.New(change)
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.ValidFrom = young.GetHolderId(), timestamppb.New(change)
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func(number string, at *timestamppb.Timestamp) (*ledgerv1.Resource, error) {
		resp, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: number, At: at})
		return resp.GetResource(), err
	}
	for _, c := range []struct {
		name string
		at   *timestamppb.Timestamp
		want *ledgerv1.Resource
	}{
		{"now", nil, second},
		{"at the change", timestamppb.New(change), second},
		{"just before", timestamppb.New(change.Add(-time.Minute)), first},
	} {
		got, err := look("95588", c.at)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	_, err = look("95588", timestamppb.New(change.Add(-2*time.Hour)))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	for _, other := range []string{"955880", "9558", "095588", "13800000000", "12345678901234567890"} {
		_, err = look(other, nil)
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	_, err = w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588",
		KnownAt: timestamppb.New(time.Now().Add(-time.Hour))})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) // we did not know it then
}

func TestOverlapsAreRefused(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.FirstNumber, r.LastNumber = h, "4008000000", "4008000999"
	}); err != nil {
		t.Fatal(err)
	}
	_, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = h, "4008000500" })
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ALLOCATION_OVERLAPS)
	for _, free := range []string{"4008001000", "4008002000"} {
		if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = h, free }); err != nil {
			t.Errorf("%s: %v", free, err)
		}
	}
	// the same 96 code in two areas
	for _, area := range []string{"010", "021"} {
		if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber, r.Scheme = h, "96123", area }); err != nil {
			t.Errorf("%s: %v", area, err)
		}
	}
	resp, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "96123", Scheme: "021"})
	if err != nil || resp.GetResource().GetScheme() != "31" {
		t.Errorf("96123 in 021: %v, %v", resp, err)
	}
	_, err = w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = uuid.NewString(), "95599" })
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

func TestSuspendAndResume(t *testing.T) {
	w := newWorld(t)
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId = w.holder(t, "甲", "").GetHolderId() })
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	task := uuid.NewString()
	suspend := &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), ReasonCode: "harassment", Basis: "电信条例 28",
		Nature: "administrative_order", PriorNotice: "not given: the harm goes on", Remedy: "reconsideration in 60 days", TaskId: task,
	}
	for range 2 { // once, and answered again
		resp, err := w.workflows.SuspendResource(t.Context(), suspend)
		if err != nil || resp.GetResource().GetState() != stateSuspended {
			t.Fatalf("suspend: %v, %v", resp, err)
		}
	}
	suspend.RequestId = uuid.NewString() // another request on the same ground: a no-op
	if _, err := w.workflows.SuspendResource(t.Context(), suspend); err != nil {
		t.Fatal(err)
	}
	audit, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "suspensions"})
	if err != nil || !cmp.Equal(audit.GetTaskIds(), []string{task}) {
		t.Fatalf("suspensions: %v, %v", audit, err)
	}
	if _, err := w.registrar.ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), ReasonCode: "rectified", Basis: "反电信网络诈骗法 32",
	}); err != nil {
		t.Fatal(err)
	}
	got, err := w.worker.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: r.GetResourceId()})
	if err != nil {
		t.Fatal(err)
	}
	var events []string
	for _, e := range got.GetEvents() {
		events = append(events, e.GetEvent())
	}
	if diff := cmp.Diff([]string{allocated, suspended, resumed}, events); diff != "" || got.GetResource().GetState() != stateActive {
		t.Errorf("history %v, state %s", events, got.GetResource().GetState())
	}
	if e := got.GetEvents()[1]; e.GetTaskId() != task || e.GetDoneBy() != "someone@ca-11" || e.GetRemedy() == "" {
		t.Errorf("suspension: %v", e)
	}
	// the state is as of the time too
	at, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588", At: timestamppb.New(before)})
	if err != nil || at.GetResource().GetState() != stateActive {
		t.Errorf("before the suspension: %v, %v", at, err)
	}
	at, err = w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588", At: got.GetEvents()[1].GetEffectTime()})
	if err != nil || at.GetResource().GetState() != stateSuspended {
		t.Errorf("at the suspension: %v, %v", at, err)
	}
	audit, err = w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(audit.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", audit, err)
	}
	_, err = w.workflows.SuspendResource(t.Context(), &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: uuid.NewString(), ReasonCode: "x", Basis: "x",
		Nature: "operator_measure", PriorNotice: "x", Remedy: "x", TaskId: task,
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

func TestOneHolderPerCreditCode(t *testing.T) {
	w := newWorld(t)
	a, b := w.holder(t, "甲", "91110000000000000A"), w.holder(t, "甲公司", "91110000000000000A")
	if diff := cmp.Diff(a, b, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if c, d := w.holder(t, "丙", ""), w.holder(t, "丙", ""); c.GetHolderId() == d.GetHolderId() {
		t.Error("two holders without credit code became one")
	}
	_, err := w.registrar.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: "甲", CreditCode: "123"},
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
}

func TestListsAndRowRights(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	ids := map[string]string{}
	for number, operator := range map[string]string{"95501": "cmcc", "95502": "cmcc-11", "95503": "cmcc-31", "95504": "mvno-cmcc", "95505": "ctcc-11"} {
		r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.FirstNumber, r.AccessOperatorId = h, number, operator
		})
		if err != nil {
			t.Fatal(err)
		}
		ids[number] = r.GetResourceId()
	}
	all := func(c ledgerv1.LedgerServiceClient, req *ledgerv1.ListResourcesRequest) map[string]bool {
		seen := map[string]bool{}
		for {
			resp, err := c.ListResources(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range resp.GetResources() {
				seen[r.GetFirstNumber()] = true
			}
			if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
				return seen
			}
		}
	}
	if got := all(w.worker, &ledgerv1.ListResourcesRequest{PageSize: 2, HolderId: h}); len(got) != 5 {
		t.Errorf("caseworker sees %v", got)
	}
	if diff := cmp.Diff(map[string]bool{"95501": true, "95502": true}, all(w.operator, &ledgerv1.ListResourcesRequest{PageSize: 1})); diff != "" {
		t.Errorf("operator sees: %s", diff)
	}
	if got := all(w.worker, &ledgerv1.ListResourcesRequest{State: stateSuspended}); len(got) != 0 {
		t.Errorf("suspended: %v", got)
	}
	_, err := w.operator.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: ids["95505"]})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	_, err = w.worker.ListResources(t.Context(), &ledgerv1.ListResourcesRequest{PageToken: "nonsense"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
	_, err = w.worker.ListResources(t.Context(), &ledgerv1.ListResourcesRequest{PageToken: pg.EncodeToken("x")})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR)
	_, err = w.worker.AllocateResource(t.Context(), &ledgerv1.AllocateResourceRequest{})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
