package workflows

import (
	"context"

	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// wasChanged is what the public reads of a decision that a reconsideration or a suit changed.
const (
	wasChanged    = "行政处罚决定已依法变更"
	causeChanged  = "changed"
	kindOfWarning = "warning"
)

// correctPenalty gives the publication of a decision that was changed its new content; what it said before stays as a
// version. A warning alone is not published, so that the item is taken down with the reason (行政处罚法 48).
func (a *Activities) correctPenalty(ctx context.Context, c *enforcementv1.Case, e *enforcementv1.PlannedEffect) (effect, error) {
	now, err := a.penaltyPublication(ctx, c, c.GetDeliverTime())
	if err != nil {
		return effect{}, err
	}
	id := e.GetFacts()["publication_id"]
	if now.GetGate().GetPenaltyKind() == kindOfWarning {
		_, err := a.Disclosure.WithdrawPublication(ctx, &disclosurev1.WithdrawPublicationRequest{
			RequestId: derived(c.GetCaseId() + "/" + e.GetKey()), PublicationId: id, Reason: wasChanged, Cause: causeChanged, CauseTime: c.GetChangeTime(),
		})
		if err != nil {
			return answered(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
		}
		return effect{target: id, result: "withdrawn"}, nil
	}
	_, err = a.Disclosure.CorrectPublication(ctx, &disclosurev1.CorrectPublicationRequest{
		RequestId: derived(c.GetCaseId() + "/" + e.GetKey()), PublicationId: id, Title: now.GetPublication().GetTitle(),
		Summary: now.GetPublication().GetSummary(), Note: wasChanged,
	})
	if err != nil { // it ended meanwhile: there is nothing to put right
		return answered(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	}
	return effect{target: id, result: effectDone}, nil
}
