package assignment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// settleBatch is how many clocks one call settles.
const settleBatch = 200

// ListProvisional lists open tasks whose date is provisional: of one's agency, or all for who leads, runs or audits.
func (s *Server) ListProvisional(ctx context.Context, req *assignmentv1.ListProvisionalRequest) (*assignmentv1.ListProvisionalResponse, error) {
	agency := ""
	if !identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_ADMIN) {
		r, err := rightsOf(ctx)
		if err != nil {
			return nil, err
		}
		if !r.all {
			agency = r.agency
		}
	}
	due, id, err := afterTask(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	q, n, now := store.New(s.db), pg.PageSize(req.GetPageSize()), s.now()
	rows, err := q.ListProvisional(ctx, store.ListProvisionalParams{AfterDue: due, AfterID: id, AgencyID: agency, N: n})
	if err != nil {
		return nil, fmt.Errorf("list provisional dates: %w", err)
	}
	resp := &assignmentv1.ListProvisionalResponse{NextPageToken: nextTask(rows, n)}
	of, err := changesOf(ctx, q, rows)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		p, err := provisionalOf(&rows[i], of[rows[i].TaskID], now)
		if err != nil {
			return nil, err
		}
		resp.Tasks = append(resp.Tasks, p)
	}
	return resp, nil
}

// provisionalOf says why a date is provisional, and whether it is still.
func provisionalOf(row *store.Task, changes []store.TaskClockChange, now time.Time) (*assignmentv1.ProvisionalTask, error) {
	t, err := taskOf(row, now)
	if err != nil {
		return nil, err
	}
	for i := range changes {
		t.Clock.Changes = append(t.Clock.Changes, changeProto(&changes[i]))
	}
	p := &assignmentv1.ProvisionalTask{Task: t}
	d, err := deadlineOf(row, changes)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) { // another owner's, or without its term: listed all the same
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	for _, year := range d.Unsettled() {
		p.Years = append(p.Years, int32(year))
	}
	_, err = d.Settled(now)
	p.CanSettle = err == nil
	return p, nil
}

// SettleProvisional reckons provisional dates that cross a year anew, now that its notice is loaded. Each is settled once;
// what crosses another year without notice, too, waits.
func (s *Server) SettleProvisional(ctx context.Context, req *assignmentv1.SettleProvisionalRequest) (*assignmentv1.SettleProvisionalResponse, error) {
	now, year := s.now(), int(req.GetYear())
	if !calendar.Noticed(year, now) {
		return nil, policyRefuses("the holiday notice of %d is not loaded, so there is nothing to settle by", year)
	}
	_, after, err := afterTask(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.SettleProvisionalResponse, error) {
		q, resp := store.New(tx), &assignmentv1.SettleProvisionalResponse{}
		rows, err := q.LockProvisional(ctx, store.LockProvisionalParams{AfterID: after, Year: req.GetYear(), N: settleBatch})
		if err != nil {
			return nil, fmt.Errorf("provisional dates of %d: %w", year, err)
		}
		of, err := changesOf(ctx, q, rows)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			settled, err := s.settle(ctx, q, &rows[i], of[rows[i].TaskID], req.GetYear(), now)
			switch {
			case err != nil:
				return nil, err
			case settled == nil:
				resp.StillProvisional++
			default:
				resp.Settled = append(resp.Settled, settled)
			}
		}
		if len(rows) == settleBatch {
			resp.NextPageToken = pg.TimeToken(time.Time{}, rows[settleBatch-1].TaskID)
		}
		return resp, nil
	})
}

// settle settles one date; nil when it cannot be settled yet.
func (s *Server) settle(ctx context.Context, q *store.Queries, row *store.Task, changes []store.TaskClockChange, year int32, now time.Time) (*assignmentv1.Settlement, error) {
	a := identity.ActorOf(ctx)
	before, err := deadlineOf(row, changes)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES) { // another owner's, or without its term: it stays listed
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	after, err := before.Settled(now)
	if _, refused := errors.AsType[calendar.Refusal](err); refused {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	party := calendar.IsParty(row.ClockBasis, now)
	if err := q.AddSettlement(ctx, store.AddSettlementParams{
		TaskID: row.TaskID, Year: year, OldDue: before.Due, NewDue: after.Due, OldStatutory: before.Statutory, NewStatutory: after.Statutory,
		OldProof: before.Proof, Party: party, SettledBy: a.GetSubject(), SettledTime: now,
	}); err != nil {
		return nil, fmt.Errorf("record the settled date of %s: %w", row.TaskID, err)
	}
	act := clockAct{
		row: row, before: before, after: after, change: "settled", reason: fmt.Sprintf("notice of %d", year),
		pausedSince: row.ClockPausedSince, pausedFor: row.ClockPausedFor,
	}
	if err := act.write(ctx, q, len(changes), a, now); err != nil {
		return nil, err
	}
	return &assignmentv1.Settlement{
		TaskId: row.TaskID, Basis: row.ClockBasis, OldDueTime: timestamppb.New(before.Due), NewDueTime: timestamppb.New(after.Due),
	}, nil
}

// afterTask reads the page token of a list of tasks.
func afterTask(token string) (due time.Time, id string, err error) {
	due, id, ok, err := pg.DecodeTimeToken(token)
	if !ok {
		id = uuid.Nil.String()
	}
	return due, id, err
}

// nextTask is the page token after a page of tasks; empty after the last.
func nextTask(rows []store.Task, n int32) string {
	if len(rows) < int(n) || len(rows) == 0 {
		return ""
	}
	last := rows[len(rows)-1]
	return pg.TimeToken(last.DueTime, last.TaskID)
}
