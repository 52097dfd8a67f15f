package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"
	"google.golang.org/grpc"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
)

const (
	driveBatch  = 100                    // decisions in one BatchDecide
	driveDesks  = 4                      // agencies that work at the same time
	driveBreath = 300 * time.Millisecond // between two looks at the open tasks
)

// driveCmd plays the people of all agencies until no complaint is live and no task open.
//
// It is a client like any other: it lists tasks as the lead ministry and decides each with the demo account of the
// agency and role that the task names. What it decides follows from the seed and the task.
type driveCmd struct {
	remote
	Seed  uint64        `help:"Seed of the decisions." default:"1"`
	Until string        `help:"Stop when this is reached: closed (nothing live) or idle (no open task)." enum:"closed,idle" default:"closed"`
	Quiet bool          `help:"Print no table."`
	Limit time.Duration `help:"Give up after this long." default:"2h"`
}

// Run drives until the end is reached.
func (c driveCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	d := newDriver(c)
	defer d.close()
	for {
		done, err := d.round(ctx)
		switch {
		case err == nil && done:
			return d.farewell(ctx)
		case err != nil && (ctx.Err() != nil || !passing(err)):
			return err
		}
		select {
		case <-time.After(driveBreath):
		case <-ctx.Done():
			return errors.New("drive: not everything came to an end in time")
		}
	}
}

func newDriver(c driveCmd) *driver {
	return &driver{
		cmd: c, people: people{seed: c.Seed}, began: time.Now(),
		refused: map[string]int{}, another: map[string]int{}, sued: map[string]int{}, desks: map[string]*grpc.ClientConn{}, cases: newLooks(), codes: newCodes(),
	}
}

type driver struct {
	cmd     driveCmd
	people  people
	began   time.Time
	decided int
	shown   string
	refused map[string]int // by task
	sued    map[string]int // numbers the tasks that opened a case
	another map[string]int // tasks that only another person of the office may decide: how many may not
	cases   *looks         // what is known of the cases
	codes   *reportedCodes // and of the codes of the ledger that were reported

	mu    sync.Mutex
	desks map[string]*grpc.ClientConn // by ROLE@AGENCY
}

// round decides every task that is open now, and says whether the end is reached.
func (d *driver) round(ctx context.Context) (done bool, err error) {
	tasks, err := d.openTasks(ctx)
	if err != nil {
		return false, err
	}
	if err := d.look(ctx); err != nil {
		return false, err
	}
	if err := d.actBeside(ctx); err != nil {
		return false, err
	}
	if err := d.lookAtCodes(ctx, tasks); err != nil {
		return false, err
	}
	desks := map[string][]*assignmentv1.Task{}
	for _, t := range tasks {
		if t.GetSubjectKind() == "case" && d.caseTask(t, 0) == nil {
			continue // the way of its case has something else to come first
		}
		account := d.whoDecides(t)
		desks[account] = append(desks[account], t)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(driveDesks)
	for account, pile := range desks {
		group.Go(func() error {
			for chunk := range slices.Chunk(pile, driveBatch) {
				if err := d.decide(groupCtx, account, chunk); err != nil {
					return fmt.Errorf("%s: %w", account, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return false, err
	}
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return false, err
	}
	status, err := readStatus(ctx, lead)
	if err != nil {
		return false, err
	}
	d.show(status)
	if d.cmd.Until == "idle" {
		return status.TasksOpen == 0 && status.Complaints.Received+status.Complaints.Open == 0, nil
	}
	return status.TasksOpen == 0 && status.Complaints.live() == 0 && d.cases.open == 0 && d.codes.open == 0, nil
}

func (d *driver) openTasks(ctx context.Context) ([]*assignmentv1.Task, error) {
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return nil, err
	}
	var tasks []*assignmentv1.Task
	err = pages(func(token string) (string, error) {
		r, err := assignmentv1.NewAssignmentServiceClient(lead).ListTasks(ctx,
			&assignmentv1.ListTasksRequest{PageSize: auditPage, PageToken: token, State: "OPEN"})
		tasks = append(tasks, r.GetTasks()...)
		return r.GetNextPageToken(), err
	})
	return tasks, err
}

// decide works one pile of one desk. A task that somebody else finished in between is no error.
func (d *driver) decide(ctx context.Context, account string, pile []*assignmentv1.Task) error {
	desk, err := d.desk(account)
	if err != nil {
		return err
	}
	batch := &caseworkv1.BatchDecideRequest{RequestId: uuid.NewString()}
	for _, t := range pile {
		batch.Decisions = append(batch.Decisions, d.decision(t))
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	response, err := caseworkv1.NewCaseworkServiceClient(desk).BatchDecide(ctx, batch)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, r := range response.GetResults() {
		switch r.GetReason() {
		case "":
			d.decided++
		case "TASK_NOT_OPEN", "TASK_CLAIMED", "CLOSED", "UNAVAILABLE", "NOT_FOUND":
		default:
			t := pile[i]
			if r.GetReason() == "SAME_PERSON" {
				d.another[t.GetTaskId()]++
			}
			// People learn from a refusal, such as of a bounce after its term: they decide otherwise.
			if d.refused[t.GetTaskId()]++; d.refused[t.GetTaskId()] < 3 {
				continue
			}
			return fmt.Errorf("task %s (%s), outcome %s: %s: %s", t.GetTaskId(), t.GetStep(),
				batch.GetDecisions()[i].GetOutcome(), r.GetReason(), r.GetMessage())
		}
	}
	return nil
}

func (d *driver) decisions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.decided
}

func (d *driver) refusals(t *assignmentv1.Task) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused[t.GetTaskId()]
}

// whoDecides is the account that decides a task: somebody else of the office where the first had a part in the matter.
func (d *driver) whoDecides(t *assignmentv1.Task) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	account, n := strings.TrimPrefix(t.GetRole().String(), "ROLE_")+"@"+t.GetAgencyId(), d.another[t.GetTaskId()]
	if n == 0 && t.GetStep() == "hold_hearing" {
		n = 1 // the chair is not who reviewed the case
	}
	if n == 0 {
		return account
	}
	return fmt.Sprintf("%s#%d", account, n+1)
}

// decision is what the people decide on a task.
func (d *driver) decision(t *assignmentv1.Task) *caseworkv1.DecideRequest {
	if t.GetSubjectKind() == "case" {
		if made := d.caseTask(t, d.refusals(t)); made != nil {
			return made
		}
	}
	if made := d.codeTask(t, d.refusals(t)); made != nil {
		return made
	}
	made := d.people.decide(t, d.refusals(t))
	d.personsCase(t, made)
	return made
}

// desk is the connection of an account, made once.
func (d *driver) desk(account string) (*grpc.ClientConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if conn := d.desks[account]; conn != nil {
		return conn, nil
	}
	conn, err := d.cmd.dial(account)
	if err == nil {
		d.desks[account] = conn
	}
	return conn, err
}

func (d *driver) close() {
	for _, conn := range d.desks {
		_ = conn.Close()
	}
}

// show keeps one line on a terminal; elsewhere it prints a line whenever something moved.
func (d *driver) show(s *meshStatus) {
	if d.cmd.Quiet {
		return
	}
	var stages []string
	for _, stage := range sortedKeys(s.byStage) {
		stages = append(stages, fmt.Sprintf("%s %d", stage, s.byStage[stage]))
	}
	line := fmt.Sprintf("decided %d | received %d open %d watching %d closed %d | tasks %d | %s", d.decided,
		s.Complaints.Received, s.Complaints.Open, s.Complaints.Watching, s.Complaints.Closed, s.TasksOpen, strings.Join(stages, ", "))
	since := time.Since(d.began).Seconds()
	if term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Printf("%6.1fs  %s\x1b[K\r", since, line)
	} else if line != d.shown {
		fmt.Printf("%6.1fs  %s\n", since, line)
	}
	d.shown = line
}

func (d *driver) farewell(ctx context.Context) error {
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return err
	}
	s, err := readStatus(ctx, lead)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d decisions in %.0f s; %d reports, %d complaints closed, %d watching, %d tasks open\n", d.decided,
		time.Since(d.began).Seconds(), s.Reports, s.Complaints.Closed, s.Complaints.Watching, s.TasksOpen)
	return nil
}
