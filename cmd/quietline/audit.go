package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// auditor joins what the owners answer. Each check is one of the invariants that the README lists.
type auditor struct {
	conn   grpc.ClientConnInterface
	report fsckReport

	complaints map[string]*reportingv1.AuditedComplaint
	tasks      []*assignmentv1.Task
	penalties  map[string]bool      // cases decided with a penalty, signed
	reversed   map[string]time.Time // cases whose decision was reversed, and when
	repaired   map[string]time.Time // cases whose entry was repaired, and since when nothing lets the penalty stay public
}

func audit(ctx context.Context, conn grpc.ClientConnInterface) (*fsckReport, error) {
	a := &auditor{conn: conn, complaints: map[string]*reportingv1.AuditedComplaint{}, penalties: map[string]bool{}, reversed: map[string]time.Time{},
		repaired: map[string]time.Time{}}
	a.report.Broken = []string{}
	// Tasks are read before complaints: a task that closes in between must not look like one of a closed complaint.
	for _, step := range []func(context.Context) error{
		a.owners, a.readTasks, a.readComplaints, a.readPenalties,
		a.checkComplaints, a.checkTasks, a.checkCases, a.checkListings, a.checkLists, a.checkPublications, a.checkFounded, a.checkRecalls, a.checkFindings,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(a.report.Broken)
	a.report.Broken = slices.Compact(a.report.Broken) // a workflow may be missed by its complaint and by its tasks
	return &a.report, nil
}

func (a *auditor) broken(format string, args ...any) {
	a.report.Broken = append(a.report.Broken, fmt.Sprintf(format, args...))
}

// pages walks the pages of one list until its token is empty.
func pages(fetch func(token string) (next string, err error)) error {
	token := ""
	for {
		next, err := fetch(token)
		if err != nil || next == "" {
			return err
		}
		token = next
	}
}

// backlogPatience is how long a complaint may wait to start: the sweep looks every minute, and even a bulk import of
// 100,000 reports is started within the hour.
const backlogPatience = time.Hour

const (
	auditPage  = 500
	violations = "violations"
)

// owners asks each owner what it sees broken in its own tables.
func (a *auditor) owners(ctx context.Context) error {
	for _, owner := range []struct {
		name string
		ask  func(token string) ([]string, string, error)
	}{
		{"reporting", func(token string) ([]string, string, error) {
			r, err := reportingv1.NewReportingServiceClient(a.conn).Audit(ctx, &reportingv1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
		{"assignment", func(token string) ([]string, string, error) {
			r, err := assignmentv1.NewAssignmentServiceClient(a.conn).Audit(ctx, &assignmentv1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
		{"ledger", func(token string) ([]string, string, error) {
			r, err := ledgerv1.NewLedgerServiceClient(a.conn).Audit(ctx, &ledgerv1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
		{"credit", func(token string) ([]string, string, error) {
			r, err := creditv1.NewCreditServiceClient(a.conn).Audit(ctx, &creditv1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
		{"enforcement", func(token string) ([]string, string, error) {
			r, err := enforcementv1.NewEnforcementServiceClient(a.conn).Audit(ctx, &enforcementv1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
		{"disclosure", func(token string) ([]string, string, error) {
			r, err := disclosurev1.NewDisclosureServiceClient(a.conn).Audit(ctx, &disclosurev1.AuditRequest{PageSize: auditPage, PageToken: token, What: violations})
			return r.GetViolations(), r.GetNextPageToken(), err
		}},
	} {
		err := pages(func(token string) (string, error) {
			sentences, next, err := owner.ask(token)
			for _, sentence := range sentences {
				a.broken("%s: %s", owner.name, sentence)
			}
			return next, err
		})
		if err != nil {
			return fmt.Errorf("audit %s: %w", owner.name, err)
		}
	}
	return nil
}

func (a *auditor) readTasks(ctx context.Context) error {
	service := assignmentv1.NewAssignmentServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &assignmentv1.AuditRequest{PageSize: auditPage, PageToken: token, What: "open_tasks"})
		a.tasks = append(a.tasks, r.GetTasks()...)
		a.report.OpenTasks = len(a.tasks)
		return r.GetNextPageToken(), err
	})
}

func (a *auditor) readComplaints(ctx context.Context) error {
	service := reportingv1.NewReportingServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &reportingv1.AuditRequest{PageSize: auditPage, PageToken: token, What: "complaints"})
		for _, c := range r.GetComplaints() {
			a.complaints[c.GetComplaintId()] = c
		}
		a.report.Complaints = len(a.complaints)
		return r.GetNextPageToken(), err
	})
}

func (a *auditor) readPenalties(ctx context.Context) error {
	service := enforcementv1.NewEnforcementServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &enforcementv1.AuditRequest{PageSize: auditPage, PageToken: token, What: "decisions"})
		for _, c := range r.GetCases() {
			if a.penalties[c.GetCaseId()] = a.signed(ctx, c); !a.penalties[c.GetCaseId()] {
				a.broken("case %s has a penalty that no head has signed", c.GetCaseId())
			}
			if c.GetReverseTime() != nil {
				a.reversed[c.GetCaseId()] = c.GetReverseTime().AsTime()
			}
		}
		return r.GetNextPageToken(), err
	})
}

// signed asks the owner of the decisions whether the task that a penalty names as its signature was signed.
func (a *auditor) signed(ctx context.Context, c *enforcementv1.Case) bool {
	r, err := assignmentv1.NewAssignmentServiceClient(a.conn).GetTask(ctx,
		&assignmentv1.GetTaskRequest{TaskId: c.GetDecision().GetSigningTaskId()})
	if err != nil || r.GetTask().GetSubjectId() != c.GetCaseId() {
		return false
	}
	// Two officers decide on the spot (行政处罚法 51, 52); everything else a head signs.
	if c.GetProcedure() == "simplified" {
		return r.GetTask().GetStep() == "onspot" && r.GetDecision().GetOutcome() == "delivered"
	}
	return r.GetTask().GetStep() == "case_sign" && r.GetDecision().GetOutcome() == "signed"
}

func (a *auditor) checkComplaints(ctx context.Context) error {
	var running []string
	for id, c := range a.complaints {
		switch c.GetState() {
		case "RECEIVED":
			a.report.Backlog++
			if waited := time.Since(c.GetUpdatedTime().AsTime()); waited > backlogPatience {
				a.broken("complaint %s has waited to start for %s: the backlog does not shrink", id, waited.Round(time.Second))
			}
		case "CLOSED":
			if n := c.GetWithoutFeedback(); n > 0 {
				a.broken("complaint %s is closed but %d of its reports lack their feedback", id, n)
			}
		default:
			running = append(running, fmt.Sprintf("complaint/%s/%d", id, c.GetRound()))
		}
	}
	return a.mustRun(ctx, running)
}

func (a *auditor) checkTasks(ctx context.Context) error {
	workflows := map[string]bool{}
	for _, t := range a.tasks {
		workflows[t.GetWorkflowId()] = true
		if t.GetSubjectKind() != "complaint" {
			continue
		}
		switch c := a.complaints[t.GetSubjectId()]; {
		case c == nil:
			a.broken("task %s (%s) belongs to complaint %s, which is not there", t.GetTaskId(), t.GetStep(), t.GetSubjectId())
		case c.GetState() == "CLOSED":
			a.broken("task %s (%s) is open but complaint %s is closed", t.GetTaskId(), t.GetStep(), t.GetSubjectId())
		}
	}
	ids := make([]string, 0, len(workflows))
	for id := range workflows {
		ids = append(ids, id)
	}
	return a.mustRun(ctx, ids)
}

func (a *auditor) checkCases(ctx context.Context) error {
	service := enforcementv1.NewEnforcementServiceClient(a.conn)
	var running []string
	err := pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &enforcementv1.AuditRequest{PageSize: auditPage, PageToken: token, What: "open_cases"})
		for _, c := range r.GetCases() {
			if c.GetState() != "OPENED" { // not yet started: backlog of the sweep
				running = append(running, "case/"+c.GetCaseId())
			}
		}
		return r.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	return a.mustRun(ctx, running)
}

// mustRun reports the workflows among ids that have no open run.
func (a *auditor) mustRun(ctx context.Context, ids []string) error {
	slices.Sort(ids)
	service := caseworkv1.NewCaseworkServiceClient(a.conn)
	for chunk := range slices.Chunk(ids, auditPage) {
		r, err := service.CheckRunning(ctx, &caseworkv1.CheckRunningRequest{WorkflowIds: chunk})
		if err != nil {
			return fmt.Errorf("check workflows: %w", err)
		}
		for _, id := range r.GetNotRunning() {
			a.broken("workflow %s does not run", id)
		}
		for _, id := range r.GetStuck() {
			a.broken("workflow %s runs but its task keeps failing; the log says why", id)
		}
	}
	return nil
}

func (a *auditor) checkListings(ctx context.Context) error {
	service := creditv1.NewCreditServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &creditv1.AuditRequest{PageSize: auditPage, PageToken: token, What: "listings"})
		for _, l := range r.GetListings() {
			a.report.Listings++
			switch {
			case l.GetCaseId() == "" && len(l.GetDecidedBy()) < 3:
				a.broken("listing %s rests on no case, and not three people decided on it", l.GetListingId())
			case l.GetCaseId() != "" && !a.penalties[l.GetCaseId()]:
				a.broken("listing %s names case %s as its ground, which has no signed penalty", l.GetListingId(), l.GetCaseId())
			}
		}
		return r.GetNextPageToken(), err
	})
}

func (a *auditor) checkPublications(ctx context.Context) error {
	service := disclosurev1.NewDisclosureServiceClient(a.conn)
	return pages(func(token string) (string, error) {
		r, err := service.Audit(ctx, &disclosurev1.AuditRequest{PageSize: auditPage, PageToken: token, What: "publications"})
		for _, p := range r.GetPublications() {
			a.report.Published++
			if p.GetKind() == "penalty" && !a.penalties[p.GetCaseId()] {
				a.broken("publication %s names case %s, which has no signed penalty", p.GetPublicationId(), p.GetCaseId())
			}
			// The term of article 48 is 3 working days; the mesh withdraws within minutes, so an hour is an alarm in time.
			if since, ok := a.reversed[p.GetCaseId()]; ok && time.Since(since) > backlogPatience {
				a.broken("publication %s is still public though the decision of case %s was reversed", p.GetPublicationId(), p.GetCaseId())
			}
			if since, ok := a.repaired[p.GetCaseId()]; ok && p.GetKind() == "penalty" && time.Since(since) > backlogPatience {
				a.broken("publication %s: the entry of case %s was repaired and its penalty is still public", p.GetPublicationId(), p.GetCaseId())
			}
		}
		return r.GetNextPageToken(), err
	})
}
