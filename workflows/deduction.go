package workflows

import (
	"context"

	"google.golang.org/protobuf/proto"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// causeOf is what an appeal was caused by, from which a deduction follows (申诉核减): the complaint that led to the disposition
// and whether its reports were true. An operator's measure of its own has no complaint behind it, and no cause.
func (a *Activities) causeOf(ctx context.Context, deed *ledgerv1.DecideAppealRequest) (*ledgerv1.AppealCause, error) {
	resp, err := a.Ledger.GetAppeal(ctx, &ledgerv1.GetAppealRequest{AppealId: deed.GetAppealId()})
	if err != nil {
		return nil, err
	}
	ordered, err := a.taskOf(ctx, resp.GetAppeal().GetDispositionTaskId())
	if err != nil || ordered.GetTask().GetSubjectKind() != "complaint" {
		return nil, err
	}
	answered, err := a.taskOf(ctx, deed.GetTaskId())
	if err != nil || answered.GetDecision().GetDecidedBy() == "" {
		return nil, err
	}
	c := &ledgerv1.AppealCause{
		ComplaintId: ordered.GetTask().GetSubjectId(), Round: ordered.GetTask().GetRound(), AnsweredBy: answered.GetDecision().GetDecidedBy(),
	}
	if c.Excluded, err = a.hadAPart(ctx, c.GetComplaintId()); err != nil {
		return nil, err
	}
	access := resp.GetAccessOperatorId()
	if c.OperatorId, err = a.operator(ctx, access); err != nil {
		return nil, err
	}
	c.OperatorId = orElse(c.GetOperatorId(), access)
	if c.AdministrationId, err = a.administration(ctx, c.GetOperatorId()); err != nil {
		return nil, err
	}
	return c, a.foundOf(ctx, c)
}

// taskOf is a task with its decision; nothing where there is none.
func (a *Activities) taskOf(ctx context.Context, id string) (*assignmentv1.GetTaskResponse, error) {
	if id == "" {
		return nil, nil
	}
	resp, err := a.Assignment.GetTask(ctx, &assignmentv1.GetTaskRequest{TaskId: id})
	return resp, unless(err, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

// foundOf fills in what was found of a complaint's reports, also when it was merged into another since.
func (a *Activities) foundOf(ctx context.Context, c *ledgerv1.AppealCause) error {
	const mergers = 8
	id := c.GetComplaintId()
	for range mergers {
		f, err := a.Reporting.GetFacts(ctx, &reportingv1.GetFactsRequest{ComplaintId: id, MaxReports: 1, Findings: true})
		if err != nil {
			return err
		}
		c.Forged = c.GetForged() || f.GetComplaint().GetForged()
		c.Substantiated, c.Checked = c.GetSubstantiated()+f.GetSubstantiated(), c.GetChecked()+f.GetChecked()
		if id = f.GetComplaint().GetMergedIntoComplaintId(); id == "" {
			return nil
		}
	}
	return nil
}

// scorecards has the scorecards of access operators (考核) made from what was frozen for a digest. Asked again for a digest
// whose cards are made it does nothing.
func (a *Activities) scorecards(ctx context.Context, month, digest string) error {
	made, err := a.freezeAppeals(ctx, month, digest)
	if err != nil || made {
		return err
	}
	operators, err := a.scoredOperators(ctx)
	if err != nil {
		return err
	}
	beat(ctx, "scorecards")
	_, err = a.Disclosure.RecordScorecards(ctx, &disclosurev1.RecordScorecardsRequest{
		RequestId: derived(digest + "/scorecards"), DigestId: digest, Operators: operators,
	})
	// the directory changed between two tries: the first one made them
	return unless(err, commonv1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
}

// freezeAppeals freezes the appeals of a month, and says whether the cards were made before.
func (a *Activities) freezeAppeals(ctx context.Context, month, digest string) (made bool, err error) {
	const pageSize = 500
	for token, more := "", true; more; more = token != "" {
		beat(ctx, "appeals")
		page, err := a.Ledger.ListScoredAppeals(ctx, &ledgerv1.ListScoredAppealsRequest{Month: month, PageSize: pageSize, PageToken: token})
		if err != nil {
			return false, err
		}
		if token = page.GetNextPageToken(); len(page.GetAppeals()) == 0 {
			return false, nil
		}
		req := &disclosurev1.FreezeAppealsRequest{DigestId: digest}
		for _, p := range page.GetAppeals() {
			req.Appeals = append(req.Appeals, &disclosurev1.CountedAppeal{
				AppealId: p.GetAppealId(), OperatorId: p.GetOperatorId(), FileTime: p.GetFileTime(), State: p.GetState(), Filed: p.GetFiled(),
				DeductionId: p.GetDeductionId(), DeductionState: p.GetDeductionState(), Effect: p.GetEffect(), DecidedTime: p.GetDecidedTime(),
			})
		}
		keyed, err := rekeyed(req) // read again, the page may say something else
		if err != nil {
			return false, err
		}
		resp, err := a.Disclosure.FreezeAppeals(ctx, keyed)
		if err != nil || resp.GetMade() {
			return resp.GetMade(), err
		}
	}
	return false, nil
}

// scoredOperators are the operators of the directory, each with the administration that decides on its deductions: of its
// province, and of the whole country the lead ministry.
func (a *Activities) scoredOperators(ctx context.Context) ([]*disclosurev1.ScoredOperator, error) {
	var out []*disclosurev1.ScoredOperator
	req := &assignmentv1.ListAgenciesRequest{PageSize: 500}
	for {
		page, err := a.Assignment.ListAgencies(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, agency := range page.GetAgencies() {
			if !isOperator(agency) {
				continue
			}
			over, err := a.administration(ctx, agency.GetAgencyId())
			if err != nil {
				return nil, err
			}
			out = append(out, &disclosurev1.ScoredOperator{OperatorId: agency.GetAgencyId(), Name: agency.GetName(), AdministrationId: over})
		}
		if req = proto.CloneOf(req); page.GetNextPageToken() == "" {
			return out, nil
		}
		req.PageToken = page.GetNextPageToken()
	}
}
