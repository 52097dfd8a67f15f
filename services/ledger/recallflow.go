package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// AdvanceRecall writes that a recall is under review, or was sent back. Where it is already is a no-op.
func (s *Server) AdvanceRecall(ctx context.Context, req *ledgerv1.AdvanceRecallRequest) (*ledgerv1.AdvanceRecallResponse, error) {
	if req.GetState() == recallRejected && (req.GetTaskId() == "" || req.GetReasonCode() == "") {
		return nil, errs.Field("task_id", "must name the task that sent the recall back, with its reason_code")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AdvanceRecallResponse, error) {
		q := store.New(tx)
		r, act, err := lockRecall(ctx, q, req.GetRecallId(), req.GetState())
		if err != nil {
			return nil, err
		}
		switch {
		case !act:
		case req.GetState() == recallReviewing:
			err = q.ReviewRecall(ctx, r.RecallID)
		default:
			err = q.EndRecall(ctx, store.EndRecallParams{
				RecallID: r.RecallID, State: recallRejected, EndTime: s.now(), EndReason: req.GetReasonCode(), EndTaskID: orNil(req.GetTaskId()),
			})
		}
		if err != nil {
			return nil, err
		}
		out, err := recallAfter(ctx, q, r.RecallID)
		return &ledgerv1.AdvanceRecallResponse{Recall: out}, err
	})
}

// lockRecall is a recall that goes on to a state, until the end of the transaction.
func lockRecall(ctx context.Context, q *store.Queries, id, to string) (r store.Recall, act bool, err error) {
	if r, err = q.LockRecall(ctx, id); err != nil {
		return r, false, errs.NotFound(err, "no such recall")
	}
	act, err = recallGoes(r.State, to)
	return r, act, err
}

// recallAfter is a recall as a write left it.
func recallAfter(ctx context.Context, q *store.Queries, id string) (*ledgerv1.Recall, error) {
	r, err := q.LockRecall(ctx, id)
	if err != nil {
		return nil, err
	}
	objections, err := q.ObjectionsOf(ctx, id)
	return recallProto(r, objections, true), err
}

// GiveRecallNotice writes that the signed notice is public and puts the resource under it.
func (s *Server) GiveRecallNotice(ctx context.Context, req *ledgerv1.GiveRecallNoticeRequest) (*ledgerv1.GiveRecallNoticeResponse, error) {
	if req.GetClock().GetProof() == "" {
		return nil, errs.Field("clock.proof", "must say how the term was computed")
	}
	if !req.GetNoticeUntil().AsTime().After(req.GetNoticeTime().AsTime()) {
		return nil, errs.Field("notice_until", "must be after notice_time")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.GiveRecallNoticeResponse, error) {
		q := store.New(tx)
		r, act, err := lockRecall(ctx, q, req.GetRecallId(), recallNotice)
		if err != nil {
			return nil, err
		}
		if act {
			if err := s.announce(ctx, q, r, req); err != nil {
				return nil, err
			}
		}
		out, err := recallAfter(ctx, q, r.RecallID)
		return &ledgerv1.GiveRecallNoticeResponse{Recall: out}, err
	})
}

func (s *Server) announce(ctx context.Context, q *store.Queries, r store.Recall, req *ledgerv1.GiveRecallNoticeRequest) error {
	if err := q.LockKey(ctx, "resource/"+r.ResourceID); err != nil {
		return err
	}
	history, err := q.HistoryOf(ctx, r.ResourceID)
	if err != nil {
		return err
	}
	_, _, err = s.enter(ctx, q, store.AddEventParams{
		ResourceID: r.ResourceID, Event: recallNoticed, ReasonCode: r.ReasonCode, Basis: r.Basis, Nature: byLaw,
		TaskID: orNil(req.GetSigningTaskId()), RecallID: &r.RecallID,
		Remedy: "公告期内可提出异议 (objections are taken until the notice period ends)",
	})
	if err != nil {
		return err
	}
	c := req.GetClock()
	return q.AnnounceRecall(ctx, store.AnnounceRecallParams{
		RecallID: r.RecallID, FormerState: conditionOf(history).state(), SigningTaskID: req.GetSigningTaskId(), PublicationID: req.GetPublicationId(),
		NoticeTime: *timeOf(req.GetNoticeTime()), NoticeUntil: *timeOf(req.GetNoticeUntil()),
		ClockBasis: c.GetBasis(), ClockStatutoryDue: c.GetStatutoryDue(), ClockProof: c.GetProof(), ClockProvisional: c.GetProvisional(),
	})
}

// DecideObjection answers an objection. One that stands ends the recall, and the resource is again what it was.
func (s *Server) DecideObjection(ctx context.Context, req *ledgerv1.DecideObjectionRequest) (*ledgerv1.DecideObjectionResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DecideObjectionResponse, error) {
		q, now := store.New(tx), s.now()
		r, err := q.LockRecall(ctx, req.GetRecallId())
		if err != nil {
			return nil, errs.NotFound(err, "no such recall")
		}
		o, err := q.ObjectionByID(ctx, store.ObjectionByIDParams{ObjectionID: req.GetObjectionId(), RecallID: r.RecallID})
		if err != nil {
			return nil, errs.NotFound(err, "no such objection")
		}
		state := objectionDismissed
		if req.GetUpheld() {
			state = objectionUpheld
		}
		switch {
		case o.State == state:
		case o.State != objectionOpen:
			return nil, wrongState("the objection is %s already", o.State)
		default:
			err = s.answerObjection(ctx, q, r, state, req, now)
		}
		if err != nil {
			return nil, err
		}
		out, err := recallAfter(ctx, q, r.RecallID)
		return &ledgerv1.DecideObjectionResponse{Recall: out}, err
	})
}

func (s *Server) answerObjection(ctx context.Context, q *store.Queries, r store.Recall, state string, req *ledgerv1.DecideObjectionRequest, now time.Time) error {
	err := q.AnswerObjection(ctx, store.AnswerObjectionParams{
		ObjectionID: req.GetObjectionId(), State: state, TaskID: orNil(req.GetTaskId()), ReasonCode: req.GetReasonCode(),
		Reply: req.GetReply(), DecidedTime: now,
	})
	if err != nil || state != objectionUpheld {
		return err
	}
	if _, err := recallGoes(r.State, recallDropped); err != nil {
		return err
	}
	_, _, err = s.enter(ctx, q, store.AddEventParams{
		ResourceID: r.ResourceID, Event: recallAbandoned, ReasonCode: req.GetReasonCode(), Basis: r.Basis, Nature: byLaw,
		TaskID: orNil(req.GetTaskId()), RecallID: &r.RecallID,
	})
	if err != nil {
		return err
	}
	return q.EndRecall(ctx, store.EndRecallParams{
		RecallID: r.RecallID, State: recallDropped, EndTime: now, EndReason: req.GetReasonCode(), EndTaskID: orNil(req.GetTaskId()),
	})
}

// CompleteRecall takes a resource back when its notice period is over. An open objection keeps it: the recall is answered
// as it stands. The allocation ends at that moment, in both times.
func (s *Server) CompleteRecall(ctx context.Context, req *ledgerv1.CompleteRecallRequest) (*ledgerv1.CompleteRecallResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.CompleteRecallResponse, error) {
		q := store.New(tx)
		r, act, err := lockRecall(ctx, q, req.GetRecallId(), recallDone)
		if err != nil {
			return nil, err
		}
		if _, err := q.OpenObjectionOf(ctx, r.RecallID); err == nil {
			act = false
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		if act {
			if err := s.takeBack(ctx, q, r); err != nil {
				return nil, err
			}
		}
		out, err := recallAfter(ctx, q, r.RecallID)
		return &ledgerv1.CompleteRecallResponse{Recall: out}, err
	})
}

func (s *Server) takeBack(ctx context.Context, q *store.Queries, r store.Recall) error {
	if now := s.now(); now.Before(*r.NoticeUntil) {
		// whoever asks has a clock that is a little fast, and asks again
		return errs.New(codes.Unavailable, commonv1.ErrorReason_ERROR_REASON_UNAVAILABLE,
			"the notice period runs until %s", r.NoticeUntil.Format(time.RFC3339))
	}
	_, at, err := s.enter(ctx, q, store.AddEventParams{
		ResourceID: r.ResourceID, Event: recalled, ReasonCode: r.ReasonCode, Basis: r.Basis, Nature: byLaw,
		TaskID: r.SigningTaskID, RecallID: &r.RecallID, PriorNotice: "公告 " + text(r.PublicationID),
		Remedy: "可在六十日内申请行政复议, 或在六个月内提起行政诉讼 (行政复议法 20, 行政诉讼法 46)",
	})
	if err != nil {
		return err
	}
	if err := endHolding(ctx, q, r.ResourceID, at, "recall "+r.RecallID); err != nil {
		return err
	}
	return q.EndRecall(ctx, store.EndRecallParams{
		RecallID: r.RecallID, State: recallDone, EndTime: at, EndReason: r.ReasonCode, EndTaskID: r.SigningTaskID,
	})
}

// endHolding ends what the ledger says of a resource at a time: each row that would go on is closed in known time, and
// stands again as true until then. What was known before stays known as of then.
func endHolding(ctx context.Context, q *store.Queries, resource string, at time.Time, reason string) error {
	by := doneBy(identity.ActorOf(ctx))
	rows, err := q.AllocationsFrom(ctx, store.AllocationsFromParams{ResourceID: resource, At: at})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := q.CloseAllocation(ctx, row.AllocationID); err != nil {
			return err
		}
		if !row.ValidFrom.Before(at) {
			continue // it was to begin later and never does
		}
		if _, err := insertAllocation(ctx, q, replacing(row, row.ValidFrom, &at, reason, by)); err != nil {
			return err
		}
	}
	return endWith(ctx, q, resource, at, reason, by)
}
