package workflows

import (
	"fmt"
	"strings"
	"testing"
	"time"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// The paths of the script: what happens, who is asked in which order, what reporters are told, how it ends.
func TestComplaint_paths(t *testing.T) {
	tests := []struct {
		name       string
		world      func(*world)
		replies    map[string][]reply
		tasks      string
		told       string
		closed     string
		disclosure string
	}{
		{
			name:  "substantiated, a measure of the agency itself",
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:    "not substantiated",
			replies: map[string][]reply{"fact_check": {{outcome: concluded, detail: no}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44",
			told:    "accepted: assigned: checked:not_substantiated result:not_substantiated", closed: "not_substantiated",
			disclosure: "not_substantiated",
		},
		{
			name:    "no evidence",
			replies: map[string][]reply{"fact_check": {{outcome: concluded, detail: &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: noEvidence}}}}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44",
			told:    "accepted: assigned: checked:no_evidence result:no_evidence", closed: "no_evidence", disclosure: "not_substantiated",
		},
		{
			name:    "what weighs is reviewed, signed and carried out by the operator",
			replies: map[string][]reply{"handle": {{outcome: measures, detail: suspend}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44 review@nfra-44 sign@nfra-44 execute@cmcc-44",
			told:    "accepted: assigned: checked:substantiated measure:suspend_number result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name: "returned by the reviewer, then by the head, then signed",
			replies: map[string][]reply{
				"handle": {{outcome: measures, detail: suspend}},
				"review": {{outcome: returned, reason: "too_much"}, {outcome: approved}},
				"sign":   {{outcome: returned, reason: "too_little"}, {outcome: signed}},
			},
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44 review@nfra-44 handle@nfra-44 review@nfra-44 " +
				"sign@nfra-44 handle@nfra-44 review@nfra-44 sign@nfra-44 execute@cmcc-44",
			told: "accepted: assigned: checked:substantiated measure:suspend_number result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:    "no measure",
			replies: map[string][]reply{"handle": {{outcome: noMeasure, reason: "minor"}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:    "accepted: assigned: checked:substantiated result:no_measure", closed: "no_measure", disclosure: "no_penalty_decision",
		},
		{
			name:    "ported twice is no bounce",
			replies: map[string][]reply{"number_check": {portedTo("ctcc"), portedTo("cucc"), {outcome: found}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 number_check@ctcc number_check@cucc fact_check@nfra-44 handle@nfra-44",
			told:    "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name: "forged by form: nothing against the true holder",
			world: func(w *world) {
				w.number = &commonv1.Number{Displayed: "+8695588", Normal: "+8695588", Kind: "code95_spoofed"}
			},
			tasks: "preserve@ca-44 traceback@ca-44", told: "accepted: assigned: result:forged", closed: "forged", disclosure: "forged",
		},
		{
			name:    "forged by the number check",
			replies: map[string][]reply{"number_check": {{outcome: forged}}, "traceback": {{outcome: notTraced}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 traceback@cmcc-44", told: "accepted: assigned: result:forged", closed: "forged", disclosure: "forged",
		},
		{
			name:    "a forged call is traced back from the reporters' operator",
			world:   func(w *world) { w.reportersAt = "ctcc-11" },
			replies: map[string][]reply{"number_check": {{outcome: forged}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 traceback@ctcc-11", told: "accepted: assigned: result:forged", closed: "forged", disclosure: "forged",
		},
		{
			name:    "not in use counts as forged",
			replies: map[string][]reply{"number_check": {{outcome: notInUse}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 traceback@cmcc-44", told: "accepted: assigned: result:forged", closed: "forged", disclosure: "forged",
		},
		{
			name:  "criminal: transferred to the police",
			world: func(w *world) { w.category, w.sector = criminal, "" },
			tasks: "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44", told: "accepted: assigned:criminal result:transferred",
			closed: "transferred", disclosure: "criminal",
		},
		{
			name: "criminal and forged by form: the police all the same",
			world: func(w *world) {
				w.category, w.sector, w.reportersAt = criminal, "", "ctcc-11"
				w.number = &commonv1.Number{Displayed: "+8695588", Normal: "+8695588", Kind: "code95_spoofed"}
			},
			tasks: "preserve@ctcc-11 transfer@mps-44 traceback@ctcc-11", told: "accepted: assigned:criminal result:transferred",
			closed: "transferred", disclosure: "criminal",
		},
		{
			name:    "criminal and forged by the number check: the police all the same",
			world:   func(w *world) { w.category, w.sector = criminal, "" },
			replies: map[string][]reply{"number_check": {{outcome: forged}}},
			tasks:   "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44 traceback@cmcc-44", told: "accepted: assigned:criminal result:transferred",
			closed: "transferred", disclosure: "criminal",
		},
		{
			name:    "criminal, forged, returned by the police",
			world:   func(w *world) { w.category, w.sector = criminal, "loans" },
			replies: map[string][]reply{"number_check": {{outcome: notInUse, after: time.Hour}}, "transfer": {{outcome: returned, reason: "no_crime"}}},
			tasks:   "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44 traceback@cmcc-44", told: "accepted: assigned:criminal assigned: result:forged",
			closed: "forged", disclosure: "forged",
		},
		{
			name:    "suspected criminal: a person says so, and the police have it",
			world:   func(w *world) { w.category, w.sector, w.confidence = criminal, "", 0.3 },
			replies: map[string][]reply{"assign": {{outcome: urgentCriminal}}},
			tasks:   "preserve@cmcc-44 assign@centre-12321 transfer@mps-44 number_check@cmcc-44", told: "accepted: assigned:criminal result:transferred",
			closed: "transferred", disclosure: "criminal",
		},
		{
			name:    "criminal, returned by the police: the administrative way",
			world:   func(w *world) { w.category, w.sector = criminal, "loans" },
			replies: map[string][]reply{"transfer": {{outcome: returned, reason: "no_crime"}}},
			tasks:   "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:    "accepted: assigned:criminal assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:    "unsure: the centre does not take it",
			world:   func(w *world) { w.reports = nil },
			replies: map[string][]reply{"accept": {{outcome: notAccepted, reason: "no_call"}}},
			tasks:   "preserve@cmcc-44 accept@centre-12321", told: "not_accepted:no_call", closed: "not_accepted", disclosure: "not_accepted",
		},
		{
			name:  "unsure: the centre takes it and says what it is about",
			world: func(w *world) { w.reports, w.confidence = nil, 0 },
			replies: map[string][]reply{"accept": {{outcome: accepted, detail: &assignmentv1.DecisionDetail{
				Category: commercial, Sector: "education",
			}}}},
			tasks: "preserve@cmcc-44 accept@centre-12321 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:    "unsure: urgent and criminal",
			world:   func(w *world) { w.reports = nil },
			replies: map[string][]reply{"accept": {{outcome: urgentCriminal}}},
			tasks:   "preserve@cmcc-44 accept@centre-12321 transfer@mps-44 number_check@cmcc-44",
			told:    "accepted: assigned:criminal result:transferred", closed: "transferred", disclosure: "criminal",
		},
		{
			name:    "below the threshold: a person assigns",
			world:   func(w *world) { w.confidence = 0.3 },
			replies: map[string][]reply{"assign": {{outcome: assigned, detail: &assignmentv1.DecisionDetail{Category: commercial, Sector: "retail", LeadAgencyId: "samr-44"}}}},
			tasks:   "preserve@cmcc-44 assign@centre-12321 number_check@cmcc-44 fact_check@samr-44 handle@samr-44",
			told:    "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:  "nobody known who carried the call: who would check it is asked at once",
			world: func(w *world) { w.resource, w.confidence = nil, 0.3 },
			tasks: "preserve@ca-44 assign@centre-12321 number_check@ca-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:  "nobody known who carried the call: who took it in is asked at once",
			world: func(w *world) { w.resource, w.confidence, w.reportersAt = nil, 0.3, "ctcc-11" },
			tasks: "preserve@ctcc-11 assign@centre-12321 number_check@ctcc-11 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:  "a registered call centre of the mesh keeps its recordings",
			world: func(w *world) { w.resource.Holder.AgencyId = "centre-x" },
			tasks: "preserve@cmcc-44 preserve@centre-x number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:  "in a criminal matter the call centre is asked nothing",
			world: func(w *world) { w.resource.Holder.AgencyId, w.category, w.sector = "centre-x", criminal, "" },
			tasks: "preserve@cmcc-44 transfer@mps-44 number_check@cmcc-44", told: "accepted: assigned:criminal result:transferred",
			closed: "transferred", disclosure: "criminal",
		},
		{
			name:  "beyond the reopenings: the lead ministry",
			world: func(w *world) { w.round, w.toLead = 4, true },
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@miit handle@miit",
			told:  "reopened: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:   "everything withdrawn before it began",
			world:  func(w *world) { w.withdrawn = true },
			closed: "withdrawn",
		},
		{
			name:  "everything withdrawn, but somebody reports it again while closing",
			world: func(w *world) { w.withdrawn, w.closeJoins = true, 1 },
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures", disclosure: "no_penalty_decision",
		},
		{
			name:  "reports joined late: checked once, told together",
			world: func(w *world) { w.unchecked, w.joins = 2, 1 },
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44 late_check@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:    "not taken, but a report joined while closing: it is looked at too",
			world:   func(w *world) { w.closeJoins = 1; w.reports = nil },
			replies: map[string][]reply{"accept": {{outcome: notAccepted, reason: "abusive"}, {outcome: accepted}}},
			tasks:   "preserve@cmcc-44 accept@centre-12321 accept@centre-12321 assign@centre-12321 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:    "not_accepted:abusive accepted: assigned: checked:substantiated measure:warn_holder result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:  "a report joined while closing after the watch: told, then closed",
			world: func(w *world) { w.closeJoins = 2 },
			tasks: "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44",
			told:  "accepted: assigned: checked:substantiated measure:warn_holder result:measures result:measures result:measures", closed: "measures",
			disclosure: "no_penalty_decision",
		},
		{
			name:    "no measure could be carried out: the lead decides anew, and nobody was told of one",
			replies: map[string][]reply{"handle": {{outcome: measures, detail: suspend}, {outcome: noMeasure, reason: "not_possible"}}, "execute": {{outcome: failed, reason: "not_ours"}}},
			tasks:   "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 handle@nfra-44 review@nfra-44 sign@nfra-44 execute@cmcc-44 handle@nfra-44",
			told:    "accepted: assigned: checked:substantiated result:no_measure", closed: "no_measure", disclosure: "no_penalty_decision",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlay(t, complaintID(id(1), 1))
			if tt.world != nil {
				tt.world(p.w)
			}
			if tt.replies != nil {
				p.replies = tt.replies
			}
			p.run()
			p.want("tasks", p.tasks(), tt.tasks)
			p.want("told", p.told(), tt.told)
			p.want("closed", p.w.closed, tt.closed)
			p.want("disclosure", p.disclosure(), tt.disclosure)
		})
	}
}

func portedTo(agency string) reply {
	return reply{outcome: ported, detail: &assignmentv1.DecisionDetail{PortedTo: agency}}
}

func TestComplaint_bounces(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	to := func(agency string) reply {
		return reply{outcome: bounced, reason: "not_ours", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: agency}}
	}
	limit := to("moe-44")
	limit.refused = "BOUNCE_LIMIT"
	p.replies["fact_check"] = []reply{to("moe-44"), to("mct-44"), to("moe-44"), limit, {outcome: concluded, detail: yes}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 fact_check@moe-44 designate@miit fact_check@samr-44 "+
		"fact_check@miit handle@miit")
	for _, task := range p.w.tasks {
		if task.GetStep() == "designate" && task.GetRole() != roleLead {
			t.Errorf("a coordination opinion is asked of %v", task.GetRole())
		}
	}
	var terms []bool
	for _, task := range p.w.tasks {
		if task.GetStep() == "fact_check" {
			until, err := time.Parse(time.RFC3339, task.GetFacts()[factBounceUntil])
			terms = append(terms, err == nil && until.Before(task.GetDueTime().AsTime()))
		}
	}
	p.want("told until when it may be sent back", fmt.Sprint(terms), "[true true true false]")
	p.want("closed", p.w.closed, "measures")
	var leads []string // of each routing: who takes part, and whose lead ends
	for _, a := range p.w.advances {
		if a.GetStage() == "assign" && len(a.GetParticipations()) > 1 {
			leads = append(leads, strings.Join(a.GetEndedAgencyIds(), ",")+">"+a.GetParticipations()[0].GetAgencyId()+"+"+a.GetParticipations()[1].GetAgencyId())
		}
	}
	p.want("leads", strings.Join(leads, " "), ">nfra-44+ca-44 nfra-44>moe-44+ca-44 moe-44>samr-44+ca-44 samr-44>miit+ca-44")
}

func TestComplaint_bounceAfterItsTerm(t *testing.T) {
	p := newPlay(t, complaintID(id(1), 1))
	p.acts.now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	p.replies["fact_check"] = []reply{
		{outcome: bounced, reason: "not_ours", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: "moe-44"}, refused: "POLICY_REFUSES"},
		{outcome: concluded, detail: no},
	}
	p.run()
	p.want("closed", p.w.closed, "not_substantiated")
}

// A share of what is not substantiated goes to another agency's reviewer before it counts.
func TestComplaint_recheck(t *testing.T) {
	sampled := sampledID(t)
	for _, overturn := range []bool{false, true} {
		p := newPlay(t, complaintID(sampled, 1))
		p.replies["fact_check"] = []reply{{outcome: concluded, detail: no}}
		closed := "not_substantiated"
		if overturn {
			p.replies["recheck"] = []reply{{outcome: overturned, detail: yes}}
			closed = "measures"
		}
		p.env.ExecuteWorkflow(Complaint, complaintInput(sampled))
		p.ended()
		if got := p.w.tasks[3]; got.GetStep() != "recheck" || got.GetAgencyId() != "miit" || got.GetRole() != roleReview {
			t.Errorf("asked %s of %s as %s", got.GetStep(), got.GetAgencyId(), got.GetRole())
		}
		p.want("closed", p.w.closed, closed)
		if len(p.w.findings) != 1 {
			t.Errorf("findings written before they counted: %v", p.w.findings)
		}
	}
}
