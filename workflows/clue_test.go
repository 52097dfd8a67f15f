package workflows

import (
	"testing"
	"time"

	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// discovered is a world where marks alone have opened the complaint.
func discovered(w *world) {
	w.clue, w.reports = true, nil
}

// A discovered clue is a number check and nothing else: nobody is told anything, and nothing is taken against anybody.
func TestComplaint_clues(t *testing.T) {
	tests := []struct {
		name    string
		world   func(*world)
		replies []reply
		tasks   string
		closed  string
		forged  bool
	}{
		{name: "the number is in use", tasks: "number_check@cmcc-44", closed: "clue_found"},
		{name: "nobody knows the number", replies: []reply{{outcome: notFound}}, tasks: "number_check@cmcc-44", closed: "clue_not_found"},
		{
			name:    "ported: asked where it is served now",
			replies: []reply{portedTo("ctcc"), {outcome: reassigned}}, tasks: "number_check@cmcc-44 number_check@ctcc", closed: "clue_reassigned",
		},
		{name: "it proves forged", replies: []reply{{outcome: forged}}, tasks: "number_check@cmcc-44", closed: "clue_forged", forged: true},
		{name: "not in use", replies: []reply{{outcome: notInUse}}, tasks: "number_check@cmcc-44", closed: "clue_not_in_use", forged: true},
		{
			name: "forged by form: nobody is asked",
			world: func(w *world) {
				w.number = &commonv1.Number{Displayed: "+8695588", Normal: "+8695588", Kind: "code95_spoofed"}
			},
			closed: "clue_forged", forged: true,
		},
		{name: "nobody known who serves it: who verifies there", world: func(w *world) { w.resource = nil }, tasks: "number_check@ca-44", closed: "clue_found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			discovered(p.w)
			if tt.world != nil {
				tt.world(p.w)
			}
			p.replies["number_check"] = tt.replies
			p.run()
			p.want("tasks", p.tasks(), tt.tasks)
			p.want("told", p.told(), "")
			p.want("closed", p.w.closed, tt.closed)
			detached := false
			for _, a := range p.w.advances {
				detached = detached || a.GetForged()
			}
			if detached != tt.forged || len(p.w.measures) > 0 || p.w.watched != nil {
				t.Errorf("forged %t, want %t; measures %v; watched %v", detached, tt.forged, p.w.measures, p.w.watched)
			}
			for _, task := range p.w.tasks {
				if task.GetFacts()["origin"] != "marks" {
					t.Errorf("the task %s does not say that nobody has reported the number", task.GetStep())
				}
			}
		})
	}
}

// reportedAfter has somebody report the number after a while.
func (p *play) reportedAfter(d time.Duration, nudge bool) {
	p.env.RegisterDelayedCallback(func() {
		p.w.mu.Lock()
		p.w.clue, p.w.reports = false, []*reportingv1.ReportFacts{report(1, "推销贷款")}
		p.w.mu.Unlock()
		if nudge {
			p.env.SignalWorkflow(signalNudge, nil)
		}
	}, d)
}

// A report turns a clue into an ordinary complaint at once; the number is not checked a second time.
func TestComplaint_clueIsReported(t *testing.T) {
	const ordinary = "accepted: assigned: checked:substantiated measure:warn_holder result:measures"
	t.Run("while the number is checked", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.replies["number_check"] = []reply{{outcome: found, after: time.Hour}}
		p.reportedAfter(time.Minute, true)
		p.run()
		p.want("tasks", p.tasks(), "number_check@cmcc-44 preserve@cmcc-44 fact_check@nfra-44 handle@nfra-44")
		p.want("told", p.told(), ordinary)
		p.want("closed", p.w.closed, "measures")
	})
	t.Run("and the nudge is lost: found when the check is overdue", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.replies["number_check"] = []reply{{outcome: found, after: 100 * 24 * time.Hour}}
		p.reportedAfter(time.Minute, false)
		p.run()
		p.want("tasks", p.tasks(), "number_check@cmcc-44 preserve@cmcc-44 fact_check@nfra-44 handle@nfra-44")
		p.want("told", p.told(), ordinary)
	})
	t.Run("at the last moment: the owner does not close it", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.w.closeJoins = 1
		p.replies["number_check"] = []reply{{outcome: found, after: time.Hour}}
		p.reportedAfter(time.Hour-time.Second, false)
		p.run()
		p.want("tasks", p.tasks(), "number_check@cmcc-44 preserve@cmcc-44 fact_check@nfra-44 handle@nfra-44")
		p.want("told", p.told(), ordinary)
		p.want("closed", p.w.closed, "measures")
	})
	t.Run("and the number proves forged", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.replies["number_check"] = []reply{{outcome: forged, after: time.Hour}}
		p.reportedAfter(time.Minute, true)
		p.run()
		p.want("tasks", p.tasks(), "number_check@cmcc-44 preserve@cmcc-44 traceback@cmcc-44")
		p.want("told", p.told(), "accepted: assigned: result:forged")
	})
	t.Run("of a crime: the police at once", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.w.category, p.w.sector = criminal, ""
		p.replies["number_check"] = []reply{{outcome: found, after: time.Hour}}
		p.reportedAfter(time.Minute, true)
		p.run()
		p.want("tasks", p.tasks(), "number_check@cmcc-44 preserve@cmcc-44 transfer@mps-44")
		p.want("told", p.told(), "accepted: assigned:criminal result:transferred")
	})
	t.Run("and the report is withdrawn", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		discovered(p.w)
		p.silent["number_check"] = true
		p.reportedAfter(time.Minute, true)
		p.env.RegisterDelayedCallback(func() {
			p.w.mu.Lock()
			p.w.withdrawn = true
			p.w.mu.Unlock()
			p.env.SignalWorkflow(signalNudge, nil)
		}, 2*time.Minute)
		p.silent["fact_check"] = true
		p.run()
		p.want("closed", p.w.closed, "withdrawn")
	})
}

// Two clues on a real Temporal: nobody reports the one, somebody the other while its number is checked.
func testRealClues(t *testing.T, g *realTemporal) {
	x := g.town(t)
	discovered(x.w)
	x.start(id(8), 1)
	x.until(id(8), nil, x.over(complaintID(id(8), 1)))
	if x.w.closed != "clue_found" {
		t.Errorf("closed as %q", x.w.closed)
	}
	x.keep("complaint-clue", complaintID(id(8), 1))

	x.start(id(9), 1)
	x.until(id(0), nil, func() bool { return len(x.open(id(9))) > 0 })
	x.w.mu.Lock()
	x.w.clue, x.w.reports = false, []*reportingv1.ReportFacts{report(1, "推销贷款")}
	x.w.mu.Unlock()
	if _, err := x.server.Nudge(t.Context(), &caseworkv1.NudgeRequest{ComplaintId: id(9), Round: 1}); err != nil {
		t.Fatal(err)
	}
	x.until(id(0), nil, func() bool { return len(x.open(id(9))) > 1 }) // the check that runs, and preserving
	x.until(id(9), nil, x.watching)
	if n := len(x.w.feedback); n != 5 {
		t.Errorf("told %v", x.w.feedback)
	}
	x.keep("complaint-clue-reported", complaintID(id(9), 1))
}
