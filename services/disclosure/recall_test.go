package disclosure

import (
	"testing"

	"github.com/google/uuid"
	"quietline/internal/errs"
	"quietline/internal/testkit"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// A recall is announced once and its outcome once; both may stand side by side, and the notice of an abandoned one falls.
func TestRecallIsAnnouncedOnce(t *testing.T) {
	w := newWorld(t)
	id := uuid.NewString()
	announce := func(kind string) *disclosurev1.Publication {
		t.Helper()
		resp, err := w.publish(t, func(r *disclosurev1.PublishRequest) { r.Publication.Kind, r.Publication.CaseId = kind, id })
		if err != nil || resp.GetPublication().GetState() != live {
			t.Fatalf("%s: %v, %v", kind, resp, err)
		}
		return resp.GetPublication()
	}
	notice := announce(recallNotice)
	if again := announce(recallNotice); again.GetPublicationId() != notice.GetPublicationId() {
		t.Error("a recall was announced twice")
	}
	announce(recall)
	of := func(r *disclosurev1.GetPublicationRequest) (*disclosurev1.Publication, error) {
		resp, err := w.flows.GetPublication(t.Context(), r)
		return resp.GetPublication(), err
	}
	if got, err := of(&disclosurev1.GetPublicationRequest{Kind: recallNotice, CaseId: id}); err != nil || got.GetPublicationId() != notice.GetPublicationId() {
		t.Errorf("the notice of the recall: %v, %v", got, err)
	}
	if _, err := of(&disclosurev1.GetPublicationRequest{Kind: recallNotice, CaseId: uuid.NewString()}); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		t.Errorf("the notice of another: %v", err)
	}
	for _, r := range []*disclosurev1.GetPublicationRequest{{}, {Kind: recall}, {PublicationId: id, Kind: recall, CaseId: id}} {
		if _, err := of(r); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD) {
			t.Errorf("%v: %v", r, err)
		}
	}
	list := func() int {
		resp, err := w.public.ListPublications(t.Context(), &disclosurev1.ListPublicationsRequest{Kind: recallNotice})
		if err != nil {
			t.Fatal(err)
		}
		return len(resp.GetPublications())
	}
	if list() != 1 {
		t.Errorf("%d notices", list())
	}
	_, err := w.flows.WithdrawPublication(t.Context(), &disclosurev1.WithdrawPublicationRequest{
		RequestId: uuid.NewString(), PublicationId: notice.GetPublicationId(), Reason: "异议成立,终止收回",
	})
	if err != nil || list() != 0 {
		t.Errorf("withdrawn: %v, %d left", err, list())
	}
	audit, err := w.au.Audit(t.Context(), &disclosurev1.AuditRequest{What: "violations"})
	if err != nil || len(audit.GetViolations()) != 0 {
		t.Errorf("violations: %v, %v", audit, err)
	}
	if _, err := testkit.Owner(t, w.db).Exec(t.Context(), "UPDATE publication SET notice_time = NULL WHERE kind = 'recall'"); err == nil {
		t.Error("the database takes an outcome without its notice")
	}
}
