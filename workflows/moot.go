package workflows

import (
	"context"
	"slices"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// A complaint may be merged into another while its round runs: its reports live on there, and its owner refuses whatever
// the round still has to write. That is nobody's defect. What is refused so is left out, and the run told to look: it
// finds its complaint closed, cancels its tasks and ends.

// merged says whether a write was refused because the complaint is closed: while its round runs only a merger closes it.
func merged(err error) bool { return errs.Is(err, commonv1.ErrorReason_ERROR_REASON_CLOSED) }

// moot forgives that a complaint was merged, and tells its run.
func (a *Activities) moot(ctx context.Context, id string, round int32, err error) error {
	if !merged(err) {
		return err
	}
	return a.runs.Signal(ctx, complaintID(id, round), signalNudge, nil)
}

// unlessMerged is what triage found, or that the round is over because the complaint was merged meanwhile.
func unlessMerged(t *caseworkv1.Triage, err error) (*caseworkv1.Triage, error) {
	if merged(err) {
		t.Current = false
		return t, nil
	}
	return t, err
}

// carriers are the operators that carried the calls from numbers merged into a complaint. The rounds that would have asked
// them to preserve their records have ended; whoever drives the complaint now asks.
func (a *Activities) carriers(ctx context.Context, f *reportingv1.GetFactsResponse) (ids []string, err error) {
	for _, m := range f.GetMergedNumbers() {
		at, err := a.carrier(ctx, f, m)
		if err != nil {
			return nil, err
		}
		if at != "" && !slices.Contains(ids, at) {
			ids = append(ids, at)
		}
	}
	return ids, nil
}

// carrier is the operator that gave a merged number access at its first call, else who served it; empty when nobody knows.
func (a *Activities) carrier(ctx context.Context, f *reportingv1.GetFactsResponse, m *reportingv1.MergedNumber) (string, error) {
	t := &caseworkv1.Triage{FirstCallTime: m.GetFirstCallTime(), ReportersProvince: mostReporters(f.GetReports())}
	r, err := a.resource(ctx, m.GetNumber(), t.GetFirstCallTime(), t.GetReportersProvince())
	if err != nil {
		return "", err
	}
	at, err := a.operator(ctx, r.GetAccessOperatorId())
	if err != nil || at != "" {
		return at, err
	}
	err = a.serving(ctx, m.GetNumber(), t)
	return t.GetServingOperatorId(), err
}
