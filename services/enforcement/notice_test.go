package enforcement

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// A proposal that was sent back and changed needs a new notice, and the decision stands on that one.
func TestNoticesAddUp(t *testing.T) {
	w := newWorld(t)
	id := w.open(t, nil).GetCaseId()
	w.advance(t, id, investigating)
	first := w.advance(t, id, noticeServed).GetNoticeTime().AsTime()
	task := uuid.NewString()
	serve := func() time.Time {
		resp, err := w.flows.AdvanceCase(t.Context(), &enforcementv1.AdvanceCaseRequest{
			RequestId: uuid.NewString(), CaseId: id, State: noticeServed, TaskId: task,
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetCase().GetNoticeTime().AsTime()
	}
	second := serve()
	if !second.After(first) {
		t.Errorf("the second notice was served %v, the first %v", second, first)
	}
	if again := serve(); !again.Equal(second) { // the same notice, told again
		t.Errorf("the second notice moved from %v to %v", second, again)
	}
	var notices int
	if err := w.db.QueryRow(t.Context(), "SELECT count(*) FROM case_notice WHERE case_id = $1", id).Scan(&notices); err != nil || notices != 2 {
		t.Errorf("%d notices on record, %v", notices, err)
	}
	early := fine(id)
	early.Decision.DecidedTime = timestamppb.New(first.Add(second.Sub(first) / 2)) // after the first, before the second
	_, err := w.flows.DecideCase(t.Context(), early)
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	if _, err := w.flows.DecideCase(t.Context(), fine(id)); err != nil {
		t.Fatal(err)
	}
	var stood time.Time
	if err := w.db.QueryRow(t.Context(), "SELECT notice_time FROM case_decision WHERE case_id = $1", id).Scan(&stood); err != nil || !stood.Equal(second) {
		t.Errorf("the decision stands on the notice of %v, not of %v; %v", stood, second, err)
	}
	got, err := w.au.Audit(t.Context(), &enforcementv1.AuditRequest{What: "violations"})
	if err != nil || len(got.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", got, err)
	}
	_, err = w.flows.AdvanceCase(t.Context(), &enforcementv1.AdvanceCaseRequest{
		RequestId: uuid.NewString(), CaseId: id, State: noticeServed, TaskId: uuid.NewString(),
	})
	wantReason(t, err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) // decided is decided
}
