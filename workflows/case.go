package workflows

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// Case drives one administrative-penalty procedure against one party for one act (案件, 行政处罚法). Complaints attach to it
// and are told of its first outcome; it outlives them, and a case that is reversed after its end has another run.
//
// The law's procedure is not written here. Its owner, enforcement, says what is to be done now: which tasks are open, which
// effects follow, until when nothing happens by itself. The workflow sees to it that this is so, waits, and asks again:
//
//	┌──> ask for the plan ──> carry out its effects ──> open what is missing, cancel what fell away ──> wait ──┐
//	└────────────────── a decision, a nudge, the plan's time, or a day has passed <──────────────────────────┘
func Case(ctx workflow.Context, in *caseworkv1.CaseInput) error {
	ctx = workflow.WithLocalActivityOptions(ctx, locally)
	if workflow.GetVersion(ctx, changeCaseProcedure, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return caseScript(ctx, in)
	}
	info := workflow.GetInfo(ctx)
	k := &caseFile{in: in, tasks: map[string]*task{}}
	k.workflowID, k.profile = info.WorkflowExecution.ID, in.GetProfile()
	k.seed = k.workflowID + "/" + info.OriginalRunID // a case may have several runs, each with tasks of its own
	k.subject = &assignmentv1.Task{SubjectKind: subjectCase, SubjectId: in.GetCaseId()}
	k.listen(ctx)
	if err := k.open(ctx); err != nil {
		return err
	}
	if err := k.drive(ctx); err != nil {
		return err
	}
	k.close(ctx, "not_needed")
	return workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

const (
	subjectCase = "case"
	// lookEvery is how long a case sleeps at most: a nudge that was lost costs a day.
	lookEvery = 24 * time.Hour
	// breath is the wait before another look at a plan whose time has come: its owner's clock may be behind. Each such look
	// that changed nothing doubles it.
	breath = time.Second
)

// caseFile is what the driver knows of its case: IDs and codes.
type caseFile struct {
	desk
	in     *caseworkv1.CaseInput
	tasks  map[string]*task // open ones by the plan's key
	nudges int              // how often it was told that its rows changed
	idle   int              // looks one after the other at a plan whose time had come before
}

// listen counts what it is told.
func (k *caseFile) listen(ctx workflow.Context) {
	told := workflow.GetSignalChannel(ctx, signalNudge)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for told.Receive(ctx, nil) {
			k.nudges++
		}
	})
}

// drive does what the plan says until it says that the case has ended.
func (k *caseFile) drive(ctx workflow.Context) error {
	var taken *enforcementv1.CaseStep
	for {
		seen, plan := k.nudges, &enforcementv1.CasePlan{}
		q := planning{CaseID: k.in.GetCaseId(), Profile: k.profile, Step: taken}
		if taken != nil {
			q.Request = k.request()
		}
		perform(ctx, plan, act.PlanCase, q)
		taken = nil
		if len(plan.GetEffects()) > 0 {
			perform(ctx, nil, act.CarryOut, carrying{CaseID: k.in.GetCaseId(), Plan: plan})
			continue // what was carried out may change what is to be done
		}
		k.reconcile(ctx, plan.GetTasks())
		if plan.GetEnded() {
			return nil
		}
		var err error
		if taken, err = k.wait(ctx, plan.GetUntil(), seen); err != nil {
			return err
		}
	}
}

// reconcile opens the tasks of the plan that are not open yet, and cancels those that it no longer has.
func (k *caseFile) reconcile(ctx workflow.Context, planned []*enforcementv1.PlannedTask) {
	for _, t := range k.desk.tasks {
		if k.tasks[t.key] == t && !slices.ContainsFunc(planned, func(p *enforcementv1.PlannedTask) bool { return p.GetKey() == t.key }) {
			delete(k.tasks, t.key)
			k.cancel(t, "superseded")
		}
	}
	for _, p := range planned {
		if t := k.tasks[p.GetKey()]; t != nil {
			t.excluded = p.GetExcluded() // who must not decide may change while it is open: somebody is recused
			continue
		}
		k.tasks[p.GetKey()] = k.desk.plan(ctx, orderOf(p))
	}
	k.flush(ctx)
}

// orderOf is a planned task as the desk opens it.
func orderOf(p *enforcementv1.PlannedTask) order {
	facts := p.GetFacts() // the plan is nobody else's
	if facts == nil {
		facts = map[string]string{}
	}
	facts[factPlanned] = p.GetKey()
	o := order{
		step:     step{name: p.GetStep(), agency: ofCase, role: p.GetRole(), outcomes: p.GetOutcomes(), basis: p.GetBasis()},
		agencyID: p.GetAgencyId(), key: p.GetKey(), excluded: p.GetExcluded(), due: p.GetDueTime(), law: p.GetStatutoryDue(),
		facts: facts,
	}
	if p.GetFromTime() != nil {
		o.from = p.GetFromTime().AsTime()
	}
	return o
}

// wait waits for something to do, and returns the step that a person decided, if that was it.
func (k *caseFile) wait(ctx workflow.Context, until *timestamppb.Timestamp, seen int) (*enforcementv1.CaseStep, error) {
	for {
		next := k.wakes(workflow.Now(ctx), until)
		late := k.latest()
		if late != nil {
			next = earlier(next, late.escalates())
		}
		_, err := within(ctx, next, func() bool { return k.nudges > seen || k.answered() != nil })
		if err != nil {
			return nil, err
		}
		if t := k.answered(); t != nil {
			if d := k.record(ctx, t); d != nil {
				delete(k.tasks, t.key)
				k.idle = 0
				taken := stepOf(t.key, t.msg, d.Decision, d.by)
				taken.DecidedTime = d.recorded.GetDecidedTime()
				return taken, nil
			}
			continue // refused: the task waits on
		}
		if late == nil || workflow.Now(ctx).Before(late.escalates()) {
			return nil, nil
		}
		if k.escalate(ctx, late, late.level+1) {
			late.level++
		}
	}
}

// wakes is when the plan is asked for again at the latest.
func (k *caseFile) wakes(now time.Time, until *timestamppb.Timestamp) time.Time {
	next := now.Add(lookEvery)
	switch {
	case until == nil:
		k.idle = 0
	case until.AsTime().After(now.Add(breath)):
		k.idle = 0
		next = earlier(next, until.AsTime())
	default:
		const most = 17 // 2^17 seconds are more than a day
		next = earlier(next, now.Add(breath<<min(k.idle, most)))
		k.idle++
	}
	return next
}

// answered is the first open task that somebody decided.
func (k *caseFile) answered() *task {
	for _, t := range k.desk.tasks {
		if k.tasks[t.key] == t && len(t.answers) > 0 {
			return t
		}
	}
	return nil
}

// latest is the open task that is escalated next; nil when none will be.
func (k *caseFile) latest() *task {
	var out *task
	for _, t := range k.desk.tasks {
		if k.tasks[t.key] == t && t.level < maxLevel && (out == nil || t.escalates().Before(out.escalates())) {
			out = t
		}
	}
	return out
}

// escalates is when a task goes to the next level.
func (t *task) escalates() time.Time { return t.overdue(t.level) }

// stepOf is a decision as the case's owner records it.
func stepOf(key string, t *assignmentv1.Task, d *assignmentv1.Decision, by *commonv1.Actor) *enforcementv1.CaseStep {
	return &enforcementv1.CaseStep{
		Key: key, Step: t.GetStep(), TaskId: t.GetTaskId(), Outcome: d.GetOutcome(), ReasonCode: d.GetReasonCode(), Detail: d.GetDetail(),
		ActorSubject: by.GetSubject(), ActorAgency: by.GetAgencyId(), DecidedTime: d.GetDecidedTime(),
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
