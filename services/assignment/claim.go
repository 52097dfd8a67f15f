package assignment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// ClaimTask takes a task for oneself for a while. Claiming it again begins the while again.
func (s *Server) ClaimTask(ctx context.Context, req *assignmentv1.ClaimTaskRequest) (*assignmentv1.ClaimTaskResponse, error) {
	actor, now := identity.ActorOf(ctx), s.now()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.ClaimTaskResponse, error) {
		span, err := s.policyMinutes(ctx, tx, "claim_minutes", now)
		if err != nil {
			return nil, err
		}
		q := store.New(tx)
		roles := make([]string, len(actor.GetRoles()))
		for i, r := range actor.GetRoles() {
			roles[i] = roleName(r)
		}
		row, err := q.ClaimTask(ctx, store.ClaimTaskParams{
			TaskID: req.GetTaskId(), AgencyID: actor.GetAgencyId(), Roles: roles, Subject: actor.GetSubject(), Until: now.Add(span), At: now,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, s.whyNotClaimed(ctx, q, req.GetTaskId())
		}
		if err != nil {
			return nil, fmt.Errorf("claim task: %w", err)
		}
		task := store.Task(row)
		t, err := taskOf(&task, now)
		return &assignmentv1.ClaimTaskResponse{Task: t}, err
	})
}

// whyNotClaimed says what stood against a claim.
func (s *Server) whyNotClaimed(ctx context.Context, q *store.Queries, id string) error {
	row, err := lockTask(ctx, q, id)
	if err != nil {
		return err
	}
	if err := mayWork(row, identity.ActorOf(ctx)); err != nil {
		return err
	}
	return taskClaimed(id) // or was a moment ago
}

// ReleaseTask gives a claimed task back. Releasing a free task is a no-op.
func (s *Server) ReleaseTask(ctx context.Context, req *assignmentv1.ReleaseTaskRequest) (*assignmentv1.ReleaseTaskResponse, error) {
	actor, now := identity.ActorOf(ctx), s.now()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.ReleaseTaskResponse, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, req.GetTaskId())
		if err != nil {
			return nil, err
		}
		if err := mayRelease(row, actor, now); err != nil {
			return nil, err
		}
		if row.ClaimedBy != nil {
			released, err := q.GiveTask(ctx, store.GiveTaskParams{TaskID: row.TaskID, Change: "released", At: now, Actor: actor.GetSubject()})
			if err != nil {
				return nil, fmt.Errorf("release task %s: %w", row.TaskID, err)
			}
			*row = store.Task(released)
		}
		t, err := taskOf(row, now)
		return &assignmentv1.ReleaseTaskResponse{Task: t}, err
	})
}

// ReassignTask gives a task to another person of the agency that it belongs to.
func (s *Server) ReassignTask(ctx context.Context, req *assignmentv1.ReassignTaskRequest) (*assignmentv1.ReassignTaskResponse, error) {
	actor, now := identity.ActorOf(ctx), s.now()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.ReassignTaskResponse, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, req.GetTaskId())
		if err != nil {
			return nil, err
		}
		if err := mayReassign(row, actor); err != nil {
			return nil, err
		}
		span, err := s.policyMinutes(ctx, tx, "reassign_minutes", now)
		if err != nil {
			return nil, err
		}
		to, until := req.GetToSubject(), now.Add(span)
		given, err := q.GiveTask(ctx, store.GiveTaskParams{
			TaskID: row.TaskID, ToSubject: &to, Until: &until, Change: "reassigned", At: now, Actor: actor.GetSubject(), Reason: req.GetReason(),
		})
		if err != nil {
			return nil, fmt.Errorf("reassign task %s: %w", row.TaskID, err)
		}
		task := store.Task(given)
		t, err := taskOf(&task, now)
		return &assignmentv1.ReassignTaskResponse{Task: t}, err
	})
}
