package workflows

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Every number merged into a complaint is asked about, once, of who serves it, until the facts are found; one that is forged
// is traced and says nothing of the complaint's own.
func TestComplaint_asksAboutMergedNumbers(t *testing.T) {
	merged := []*reportingv1.MergedNumber{{
		Number:        &commonv1.Number{Normal: "95202109", Kind: "code95_callcentre"},
		FirstCallTime: timestamppb.New(time.Date(2026, 9, 20, 2, 0, 0, 0, time.UTC)), ReportId: id(951),
	}}
	for _, c := range []struct {
		at, outcome string
		asked       int
		traced      int
	}{
		{"", found, 1, 0}, {"number_check", notFound, 1, 0}, {"fact_check", forged, 1, 1}, {"fact_check", notInUse, 1, 1}, {"handle", found, 0, 0},
	} {
		t.Run("at "+c.at+" "+c.outcome, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			numbers := &[]*reportingv1.MergedNumber{}
			p.acts.Reporting = withNumbers{fakeReporting{w: p.w}, numbers}
			p.acts.Ledger = carried{fakeLedger{w: p.w}}
			p.replies["fact_check"] = []reply{{outcome: concluded, detail: yes, after: 48 * time.Hour}}
			if c.at == "" {
				*numbers = merged
			} else {
				p.replies["number_check"] = []reply{{outcome: found}, {outcome: c.outcome}} // its own first
			}
			p.w.onOpen = func(s string) {
				if s == c.at && len(*numbers) == 0 {
					*numbers = merged
					for range 2 { // told twice
						p.env.RegisterDelayedCallback(func() { p.env.SignalWorkflow(signalNudge, nil) }, time.Second)
					}
				}
			}
			p.run()
			asked, traced, own := 0, 0, 0
			for _, task := range p.w.tasks {
				switch about := task.GetFacts()[factReport] == id(951); {
				case task.GetStep() == "number_check" && about:
					if asked++; task.GetAgencyId() != "cucc-31" || task.GetFacts()["serving_source"] != "" {
						t.Errorf("asked %s with %v", task.GetAgencyId(), task.GetFacts())
					}
				case task.GetStep() == "number_check":
					own++
				case task.GetStep() == "traceback" && about:
					traced++
				}
			}
			if asked != c.asked || traced != c.traced || own != 1 || p.w.closed != "measures" {
				t.Errorf("asked %d times, traced %d, own %d, closed %q: %s", asked, traced, own, p.w.closed, p.tasks())
			}
		})
	}
}
