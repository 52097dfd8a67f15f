package workflows

import (
	"context"
	"slices"

	"google.golang.org/grpc/codes"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
)

// competent are the kinds of agencies that can lead a matter: no operator, and not the centre that takes reports in.
var competent = []string{"ministry", "provincial_administration", "provincial_body", "police", "association"}

func (a *Activities) checkAgency(ctx context.Context, field, id string, fits func(*assignmentv1.Agency) bool, text string) error {
	agency, err := a.agency(ctx, id)
	if err != nil {
		return err
	}
	return required(fits(agency), field, "%s", text)
}

// checkLead holds an agency that a person names to what leads: it acts, it can be competent, and it is not reported itself.
func (a *Activities) checkLead(ctx context.Context, r recording, field, id string) error {
	err := a.checkAgency(ctx, field, id, func(a *assignmentv1.Agency) bool {
		return a.GetAssignable() && slices.Contains(competent, a.GetKind())
	}, "must be an authority that acts")
	if err != nil {
		return err
	}
	itself, err := a.same(ctx, id, r.Task.GetFacts()[factParty])
	if err != nil {
		return err
	}
	return required(!itself, field, "must not be the agency that is reported")
}

// checkPorted holds "ported to" to operators. One that is itself reported checks nothing: the administration of its
// province does.
func (a *Activities) checkPorted(ctx context.Context, r recording, out *caseworkv1.Recorded) error {
	to, err := a.agency(ctx, r.Decision.GetDetail().GetPortedTo())
	if err != nil {
		return err
	}
	if err := required(isOperator(to) && to.GetAssignable(), "detail.ported_to", "must be an operator of the directory"); err != nil {
		return err
	}
	party := r.Task.GetFacts()[factParty]
	itself, err := a.same(ctx, to.GetAgencyId(), party)
	if err != nil || !itself {
		return err
	}
	out.VerifierAgencyId, err = a.administration(ctx, to.GetAgencyId(), party, r.Task.GetAgencyId())
	return err
}

// administration is the communications administration of the first of some agencies that has a province, else the lead
// ministry.
func (a *Activities) administration(ctx context.Context, ids ...string) (string, error) {
	for _, id := range ids {
		agency, err := a.agency(ctx, id)
		if err != nil {
			return "", err
		}
		if agency.GetProvince() == "" {
			continue
		}
		over, err := a.agency(ctx, "ca-"+agency.GetProvince())
		if err != nil {
			return "", err
		}
		if over.GetAssignable() {
			return over.GetAgencyId(), nil
		}
	}
	return leadMinistry, nil
}

// same says whether two agencies are one enterprise: an operator and its branches are.
func (a *Activities) same(ctx context.Context, x, y string) (bool, error) {
	if x == "" || y == "" || x == y {
		return x == y && x != "", nil
	}
	one, err := a.agency(ctx, x)
	if err != nil {
		return false, err
	}
	other, err := a.agency(ctx, y)
	return enterprise(one) == enterprise(other), err
}

func enterprise(a *assignmentv1.Agency) string {
	if a.GetKind() == "operator_branch" && a.GetSuperiorId() != "" {
		return a.GetSuperiorId()
	}
	return a.GetAgencyId()
}

// checkBounce holds a bounce to its term and asks who acts next.
func (a *Activities) checkBounce(ctx context.Context, r recording, out *caseworkv1.Recorded) error {
	should := r.Decision.GetDetail().GetShouldActAgencyId()
	if err := a.checkLead(ctx, r, "detail.should_act_agency_id", should); err != nil {
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
		PartyAgencyId: r.Task.GetFacts()[factParty],
	})
	if err != nil {
		return err
	}
	out.Redirected = &caseworkv1.Redirected{
		How: next.GetHow(), DeciderId: next.GetDeciderId(), NextAgencyId: orElse(next.GetNextAgencyId(), should),
	}
	return nil
}
