package workflows

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
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

// decidedTime is when what a case decided was decided: signed, or changed last.
func decidedTime(c *enforcementv1.Case) *timestamppb.Timestamp {
	if c.GetChangeTime() != nil {
		return c.GetChangeTime()
	}
	return c.GetDecision().GetDecidedTime()
}

// withdrawListings takes back everything that a case brought onto the lists, and its publications; everybody who follows
// the lists hears of it (行政处罚法 48). The term to stop publishing runs from since, when the decision fell.
func (a *Activities) withdrawListings(ctx context.Context, caseID, deed, reason string, since *timestamppb.Timestamp) (int, error) {
	resp, err := a.Credit.WithdrawByCase(ctx, &creditv1.WithdrawByCaseRequest{
		RequestId: derived(caseID + "/withdraw listings" + deed), CaseId: caseID, Reason: reason,
	})
	if err != nil {
		return 0, err
	}
	for _, l := range resp.GetListings() {
		if err := a.unpublish(ctx, l, since); err != nil {
			return 0, err
		}
	}
	return len(resp.GetListings()), nil
}

// delist is the effect of a reversal on the lists, or of a change, after which the decision is judged anew.
func (a *Activities) delist(ctx context.Context, c *enforcementv1.Case) (effect, error) {
	deed, reason, since := "", reversed, c.GetReverseTime()
	if since == nil && c.GetChangeTime() != nil {
		since, reason = c.GetChangeTime(), wasChanged
		deed = "/" + since.AsTime().String()
	}
	n, err := a.withdrawListings(ctx, c.GetCaseId(), deed, reason, since)
	if err != nil || n > 0 {
		return effect{result: effectDone}, err
	}
	return effect{result: effectNothing}, nil
}
