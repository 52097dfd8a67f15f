package workflows

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// A decision's row is written by its workflow while Temporal has not yet kept what the workflow did: should worker and
// Temporal die right then, the row stands and the workflow knows nothing of it. So the row is the outbox once more: it is
// marked as taken when the update is complete, and the sweep tells again what is not. The same update ID and the same
// request make that one decision, however often it is told.

// taken collects the decisions whose updates are complete and marks them, some at a time. What gets lost here the sweep
// finds.
type taken struct {
	tasks      chan string
	assignment assignmentv1.AssignmentServiceClient
}

const (
	takenAtOnce = 500
	takenEvery  = 250 * time.Millisecond
)

func newTaken(assignment assignmentv1.AssignmentServiceClient) *taken {
	return &taken{tasks: make(chan string, 4*takenAtOnce), assignment: assignment}
}

// add never waits: nobody's answer hangs on it.
func (t *taken) add(taskID string) {
	select {
	case t.tasks <- taskID:
	default:
	}
}

// run marks what is collected until ctx ends.
func (t *taken) run(ctx context.Context) error {
	tick := time.NewTicker(takenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			t.mark(ctx, t.collected())
		}
	}
}

func (t *taken) collected() (tasks []string) {
	for len(tasks) < takenAtOnce {
		select {
		case id := <-t.tasks:
			tasks = append(tasks, id)
		default:
			return tasks
		}
	}
	return tasks
}

func (t *taken) mark(ctx context.Context, tasks []string) {
	if len(tasks) == 0 {
		return
	}
	if _, err := t.assignment.TakeDecisions(ctx, &assignmentv1.TakeDecisionsRequest{TaskIds: tasks}); err != nil {
		slog.WarnContext(ctx, "decisions are not marked as taken; the sweep tells them again", slog.Any("error", err))
	}
}

// retell tells the workflows decisions that they have not confirmed. One that cannot be told now is told again by the
// next sweep.
func (a *Activities) retell(ctx context.Context, older *durationpb.Duration) error {
	for token := ""; ; {
		page, err := a.Assignment.ListUntaken(ctx, &assignmentv1.ListUntakenRequest{PageSize: takenAtOnce, PageToken: token, OlderThan: older})
		if err != nil {
			return err
		}
		var tasks []string
		for _, d := range page.GetDecisions() {
			if a.retellOne(ctx, d) {
				tasks = append(tasks, d.GetDecision().GetTaskId())
			}
		}
		newTaken(a.Assignment).mark(ctx, tasks)
		if token = page.GetNextPageToken(); token == "" {
			return nil
		}
	}
}

// retellOne says whether the decision is taken: its workflow has it, or is over.
func (a *Activities) retellOne(ctx context.Context, d *assignmentv1.UntakenDecision) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := a.runs.Decide(ctx, d.GetWorkflowId(), updateOf(d.GetDecision()), &caseworkv1.DecideInput{
		Decision: d.GetDecision(),
		Actor: &commonv1.Actor{
			Subject: d.GetDecision().GetDecidedBy(), AgencyId: d.GetAgencyId(), Roles: []accessv1.Role{d.GetRole()},
		},
	})
	switch {
	case err == nil, gone(err):
		slog.InfoContext(ctx, "a decision was told to its workflow again", slog.String("task", d.GetDecision().GetTaskId()))
		return true
	default:
		slog.WarnContext(ctx, "a decision could not be told to its workflow again", slog.String("task", d.GetDecision().GetTaskId()), slog.Any("error", err))
		return false
	}
}
