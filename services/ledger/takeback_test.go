package ledger

import (
	"testing"
	"time"

	"github.com/google/uuid"

	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// When a decision is taken back its own order falls, as an act of the agency that gave it, and with it the appeals against it
// have nothing left to undo; what somebody else did stands.
func TestResume_takesBackOneOrder(t *testing.T) {
	m := newMatterWorld(t)
	task := uuid.NewString()
	order := m.suspension(byLaw, task)
	order.AgencyId = "ca-11"
	if _, err := m.workflows.SuspendResource(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	if _, err := m.operator.WarnResource(t.Context(), m.warning(byContract)); err == nil {
		t.Fatal("warned while suspended")
	}
	m.pass(time.Minute)
	take := func(task string) *ledgerv1.ResumeResourceRequest {
		return &ledgerv1.ResumeResourceRequest{
			RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "decision_reversed", Basis: "行政处罚法 第四十八条",
			TaskId: task, AgencyId: "ca-11",
		}
	}
	_, err := m.operator.ResumeResource(t.Context(), take(task))
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD)
	if resp, err := m.workflows.ResumeResource(t.Context(), take(uuid.NewString())); err != nil || resp.GetTakenBack() || m.state(t) != stateSuspended {
		t.Errorf("an order of nobody: %v, %v", resp, err)
	}
	for range 2 { // the second finds it done
		resp, err := m.workflows.ResumeResource(t.Context(), take(task))
		if err != nil || !resp.GetTakenBack() || resp.GetResource().GetState() != stateActive {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	history, err := m.official.GetResource(t.Context(), &ledgerv1.GetResourceRequest{ResourceId: m.resource.GetResourceId()})
	if err != nil {
		t.Fatal(err)
	}
	events := history.GetEvents()
	last := events[len(events)-1]
	if last.GetEvent() != corrected || agencyOf(last.GetDoneBy()) != "ca-11" && last.GetDoneBy() != "ca-11" || last.GetTaskId() != task ||
		last.GetCorrectsEventId() != events[len(events)-2].GetEventId() {
		t.Errorf("the record: %v", events)
	}
	_, err = m.appeal(t, m.party, last.GetCorrectsEventId(), "")
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	m.audited(t)
}

// A further ground keeps the number out of service.
func TestResume_leavesOtherOrders(t *testing.T) {
	m := newMatterWorld(t)
	mine, others := uuid.NewString(), uuid.NewString()
	for _, task := range []string{mine, others} {
		if _, err := m.workflows.SuspendResource(t.Context(), m.suspension(byLaw, task)); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := m.workflows.ResumeResource(t.Context(), &ledgerv1.ResumeResourceRequest{
		RequestId: uuid.NewString(), ResourceId: m.resource.GetResourceId(), ReasonCode: "decision_reversed", Basis: "行政处罚法 第四十八条",
		TaskId: mine, AgencyId: "ca-11",
	})
	if err != nil || !resp.GetTakenBack() || resp.GetResource().GetState() != stateSuspended {
		t.Errorf("%v, %v", resp, err)
	}
	m.audited(t)
}
