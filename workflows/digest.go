package workflows

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Digest builds the digest of a month (举报情况盘点) from a data cut.
func Digest(ctx workflow.Context, in *caseworkv1.DigestInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	// A refusal is the asker's to hear: the month may be one that cannot be built.
	return workflow.ExecuteLocalActivity(ctx, act.BuildDigest, in).Get(ctx, nil)
}

// BuildDigest counts the month's reports and has the digest written with the hash of the cut.
func (a *Activities) BuildDigest(ctx context.Context, in *caseworkv1.DigestInput) error {
	from, err := time.ParseInLocation("2006-01", in.GetMonth(), calendar.Shanghai)
	if err != nil {
		return fmt.Errorf("month: %w", err)
	}
	tally, err := a.Reporting.TallyReports(ctx, &reportingv1.TallyReportsRequest{
		FromTime: timestamppb.New(from), ToTime: timestamppb.New(from.AddDate(0, 1, 0)),
	})
	if err != nil {
		return err
	}
	_, err = a.Disclosure.RecordDigest(ctx, &disclosurev1.RecordDigestRequest{
		RequestId: derived(in.GetDigestId() + "/record"), DigestId: in.GetDigestId(), Month: in.GetMonth(),
		Total: tally.GetTotal(), CutHash: tally.GetCutHash(),
		Tables: []*disclosurev1.DigestTable{
			table("sector", tally.GetBySector()), table("category", tally.GetByCategory()),
			table("number_kind", tally.GetByNumberKind()), table("province", tally.GetByProvince()),
		},
	})
	return err
}

func table(axis string, tallies []*reportingv1.Tally) *disclosurev1.DigestTable {
	t := &disclosurev1.DigestTable{Axis: axis}
	for _, row := range tallies {
		t.Rows = append(t.Rows, &disclosurev1.DigestRow{Key: row.GetKey(), Reports: row.GetReports(), Reporters: row.GetReporters()})
	}
	return t
}
