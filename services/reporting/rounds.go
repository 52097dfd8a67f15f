package reporting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// lock takes a complaint's row lock, against those who file as well.
func lock(ctx context.Context, tx pgx.Tx, complaintID string) (store.Complaint, error) {
	c, err := store.New(tx).LockComplaint(ctx, complaintID)
	return c, errs.NotFound(err, "complaint %s", complaintID)
}

// lockRound locks a complaint that a round's workflow is to move on, and refuses when that round is not the one at work.
func lockRound(ctx context.Context, tx pgx.Tx, complaintID string, number int32) (store.Complaint, error) {
	c, err := lock(ctx, tx, complaintID)
	switch {
	case err != nil:
		return c, err
	case c.Round != number:
		return c, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"complaint %s is in round %d, not %d", complaintID, c.Round, number)
	case c.State == stateClosed:
		return c, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "complaint %s is closed", complaintID)
	case c.State == stateReceived:
		return c, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"round %d of complaint %s has not begun", number, complaintID)
	}
	return c, nil
}

// BeginRound moves a complaint from RECEIVED to OPEN. A round that is over, or not there yet, is told so and not refused:
// its workflow just ends. It does not go through pg.Once: done twice it does nothing more, and a repeat is asked what is
// known now, for reports may have joined.
func (s *Server) BeginRound(ctx context.Context, req *reportingv1.BeginRoundRequest) (resp *reportingv1.BeginRoundResponse, err error) {
	err = pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		resp, err = s.beginRound(ctx, tx, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func (s *Server) beginRound(ctx context.Context, tx pgx.Tx, req *reportingv1.BeginRoundRequest) (*reportingv1.BeginRoundResponse, error) {
	at := s.clock()
	c, err := lock(ctx, tx, req.GetComplaintId())
	if err != nil {
		return nil, err
	}
	if c.Round != req.GetRound() || c.State == stateWatching || c.State == stateClosed {
		return &reportingv1.BeginRoundResponse{}, nil
	}
	q := store.New(tx)
	if c.State == stateReceived {
		if err := q.OpenComplaint(ctx, store.OpenComplaintParams{ComplaintID: c.ComplaintID, At: at}); err != nil {
			return nil, fmt.Errorf("open complaint: %w", err)
		}
		if err := reach(ctx, tx, c.ComplaintID, c.Round, stageAccept, "", nil, at); err != nil {
			return nil, err
		}
		if err := record(ctx, tx, c.ComplaintID, c.Round, "state", c.State, stateOpen, at); err != nil {
			return nil, err
		}
	}
	calls, err := q.CallsOf(ctx, c.ComplaintID)
	if err != nil {
		return nil, fmt.Errorf("calls: %w", err)
	}
	resp := &reportingv1.BeginRoundResponse{
		Current: true, BeganTime: timestamppb.New(c.RoundTime), Reopened: c.Reopened, UnverifiedOnly: !calls.Verified, ToLead: c.ToLead,
	}
	if calls.Reports > 0 {
		resp.FirstCallTime = timestamppb.New(calls.FirstCallTime)
	}
	return resp, nil
}

// reach adds a line to the timeline. The same step again, once its office and date are known, completes its line.
func reach(ctx context.Context, tx pgx.Tx, complaintID string, number int32, stage, office string, due *time.Time, at time.Time) error {
	q := store.New(tx)
	last, err := q.LastStageEntry(ctx, store.LastStageEntryParams{ComplaintID: complaintID, Round: number})
	switch {
	case err == nil && last.Stage == stage && (last.Office == "" || last.Office == office):
		err = q.RenewStageEntry(ctx, store.RenewStageEntryParams{EntryID: last.EntryID, Office: office, DueTime: due})
	case err == nil || errors.Is(err, pgx.ErrNoRows):
		err = q.AddStageEntry(ctx, store.AddStageEntryParams{
			EntryID: newID().String(), ComplaintID: complaintID, Round: number, Stage: stage, Office: office, DueTime: due, ReachedTime: at,
		})
	}
	if err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	return nil
}

// errNotYet leaves a transaction whose answer must not be remembered: the same request may be answered otherwise later.
var errNotYet = errors.New("not yet")

// StartWatching ends the handling of a round, unless a report lacks its result: then the workflow gives it and asks again.
func (s *Server) StartWatching(ctx context.Context, req *reportingv1.StartWatchingRequest) (*reportingv1.StartWatchingResponse, error) {
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.StartWatchingResponse, error) {
		c, err := lockRound(ctx, tx, req.GetComplaintId(), req.GetRound())
		if err != nil {
			return nil, err
		}
		watching, err := s.watch(ctx, tx, &c, req)
		if err == nil && !watching {
			err = errNotYet
		}
		return &reportingv1.StartWatchingResponse{Watching: watching}, err
	})
	if errors.Is(err, errNotYet) {
		return &reportingv1.StartWatchingResponse{}, nil
	}
	return resp, err
}

// watch begins to watch a locked complaint, unless a report of it lacks its result.
func (s *Server) watch(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.StartWatchingRequest) (bool, error) {
	if c.State == stateWatching {
		return true, nil
	}
	missing, err := lacking(ctx, tx, c.ComplaintID)
	if err != nil || missing > 0 {
		return false, err
	}
	at := s.clock()
	until, handled := req.GetUntilTime().AsTime(), at
	if req.GetHandledTime() != nil {
		handled = req.GetHandledTime().AsTime()
	}
	err = store.New(tx).WatchComplaint(ctx, store.WatchComplaintParams{
		ComplaintID: c.ComplaintID, Until: &until, HandledTime: &handled, Result: req.GetResult(), At: at,
	})
	if err != nil {
		return false, fmt.Errorf("watch complaint: %w", err)
	}
	if err := reach(ctx, tx, c.ComplaintID, c.Round, stageWatch, "", &until, at); err != nil {
		return false, err
	}
	return true, record(ctx, tx, c.ComplaintID, c.Round, "state", c.State, stateWatching, at)
}

// lacking counts the reports that lack the result of their round.
func lacking(ctx context.Context, tx pgx.Tx, complaintID string) (int64, error) {
	n, err := store.New(tx).WithoutResult(ctx, complaintID)
	if err != nil {
		return 0, fmt.Errorf("missing feedback: %w", err)
	}
	return n, nil
}

// mayClose refuses while a report lacks its result. What was decided without looking at a report that has joined since,
// that all were withdrawn or that none is accepted, does not stand: then the state is not the one that was decided on.
func mayClose(ctx context.Context, tx pgx.Tx, complaintID, result string) error {
	if result == resultWithdrawn {
		left, err := store.New(tx).HasReports(ctx, complaintID)
		if err != nil {
			return fmt.Errorf("reports left: %w", err)
		}
		if left {
			return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
				"complaint %s has reports that were not withdrawn", complaintID)
		}
	}
	missing, err := lacking(ctx, tx, complaintID)
	switch {
	case err != nil:
		return err
	case missing > 0 && result == resultNotAccepted:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE,
			"%d reports of complaint %s joined it and have not been decided on", missing, complaintID)
	case missing > 0:
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_FEEDBACK_MISSING,
			"%d reports of complaint %s lack their result", missing, complaintID)
	}
	return nil
}

// CloseComplaint closes a watched, refused or withdrawn complaint. When a new round has begun the old one's workflow is
// told so and just ends.
func (s *Server) CloseComplaint(ctx context.Context, req *reportingv1.CloseComplaintRequest) (*reportingv1.CloseComplaintResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*reportingv1.CloseComplaintResponse, error) {
		at := s.clock()
		c, err := lock(ctx, tx, req.GetComplaintId())
		switch {
		case err != nil:
			return nil, err
		case c.Round != req.GetRound():
			return &reportingv1.CloseComplaintResponse{}, nil
		case c.State == stateClosed:
			return &reportingv1.CloseComplaintResponse{Closed: true}, nil
		}
		if err := mayClose(ctx, tx, c.ComplaintID, req.GetResult()); err != nil {
			return nil, err
		}
		if err := store.New(tx).CloseComplaint(ctx, store.CloseComplaintParams{ComplaintID: c.ComplaintID, Result: req.GetResult(), At: &at}); err != nil {
			return nil, fmt.Errorf("close complaint: %w", err)
		}
		if err := reach(ctx, tx, c.ComplaintID, c.Round, stageClosed, "", nil, at); err != nil {
			return nil, err
		}
		return &reportingv1.CloseComplaintResponse{Closed: true}, record(ctx, tx, c.ComplaintID, c.Round, "state", c.State, stateClosed, at)
	})
}
