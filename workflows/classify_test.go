package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// chosen answers what a request chose: reports without a class, pages, evidence.
func (w *world) chosen(req *reportingv1.GetFactsRequest, resp *reportingv1.GetFactsResponse) {
	if len(w.classified) > 0 && w.classified[0].GetCategory() == "" {
		resp.Complaint.Category, resp.Complaint.Sector = w.category, w.sector
	}
	if req.GetUnclassifiedOnly() {
		known := w.classes()
		resp.Reports = slices.DeleteFunc(slices.Clone(resp.GetReports()), func(r *reportingv1.ReportFacts) bool {
			return known[r.GetReport().GetReportId()] > 0
		})
	}
	resp.Reports = resp.GetReports()[:min(len(resp.GetReports()), int(req.GetMaxReports()))]
	for _, e := range w.evidence {
		if slices.Contains(req.GetEvidenceIds(), e.GetEvidenceId()) {
			resp.Evidence = append(resp.Evidence, e)
		}
	}
}

// classes counts how often each report was classified.
func (w *world) classes() map[string]int {
	known := map[string]int{}
	for _, c := range w.classified {
		for _, r := range c.GetReports() {
			known[r.GetReportId()]++
		}
	}
	return known
}

func (w *world) activities() *Activities {
	return newActivities(w.owners(), fakeRuns{w}, newStarts(1000))
}

// The class is what the owner of the reports makes of them, and it is trusted from the threshold on.
func TestTriage_class(t *testing.T) {
	for _, tt := range []struct {
		name             string
		category, sector string
		confidence       float64
		confident        bool
	}{
		{"sure", commercial, "loans", 0.6, true},
		{"unsure", commercial, "loans", 0.59, false},
		{"no sector is not sure", commercial, "", 0.9, false},
		{"criminal needs none", criminal, "", 0.9, true},
		{"malicious needs none", "malicious", "", 0.9, true},
		{"nothing known", "", "", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.category, w.sector, w.confidence, w.otherSectors = tt.category, tt.sector, tt.confidence, []string{"insurance"}
			got, err := w.activities().Triage(t.Context(), complaintID(id(1), 1), complaintInput(id(1)))
			if err != nil {
				t.Fatal(err)
			}
			if got.GetCategory() != tt.category || got.GetSector() != tt.sector || got.GetConfident() != tt.confident {
				t.Errorf("got %v", got)
			}
			if tt.confident && !slices.Equal(w.routes[0].GetOtherSectors(), []string{"insurance"}) {
				t.Errorf("routed by %v", w.routes[0])
			}
		})
	}
}

// However many reports there are, each is classified before the complaint is routed, and the majority is asked for last.
func TestTriage_classifiesAll(t *testing.T) {
	w := newWorld()
	w.reports = nil
	const many = 3*maxClassified + 7
	for n := range many {
		w.reports = append(w.reports, report(n+1, "推销贷款"))
	}
	acts := w.activities()
	for range 2 { // an activity may run twice
		if _, err := acts.Triage(t.Context(), complaintID(id(1), 1), complaintInput(id(1))); err != nil {
			t.Fatal(err)
		}
		if got := len(w.classes()); got != many {
			t.Errorf("%d of %d reports are classified", got, many)
		}
	}
	last := w.classified[len(w.classified)-1]
	if last.GetCategory() != "" || last.GetReports()[0].GetReportId() != id(1) {
		t.Errorf("the last word is %v", last)
	}
}

// stubborn answers the same page for ever.
type stubborn struct{ fakeReporting }

func (s stubborn) GetFacts(ctx context.Context, req *reportingv1.GetFactsRequest, opts ...grpc.CallOption) (*reportingv1.GetFactsResponse, error) {
	all := proto.CloneOf(req)
	all.UnclassifiedOnly = false
	return s.fakeReporting.GetFacts(ctx, all, opts...)
}

func TestClassifyLate(t *testing.T) {
	w := newWorld()
	if _, err := w.activities().Triage(t.Context(), complaintID(id(1), 1), complaintInput(id(1))); err != nil {
		t.Fatal(err)
	}
	for n := range maxClassified + 1 {
		w.reports = append(w.reports, report(n+2, "推销保险"))
	}
	w.category, w.sector = commercial, "loans"
	f, err := w.activities().classifyLate(t.Context(), "place", id(1), 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(w.classes()), maxClassified+2; got != want || f.GetComplaint() == nil {
		t.Errorf("%d of %d reports are classified", got, want)
	}
	for _, c := range w.classified[1:] {
		if c.GetCategory() != commercial || c.GetSector() != "loans" {
			t.Errorf("what it was routed by is no longer its class: %v", c)
		}
	}
	before := len(w.classified)
	if _, err := w.activities().classifyLate(t.Context(), "place", id(1), 1); err != nil || len(w.classified) != before {
		t.Errorf("with nothing new it writes %d times (%v)", len(w.classified)-before, err)
	}
}

// An owner that never gets further does not keep the activity for ever.
func TestClassifyOpen_stops(t *testing.T) {
	w := newWorld()
	for n := range maxClassified {
		w.reports = append(w.reports, report(n+2, "推销保险"))
	}
	acts := w.activities()
	acts.Reporting = stubborn{fakeReporting{w: w}}
	ended := make(chan error, 1)
	go func() {
		ended <- acts.classifyOpen(t.Context(), classifying{place: "place", complaintID: id(1), round: 1}, nil)
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on for ever")
	}
}

// Reports that join are classified before the fact check, before the result is told, and before the complaint is closed.
func TestComplaint_classifiesWhatJoins(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	var known []string // at each joining, how many had a class
	join := func(n int, after time.Duration) {
		p.env.RegisterDelayedCallback(func() {
			p.w.mu.Lock()
			defer p.w.mu.Unlock()
			known = append(known, strings.Repeat("x", len(p.w.classes())))
			p.w.reports = append(p.w.reports, report(n, "推销贷款"))
		}, after)
	}
	join(11, 30*time.Second)  // the number is being checked
	join(12, 90*time.Second)  // the facts are
	join(13, 150*time.Second) // it is being handled
	join(14, 20*24*time.Hour) // it is watched
	p.w.number = &commonv1.Number{Displayed: "95001234", Normal: "95001234", Kind: "code95_callcentre"}
	p.run()
	if d := cmp.Diff([]string{"x", "xx", "xx", "xxxx"}, known); d != "" {
		t.Errorf("classified before each: %s", d)
	}
	if got := len(p.w.classes()); got != 5 {
		t.Errorf("%d reports are classified when all is over", got)
	}
}
