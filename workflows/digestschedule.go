package workflows

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"quietline/internal/calendar"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// digestSchedule is the schedule that drafts the digest of the month before.
const digestSchedule = "digest-monthly"

// When the digest of the month before is drafted, unless the settings say otherwise.
const (
	usualDigestDay  = 5
	usualDigestTime = "09:00"
)

// digestDay is the day of the month and the time of day in Shanghai at which the digest of the month before is drafted.
type digestDay struct{ day, hour, minute int }

// newDigestDay reads the settings. Temporal counts in UTC: a time of day before 08:00 would be the day before there.
func newDigestDay(day int, at string) (digestDay, error) {
	const last = 28 // every month has it
	if day == 0 {
		day = usualDigestDay
	}
	clock, err := time.ParseInLocation("15:04", orElse(at, usualDigestTime), calendar.Shanghai)
	if err != nil || clock.Hour() < 8 || day < 1 || day > last {
		return digestDay{}, fmt.Errorf("the digest is drafted on a day from 1 to %d at a time from 08:00 to 23:59, not on %d at %s", last, day, at)
	}
	return digestDay{day, clock.Hour(), clock.Minute()}, nil
}

// spec is the day as a schedule has it.
func (d digestDay) spec() client.ScheduleSpec {
	const ahead = 8 // hours that Shanghai is ahead of UTC
	at := func(n int) []client.ScheduleRange { return []client.ScheduleRange{{Start: n}} }
	return client.ScheduleSpec{Calendars: []client.ScheduleCalendarSpec{{DayOfMonth: at(d.day), Hour: at(d.hour - ahead), Minute: at(d.minute)}}}
}

// scheduleDigest makes the schedule of the digest, or brings it up to date. A month that has a digest is left alone.
func (c *Client) scheduleDigest(ctx context.Context, d digestDay) error {
	const missed = 7 * 24 * time.Hour // a day on which everything was down is made up for
	spec := d.spec()
	schedules := c.temporal.ScheduleClient()
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: digestSchedule, Spec: spec, Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: missed,
		Action: &client.ScheduleWorkflowAction{ID: digestID("monthly"), Workflow: Digest, TaskQueue: TaskQueue, Args: []any{&caseworkv1.DigestInput{}}},
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return schedules.GetHandle(ctx, digestSchedule).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			s := in.Description.Schedule
			s.Spec = &spec
			return &client.ScheduleUpdate{Schedule: &s}, nil
		},
	})
}

// DraftDigest drafts a digest at once, as the activity of its workflow does: for the bench.
func DraftDigest(ctx context.Context, owners Owners, in *caseworkv1.DigestInput) error {
	return newActivities(owners, nil, nil).BuildDigest(ctx, in)
}
