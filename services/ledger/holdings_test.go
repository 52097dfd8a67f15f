package ledger

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

var refused = commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES

// code is a call-centre code of a licensed holder, let on twice, entering the network in two places.
func (w *world) code(t *testing.T) (r *ledgerv1.Resource, holders []*ledgerv1.Holder) {
	t.Helper()
	for i, name := range []string{"静线样例甲公司", "静线样例乙公司", "静线样例丙公司"} {
		holders = append(holders, w.holder(t, name, fmt.Sprintf("9111000000000000%dX", i)))
	}
	from := timestamppb.New(time.Now().AddDate(0, -1, 0))
	for i, h := range holders { // who has the numbers let to it needs what the holder needs
		if _, err := w.registrar.RecordLicence(t.Context(), &ledgerv1.RecordLicenceRequest{
			RequestId: uuid.NewString(), Licence: &ledgerv1.Licence{
				HolderId: h.GetHolderId(), Number: fmt.Sprintf("B2-2026000%d", i+1), Kinds: []string{"B24"}, Provinces: []string{"00"}, ValidFrom: from,
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := w.allocate(t, func(req *ledgerv1.AllocateResourceRequest) {
		req.HolderId, req.FirstNumber, req.Purpose, req.ValidFrom = holders[0].GetHolderId(), "95202101", "inbound", from
		req.PermittedCallers = []string{"95202101"}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.registrar.RecordAccess(t.Context(), &ledgerv1.RecordAccessRequest{
		RequestId: uuid.NewString(), Access: &ledgerv1.Access{ResourceId: r.GetResourceId(), Province: "44", OperatorId: "ctcc-44", Location: "广州", ValidFrom: from},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.registrar.RecordContract(t.Context(), &ledgerv1.RecordContractRequest{
		RequestId: uuid.NewString(), Contract: &ledgerv1.Contract{
			ResourceId: r.GetResourceId(), OperatorId: "cmcc", Number: "HT-1", CallLimit: 200, LimitUnit: "per_number_day",
			ComplaintClauses: "投诉属实即暂停", HandlingClauses: "配合拦截", ValidFrom: from,
		},
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if _, err := w.let(t, r, holders[i], holders[i+1], from); err != nil {
			t.Fatal(err)
		}
	}
	return r, holders
}

func (w *world) let(t *testing.T, r *ledgerv1.Resource, lessor, lessee *ledgerv1.Holder, from *timestamppb.Timestamp) (*ledgerv1.Sublet, error) {
	t.Helper()
	resp, err := w.registrar.DeclareSublet(t.Context(), &ledgerv1.DeclareSubletRequest{
		RequestId: uuid.NewString(), Sublet: &ledgerv1.Sublet{
			ResourceId: r.GetResourceId(), LessorId: lessor.GetHolderId(), Lessee: &ledgerv1.Holder{HolderId: lessee.GetHolderId()},
			Purpose: "inbound", Document: "批准转租文件", ValidFrom: from,
		},
	})
	return resp.GetSublet(), err
}

// TestOneAnswer: holder, callers, operators by place, limit, licence and chain come in one answer.
func TestOneAnswer(t *testing.T) {
	w := newWorld(t)
	r, holders := w.code(t)
	got, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95202101"})
	if err != nil {
		t.Fatal(err)
	}
	summary := fmt.Sprint(got.GetResource().GetHolder().GetName(), got.GetResource().GetPermittedCallers())
	for _, x := range got.GetAccesses() {
		summary += fmt.Sprint(" ", x.GetProvince(), x.GetOperatorId())
	}
	for _, c := range got.GetContracts() {
		summary += fmt.Sprint(" ", c.GetCallLimit(), c.GetLimitUnit())
	}
	for _, l := range got.GetLicences() {
		summary += fmt.Sprint(" ", l.GetNumber(), l.GetKinds())
	}
	for _, s := range got.GetSublets() {
		summary += " > " + s.GetLessee().GetName()
	}
	want := "静线样例甲公司[95202101] 11cmcc 44ctcc-44 200per_number_day B2-20260001[B24] > 静线样例乙公司 > 静线样例丙公司"
	if diff := cmp.Diff(want, summary); diff != "" {
		t.Error(diff)
	}
	if _, err := w.let(t, r, holders[2], holders[0], nil); errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD {
		t.Errorf("a circle: %v", err)
	}
	if _, err := w.registrar.EndAllocation(t.Context(), &ledgerv1.EndAllocationRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), Reason: "退回码号",
	}); err != nil {
		t.Fatal(err)
	}
	_, err = w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95202101"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	before, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95202101", At: timestamppb.New(time.Now().Add(-time.Hour))})
	if err != nil || len(before.GetSublets()) != 2 || len(before.GetAccesses()) != 2 || len(before.GetContracts()) != 1 {
		t.Errorf("an hour before the end: %v, %v", before, err)
	}
}

func TestRangesOfNumbers(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	for _, block := range [][2]string{{"4008000000", "4008000009"}, {"4008000012", "4008000012"}, {"4008000020", "4008000029"}, {"4008000040", "4008000049"}} {
		if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.FirstNumber, r.LastNumber = h, block[0], block[1]
		}); err != nil {
			t.Fatal(err)
		}
	}
	req := &ledgerv1.WhoHeldRangeRequest{FirstNumber: "4008000005", LastNumber: "4008000025", PageSize: 1}
	var got []string
	for {
		resp, err := w.worker.WhoHeldRange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetHoldings() {
			got = append(got, x.GetResource().GetFirstNumber())
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"4008000000", "4008000012", "4008000020"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestHardRules: what the rules refuse is refused through the service too, and the credit lists are asked.
func TestHardRules(t *testing.T) {
	w := newWorld(t)
	const firm = "91110000000000000A"
	h := w.holder(t, "甲", firm).GetHolderId()
	try := func(change func(*ledgerv1.AllocateResourceRequest)) error {
		_, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.FirstNumber = h, "4008000000"
			change(r)
		})
		return err
	}
	w.lists.set(firm, "", true)
	wantReason(t, try(func(*ledgerv1.AllocateResourceRequest) {}), commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE)
	w.lists.set(firm, "dishonest", false)
	wantReason(t, try(func(*ledgerv1.AllocateResourceRequest) {}), refused)
	w.lists.set(firm, "bad", false)
	wantReason(t, try(func(*ledgerv1.AllocateResourceRequest) {}), refused)
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) { r.ApprovalDocument = "批文" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) {
		r.Evidence, r.ApprovalDocument, r.ApprovalReason = nil, "批文", "已整改"
	}), refused)
	if err := try(func(r *ledgerv1.AllocateResourceRequest) {
		r.ApprovalDocument, r.ApprovalReason = "批文", "已整改"
	}); err != nil {
		t.Fatal(err)
	}
	w.lists.set(firm, "", false)
	if err := try(func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber, r.Evidence = "4008000001", nil }); err != nil {
		t.Errorf("a holder that is no new user: %v", err)
	}
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) {
		r.FirstNumber, r.Purpose = "13800000000", "outbound_consented"
	}), refused)
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber = "95202101" }), refused)
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber, r.Purpose = "4008000002", "whatever" }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	wantReason(t, try(func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber, r.Operation = "4008000002", outsourced }), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	// a row of the policy that ends lets through what it refused
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE allocation_policy SET valid_to = now() - interval '1 second' WHERE rule = 'dishonest_list'"); err != nil {
		t.Fatal(err)
	}
	w.lists.set(firm, "dishonest", false)
	if err := try(func(r *ledgerv1.AllocateResourceRequest) { r.FirstNumber = "4008000002" }); err != nil {
		t.Errorf("after the policy changed: %v", err)
	}
}

// TestPurposeChangesByDecision: the use before stays on record, a correction may not touch it.
func TestPurposeChangesByDecision(t *testing.T) {
	w := newWorld(t)
	from := time.Now().AddDate(0, -1, 0)
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.ValidFrom, r.Purpose = w.holder(t, "甲", "").GetHolderId(), timestamppb.New(from), "inbound"
	})
	if err != nil {
		t.Fatal(err)
	}
	change := time.Now().AddDate(0, 0, -1)
	if _, err := w.registrar.ChangePurpose(t.Context(), &ledgerv1.ChangePurposeRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), Purpose: "customer_service", DecisionDocument: "批复1号", Reason: "申请变更",
		EffectTime: timestamppb.New(change),
	}); err != nil {
		t.Fatal(err)
	}
	purpose := func(at time.Time) string {
		resp, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588", At: timestamppb.New(at)})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetResource().GetPurpose() + " " + resp.GetResource().GetBasis()
	}
	if got := purpose(change.Add(-time.Hour)); got != "inbound test approval" {
		t.Errorf("before: %s", got)
	}
	if got := purpose(time.Now()); got != "customer_service 批复1号" {
		t.Errorf("after: %s", got)
	}
}

// TestOnlyOneCorrects: of many who correct the same row at once one does, and the others are told.
func TestOnlyOneCorrects(t *testing.T) {
	w := newWorld(t)
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId = w.holder(t, "甲", "").GetHolderId() })
	if err != nil {
		t.Fatal(err)
	}
	results := make([]commonv1.ErrorReason, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			_, err := w.registrar.CorrectAllocation(context.Background(), &ledgerv1.CorrectAllocationRequest{
				RequestId: uuid.NewString(), AllocationId: r.GetAllocationId(), Reason: "笔误", PermittedCallers: []string{"95588", fmt.Sprint("9558", i)},
			})
			results[i] = errs.Reason(err)
		})
	}
	wg.Wait()
	done := 0
	for _, reason := range results {
		switch reason {
		case commonv1.ErrorReason_ERROR_REASON_UNSPECIFIED:
			done++
		case commonv1.ErrorReason_ERROR_REASON_WRONG_STATE:
		default:
			t.Errorf("refused: %v", reason)
		}
	}
	if done != 1 {
		t.Errorf("%d corrections were done", done)
	}
}

func TestSeatsAndLines(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	var lines []string
	for _, number := range []string{"4008000001", "4008000002"} {
		r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) { r.HolderId, r.FirstNumber = h, number })
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.GetResourceId())
	}
	for _, x := range [][2]string{{"A-1", lines[0]}, {"A-1", lines[1]}, {"A-2", lines[0]}} {
		if _, err := w.registrar.AttachSeat(t.Context(), &ledgerv1.AttachSeatRequest{
			RequestId: uuid.NewString(), Seat: &ledgerv1.Seat{HolderId: h, Code: x[0], Province: "51", ResourceId: x[1]},
		}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(req *ledgerv1.ListSeatsRequest) string {
		resp, err := w.worker.ListSeats(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, s := range resp.GetSeats() {
			codes = append(codes, s.GetCode())
		}
		return strings.Join(codes, " ")
	}
	if got := of(&ledgerv1.ListSeatsRequest{ResourceId: lines[0]}); got != "A-1 A-2" {
		t.Errorf("on the first line: %s", got)
	}
	if got := of(&ledgerv1.ListSeatsRequest{HolderId: h}); got != "A-1 A-1 A-2" {
		t.Errorf("of the call centre: %s", got)
	}
	_, err := w.public.ListSeats(t.Context(), &ledgerv1.ListSeatsRequest{HolderId: h})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED)
}

// TestBelowManyLaterOnes: a block that was broken up later is still found as of before, from beyond all that came after it.
func TestBelowManyLaterOnes(t *testing.T) {
	w := newWorld(t)
	h := w.holder(t, "甲", "").GetHolderId()
	change := timestamppb.New(time.Now().Add(-time.Hour))
	block, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.FirstNumber, r.LastNumber = h, "4008000000", "4008000099"
		r.ValidFrom, r.ValidTo = timestamppb.New(time.Now().AddDate(0, 0, -1)), change
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 70 {
		if _, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
			r.HolderId, r.FirstNumber, r.ValidFrom = h, fmt.Sprint(4008000010+n), change
		}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4008000090", At: timestamppb.New(time.Now().Add(-2 * time.Hour))})
	if err != nil || got.GetResource().GetResourceId() != block.GetResourceId() {
		t.Errorf("before the change: %v, %v", got, err)
	}
	_, err = w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "4008000090"})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}
