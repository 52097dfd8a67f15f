package assignment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// OpenTask opens a task; its ID comes from the workflow, so a repeat changes nothing.
func (s *Server) OpenTask(ctx context.Context, req *assignmentv1.OpenTaskRequest) (*assignmentv1.OpenTaskResponse, error) {
	asked := req.GetTask()
	v, err := s.recent(ctx, asked.GetAgencyId())
	if err != nil {
		return nil, err
	}
	if !v.assignable(asked.GetAgencyId()) {
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"tasks cannot be assigned to agency %q", asked.GetAgencyId())
	}
	if err := checkRole(asked.GetRole()); err != nil {
		return nil, err
	}
	now := s.now()
	params, err := openParams(asked, now, identity.ActorOf(ctx).GetSubject())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.OpenTaskResponse, error) {
		q := store.New(tx)
		row, err := openOrFind(ctx, q, &params)
		if err != nil {
			return nil, err
		}
		if !sameTask(row, asked) {
			return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
				"task %s is another one", row.TaskID)
		}
		t, err := taskOf(row, now)
		return &assignmentv1.OpenTaskResponse{Task: t}, err
	})
}

// openOrFind writes a task, or finds the one that is there under its ID.
func openOrFind(ctx context.Context, q *store.Queries, p *store.OpenTaskParams) (*store.Task, error) {
	opened, err := q.OpenTask(ctx, *p)
	if err == nil {
		row := store.Task(opened)
		return &row, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) { // no row: there is such a task
		return nil, fmt.Errorf("open task: %w", err)
	}
	row, err := q.GetTask(ctx, p.TaskID)
	if err != nil {
		return nil, fmt.Errorf("read task: %w", err)
	}
	return &row, nil
}

// checkRole refuses roles that no task is for.
func checkRole(r accessv1.Role) error {
	switch r {
	case accessv1.Role_ROLE_CENTRE, accessv1.Role_ROLE_CASEWORKER, accessv1.Role_ROLE_REVIEWER, accessv1.Role_ROLE_HEAD,
		accessv1.Role_ROLE_OPERATOR, accessv1.Role_ROLE_LEAD:
		return nil
	default:
		return errs.Field("task.role", "must be a role of people who decide")
	}
}

// RecordDecision writes a decision and closes its task. Who decided is the actor.
func (s *Server) RecordDecision(ctx context.Context, req *assignmentv1.RecordDecisionRequest) (*assignmentv1.RecordDecisionResponse, error) {
	d, actor, now := req.GetDecision(), identity.ActorOf(ctx), s.now()
	detail, sealed, err := s.keep(d.GetTaskId(), d.GetDetail())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.RecordDecisionResponse, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, d.GetTaskId())
		if err != nil {
			return nil, err
		}
		if repeated, err := isRepeat(ctx, q, row, d); repeated || err != nil {
			t, convErr := taskOf(row, now)
			return &assignmentv1.RecordDecisionResponse{Task: t}, errors.Join(err, convErr)
		}
		if err := mayDecide(row, actor, d.GetOutcome(), req.GetExcludedSubjects(), now); err != nil {
			return nil, err
		}
		err = q.DecideTask(ctx, store.DecideTaskParams{
			TaskID: row.TaskID, Outcome: d.GetOutcome(), At: now, ReasonCode: d.GetReasonCode(), Note: d.GetNote(),
			Detail: detail, Sealed: sealed, DecidedBy: actor.GetSubject(), DeciderAgencyID: actor.GetAgencyId(),
			RequestKey: d.GetRequestKey(), RequestHash: append([]byte{}, d.GetRequestHash()...), // never null
		})
		if pg.Constraint(err) == "decision_request_once" {
			return nil, requestReused()
		}
		if err != nil {
			return nil, fmt.Errorf("decide task %s: %w", row.TaskID, err)
		}
		if err := closeEscalations(ctx, q, row, "decided", actor); err != nil {
			return nil, err
		}
		row.State, row.Outcome, row.CloseTime = stateDone, d.GetOutcome(), &now
		row.ClaimedBy, row.ClaimedUntil = nil, nil
		t, err := taskOf(row, now)
		return &assignmentv1.RecordDecisionResponse{Task: t}, err
	})
}

// isRepeat says whether a task was decided by this very request: then the decision stands and is no other one. The same
// key with other contents is no repeat but a mistake.
func isRepeat(ctx context.Context, q *store.Queries, t *store.Task, d *assignmentv1.Decision) (bool, error) {
	if t.State != stateDone || d.GetRequestKey() == "" {
		return false, nil
	}
	made, err := q.GetDecision(ctx, t.TaskID)
	if err != nil {
		return false, fmt.Errorf("decision of %s: %w", t.TaskID, err)
	}
	if made.RequestKey != d.GetRequestKey() {
		return false, nil
	}
	if made.Outcome != d.GetOutcome() || !bytes.Equal(made.RequestHash, d.GetRequestHash()) {
		return false, requestReused()
	}
	return true, nil
}

// CancelTask closes a task that is no longer needed. Cancelling twice is a no-op; a decided task stays decided.
func (s *Server) CancelTask(ctx context.Context, req *assignmentv1.CancelTaskRequest) (*assignmentv1.CancelTaskResponse, error) {
	actor, now := identity.ActorOf(ctx), s.now()
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.CancelTaskResponse, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, req.GetTaskId())
		if err != nil {
			return nil, err
		}
		switch row.State {
		case stateCancelled:
			return &assignmentv1.CancelTaskResponse{}, nil
		case stateDone:
			return nil, taskNotOpen(row)
		}
		err = q.CancelTask(ctx, store.CancelTaskParams{TaskID: row.TaskID, Reason: req.GetReasonCode(), At: now, Actor: actor.GetSubject()})
		if err != nil {
			return nil, fmt.Errorf("cancel task %s: %w", row.TaskID, err)
		}
		return &assignmentv1.CancelTaskResponse{}, closeEscalations(ctx, q, row, "cancelled", actor)
	})
}

// EscalateTask tells the superior, once per level, with a copy to the lead ministry. The second level is the superior's
// superior. A task that was closed meanwhile needs nobody: the answer names none. Nor does one that is not overdue, because
// its term was extended, settled or stands still: the answer says when to ask again.
func (s *Server) EscalateTask(ctx context.Context, req *assignmentv1.EscalateTaskRequest) (*assignmentv1.EscalateTaskResponse, error) {
	v, err := s.directory(ctx, s.now())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.EscalateTaskResponse, error) {
		q := store.New(tx)
		row, err := lockTask(ctx, q, req.GetTaskId())
		if err != nil {
			return nil, err
		}
		if row.State != stateOpen {
			return &assignmentv1.EscalateTaskResponse{}, nil
		}
		if until, early := notBefore(row, req.GetLevel(), s.now()); early {
			return &assignmentv1.EscalateTaskResponse{NotBefore: timestamppb.New(until)}, nil
		}
		superior := v.superior(row.AgencyID)
		if req.GetLevel() > 1 {
			superior = v.superior(superior)
		}
		_, err = q.EscalateTask(ctx, store.EscalateTaskParams{
			TaskID: row.TaskID, Level: int16(req.GetLevel()), SuperiorID: superior, CopyID: leadMinistry,
			At: s.now(), Actor: identity.ActorOf(ctx).GetSubject(),
		})
		if err != nil {
			return nil, fmt.Errorf("escalate task %s: %w", row.TaskID, err)
		}
		return &assignmentv1.EscalateTaskResponse{SuperiorId: superior}, nil
	})
}

// closeEscalations takes a closed task off the lists of those it was escalated to.
func closeEscalations(ctx context.Context, q *store.Queries, t *store.Task, change string, a *commonv1.Actor) error {
	if t.EscalationLevel == 0 {
		return nil
	}
	err := q.CloseEscalations(ctx, store.CloseEscalationsParams{TaskID: t.TaskID, Change: change, Actor: a.GetSubject()})
	if err != nil {
		return fmt.Errorf("close escalations of %s: %w", t.TaskID, err)
	}
	return nil
}

func lockTask(ctx context.Context, q *store.Queries, id string) (*store.Task, error) {
	row, err := q.LockTask(ctx, id)
	if err != nil {
		return nil, errs.NotFound(err, "there is no task %s", id)
	}
	return &row, nil
}
