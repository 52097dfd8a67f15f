package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
)

// reportedCodes are what the robots know of the codes of the ledger (95, 96, 400) that were reported and that a communications
// administration handles: they are suspended, every other one with a case against the licensed operator behind it. Holders
// appeal, and what was dismissed over a true report is deducted from the scorecard of who gave access (申诉核减).
type reportedCodes struct {
	turns    map[string]int  // of each resource: the first is 0
	licensed map[string]bool // agencies whose licensee stands in the ledger
	appealed int
	open     int // appeals and deductions that are not settled
	tries    map[string]int
}

func newCodes() *reportedCodes {
	return &reportedCodes{turns: map[string]int{}, licensed: map[string]bool{}, tries: map[string]int{}}
}

// mostAppeals that the robots file in a drive.
const mostAppeals = 6

// ofCode says whether a task is about a code that such an administration handles, or that it ordered something about.
func ofCode(t *assignmentv1.Task) bool {
	return t.GetFacts()["resource_id"] != "" && (licensee(t.GetAgencyId()) != nil || t.GetStep() == "number_check")
}

// lookAtCodes sees to it that who holds the codes stands in the ledger, has holders appeal, and settles deductions.
func (d *driver) lookAtCodes(ctx context.Context, tasks []*assignmentv1.Task) error {
	for _, t := range tasks {
		resource, agency := t.GetFacts()["resource_id"], t.GetAgencyId()
		if t.GetStep() != "fact_check" || !ofCode(t) {
			continue
		}
		if _, known := d.codes.turns[resource]; !known {
			d.codes.turns[resource] = len(d.codes.turns)
		}
		if d.codes.licensed[agency] {
			continue
		}
		if err := d.license(ctx, agency); err != nil {
			return fmt.Errorf("licensee of %s: %w", agency, err)
		}
		d.codes.licensed[agency] = true
	}
	if len(d.codes.turns) == 0 {
		return nil
	}
	if err := d.appeal(ctx); err != nil {
		return fmt.Errorf("appeals: %w", err)
	}
	if err := d.deduct(ctx); err != nil {
		return fmt.Errorf("deductions: %w", err)
	}
	return nil
}

// codeTask is what is decided about a code; nil for every other task.
func (d *driver) codeTask(t *assignmentv1.Task, refusals int) *caseworkRequest {
	turn, known := d.codes.turns[t.GetFacts()["resource_id"]]
	if !ofCode(t) || refusals > 0 || !known && t.GetStep() != "number_check" {
		return nil
	}
	detail := &assignmentv1.DecisionDetail{}
	outcome := ""
	switch t.GetStep() {
	case "number_check":
		outcome, detail = "found", nil
	case "fact_check":
		outcome = "concluded"
		detail.Findings = []*assignmentv1.FindingDetail{{Result: "substantiated", ReasonCode: "no_consent_shown"}}
		detail.Parties = []*assignmentv1.PartyDetail{licensee(t.GetAgencyId())}
	case "handle":
		outcome = []string{"measures_and_case", "measures"}[turn%2]
		detail.Measures = []*assignmentv1.MeasureDetail{{Code: "suspend_number"}} // 电信条例 28
	case "appeal_review":
		outcome = []string{"dismissed", "dismissed", "dismissed", "upheld"}[turn%4]
		detail.Reply = replies[outcome]
	}
	if !slices.Contains(t.GetOutcomes(), outcome) {
		return nil
	}
	return d.people.made(t, outcome, detail, 0)
}

// appeal has holders appeal against orders on their codes (反电信网络诈骗法 32).
func (d *driver) appeal(ctx context.Context) error {
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return err
	}
	const newest = 200
	listed, err := ledgerv1.NewLedgerServiceClient(lead).ListRestrictions(ctx, &ledgerv1.ListRestrictionsRequest{PageSize: newest})
	if err != nil {
		return err
	}
	for _, r := range listed.GetRestrictions() {
		_, ours := d.codes.turns[r.GetResource().GetResourceId()]
		code := r.GetResource().GetHolder().GetCreditCode()
		if !ours || r.GetCorrected() || r.GetAppealId() != "" || r.GetEvent().GetTaskId() == "" || code == "" || d.codes.appealed >= mostAppeals {
			continue
		}
		holder, err := d.desk(party + "@" + code)
		if err != nil {
			return err
		}
		_, err = ledgerv1.NewLedgerServiceClient(holder).AppealRestriction(ctx, &ledgerv1.AppealRestrictionRequest{
			RequestId: d.people.request("appeal", fmt.Sprint(r.GetEvent().GetEventId())), EventId: r.GetEvent().GetEventId(), Statement: "呼叫均经用户同意,请求恢复",
		})
		if err != nil && !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) { // it fell in this moment
			return err
		}
		d.codes.appealed++
	}
	return nil
}

// deduct settles the deductions that are proposed or contested: one in two is contested by the operator before it is decided,
// the others by the administration after; who decides had no part before.
func (d *driver) deduct(ctx context.Context) error {
	lead, err := d.desk("LEAD@miit")
	if err != nil {
		return err
	}
	listed, err := ledgerv1.NewLedgerServiceClient(lead).ListDeductions(ctx, &ledgerv1.ListDeductionsRequest{PageSize: driveLedgersPageLimit})
	if err != nil {
		return err
	}
	d.codes.open = 0
	for _, x := range listed.GetDeductions() {
		act := nextOfDeduction(x)
		if act == "" {
			continue
		}
		if d.codes.open++; act == "decide" {
			err = d.decideDeduction(ctx, x)
		} else {
			err = d.contest(ctx, x, act)
		}
		if key := x.GetDeductionId() + act; err != nil && !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE) {
			if d.codes.tries[key]++; d.codes.tries[key] > mostTries {
				return err
			}
		}
	}
	return nil
}

// nextOfDeduction is what is to be done with a deduction: who contests it, decide, or nothing.
func nextOfDeduction(x *ledgerv1.Deduction) string {
	contested := slices.ContainsFunc(x.GetActs(), func(a *ledgerv1.DeductionAct) bool { return a.GetAct() == "contested" })
	byOperator := x.GetDeductionId()[len(x.GetDeductionId())-1]%2 == 0
	switch {
	case x.GetState() == "PROPOSED" && byOperator:
		return "OPERATOR@" + x.GetOperatorId()
	case x.GetState() == "PROPOSED", x.GetState() == "CONTESTED":
		return "decide"
	case x.GetState() == "GRANTED" && !contested:
		return "REVIEWER@" + x.GetAdministrationId()
	}
	return ""
}

func (d *driver) contest(ctx context.Context, x *ledgerv1.Deduction, account string) error {
	desk, err := d.desk(account)
	if err != nil {
		return err
	}
	_, err = ledgerv1.NewLedgerServiceClient(desk).ContestDeduction(ctx, &ledgerv1.ContestDeductionRequest{
		RequestId: d.people.request(x.GetDeductionId(), account), DeductionId: x.GetDeductionId(), Reason: "举报件数与通话记录不符,请复核",
	})
	return err
}

// decideDeduction has the first officer of the administration decide who may.
func (d *driver) decideDeduction(ctx context.Context, x *ledgerv1.Deduction) error {
	const officers = 5
	var err error
	for n := range officers {
		account := "HEAD@" + x.GetAdministrationId()
		if n > 0 {
			account += fmt.Sprintf("#%d", n+1)
		}
		desk, failed := d.desk(account)
		if failed != nil {
			return failed
		}
		_, err = ledgerv1.NewLedgerServiceClient(desk).DecideDeduction(ctx, &ledgerv1.DecideDeductionRequest{
			RequestId: d.people.request(x.GetDeductionId(), fmt.Sprintf("%s/%d", account, len(x.GetActs()))), DeductionId: x.GetDeductionId(), Granted: true,
			Reason: "申诉不成立,起因举报属实,予以核减",
		})
		if !errs.Is(err, commonv1.ErrorReason_ERROR_REASON_SAME_PERSON) {
			return err
		}
	}
	return err
}

// request is the request ID of an act of the robots about something: the same act is the same request, also after a crash.
func (p people) request(of, act string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "drive/%d/%s/%s", p.seed, of, act)).String()
}
