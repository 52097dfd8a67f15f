package workflows

import (
	"context"
	"slices"

	"quietline/internal/identity"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// factPlanned stands on a task that its subject's owner planned: the plan's key.
const factPlanned = "planned"

// caseRules are what the steps of a planned case need to be complete: the form. Whether the law lets the step pass is the
// owner's to say (checkCase).
var caseRules = []decisionRule{
	{"case_open", []string{notOpened}, needsReason},
	{"appoint", []string{appointed}, needsOfficers},
	{"investigate", []string{proposed, simplified}, needsProposal},
	{"investigate", []string{noPenalty}, needsNoPenaltyGround},
	{"investigate", []string{transfer}, needsReason},
	{"serve_notice", []string{served}, needsMethod},
	{"answer_statement", []string{adopted}, needsMended},
	{"answer_statement", []string{notAdopted}, needsReason},
	{"announce_hearing", []string{announced}, needsHearing},
	{"hold_hearing", []string{hearingHeld}, needsRecord},
	{"hold_hearing", []string{abandoned}, needsReason},
	{"legal_review", []string{passed}, needsQualification},
	{"legal_review", []string{returned}, needsReason},
	{"discuss", []string{agreed}, needsParticipants},
	{"discuss", []string{returned}, needsReason},
	{"deliver", []string{delivered}, needsMethod},
	{"confirm_performance", []string{instalments}, needsInstalments},
	{"instalments_sign", []string{refused}, needsReason},
	{"demand", []string{served}, needsMethod},
	{"apply_court", []string{notApplied}, needsReason},
	{"transfer_approve", []string{refused}, needsReason},
	{"transfer_send", []string{sent}, needsReceipt},
	{"police_decide", []string{returned}, needsReason},
	{"police_result", []string{returned}, needsReason},
	{"extend_sign", []string{extended}, needsExtension},
	{"extend_sign", []string{refused}, needsReason},
	{"reverse", []string{reversal}, needsBasis},
	{"reverse", []string{maintained}, needsReason},
	{"designate_case", []string{designated}, needsDesignee},
}

// checkCaseDecision holds a decision on a planned step to its form.
func checkCaseDecision(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if t.GetFacts()[factPlanned] == "" {
		return nil
	}
	for _, rule := range caseRules {
		if rule.step == t.GetStep() && slices.Contains(rule.outcomes, d.GetOutcome()) {
			if err := rule.check(t, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// ruled says whether a general rule counts for a task: planned steps have rules of their own.
func ruled(t *assignmentv1.Task, rule decisionRule) bool {
	planned := t.GetFacts()[factPlanned] != ""
	return !planned || !slices.ContainsFunc(caseRules, func(own decisionRule) bool { return own.step == rule.step })
}

// checkCase asks the owner of a case whether the procedure lets this person take this step so. Its refusal, with the
// article, is the answer to the person, and the task waits on.
func (a *Activities) checkCase(ctx context.Context, r recording) error {
	if id := stepDetail(r.Decision).GetAgencyId(); id != "" {
		fits, text := competent, "must be an authority that acts"
		if r.Task.GetStep() == "transfer_approve" {
			fits, text = []string{"police"}, "must be a police agency that acts (行政处罚法 第二十七条)"
		}
		err := a.checkAgency(ctx, "detail.case_step.agency_id", id, func(a *assignmentv1.Agency) bool {
			return a.GetAssignable() && slices.Contains(fits, a.GetKind())
		}, text)
		if err != nil {
			return err
		}
	}
	step := stepOf(r.Key, r.Task, r.Decision, r.Actor)
	_, err := a.Enforcement.CheckCaseStep(identity.WithActor(ctx, r.Actor), &enforcementv1.CheckCaseStepRequest{
		CaseId: r.Task.GetSubjectId(), Profile: r.Profile, Step: step,
	})
	if err == nil && byPublicNotice(step) {
		return a.checkNotice(ctx, r.Task.GetSubjectId(), step, r.From)
	}
	return err
}

func stepDetail(d *assignmentv1.Decision) *assignmentv1.CaseStepDetail {
	return d.GetDetail().GetCaseStep()
}

// needsOfficers: two or more, each with a certificate (行政处罚法 42).
func needsOfficers(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	known := map[string]bool{}
	for _, o := range stepDetail(d).GetOfficers() {
		if err := required(o.GetQualificationNo() != "", "detail.case_step.officers", "each must have the number of a certificate (行政处罚法 第四十二条)"); err != nil {
			return err
		}
		known[o.GetSubject()] = true
	}
	const fewest = 2
	return required(len(known) >= fewest, "detail.case_step.officers", "must name at least two officers (行政处罚法 第四十二条)")
}

// needsProposal: at least one penalty, each with its basis, money only where the kind has it.
func needsProposal(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	penalties := stepDetail(d).GetProposal().GetPenalties()
	if len(penalties) == 0 { // one penalty may stand where it always stood
		return needsPenalty(t, d)
	}
	for _, p := range penalties {
		one := &assignmentv1.Decision{Detail: &assignmentv1.DecisionDetail{Penalty: p}}
		if err := needsPenalty(t, one); err != nil {
			return err
		}
	}
	return nil
}

func needsNoPenaltyGround(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetProposal().GetNoPenaltyGround() != "", "detail.case_step.proposal.no_penalty_ground",
		"must name the ground (行政处罚法 第三十三条, 第三十六条, 第五十七条)")
}

func needsMethod(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetMethod() != "", "detail.case_step.method", "must say how it was served (行政处罚法 第六十一条)")
}

func needsMended(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(len(stepDetail(d).GetMended()) > 0, "detail.case_step.mended", "must say what is mended (行政处罚法 第四十五条)")
}

func needsHearing(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	if err := required(stepDetail(d).GetHearingTime() != nil, "detail.case_step.hearing_time", "must say when (行政处罚法 第六十四条)"); err != nil {
		return err
	}
	if err := required(stepDetail(d).GetHearingPlace() != "", "detail.case_step.hearing_place", "must say where (行政处罚法 第六十四条)"); err != nil {
		return err
	}
	return required(stepDetail(d).GetChair() != "", "detail.case_step.chair", "must name who chairs it (行政处罚法 第六十四条)")
}

func needsRecord(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetRecordHash() != "", "detail.case_step.record_hash", "must name the record (行政处罚法 第六十四条)")
}

func needsQualification(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetQualificationNo() != "", "detail.case_step.qualification_no",
		"must name the reviewer's legal qualification (行政处罚法 第五十八条)")
}

// needsParticipants: a collective is three or more.
func needsParticipants(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	known := map[string]bool{}
	for _, subject := range stepDetail(d).GetParticipants() {
		known[subject] = true
	}
	const fewest = 3
	return required(len(known) >= fewest, "detail.case_step.participants", "must name at least three people (行政处罚法 第五十七条)")
}

func needsInstalments(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	err := required(stepDetail(d).GetApplicationFileId() != "", "detail.case_step.application_file_id",
		"must name the application of the party (行政处罚法 第六十六条)")
	if err != nil {
		return err
	}
	const fewest = 2
	return required(len(stepDetail(d).GetInstalments()) >= fewest, "detail.case_step.instalments", "must name at least two parts (行政处罚法 第六十六条)")
}

func needsReceipt(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetReceiptNo() != "", "detail.case_step.receipt_no", "must name the receipt")
}

func needsExtension(t *assignmentv1.Task, d *assignmentv1.Decision) error {
	if err := required(stepDetail(d).GetExtendDays() > 0, "detail.case_step.extend_days", "must say by how many days (行政处罚法 第六十条)"); err != nil {
		return err
	}
	return needsBasis(t, d)
}

func needsBasis(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetBasis() != "", "detail.case_step.basis", "must name the basis of the act")
}

func needsDesignee(_ *assignmentv1.Task, d *assignmentv1.Decision) error {
	return required(stepDetail(d).GetAgencyId() != "", "detail.case_step.agency_id", "must name the agency that has the case (行政处罚法 第二十五条)")
}
