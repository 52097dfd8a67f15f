package workflows

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"quietline/deploy/embedded"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/seal"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

var record = flag.Bool("record", false, "write the histories of this test to testdata/histories")

// maxEvents of history may a person's decision cost.
const maxEvents = 12

// canary stands in a note: it may be nowhere in clear.
const canary = "账号尾号canary1234"

// ground is a real Temporal on a real PostgreSQL, started once for this package's tests.
type realTemporal struct {
	client client.Client
	keys   *seal.Keys
}

func startTemporal(t *testing.T) *realTemporal {
	t.Helper()
	bin, err := filepath.Abs("../bin")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("", "quietline-workflows-") //nolint:usetesting // t.TempDir is closed to PostgreSQL's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	stack, err := embedded.Start(t.Context(), embedded.Config{Data: filepath.Join(data, "data"), TemporalBin: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Stop(context.Background()) })
	options, err := stack.Temporal(identity.Workflows)
	if err != nil {
		t.Fatal(err)
	}
	g := &realTemporal{}
	if g.keys, err = seal.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := Seal(&options, g.keys); err != nil {
		t.Fatal(err)
	}
	if g.client, err = client.DialContext(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.client.Close)
	return g
}

// town is a world on a real Temporal with people who decide through CaseworkService.
type town struct {
	t      *testing.T
	g      *realTemporal
	w      *world
	server *Server
	mesh   *Client
	worker worker.Worker
}

func (g *realTemporal) town(t *testing.T) *town {
	w := newWorld()
	mesh := NewClient(g.client, Rehearsal)
	s := newStarts(1000)
	acts := newActivities(w.owners(), mesh, s)
	x := &town{t: t, g: g, w: w, mesh: mesh, server: NewServer(mesh, acts, s, g.keys)}
	x.worker = newWorker(g.client, acts, nil)
	if err := x.worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.worker.Stop)
	return x
}

// GetTask is what CaseworkService asks.
func (f fakeAssignment) GetTask(_ context.Context, req *assignmentv1.GetTaskRequest, _ ...grpc.CallOption) (*assignmentv1.GetTaskResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	t := f.w.task(req.GetTaskId())
	if t == nil {
		return nil, errs.New(codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, "no such task")
	}
	resp := &assignmentv1.GetTaskResponse{Task: proto.CloneOf(t)}
	for _, d := range f.w.decisions {
		if d.GetDecision().GetTaskId() == t.GetTaskId() {
			resp.Decision = proto.CloneOf(d.GetDecision())
			resp.Decision.DecidedTime = t.GetCloseTime()
		}
	}
	return resp, nil
}

func (f fakeAssignment) ListTasks(_ context.Context, req *assignmentv1.ListTasksRequest, _ ...grpc.CallOption) (*assignmentv1.ListTasksResponse, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	resp := &assignmentv1.ListTasksResponse{}
	for _, t := range f.w.tasks {
		if t.GetSubjectId() == req.GetSubjectId() && t.GetStep() == req.GetStep() && t.GetState() == req.GetState() {
			resp.Tasks = append(resp.Tasks, proto.CloneOf(t))
		}
	}
	return resp, nil
}

// open are the open tasks of a subject.
func (x *town) open(subject string) []*assignmentv1.Task {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	var out []*assignmentv1.Task
	for _, t := range x.w.tasks {
		if t.GetSubjectId() == subject && t.GetState() == "OPEN" {
			out = append(out, proto.CloneOf(t))
		}
	}
	return out
}

func person(t *assignmentv1.Task) *commonv1.Actor {
	return &commonv1.Actor{Subject: "person of " + t.GetStep(), AgencyId: t.GetAgencyId(), Roles: []accessv1.Role{t.GetRole()}}
}

func requestFor(t *assignmentv1.Task, r reply) *caseworkv1.DecideRequest {
	return &caseworkv1.DecideRequest{
		RequestId: uuid.NewString(), TaskId: t.GetTaskId(), Outcome: r.outcome, ReasonCode: r.reason, Detail: r.detail, Note: "called " + canary,
	}
}

// until plays the people of a subject until the condition holds.
func (x *town) until(subject string, replies map[string]reply, condition func() bool) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		for _, t := range x.open(subject) {
			r, ok := replies[t.GetStep()]
			if !ok {
				r = usual[t.GetStep()]
			}
			if _, err := x.server.Decide(identity.WithActor(ctx, person(t)), requestFor(t, r)); err != nil {
				x.t.Fatalf("decide %s: %v", t.GetStep(), err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			x.t.Fatalf("the workflow does not come to its end; tasks: %v", x.w.tasks)
		}
	}
}

func (x *town) watching() bool {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	return x.w.watched != nil
}

func (x *town) over(workflowID string) func() bool {
	return func() bool {
		running, _, err := x.mesh.Running(x.t.Context(), workflowID)
		return err == nil && !running
	}
}

// events counts a history and holds it to its secrets.
func (x *town) events(workflowID string) int {
	x.t.Helper()
	n := 0
	for it := x.g.client.GetWorkflowHistory(x.t.Context(), workflowID, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); n++ {
		e, err := it.Next()
		if err != nil {
			x.t.Fatal(err)
		}
		if text := prototext.Format(e); strings.Contains(text, canary) || strings.Contains(text, "推销贷款") || strings.Contains(text, "nfra-44") || strings.Contains(text, theFirm[0].GetName()) {
			x.t.Errorf("in clear in the history: %s", text)
		}
	}
	return n
}

func (x *town) keep(name, workflowID string) {
	x.t.Helper()
	if !*record {
		return
	}
	if err := RecordHistory(x.t.Context(), x.g.client, x.g.keys, workflowID, filepath.Join("testdata", "histories", name+".json")); err != nil {
		x.t.Fatal(err)
	}
}

// The workflows on a real Temporal, decided through CaseworkService.
func TestTemporal(t *testing.T) {
	g := startTemporal(t)
	t.Run("a measure that weighs", func(t *testing.T) {
		x := g.town(t)
		run := complaintID(id(1), 1)
		x.start(id(1), 1)
		replies := map[string]reply{"handle": {outcome: measures, detail: suspend}}
		if !*record {
			x.until(id(1), replies, x.watching)
		} else {
			x.until(id(1), replies, x.over(run))
		}
		decisions := len(x.w.decisions)
		n := x.events(run)
		t.Logf("%d events for %d decisions: %.1f each", n, decisions, float64(n)/float64(decisions))
		if n > maxEvents*decisions {
			t.Errorf("%d events for %d decisions", n, decisions)
		}
		x.keep("complaint-measure", run)
	})
	t.Run("not accepted", func(t *testing.T) {
		x := g.town(t)
		x.w.reports = nil
		x.start(id(2), 1)
		x.until(id(2), map[string]reply{"accept": {outcome: notAccepted, reason: "no_call"}}, x.over(complaintID(id(2), 1)))
		x.keep("complaint-not-accepted", complaintID(id(2), 1))
	})
	t.Run("a criminal matter", func(t *testing.T) {
		x := g.town(t)
		x.w.category, x.w.sector = criminal, "loans"
		x.start(id(6), 1)
		x.until(id(6), map[string]reply{
			"number_check": {outcome: forged}, "transfer": {outcome: returned, reason: "no_crime"},
		}, x.watching)
		x.keep("complaint-returned-by-police", complaintID(id(6), 1))
	})
	t.Run("withdrawn", func(t *testing.T) {
		x := g.town(t)
		x.start(id(7), 1)
		x.until(id(7), nil, func() bool {
			return slices.ContainsFunc(x.open(id(7)), func(t *assignmentv1.Task) bool { return t.GetStep() == "fact_check" })
		})
		x.w.mu.Lock()
		x.w.withdrawn = true
		x.w.mu.Unlock()
		if _, err := x.server.Nudge(t.Context(), &caseworkv1.NudgeRequest{ComplaintId: id(7), Round: 1}); err != nil {
			t.Fatal(err)
		}
		x.until(id(0), nil, x.over(complaintID(id(7), 1)))
		if x.w.closed != withdrawn || len(x.open(id(7))) > 0 {
			t.Errorf("closed as %q with open tasks %v", x.w.closed, x.open(id(7)))
		}
		x.keep("complaint-withdrawn", complaintID(id(7), 1))
	})
	t.Run("clues", func(t *testing.T) { testRealClues(t, g) })
	t.Run("a case and its complaint", func(t *testing.T) { testRealCase(t, g.town(t)) })
	t.Run("cases with side ways", func(t *testing.T) { testRealCaseWays(t, g.town(t)) })
	t.Run("recalls and appeals", func(t *testing.T) { testRealMatters(t, g) })
	t.Run("lists and repairs", func(t *testing.T) { testRealLists(t, g) })
	t.Run("proposed publications", func(t *testing.T) { testRealPublications(t, g) })
	t.Run("decide", func(t *testing.T) { testRealDecide(t, g.town(t)) })
	t.Run("digests", func(t *testing.T) { testRealDigest(t, g.town(t)) })
	t.Run("sweep", func(t *testing.T) { testRealSweep(t, g) })
	t.Run("a worker that is replaced", func(t *testing.T) { testRealTakeOver(t, g) })
}

func (x *town) start(complaint string, round int32) {
	x.t.Helper()
	for _, want := range []int32{1, 1} { // twice is once
		resp, err := x.server.Start(x.t.Context(), &caseworkv1.StartRequest{Kind: "complaint", Items: []*caseworkv1.Startable{{Id: complaint, Round: round}}})
		if err != nil || resp.GetStarted() != want {
			x.t.Fatalf("start: %v, %v", resp, err)
		}
	}
}

func testRealCase(t *testing.T, x *town) {
	x.w.publishes = true
	x.w.planner = &planner{
		plan:       straight("appoint/1", "investigate/2", "case_review/3", "serve_notice/4", "case_sign/5", "deliver/6"),
		complaints: []*enforcementv1.AttachedComplaint{{ComplaintId: id(3), Round: 1}},
	}
	x.start(id(3), 1)
	replies := map[string]reply{"handle": {outcome: onlyCase, detail: &assignmentv1.DecisionDetail{Parties: theFirm}}}
	x.until(id(3), replies, func() bool { return len(x.open(id(501))) > 0 })
	x.until(id(501), nil, x.over(caseID(id(501))))
	x.until(id(3), replies, x.watching)
	x.events(complaintID(id(3), 1)) // the party's name is in it, sealed
	x.keep("case-procedure", caseID(id(501)))
	x.keep("complaint-case", complaintID(id(3), 1))
}

func testRealDecide(t *testing.T, x *town) {
	ctx := t.Context()
	x.start(id(4), 1)
	x.until(id(4), nil, func() bool {
		return slices.ContainsFunc(x.open(id(4)), func(t *assignmentv1.Task) bool { return t.GetStep() == "fact_check" })
	})
	task := x.open(id(4))[0]
	good := requestFor(task, usual["fact_check"])
	as := func(change func(*commonv1.Actor)) context.Context {
		a := person(task)
		change(a)
		return identity.WithActor(ctx, a)
	}
	wrong := requestFor(task, reply{outcome: "perhaps"})
	for name, try := range map[string]struct {
		ctx  context.Context
		req  *caseworkv1.DecideRequest
		want commonv1.ErrorReason
	}{
		"another agency": {as(func(a *commonv1.Actor) { a.AgencyId = "samr-44" }), good, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY},
		"another role":   {as(func(a *commonv1.Actor) { a.Roles = []accessv1.Role{roleHead} }), good, commonv1.ErrorReason_ERROR_REASON_ROLE_NOT_ALLOWED},
		"no outcome":     {as(func(*commonv1.Actor) {}), wrong, commonv1.ErrorReason_ERROR_REASON_OUTCOME_NOT_ALLOWED},
	} {
		if _, err := x.server.Decide(try.ctx, try.req); !errs.Is(err, try.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// Many at once, and the same again: one decision.
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := x.server.Decide(as(func(*commonv1.Actor) {}), good); err != nil {
				t.Errorf("the same request: %v", err)
			}
		})
	}
	wait.Wait()
	if _, err := x.server.Decide(as(func(*commonv1.Actor) {}), requestFor(task, usual["fact_check"])); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN) {
		t.Errorf("a second decision: %v", err)
	}
	other := proto.CloneOf(good)
	other.Outcome = bounced
	reasoned := proto.CloneOf(good)
	reasoned.ReasonCode = "another_reason"
	for _, again := range []*caseworkv1.DecideRequest{other, reasoned} {
		if _, err := x.server.Decide(as(func(*commonv1.Actor) {}), again); !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED) {
			t.Errorf("the request ID for another decision: %v", err)
		}
	}

	// A batch has a result for each, and the run that is gone answers from the row.
	x.until(id(4), nil, x.watching)
	if err := x.g.client.TerminateWorkflow(ctx, complaintID(id(4), 1), "", "test"); err != nil {
		t.Fatal(err)
	}
	batch, err := x.server.BatchDecide(as(func(*commonv1.Actor) {}), &caseworkv1.BatchDecideRequest{
		Decisions: []*caseworkv1.DecideRequest{good, {RequestId: uuid.NewString(), TaskId: uuid.NewString(), Outcome: found}, other, {TaskId: "no UUID"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range batch.GetResults() {
		got = append(got, fmt.Sprintf("%v:%s", r.GetResponse() != nil, r.GetReason()))
	}
	if want := "true: false:NOT_FOUND false:REQUEST_ID_REUSED false:INVALID_FIELD"; strings.Join(got, " ") != want {
		t.Errorf("batch: %v, want %s", got, want)
	}
	resp, err := x.server.CheckRunning(ctx, &caseworkv1.CheckRunningRequest{WorkflowIds: []string{complaintID(id(4), 1), "case/none"}})
	if err != nil || len(resp.GetNotRunning()) != 2 {
		t.Errorf("not running: %v, %v", resp, err)
	}
	if _, err := x.server.Nudge(ctx, &caseworkv1.NudgeRequest{ComplaintId: id(4), Round: 1}); err != nil {
		t.Errorf("nudging a run that is gone: %v", err)
	}
}
