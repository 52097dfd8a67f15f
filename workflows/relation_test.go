package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// related is the owner of complaints that are merged and split while their rounds run.
type related struct {
	fakeReporting
	merged *bool
	splits *[]*reportingv1.SplitComplaintRequest
}

func (f related) closed() error {
	if !*f.merged {
		return nil
	}
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "the complaint is closed")
}

func (f related) GetFacts(ctx context.Context, req *reportingv1.GetFactsRequest, o ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	resp, err := f.fakeReporting.GetFacts(ctx, req, o...)
	if *f.merged {
		resp.Complaint.State = "CLOSED"
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for _, r := range f.w.reports { // of the round, whichever were asked for
		at := r.GetReport().GetCallTime()
		if at != nil && (resp.GetFirstCallTime() == nil || at.AsTime().Before(resp.GetFirstCallTime().AsTime())) {
			resp.FirstCallTime = at
		}
		if at != nil && at.AsTime().After(resp.GetLastCallTime().AsTime()) {
			resp.LastCallTime = at
		}
	}
	return resp, err
}

func (f related) BeginRound(ctx context.Context, req *reportingv1.BeginRoundRequest, o ...grpc.CallOption) (*reportingv1.BeginRoundResponse, error) {
	resp, err := f.fakeReporting.BeginRound(ctx, req, o...)
	facts, _ := f.GetFacts(ctx, &reportingv1.GetFactsRequest{MaxReports: 1})
	resp.FirstCallTime = facts.GetFirstCallTime()
	return resp, err
}

func (f related) AdvanceComplaint(ctx context.Context, req *reportingv1.AdvanceComplaintRequest, o ...grpc.CallOption) (*reportingv1.AdvanceComplaintResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.AdvanceComplaint(ctx, req, o...)
}

func (f related) GiveFeedback(ctx context.Context, req *reportingv1.GiveFeedbackRequest, o ...grpc.CallOption) (*reportingv1.GiveFeedbackResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.GiveFeedback(ctx, req, o...)
}

func (f related) RecordFindings(ctx context.Context, req *reportingv1.RecordFindingsRequest, o ...grpc.CallOption) (*reportingv1.RecordFindingsResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.RecordFindings(ctx, req, o...)
}

func (f related) RecordClassification(ctx context.Context, req *reportingv1.RecordClassificationRequest, o ...grpc.CallOption) (*reportingv1.RecordClassificationResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.RecordClassification(ctx, req, o...)
}

func (f related) StartWatching(ctx context.Context, req *reportingv1.StartWatchingRequest, o ...grpc.CallOption) (*reportingv1.StartWatchingResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.StartWatching(ctx, req, o...)
}

func (f related) WriteRound(ctx context.Context, req *reportingv1.WriteRoundRequest, o ...grpc.CallOption) (*reportingv1.WriteRoundResponse, error) {
	if err := f.closed(); err != nil {
		return nil, err
	}
	return f.fakeReporting.WriteRound(ctx, req, o...)
}

func (f related) CloseComplaint(ctx context.Context, req *reportingv1.CloseComplaintRequest, o ...grpc.CallOption) (*reportingv1.CloseComplaintResponse, error) {
	if *f.merged {
		return &reportingv1.CloseComplaintResponse{Closed: true}, nil
	}
	return f.fakeReporting.CloseComplaint(ctx, req, o...)
}

// SplitComplaint takes the named reports away.
func (f related) SplitComplaint(_ context.Context, req *reportingv1.SplitComplaintRequest, _ ...grpc.CallOption) (*reportingv1.SplitComplaintResponse, error) {
	return once(f.w, req, func() (*reportingv1.SplitComplaintResponse, error) {
		*f.splits = append(*f.splits, req)
		resp := &reportingv1.SplitComplaintResponse{}
		for _, g := range req.GetGroups() {
			f.w.reports = slices.DeleteFunc(slices.Clone(f.w.reports), func(r *reportingv1.ReportFacts) bool {
				return slices.Contains(g.GetReportIds(), r.GetReport().GetReportId())
			})
			resp.Parts = append(resp.Parts, &reportingv1.SplitOff{ComplaintId: id(800), Round: 1})
		}
		return resp, nil
	})
}

// nudging is Temporal's side that delivers what activities tell the run itself.
type nudging struct {
	fakeRuns
	p *play
}

func (n nudging) Signal(ctx context.Context, workflowID, name string, arg any) error {
	n.p.env.SignalWorkflow(name, nil)
	return n.fakeRuns.Signal(ctx, workflowID, name, arg)
}

func newRelated(t *testing.T) (p *play, merged *bool, splits *[]*reportingv1.SplitComplaintRequest) {
	p = newPlay(t, complaintID(id(1), 1))
	merged, splits = new(bool), &[]*reportingv1.SplitComplaintRequest{}
	p.acts.Reporting = related{fakeReporting{w: p.w}, merged, splits}
	p.acts.runs = nudging{fakeRuns{p.w}, p}
	return p, merged, splits
}

// A complaint that is merged while its round runs ends wherever it is, with its tasks cancelled and nothing more told, also
// when the nudge was lost.
func TestComplaint_mergedRoundEnds(t *testing.T) {
	for _, step := range []string{"preserve", "number_check", "fact_check", "handle", "assign", "accept", "transfer"} {
		for _, nudge := range []bool{true, false} {
			t.Run(step, func(t *testing.T) {
				p, merged, _ := newRelated(t)
				switch step {
				case "assign":
					p.w.confidence = 0
				case "accept":
					p.w.reports[0].Text = ""
				case "transfer":
					p.w.category = criminal
				}
				told := 0
				p.w.onOpen = func(s string) {
					if s != step || *merged {
						return
					}
					*merged, told = true, len(p.w.feedback)
					if nudge {
						p.env.RegisterDelayedCallback(func() { p.env.SignalWorkflow(signalNudge, nil) }, time.Second)
					}
				}
				p.run()
				if len(p.w.feedback) != told || p.w.closed != "" {
					t.Errorf("told %v after the merger, closed %q", p.w.feedback[told:], p.w.closed)
				}
			})
		}
	}
}

// withNumbers is a complaint that numbers are merged into.
type withNumbers struct {
	fakeReporting
	numbers *[]*reportingv1.MergedNumber
}

func (f withNumbers) GetFacts(ctx context.Context, req *reportingv1.GetFactsRequest, o ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	resp, err := f.fakeReporting.GetFacts(ctx, req, o...)
	resp.MergedNumbers = *f.numbers
	return resp, err
}

// carried is a ledger that knows who carried the merged number.
type carried struct{ fakeLedger }

func (f carried) WhoHeld(ctx context.Context, req *ledgerv1.WhoHeldRequest, o ...grpc.CallOption) (*ledgerv1.WhoHeldResponse, error) {
	if req.GetNumber() == "95202109" {
		return &ledgerv1.WhoHeldResponse{Resource: &ledgerv1.Resource{ResourceId: id(901), AccessOperatorId: "cucc-31"}}, nil
	}
	return f.fakeLedger.WhoHeld(ctx, req, o...)
}

// The rounds of merged numbers end, and with them their preserving: the operators that carried these calls are asked by
// whoever drives the complaint now, once, whether the merger comes before its round begins or while it runs.
func TestComplaint_preservesWhatIsMergedIntoIt(t *testing.T) {
	merged := []*reportingv1.MergedNumber{{
		Number:        &commonv1.Number{Normal: "95202109", Kind: "code95_callcentre"},
		FirstCallTime: timestamppb.New(time.Date(2026, 9, 20, 2, 0, 0, 0, time.UTC)),
	}}
	for _, at := range []string{"", "number_check", "fact_check", "handle"} {
		t.Run("at "+at, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			numbers := &[]*reportingv1.MergedNumber{}
			p.acts.Reporting = withNumbers{fakeReporting{w: p.w}, numbers}
			p.acts.Ledger = carried{fakeLedger{w: p.w}}
			if at == "" {
				*numbers = merged
			}
			p.w.onOpen = func(s string) {
				if s != at || len(*numbers) > 0 {
					return
				}
				*numbers = merged
				for range 2 { // told twice
					p.env.RegisterDelayedCallback(func() { p.env.SignalWorkflow(signalNudge, nil) }, time.Second)
				}
			}
			p.run()
			asked := 0
			for _, task := range p.w.tasks {
				if task.GetStep() == "preserve" && task.GetAgencyId() == "cucc-31" {
					asked++
				}
			}
			if asked != 1 || p.w.closed == "" {
				t.Errorf("asked %d times, closed %q: %s", asked, p.w.closed, p.tasks())
			}
		})
	}
}

// In the moment between begin and classification, too.
func TestTriage_mergedMeanwhile(t *testing.T) {
	p, merged, _ := newRelated(t)
	*merged = true
	p.run()
	if len(p.w.tasks) != 0 {
		t.Errorf("tasks of a merged complaint: %s", p.tasks())
	}
}

// called is a report of a call.
func called(n int, at time.Time) *reportingv1.ReportFacts {
	r := report(n, "推销贷款")
	r.Report.CallTime = timestamppb.New(at)
	return r
}

// heldBy is a ledger in which a number changes hands.
type heldBy struct {
	fakeLedger
	spans []holding
	asked *int
}

func (f heldBy) WhoHeld(_ context.Context, req *ledgerv1.WhoHeldRequest, _ ...grpc.CallOption) (*ledgerv1.WhoHeldResponse, error) {
	*f.asked++
	for _, s := range f.spans {
		if !s.holds(req.GetAt().AsTime()) {
			continue
		}
		r := &ledgerv1.Resource{ResourceId: id(900), AccessOperatorId: "cmcc-44", Holder: &ledgerv1.Holder{HolderId: s.holder}}
		if !s.from.IsZero() {
			r.ValidFrom = timestamppb.New(s.from)
		}
		if !s.until.IsZero() {
			r.ValidTo = timestamppb.New(s.until)
		}
		return &ledgerv1.WhoHeldResponse{Resource: r}, nil
	}
	return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no entry")
}

// Calls in the times of different holders are split before anything is routed; what stays is the first reporter's matter.
func TestTriage_splitsByHolder(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	at := func(d int) time.Time { return day.AddDate(0, 0, d) }
	old, neu := id(801), id(802)
	spans := []holding{{old, at(-300), at(-100)}, {old, at(-100), at(2)}, {neu, at(4), time.Time{}}}
	for name, c := range map[string]struct {
		calls []int
		kept  string
		want  string // holder: reports
	}{
		"one holder":             {[]int{0, -200, 1}, "", ""},
		"two, the older first":   {[]int{0, 5, 1, 6}, old, neu + ": 2 4"},
		"two, the newer first":   {[]int{5, 0, 1, 6}, neu, old + ": 2 3"},
		"between them nobody":    {[]int{0, 3, 5}, old, neu + ": 3; " + nobody + ": 2"},
		"a number nobody held":   {[]int{-400, -401, 3}, "", ""},
		"the same call, one day": {[]int{5, 5}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, _, splits := newRelated(t)
			asked := 0
			p.acts.Ledger = heldBy{fakeLedger{w: p.w}, spans, &asked}
			p.w.reports = nil
			for i, d := range c.calls {
				p.w.reports = append(p.w.reports, called(i+1, at(d)))
			}
			in := &caseworkv1.ComplaintInput{ComplaintId: id(1), Round: 1, Profile: Statutory}
			triage, err := p.acts.Triage(t.Context(), "complaint/x/1", in)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if len(*splits) != 0 {
					t.Fatalf("split: %v", *splits)
				}
				return
			}
			if len(*splits) != 1 {
				t.Fatalf("%d splits", len(*splits))
			}
			req := (*splits)[0]
			var got []string
			for _, g := range req.GetGroups() {
				s := g.GetHolderId() + ":"
				for _, r := range g.GetReportIds() {
					s += " " + strings.TrimLeft(r[len(r)-4:], "0")
				}
				got = append(got, s)
				if (g.GetHolderId() == nobody) != (g.GetHeldFromTime() == nil && g.GetHeldUntilTime() == nil) {
					t.Errorf("time of the group: %v", g)
				}
			}
			p.want("groups", strings.Join(got, "; "), c.want)
			p.want("kept", req.GetKeptHolderId(), c.kept)
			if triage.GetHolderId() != c.kept {
				t.Errorf("routed by the holder %s", triage.GetHolderId())
			}
			// the same again, as after a lost answer: nothing more is to be moved
			if _, err := p.acts.Triage(t.Context(), "complaint/x/1", in); err != nil || len(*splits) != 1 {
				t.Errorf("triage again: %v, %d splits", err, len(*splits))
			}
		})
	}
}

// One report costs the ledger no question more than before.
func TestTriage_oneReportAsksOnce(t *testing.T) {
	p, _, _ := newRelated(t)
	asked := 0
	p.acts.Ledger = heldBy{fakeLedger{w: p.w}, nil, &asked}
	p.w.reports = []*reportingv1.ReportFacts{called(1, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))}
	if _, err := p.acts.Triage(t.Context(), "complaint/x/1", &caseworkv1.ComplaintInput{ComplaintId: id(1), Round: 1}); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("the ledger was asked %d times", asked)
	}
}

// What joins late and is another holder's goes to that holder's complaint before the facts are checked.
func TestComplaint_lateReportOfAnotherHolder(t *testing.T) {
	p, _, splits := newRelated(t)
	change := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	asked := 0
	p.acts.Ledger = heldBy{fakeLedger{w: p.w}, []holding{{id(801), time.Time{}, change}, {id(802), change, time.Time{}}}, &asked}
	p.w.reports = []*reportingv1.ReportFacts{called(1, change.Add(time.Hour))}
	p.w.onOpen = func(step string) {
		if step == "number_check" {
			p.w.reports = append(p.w.reports, called(2, change.Add(-time.Hour)))
		}
	}
	p.run()
	if len(*splits) != 1 || (*splits)[0].GetKeptHolderId() != id(802) || (*splits)[0].GetGroups()[0].GetHolderId() != id(801) {
		t.Fatalf("splits: %v", *splits)
	}
}

// ListUnstarted has a merged complaint among what is waiting.
func (f related) ListUnstarted(context.Context, *reportingv1.ListUnstartedRequest, ...grpc.CallOption) (*reportingv1.ListUnstartedResponse, error) {
	return &reportingv1.ListUnstartedResponse{Ended: []*reportingv1.Unstarted{{ComplaintId: id(7), Round: 2}}}, nil
}

// A nudge that was lost with the merger is made good by the sweep.
func TestSweep_tellsRunsOfMergedComplaints(t *testing.T) {
	p, _, _ := newRelated(t)
	p.acts.runs = fakeRuns{p.w}
	err := p.acts.complaintsUnstarted(t.Context(), nil, func(func(context.Context) (bool, error)) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	p.want("signals", strings.Join(p.w.signals, " "), complaintID(id(7), 2)+" "+signalNudge)
}
