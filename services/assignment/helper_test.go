package assignment

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// world is the service on a real database behind the real chain, with a clock that tests move.
type world struct {
	db      *pgxpool.Pool
	server  *Server
	connect func(identity.Workload, *commonv1.Actor) *grpc.ClientConn

	mu    sync.Mutex
	now   time.Time
	marks int // changes that only tell that all before them are to be seen
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{db: testkit.DB(t, Role, store.Migrations), now: time.Date(2026, 10, 15, 1, 0, 0, 0, time.UTC)}
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), w.db, keys, BuiltinLexicon(), w.clock)
	if err != nil {
		t.Fatal(err)
	}
	w.server = s
	w.connect = testkit.Serve(t, identity.Assignment, func(g *grpc.Server) { s.Register(g) })
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// as is the service as a person sees it through the gateway.
func (w *world) as(a *commonv1.Actor) assignmentv1.AssignmentServiceClient {
	return assignmentv1.NewAssignmentServiceClient(w.connect(identity.Gateway, a))
}

// workflows is the service as the workflows see it, acting for a person or (nil) for nobody.
func (w *world) workflows(a *commonv1.Actor) assignmentv1.AssignmentServiceClient {
	return assignmentv1.NewAssignmentServiceClient(w.connect(identity.Workflows, a))
}

func person(subject, agency string, roles ...accessv1.Role) *commonv1.Actor {
	return &commonv1.Actor{Subject: subject, AgencyId: agency, Roles: roles}
}

func caseworker(subject, agency string) *commonv1.Actor {
	return person(subject, agency, accessv1.Role_ROLE_CASEWORKER)
}

var lead = person("lead", leadMinistry, accessv1.Role_ROLE_LEAD)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newTask is a fact check of an agency, due in a day.
func (w *world) newTask(agency string) *assignmentv1.Task {
	subject := newID()
	return &assignmentv1.Task{
		TaskId: newID(), SubjectKind: "complaint", SubjectId: subject, WorkflowId: "complaint/" + subject + "/1", Round: 1,
		Step: "fact_check", AgencyId: agency, Role: accessv1.Role_ROLE_CASEWORKER, Outcomes: []string{"concluded", "bounced"},
		DueTime: timestamppb.New(w.clock().Add(24 * time.Hour)),
		Clock:   &commonv1.Clock{Basis: "fact_check_15wd", StatutoryDue: "2026-11-05T16:00:00Z", Proof: "15 wd"},
		Facts:   map[string]string{"category": commercial, "sector": "loans"},
	}
}

func (w *world) open(t testing.TB, task *assignmentv1.Task) *assignmentv1.Task {
	t.Helper()
	resp, err := w.workflows(nil).OpenTask(t.Context(), &assignmentv1.OpenTaskRequest{RequestId: newID(), Task: task})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetTask()
}

// changes are an agency's, all that were made before. The feed holds back what is younger than any running transaction of
// the whole server, so a last change of another agency is waited for.
func (w *world) changes(t testing.TB, a *commonv1.Actor) []*assignmentv1.TaskChange {
	t.Helper()
	w.open(t, w.newTask("mct-65"))
	last := &assignmentv1.ListTaskChangesRequest{MaxWait: durationpb.New(30 * time.Second)}
	for seen, total := 0, w.marks+1; seen < total; w.marks = seen {
		resp, err := w.as(caseworker("m", "mct-65")).ListTaskChanges(t.Context(), last)
		if err != nil {
			t.Fatal(err)
		}
		seen += len(resp.GetChanges())
		last.AfterCursor = resp.GetNextCursor()
	}
	resp, err := w.as(a).ListTaskChanges(t.Context(), &assignmentv1.ListTaskChangesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetChanges()
}

func decide(task, outcome string) *assignmentv1.RecordDecisionRequest {
	return &assignmentv1.RecordDecisionRequest{
		RequestId: newID(), Decision: &assignmentv1.Decision{TaskId: task, Outcome: outcome, ReasonCode: "checked"},
	}
}

// refused holds an error against the reason that it should have.
func refused(t testing.TB, err error, reason commonv1.ErrorReason) {
	t.Helper()
	if !errs.Is(err, reason) {
		t.Errorf("error %v, want reason %s", err, errs.Name(reason))
	}
}
