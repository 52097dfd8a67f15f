package workflows

import (
	"testing"
	"time"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

const invalid = commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD

// deciding is a decision on a task of a complaint, as the activity gets it.
func deciding(s step, outcome string, facts map[string]string, detail *assignmentv1.DecisionDetail) recording {
	return recording{
		Task: &assignmentv1.Task{
			TaskId: id(800), SubjectKind: "complaint", SubjectId: id(1), Round: 1, Step: s.name, AgencyId: "nfra-44",
			Outcomes: s.outcomes, Facts: facts,
		},
		Decision: &assignmentv1.Decision{TaskId: id(800), Outcome: outcome, Detail: detail, RequestKey: "li/" + id(801)},
		Actor:    &commonv1.Actor{Subject: "li", AgencyId: "nfra-44"}, From: time.Now(), Profile: Statutory,
	}
}

// Who leads is an authority that acts, and never who is reported.
func TestCheck_whoMayAct(t *testing.T) {
	lead := func(id string) *assignmentv1.DecisionDetail { return &assignmentv1.DecisionDetail{LeadAgencyId: id} }
	should := func(id string) *assignmentv1.DecisionDetail {
		return &assignmentv1.DecisionDetail{ShouldActAgencyId: id}
	}
	to := func(id string) *assignmentv1.DecisionDetail { return &assignmentv1.DecisionDetail{PortedTo: id} }
	for _, tt := range []struct {
		name     string
		step     step
		outcome  string
		party    string
		detail   *assignmentv1.DecisionDetail
		want     commonv1.ErrorReason
		verifier string
	}{
		{"an authority leads", stepAssign, assigned, "cmcc-44", lead("samr-44"), 0, ""},
		{"the police lead", stepAssign, assigned, "", lead("mps-44"), 0, ""},
		{"no operator leads", stepAssign, assigned, "", lead("cmcc-44"), invalid, ""},
		{"the centre does not lead", stepAssign, assigned, "", lead("centre-12321"), invalid, ""},
		{"who only advises does not lead", stepAssign, assigned, "", lead("spc"), invalid, ""},
		{"who is unknown does not lead", stepAssign, assigned, "", lead("nowhere"), invalid, ""},
		{"the party does not lead", stepAssign, assigned, "samr-44", lead("samr-44"), invalid, ""},
		{"the party is not designated", stepDesignate, designated, "samr-44", lead("samr-44"), invalid, ""},
		{"another is designated", stepDesignate, designated, "samr-44", lead("moe-44"), 0, ""},
		{"sent back to an authority", stepFactCheck, bounced, "", should("moe-44"), 0, ""},
		{"not to an operator", stepFactCheck, bounced, "", should("cmcc-44"), invalid, ""},
		{"not to the centre", stepFactCheck, bounced, "", should("centre-12321"), invalid, ""},
		{"not to the party", stepFactCheck, bounced, "moe-44", should("moe-44"), invalid, ""},
		{"ported to an operator", stepNumberCheck, ported, "cmcc-44", to("ctcc"), 0, ""},
		{"not to an authority", stepNumberCheck, ported, "", to("samr-44"), invalid, ""},
		{"ported to the party, whose province's administration checks", stepNumberCheck, ported, "cmcc-44", to("cmcc-44"), 0, "ca-44"},
		{"ported to the party's enterprise", stepNumberCheck, ported, "cmcc-44", to("cmcc"), 0, "ca-44"},
		{"ported to a branch of the party", stepNumberCheck, ported, "cmcc", to("cmcc-11"), 0, "ca-11"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, out := newWorld(), &caseworkv1.Recorded{}
			facts := map[string]string{factParty: tt.party}
			err := w.activities().check(t.Context(), deciding(tt.step, tt.outcome, facts, tt.detail), out)
			if tt.want == 0 && err != nil || tt.want != 0 && !errs.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if out.GetVerifierAgencyId() != tt.verifier {
				t.Errorf("%q checks, want %q", out.GetVerifierAgencyId(), tt.verifier)
			}
			if tt.outcome == bounced && err == nil && w.designating[0].GetPartyAgencyId() != tt.party {
				t.Errorf("the directory is not told who is reported: %v", w.designating[0])
			}
		})
	}
}

// Whoever named it: the party does not come to lead, and the table's answer stands.
func TestRoute_neverTheParty(t *testing.T) {
	for _, tt := range []struct{ lead, party, want string }{
		{"samr-44", "", "samr-44"}, {"samr-44", "moe-44", "samr-44"}, {"samr-44", "samr-44", "nfra-44"}, {"cmcc", "cmcc-44", "nfra-44"},
	} {
		got, err := newWorld().activities().Route(t.Context(), routing{
			Lead: tt.lead, Request: &assignmentv1.RouteRequest{Category: commercial, Sector: "loans", PartyAgencyId: tt.party},
		})
		if err != nil || got.GetLeadAgencyId() != tt.want {
			t.Errorf("lead %s, party %s: %v (%v), want %s", tt.lead, tt.party, got, err, tt.want)
		}
	}
}

// A complaint's tasks say which agency is reported, so that the directory and the rules hold it off.
func TestComplaint_partyDoesNotCheckItself(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.w.resource.Holder.AgencyId = "cmcc-44"
	p.w.resource.AccessOperatorId = "ctcc"
	p.replies["number_check"] = []reply{portedTo("cmcc-44"), {outcome: found}}
	p.replies["fact_check"] = []reply{
		{outcome: bounced, reason: "not_ours", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: "cmcc"}, refused: "INVALID_FIELD"},
		{outcome: concluded, detail: no},
	}
	p.run()
	p.want("tasks", p.tasks(), "preserve@ctcc preserve@cmcc-44 number_check@ctcc number_check@ca-44 fact_check@nfra-44")
}

// What a decision rests on is there, is this complaint's, and is more than the word of who is not verified.
func TestCheck_evidence(t *testing.T) {
	ours, theirs, foreign := id(71), id(72), id(73)
	said := func(verdict string, evidence ...string) *assignmentv1.DecisionDetail {
		return &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: verdict}}, EvidenceIds: evidence}
	}
	for _, tt := range []struct {
		name       string
		unverified string
		detail     *assignmentv1.DecisionDetail
		want       commonv1.ErrorReason
	}{
		{"none is needed of verified reporters", "false", said(substantiated), 0},
		{"their own is enough then", "false", said(substantiated, theirs), 0},
		{"any UUID", "true", said(substantiated, foreign), invalid},
		{"any UUID of verified reporters", "false", said(substantiated, foreign), invalid},
		{"any UUID beside a good one", "true", said(substantiated, ours, foreign), invalid},
		{"only what the unverified reporter sent", "true", said(substantiated, theirs), invalid},
		{"an agency's own", "true", said(substantiated, ours), 0},
		{"both", "true", said(substantiated, theirs, ours), 0},
		{"not substantiated needs no more", "true", said(notSubstantiated, theirs), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			w.evidence = []*reportingv1.EvidenceFacts{{EvidenceId: ours, AgencyId: "nfra-44"}, {EvidenceId: theirs, Unverified: true}}
			err := w.activities().check(t.Context(), deciding(stepFactCheck, concluded, map[string]string{factUnverifiedOnly: tt.unverified}, tt.detail), &caseworkv1.Recorded{})
			if tt.want == 0 && err != nil || tt.want != 0 && !errs.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// One request of a person is one decision on one task.
func TestRecord_requestIDForAnotherTask(t *testing.T) {
	w := newWorld()
	first := deciding(stepReview, approved, nil, nil)
	second := deciding(stepReview, approved, nil, nil)
	second.Task.TaskId, second.Decision.TaskId = id(810), id(810)
	w.tasks = []*assignmentv1.Task{{TaskId: id(800), State: "OPEN"}, {TaskId: id(810), State: "OPEN"}}
	acts := w.activities()
	if _, err := acts.Record(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := acts.Record(t.Context(), second); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED) {
		t.Errorf("the request ID on another task: %v", err)
	}
	if len(w.decisions) != 1 || w.tasks[1].GetState() != "OPEN" {
		t.Errorf("%d decisions, the other task is %s", len(w.decisions), w.tasks[1].GetState())
	}
}
