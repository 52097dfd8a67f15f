package workflows

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// concluding ends the handling of a round.
type concluding struct {
	Deeds        []proto.Message // queued before it
	Profile      string
	Now          time.Time
	NeedFindings bool // reports that joined late are checked before anybody is told the result
	Feedback     *reportingv1.GiveFeedbackRequest
	Advance      *reportingv1.AdvanceComplaintRequest
	Watch        *reportingv1.StartWatchingRequest
}

// Conclude tells every reporter the result, writes what became of disclosure, and begins to watch. When reports joined
// that are to be checked first it tells nobody.
func (a *Activities) Conclude(ctx context.Context, c concluding) (*caseworkv1.Concluded, error) {
	if _, err := a.Perform(ctx, c.Deeds); err != nil {
		return nil, err
	}
	f, err := a.classifyLate(ctx, c.Feedback.GetRequestId(), c.Feedback.GetComplaintId(), c.Feedback.GetRound())
	if err != nil {
		return nil, err
	}
	if c.NeedFindings && f.GetUnchecked() > 0 {
		return &caseworkv1.Concluded{Late: f.GetUnchecked()}, nil
	}
	if err := a.settleFinding(ctx, c.Watch.GetComplaintId(), c.Watch.GetRound(), settledBy[c.Watch.GetResult()]); err != nil {
		return nil, err
	}
	until, err := calendar.Due(basisWatch, c.Now, c.Profile)
	if err != nil {
		return nil, err
	}
	watch := proto.CloneOf(c.Watch)
	watch.UntilTime = timestamppb.New(until.Due)
	var w writing
	for _, m := range []proto.Message{c.Feedback, c.Advance, watch} {
		w.add(roundWrite(m), false)
	}
	written, err := a.writeRound(ctx, w.request)
	if err == nil {
		return &caseworkv1.Concluded{Watching: written.GetWatching(), UntilTime: watch.GetUntilTime()}, nil
	}
	if !final[status.Code(err)] {
		return nil, err
	}
	return a.concludeOneByOne(ctx, c, watch)
}

// concludeOneByOne is what becomes of a conclusion that the complaint's owner refuses as a whole.
func (a *Activities) concludeOneByOne(ctx context.Context, c concluding, watch *reportingv1.StartWatchingRequest) (*caseworkv1.Concluded, error) {
	for _, m := range []roundDeed{c.Feedback, c.Advance} {
		if err := a.writeOne(ctx, m, false, &caseworkv1.Performed{}); err != nil {
			return nil, err
		}
	}
	watch, err := rekeyed(watch)
	if err != nil {
		return nil, err
	}
	resp, err := a.Reporting.StartWatching(ctx, watch)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING) {
		return &caseworkv1.Concluded{}, nil
	}
	if merged(err) {
		return &caseworkv1.Concluded{}, a.moot(ctx, watch.GetComplaintId(), watch.GetRound(), err)
	}
	if err != nil {
		return nil, err
	}
	return &caseworkv1.Concluded{Watching: resp.GetWatching(), UntilTime: watch.GetUntilTime()}, nil
}

// closing ends a complaint.
type closing struct {
	Deeds    []proto.Message // queued before it
	Feedback *reportingv1.GiveFeedbackRequest
	Close    *reportingv1.CloseComplaintRequest
}

// maxJoins is how often reports may join between the last feedback and the closing before a try counts as failed.
const maxJoins = 5

// Close closes a complaint. Reports that join at the last moment get the result too; nobody is left without.
func (a *Activities) Close(ctx context.Context, c closing) (*caseworkv1.Ended, error) {
	if _, err := a.classifyLate(ctx, c.Close.GetRequestId(), c.Close.GetComplaintId(), c.Close.GetRound()); err != nil {
		return nil, err // what joined while it was watched
	}
	for try := range maxJoins {
		if try > 0 {
			feedback := proto.CloneOf(c.Feedback)
			feedback.RequestId = derived(fmt.Sprintf("%s/%d", c.Feedback.GetRequestId(), try))
			if _, err := a.Reporting.GiveFeedback(ctx, feedback); err != nil {
				if superseded(err) {
					return &caseworkv1.Ended{}, nil
				}
				return nil, err
			}
		}
		resp, err := a.Reporting.CloseComplaint(ctx, c.Close)
		switch {
		case err == nil:
			return &caseworkv1.Ended{Closed: resp.GetClosed()}, nil
		case !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING):
			return nil, err
		}
	}
	return nil, fmt.Errorf("reports joined %d times while the complaint was being closed", maxJoins)
}

// CloseUnlessJoined closes a complaint that is withdrawn or not taken. Its owner refuses when a report has joined that is
// neither: the round goes on with that.
func (a *Activities) CloseUnlessJoined(ctx context.Context, c closing) (*caseworkv1.Ended, error) {
	if _, err := a.Perform(ctx, c.Deeds); err != nil {
		return nil, err
	}
	resp, err := a.Reporting.CloseComplaint(ctx, c.Close)
	if superseded(err) || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING) {
		return &caseworkv1.Ended{GoesOn: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &caseworkv1.Ended{Closed: resp.GetClosed()}, a.settleFinding(ctx, c.Close.GetComplaintId(), c.Close.GetRound(), settledBy[c.Close.GetResult()])
}

// superseded says whether a write was refused because another round has begun, or the complaint is closed.
func superseded(err error) bool {
	return errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) || errs.Is(err, commonv1.ErrorReason_ERROR_REASON_CLOSED)
}
