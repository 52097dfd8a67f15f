package workflows

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/types/known/durationpb"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const (
	sweepID   = "sweep"
	sweepTime = 10 * time.Minute // one run; what it leaves the next one finds
)

// pace is how often the sweep runs and how long rows may wait before it starts them.
type pace struct{ every, olderThan time.Duration }

func paceOf(profile string) pace {
	if profile == Rehearsal {
		return pace{5 * time.Second, 3 * time.Second}
	}
	return pace{time.Minute, 30 * time.Second}
}

// Sweep starts the workflows of rows that nobody started: the business row is the outbox, and this empties it.
func Sweep(ctx workflow.Context, profile string) (*caseworkv1.Swept, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: sweepTime, HeartbeatTimeout: time.Minute,
		RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}, // the next run is the retry
	})
	out := &caseworkv1.Swept{}
	err := workflow.ExecuteActivity(ctx, act.StartUnstarted, profile).Get(ctx, out)
	return out, err
}

// starts bounds how many workflows are begun in a second, so that an import never floods Temporal, and how many at once.
type starts struct {
	limit *rate.Limiter
	most  int
}

// newStarts makes the bound; a negative rate starts nothing.
func newStarts(perSecond float64) *starts {
	const atOnce = 16
	burst := max(int(perSecond), 1)
	if perSecond < 0 {
		perSecond, burst = 0, 0
	}
	return &starts{limit: rate.NewLimiter(rate.Limit(perSecond), burst), most: atOnce}
}

// errPaused means that nothing is to be started now.
var errPaused = errors.New("starts are paused")

// StartUnstarted tells again the decisions that a crash kept from their workflows, and lists what waits and starts it, at
// the configured rate.
func (a *Activities) StartUnstarted(ctx context.Context, profile string) (*caseworkv1.Swept, error) {
	var began, existing atomic.Int32
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(a.starts.most)
	begin := func(start func(context.Context) (bool, error)) error {
		if a.starts.limit.Burst() == 0 {
			return errPaused
		}
		activity.RecordHeartbeat(ctx) // throttled by the SDK
		if err := a.starts.limit.Wait(gctx); err != nil {
			return err
		}
		group.Go(func() error {
			isNew, err := start(gctx)
			if isNew {
				began.Add(1)
			} else if err == nil {
				existing.Add(1)
			}
			return err
		})
		return nil
	}
	older := durationpb.New(paceOf(profile).olderThan)
	err := a.retell(ctx, older)
	if err == nil {
		err = a.complaintsUnstarted(gctx, older, begin)
	}
	if err == nil {
		err = a.casesUnstarted(gctx, older, begin)
	}
	if err == nil {
		err = a.mattersUnstarted(gctx, older, begin)
	}
	if err == nil {
		err = a.listsUnstarted(gctx, older, begin)
	}
	if err == nil {
		err = a.proposalsUnstarted(gctx, older, begin)
	}
	if err == nil {
		err = a.endLists(ctx)
	}
	if err == nil {
		err = a.withdrawUnfounded(ctx)
	}
	if waited := group.Wait(); waited != nil {
		err = waited
	}
	if errors.Is(err, errPaused) {
		err = nil
	}
	return &caseworkv1.Swept{Started: began.Load(), Existing: existing.Load()}, err
}

func (a *Activities) complaintsUnstarted(ctx context.Context, older *durationpb.Duration, begin func(func(context.Context) (bool, error)) error) error {
	for token := ""; ; {
		page, err := a.Reporting.ListUnstarted(ctx, &reportingv1.ListUnstartedRequest{PageSize: 500, PageToken: token, OlderThan: older})
		if err != nil {
			return err
		}
		for _, c := range page.GetEnded() { // merged: should they not have heard of it
			if err := a.runs.Signal(ctx, complaintID(c.GetComplaintId(), c.GetRound()), signalNudge, nil); err != nil {
				return err
			}
		}
		for _, c := range page.GetComplaints() {
			err := begin(func(ctx context.Context) (bool, error) {
				return a.runs.StartComplaint(ctx, c.GetComplaintId(), c.GetRound())
			})
			if err != nil {
				return err
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

func (a *Activities) casesUnstarted(ctx context.Context, older *durationpb.Duration, begin func(func(context.Context) (bool, error)) error) error {
	for token := ""; ; {
		page, err := a.Enforcement.ListUnstarted(ctx, &enforcementv1.ListUnstartedRequest{PageSize: 500, PageToken: token, OlderThan: older})
		if err != nil {
			return err
		}
		for _, id := range page.GetCaseIds() {
			if err := begin(func(ctx context.Context) (bool, error) { return a.runs.StartCase(ctx, id) }); err != nil {
				return err
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}
