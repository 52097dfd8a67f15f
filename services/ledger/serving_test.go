package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/phone"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/portability"
	"quietline/services/ledger/store"
)

// portedWorld is a ledger with a table of ported numbers.
func portedWorld(t *testing.T, rows string) *world {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ported.csv")
	if err := os.WriteFile(name, []byte("number,operator_id,from,to\n"+rows), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := sourceOf(name)
	if err != nil {
		t.Fatal(err)
	}
	return servingWorld(t, source)
}

func servingWorld(t *testing.T, source portability.Source) *world {
	t.Helper()
	w := &world{lists: &creditLists{listed: map[string]string{}}, db: testkit.DB(t, "ledger", store.Migrations)}
	w.dial = testkit.Serve(t, identity.Ledger, func(s *grpc.Server) {
		server := New(w.db, w.lists, time.Now)
		server.ports = source
		ledgerv1.RegisterLedgerServiceServer(s, server)
	})
	as := func(caller identity.Workload, agency string, role accessv1.Role) ledgerv1.LedgerServiceClient {
		return ledgerv1.NewLedgerServiceClient(w.dial(caller, &commonv1.Actor{Subject: "someone", AgencyId: agency, Roles: []accessv1.Role{role}}))
	}
	w.ministry = as(identity.Gateway, "miit", accessv1.Role_ROLE_REGISTRAR)
	w.registrar, w.worker = as(identity.Gateway, "ca-11", accessv1.Role_ROLE_REGISTRAR), as(identity.Gateway, "samr-11", accessv1.Role_ROLE_CASEWORKER)
	w.workflows, w.operator = as(identity.Workflows, "cmcc-44", accessv1.Role_ROLE_OPERATOR), as(identity.Gateway, "cmcc-44", accessv1.Role_ROLE_OPERATOR)
	w.public = ledgerv1.NewLedgerServiceClient(w.dial(identity.Gateway, identity.Anonymous()))
	return w
}

// served is who serves a number at a time, and how that is known.
func (w *world) served(t *testing.T, number string, at time.Time) *ledgerv1.GetServingOperatorResponse {
	t.Helper()
	resp, err := w.worker.GetServingOperator(t.Context(), &ledgerv1.GetServingOperatorRequest{Number: number, At: timestamppb.New(at)})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func brief(r *ledgerv1.GetServingOperatorResponse) string {
	source := strings.ToLower(strings.TrimPrefix(r.GetSource().String(), "SERVING_SOURCE_"))
	return fmt.Sprintf("%s by %s, allocated %s, host %q, resale %q", r.GetOperatorId(), source, r.GetAllocatedCarrier(), r.GetHostOperatorId(), r.GetResaleOperator())
}

// TestServingOperator tells apart who a number was given to, who serves it and who sells it, as of the call.
func TestServingOperator(t *testing.T) {
	w := portedWorld(t, "13114590000,ctcc,2026-03-01,2026-06-01\n13114590000,cmcc,2026-06-01,\n17041110000,ctcc,2026-05-05,\n16534810000,cucc-15,2026-05-05,\n")
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	bank := w.holder(t, "某银行", "91110000000000000A")
	reseller := w.holder(t, "某转售公司", "91110000000000000B")
	for _, r := range []struct{ holder, scheme, first, last, operator, province string }{
		{bank.GetHolderId(), National, "95588", "", "cucc-11", "11"}, {bank.GetHolderId(), "53", "96533", "", "ctcc-53", "53"},
		{reseller.GetHolderId(), National, "17041110000", "17041119999", "cucc-31", "31"},
	} {
		_, err := w.allocate(t, func(req *ledgerv1.AllocateResourceRequest) {
			req.HolderId, req.Scheme, req.FirstNumber, req.LastNumber = r.holder, r.scheme, r.first, r.last
			req.AccessOperatorId, req.AccessProvince, req.ValidFrom = r.operator, r.province, timestamppb.New(day("2026-01-01"))
			req.PermittedCallers = nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ number, day, want string }{
		{"13114590000", "2026-02-01", `cucc-23 by segment, allocated cucc, host "", resale ""`},
		{"13114590000", "2026-04-01", `ctcc-23 by portability, allocated cucc, host "", resale ""`},
		{"13114590000", "2026-07-01", `cmcc-23 by portability, allocated cucc, host "", resale ""`},
		{"17041110000", "2026-04-01", `cucc-31 by ledger_access, allocated cucc, host "cucc-31", resale "某转售公司"`},
		{"17041110000", "2026-06-01", `ctcc by portability, allocated cucc, host "", resale ""`}, // left its resale operator
		{"17041120000", "2025-06-01", `cucc by segment, allocated cucc, host "cucc", resale ""`},
		{"16534810000", "2026-06-01", `cucc-15 by portability, allocated cmcc, host "", resale ""`},
		{"95588", "2026-06-01", `cucc-11 by ledger_access, allocated , host "", resale ""`},
		{"95588", "2025-06-01", ` by unknown, allocated , host "", resale ""`},
		{"087196533", "2026-06-01", `ctcc-53 by ledger_access, allocated , host "", resale ""`},
		{"19607360000", "2026-06-01", `cucc by segment, allocated cucc, host "", resale ""`}, // its province is inferred
		{"4006800166", "2026-06-01", `cucc by segment, allocated cucc, host "", resale ""`},
		{"+8695588", "2026-06-01", ` by unknown, allocated , host "", resale ""`}, // never the true holder's operator
		{"0095588", "2026-06-01", ` by unknown, allocated , host "", resale ""`},
		{"02195588", "2026-06-01", ` by unknown, allocated , host "", resale ""`},
		{"+14156677870", "2026-06-01", ` by unknown, allocated , host "", resale ""`},
		{"unknown", "2026-06-01", ` by unknown, allocated , host "", resale ""`},
	} {
		got := w.served(t, tt.number, day(tt.day))
		if brief(got) != tt.want || got.GetExplanation() == "" {
			t.Errorf("%s on %s:\n got  %s (%s)\n want %s", tt.number, tt.day, brief(got), got.GetExplanation(), tt.want)
		}
	}
}

// TestServingOperatorByPlace asks for a code with accesses in several provinces.
func TestServingOperatorByPlace(t *testing.T) {
	held := []*ledgerv1.Access{{Province: "11", OperatorId: "cucc-11"}, {Province: "31", OperatorId: "ctcc-31"}}
	for province, want := range map[string]string{"": "cucc-11", "11": "cucc-11", "31": "ctcc-31", "44": "cucc-11"} {
		if got := accessAt(held, province).GetOperatorId(); got != want {
			t.Errorf("in %q: %s, want %s", province, got, want)
		}
	}
}

// TestRecordPorting learns from operators' answers: from the call asked about on, whatever the table has of earlier times.
func TestRecordPorting(t *testing.T) {
	w := portedWorld(t, "13114590000,ctcc,2026-03-01,\n13114590000,cbn,2026-09-01,\n")
	at := func(month time.Month) time.Time { return time.Date(2026, month, 15, 4, 0, 0, 0, time.UTC) }
	tell := func(operator string, month time.Month, task string) error {
		_, err := w.workflows.RecordPorting(t.Context(), &ledgerv1.RecordPortingRequest{
			RequestId: uuid.NewString(), Number: "13114590000", OperatorId: operator, At: timestamppb.New(at(month)), TaskId: task,
		})
		return err
	}
	task := uuid.NewString()
	for range 2 { // the same answer again, also under another request ID, is a no-op
		if err := tell("cmcc", time.May, task); err != nil {
			t.Fatal(err)
		}
	}
	for month, want := range map[time.Month]string{
		time.February: "cucc-23", time.April: "ctcc-23", time.June: "cmcc-23", time.October: "cbn-23",
	} {
		if got := w.served(t, "13114590000", at(month)).GetOperatorId(); got != want {
			t.Errorf("in %s: %s, want %s", month, got, want)
		}
	}
	// passed on at once: of two answers about the same call the later one holds
	if err := tell("ctcc", time.May, uuid.NewString()); err != nil {
		t.Fatal(err)
	}
	if got := w.served(t, "13114590000", at(time.May)).GetOperatorId(); got != "ctcc-23" {
		t.Errorf("passed on: %s", got)
	}
	var rows int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM porting").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
	for _, change := range []string{"UPDATE porting SET operator_id = 'x'", "DELETE FROM porting"} {
		if _, err := w.db.Exec(t.Context(), change); err == nil {
			t.Errorf("%s is allowed", change)
		}
	}
	for _, number := range []string{"95588", "4006800166", "013114590000"} {
		_, err := w.workflows.RecordPorting(t.Context(), &ledgerv1.RecordPortingRequest{
			RequestId: uuid.NewString(), Number: number, OperatorId: "cmcc", At: timestamppb.New(at(time.May)), TaskId: uuid.NewString(),
		})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	}
	_, err := w.operator.RecordPorting(t.Context(), &ledgerv1.RecordPortingRequest{
		RequestId: uuid.NewString(), Number: "13114590000", OperatorId: "cmcc", At: timestamppb.New(at(time.May)), TaskId: uuid.NewString(),
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
}

// TestEndedPorting: what an operator answered about a call does not outlive the end of the porting that the source knows.
func TestEndedPorting(t *testing.T) {
	w := portedWorld(t, "13114590000,ctcc,2026-03-01,2026-06-01\n")
	at := func(month time.Month) time.Time { return time.Date(2026, month, 15, 4, 0, 0, 0, time.UTC) }
	tell := func(operator string, month time.Month) {
		t.Helper()
		if _, err := w.workflows.RecordPorting(t.Context(), &ledgerv1.RecordPortingRequest{
			RequestId: uuid.NewString(), Number: "13114590000", OperatorId: operator, At: timestamppb.New(at(month)), TaskId: uuid.NewString(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(month time.Month, operator string) {
		t.Helper()
		if got := w.served(t, "13114590000", at(month)).GetOperatorId(); got != operator {
			t.Errorf("in %s: %s, want %s", month, got, operator)
		}
	}
	want(time.August, "cucc-23")
	tell("ctcc", time.April)
	want(time.May, "ctcc-23")
	want(time.August, "cucc-23")
	tell("cmcc", time.July) // of a time behind the end
	want(time.August, "cmcc-23")
	want(time.May, "ctcc-23")
}

// TestInferredPlace: a province that may be wrong names no branch, and the answer says so.
func TestInferredPlace(t *testing.T) {
	w := portedWorld(t, "19607360000,ctcc,2026-03-01,\n")
	for month, operator := range map[time.Month]string{time.February: "cucc", time.April: "ctcc"} {
		got := w.served(t, "19607360000", time.Date(2026, month, 15, 4, 0, 0, 0, time.UTC))
		if got.GetOperatorId() != operator || !strings.Contains(got.GetExplanation(), "推断") {
			t.Errorf("in %s: %s (%s)", month, got.GetOperatorId(), got.GetExplanation())
		}
	}
}

// TestParseNumber is for everybody, bounded, and looks nothing up.
func TestParseNumber(t *testing.T) {
	w := servingWorld(t, portability.None{})
	resp, err := w.public.ParseNumber(t.Context(), &ledgerv1.ParseNumberRequest{Raw: []string{"+86 17041110000", "+8695588", "", "12345"}})
	if err != nil {
		t.Fatal(err)
	}
	got := resp.GetNumbers()
	if len(got) != 4 || got[0].GetKind() != phone.Mobile || !got[0].GetResale() || got[0].GetAllocatedCarrier() != "cucc" ||
		got[0].GetDisplayed() != "+86 17041110000" {
		t.Errorf("got %v", got)
	}
	if got[1].GetKind() != phone.Code95Spoofed || got[1].GetReason() == "" || got[1].GetOrganization() != "" {
		t.Errorf("forged: %v", got[1])
	}
	if got[2].GetKind() != phone.Empty || got[3].GetOrganization() == "" {
		t.Errorf("got %v and %v", got[2], got[3])
	}
	_, err = w.public.ParseNumber(t.Context(), &ledgerv1.ParseNumberRequest{Raw: make([]string, 501)})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	_, err = w.public.GetServingOperator(t.Context(), &ledgerv1.GetServingOperatorRequest{Number: "13114590000"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}
