package workflows

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// reply is what a person of the play does with a task.
type reply struct {
	outcome string
	reason  string
	detail  *assignmentv1.DecisionDetail
	after   time.Duration // default: a minute
	by      string        // default: a person of their own for each step
	refused string        // reason that the decision must be refused with; the next reply comes then
}

// play runs a workflow in the time-skipping environment with people who answer its tasks.
type play struct {
	t       *testing.T
	env     *testsuite.TestWorkflowEnvironment
	w       *world
	acts    *Activities
	replies map[string][]reply // by step, in order; the last one is repeated, and every step has a default
	silent  map[string]bool    // steps that nobody answers
	sent    int
	timers  []time.Duration
}

var (
	yes        = &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: substantiated}}}
	no         = &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: notSubstantiated}}}
	theFirm    = []*assignmentv1.PartyDetail{{Role: "advertiser", Name: "某公司", CreditCode: "91440000000000000X"}}
	warnHolder = &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{{Code: "warn_holder"}}}
	suspend    = &assignmentv1.DecisionDetail{Measures: []*assignmentv1.MeasureDetail{{Code: "suspend_number"}}}
	aFine      = &assignmentv1.DecisionDetail{Penalty: &assignmentv1.PenaltyDetail{
		Kind: "fine", Amount: &commonv1.Money{Fen: 100_00}, Basis: "广告法 62", ListParty: true, Publish: true,
	}}
)

var usual = map[string]reply{
	"audit_rectify": {outcome: rectified}, "audit_accept": {outcome: confirmed},
	"accept": {outcome: accepted}, "preserve": {outcome: preserved}, "number_check": {outcome: found}, "traceback": {outcome: traced},
	"assign":     {outcome: assigned, detail: &assignmentv1.DecisionDetail{Category: commercial, Sector: "education"}},
	"fact_check": {outcome: concluded, detail: yes}, "recheck": {outcome: confirmed}, "late_check": {outcome: confirmed},
	"designate": {outcome: designated, detail: &assignmentv1.DecisionDetail{LeadAgencyId: "samr-44"}},
	"transfer":  {outcome: accepted}, "handle": {outcome: measures, detail: warnHolder}, "review": {outcome: approved},
	"sign": {outcome: signed}, "execute": {outcome: done},
	"investigate": {outcome: proposed, detail: aFine}, "case_review": {outcome: approved}, "serve_notice": {outcome: served, detail: inPerson},
	"case_sign": {outcome: signed}, "deliver": {outcome: delivered, detail: inPerson},
	"appoint": {outcome: appointed, detail: &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{Officers: []*assignmentv1.AppointedOfficer{
		{Subject: "wang", QualificationNo: "粤A001"}, {Subject: "li", QualificationNo: "粤A002"},
	}}}},
}

var inPerson = &assignmentv1.DecisionDetail{CaseStep: &assignmentv1.CaseStepDetail{Method: "direct"}}

func newPlay(t *testing.T, workflowID string) *play {
	suite := &testsuite.WorkflowTestSuite{}
	p := &play{t: t, env: suite.NewTestWorkflowEnvironment(), w: newWorld(), replies: map[string][]reply{}, silent: map[string]bool{}}
	p.acts = newActivities(p.w.owners(), fakeRuns{p.w}, newStarts(1000))
	p.env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{&errorsInterceptor{}}})
	p.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflowID, TaskQueue: TaskQueue})
	p.env.SetTestTimeout(20 * time.Second)
	register(p.env)
	p.env.RegisterActivity(p.acts)
	p.env.SetOnLocalActivityCompletedListener(func(_ *activity.Info, result converter.EncodedValue, err error) {
		performed := &caseworkv1.Performed{}
		if err != nil || result.Get(performed) != nil {
			return
		}
		for _, o := range performed.GetOpened() {
			p.answer(o.GetTaskId())
		}
	})
	p.env.SetOnTimerScheduledListener(func(_ string, d time.Duration) { p.timers = append(p.timers, d) })
	return p
}

// answer has a person decide a task after a while.
func (p *play) answer(taskID string) {
	p.w.mu.Lock()
	t := p.w.task(taskID)
	step, agency, role := t.GetStep(), t.GetAgencyId(), t.GetRole()
	p.w.mu.Unlock()
	if p.silent[step] {
		return
	}
	r := usual[step]
	if queue := p.replies[step]; len(queue) > 0 {
		r = queue[0]
		if len(queue) > 1 {
			p.replies[step] = queue[1:]
		}
	}
	if r.after == 0 {
		r.after = time.Minute
	}
	actor := &commonv1.Actor{Subject: orElse(r.by, "person of "+step), AgencyId: agency, Roles: []accessv1.Role{role}}
	p.env.RegisterDelayedCallback(func() {
		p.decide(taskID, r, actor, func() { p.answer(taskID) })
	}, r.after)
}

// decide sends a decision and holds its answer to what the play expects; refused is what happens when it had to be refused.
func (p *play) decide(taskID string, r reply, actor *commonv1.Actor, refused func()) {
	p.sent++
	key := fmt.Sprintf("%s/%d", actor.GetSubject(), p.sent)
	ended := func(err error) {
		if got := reasonText(err); got != r.refused {
			p.t.Errorf("decision %s: refused with %q (%v), want %q", r.outcome, got, err, r.refused)
		}
		if r.refused != "" {
			refused()
		}
	}
	p.env.UpdateWorkflow(updateDecide, key, &testsuite.TestUpdateCallback{
		OnReject:   ended,
		OnAccept:   func() {},
		OnComplete: func(_ any, err error) { ended(err) },
	}, &caseworkv1.DecideInput{Actor: actor, Decision: &assignmentv1.Decision{
		TaskId: taskID, Outcome: r.outcome, ReasonCode: r.reason, Detail: r.detail, RequestKey: key,
	}})
}

func reasonText(err error) string {
	if err == nil {
		return ""
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Type()
	}
	return err.Error()
}

// run plays a round of a complaint to its end.
func (p *play) run() {
	p.t.Helper()
	p.env.ExecuteWorkflow(Complaint, &caseworkv1.ComplaintInput{ComplaintId: id(1), Round: p.w.round, Profile: Statutory})
	p.ended()
}

func (p *play) ended() {
	p.t.Helper()
	if !p.env.IsWorkflowCompleted() {
		p.t.Fatal("the workflow has not ended")
	}
	if err := p.env.GetWorkflowError(); err != nil {
		p.t.Fatalf("the workflow failed: %v", err)
	}
	for _, t := range p.w.tasks {
		if t.GetState() == "OPEN" {
			p.t.Errorf("the task %s is still open", t.GetStep())
		}
	}
}

// tasks is who was asked what, in order.
func (p *play) tasks() string {
	var out []string
	for _, t := range p.w.tasks {
		out = append(out, t.GetStep()+"@"+t.GetAgencyId())
	}
	return strings.Join(out, " ")
}

func (p *play) told() string { return strings.Join(p.w.feedback, " ") }

func (p *play) want(what, got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("%s:\n got  %s\n want %s", what, got, want)
	}
}

// disclosure is the newest publication outcome that was written.
func (p *play) disclosure() string {
	out := ""
	for _, a := range p.w.advances {
		out = orElse(a.GetDisclosure(), out)
	}
	return out
}
