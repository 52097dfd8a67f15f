package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func (w *world) observe(t *testing.T, complaint, number, category string) []string {
	t.Helper()
	resp, err := w.workflows.RecordObservation(t.Context(), &ledgerv1.RecordObservationRequest{
		RequestId: uuid.NewString(), ComplaintId: complaint, Number: number, CallTime: timestamppb.Now(), Category: category, Sector: "loans",
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetFindingIds()
}

// TestObservedAgainstDeclared: a complaint that shows another purpose is a finding, once; the operator that gives access
// sees it, another does not; it is put right with a reason.
func TestObservedAgainstDeclared(t *testing.T) {
	w := newWorld(t)
	_, _ = w.code(t)
	complaint := uuid.NewString()
	first := w.observe(t, complaint, "95202101", "commercial")
	if len(first) != 1 {
		t.Fatalf("marketing on a code for calls in: %v", first)
	}
	if again := w.observe(t, complaint, "95202101", "commercial"); !cmp.Equal(first, again) {
		t.Errorf("the same again: %v and %v", first, again)
	}
	if none := w.observe(t, uuid.NewString(), "95588", "commercial"); len(none) != 0 {
		t.Errorf("a number that nobody holds: %v", none)
	}
	list := func(c ledgerv1.LedgerServiceClient, state string) []*ledgerv1.Finding {
		t.Helper()
		resp, err := c.ListFindings(t.Context(), &ledgerv1.ListFindingsRequest{State: state})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetFindings()
	}
	got := list(w.worker, findingOpen)
	if len(got) != 1 || got[0].GetKind() != purposeDiffers || got[0].GetDeclared() != "inbound" ||
		got[0].GetObserved() != "outbound_marketing/loans" || got[0].GetSourceRef() != complaint || got[0].GetArticle() != "电信条例 28" {
		t.Errorf("findings: %v", got)
	}
	if term := time.Until(got[0].GetDueTime().AsTime()); term < 29*24*time.Hour || term > 31*24*time.Hour {
		t.Errorf("due in %v", term)
	}
	if seen := list(w.operator, ""); len(seen) != 1 { // cmcc-11: a branch of the access operator
		t.Errorf("the access operator sees %v", seen)
	}
	if seen := list(w.elsewhere, ""); len(seen) != 0 {
		t.Errorf("another operator sees %v", seen)
	}
	decide := func(state string) error {
		_, err := w.registrar.DecideFinding(t.Context(), &ledgerv1.DecideFindingRequest{
			RequestId: uuid.NewString(), FindingId: first[0], State: state, Reason: "已核实", Document: "整改报告",
		})
		return err
	}
	for _, state := range []string{findingConfirmed, findingConfirmed, findingRectified} {
		if err := decide(state); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
	}
	wantReason(t, decide(findingDismissed), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if got := list(w.worker, findingRectified); len(got) != 1 || got[0].GetReason() != "已核实" {
		t.Errorf("rectified: %v", got)
	}
	resp, err := w.auditor.Audit(t.Context(), &ledgerv1.AuditRequest{What: "violations"})
	if err != nil || len(resp.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", resp, err)
	}
}

// TestAForgedNumberIsNobodysFinding: what was shown with a country code before a 95 code never was its holder's call.
func TestAForgedNumberIsNobodysFinding(t *testing.T) {
	w := newWorld(t)
	_, _ = w.code(t)
	for _, number := range []string{"8695202101", "008695202101"} {
		if found := w.observe(t, uuid.NewString(), number, "commercial"); len(found) != 0 {
			t.Errorf("%s: %v", number, found)
		}
	}
	resp, err := w.worker.ListFindings(t.Context(), &ledgerv1.ListFindingsRequest{})
	if err != nil || len(resp.GetFindings()) != 0 {
		t.Errorf("findings: %v, %v", resp, err)
	}
}

// TestPublicLookup: everybody may know whose a code is, since when and through whom; nobody learns of a subscriber's number
// whether it is there.
func TestPublicLookup(t *testing.T) {
	w := newWorld(t)
	r, holders := w.code(t)
	for _, number := range []string{"02082345678", "4008000000", "4008000001"} {
		if _, err := w.allocate(t, func(req *ledgerv1.AllocateResourceRequest) {
			req.HolderId, req.FirstNumber = holders[0].GetHolderId(), number
			if number == "4008000001" { // a holder without a credit code is no firm
				req.HolderId = w.holder(t, "某人", "").GetHolderId()
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.registrar.ChangePurpose(t.Context(), &ledgerv1.ChangePurposeRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), Purpose: "customer_service", DecisionDocument: "批复", Reason: "申请",
	}); err != nil {
		t.Fatal(err)
	}
	got, err := w.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: "952-02101"})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetCode() != "95202101" || got.GetHolderName() != "静线样例甲公司" || got.GetState() != stateActive ||
		!got.GetSinceTime().AsTime().Equal(r.GetValidFrom().AsTime()) {
		t.Errorf("the code: %v", got)
	}
	if diff := cmp.Diff([]string{"静线样例乙公司", "静线样例丙公司"}, got.GetSubHolderNames()); diff != "" {
		t.Errorf("sub-holders: %s", diff)
	}
	if a := got.GetAccesses(); len(a) != 2 || a[0].GetOperatorName() != "中国移动" || a[1].GetOperatorName() != "中国电信" {
		t.Errorf("accesses: %v", a)
	}
	if _, err := w.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: "4008000000"}); err != nil {
		t.Errorf("a 400 number: %v", err)
	}
	texts := map[string]bool{}
	for _, code := range []string{"02082345678", "13800000000", "95599", "4008000001", "+8695202101", "nonsense"} {
		_, err := w.public.LookupCode(t.Context(), &ledgerv1.LookupCodeRequest{Code: code})
		wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
		texts[errs.Text(err)] = true
	}
	if len(texts) != 1 {
		t.Errorf("what is not published is told apart: %v", texts)
	}
	_, err = w.public.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95202101"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}

// TestAnOperatorsAnswers: an operator learns of what it, its head office or its branches give access to, at any place.
func TestAnOperatorsAnswers(t *testing.T) {
	w := newWorld(t)
	_, _ = w.code(t)
	for name, c := range map[string]struct {
		client ledgerv1.LedgerServiceClient
		sees   bool
	}{"by the allocation": {w.operator, true}, "by a further access": {w.guangdong, true}, "not at all": {w.elsewhere, false}} {
		_, err := c.client.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95202101"})
		if (err == nil) != c.sees {
			t.Errorf("%s: %v", name, err)
		}
	}
}
