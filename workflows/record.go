package workflows

import (
	"context"
	"slices"
	"time"

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
	Key      string // of a step that the subject's owner plans
}

// Record writes a decision as its decider. Everything that a person can get wrong is asked first, so that what the
// workflow writes afterwards because of it cannot be refused.
func (a *Activities) Record(ctx context.Context, r recording) (*caseworkv1.Recorded, error) {
	out := &caseworkv1.Recorded{}
	retold := r.Decision.GetDecidedTime() != nil // on record already: what was allowed then stands
	if err := a.check(ctx, r, out); err != nil && !retold {
		return nil, err
	}
	req := &assignmentv1.RecordDecisionRequest{
		// One request of a person is one decision, also when it names another task.
		RequestId: derived(r.Decision.GetRequestKey()), Decision: r.Decision, ExcludedSubjects: r.Excluded,
	}
	if retold { // as it was recorded, which is not how it was sent; the owner knows it by its key and hash
		var err error
		if req, err = rekeyed(req); err != nil {
			return nil, err
		}
	}
	resp, err := a.Assignment.RecordDecision(identity.WithActor(ctx, r.Actor), req)
	if err != nil {
		return nil, err
	}
	out.DecidedTime = resp.GetTask().GetCloseTime()
	return out, a.learnPorting(ctx, r)
}

// check asks the owners about what a decision names, and fills in what follows from it.
func (a *Activities) check(ctx context.Context, r recording, out *caseworkv1.Recorded) error {
	if r.Key != "" {
		return a.checkCase(ctx, r)
	}
	if err := a.checkNamed(ctx, r); err != nil {
		return err
	}
	if r.Task.GetSubjectKind() == "publication" && r.Decision.GetOutcome() != returned {
		return a.checkRelease(ctx, r.Task.GetSubjectId())
	}
	d := r.Decision.GetDetail()
	switch r.Decision.GetOutcome() {
	case bounced:
		return a.checkBounce(ctx, r, out)
	case ported:
		return a.checkPorted(ctx, r, out)
	case assigned, designated:
		if d.GetLeadAgencyId() == "" {
			return nil
		}
		return a.checkLead(ctx, r, "detail.lead_agency_id", d.GetLeadAgencyId())
	case measures, measuresCase:
		return a.checkMeasures(ctx, r.Task.GetAgencyId(), d.GetMeasures(), out)
	}
	return nil
}

// checkNamed sees that a decision on a complaint names its reports and its evidence only, and that what unverified
// reporters say rests on more than what they handed in themselves.
func (a *Activities) checkNamed(ctx context.Context, r recording) error {
	d := r.Decision.GetDetail()
	var named []string
	for _, f := range d.GetFindings() {
		named = append(named, f.GetReportIds()...)
	}
	if r.Task.GetSubjectKind() != "complaint" || len(named)+len(d.GetEvidenceIds()) == 0 {
		return nil
	}
	most := int32(1)
	if len(named) > 0 {
		most = maxNamed
	}
	f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{
		ComplaintId: r.Task.GetSubjectId(), MaxReports: most, EvidenceIds: d.GetEvidenceIds(),
	})
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, report := range f.GetReports() {
		known[report.GetReport().GetReportId()] = true
	}
	err = required(!slices.ContainsFunc(named, func(id string) bool { return !known[id] }),
		"detail.findings", "must name reports of this complaint, of its newest %d; all others are meant by a finding without reports", maxNamed)
	if err != nil {
		return err
	}
	return checkEvidence(r, f.GetEvidence())
}

// checkEvidence: what a decision rests on is there, belongs to the complaint, and is not the word of an unverified
// reporter alone.
func checkEvidence(r recording, facts []*reportingv1.EvidenceFacts) error {
	known, own := map[string]bool{}, true
	for _, e := range facts {
		known[e.GetEvidenceId()] = true
		own = own && e.GetUnverified()
	}
	evidence := r.Decision.GetDetail().GetEvidenceIds()
	err := required(!slices.ContainsFunc(evidence, func(id string) bool { return !known[id] }),
		"detail.evidence_ids", "must name evidence of this complaint")
	if err != nil {
		return err
	}
	return required(!own || !needsMore(r.Task, r.Decision), "detail.evidence_ids",
		"must name evidence that did not come from the reporters who are not verified")
}

// checkMeasures finds the measures in the catalogue, and asks whether the agency may take them.
func (a *Activities) checkMeasures(ctx context.Context, agency string, wanted []*assignmentv1.MeasureDetail, out *caseworkv1.Recorded) error {
	for _, w := range wanted {
		m, err := a.measure(ctx, w.GetCode())
		if err != nil {
			return err
		}
		if w.GetExecutorAgencyId() != "" {
			err := a.checkAgency(ctx, "detail.measures", w.GetExecutorAgencyId(),
				(*assignmentv1.Agency).GetAssignable, "an executor must be an agency that acts")
			if err != nil {
				return err
			}
		}
		out.Measures = append(out.Measures, &caseworkv1.PlannedMeasure{
			Code: m.GetCode(), Weighs: m.GetWeighs(), Executor: m.GetExecutor(), ExecutorAgencyId: w.GetExecutorAgencyId(),
			LedgerAction: m.GetLedgerAction(), Nature: m.GetNature(), Basis: m.GetBasis(),
		})
	}
	powers := &enforcementv1.CheckMeasuresRequest{AgencyId: agency}
	for _, m := range out.GetMeasures() {
		powers.Codes = append(powers.Codes, m.GetCode())
	}
	_, err := a.Enforcement.CheckMeasures(ctx, powers)
	return err
}
