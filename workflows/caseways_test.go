package workflows

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// sideways is a plan with two tasks at once, one of which falls away, a wait until a time and one for a nudge.
func sideways(p *planner) *enforcementv1.CasePlan {
	switch {
	case len(p.effects) == 0:
		return &enforcementv1.CasePlan{Effects: []*enforcementv1.PlannedEffect{{Key: "begin/1", Kind: effectBegin}}}
	case !p.has("appoint"):
		return &enforcementv1.CasePlan{Tasks: []*enforcementv1.PlannedTask{planned("appoint/1", "appointed", "appoint_3wd")}}
	case !p.has("transfer_approve"):
		return &enforcementv1.CasePlan{Tasks: []*enforcementv1.PlannedTask{
			planned("investigate/2", "proposed", "case_90d"), planned("transfer_approve/3", "approved refused", "transfer_3d"),
		}}
	case p.waits == 0: // nothing is open, until a time
		p.waits++
		return &enforcementv1.CasePlan{Until: timestamppb.New(time.Now().Add(time.Second))}
	case p.nudged == 0: // only a nudge wakes it
		p.waits++
		return &enforcementv1.CasePlan{}
	case len(p.effects) == 1:
		return &enforcementv1.CasePlan{Effects: []*enforcementv1.PlannedEffect{{Key: "copy_procuratorate/9", Kind: effectCopy}}}
	}
	return &enforcementv1.CasePlan{Ended: true}
}

// testRealCaseWays: a case with side ways, and the second run of one that is reversed after its end.
func testRealCaseWays(t *testing.T, x *town) {
	subject := id(520)
	x.w.planner = &planner{plan: sideways}
	x.begin("case", subject)
	decide := func(step string, open int, r reply) {
		t.Helper()
		x.until(id(0), nil, func() bool { return len(x.open(subject)) == open })
		i := slices.IndexFunc(x.open(subject), func(task *assignmentv1.Task) bool { return task.GetStep() == step })
		task := x.open(subject)[i]
		if _, err := x.server.Decide(identity.WithActor(t.Context(), person(task)), requestFor(task, r)); err != nil {
			t.Fatal(err)
		}
	}
	decide("appoint", 1, usual["appoint"])
	decide("transfer_approve", 2, reply{outcome: refused, reason: "no_crime"}) // the investigation falls away with it
	x.until(id(0), nil, func() bool { x.w.mu.Lock(); defer x.w.mu.Unlock(); return x.w.planner.waits == 2 })
	x.w.mu.Lock()
	x.w.planner.nudged = 1
	x.w.mu.Unlock()
	if _, err := x.server.NudgeSubject(t.Context(), &caseworkv1.NudgeSubjectRequest{Kind: "case", Id: subject}); err != nil {
		t.Fatal(err)
	}
	x.until(id(0), nil, x.over(caseID(subject)))
	x.keep("case-sideways", caseID(subject))

	x.w.planner = &planner{plan: straight("reverse/1")}
	first := len(x.w.tasks)
	x.begin("case", subject)
	x.until(subject, map[string]reply{"reverse": {outcome: reversal, detail: &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{Basis: "行政复议决定"}}}},
		x.over(caseID(subject)))
	if got := x.w.tasks[first:]; len(got) != 1 || got[0].GetState() != "DONE" {
		t.Errorf("the second run asked for %v", got)
	}
	x.keep("case-reversed", caseID(subject))
}
