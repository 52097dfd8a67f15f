package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// TestAnEndToCome: until its end a resource is what it is: it is active, can be suspended and put back, and then it ends.
func TestAnEndToCome(t *testing.T) {
	now := time.Now()
	w := newWorldAt(t, func() time.Time { return now })
	r, err := w.allocate(t, func(r *ledgerv1.AllocateResourceRequest) {
		r.HolderId, r.AccessOperatorId, r.ValidFrom = w.holder(t, "甲", "").GetHolderId(), "cmcc-11", timestamppb.New(now.AddDate(-1, 0, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	end := now.AddDate(0, 0, 30)
	resp, err := w.registrar.EndAllocation(t.Context(), &ledgerv1.EndAllocationRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), EndTime: timestamppb.New(end), Reason: "given back",
	})
	if err != nil || resp.GetResource().GetState() != stateActive {
		t.Fatalf("%v, %v", resp, err)
	}
	suspend := &ledgerv1.SuspendResourceRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), ReasonCode: "harassment", Basis: "合同第九条", Nature: byContract,
		PriorNotice: "given", Remedy: "appeal",
	}
	if got, err := w.operator.SuspendResource(t.Context(), suspend); err != nil || got.GetResource().GetState() != stateSuspended {
		t.Fatalf("suspended: %v, %v", got, err)
	}
	state := func(at time.Time) string {
		held, err := w.worker.WhoHeld(t.Context(), &ledgerv1.WhoHeldRequest{Number: "95588", At: timestamppb.New(at)})
		if err != nil {
			return "nobody"
		}
		return held.GetResource().GetState()
	}
	for at, want := range map[time.Time]string{now.Add(-time.Hour): stateActive, now.Add(time.Hour): stateSuspended, end: "nobody"} {
		if got := state(at); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	if _, err := w.operator.ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
		RequestId: uuid.NewString(), ResourceId: r.GetResourceId(), ReasonCode: "mended", Basis: "整改完成",
	}); err != nil || state(now.Add(time.Hour)) != stateActive {
		t.Errorf("resumed: %v, %s", err, state(now.Add(time.Hour)))
	}
	now = end.Add(time.Hour)
	suspend.RequestId = uuid.NewString()
	if _, err := w.operator.SuspendResource(t.Context(), suspend); err == nil {
		t.Error("what has ended is suspended")
	}
	got, err := w.worker.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: r.GetResourceId()})
	if err != nil || got.GetResource().GetState() != stateEnded {
		t.Errorf("after its end: %v, %v", got.GetResource(), err)
	}
}
