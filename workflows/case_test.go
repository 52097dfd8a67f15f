package workflows

import (
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/workflow"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// runScript plays a case as it ran before its owner planned it.
func (p *play) runScript() {
	p.t.Helper()
	p.env.OnGetVersion(changeCaseProcedure, workflow.DefaultVersion, workflow.Version(1)).Return(workflow.DefaultVersion)
	p.w.caseComplaint = []*enforcementv1.AttachedComplaint{{ComplaintId: id(1), Round: 1}, {ComplaintId: id(2), Round: 3}}
	p.env.ExecuteWorkflow(Case, &caseworkv1.CaseInput{CaseId: id(501), Profile: Statutory})
	p.ended()
}

func TestCaseScript_penalty(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.publishes = true
	began := p.env.Now()
	p.runScript()
	p.want("tasks", p.tasks(), "investigate@nfra-44 case_review@nfra-44 serve_notice@nfra-44 case_sign@nfra-44 deliver@nfra-44")
	p.want("states", strings.Join(p.w.caseStates, " "), "INVESTIGATING NOTICE_SERVED DECIDED CLOSED")
	p.want("signals", strings.Join(p.w.signals, ", "), complaintID(id(1), 1)+" CaseEnded, "+complaintID(id(2), 3)+" CaseEnded")
	d := p.w.decided
	p.want("signatures", d.GetProposedBy()+" "+d.GetReviewedBy()+" "+d.GetSignedBy(),
		"person of investigate@nfra-44 person of case_review@nfra-44 person of case_sign@nfra-44")
	if len(p.w.lists.recorded) != 1 || len(p.w.published) != 1 {
		t.Errorf("%d credit records, %d publications, want one each", len(p.w.lists.recorded), len(p.w.published))
	}
	if gate := p.w.published[0].GetGate(); gate.GetDeliveredTime() == nil || !gate.GetSocialImpact() {
		t.Errorf("gate %v", gate)
	}
	if took := p.env.Now().Sub(began); took < 5*24*time.Hour {
		t.Errorf("signed after %v: the party had no time for its statement", took)
	}
}

func TestCaseScript_noPenaltyIsNeitherServedNorPublished(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.replies["investigate"] = []reply{{outcome: noPenalty, reason: "minor_and_corrected"}}
	p.runScript()
	p.want("tasks", p.tasks(), "investigate@nfra-44 case_review@nfra-44 case_sign@nfra-44")
	p.want("penalty", p.w.decided.GetPenalty().GetKind(), "none")
	if len(p.w.listed)+len(p.w.published) != 0 {
		t.Error("a firm without a penalty was listed or published")
	}
}

func TestCaseScript_returned(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.replies = map[string][]reply{
		"case_review": {{outcome: returned, reason: "facts"}, {outcome: approved}},
		"case_sign":   {{outcome: returned, reason: "amount"}, {outcome: signed}},
	}
	p.runScript()
	p.want("tasks", p.tasks(), "investigate@nfra-44 case_review@nfra-44 investigate@nfra-44 case_review@nfra-44 serve_notice@nfra-44 "+
		"case_sign@nfra-44 investigate@nfra-44 case_review@nfra-44 serve_notice@nfra-44 case_sign@nfra-44 deliver@nfra-44")
	p.want("states", strings.Join(p.w.caseStates, " "), "INVESTIGATING NOTICE_SERVED NOTICE_SERVED DECIDED CLOSED")
	// Each notice stands with the task by which it was served: the decision stands on the last.
	p.want("notices", strings.Join(p.w.notices, " "), p.w.tasks[4].GetTaskId()+" "+p.w.tasks[8].GetTaskId())
}

func TestCaseScript_samePersonNeverTwice(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.replies = map[string][]reply{
		"investigate": {{outcome: proposed, detail: &assignmentv1.DecisionDetail{Penalty: &assignmentv1.PenaltyDetail{Kind: "fine"}}, refused: "INVALID_FIELD"},
			{outcome: proposed, detail: aFine, by: "wang"}},
		"case_review": {{outcome: approved, by: "wang", refused: "SAME_PERSON"}, {outcome: approved, by: "li"}},
		"case_sign":   {{outcome: signed, by: "li", refused: "SAME_PERSON"}, {outcome: signed, by: "zhao"}},
	}
	p.runScript()
	p.want("states", strings.Join(p.w.caseStates, " "), "INVESTIGATING NOTICE_SERVED DECIDED CLOSED")
}

func TestCaseScript_everyDeadlineEscalates(t *testing.T) {
	for _, step := range []string{"investigate", "case_review", "serve_notice", "case_sign", "deliver"} {
		p := newPlay(t, caseID(id(501)))
		late := usual[step]
		late.after = 300 * 24 * time.Hour
		p.replies[step] = []reply{late}
		p.runScript()
		p.want("escalations", strings.Join(p.w.escalations, " "), step+"/1 "+step+"/2")
	}
}

// A complaint whose only handling is a case waits for it; the first that ends gives the result.
func TestComplaint_case(t *testing.T) {
	onlyCases := &assignmentv1.DecisionDetail{Parties: append([]*assignmentv1.PartyDetail{{Role: "caller", Name: "某人", Person: true}}, theFirm...)}
	for name, disclosure := range map[string]string{"published": "case_published:" + id(700), "not": "no_social_impact"} {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			p.replies["handle"] = []reply{{outcome: onlyCase, detail: onlyCases}}
			p.env.RegisterDelayedCallback(func() {
				if p.w.watched != nil {
					t.Error("the result was given before a case ended")
				}
				end := &caseworkv1.CaseEnded{CaseId: id(501), Outcome: "penalty", Disclosure: disclosure}
				p.env.SignalWorkflow(signalCaseEnded, end)
				p.env.SignalWorkflow(signalCaseEnded, end) // told twice
			}, 60*24*time.Hour)
			p.run()
			p.want("started", strings.Join(p.w.started, " "), caseID(id(501))+" "+caseID(id(502)))
			p.want("closed", p.w.closed, "case")
			p.want("told", p.told(), "accepted: assigned: checked:substantiated result:case")
			want := "case_pending" // the other one is
			if name == "published" {
				want = disclosure
			}
			p.want("disclosure", p.disclosure(), want)
		})
	}
}

// With measures the result is given when they are carried out; the case's end is written while watching.
func TestComplaint_measuresAndCase(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.replies["fact_check"] = []reply{{outcome: concluded, detail: &assignmentv1.DecisionDetail{Findings: yes.GetFindings(), Parties: theFirm}}}
	p.replies["handle"] = []reply{{outcome: measuresCase, detail: warnHolder}}
	p.env.RegisterDelayedCallback(func() {
		p.want("disclosure while it runs", p.disclosure(), "case_pending")
		p.env.SignalWorkflow(signalCaseEnded, &caseworkv1.CaseEnded{CaseId: id(501), Disclosure: "case_published:" + id(700)})
	}, 15*24*time.Hour)
	p.run()
	p.want("closed", p.w.closed, "measures")
	p.want("disclosure", p.disclosure(), "case_published:"+id(700))
	p.want("stage", p.w.advances[len(p.w.advances)-1].GetStage(), "disclose")
}

// A case that ended before the complaint attached to it needs no waiting.
func TestComplaint_caseEndedAlready(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.endedOutcome = "penalty"
	p.replies["handle"] = []reply{{outcome: onlyCase, detail: &assignmentv1.DecisionDetail{Parties: theFirm}}}
	p.run()
	p.want("closed", p.w.closed, "case")
	if len(p.w.started) != 0 {
		t.Errorf("started %v", p.w.started)
	}
}

// A case that the police take is a result of its own; one that was reversed before anybody heard of it is none.
func TestComplaint_caseTransferred(t *testing.T) {
	for outcome, want := range map[string]string{"transferred": "transferred", "reversed": "case_no_penalty"} {
		t.Run(outcome, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			p.replies["handle"] = []reply{{outcome: onlyCase, detail: &assignmentv1.DecisionDetail{Parties: theFirm}}}
			p.env.RegisterDelayedCallback(func() {
				p.env.SignalWorkflow(signalCaseEnded, &caseworkv1.CaseEnded{CaseId: id(501), Outcome: outcome})
			}, 60*24*time.Hour)
			p.run()
			p.want("closed", p.w.closed, want)
		})
	}
}
