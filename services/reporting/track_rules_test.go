package reporting

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quietline/services/reporting/store"
)

func TestTrackTellsWhatThePublicMayKnow(t *testing.T) {
	filed := time.Date(2026, 10, 15, 2, 0, 0, 0, time.UTC)
	entries := func(stages ...string) (out []store.TimelineRow) {
		for i, s := range stages {
			out = append(out, store.TimelineRow{Round: 1, Stage: s, Office: "office " + s, ReachedTime: filed.Add(time.Duration(i) * time.Hour)})
		}
		return out
	}
	withdrawn := filed.Add(time.Hour)
	for name, tt := range map[string]struct {
		track         track
		stage, office string
		timeline      []string
		told          string
		watching      bool
	}{
		"just received": {
			track: track{complaint: store.Complaint{State: stateReceived, Stage: stageAccept}},
			stage: stageAccept,
		},
		"at the fact check": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: "fact_check", Office: "office fact_check"}, entries: entries(stageAccept, "assign", "fact_check")},
			stage: "fact_check", office: "office fact_check", timeline: []string{stageAccept, "assign", "fact_check"},
		},
		"watching": {
			track: track{complaint: store.Complaint{State: stateWatching, Stage: stageWatch}, entries: entries(stageAccept, stageHandle, stageWatch), result: "done", code: "measures"},
			stage: stageWatch, timeline: []string{stageAccept, stageHandle, stageWatch}, told: "done", watching: true,
		},
		"watching, answered": {
			track: track{complaint: store.Complaint{State: stateWatching, Stage: stageWatch}, answered: true},
			stage: stageWatch,
		},
		"criminal, before the transfer": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: "number_check", Office: "office number_check", Category: "criminal"}, entries: entries(stageAccept, "number_check")},
			stage: "number_check", office: "office number_check", timeline: []string{stageAccept, "number_check"},
		},
		"criminal, with the police": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: stageHandle, Office: "office police", Category: "criminal"}, entries: entries(stageAccept, "number_check", stageHandle)},
			stage: stageTransferred, office: competentAuthority, timeline: []string{stageAccept, "number_check", stageTransferred},
		},
		"criminal, closed": {
			track: track{complaint: store.Complaint{State: stateClosed, Stage: stageClosed, Category: "criminal", Result: resultTransferred},
				entries: entries(stageAccept, stageHandle, "feedback", stageClosed), result: "moved", code: resultTransferred},
			stage: stageTransferred, office: competentAuthority, timeline: []string{stageAccept, stageTransferred}, told: "moved",
		},
		"criminal and forged, with the police": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: stageHandle, Office: "office police", Category: "criminal", Forged: true}, entries: entries(stageAccept, stageHandle)},
			stage: stageTransferred, office: competentAuthority, timeline: []string{stageAccept, stageTransferred},
		},
		"criminal and forged, never transferred": {
			track: track{complaint: store.Complaint{State: stateClosed, Stage: stageClosed, Category: "criminal", Forged: true, Result: "forged"},
				entries: entries(stageAccept, "number_check", "feedback"), result: "forged", code: "forged"},
			stage: stageClosed, timeline: []string{stageAccept, "number_check", "feedback"}, told: "forged",
		},
		"withdrawn": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: stageHandle}, report: store.ReportByReceiptRow{WithdrawnAt: &withdrawn}, entries: entries(stageAccept), result: "back"},
			stage: stageWithdrawn, timeline: []string{stageAccept}, told: "back",
		},
		"its round is over": {
			track: track{complaint: store.Complaint{State: stateOpen, Stage: stageHandle, Round: 2}, entries: entries(stageAccept), result: "done"},
			stage: stageClosed, timeline: []string{stageAccept}, told: "done",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.track.report.CreatedAt, tt.track.report.Round = filed.Add(30*time.Minute), 1
			tt.track.complaint.Round = max(tt.track.complaint.Round, 1)
			now := tt.track.now()
			if now.Stage != tt.stage || now.Office != tt.office {
				t.Errorf("now %s at %q, want %s at %q", now.Stage, now.Office, tt.stage, tt.office)
			}
			var timeline []string
			for _, e := range tt.track.visible() {
				timeline = append(timeline, e.Stage)
				if e.ReachedTime.Before(tt.track.report.CreatedAt) {
					t.Errorf("%s was reached before the report came in", e.Stage)
				}
				if titles[e.Stage] == "" {
					t.Errorf("%s has no title", e.Stage)
				}
			}
			if d := cmp.Diff(tt.timeline, timeline); d != "" {
				t.Error(d)
			}
			if got := tt.track.told(); got != tt.told {
				t.Errorf("told %q, want %q", got, tt.told)
			}
			if got := tt.track.watching(); got != tt.watching {
				t.Errorf("watching %v", got)
			}
		})
	}
}

func TestSpokenReceipts(t *testing.T) {
	for in, want := range map[string]string{
		"QL261015ABCD0123": "QL261015ABCD0123", " ql261015-abcd-o123 ": "QL261015ABCD0123", "il0o": "1100", //nolint:gocritic // blanks around it are what people paste
	} {
		if got := spoken(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
