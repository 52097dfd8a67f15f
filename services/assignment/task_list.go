package assignment

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

const (
	// feedPage is the page of the feed when none is asked for, feedInterval how often a waiting reader looks.
	feedPage     = 100
	feedInterval = 500 * time.Millisecond
)

// never is later than any deadline.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// GetTask returns a task of the caller's agency with its decision. Names of natural persons go to the people of the agency
// that decided only.
func (s *Server) GetTask(ctx context.Context, req *assignmentv1.GetTaskRequest) (*assignmentv1.GetTaskResponse, error) {
	r, err := rightsOf(ctx)
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	row, err := q.GetTask(ctx, req.GetTaskId())
	if err != nil {
		return nil, errs.NotFound(err, "there is no task %s", req.GetTaskId())
	}
	if !r.all && row.AgencyID != r.agency {
		told, err := q.IsEscalatedTo(ctx, store.IsEscalatedToParams{TaskID: row.TaskID, AgencyID: r.agency})
		if err != nil {
			return nil, fmt.Errorf("escalations of %s: %w", row.TaskID, err)
		}
		if !told {
			return nil, otherAgency(row.TaskID)
		}
	}
	resp := &assignmentv1.GetTaskResponse{}
	if resp.Task, err = withChanges(ctx, q, &row, s.now()); err != nil || row.State != stateDone {
		return resp, err
	}
	d, err := q.GetDecision(ctx, row.TaskID)
	if err != nil {
		return nil, fmt.Errorf("decision of %s: %w", row.TaskID, err)
	}
	if resp.Decision, err = decisionOf(&d); err != nil {
		return nil, err
	}
	return resp, s.name(ctx, &d, resp.GetDecision())
}

// page is which tasks a list asks for.
type page struct {
	agency, state, step, subject, claimedBy string
	afterDue, before                        time.Time
	afterID                                 string
	n                                       int32
}

// ListTasks lists tasks, soonest due first. Beside its own an agency sees those that were escalated to it.
func (s *Server) ListTasks(ctx context.Context, req *assignmentv1.ListTasksRequest) (*assignmentv1.ListTasksResponse, error) {
	p, err := pageOf(ctx, req)
	if err != nil {
		return nil, err
	}
	size := int(pg.PageSize(req.GetPageSize()))
	p.n = int32(size + 1) // one more says whether there is a next page
	now := s.now()
	rows, err := p.read(ctx, store.New(s.db), now)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	resp := &assignmentv1.ListTasksResponse{}
	if len(rows) > size {
		rows = rows[:size]
		resp.NextPageToken = pg.TimeToken(rows[size-1].DueTime, rows[size-1].TaskID)
	}
	resp.Tasks, err = tasksOf(rows, now)
	return resp, err
}

func pageOf(ctx context.Context, req *assignmentv1.ListTasksRequest) (*page, error) {
	r, err := rightsOf(ctx)
	if err != nil {
		return nil, err
	}
	p := &page{state: req.GetState(), step: req.GetStep(), subject: req.GetSubjectId(), before: never}
	if p.agency, err = r.narrow(req.GetAgencyId()); err != nil {
		return nil, err
	}
	if p.state == "" {
		p.state = stateOpen
	}
	if !slices.Contains([]string{stateOpen, stateDone, stateCancelled}, p.state) {
		return nil, errs.Field("state", "must be OPEN, DONE, CANCELLED or empty")
	}
	if p.subject != "" && uuid.Validate(p.subject) != nil {
		return nil, errs.Field("subject_id", "must be a UUID")
	}
	if req.GetMine() {
		if p.state != stateOpen {
			return nil, errs.Field("mine", "only open tasks are claimed")
		}
		p.claimedBy = identity.ActorOf(ctx).GetSubject()
	}
	if req.GetDueBefore() != nil {
		p.before = req.GetDueBefore().AsTime()
	}
	var more bool
	if p.afterDue, p.afterID, more, err = pg.DecodeTimeToken(req.GetPageToken()); err != nil {
		return nil, err
	}
	if !more {
		p.afterID = uuid.Nil.String()
	}
	return p, nil
}

// read takes the index that fits what is asked for.
func (p *page) read(ctx context.Context, q *store.Queries, now time.Time) ([]store.Task, error) {
	switch {
	case p.claimedBy != "":
		return q.ListClaimedBy(ctx, store.ListClaimedByParams{Subject: p.claimedBy, At: now, AgencyID: p.agency, SubjectID: p.subject,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
	case p.subject != "":
		return q.ListOfSubject(ctx, store.ListOfSubjectParams{SubjectID: p.subject, State: p.state, AgencyID: p.agency,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
	case p.agency == "" && p.state == stateOpen:
		return q.ListAllOpen(ctx, store.ListAllOpenParams{AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
	case p.agency == "":
		return q.ListAllClosed(ctx, store.ListAllClosedParams{State: p.state,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
	case p.state == stateOpen:
		own, err := q.ListInbox(ctx, store.ListInboxParams{AgencyID: p.agency,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
		if err != nil {
			return nil, err
		}
		told, err := q.ListEscalatedInbox(ctx, store.ListEscalatedInboxParams{AgencyID: p.agency,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
		return merge(own, told, int(p.n)), err
	default:
		own, err := q.ListClosedOfAgency(ctx, store.ListClosedOfAgencyParams{AgencyID: p.agency, State: p.state,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
		if err != nil {
			return nil, err
		}
		told, err := q.ListClosedEscalated(ctx, store.ListClosedEscalatedParams{AgencyID: p.agency, State: p.state,
			AfterDue: p.afterDue, AfterID: p.afterID, Step: p.step, DueBefore: p.before, N: p.n})
		return merge(own, told, int(p.n)), err
	}
}

// merge is the first n of two lists, both soonest due first and without common tasks.
func merge(a, b []store.Task, n int) []store.Task {
	if len(b) > 0 {
		a = append(a, b...)
		slices.SortFunc(a, func(x, y store.Task) int {
			if c := x.DueTime.Compare(y.DueTime); c != 0 {
				return c
			}
			return strings.Compare(x.TaskID, y.TaskID)
		})
	}
	return a[:min(n, len(a))]
}

// ListTaskChanges is the change feed of the caller's agency: its own tasks and those escalated to it.
func (s *Server) ListTaskChanges(ctx context.Context, req *assignmentv1.ListTaskChangesRequest) (*assignmentv1.ListTaskChangesResponse, error) {
	r, err := rightsOf(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := pg.DecodeCursor(req.GetAfterCursor(), "0")
	if err != nil {
		return nil, err
	}
	after, err := strconv.ParseInt(cursor.ID, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	n := req.GetPageSize()
	if n == 0 {
		n = feedPage
	}
	rows, err := pg.LongPoll(ctx, req.GetMaxWait().AsDuration(), feedInterval, func(ctx context.Context) ([]store.ListChangesRow, error) {
		return store.New(s.db).ListChanges(ctx, store.ListChangesParams{
			AgencyID: r.agency, AfterXid: cursor.Xid, AfterID: after, N: min(n, pg.MaxPageSize),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("task changes: %w", err)
	}
	resp := &assignmentv1.ListTaskChangesResponse{NextCursor: cursor.String()}
	for i := range rows {
		c, err := changeOf(&rows[i])
		if err != nil {
			return nil, err
		}
		resp.Changes = append(resp.Changes, c)
		resp.NextCursor = pg.Cursor{Xid: rows[i].Xid, ID: strconv.FormatInt(rows[i].ID, 10)}.String()
	}
	return resp, nil
}
