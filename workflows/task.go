package workflows

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// updateDecide is the one update of the workflows; its name is the RPC's.
const updateDecide = "Decide"

// act names the activities; the worker has the real ones.
var act *Activities

// namespaceID makes the identifiers that a workflow derives (UUID version 5).
var namespaceID = uuid.MustParse("6f0f4a0e-3c0b-5d2f-9a53-7d1c0e5b9a10")

// derived is the identifier that follows from a name.
func derived(name string) string { return uuid.NewSHA1(namespaceID, []byte(name)).String() }

// desk is the only place of a workflow that waits for people. It opens their tasks, takes their decisions, escalates
// what is overdue, and has the decisions recorded. It also collects the mesh's own writes and sends them on in one
// activity with the next task, in their order: each event of a history that nobody needs costs speed.
type desk struct {
	workflowID string
	seed       string             // what identifiers follow from; empty: the workflow's ID
	subject    *assignmentv1.Task // kind, ID, round: what all its tasks share
	profile    string

	requests int                    // numbers the requests to the owners
	tasks    []*task                // all of this run, in order
	deeds    []proto.Message        // not yet sent
	writing  workflow.Mutex         // held while something is written
	over     bool                   // the subject needs nothing more: only what is open is still cancelled
	closed   bool                   // no decision is taken any more
	attend   func(workflow.Context) // looks at what became of the subject meanwhile; nil when nothing can
}

// order is what a workflow asks for: a step, who does it, and what they need to know, in codes.
type order struct {
	step
	agencyID string
	hidden   bool     // the public is not told the office
	excluded []string // people who must not decide it
	facts    map[string]string

	// Of a step that the subject's owner plans; the others have none of them.
	key  string                 // the owner's name for it
	from time.Time              // its clock starts then; zero: when it is opened
	due  *timestamppb.Timestamp // the owner knows when it is due, really
	law  *timestamppb.Timestamp // and by statute
}

// task is an open step.
type task struct {
	order
	msg       *assignmentv1.Task
	began     time.Time              // its clock starts then
	opened    *caseworkv1.OpenedTask // nil until its row is written
	answers   []*answer
	recording bool
	done      bool
	level     int       // it was escalated to; counted by who waits for several tasks
	notBefore time.Time // zero, or the end of its term as that was moved after it was opened
}

// answer is a decision that waits to be recorded.
type answer struct {
	in      *caseworkv1.DecideInput
	settled bool
	resp    *caseworkv1.DecideResponse
	err     error
}

// decision is what came of a task.
type decision struct {
	*assignmentv1.Decision
	by       *commonv1.Actor
	recorded *caseworkv1.Recorded
}

// open starts the desk: from now on decisions are taken.
func (d *desk) open(ctx workflow.Context) error {
	d.writing = workflow.NewMutex(ctx)
	return workflow.SetUpdateHandlerWithOptions(ctx, updateDecide, d.decide,
		workflow.UpdateHandlerOptions{Validator: d.validate})
}

// ask has a person decide a step and returns what was decided and is written.
func (d *desk) ask(ctx workflow.Context, o order) (*decision, error) {
	t := d.plan(ctx, o)
	d.flush(ctx)
	return d.await(ctx, t)
}

// plan queues a task; the next flush opens it.
func (d *desk) plan(ctx workflow.Context, o order) *task {
	now := workflow.Now(ctx)
	if !o.from.IsZero() {
		now = o.from
	}
	msg := &assignmentv1.Task{
		TaskId:     derived(fmt.Sprintf("%s/%d", orElse(d.seed, d.workflowID), len(d.tasks)+1)),
		WorkflowId: d.workflowID, SubjectKind: d.subject.GetSubjectKind(), SubjectId: d.subject.GetSubjectId(),
		Round: d.subject.GetRound(), RecordingsUntil: d.subject.GetRecordingsUntil(),
		Step: o.name, AgencyId: o.agencyID, Role: o.role, Outcomes: o.outcomes, Facts: o.facts,
	}
	t := &task{order: o, msg: msg, began: now}
	d.tasks = append(d.tasks, t)
	d.deeds = append(d.deeds, &caseworkv1.StepTask{
		Task: msg, Basis: o.basis, Profile: d.profile, Stage: o.stage, Part: o.part, FromTime: timestamppb.New(now), OfficeHidden: o.hidden,
		DueTime: o.due, StatutoryDue: o.law,
	})
	return t
}

// later queues a write of the mesh's own for the next flush.
func (d *desk) later(m proto.Message) { d.deeds = append(d.deeds, m) }

// request is a new request ID, the same in every replay.
func (d *desk) request() string {
	d.requests++
	return derived(fmt.Sprintf("%s#%d", orElse(d.seed, d.workflowID), d.requests))
}

// take hands out what is queued and still to be written.
func (d *desk) take() []proto.Message {
	deeds := d.deeds
	d.deeds = nil
	if d.over {
		deeds = slices.DeleteFunc(deeds, func(m proto.Message) bool {
			_, cancels := m.(*assignmentv1.CancelTaskRequest)
			return !cancels
		})
	}
	return deeds
}

// alone does something while nothing else of this run is written. It finishes even when the script was stopped.
func (d *desk) alone(ctx workflow.Context, do func(workflow.Context)) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	must(d.writing.Lock(ctx))
	defer d.writing.Unlock()
	do(ctx)
}

// flush writes what is queued, in order, and opens the tasks among it. What the owners say by the way is attended to: a
// signal that was lost is made good here at the latest.
func (d *desk) flush(ctx workflow.Context) {
	performed := &caseworkv1.Performed{}
	d.alone(ctx, func(ctx workflow.Context) {
		deeds := d.take()
		if len(deeds) == 0 {
			return
		}
		perform(ctx, performed, act.Perform, deeds)
		for _, o := range performed.GetOpened() {
			if t := d.find(o.GetTaskId()); t != nil {
				t.opened = o
			}
		}
	})
	if performed.GetAllWithdrawn() && d.attend != nil {
		d.attend(ctx)
	}
}

// await waits for the task's decision and has it recorded. A decision that the owner refuses is answered with the
// refusal and the task waits on. The error is only that the script was stopped.
func (d *desk) await(ctx workflow.Context, t *task) (*decision, error) {
	for level := 0; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answered, err := t.answeredInTime(ctx, level)
		switch {
		case err != nil:
			return nil, err
		case !answered:
			if d.escalate(ctx, t, level+1) {
				level++
			}
		default:
			if got := d.record(ctx, t); got != nil {
				return got, nil
			}
		}
	}
}

// answeredInTime waits for an answer until the next escalation, or for ever when there is none left.
func (t *task) answeredInTime(ctx workflow.Context, level int) (bool, error) {
	answered := func() bool { return len(t.answers) > 0 }
	if level >= maxLevel {
		return true, workflow.Await(ctx, answered)
	}
	return within(ctx, t.overdue(level), answered)
}

// overdue is when a task goes to the next level, from one.
func (t *task) overdue(level int) time.Time {
	due := t.opened.GetDueTime().AsTime().Add(time.Duration(level) * t.opened.GetEscalateEvery().AsDuration())
	return later(due, t.notBefore)
}

// within waits until the condition holds, at most until a time, and says whether it does.
func within(ctx workflow.Context, until time.Time, condition func() bool) (bool, error) {
	if condition() {
		return true, nil
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimer(timerCtx, max(until.Sub(workflow.Now(ctx)), 0))
	err := workflow.Await(ctx, func() bool { return condition() || timer.IsReady() })
	if err == nil && !condition() {
		err = ctx.Err() // a stopped script's timer is ready too
	}
	return condition(), err
}

// escalate tells the superior, and says whether it did: a task whose term was extended meanwhile, or stands still, is asked
// about again later. Whoever waits so long looks whether the task is still needed.
func (d *desk) escalate(ctx workflow.Context, t *task, level int) bool {
	told := &assignmentv1.EscalateTaskResponse{}
	perform(ctx, told, act.Escalate, &assignmentv1.EscalateTaskRequest{
		RequestId: d.request(), TaskId: t.msg.GetTaskId(), Level: int32(level),
	})
	if d.attend != nil {
		d.attend(ctx)
	}
	if told.GetNotBefore() == nil {
		return true
	}
	t.notBefore = told.GetNotBefore().AsTime()
	return false
}

// record has the first answer written and returns it, or nil when it was refused.
func (d *desk) record(ctx workflow.Context, t *task) *decision {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	a := t.answers[0]
	t.answers = t.answers[1:]
	t.recording = true
	defer func() { t.recording = false }()
	recorded := &caseworkv1.Recorded{}
	err := workflow.ExecuteLocalActivity(ctx, act.Record, recording{
		Task: t.msg, Decision: a.in.GetDecision(), Actor: a.in.GetActor(), Excluded: t.excluded,
		From: t.began, Profile: d.profile, Key: t.key,
	}).Get(ctx, recorded)
	if err != nil {
		a.settle(nil, refusalOrPanic(err))
		return nil
	}
	t.done = true
	a.settle(&caseworkv1.DecideResponse{
		TaskId: t.msg.GetTaskId(), Outcome: a.in.GetDecision().GetOutcome(), DecidedTime: recorded.GetDecidedTime(),
	}, nil)
	t.turnAway()
	return &decision{Decision: a.in.GetDecision(), by: a.in.GetActor(), recorded: recorded}
}

// decide is the update. It returns when the decision is written, or with the owner's refusal.
func (d *desk) decide(ctx workflow.Context, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error) {
	t := d.find(in.GetDecision().GetTaskId())
	if t == nil || t.done || d.closed {
		return nil, taskNotOpen()
	}
	a := &answer{in: in}
	t.answers = append(t.answers, a)
	if err := workflow.Await(ctx, func() bool { return a.settled }); err != nil {
		return nil, err
	}
	return a.resp, a.err
}

// validate refuses, without a trace in the history, what can be told without asking anybody.
func (d *desk) validate(in *caseworkv1.DecideInput) error {
	t := d.find(in.GetDecision().GetTaskId())
	if t == nil || t.done || d.closed {
		return taskNotOpen()
	}
	return toApplication(checkDecision(t.msg, in.GetDecision()))
}

// close ends the desk: tasks that are still open are cancelled, whoever waits is told.
func (d *desk) close(ctx workflow.Context, reason string) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	for _, t := range d.tasks {
		must(workflow.Await(ctx, func() bool { return !t.recording }))
		if !t.done {
			d.cancel(t, reason)
		}
	}
	d.closed = true
	d.flush(ctx)
}

// cancel takes a task back; the next flush writes it.
func (d *desk) cancel(t *task, reason string) {
	t.done = true
	d.later(&assignmentv1.CancelTaskRequest{RequestId: d.request(), TaskId: t.msg.GetTaskId(), ReasonCode: reason})
	t.turnAway()
}

// find looks a task of this run up.
func (d *desk) find(id string) *task {
	for _, t := range d.tasks {
		if t.msg.GetTaskId() == id {
			return t
		}
	}
	return nil
}

// turnAway answers whoever came too late.
func (t *task) turnAway() {
	for _, a := range t.answers {
		a.settle(nil, taskNotOpen())
	}
	t.answers = nil
}

func (a *answer) settle(resp *caseworkv1.DecideResponse, err error) {
	a.resp, a.err, a.settled = resp, err, true
}

func taskNotOpen() error {
	return refusal(codes.FailedPrecondition, "TASK_NOT_OPEN", "the task is not open")
}

// refusalOrPanic is the refusal itself, without what Temporal wrapped around it.
func refusalOrPanic(err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app
	}
	panic(err)
}

// must stops the workflow task when one of the mesh's own writes is refused. That is a defect and no person's mistake:
// Temporal tries the task again until the cause is mended, and then the workflow goes on where it was. Each refusal is
// logged and counted by the activity (refusedWrites).
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// perform has an activity do what the mesh itself must do. It is finished even when the script was stopped meanwhile.
func perform(ctx workflow.Context, result, activity any, args ...any) {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	must(workflow.ExecuteLocalActivity(ctx, activity, args...).Get(ctx, result))
}

// locally are the options of local activities: tried again until they go well or are refused.
var locally = workflow.LocalActivityOptions{
	StartToCloseTimeout:    20 * time.Second,
	ScheduleToCloseTimeout: math.MaxInt64 / 4,
	RetryPolicy: &temporal.RetryPolicy{
		InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: time.Minute,
	},
}
