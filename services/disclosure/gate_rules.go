package disclosure

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Kinds of publications.
const (
	penalty  = "penalty"
	listing  = "listing"
	exposure = "exposure"
	// of a recall of number resources, in which the notice comes before everything
	recallNotice = "recall_notice"
	recall       = "recall"
)

// States of a publication.
const (
	live      = "LIVE"
	takenDown = "TAKEN_DOWN"
	withdrawn = "WITHDRAWN"
)

// ahead is how far another workload's clock may be ahead of ours.
const ahead = 5 * time.Minute

// gate says why an item of a kind is not published, as a code, or nothing when it passes. What no item of the kind can
// be, a penalty without decision or an act in the future, is refused.
func gate(kind string, g *disclosurev1.Gate, now time.Time) (because string, err error) {
	if g.GetPerson() {
		return "natural_person", nil
	}
	for _, t := range []*timestamppb.Timestamp{g.GetNoticeTime(), g.GetDecidedTime(), g.GetDeliveredTime(), g.GetWarnedTime()} {
		if t != nil && t.AsTime().After(now.Add(ahead)) {
			return "", notPassed("what is to come is no due process: a time of the gate is in the future")
		}
	}
	if kind == exposure {
		if g.GetWarnedTime() == nil || !g.GetWarnedTime().AsTime().Before(now) {
			return "no_warning", nil
		}
		return "", nil
	}
	if g.GetDecidedTime() == nil {
		return "", notPassed("there is no signed decision")
	}
	switch {
	case kind == recallNotice:
		return "", nil
	case kind == recall && (g.GetNoticeTime() == nil || !g.GetNoticeTime().AsTime().Before(g.GetDecidedTime().AsTime())):
		return "no_notice", nil
	case kind == recall:
		return "", nil
	}
	if kind == penalty {
		switch g.GetPenaltyKind() {
		case "warning":
			return "warning_only", nil
		case "criticism", "fine", "confiscation", "closure", "revocation":
		default:
			return "", notPassed("there is no penalty")
		}
		if !g.GetSocialImpact() {
			return "no_social_impact", nil
		}
	}
	decided := g.GetDecidedTime().AsTime()
	if g.GetNoticeTime() == nil || g.GetNoticeTime().AsTime().After(decided) {
		return "no_notice", nil
	}
	if g.GetDeliveredTime() == nil || g.GetDeliveredTime().AsTime().Before(decided) {
		return "not_delivered", nil
	}
	return "", nil
}

func notPassed(text string) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED, "%s", text)
}

// takeDown is the beginning of the same day some months later in Shanghai, or of the last of its month where there is no
// such day: never later than the months allow.
func takeDown(published time.Time, months int) time.Time {
	y, m, d := published.In(calendar.Shanghai).Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, calendar.Shanghai)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, calendar.Shanghai).UTC()
}

// stateAt is the state of a publication at a time.
func stateAt(at, takeDownTime time.Time, withdrawnTime *time.Time) string {
	switch {
	case withdrawnTime != nil:
		return withdrawn
	case !takeDownTime.After(at):
		return takenDown
	}
	return live
}
