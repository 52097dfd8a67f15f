package workflows

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// planning asks for the plan of a case, after the step that somebody decided is recorded.
type planning struct {
	CaseID  string
	Profile string
	Request string                  // request ID of the step
	Step    *enforcementv1.CaseStep // nil when nobody decided
}

// PlanCase records the step that was decided and asks the case's owner what is to be done now.
func (a *Activities) PlanCase(ctx context.Context, p planning) (*enforcementv1.CasePlan, error) {
	if p.Step != nil {
		taken, err := a.published(ctx, p.CaseID, p.Step)
		if err != nil {
			return nil, err
		}
		step, err := rekeyed(&enforcementv1.RecordCaseStepRequest{RequestId: p.Request, CaseId: p.CaseID, Step: taken, Profile: p.Profile})
		if err != nil {
			return nil, err
		}
		if _, err := a.Enforcement.RecordCaseStep(ctx, step); err != nil {
			return nil, err
		}
	}
	resp, err := a.Enforcement.PlanCase(ctx, &enforcementv1.PlanCaseRequest{CaseId: p.CaseID, Profile: p.Profile})
	if err != nil {
		return nil, err
	}
	for _, t := range resp.GetPlan().GetTasks() {
		if t.GetAgencyId() != "" {
			continue
		}
		if t.AgencyId, err = a.commonSuperior(ctx, t.GetSuperiorOf()); err != nil {
			return nil, err
		}
	}
	return resp.GetPlan(), nil
}

// commonSuperior is the nearest agency above all of these (行政处罚法 25); the lead ministry where their lines do not meet.
func (a *Activities) commonSuperior(ctx context.Context, agencies []string) (string, error) {
	var common []string
	for i, id := range agencies {
		line, err := a.above(ctx, id)
		if err != nil {
			return "", err
		}
		if i == 0 {
			common = line
		}
		common = slices.DeleteFunc(common, func(id string) bool { return !slices.Contains(line, id) })
	}
	if len(common) == 0 {
		return leadMinistry, nil
	}
	return common[0], nil
}

// above are the superiors of an agency that act, the nearest first.
func (a *Activities) above(ctx context.Context, id string) ([]string, error) {
	const depth = 5 // a directory that leads in a circle ends here
	var line []string
	for range depth {
		agency, err := a.agency(ctx, id)
		if err != nil {
			return nil, err
		}
		if id = agency.GetSuperiorId(); id == "" {
			break
		}
		superior, err := a.agency(ctx, id)
		if err != nil {
			return nil, err
		}
		if superior.GetAssignable() {
			line = append(line, id)
		}
	}
	return line, nil
}

// carrying carries effects out.
type carrying struct {
	CaseID string
	Plan   *enforcementv1.CasePlan
}

// effect is what came of an effect: what it made or took back, and the result, a code.
type effect struct{ target, result string }

// Kinds of effects.
const (
	effectBegin         = "begin" // the workflow runs
	effectTell          = "tell_complaints"
	effectList          = "list_party"
	effectPublish       = "publish"
	effectDelist        = "withdraw_listing"
	effectUnpublish     = "withdraw_publication"
	effectCorrect       = "correct_publication"
	effectCopy          = "copy_procuratorate"
	effectRestore       = "restore_resource"
	procuratorate       = "spp"
	reversed            = "行政处罚决定已被撤销或变更"
	effectDone          = "done"
	effectNothing       = "nothing_there"
	effectRestricted    = "restricted_otherwise"
	refusedBy           = "refused:"
	kindPenalty         = "penalty"
	decisionWasReversed = "decision_reversed"
	causeRevoked        = "revoked"
)

// CarryOut does in the other services what follows from a case, each effect once, and records what came of it. Names are
// read here and stay here.
func (a *Activities) CarryOut(ctx context.Context, c carrying) error {
	resp, err := a.Enforcement.GetCase(ctx, &enforcementv1.GetCaseRequest{CaseId: c.CaseID})
	if err != nil {
		return err
	}
	for _, e := range c.Plan.GetEffects() {
		came, err := a.carryOut(ctx, resp.GetCase(), c.Plan, e)
		if err != nil {
			return fmt.Errorf("%s: %w", e.GetKind(), err)
		}
		_, err = a.Enforcement.RecordCaseEffect(ctx, &enforcementv1.RecordCaseEffectRequest{
			RequestId: derived(c.CaseID + "/effect/" + e.GetKey()), CaseId: c.CaseID, Key: e.GetKey(), Kind: e.GetKind(),
			TargetId: came.target, Result: came.result, DoneTime: timestamppb.New(a.now()),
		})
		// An effect that was recorded by a try that broke off stands as it was recorded.
		if err = unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED); err != nil {
			return fmt.Errorf("%s: %w", e.GetKind(), err)
		}
	}
	return nil
}

func (a *Activities) carryOut(ctx context.Context, c *enforcementv1.Case, plan *enforcementv1.CasePlan, e *enforcementv1.PlannedEffect) (effect, error) {
	switch e.GetKind() {
	case effectBegin:
		return effect{result: effectDone}, nil
	case effectTell:
		return effect{result: effectDone}, a.tellComplaints(ctx, c, plan, e)
	case effectList:
		return a.listFor(ctx, c, e.GetFacts()["ground"])
	case effectPublish:
		return a.publishPenalty(ctx, c)
	case effectDelist:
		return a.delist(ctx, c)
	case effectUnpublish:
		return a.withdrawPenalty(ctx, c)
	case effectCorrect:
		return a.correctPenalty(ctx, c, e)
	case effectCopy:
		return effect{target: procuratorate, result: effectDone}, nil
	case effectRestore:
		return a.restoreResource(ctx, c, e)
	}
	return effect{}, fmt.Errorf("no such effect: %s", e.GetKind())
}

// tellComplaints tells the complaints of a case its first effective outcome, and their reporters when it is taken back: by
// then a complaint may be closed, and no workflow hears of it.
func (a *Activities) tellComplaints(ctx context.Context, of *enforcementv1.Case, plan *enforcementv1.CasePlan, e *enforcementv1.PlannedEffect) error {
	id := of.GetCaseId()
	if e.GetFacts()["outcome"] == reversal {
		if err := a.tellReversal(ctx, of, plan, e); err != nil {
			return err
		}
	}
	signal := &caseworkv1.CaseEnded{
		CaseId: id, Outcome: e.GetFacts()["outcome"], Disclosure: e.GetFacts()["disclosure"],
	}
	for _, c := range plan.GetComplaints() {
		// A complaint that is closed needs no signal, but it is told what was published.
		if err := a.runs.Signal(ctx, complaintID(c.GetComplaintId(), c.GetRound()), signalCaseEnded, signal); err != nil {
			return err
		}
		if !strings.HasPrefix(signal.GetDisclosure(), casePublished) {
			continue
		}
		if _, err := a.Reporting.KeepDisclosure(ctx, &reportingv1.KeepDisclosureRequest{
			RequestId: derived(id + "/" + e.GetKey() + "/" + c.GetComplaintId() + "/disclosure"), ComplaintId: c.GetComplaintId(), Disclosure: signal.GetDisclosure(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// tellReversal has the reporters of a case told that its decision was taken back.
func (a *Activities) tellReversal(ctx context.Context, of *enforcementv1.Case, plan *enforcementv1.CasePlan, e *enforcementv1.PlannedEffect) error {
	agency, err := a.agency(ctx, of.GetAgencyId())
	if err != nil {
		return err
	}
	for _, c := range plan.GetComplaints() {
		req, err := rekeyed(&reportingv1.TellReversalRequest{
			RequestId: derived(of.GetCaseId() + "/" + e.GetKey() + "/" + c.GetComplaintId()), ComplaintId: c.GetComplaintId(), Round: c.GetRound(),
			Office: agency.GetName(), Disclosure: e.GetFacts()["withdrawn"],
		})
		if err != nil {
			return err
		}
		if _, err := a.Reporting.TellReversal(ctx, req); err != nil {
			return err
		}
	}
	return nil
}

// answered takes a refusal as the result of an effect.
func answered(err error, reasons ...commonv1.ErrorReason) (effect, error) {
	if unless(err, reasons...) != nil {
		return effect{}, err
	}
	return effect{result: refusedBy + errs.Name(errs.Reason(err))}, nil
}

// casePublished stands before the publication of a case.
const casePublished = "case_published:"

// publishPenalty asks for the publication of a penalty; the result is what its complaints are told of it.
func (a *Activities) publishPenalty(ctx context.Context, c *enforcementv1.Case) (effect, error) {
	req, err := a.penaltyPublication(ctx, c, c.GetDeliverTime())
	if err != nil {
		return effect{}, err
	}
	resp, err := a.Disclosure.Publish(ctx, req)
	if errs.Is(err, commonv1.ErrorReason_ERROR_REASON_GATE_NOT_PASSED) {
		return effect{result: "gate_not_passed"}, nil
	}
	if err != nil {
		return effect{}, err
	}
	if id := resp.GetPublication().GetPublicationId(); id != "" {
		return effect{target: id, result: casePublished + id}, nil
	}
	return effect{result: orElse(resp.GetNotPublishedBecause(), "not_published")}, nil
}

// withdrawPenalty takes back what was published of a case, and bars what was not yet: a reversal may overtake a
// publication (行政处罚法 48: within 3 working days of the reversal).
func (a *Activities) withdrawPenalty(ctx context.Context, c *enforcementv1.Case) (effect, error) {
	since := c.GetReverseTime()
	if since == nil {
		since = timestamppb.New(a.now())
	}
	resp, err := a.Disclosure.WithdrawByCase(ctx, &disclosurev1.WithdrawByCaseRequest{
		RequestId: derived(c.GetCaseId() + "/unpublish/" + since.AsTime().String()), CaseId: c.GetCaseId(), Kind: kindPenalty,
		Cause: causeRevoked, CauseTime: since, Reason: reversed,
	})
	if err != nil {
		return effect{}, err
	}
	if len(resp.GetPublications()) == 0 {
		return effect{result: effectNothing}, nil
	}
	return effect{target: resp.GetPublications()[0].GetPublicationId(), result: effectDone}, nil
}

// restoreResource corrects in the ledger what the case's agency did to a number on the finding that fell, as that agency's own
// act; what somebody else ordered stands. The result says whether the number is back: then who gave it access is asked to
// restore the service.
func (a *Activities) restoreResource(ctx context.Context, c *enforcementv1.Case, e *enforcementv1.PlannedEffect) (effect, error) {
	id := e.GetFacts()["resource_id"]
	if id == "" {
		return effect{result: effectNothing}, nil
	}
	resp, err := a.Ledger.ResumeResource(ctx, &ledgerv1.ResumeResourceRequest{
		RequestId: derived(c.GetCaseId() + "/" + e.GetKey()), ResourceId: id, ReasonCode: decisionWasReversed,
		Basis: reversed + " (行政处罚法 第四十八条), 案件 " + c.GetCaseId(), TaskId: e.GetFacts()["task_id"], AgencyId: e.GetFacts()["agency_id"],
	})
	switch {
	case err != nil: // its use ended by itself
		return answered(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
	case !resp.GetTakenBack():
		return effect{result: effectNothing}, nil
	}
	switch resp.GetResource().GetState() {
	case "SUSPENDED":
		return effect{target: id, result: effectRestricted}, nil
	case "ENDED", "RECALLED": // the record is right again, and there is no service to restore
		return effect{target: id, result: effectNothing}, nil
	}
	return effect{target: id, result: restored}, nil
}
