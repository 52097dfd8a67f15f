package workflows

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// planner stands in for the owner of a case: what it plans follows from what it was told.
type planner struct {
	plan       func(p *planner) *enforcementv1.CasePlan
	against    func(*enforcementv1.CaseStep) string // why a step is refused
	complaints []*enforcementv1.AttachedComplaint
	steps      []string // recorded, step:outcome
	effects    []string // recorded, kind:result
	asked      int
	waits      int // plans without a task
	nudged     int
	lifted     []*ledgerv1.ResumeResourceRequest
	taken      []*reportingv1.TellReversalRequest
	kept       []string
}

func (p *planner) has(step string) bool {
	return slices.ContainsFunc(p.steps, func(s string) bool { return strings.HasPrefix(s, step+":") })
}

// planned is a task of a plan.
func planned(key, outcomes, basis string) *enforcementv1.PlannedTask {
	step, _, _ := strings.Cut(key, "/")
	return &enforcementv1.PlannedTask{
		Key: key, Step: step, AgencyId: "nfra-44", Role: roleWorker, Outcomes: strings.Fields(outcomes), Basis: basis,
	}
}

func (f fakeEnforcement) PlanCase(context.Context, *enforcementv1.PlanCaseRequest, ...grpc.CallOption) (*enforcementv1.PlanCaseResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.planner.asked++
	return &enforcementv1.PlanCaseResponse{Plan: f.w.planner.plan(f.w.planner)}, nil
}

func (f fakeEnforcement) CheckCaseStep(_ context.Context, req *enforcementv1.CheckCaseStepRequest, _ ...grpc.CallOption) (*enforcementv1.CheckCaseStepResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.planner.against != nil {
		if why := f.w.planner.against(req.GetStep()); why != "" {
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, "%s", why)
		}
	}
	return &enforcementv1.CheckCaseStepResponse{}, nil
}

func (f fakeEnforcement) RecordCaseStep(_ context.Context, req *enforcementv1.RecordCaseStepRequest, _ ...grpc.CallOption) (*enforcementv1.RecordCaseStepResponse, error) {
	return once(f.w, req, func() (*enforcementv1.RecordCaseStepResponse, error) {
		f.w.exposed.steps = append(f.w.exposed.steps, req.GetStep())
		f.w.planner.steps = append(f.w.planner.steps, req.GetStep().GetStep()+":"+req.GetStep().GetOutcome())
		return &enforcementv1.RecordCaseStepResponse{}, nil
	})
}

func (f fakeEnforcement) RecordCaseEffect(_ context.Context, req *enforcementv1.RecordCaseEffectRequest, _ ...grpc.CallOption) (*enforcementv1.RecordCaseEffectResponse, error) {
	return once(f.w, req, func() (*enforcementv1.RecordCaseEffectResponse, error) {
		f.w.planner.effects = append(f.w.planner.effects, req.GetKind()+":"+req.GetResult())
		return &enforcementv1.RecordCaseEffectResponse{}, nil
	})
}

func (p *play) runCase(plan func(*planner) *enforcementv1.CasePlan) {
	p.t.Helper()
	if p.w.planner == nil {
		p.w.planner = &planner{}
	}
	p.w.planner.plan = plan
	p.env.ExecuteWorkflow(Case, &caseworkv1.CaseInput{CaseId: id(501), Profile: Statutory})
	p.ended()
}

func (p *play) steps() string { return strings.Join(p.w.planner.steps, " ") }

// straight is a plan of steps one after the other, with what follows from them at their end.
func straight(keys ...string) func(*planner) *enforcementv1.CasePlan {
	return func(p *planner) *enforcementv1.CasePlan {
		for _, key := range keys {
			step, _, _ := strings.Cut(key, "/")
			if !p.has(step) {
				i := slices.IndexFunc(steps, func(s stepRow) bool { return s.name == step })
				return &enforcementv1.CasePlan{Tasks: []*enforcementv1.PlannedTask{planned(key, strings.Join(steps[i].outcomes, " "), steps[i].basis)}}
			}
		}
		plan := &enforcementv1.CasePlan{
			Ended: len(p.effects) == 3, Complaints: p.complaints,
		}
		for i, kind := range []string{effectList, effectPublish, effectTell} {
			if len(p.effects) == i {
				plan.Effects = append(plan.Effects, &enforcementv1.PlannedEffect{Key: kind + "/1", Kind: kind, Facts: map[string]string{"outcome": "penalty"}})
				break
			}
		}
		return plan
	}
}

type stepRow = step // inside, a variable has its name

// What its owner plans is done, in its order, and then the case ends.
func TestCase_doesWhatIsPlanned(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.publishes = true
	p.w.planner = &planner{complaints: []*enforcementv1.AttachedComplaint{{ComplaintId: id(1), Round: 1}, {ComplaintId: id(2), Round: 3}}}
	p.runCase(straight("appoint/1", "investigate/2", "case_review/3", "serve_notice/4", "case_sign/5", "deliver/6"))
	p.want("steps", p.steps(), "appoint:appointed investigate:proposed case_review:approved serve_notice:served case_sign:signed deliver:delivered")
	p.want("effects", strings.Join(p.w.planner.effects, " "), "list_party:no_penalty publish:case_published:"+id(700)+" tell_complaints:done")
	p.want("signals", strings.Join(p.w.signals, ", "), complaintID(id(1), 1)+" CaseEnded, "+complaintID(id(2), 3)+" CaseEnded")
	if title := p.w.published[0].GetPublication().GetTitle(); !strings.Contains(title, "name of nfra-44") {
		t.Errorf("the title %q does not name the agency", title)
	}
}

// A refusal of the owner is the answer to the person, and the task waits on for another decision.
func TestCase_aRefusedStepWaitsOn(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.w.planner = &planner{against: func(s *enforcementv1.CaseStep) string {
		if s.GetStep() == "investigate" && s.GetActorSubject() == "li" {
			return "行政处罚法 第四十二条"
		}
		return ""
	}}
	good := usual["investigate"]
	other := good
	good.by, other.by, other.refused = "wang", "li", "POLICY_REFUSES"
	p.replies["investigate"] = []reply{other, good}
	p.runCase(straight("appoint/1", "investigate/2"))
	p.want("steps", p.steps(), "appoint:appointed investigate:proposed")
}

// Several tasks are open at once; one that falls away is cancelled, and who must not decide may change meanwhile.
func TestCase_tasksComeAndGo(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.silent["investigate"] = true
	p.replies["transfer_approve"] = []reply{{outcome: refused, reason: "no_crime"}}
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		if o.has("transfer_approve") {
			return &enforcementv1.CasePlan{Ended: true}
		}
		return &enforcementv1.CasePlan{Tasks: []*enforcementv1.PlannedTask{
			planned("investigate/1", "proposed", "case_90d"), planned("transfer_approve/2", "approved refused", "transfer_3d"),
		}}
	})
	p.want("tasks", p.tasks(), "investigate@nfra-44 transfer_approve@nfra-44")
	if p.w.task(p.w.tasks[0].GetTaskId()).GetState() != "CANCELLED" {
		t.Error("a task that fell away is still there")
	}
}

// The plan's time, a nudge and a day wake the case; nothing else does.
func TestCase_wakes(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	began := p.env.Now()
	p.env.RegisterDelayedCallback(func() { p.env.SignalWorkflow(signalNudge, nil) }, 30*time.Hour)
	var woke []time.Duration
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		woke = append(woke, p.env.Now().Sub(began).Round(time.Hour))
		plan := &enforcementv1.CasePlan{Ended: o.asked == 4}
		if o.asked == 3 {
			plan.Until = timestamppb.New(p.env.Now().Add(5 * time.Hour))
		}
		return plan
	})
	if want := []time.Duration{0, 24 * time.Hour, 30 * time.Hour, 35 * time.Hour}; !slices.Equal(woke, want) {
		t.Errorf("woke at %v, want %v", woke, want)
	}
}

// Each open task is escalated by its own clock.
func TestCase_everyDeadlineEscalates(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	late := usual["investigate"]
	late.after = 300 * 24 * time.Hour
	p.replies["investigate"] = []reply{late}
	p.runCase(straight("appoint/1", "investigate/2"))
	p.want("escalations", strings.Join(p.w.escalations, " "), "investigate/1 investigate/2")
}

// A case that went to its superior is decided there: the nearest agency above both.
func TestCase_commonSuperior(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	p.replies["designate_case"] = []reply{{outcome: designated, detail: &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{AgencyId: "samr-44"}}}}
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		task := planned("designate_case/1", "designated", "designate_7wd")
		task.AgencyId, task.SuperiorOf = "", []string{"cmcc-44", "nfra-44"}
		return &enforcementv1.CasePlan{Ended: o.has("designate_case"), Tasks: []*enforcementv1.PlannedTask{task}[:1-min(1, len(o.steps))]}
	})
	p.want("tasks", p.tasks(), "designate_case@miit")
}

// A time of the plan that has passed and changed nothing is asked about ever more seldom: no case keeps the mesh busy.
func TestCase_aTimeThatHasPassed(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	due := p.env.Now().Add(time.Hour)
	p.replies["confirm_performance"] = []reply{{outcome: "performed", after: 100 * 24 * time.Hour}}
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		if o.has("confirm_performance") {
			return &enforcementv1.CasePlan{Ended: true}
		}
		return &enforcementv1.CasePlan{Until: timestamppb.New(due), Tasks: []*enforcementv1.PlannedTask{
			planned("confirm_performance/1", "performed unperformed instalments", "perform_15d"),
		}}
	})
	if most := 100 + 20 + 5; p.w.planner.asked > most {
		t.Errorf("asked %d times in 100 days, want %d at most", p.w.planner.asked, most)
	}
}

// A suspected crime goes to a police agency of the directory, and to no other authority (行政处罚法 27).
func TestCase_transferredToThePolice(t *testing.T) {
	p := newPlay(t, caseID(id(501)))
	to := func(agency string) reply {
		return reply{outcome: approved, detail: &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{AgencyId: agency}}}
	}
	bad := []reply{to("ca-11"), to("nowhere"), to("cmcc-44")}
	for i := range bad {
		bad[i].refused = "INVALID_FIELD"
	}
	p.replies["transfer_approve"] = append(bad, to("mps-44"))
	p.runCase(func(o *planner) *enforcementv1.CasePlan {
		if o.has("transfer_approve") {
			return &enforcementv1.CasePlan{Ended: true}
		}
		return &enforcementv1.CasePlan{Tasks: []*enforcementv1.PlannedTask{planned("transfer_approve/1", "approved refused", "transfer_3d")}}
	})
	p.want("steps", p.steps(), "transfer_approve:approved")
}
