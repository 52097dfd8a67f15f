package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/errs"
	"quietline/internal/pg"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// AdvanceAppeal writes who decides an appeal, or that the service is restored. Where it is already is a no-op.
func (s *Server) AdvanceAppeal(ctx context.Context, req *ledgerv1.AdvanceAppealRequest) (*ledgerv1.AdvanceAppealResponse, error) {
	switch {
	case req.GetState() == appealReviewing && (req.GetAgencyId() == "" || req.GetExecutorAgencyId() == ""):
		return nil, errs.Field("agency_id", "must name the agency that decides, and executor_agency_id who restores")
	case req.GetState() == appealRestored && req.GetTaskId() == "":
		return nil, errs.Field("task_id", "must name the task with the receipt")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.AdvanceAppealResponse, error) {
		q := store.New(tx)
		p, act, err := lockAppeal(ctx, q, req.GetAppealId(), req.GetState())
		if err != nil {
			return nil, err
		}
		switch {
		case !act:
		case req.GetState() == appealReviewing:
			err = q.ReviewAppeal(ctx, store.ReviewAppealParams{
				AppealID: p.AppealID, AgencyID: req.GetAgencyId(), ExecutorAgencyID: req.GetExecutorAgencyId(),
			})
		default:
			err = q.RestoreAppeal(ctx, store.RestoreAppealParams{
				AppealID: p.AppealID, RestoringTaskID: orNil(req.GetTaskId()), RestoredTime: s.now(),
			})
		}
		if err != nil {
			return nil, err
		}
		out, err := appealAfter(ctx, q, p.AppealID)
		return &ledgerv1.AdvanceAppealResponse{Appeal: out}, err
	})
}

// lockAppeal is an appeal that goes on to a state, until the end of the transaction.
func lockAppeal(ctx context.Context, q *store.Queries, id, to string) (p store.Appeal, act bool, err error) {
	if p, err = q.LockAppeal(ctx, id); err != nil {
		return p, false, errs.NotFound(err, "no such appeal")
	}
	act, err = appealGoes(p.State, to)
	return p, act, err
}

func appealAfter(ctx context.Context, q *store.Queries, id string) (*ledgerv1.Appeal, error) {
	p, err := q.LockAppeal(ctx, id)
	return appealProto(p, "", viewer{engine: true}), err
}

// DecideAppeal answers an appeal. Upheld, the record is corrected in the same transaction: the history keeps the act and
// says that it was wrong, and the resource is again what it would be without it.
func (s *Server) DecideAppeal(ctx context.Context, req *ledgerv1.DecideAppealRequest) (*ledgerv1.DecideAppealResponse, error) {
	to := appealDismissed
	if req.GetUpheld() {
		to = appealUpheld
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.DecideAppealResponse, error) {
		q := store.New(tx)
		p, act, err := lockAppeal(ctx, q, req.GetAppealId(), to)
		if err != nil {
			return nil, err
		}
		if act {
			if err := s.answerAppeal(ctx, q, p, to, req); err != nil {
				return nil, err
			}
		}
		after, err := q.LockAppeal(ctx, p.AppealID)
		return &ledgerv1.DecideAppealResponse{Appeal: appealProto(after, "", viewer{engine: true}), Restore: after.Restore}, err
	})
}

func (s *Server) answerAppeal(ctx context.Context, q *store.Queries, p store.Appeal, to string, req *ledgerv1.DecideAppealRequest) error {
	arg := store.AnswerAppealParams{
		AppealID: p.AppealID, State: to, DecidingTaskID: orNil(req.GetTaskId()), ReasonCode: req.GetReasonCode(),
		Reply: req.GetReply(), DecidedTime: s.now(),
	}
	if to == appealUpheld {
		if err := q.LockKey(ctx, "resource/"+p.ResourceID); err != nil {
			return err
		}
		done, err := q.CorrectionOf(ctx, p.EventID)
		if err == nil { // another's appeal against the same act was upheld first: the record is right again
			arg.CorrectingEventID = &done
			if err := q.AnswerAppeal(ctx, arg); err != nil {
				return err
			}
			return s.deduct(ctx, q, p, to, req.GetCause())
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		history, err := q.HistoryOf(ctx, p.ResourceID)
		if err != nil {
			return err
		}
		id, at, err := s.enter(ctx, q, store.AddEventParams{
			ResourceID: p.ResourceID, Event: corrected, ReasonCode: req.GetReasonCode(), Basis: remedied(p.Restriction), Nature: p.Nature,
			TaskID: orNil(req.GetTaskId()), CorrectsEventID: &p.EventID, AppealID: &p.AppealID,
		})
		if err != nil {
			return err
		}
		arg.CorrectingEventID, arg.Restore, arg.DecidedTime = &id, restores(history, p.EventID), at
		if err := s.lapse(ctx, q, p.EventID); err != nil {
			return err
		}
	}
	if err := q.AnswerAppeal(ctx, arg); err != nil {
		return err
	}
	return s.deduct(ctx, q, p, to, req.GetCause())
}

// remedied is the ground of a correction. A line that was closed has ended, and its numbers may be another's by now: that the
// closing was wrong stands on record, but it is used again only by a new allocation.
func remedied(restriction string) string {
	const article = "反电信网络诈骗法 第三十二条"
	if restriction == closed {
		return article + "；关停被认定不当，线路使用已终止，恢复使用须重新核配"
	}
	return article
}

// restores says whether a resource comes back into service when an act of its history falls.
func restores(history []store.ResourceEvent, wrong int64) bool {
	was, now := conditionOf(history), conditionOf(history, wrong)
	return !was.final() && was.standing == stateSuspended && now.standing != stateSuspended
}

// ListUnstartedMatters lists recalls or appeals whose workflow is to start, oldest first.
func (s *Server) ListUnstartedMatters(ctx context.Context, req *ledgerv1.ListUnstartedMattersRequest) (*ledgerv1.ListUnstartedMattersResponse, error) {
	const defaultPage = 100
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = firstID
	}
	size := int32(defaultPage)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	arg := store.UnstartedRecallsParams{
		Until: s.now().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, PageSize: size,
	}
	q, resp := store.New(s.db), &ledgerv1.ListUnstartedMattersResponse{}
	last := time.Time{}
	var rows []store.UnstartedRecallsRow
	switch req.GetKind() {
	case kindRecall:
		rows, err = q.UnstartedRecalls(ctx, arg)
	case kindAppeal:
		rows, err = unstarted(q.UnstartedAppeals(ctx, store.UnstartedAppealsParams(arg)))
	default:
		rows, err = unstarted(q.UnfollowedItems(ctx, store.UnfollowedItemsParams(arg)))
	}
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		resp.Ids, last = append(resp.Ids, r.ID), r.At
	}
	if len(resp.GetIds()) == int(size) {
		resp.NextPageToken = pg.TimeToken(last, resp.GetIds()[size-1])
	}
	return resp, nil
}

// unstarted makes rows of one kind.
func unstarted[R store.UnstartedAppealsRow | store.UnfollowedItemsRow](rows []R, err error) ([]store.UnstartedRecallsRow, error) {
	out := make([]store.UnstartedRecallsRow, len(rows))
	for i, r := range rows {
		out[i] = store.UnstartedRecallsRow(r)
	}
	return out, err
}
