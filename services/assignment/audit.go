package assignment

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// auditWindow is how many tasks one page of violations looks at.
const auditWindow = 2000

// CountTasks counts open tasks. The centre counts its own, others who may count count all.
func (s *Server) CountTasks(ctx context.Context, _ *assignmentv1.CountTasksRequest) (*assignmentv1.CountTasksResponse, error) {
	a, agency := identity.ActorOf(ctx), ""
	if !isLead(a) && !identity.HasRole(a, accessv1.Role_ROLE_AUDITOR, accessv1.Role_ROLE_ADMIN, accessv1.Role_ROLE_STATISTICIAN) {
		r, err := rightsOf(ctx)
		if err != nil {
			return nil, err
		}
		agency = r.agency
	}
	rows, err := store.New(s.db).CountOpen(ctx, store.CountOpenParams{At: s.now(), AgencyID: agency})
	if err != nil {
		return nil, fmt.Errorf("count tasks: %w", err)
	}
	resp := &assignmentv1.CountTasksResponse{ByStep: map[string]int64{}, ByAgency: map[string]int64{}}
	for _, r := range rows {
		resp.Open += r.Open
		resp.Overdue += r.Overdue
		resp.ByStep[r.Step] += r.Open
		resp.ByAgency[r.AgencyID] += r.Open
	}
	return resp, nil
}

// Audit returns pages of open tasks, or of what contradicts the invariants in the package comment.
func (s *Server) Audit(ctx context.Context, req *assignmentv1.AuditRequest) (*assignmentv1.AuditResponse, error) {
	if req.GetWhat() == "open_tasks" {
		return s.auditOpen(ctx, req)
	}
	return s.auditViolations(ctx, req)
}

func (s *Server) auditOpen(ctx context.Context, req *assignmentv1.AuditRequest) (*assignmentv1.AuditResponse, error) {
	due, id, more, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !more {
		id = uuid.Nil.String()
	}
	n := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		n = req.GetPageSize()
	}
	rows, err := store.New(s.db).AuditOpen(ctx, store.AuditOpenParams{AfterDue: due, AfterID: id, N: n})
	if err != nil {
		return nil, fmt.Errorf("audit open tasks: %w", err)
	}
	resp := &assignmentv1.AuditResponse{}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.TimeToken(rows[n-1].DueTime, rows[n-1].TaskID)
	}
	resp.Tasks, err = tasksOf(rows, s.now())
	return resp, err
}

func (s *Server) auditViolations(ctx context.Context, req *assignmentv1.AuditRequest) (*assignmentv1.AuditResponse, error) {
	_, last, more, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	q, resp := store.New(s.db), &assignmentv1.AuditResponse{}
	if !more { // what has no task has no window: told with the first page
		last = uuid.Nil.String()
		if err := strayDecisions(ctx, q, resp); err != nil {
			return nil, err
		}
		if err := s.auditModels(ctx, q, resp); err != nil {
			return nil, err
		}
		if err := auditClocks(ctx, q, resp); err != nil {
			return nil, err
		}
	}
	rows, err := q.AuditWindow(ctx, store.AuditWindowParams{AfterID: last, N: auditWindow})
	if err != nil {
		return nil, fmt.Errorf("audit tasks: %w", err)
	}
	for i := range rows {
		resp.Violations = append(resp.Violations, violations(&rows[i])...)
	}
	if len(rows) == auditWindow {
		resp.NextPageToken = pg.TimeToken(time.Time{}, rows[len(rows)-1].TaskID) // in order of IDs, without a time
	}
	return resp, nil
}

func strayDecisions(ctx context.Context, q *store.Queries, resp *assignmentv1.AuditResponse) error {
	ids, err := q.AuditStrayDecisions(ctx)
	if err != nil {
		return fmt.Errorf("audit decisions: %w", err)
	}
	for _, id := range ids {
		resp.Violations = append(resp.Violations, fmt.Sprintf("decision %s belongs to no task", id))
	}
	return nil
}

// auditClocks finds dates that no recorded act explains.
func auditClocks(ctx context.Context, q *store.Queries, resp *assignmentv1.AuditResponse) error {
	rows, err := q.AuditClocks(ctx)
	if err != nil {
		return fmt.Errorf("audit clocks: %w", err)
	}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, fmt.Sprintf("task %s is due %s, but its last %s says %s",
			r.TaskID, r.Due.UTC().Format(time.RFC3339), r.What, r.Told.UTC().Format(time.RFC3339)))
	}
	return nil
}

// violations is what is wrong with a task, one sentence each.
func violations(t *store.AuditWindowRow) []string {
	var found []string
	broken := func(is bool, format string, args ...any) {
		if is {
			found = append(found, "task "+t.TaskID+" "+fmt.Sprintf(format, args...))
		}
	}
	decided := t.DecisionOutcome != nil
	broken(t.State == stateDone && !decided, "is DONE without a decision")
	broken(t.State != stateDone && decided, "is %s but has a decision", t.State)
	broken(t.State == stateDone && decided && *t.DecisionOutcome != t.Outcome, "ended with %s but was decided otherwise", t.Outcome)
	broken(t.State != stateOpen && t.Claimed, "is %s but still claimed", t.State)
	broken((t.State == stateOpen) == t.HasCloseTime, "is %s but its close time says otherwise", t.State)
	broken(!t.AgencyKnown, "belongs to %s, which was not in the directory when it was opened", t.AgencyID)
	broken(t.EscalationAstray, "is %s but its escalations say otherwise", t.State)
	broken(t.LevelAstray, "has another escalation level than was told")
	broken(t.RouteAstray, "names a rule by which its complaint was never routed")
	return found
}
