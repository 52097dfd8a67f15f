package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Every owner's counts are frozen as of one cut, page by page, before the digest is drafted.
func TestDigest(t *testing.T) {
	p := newPlay(t, digestID(id(9)))
	p.env.ExecuteWorkflow(Digest, &caseworkv1.DigestInput{DigestId: id(9), Month: "2026-10", Note: "更正", DraftedBy: "somebody"})
	p.ended()
	if n := len(p.w.frozen); n != 4 { // reporting has two pages
		t.Fatalf("%d pages frozen", n)
	}
	days := ""
	slices.SortStableFunc(p.w.frozen, func(a, b *disclosurev1.FreezeCountsRequest) int { return -strings.Compare(a.GetOwner(), b.GetOwner()) })
	for _, f := range p.w.frozen {
		if f.GetDigestId() != id(9) || f.GetCut() == 0 || f.GetCutTime() == nil {
			t.Errorf("frozen: %v", f)
		}
		days += f.GetOwner() + f.GetCounts()[0].GetDay()[8:] + " "
	}
	if days != "reporting01 reporting02 enforcement01 assignment01 " {
		t.Errorf("frozen: %s", days)
	}
	d := p.w.digests[0]
	if got := p.w.cards; got != "2026-10: appeal, operators: cmcc-44 over ca-44" {
		t.Errorf("scorecards: %s", got)
	}
	if d.GetMonth() != "2026-10" || d.GetNote() != "更正" || d.GetDraftedBy() != "somebody" || len(d.GetNames()) == 0 {
		t.Errorf("drafted: %v", d)
	}
}

// The schedule names no month and no digest: it is the month before in Shanghai, and each run has a digest of its own.
func TestDigest_ofTheSchedule(t *testing.T) {
	for now, want := range map[string]string{
		"2026-11-05T01:00:00Z": "2026-10", "2026-12-31T16:30:00Z": "2026-12", "2027-01-05T01:00:00Z": "2026-12", "2026-03-31T15:59:00Z": "2026-02",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		p := newPlay(t, digestID("monthly-"+now))
		p.env.SetStartTime(at)
		p.env.ExecuteWorkflow(Digest, &caseworkv1.DigestInput{})
		p.ended()
		if d := p.w.digests[0]; d.GetMonth() != want || d.GetDigestId() != derived(digestID("monthly-"+now)) || d.GetDraftedBy() != "" {
			t.Errorf("at %s: %v", now, d)
		}
	}
}

// On a real Temporal: asked for by a person once, whoever repeats the request; and drafted by the schedule, which many
// replicas make, each when it starts.
func testRealDigest(t *testing.T, x *town) {
	asked := &caseworkv1.BuildDigestRequest{RequestId: uuid.NewString(), Month: "2026-10"}
	for range 2 {
		resp, err := x.server.BuildDigest(identity.WithActor(t.Context(), &commonv1.Actor{Subject: "statistician", AgencyId: "miit"}), asked)
		if err != nil || len(x.w.digests) != 1 || x.w.digests[0].GetDraftedBy() == "" || x.w.digests[0].GetDraftedByAgency() != "miit" {
			t.Fatalf("digest: %v, %d written", err, len(x.w.digests))
		}
		x.keep("digest", digestID(resp.GetDigestId()))
	}
	lead := identity.WithActor(t.Context(), &commonv1.Actor{Subject: "lead", AgencyId: "samr", Roles: []accessv1.Role{accessv1.Role_ROLE_LEAD}})
	other := &caseworkv1.BuildDigestRequest{RequestId: uuid.NewString(), Month: "2026-10"}
	if _, err := x.server.BuildDigest(lead, other); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY) || len(x.w.digests) != 1 {
		t.Errorf("drafted for an agency that disclosure does not name: %v", err)
	}
	for _, at := range []digestDay{{5, 9, 0}, {5, 9, 0}, {6, 10, 30}} {
		if err := x.mesh.scheduleDigest(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	schedule := x.g.client.ScheduleClient().GetHandle(t.Context(), digestSchedule)
	d, err := schedule.Describe(t.Context())
	if err != nil || len(d.Info.NextActionTimes) == 0 {
		t.Fatalf("schedule: %v", err)
	}
	if next := d.Info.NextActionTimes[0].In(calendar.Shanghai); next.Day() != 6 || next.Format("15:04") != "10:30" {
		t.Errorf("the next digest is drafted at %v", next)
	}
	if err := schedule.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for x.drafts() < 2 && time.Now().Before(deadline) {
		if err := pause(t.Context(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if x.drafts() != 2 {
		t.Error("the schedule drafts nothing")
	}
}

func (x *town) drafts() int {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	return len(x.w.digests)
}

func TestDigestDay(t *testing.T) {
	if d, err := newDigestDay(0, ""); err != nil || d != (digestDay{5, 9, 0}) {
		t.Errorf("%v, %v", d, err)
	}
	d, err := newDigestDay(3, "08:30")
	if err != nil {
		t.Fatal(err)
	}
	if c := d.spec().Calendars[0]; c.DayOfMonth[0].Start != 3 || c.Hour[0].Start != 0 || c.Minute[0].Start != 30 {
		t.Errorf("in UTC: %v", c)
	}
	for _, bad := range []struct {
		day int
		at  string
	}{{29, "09:00"}, {-1, "09:00"}, {5, "07:59"}, {5, "24:00"}, {5, "nine"}} {
		if _, err := newDigestDay(bad.day, bad.at); err == nil {
			t.Errorf("%v is a day for digests", bad)
		}
	}
}

func counts(day string) []*commonv1.DayCount {
	return []*commonv1.DayCount{{Day: day, Unit: "reports", Axis: "sector", Key: "loans", Count: 12, Reporters: 11}}
}

func (f fakeReporting) CutCounts(context.Context, *reportingv1.CutCountsRequest, ...grpc.CallOption) (*reportingv1.CutCountsResponse, error) {
	return &reportingv1.CutCountsResponse{Cut: 7, CutTime: f.w.clock()}, nil
}

func (f fakeReporting) ListDailyCounts(_ context.Context, req *reportingv1.ListDailyCountsRequest, _ ...grpc.CallOption) (*reportingv1.ListDailyCountsResponse, error) {
	if req.GetPageToken() == "" {
		return &reportingv1.ListDailyCountsResponse{Counts: counts(req.GetMonth() + "-01"), NextPageToken: "more"}, nil
	}
	return &reportingv1.ListDailyCountsResponse{Counts: counts(req.GetMonth() + "-02")}, nil
}

func (f fakeAssignment) CutCounts(context.Context, *assignmentv1.CutCountsRequest, ...grpc.CallOption) (*assignmentv1.CutCountsResponse, error) {
	return &assignmentv1.CutCountsResponse{Cut: 8, CutTime: f.w.clock()}, nil
}

func (f fakeAssignment) ListDailyCounts(_ context.Context, req *assignmentv1.ListDailyCountsRequest, _ ...grpc.CallOption) (*assignmentv1.ListDailyCountsResponse, error) {
	return &assignmentv1.ListDailyCountsResponse{Counts: counts(req.GetMonth() + "-01")}, nil
}

func (f fakeAssignment) ListAgencies(context.Context, *assignmentv1.ListAgenciesRequest, ...grpc.CallOption) (*assignmentv1.ListAgenciesResponse, error) {
	return &assignmentv1.ListAgenciesResponse{Agencies: []*assignmentv1.Agency{
		{AgencyId: "miit", Name: "工业和信息化部"}, {AgencyId: "cmcc-44", Name: "广东移动", Kind: "operator_branch", Province: "44"},
	}}, nil
}

func (f fakeEnforcement) CutCounts(context.Context, *enforcementv1.CutCountsRequest, ...grpc.CallOption) (*enforcementv1.CutCountsResponse, error) {
	return &enforcementv1.CutCountsResponse{Cut: 9, CutTime: f.w.clock()}, nil
}

func (f fakeEnforcement) ListDailyCounts(_ context.Context, req *enforcementv1.ListDailyCountsRequest, _ ...grpc.CallOption) (*enforcementv1.ListDailyCountsResponse, error) {
	return &enforcementv1.ListDailyCountsResponse{Counts: counts(req.GetMonth() + "-01")}, nil
}

// The policy of publishers is disclosure's: here it names one agency.
func (f fakeDisclosure) CheckDigestDraft(_ context.Context, req *disclosurev1.CheckDigestDraftRequest, _ ...grpc.CallOption) (*disclosurev1.CheckDigestDraftResponse, error) {
	if req.GetAgencyId() != "miit" {
		return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "%s", req.GetMonth())
	}
	return &disclosurev1.CheckDigestDraftResponse{}, nil
}

func (f fakeDisclosure) FreezeCounts(_ context.Context, req *disclosurev1.FreezeCountsRequest, _ ...grpc.CallOption) (*disclosurev1.FreezeCountsResponse, error) {
	return once(f.w, req, func() (*disclosurev1.FreezeCountsResponse, error) {
		f.w.frozen = append(f.w.frozen, req)
		return &disclosurev1.FreezeCountsResponse{}, nil
	})
}

func (f fakeDisclosure) RecordDigest(_ context.Context, req *disclosurev1.RecordDigestRequest, _ ...grpc.CallOption) (*disclosurev1.RecordDigestResponse, error) {
	return once(f.w, req, func() (*disclosurev1.RecordDigestResponse, error) {
		f.w.digests = append(f.w.digests, req)
		return &disclosurev1.RecordDigestResponse{Digest: &disclosurev1.Digest{DigestId: req.GetDigestId()}}, nil
	})
}
