package assignment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// owner is this service in the tables of extensions and pauses.
const owner = "assignment"

// ExtendTask extends the term of a task by a basis that the table of extensions permits. It is an act of its own: who, why
// and both dates are recorded, and the proof goes on. The workflow hears of it when it next asks for an escalation.
func (s *Server) ExtendTask(ctx context.Context, req *assignmentv1.ExtendTaskRequest) (*assignmentv1.ExtendTaskResponse, error) {
	now := s.now()
	t, err := s.onClock(ctx, req, req.GetTaskId(), func(c *clockAct) error {
		rule, err := extensionOf(c.row.ClockBasis, req.GetBasis(), now)
		if err != nil {
			return err
		}
		if c.row.ClockPausedSince != nil {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"the clock of task %s stands still; let it go on first", c.row.TaskID)
		}
		c.after, err = c.before.Extended(rule.By, now)
		c.change, c.reason = "extended", req.GetReason()
		return err
	})
	return &assignmentv1.ExtendTaskResponse{Task: t}, err
}

// extensionOf is the rule by which a basis may be extended here: the one asked for, or the only one.
func extensionOf(basis, by string, at time.Time) (calendar.ExtensionRule, error) {
	rules := calendar.ExtensionsOf(basis, at)
	var found []calendar.ExtensionRule
	for _, r := range rules {
		if by == "" || r.By == by {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 0:
		return calendar.ExtensionRule{}, policyRefuses("no rule extends the term %s %s", basis, by)
	case len(found) > 1:
		return calendar.ExtensionRule{}, errs.Field("basis", "several rules extend %s: name one", basis)
	case found[0].Owner != owner:
		return calendar.ExtensionRule{}, policyRefuses("the term %s is extended by an act of %s, with the case itself (%s)",
			basis, found[0].Owner, found[0].Source)
	}
	return found[0], nil
}

// PauseTask stops the clock of a task for a reason that the table of pauses permits.
func (s *Server) PauseTask(ctx context.Context, req *assignmentv1.PauseTaskRequest) (*assignmentv1.PauseTaskResponse, error) {
	now := s.now()
	t, err := s.onClock(ctx, req, req.GetTaskId(), func(c *clockAct) error {
		if c.row.ClockPausedSince != nil {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"the clock of task %s stands still already", c.row.TaskID)
		}
		rule, err := pauseOf(c.row.ClockBasis, req.GetReason(), now)
		if err != nil {
			return err
		}
		if _, err := c.before.Paused(now, now, rule.Reason); err != nil { // may this clock be paused at all
			return err
		}
		c.after, c.change, c.reason = c.before, "paused", rule.Reason
		c.pausedSince, c.pausedFor = &now, rule.Reason
		return nil
	})
	return &assignmentv1.PauseTaskResponse{Task: t}, err
}

func pauseOf(basis, reason string, at time.Time) (calendar.PauseRule, error) {
	for _, r := range calendar.PausesOf(basis, at) {
		if r.Reason != reason {
			continue
		}
		if r.Owner != owner {
			return r, policyRefuses("the term %s is paused by an act of %s, with the case itself (%s)", basis, r.Owner, r.Source)
		}
		return r, nil
	}
	return calendar.PauseRule{}, policyRefuses("no rule pauses the term %s for %q", basis, reason)
}

// ResumeTask lets the clock of a task go on: no day on which it stood counts.
func (s *Server) ResumeTask(ctx context.Context, req *assignmentv1.ResumeTaskRequest) (*assignmentv1.ResumeTaskResponse, error) {
	now := s.now()
	t, err := s.onClock(ctx, req, req.GetTaskId(), func(c *clockAct) error {
		if c.row.ClockPausedSince == nil {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the clock of task %s runs", c.row.TaskID)
		}
		rule, err := pauseOf(c.row.ClockBasis, c.row.ClockPausedFor, *c.row.ClockPausedSince)
		if err != nil { // the table lost the row meanwhile: what stood stood
			rule.Source = c.row.ClockSource
		}
		c.source = rule.Source
		c.after, err = c.before.Paused(*c.row.ClockPausedSince, now, c.row.ClockPausedFor)
		c.change, c.reason = "resumed", c.row.ClockPausedFor
		return err
	})
	return &assignmentv1.ResumeTaskResponse{Task: t}, err
}

// clockAct is one act on the clock of a task.
type clockAct struct {
	row            *store.Task
	before, after  calendar.Deadline
	change, reason string
	source         string // of a pause; an extension has its own
	pausedSince    *time.Time
	pausedFor      string
}

// onClock does an act on the clock of an open task of the actor's agency, and writes what came of it.
func (s *Server) onClock(ctx context.Context, req pg.Request, id string, do func(*clockAct) error) (*assignmentv1.Task, error) {
	a, now := identity.ActorOf(ctx), s.now()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.Task, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, id)
		switch {
		case err != nil:
			return nil, err
		case row.AgencyID != a.GetAgencyId():
			return nil, otherAgency(id)
		case row.State != stateOpen:
			return nil, taskNotOpen(row)
		}
		changes, err := q.ClockChangesOfOne(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("changes of the clock of %s: %w", id, err)
		}
		c := &clockAct{row: row}
		if c.before, err = deadlineOf(row, changes); err != nil {
			return nil, err
		}
		if err := do(c); err != nil {
			return nil, refusal(err)
		}
		if err := c.write(ctx, q, len(changes), a, now); err != nil {
			return nil, err
		}
		return withChanges(ctx, q, c.row, now)
	})
}

// refusal is what the calendar refuses, as everybody is told.
func refusal(err error) error {
	if r, ok := errors.AsType[calendar.Refusal](err); ok {
		return policyRefuses("%s", r.Error())
	}
	return err
}

func policyRefuses(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, format, args...)
}

// write records the act and the new date.
func (c *clockAct) write(ctx context.Context, q *store.Queries, done int, a *commonv1.Actor, now time.Time) error {
	if len(c.after.Changes) > len(c.before.Changes) {
		last := c.after.Changes[len(c.after.Changes)-1]
		p := store.AddClockChangeParams{
			TaskID: c.row.TaskID, Seq: int32(done) + 1, Kind: last.Kind, FromTime: last.From, Reason: c.reason,
			Basis: last.Basis, Term: last.Term, Source: last.Source, Actor: a.GetSubject(), AgencyID: a.GetAgencyId(),
			OldDue: c.before.Due, NewDue: c.after.Due, OldStatutory: c.before.Statutory, NewStatutory: c.after.Statutory,
		}
		if last.Kind == calendar.Pause {
			p.ToTime, p.Source = &last.To, c.source
		}
		if err := q.AddClockChange(ctx, p); err != nil {
			return fmt.Errorf("record the change of the clock of %s: %w", c.row.TaskID, err)
		}
	}
	moved, err := q.MoveClock(ctx, store.MoveClockParams{
		TaskID: c.row.TaskID, DueTime: c.after.Due, ClockStatutoryDue: c.after.Statutory.Format(time.RFC3339), ClockProof: c.after.Proof,
		ClockProvisional: c.after.Provisional, ClockCounted: &c.after.Counted, ClockPausedSince: c.pausedSince, ClockPausedFor: c.pausedFor,
		Change: c.change, At: now, Actor: a.GetSubject(), Reason: c.reason,
	})
	if err != nil {
		return fmt.Errorf("move the clock of %s: %w", c.row.TaskID, err)
	}
	t := store.Task(moved)
	c.row = &t
	return nil
}

// deadlineOf is the stored clock of a task with what became of it.
func deadlineOf(t *store.Task, changes []store.TaskClockChange) (calendar.Deadline, error) {
	statutory, err := time.Parse(time.RFC3339, t.ClockStatutoryDue)
	if err != nil {
		return calendar.Deadline{}, policyRefuses("the clock of task %s has no statutory date", t.TaskID)
	}
	d := calendar.Deadline{
		Due: t.DueTime, Statutory: statutory, Proof: t.ClockProof, Provisional: t.ClockProvisional, Source: t.ClockSource,
		Basis: t.ClockBasis, Profile: t.ClockProfile, Start: t.OpenTime, Term: t.ClockTerm, Counted: statutory,
		EscalateEvery: time.Duration(t.ClockEscalateSeconds) * time.Second,
	}
	if t.ClockStart != nil {
		d.Start = *t.ClockStart
	}
	if t.ClockCounted != nil {
		d.Counted = *t.ClockCounted
	}
	if d.Term == "" && t.ClockProfile != "" {
		return d, policyRefuses("the clock of task %s is kept by the owner of its %s", t.TaskID, t.SubjectKind)
	}
	if d.Term == "" { // from before terms were stored: that of its basis then
		if d.Term, err = calendar.TermOf(d.Basis, d.Start); err != nil {
			return d, policyRefuses("the clock of task %s was stored without its term, and its basis %s is gone", t.TaskID, d.Basis)
		}
	}
	if d.Profile == "" {
		d.Profile = calendar.Rehearsal
		if gap := d.Due.Sub(d.Statutory).Abs(); gap < time.Second {
			d.Profile = calendar.Statutory
		}
	}
	for i := range changes {
		c := calendar.Change{
			Kind: changes[i].Kind, From: changes[i].FromTime, Reason: changes[i].Reason, Basis: changes[i].Basis,
			Term: changes[i].Term, Source: changes[i].Source,
		}
		if changes[i].ToTime != nil {
			c.To = *changes[i].ToTime
		}
		d.Changes = append(d.Changes, c)
	}
	return d, nil
}

// withChanges is a task with what became of its clock.
func withChanges(ctx context.Context, q *store.Queries, row *store.Task, at time.Time) (*assignmentv1.Task, error) {
	t, err := taskOf(row, at)
	if err != nil {
		return nil, err
	}
	changes, err := q.ClockChangesOfOne(ctx, row.TaskID)
	if err != nil {
		return nil, fmt.Errorf("changes of the clock of %s: %w", row.TaskID, err)
	}
	tellChanges(t, changes)
	return t, nil
}

func tellChanges(t *assignmentv1.Task, changes []store.TaskClockChange) {
	for i := range changes {
		t.Clock.Changes = append(t.Clock.Changes, changeProto(&changes[i]))
	}
}

func allWithChanges(ctx context.Context, q *store.Queries, rows []store.Task, at time.Time) ([]*assignmentv1.Task, error) {
	tasks, err := tasksOf(rows, at)
	if err != nil {
		return nil, err
	}
	of, err := changesOf(ctx, q, rows)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		tellChanges(t, of[t.GetTaskId()])
	}
	return tasks, nil
}

// changesOf are the changes of the clocks of tasks, by task.
func changesOf(ctx context.Context, q *store.Queries, rows []store.Task) (map[string][]store.TaskClockChange, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].TaskID
	}
	changes, err := q.ClockChanges(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("changes of clocks: %w", err)
	}
	of := map[string][]store.TaskClockChange{}
	for _, c := range changes {
		of[c.TaskID] = append(of[c.TaskID], c)
	}
	return of, nil
}

func changeProto(c *store.TaskClockChange) *commonv1.ClockChange {
	out := &commonv1.ClockChange{
		Kind: c.Kind, FromTime: rfc(&c.FromTime), ToTime: rfc(c.ToTime), Reason: c.Reason, Basis: c.Basis, Term: c.Term, Source: c.Source,
		OldDue: rfc(&c.OldDue), NewDue: rfc(&c.NewDue), By: c.Actor,
	}
	return out
}

// rfc is a time as clocks show it; empty for none.
func rfc(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// notBefore is until when nobody is to be told of a task, and whether there is such a time: it is not overdue, or its
// clock stands still. What stands is asked about again when it could be over at the earliest.
func notBefore(t *store.Task, level int32, now time.Time) (time.Time, bool) {
	if t.ClockPausedSince != nil {
		least := time.Hour
		if t.ClockProfile == calendar.Rehearsal {
			least = time.Second
		}
		return now.Add(max(t.DueTime.Sub(*t.ClockPausedSince), least)), true
	}
	due := t.DueTime
	if level > 1 {
		due = due.Add(time.Duration(level-1) * time.Duration(t.ClockEscalateSeconds) * time.Second)
	}
	return due, now.Before(due)
}
