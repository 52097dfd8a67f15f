package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

func complaintInput(complaint string) *caseworkv1.ComplaintInput {
	return &caseworkv1.ComplaintInput{ComplaintId: complaint, Round: 1, Profile: Statutory}
}

// sampledID is a complaint of the share that is checked again.
func sampledID(t *testing.T) string {
	for n := range 1000 {
		c := &complaint{in: complaintInput(id(n)), known: &caseworkv1.Triage{RecheckPercent: 5}}
		if c.sampled() {
			return id(n)
		}
	}
	t.Fatal("nobody is sampled")
	return ""
}

// Every step escalates when it is overdue, once per level, two levels, and is the same task all the time.
func TestComplaint_everyDeadlineEscalates(t *testing.T) {
	paths := map[string]func(*play){
		"accept preserve": func(p *play) { p.w.reports = nil },
		"assign":          func(p *play) { p.w.confidence = 0 },
		"number_check fact_check handle review sign execute": func(p *play) {
			p.replies["handle"] = []reply{{outcome: measures, detail: suspend}}
		},
		"traceback":  func(p *play) { p.replies["number_check"] = []reply{{outcome: forged}} },
		"transfer":   func(p *play) { p.w.category = criminal },
		"late_check": func(p *play) { p.w.unchecked = 1 },
		"designate": func(p *play) {
			b := reply{outcome: bounced, reason: "not_ours", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: "moe-44"}}
			c := reply{outcome: bounced, reason: "not_ours", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: "mct-44"}}
			p.replies["fact_check"] = []reply{b, c, {outcome: concluded, detail: no}}
		},
	}
	for steps, prepare := range paths {
		for step := range strings.FieldsSeq(steps) {
			t.Run(step, func(t *testing.T) {
				p := newPlay(t, complaintID(id(1), 1))
				prepare(p)
				late := usual[step]
				if queue := p.replies[step]; len(queue) > 0 {
					late = queue[0]
				}
				late.after = 100 * 24 * time.Hour
				p.replies[step] = []reply{late}
				p.run()
				p.want("escalations", strings.Join(p.w.escalations, " "), step+"/1 "+step+"/2")
				asked := strings.Count(p.tasks()+" ", step+"@")
				if want := 1; asked != want {
					t.Errorf("%d tasks for the step %s, want %d", asked, step, want)
				}
			})
		}
	}
}

// What the owner refuses is answered with its refusal, and the task waits on.
func TestDecide_refusedByTheOwnerThenTaken(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	refusals := 2
	p.w.refuse = func(d *assignmentv1.Decision) error {
		if d.GetOutcome() != concluded || refusals == 0 {
			return nil
		}
		refusals--
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_TASK_CLAIMED, "somebody else has it")
	}
	claimed := reply{outcome: concluded, detail: yes, refused: "TASK_CLAIMED"}
	p.replies["fact_check"] = []reply{claimed, claimed, {outcome: concluded, detail: yes}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44")
	p.want("closed", p.w.closed, "measures")
}

// A person who proposed neither reviews nor signs, and one who reviewed does not sign.
func TestDecide_samePerson(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies = map[string][]reply{
		"handle": {{outcome: measures, detail: suspend, by: "wang"}},
		"review": {{outcome: approved, by: "wang", refused: "SAME_PERSON"}, {outcome: approved, by: "li"}},
		"sign": {{outcome: signed, by: "wang", refused: "SAME_PERSON"}, {outcome: signed, by: "li", refused: "SAME_PERSON"},
			{outcome: signed, by: "zhao"}},
	}
	p.run()
	p.want("closed", p.w.closed, "measures")
	if len(p.w.suspended) != 1 || p.w.suspended[0].GetTaskId() != p.w.tasks[5].GetTaskId() {
		t.Errorf("suspended on the ground of %v, want the signature", p.w.suspended)
	}
}

// What cannot be right is refused without a trace.
func TestDecide_refusedByTheValidator(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.unverified = true
	p.w.evidence = []*reportingv1.EvidenceFacts{{EvidenceId: id(5), AgencyId: "nfra-44"}, {EvidenceId: id(6), Unverified: true}}
	p.replies = map[string][]reply{
		"number_check": {
			{outcome: "perhaps", refused: "OUTCOME_NOT_ALLOWED"}, {outcome: ported, refused: "INVALID_FIELD"},
			{outcome: ported, detail: &assignmentv1.DecisionDetail{PortedTo: "nfra-44"}, refused: "INVALID_FIELD"},
			{outcome: found},
		},
		"fact_check": {
			{outcome: concluded, refused: "INVALID_FIELD"}, {outcome: concluded, detail: yes, refused: "INVALID_FIELD"},
			{outcome: concluded, refused: "INVALID_FIELD", detail: &assignmentv1.DecisionDetail{
				EvidenceIds: []string{id(5)}, Findings: []*assignmentv1.FindingDetail{{ReportIds: []string{id(77)}, Result: substantiated}},
			}},
			{outcome: concluded, refused: "INVALID_FIELD", detail: &assignmentv1.DecisionDetail{EvidenceIds: []string{id(6)}, Findings: yes.GetFindings()}},
			{outcome: concluded, refused: "INVALID_FIELD", detail: &assignmentv1.DecisionDetail{EvidenceIds: []string{id(7)}, Findings: yes.GetFindings()}},
			{outcome: concluded, detail: &assignmentv1.DecisionDetail{EvidenceIds: []string{id(5)}, Findings: yes.GetFindings()}},
		},
		"handle": {
			{outcome: measures, refused: "INVALID_FIELD"}, {outcome: onlyCase, refused: "INVALID_FIELD"},
			{outcome: measures, refused: "INVALID_FIELD", detail: &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{{Code: "whip"}}}},
			{outcome: noMeasure, reason: "minor"},
		},
	}
	p.run()
	p.want("closed", p.w.closed, "no_measure")
	if len(p.w.decisions) != 4 {
		t.Errorf("%d decisions written, want 4", len(p.w.decisions))
	}
}

// An owner that is away is waited for; the decision is written once.
func TestDecide_ownerAway(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.outage = 3
	p.replies["handle"] = []reply{{outcome: noMeasure, reason: "minor"}}
	p.run()
	if len(p.w.decisions) != 4 {
		t.Errorf("%d decisions written, want 4", len(p.w.decisions))
	}
}

// A decision after another one, and one for a task of nobody, find no open task.
func TestDecide_notOpen(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.silent["fact_check"] = true
	refused := 0
	count := func() { refused++ }
	p.env.RegisterDelayedCallback(func() {
		tooLate := reply{outcome: found, refused: "TASK_NOT_OPEN"}
		p.decide(id(1), tooLate, &commonv1.Actor{Subject: "nobody"}, count)
		p.decide(p.w.tasks[1].GetTaskId(), tooLate, &commonv1.Actor{Subject: "late"}, count)
		delete(p.silent, "fact_check")
		p.answer(p.w.tasks[2].GetTaskId())
	}, time.Hour)
	p.run()
	if refused != 2 {
		t.Errorf("%d decisions refused, want 2", refused)
	}
}

func TestComplaint_supplement(t *testing.T) {
	for _, comes := range []bool{true, false} {
		t.Run(fmt.Sprint(comes), func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			p.w.reports = nil
			p.replies["accept"] = []reply{
				{outcome: supplementDue, reason: "which_call"},
				{outcome: supplementDue, reason: "again", refused: "OUTCOME_NOT_ALLOWED"}, // the clock pauses once
				{outcome: notAccepted, reason: "too_little"},
			}
			began := p.env.Now()
			if comes {
				p.env.RegisterDelayedCallback(func() {
					p.w.supplemented = true
					p.env.SignalWorkflow(signalNudge, nil)
				}, 48*time.Hour)
			}
			p.run()
			p.want("told", p.told(), "supplement_asked:which_call not_accepted:too_little")
			waited := p.env.Now().Sub(began)
			if comes != (waited < 72*time.Hour) {
				t.Errorf("waited %v", waited)
			}
		})
	}
}

// A withdrawal ends what is not checked yet, with its tasks; what is checked is handled all the same.
func TestComplaint_withdrawn(t *testing.T) {
	for _, when := range []string{"number_check", "handle"} {
		t.Run(when, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			slow := usual[when]
			slow.after = 24 * time.Hour
			p.replies[when] = []reply{slow}
			p.silent["preserve"] = when == "number_check"
			p.env.RegisterDelayedCallback(func() {
				p.w.withdrawn = true
				p.env.SignalWorkflow(signalNudge, nil)
			}, 12*time.Hour)
			p.run()
			want := "withdrawn"
			if when == "handle" {
				want = "measures"
			}
			p.want("closed", p.w.closed, want)
		})
	}
}

// A new round takes the place of the old one: that ends, and cancels what it has open.
func TestComplaint_superseded(t *testing.T) {
	t.Run("told", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.silent["preserve"] = true
		p.env.RegisterDelayedCallback(func() {
			p.w.round = 2
			p.env.SignalWorkflow(signalNudge, nil)
		}, 10*24*time.Hour)
		p.env.ExecuteWorkflow(Complaint, complaintInput(id(1)))
		p.ended()
		p.want("closed", p.w.closed, "")
		p.want("preservation", p.w.tasks[0].GetState(), "CANCELLED")
	})
	t.Run("found out when closing", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.w.newRound = true
		p.run()
		p.want("closed", p.w.closed, "")
	})
	t.Run("before it began", func(t *testing.T) {
		p := newPlay(t, complaintID(id(1), 1))
		p.w.current = false
		p.run()
		p.want("tasks", p.tasks(), "")
	})
}

// No complaint closes before its preservation is decided, however long that takes.
func TestComplaint_preservationHoldsTheClosing(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies["preserve"] = []reply{{outcome: nothingHeld, after: 60 * 24 * time.Hour}}
	p.run()
	p.want("closed", p.w.closed, "measures")
	p.want("escalations", strings.Join(p.w.escalations, " "), "preserve/1 preserve/2")
}

// Several measures run at once; a failed one is on record and the result is given.
func TestComplaint_executions(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies["handle"] = []reply{{outcome: measures, detail: &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{
		{Code: "warn_holder"}, {Code: "suspend_number"}, {Code: "mark_risk", ExecutorAgencyId: "cucc"},
	}}}}
	p.replies["execute"] = []reply{{outcome: done, after: 2 * time.Hour}, {outcome: failed, reason: "not_possible", after: time.Hour}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44 review@nfra-44 sign@nfra-44 "+
		"execute@cmcc-44 execute@cucc")
	var states []string
	for _, m := range p.w.measures {
		states = append(states, m.GetCode()+":"+m.GetState())
	}
	p.want("measures", strings.Join(states, " "),
		"warn_holder:done suspend_number:ordered mark_risk:ordered mark_risk:failed suspend_number:done")
	if len(p.w.suspended) != 1 {
		t.Errorf("%d suspensions, want 1", len(p.w.suspended))
	}
	p.want("closed", p.w.closed, "measures")
}

// In rehearsal the same script runs on divided time.
func TestComplaint_rehearsal(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	for step, r := range usual {
		r.after = time.Second
		p.replies[step] = []reply{r}
	}
	began := p.env.Now()
	p.env.ExecuteWorkflow(Complaint, &caseworkv1.ComplaintInput{ComplaintId: id(1), Round: 1, Profile: Rehearsal})
	p.ended()
	if took := p.env.Now().Sub(began); took < 30*time.Second || took > time.Minute {
		t.Errorf("a round with its watching took %v, want half a minute", took)
	}
	if due := p.w.tasks[1].GetDueTime().AsTime().Sub(began); due > time.Minute {
		t.Errorf("a task of 3 working days is due in %v", due)
	}
	if p.w.tasks[1].GetClock().GetStatutoryDue() == "" {
		t.Error("the statutory date is not shown beside")
	}
}
