package workflows

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// Owners are the services that own the facts.
type Owners struct {
	Reporting   reportingv1.ReportingServiceClient
	Assignment  assignmentv1.AssignmentServiceClient
	Ledger      ledgerv1.LedgerServiceClient
	Credit      creditv1.CreditServiceClient
	Enforcement enforcementv1.EnforcementServiceClient
	Disclosure  disclosurev1.DisclosureServiceClient
}

// runs is what activities need of Temporal itself.
type runs interface {
	StartCase(ctx context.Context, caseID string) (bool, error)
	StartComplaint(ctx context.Context, complaintID string, round int32) (bool, error)
	StartRecall(ctx context.Context, recallID string) (bool, error)
	StartAppeal(ctx context.Context, appealID string) (bool, error)
	StartRectification(ctx context.Context, itemID string) (bool, error)
	StartListing(ctx context.Context, listingID string) (bool, error)
	StartRepair(ctx context.Context, repairID string) (bool, error)
	StartPublication(ctx context.Context, proposalID string) (bool, error)
	Signal(ctx context.Context, workflowID, name string, arg any) error
	Decide(ctx context.Context, workflowID, updateID string, in *caseworkv1.DecideInput) (*caseworkv1.DecideResponse, error)
}

// Activities are the only I/O of the workflows. Each may run again at any point, so every write carries a request ID that
// follows from its workflow and its place in it. Requests are cloned before they are filled in: a retry gets the same.
type Activities struct {
	Owners
	runs     runs
	starts   *starts
	agencies remembered[*assignmentv1.Agency]
	measures remembered[*enforcementv1.Measure]
	now      func() time.Time
}

func newActivities(o Owners, r runs, s *starts) *Activities {
	return &Activities{Owners: o, runs: r, starts: s, now: time.Now}
}

// Perform does the mesh's own writes and opens the tasks among them. What is written to the complaint goes first, in its
// order and in one: who is given a task finds the rights that go with it.
func (a *Activities) Perform(ctx context.Context, deeds []proto.Message) (*caseworkv1.Performed, error) {
	out := &caseworkv1.Performed{}
	w, rest, err := a.sort(ctx, deeds, out)
	if err != nil {
		return nil, err
	}
	if err := a.writeAll(ctx, w, out); err != nil {
		return nil, err
	}
	for _, d := range rest {
		if err := d.do(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return out, nil
}

func (a *Activities) deed(ctx context.Context, deed proto.Message) error {
	deed, err := rekeyed(deed)
	if err != nil {
		return err
	}
	switch m := deed.(type) {
	case *assignmentv1.CancelTaskRequest:
		_, err = a.Assignment.CancelTask(ctx, m)
		err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_TASK_NOT_OPEN)
	case *enforcementv1.RecordMeasureRequest:
		_, err = a.Enforcement.RecordMeasure(ctx, m)
	case *enforcementv1.AdvanceCaseRequest:
		_, err = a.Enforcement.AdvanceCase(ctx, m)
	case *enforcementv1.DecideCaseRequest:
		_, err = a.Enforcement.DecideCase(ctx, m)
	case *ledgerv1.AdvanceRecallRequest:
		_, err = a.Ledger.AdvanceRecall(ctx, m)
	case *ledgerv1.AdvanceAppealRequest:
		_, err = a.Ledger.AdvanceAppeal(ctx, m)
	case *ledgerv1.WarnResourceRequest:
		_, err = a.Ledger.WarnResource(ctx, m)
		// What is out of service by now needs no warning.
		err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	case *ledgerv1.SuspendResourceRequest:
		_, err = a.Ledger.SuspendResource(ctx, m)
		// A resource that was recalled meanwhile is out of service for good.
		err = unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE)
	case *creditv1.AdvanceListingRequest:
		_, err = a.Credit.AdvanceListing(ctx, m)
	case *creditv1.AnswerListingObjectionRequest:
		_, err = a.Credit.AnswerListingObjection(ctx, m)
	case *creditv1.RecordLiftingRequest:
		err = a.lifting(ctx, m)
	default:
		return fmt.Errorf("no such deed: %T", deed)
	}
	return err
}

// dueOf is when a task is due, and by which basis. The routing table names bases, and deadlines are data of another place:
// should one be gone, the clock of the step's own counts, and no task is left without.
func dueOf(s *caseworkv1.StepTask) (string, calendar.Deadline, error) {
	basis := s.GetBasis()
	due, err := calendar.Due(basis, s.GetFromTime().AsTime(), s.GetProfile())
	i := slices.IndexFunc(steps, func(own step) bool { return own.name == s.GetTask().GetStep() })
	if err == nil || i < 0 || steps[i].basis == basis {
		return basis, asOwned(due, s), err
	}
	slog.Error("a basis that a route names is not in the deadline table; the step's own counts",
		slog.String("basis", basis), slog.String("own", steps[i].basis), slog.Any("error", err))
	basis = steps[i].basis
	due, err = calendar.Due(basis, s.GetFromTime().AsTime(), s.GetProfile())
	return basis, due, err
}

// asOwned puts the end of a term that the subject's owner keeps itself, with its pauses and extensions, in place of the one
// that the table gives.
func asOwned(due calendar.Deadline, s *caseworkv1.StepTask) calendar.Deadline {
	if s.GetDueTime() != nil {
		due.Due = s.GetDueTime().AsTime()
	}
	if own := s.GetStatutoryDue(); own != nil && !own.AsTime().Equal(due.Statutory) {
		due.Statutory, due.Proof = own.AsTime(), due.Proof+" (as extended or paused in the case's own clock)"
		due.Term, due.Counted = "", due.Statutory // its owner reckons it: nobody extends or settles it with the task
	}
	return due
}

// tellBounceTerm writes on a fact check until when it may be sent back, if it may.
func tellBounceTerm(t *assignmentv1.Task, s *caseworkv1.StepTask) error {
	if t.GetStep() != stepFactCheck.name || bounceCount(t) >= maxBounces {
		return nil
	}
	term, err := calendar.Due(basisBounce, s.GetFromTime().AsTime(), s.GetProfile())
	if err != nil {
		return err
	}
	t.Facts[factBounceUntil] = term.Due.Format(time.RFC3339)
	return nil
}

// Escalate tells the superior that a task is overdue, or learns until when it is not: its term may have been extended.
func (a *Activities) Escalate(ctx context.Context, req *assignmentv1.EscalateTaskRequest) (*assignmentv1.EscalateTaskResponse, error) {
	return a.Assignment.EscalateTask(ctx, req)
}

// Until is when a wait that is nobody's task ends.
func (a *Activities) Until(_ context.Context, basis string, from time.Time, profile string) (*timestamppb.Timestamp, error) {
	due, err := calendar.Due(basis, from, profile)
	if err != nil {
		return nil, err
	}
	return timestamppb.New(due.Due), nil
}

// Look is how a complaint stands now.
func (a *Activities) Look(ctx context.Context, in *caseworkv1.ComplaintInput) (*caseworkv1.Looked, error) {
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: in.GetComplaintId(), MaxReports: 1})
	if err != nil {
		return nil, err
	}
	looked := &caseworkv1.Looked{
		Current:      f.GetComplaint().GetRound() == in.GetRound() && f.GetComplaint().GetState() != "CLOSED",
		Supplemented: f.GetSupplemented(), AllWithdrawn: f.GetAllWithdrawn(), Clue: f.GetClue(),
	}
	if f.GetComplaint().GetMergedIntoComplaintId() != "" { // what was found lives on there
		if err := a.settleFinding(ctx, in.GetComplaintId(), in.GetRound(), "superseded"); err != nil {
			return nil, err
		}
	}
	looked.MergedNumbers = int32(len(f.GetMergedNumbers())) //nolint:gosec // few
	looked.PreserverIds, err = a.carriers(ctx, f)
	return looked, err
}

// unless forgives refusals for these reasons.
func unless(err error, reasons ...commonv1.ErrorReason) error {
	for _, r := range reasons {
		if errs.Is(err, r) {
			return nil
		}
	}
	return err
}

// agency is an agency of the directory; one without its name when the directory has none such.
func (a *Activities) agency(ctx context.Context, id string) (*assignmentv1.Agency, error) {
	if id == "" {
		return &assignmentv1.Agency{}, nil
	}
	if agency, ok := a.agencies.get(id, a.now()); ok {
		return agency, nil
	}
	resp, err := a.Assignment.GetAgency(ctx, &assignmentv1.GetAgencyRequest{AgencyId: id})
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) {
		return &assignmentv1.Agency{AgencyId: id}, nil
	}
	if err != nil {
		return nil, err
	}
	a.agencies.put(id, resp.GetAgency(), a.now())
	return resp.GetAgency(), nil
}

func isOperator(a *assignmentv1.Agency) bool {
	switch a.GetKind() {
	case "operator", "operator_branch", "resale_operator":
		return true
	}
	return false
}

func timestamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }
