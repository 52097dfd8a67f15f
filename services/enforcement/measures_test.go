package enforcement

import (
	"testing"

	"github.com/google/uuid"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

func TestMeasures(t *testing.T) {
	w := newWorld(t)
	cat, err := w.worker.ListMeasures(t.Context(), &enforcementv1.ListMeasuresRequest{})
	if err != nil || len(cat.GetMeasures()) == 0 {
		t.Fatalf("%v, %v", cat, err)
	}
	for _, m := range cat.GetMeasures() {
		if m.GetBasis() == "" || (m.GetLedgerAction() == "suspend") != (m.GetCode() == "suspend_number") {
			t.Errorf("%v", m)
		}
	}
	record := func(change func(*enforcementv1.RecordMeasureRequest)) error {
		req := &enforcementv1.RecordMeasureRequest{
			RequestId: uuid.NewString(), MeasureId: "00000000-0000-4000-8000-000000000001", ComplaintId: "00000000-0000-4000-8000-000000000002",
			Round: 1, Code: "suspend_number", DecidedAgencyId: "ca-11", ExecutorAgencyId: "cmcc-11",
			DecidedTaskId: uuid.NewString(), State: "ordered",
		}
		change(req)
		_, err := w.flows.RecordMeasure(t.Context(), req)
		return err
	}
	finish := func(state, receipt string) func(*enforcementv1.RecordMeasureRequest) {
		return func(r *enforcementv1.RecordMeasureRequest) { r.State, r.ReceiptTaskId = state, receipt }
	}
	steps := []struct {
		name   string
		change func(*enforcementv1.RecordMeasureRequest)
		reason commonv1.ErrorReason
	}{
		{"not in the catalogue", func(r *enforcementv1.RecordMeasureRequest) { r.Code = "pillory" }, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES},
		{"ordered", func(*enforcementv1.RecordMeasureRequest) {}, 0},
		{"ordered again", func(*enforcementv1.RecordMeasureRequest) {}, 0},
		{"as another measure", func(r *enforcementv1.RecordMeasureRequest) { r.Code = "mark_risk" }, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS},
		{"done without receipt", finish("done", ""), commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD},
		{"done", finish("done", uuid.NewString()), 0},
		{"done again", finish("done", uuid.NewString()), 0},
		{"failed after done", finish("failed", uuid.NewString()), commonv1.ErrorReason_ERROR_REASON_WRONG_STATE},
		{"self-executed at once", func(r *enforcementv1.RecordMeasureRequest) {
			r.MeasureId, r.Code, r.ExecutorAgencyId, r.State = uuid.NewString(), "warn_holder", "", "done"
		}, 0},
	}
	for _, s := range steps {
		if got := errs.Reason(record(s.change)); got != s.reason {
			t.Errorf("%s: %v", s.name, got)
		}
	}
}
