package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

const (
	fixedQueue  = "bench"
	fixedUpdate = "Decide"
)

// fixedWork is the baseline of casework. Its worker runs in this process like the mesh's, with the same settings, and
// keeps what it records in the same PostgreSQL. Its robots call Temporal straight from here.
type fixedWork struct {
	temporal client.Client
	db       *pgxpool.Pool
}

func newFixedWork(ctx context.Context, m *benchMesh) (*fixedWork, error) {
	err := m.own(ctx, "assignment",
		`CREATE TABLE bench_decision (request_id uuid PRIMARY KEY, workflow_id text NOT NULL, body bytea NOT NULL)`,
		`GRANT INSERT ON bench_decision TO assignment`)
	if err != nil {
		return nil, err
	}
	f := &fixedWork{}
	if f.db, err = m.pool(ctx, "assignment"); err != nil {
		return nil, err
	}
	options, err := m.stack.Temporal(identity.Workflows)
	if err != nil {
		return nil, err
	}
	options.Logger = log.NewStructuredLogger(slog.Default())
	if f.temporal, err = client.DialContext(ctx, options); err != nil {
		return nil, err
	}
	w := worker.New(f.temporal, fixedQueue, worker.Options{
		MaxConcurrentWorkflowTaskExecutionSize: 200, MaxConcurrentLocalActivityExecutionSize: 64, WorkerStopTimeout: time.Second,
	})
	w.RegisterWorkflowWithOptions(fixedFlow, workflow.RegisterOptions{Name: "Fixed"})
	w.RegisterActivity(f)
	if err := w.Start(); err != nil {
		return nil, err
	}
	m.atEnd(func() error {
		w.Stop()
		f.temporal.Close()
		return nil
	})
	return f, nil
}

// fixedFlow takes a number of decisions, each with one Update and one local activity. An Update is answered, as in the
// mesh, when the decision is written.
func fixedFlow(ctx workflow.Context, decisions int) error {
	written := 0
	var f *fixedWork
	locally := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: 20 * time.Second, ScheduleToCloseTimeout: math.MaxInt64 / 4,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond},
	})
	err := workflow.SetUpdateHandler(ctx, fixedUpdate, func(ctx workflow.Context, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error) {
		out := &caseworkv1.DecideResponse{}
		if err := workflow.ExecuteLocalActivity(locally, f.Record, workflow.GetInfo(ctx).WorkflowExecution.ID, in).Get(ctx, out); err != nil {
			return nil, err
		}
		written++
		return out, nil
	})
	if err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return written == decisions && workflow.AllHandlersFinished(ctx) })
}

// Record writes a decision. A second try finds it written.
func (f *fixedWork) Record(ctx context.Context, workflowID string, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error) {
	body, err := proto.Marshal(in)
	if err != nil {
		return nil, err
	}
	_, err = f.db.Exec(ctx, `INSERT INTO bench_decision (request_id, workflow_id, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		in.GetDecision().GetRequestKey(), workflowID, body)
	if err != nil {
		return nil, err
	}
	return &caseworkv1.DecideResponse{
		TaskId: in.GetDecision().GetTaskId(), Outcome: in.GetDecision().GetOutcome(), DecidedTime: timestamppb.Now(),
	}, nil
}

// round starts workflows and decides them to their end, with as many robots as ours have, each with its share of them.
func (f *fixedWork) round(ctx context.Context, turn, workflows, decisions int) (benchResult, error) {
	began := time.Now()
	robots, ctx := errgroup.WithContext(ctx)
	for robot := range benchRobots {
		robots.Go(func() error {
			var mine []string
			for n := robot; n < workflows; n += benchRobots {
				id := fmt.Sprintf("fixed/%d/%d", turn, n)
				if err := f.start(ctx, id, decisions); err != nil {
					return err
				}
				mine = append(mine, id)
			}
			for n := range decisions {
				for _, id := range mine {
					if err := f.decide(ctx, id, n); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err := robots.Wait()
	return benchResult{Done: workflows * decisions, Items: workflows, Seconds: time.Since(began).Seconds()}, err
}

func (f *fixedWork) start(ctx context.Context, id string, decisions int) error {
	_, err := f.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: fixedQueue, EnableEagerStart: true}, "Fixed", decisions)
	return err
}

// decide makes a decision of the size that the mesh's decisions have.
func (f *fixedWork) decide(ctx context.Context, id string, n int) error {
	key := uuid.NewString()
	handle, err := f.temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		UpdateID: key, WorkflowID: id, UpdateName: fixedUpdate, WaitForStage: client.WorkflowUpdateStageCompleted,
		Args: []any{&caseworkv1.DecideInput{
			Actor: &commonv1.Actor{Subject: "caseworker@samr-44", AgencyId: "samr-44"},
			Decision: &assignmentv1.Decision{
				TaskId: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%s/%d", id, n)).String(), Outcome: "concluded",
				ReasonCode: "no_consent_shown", Note: "由演练操作员作出", RequestKey: key, DecidedBy: "caseworker@samr-44",
				Detail: &assignmentv1.DecisionDetail{Findings: []*assignmentv1.FindingDetail{{Result: "substantiated", ReasonCode: "no_consent_shown"}}},
			},
		}},
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, &caseworkv1.DecideResponse{})
}
