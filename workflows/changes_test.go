package workflows

import (
	"strings"
	"testing"
	"time"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

// The police have a criminal matter before anybody has answered anything about its number.
func TestComplaint_policeAtOnce(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.category, p.w.sector = criminal, ""
	p.silent["number_check"] = true
	p.env.RegisterDelayedCallback(func() {
		p.want("tasks", p.tasks(), "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44")
		if p.w.watched == nil {
			t.Error("the transfer waits for the number check")
		}
		delete(p.silent, "number_check")
		p.answer(p.w.tasks[2].GetTaskId())
	}, time.Hour)
	p.run()
	p.want("closed", p.w.closed, "transferred")
}

// Who suspects a crime has a day to say so, not three.
func TestComplaint_suspectedCriminalIsUrgent(t *testing.T) {
	terms := map[string]string{}
	for _, category := range []string{criminal, commercial} {
		p := newPlay(t, complaintID(id(1), 1))
		p.w.category, p.w.confidence = category, 0.3
		p.run()
		terms[category] = p.w.tasks[1].GetClock().GetBasis()
	}
	if terms[criminal] != "accept_1wd" || terms[commercial] != "assign_3wd" {
		t.Errorf("terms of the step assign: %v", terms)
	}
}

// What the police return, and who led before, leads no more.
func TestComplaint_returnedByThePolice(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.category, p.w.sector = criminal, "loans"
	p.replies["transfer"] = []reply{{outcome: returned, reason: "no_crime"}}
	p.run()
	var ended []string
	for _, a := range p.w.advances {
		ended = append(ended, a.GetEndedAgencyIds()...)
	}
	p.want("ended", strings.Join(ended, " "), "mps-44")
}

// A withdrawal whose nudge was lost is found at the next step, or when the step is overdue, and escalates no further.
func TestComplaint_withdrawnUnheard(t *testing.T) {
	t.Run("at the next step", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.replies["number_check"] = []reply{{outcome: found, after: 24 * time.Hour}}
		p.env.RegisterDelayedCallback(func() { p.w.withdrawn = true }, 12*time.Hour)
		p.run()
		p.want("closed", p.w.closed, "withdrawn")
		p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44")
		p.want("told", p.told(), "accepted: assigned:")
		p.want("escalations", strings.Join(p.w.escalations, " "), "")
	})
	t.Run("when overdue", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.silent["number_check"], p.silent["preserve"] = true, true
		p.env.RegisterDelayedCallback(func() { p.w.withdrawn = true }, time.Hour)
		p.run()
		p.want("closed", p.w.closed, "withdrawn")
		p.want("escalations", strings.Join(p.w.escalations, " "), "preserve/1")
	})
	t.Run("but somebody reports it still", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.replies["number_check"] = []reply{{outcome: found, after: 24 * time.Hour}}
		p.env.RegisterDelayedCallback(func() {
			p.w.withdrawn, p.w.closeJoins = true, 1
			p.env.SignalWorkflow(signalNudge, nil)
		}, 12*time.Hour)
		p.run()
		p.want("closed", p.w.closed, "measures")
		p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44")
	})
}

// A withdrawal escalates nothing on its way out.
func TestComplaint_stoppedEscalatesNothing(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.silent["number_check"], p.silent["preserve"] = true, true
	p.env.RegisterDelayedCallback(func() {
		p.w.withdrawn = true
		p.env.SignalWorkflow(signalNudge, nil)
	}, time.Hour)
	p.run()
	p.want("closed", p.w.closed, "withdrawn")
	p.want("escalations", strings.Join(p.w.escalations, " "), "")
}

// An old round that waits for its preservation finds out that another has begun, when its time is over or later.
func TestComplaint_supersededUnheard(t *testing.T) {
	for name, after := range map[string]time.Duration{"during the watch": 10 * 24 * time.Hour, "after it": 40 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			p.silent["preserve"] = true
			p.env.RegisterDelayedCallback(func() { p.w.round = 2 }, after)
			p.env.ExecuteWorkflow(Complaint, complaintInput(id(1)))
			p.ended()
			p.want("closed", p.w.closed, "")
			p.want("preservation", p.w.tasks[0].GetState(), "CANCELLED")
		})
	}
}

// A new round tells the one before it, whatever became of other signals.
func TestComplaint_tellsTheRoundBefore(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 2))
	p.w.round = 2
	p.run()
	p.want("signals", strings.Join(p.w.signals, ", "), complaintID(id(1), 1)+" Nudge")
}

// A check beside a transferred matter that ends in another round's time is dropped, not fought over.
func TestComplaint_supersededBeside(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.category, p.w.sector = criminal, ""
	p.replies["number_check"] = []reply{{outcome: forged, after: 10 * 24 * time.Hour}}
	p.silent["traceback"] = true
	p.env.RegisterDelayedCallback(func() { p.w.newRound = true }, 9*24*time.Hour)
	p.env.RegisterDelayedCallback(func() { p.w.round = 2 }, 20*24*time.Hour)
	p.env.ExecuteWorkflow(Complaint, complaintInput(id(1)))
	p.ended()
	p.want("closed", p.w.closed, "")
}

// What was sent before a supplement was asked for is no answer to the question.
func TestComplaint_supplementBeforeItWasAskedFor(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.reports = nil
	p.replies["accept"] = []reply{{outcome: supplementDue, reason: "which_call", after: time.Hour}, {outcome: notAccepted, reason: "too_little"}}
	began := p.env.Now()
	p.env.RegisterDelayedCallback(func() {
		p.w.supplemented = true
		p.env.SignalWorkflow(signalNudge, nil)
	}, time.Minute)
	p.run()
	if waited := p.env.Now().Sub(began); waited < 10*24*time.Hour {
		t.Errorf("waited %v for the supplement", waited)
	}
}

// The nudge of a supplement that came while it was being asked for is lost: looking again finds it.
func TestComplaint_supplementWhileItIsAskedFor(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.reports = nil
	p.w.answersAtOnce = true
	p.replies["accept"] = []reply{{outcome: supplementDue, reason: "which_call"}, {outcome: notAccepted, reason: "too_little"}}
	began := p.env.Now()
	p.run()
	if waited := p.env.Now().Sub(began); waited > 24*time.Hour {
		t.Errorf("waited %v for a supplement that was there", waited)
	}
}

// Reporters are told of a measure when the first is done, not when it is ordered.
func TestComplaint_toldWhenDone(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies["handle"] = []reply{{outcome: measures, detail: suspend}}
	p.replies["execute"] = []reply{{outcome: done, after: 2 * time.Hour}}
	p.env.RegisterDelayedCallback(func() { p.want("told before", p.told(), "accepted: assigned: checked:substantiated") }, time.Hour)
	p.run()
	p.want("told", p.told(), "accepted: assigned: checked:substantiated measure:suspend_number result:measures")
}

// Cases that all end without a penalty are no result of enforcement; one that ends with one is.
func TestComplaint_casesWithoutPenalty(t *testing.T) {
	two := &assignmentv1.DecisionDetail{Parties: append([]*assignmentv1.PartyDetail{{Role: "caller", Name: "某人", Person: true}}, theFirm...)}
	for second, closed := range map[string]string{noPenalty: "case_no_penalty", "penalty": "case"} {
		p := newPlay(t, complaintID(id(1), 1))
		p.replies["handle"] = []reply{{outcome: onlyCase, detail: two}}
		p.env.RegisterDelayedCallback(func() {
			p.env.SignalWorkflow(signalCaseEnded, &caseworkv1.CaseEnded{CaseId: id(501), Outcome: noPenalty, Disclosure: "no_penalty_decision"})
		}, 20*24*time.Hour)
		p.env.RegisterDelayedCallback(func() {
			if p.w.watched != nil {
				t.Error("the result was given while a case was open that may end otherwise")
			}
			p.env.SignalWorkflow(signalCaseEnded, &caseworkv1.CaseEnded{CaseId: id(502), Outcome: second, Disclosure: "no_penalty_decision"})
		}, 40*24*time.Hour)
		p.run()
		p.want("closed", p.w.closed, closed)
		p.want("told", p.told(), "accepted: assigned: checked:substantiated result:"+closed)
		p.want("disclosure", p.disclosure(), "no_penalty_decision")
	}
}

// Measures that came to nothing leave the case that was opened with them.
func TestComplaint_measuresFailButTheCaseLives(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	both := &assignmentv1.DecisionDetail{Measures: suspend.GetMeasures(), Parties: theFirm}
	p.replies["handle"] = []reply{{outcome: measuresCase, detail: both}, {outcome: noMeasure, reason: "not_possible"}}
	p.replies["execute"] = []reply{{outcome: failed, reason: "not_ours"}}
	p.env.RegisterDelayedCallback(func() {
		p.env.SignalWorkflow(signalCaseEnded, &caseworkv1.CaseEnded{CaseId: id(501), Outcome: "penalty"})
	}, 20*24*time.Hour)
	p.run()
	p.want("closed", p.w.closed, "case")
	if last := p.w.tasks[len(p.w.tasks)-1]; last.GetFacts()["failed_measures"] != "suspend_number" {
		t.Errorf("the second handling knows %v", last.GetFacts())
	}
}
