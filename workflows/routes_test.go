package workflows

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

func (p *play) task(step string) *assignmentv1.Task {
	i := slices.IndexFunc(p.w.tasks, func(t *assignmentv1.Task) bool { return t.GetStep() == step })
	if i < 0 {
		p.t.Fatalf("nobody was asked to %s", step)
	}
	return p.w.tasks[i]
}

// Where the table settles no competence the centre names who leads, and must.
func TestComplaint_unsettledGoesToTheCentre(t *testing.T) {
	p := newPlay(t, "complaint/"+id(1)+"/1")
	p.w.unsettled = true
	told := &assignmentv1.DecisionDetail{Category: commercial, Sector: "other"}
	named := proto.CloneOf(told)
	named.LeadAgencyId = "samr-44"
	p.replies["assign"] = []reply{{outcome: assigned, detail: told, refused: "INVALID_FIELD"}, {outcome: assigned, detail: named}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 assign@centre-12321 number_check@cmcc-44 fact_check@samr-44 handle@samr-44")
	facts := p.task("assign").GetFacts()
	if facts[factUnsettled] != "no_competent_agency" || facts["route_why"] != "为什么。" || facts["region"] != "44" || facts["route_rule"] != "a rule" {
		t.Errorf("what the centre is told: %v", facts)
	}
	if check := p.task("fact_check").GetFacts(); check["route_rule"] != "" || check[factUnsettled] != "" || check["route_why"] == "" {
		t.Errorf("a lead that a person named is nobody's rule: %v", check)
	}
	if len(p.w.kept) != 2 || p.w.kept[0].GetNamedLeadId() != "" || p.w.kept[1].GetNamedLeadId() != "samr-44" {
		t.Errorf("kept: %v", p.w.kept)
	}
}

// A person who says that it is a crime needs to name nobody: that is settled.
func TestComplaint_unsettledButCriminal(t *testing.T) {
	p := newPlay(t, "complaint/"+id(1)+"/1")
	p.w.unsettled = true
	p.replies["assign"] = []reply{{outcome: urgentCriminal}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 assign@centre-12321 transfer@mps-44 number_check@cmcc-44")
}

// The clocks of a route reach the tasks, and what the fact check came from stands on it.
func TestComplaint_clocksOfTheRoute(t *testing.T) {
	p := newPlay(t, "complaint/"+id(1)+"/1")
	p.w.checkBasis, p.w.handleBasis = "fact_check_finance_30cd", "execute_5wd"
	p.run()
	for step, want := range map[string][2]string{
		"fact_check": {"fact_check_finance_30cd", "30 cd from "}, "handle": {"execute_5wd", "5 wd from "}, "number_check": {stepNumberCheck.basis, "3 wd from "},
	} {
		task := p.task(step)
		clock := task.GetClock()
		if clock.GetBasis() != want[0] || !strings.HasPrefix(clock.GetProof(), want[1]) || clock.GetStatutoryDue() != task.GetDueTime().AsTime().Format(time.RFC3339) {
			t.Errorf("%s: due %v by %v, want by %q", step, task.GetDueTime().AsTime(), clock, want)
		}
	}
	if facts := p.task("fact_check").GetFacts(); facts["route_rule"] != "a rule" || facts["route_table"] != "1" || facts["route_why"] != "为什么。" {
		t.Errorf("facts of the fact check: %v", facts)
	}
	if len(p.w.kept) != 1 || p.w.kept[0].GetComplaintId() != id(1) || p.w.kept[0].GetRound() != 1 || p.w.kept[0].GetFacts().GetHolderId() != id(901) {
		t.Errorf("kept: %v", p.w.kept)
	}
}

// A basis that the deadline table does not have leaves no task without a clock.
func TestDueOf_unknownBasis(t *testing.T) {
	s := &caseworkv1.StepTask{Basis: "soon", Profile: Statutory, Task: &assignmentv1.Task{Step: "fact_check"}}
	s.FromTime = timestamp(time.Date(2026, 11, 2, 4, 0, 0, 0, time.UTC))
	basis, due, err := dueOf(s)
	if err != nil || basis != stepFactCheck.basis || due.Due.IsZero() {
		t.Errorf("%s, %v, %v", basis, due, err)
	}
	s.Task.Step = "no such step"
	if _, _, err := dueOf(s); err == nil {
		t.Error("an unknown basis of no step is taken")
	}
}

func TestHolderFacts(t *testing.T) {
	for code, want := range map[string]string{"91440300MA5DEMN02X": "44", "91100000DEMNDEMN01": "", "": "", "123": ""} {
		f := &caseworkv1.Triage{}
		holderFacts(&ledgerv1.Holder{Sector: "loans", CreditCode: code}, f)
		if f.GetHolderProvince() != want || f.GetHolderSector() != "loans" {
			t.Errorf("%s: %v", code, f)
		}
	}
}

// A matter that bounces is routed anew each time, and each route is kept with who was named.
func TestComplaint_bouncesAreKept(t *testing.T) {
	p := newPlay(t, "complaint/"+id(1)+"/1")
	bounce := func(to string) reply {
		return reply{outcome: bounced, reason: "not_our_sector", detail: &assignmentv1.DecisionDetail{ShouldActAgencyId: to}}
	}
	p.w.checkBasis = "fact_check_finance_30cd"
	p.replies["fact_check"] = []reply{bounce("lfa-44"), {outcome: concluded, detail: yes}}
	p.run()
	p.want("tasks", p.tasks(), "preserve@cmcc-44 number_check@cmcc-44 fact_check@nfra-44 fact_check@lfa-44 handle@lfa-44")
	var clocks []string
	for _, task := range p.w.tasks {
		if task.GetStep() == "fact_check" {
			clocks = append(clocks, task.GetClock().GetBasis())
		}
	}
	if !slices.Equal(clocks, []string{"fact_check_finance_30cd", stepFactCheck.basis}) {
		t.Errorf("the clock of a rule goes with the agency that it names: %v", clocks)
	}
	if len(p.w.kept) != 2 || p.w.kept[1].GetNamedLeadId() != "lfa-44" {
		t.Errorf("kept: %v", p.w.kept)
	}
}
