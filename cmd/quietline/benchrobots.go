package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// benchRobots decide at the same time, each one task after the other; the baseline has as many.
const benchRobots = 32

// crew is a number of robots that play the people of drive: the same decisions, with the same accounts. Unlike drive,
// which works pile by pile so that its table can be followed, no robot waits for another: what is measured is how fast
// the mesh takes decisions. What a complaint becomes a case for is left alone: a case spends its time in terms of law.
type crew struct {
	*driver
	queue chan *assignmentv1.Task

	tasks  sync.Mutex
	inHand map[string]bool
	put    map[string]time.Time // when a task was last out of a robot's hands
}

func newCrew(at remote, seed int) *crew {
	return &crew{
		driver: newDriver(driveCmd{remote: at, Seed: uint64(seed), Quiet: true}), //nolint:gosec // a count
		queue:  make(chan *assignmentv1.Task), inHand: map[string]bool{}, put: map[string]time.Time{},
	}
}

// until works until the counts, and the number of tasks on complaints that are open, say that the end is reached.
func (c *crew) until(ctx context.Context, reached func(s *meshStatus, open int) bool) error {
	group, ctx := errgroup.WithContext(ctx)
	for range benchRobots {
		group.Go(func() error {
			for t := range c.queue {
				if err := c.work(ctx, t); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(c.queue)
		for {
			handed, done, err := c.look(ctx, reached)
			if done || err != nil && !passing(err) {
				return err
			}
			if handed > 0 {
				continue // while the robots work on the last of them
			}
			select {
			case <-time.After(driveBreath):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	return group.Wait()
}

func (c *crew) work(ctx context.Context, t *assignmentv1.Task) error {
	account := strings.TrimPrefix(t.GetRole().String(), "ROLE_") + "@" + t.GetAgencyId()
	err := c.decide(ctx, account, []*assignmentv1.Task{t})
	c.tasks.Lock()
	defer c.tasks.Unlock()
	delete(c.inHand, t.GetTaskId())
	c.put[t.GetTaskId()] = time.Now()
	if err != nil && passing(err) && ctx.Err() == nil {
		return nil // it is in the next list again
	}
	return err
}

// look hands out what is open, as robots become free, and says whether the end is reached.
func (c *crew) look(ctx context.Context, reached func(s *meshStatus, open int) bool) (handed int, done bool, err error) {
	began := time.Now()
	open, err := c.openTasks(ctx)
	if err != nil {
		return 0, false, err
	}
	open = slices.DeleteFunc(open, func(t *assignmentv1.Task) bool { return t.GetSubjectKind() == "case" })
	for _, t := range open {
		if !c.take(t.GetTaskId(), began) {
			continue
		}
		select {
		case c.queue <- t:
			handed++
		case <-ctx.Done():
			return handed, false, ctx.Err()
		}
	}
	lead, err := c.desk("LEAD@miit")
	if err != nil {
		return handed, false, err
	}
	status, err := readStatus(ctx, lead)
	return handed, err == nil && reached(status, len(open)), err
}

// take takes a task in hand, unless a robot has it or had it since the list was begun.
func (c *crew) take(id string, listed time.Time) bool {
	c.tasks.Lock()
	defer c.tasks.Unlock()
	if c.inHand[id] || c.put[id].After(listed) {
		return false
	}
	c.inHand[id] = true
	return true
}
