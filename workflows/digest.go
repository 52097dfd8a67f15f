package workflows

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// monthLayout is how months are written.
const monthLayout = "2006-01"

// countTime is how long the owners may count: a month that nobody has counted yet is counted as a whole.
const countTime = 20 * time.Minute

// Digest drafts the digest of a month (举报情况盘点) from what the owners of the facts have counted. The schedule names no
// month: then it is the one before.
func Digest(ctx workflow.Context, in *caseworkv1.DigestInput) error {
	in = proto.CloneOf(in)
	if in.GetMonth() == "" {
		now := workflow.Now(ctx).In(calendar.Shanghai)
		in.Month = time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, calendar.Shanghai).Format(monthLayout)
	}
	if in.GetDigestId() == "" {
		in.DigestId = derived(workflow.GetInfo(ctx).WorkflowExecution.ID)
	}
	if workflow.GetVersion(ctx, "digest-counts", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		ctx = workflow.WithLocalActivityOptions(ctx, locally)
		return workflow.ExecuteLocalActivity(ctx, act.BuildDigest, in).Get(ctx, nil)
	}
	// Counting may take its time: no local activity. A refusal is the asker's to hear: the month may be one that cannot be
	// drafted.
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: countTime, HeartbeatTimeout: 5 * time.Minute,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Minute},
	})
	return workflow.ExecuteActivity(ctx, act.BuildDigest, in).Get(ctx, nil)
}

// counting is an owner of facts, asked for its counts.
type counting struct {
	name string
	cut  func(ctx context.Context, request, month string) (int64, *timestamppb.Timestamp, error)
	list func(ctx context.Context, month string, cut int64, token string) ([]*commonv1.DayCount, string, error)
}

// countPage is how many counts travel at once.
const countPage = 5000

// BuildDigest has every owner count, freezes what they counted, and has the digest drafted from that.
func (a *Activities) BuildDigest(ctx context.Context, in *caseworkv1.DigestInput) error {
	var names []*disclosurev1.DigestName
	group, gathering := errgroup.WithContext(ctx)
	for _, o := range a.counting() {
		group.Go(func() error { return a.freeze(gathering, o, in) })
	}
	group.Go(func() (err error) {
		names, err = a.names(gathering)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	drafted, err := a.Disclosure.RecordDigest(ctx, &disclosurev1.RecordDigestRequest{
		RequestId: derived(in.GetDigestId() + "/record"), DigestId: in.GetDigestId(), Month: in.GetMonth(), Note: in.GetNote(),
		DraftedBy: in.GetDraftedBy(), DraftedByAgency: in.GetDraftedByAgency(), Names: names,
	})
	if err != nil {
		return err
	}
	return a.scorecards(ctx, in.GetMonth(), drafted.GetDigest().GetDigestId())
}

func (a *Activities) counting() []counting {
	return []counting{
		{"reporting", func(ctx context.Context, request, month string) (int64, *timestamppb.Timestamp, error) {
			r, err := a.Reporting.CutCounts(ctx, &reportingv1.CutCountsRequest{RequestId: request, Month: month})
			return r.GetCut(), r.GetCutTime(), err
		}, func(ctx context.Context, month string, cut int64, token string) ([]*commonv1.DayCount, string, error) {
			r, err := a.Reporting.ListDailyCounts(ctx, &reportingv1.ListDailyCountsRequest{Month: month, Cut: cut, PageSize: countPage, PageToken: token})
			return r.GetCounts(), r.GetNextPageToken(), err
		}},
		{"assignment", func(ctx context.Context, request, month string) (int64, *timestamppb.Timestamp, error) {
			r, err := a.Assignment.CutCounts(ctx, &assignmentv1.CutCountsRequest{RequestId: request, Month: month})
			return r.GetCut(), r.GetCutTime(), err
		}, func(ctx context.Context, month string, cut int64, token string) ([]*commonv1.DayCount, string, error) {
			r, err := a.Assignment.ListDailyCounts(ctx, &assignmentv1.ListDailyCountsRequest{Month: month, Cut: cut, PageSize: countPage, PageToken: token})
			return r.GetCounts(), r.GetNextPageToken(), err
		}},
		{"enforcement", func(ctx context.Context, request, month string) (int64, *timestamppb.Timestamp, error) {
			r, err := a.Enforcement.CutCounts(ctx, &enforcementv1.CutCountsRequest{RequestId: request, Month: month})
			return r.GetCut(), r.GetCutTime(), err
		}, func(ctx context.Context, month string, cut int64, token string) ([]*commonv1.DayCount, string, error) {
			r, err := a.Enforcement.ListDailyCounts(ctx, &enforcementv1.ListDailyCountsRequest{Month: month, Cut: cut, PageSize: countPage, PageToken: token})
			return r.GetCounts(), r.GetNextPageToken(), err
		}},
	}
}

// freeze has an owner count and keeps its pages. Repeated, it finds its cut and its pages again.
func (a *Activities) freeze(ctx context.Context, o counting, in *caseworkv1.DigestInput) error {
	beat(ctx, o.name)
	request := in.GetDigestId() + "/" + o.name
	cut, at, err := o.cut(ctx, derived(request+"/cut"), in.GetMonth())
	if err != nil {
		return err
	}
	token := ""
	for page := 0; page == 0 || token != ""; page++ {
		beat(ctx, o.name)
		var counts []*commonv1.DayCount
		if counts, token, err = o.list(ctx, in.GetMonth(), cut, token); err != nil {
			return err
		}
		if _, err := a.Disclosure.FreezeCounts(ctx, &disclosurev1.FreezeCountsRequest{
			RequestId: derived(request + "/" + strconv.Itoa(page)), DigestId: in.GetDigestId(), Owner: o.name, Cut: cut, CutTime: at, Counts: counts,
			Page: int32(page), //nolint:gosec // few
		}); err != nil {
			return err
		}
	}
	return nil
}

// beat says that the work goes on, where somebody listens: a local activity has no heartbeat.
func beat(ctx context.Context, what string) {
	if activity.IsActivity(ctx) && !activity.GetInfo(ctx).IsLocalActivity {
		activity.RecordHeartbeat(ctx, what)
	}
}

// names are what agencies are called now.
func (a *Activities) names(ctx context.Context) ([]*disclosurev1.DigestName, error) {
	const pageSize = 500
	var out []*disclosurev1.DigestName
	req := &assignmentv1.ListAgenciesRequest{PageSize: pageSize}
	for {
		page, err := a.Assignment.ListAgencies(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("agencies: %w", err)
		}
		for _, agency := range page.GetAgencies() {
			out = append(out, &disclosurev1.DigestName{Key: agency.GetAgencyId(), Name: agency.GetName()})
		}
		if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
			return out, nil
		}
	}
}
