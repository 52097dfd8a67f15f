package workflows

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// maxNamed reports of a complaint can be named one by one.
const maxNamed = 500

// recording is a decision to be recorded.
type recording struct {
	Task     *assignmentv1.Task
	Decision *assignmentv1.Decision
	Actor    *commonv1.Actor
	Excluded []string
	From     time.Time // when the task was opened
	Profile  string
}

// Record writes a decision as its decider. Everything that a person can get wrong is asked first, so that what the
// workflow writes afterwards because of it cannot be refused.
func (a *Activities) Record(ctx context.Context, r recording) (*caseworkv1.Recorded, error) {
	out := &caseworkv1.Recorded{}
	if err := a.check(ctx, r, out); err != nil {
		return nil, err
	}
	resp, err := a.Assignment.RecordDecision(identity.WithActor(ctx, r.Actor), &assignmentv1.RecordDecisionRequest{
		RequestId: derived(r.Task.GetTaskId() + "/" + r.Decision.GetRequestKey()), Decision: r.Decision, ExcludedSubjects: r.Excluded,
	})
	if err != nil {
		return nil, err
	}
	out.DecidedTime = resp.GetTask().GetCloseTime()
	return out, nil
}

// check asks the owners about what a decision names, and fills in what follows from it.
func (a *Activities) check(ctx context.Context, r recording, out *caseworkv1.Recorded) error {
	d := r.Decision.GetDetail()
	switch r.Decision.GetOutcome() {
	case bounced:
		return a.checkBounce(ctx, r, out)
	case ported:
		return a.checkAgency(ctx, "detail.ported_to", d.GetPortedTo(),
			func(a *assignmentv1.Agency) bool { return isOperator(a) && a.GetAssignable() }, "must be an operator of the directory")
	case assigned, designated:
		if d.GetLeadAgencyId() == "" {
			return nil
		}
		return a.checkAgency(ctx, "detail.lead_agency_id", d.GetLeadAgencyId(), (*assignmentv1.Agency).GetAssignable, "must be an agency that acts")
	case concluded, overturned:
		return a.checkReports(ctx, r)
	case measures, measuresCase:
		return a.checkMeasures(ctx, d.GetMeasures(), out)
	}
	return nil
}

func (a *Activities) checkAgency(ctx context.Context, field, id string, fits func(*assignmentv1.Agency) bool, text string) error {
	agency, err := a.agency(ctx, id)
	if err != nil {
		return err
	}
	return required(fits(agency), field, "%s", text)
}

// checkBounce holds a bounce to its term and asks who acts next.
func (a *Activities) checkBounce(ctx context.Context, r recording, out *caseworkv1.Recorded) error {
	should := r.Decision.GetDetail().GetShouldActAgencyId()
	err := a.checkAgency(ctx, "detail.should_act_agency_id", should, (*assignmentv1.Agency).GetAssignable, "must be an agency that acts")
	if err != nil {
		return err
	}
	term, err := calendar.Due(basisBounce, r.From, r.Profile)
	if err != nil {
		return err
	}
	if a.now().After(term.Due) {
		return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the term for sending a matter back (%s) is over", basisBounce)
	}
	next, err := a.Assignment.Designate(ctx, &assignmentv1.DesignateRequest{
		BouncedBy: r.Task.GetAgencyId(), ShouldAct: should, Bounces: int32(bounceCount(r.Task) + 1),
	})
	if err != nil {
		return err
	}
	out.Redirected = &caseworkv1.Redirected{
		How: next.GetHow(), DeciderId: next.GetDeciderId(), NextAgencyId: orElse(next.GetNextAgencyId(), should),
	}
	return nil
}

// checkReports sees that findings name reports of this complaint only.
func (a *Activities) checkReports(ctx context.Context, r recording) error {
	var named []string
	for _, f := range r.Decision.GetDetail().GetFindings() {
		named = append(named, f.GetReportIds()...)
	}
	if len(named) == 0 {
		return nil
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: r.Task.GetSubjectId(), MaxReports: maxNamed})
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, report := range f.GetReports() {
		known[report.GetReport().GetReportId()] = true
	}
	return required(!slices.ContainsFunc(named, func(id string) bool { return !known[id] }),
		"detail.findings", "must name reports of this complaint, of its newest %d; all others are meant by a finding without reports", maxNamed)
}

// checkMeasures finds the measures in the catalogue.
func (a *Activities) checkMeasures(ctx context.Context, wanted []*assignmentv1.MeasureDetail, out *caseworkv1.Recorded) error {
	catalogue, err := a.Enforcement.ListMeasures(ctx, &enforcementv1.ListMeasuresRequest{})
	if err != nil {
		return err
	}
	for _, w := range wanted {
		i := slices.IndexFunc(catalogue.GetMeasures(), func(m *enforcementv1.Measure) bool { return m.GetCode() == w.GetCode() })
		if i < 0 {
			return errs.Field("detail.measures", "must be codes of the catalogue of measures")
		}
		if w.GetExecutorAgencyId() != "" {
			err := a.checkAgency(ctx, "detail.measures", w.GetExecutorAgencyId(),
				(*assignmentv1.Agency).GetAssignable, "an executor must be an agency that acts")
			if err != nil {
				return err
			}
		}
		m := catalogue.GetMeasures()[i]
		out.Measures = append(out.Measures, &caseworkv1.PlannedMeasure{
			Code: m.GetCode(), Weighs: m.GetWeighs(), Executor: m.GetExecutor(), ExecutorAgencyId: w.GetExecutorAgencyId(),
			LedgerAction: m.GetLedgerAction(), Nature: m.GetNature(), Basis: m.GetBasis(),
		})
	}
	return nil
}
