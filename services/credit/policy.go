package credit

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

func refused(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES, format, args...)
}

func wrongState(format string, args ...any) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, format, args...)
}

// groundOf is a ground as the policy had it when the decision was made. What nobody has read in its source is used for
// nobody.
func groundOf(ctx context.Context, q *store.Queries, list, ground string, at time.Time) (store.ListingGround, error) {
	g, err := q.GroundInForce(ctx, store.GroundInForceParams{List: list, Ground: ground, At: at})
	if errors.Is(err, pgx.ErrNoRows) {
		return g, refused("the %s list had no such ground when the decision was made", list)
	}
	if err == nil && !g.InUse {
		return g, refused("the wording of ground %s is not confirmed yet (%s)", ground, g.Source)
	}
	return g, err
}

// listOf is the policy of a list, whose agencies alone list on it.
func listOf(ctx context.Context, q *store.Queries, list, agencyID string, at time.Time) (store.ListPolicy, error) {
	p, err := q.ListInForce(ctx, store.ListInForceParams{List: list, At: at})
	if errors.Is(err, pgx.ErrNoRows) {
		return p, refused("there was no %s list then", list)
	}
	if err != nil {
		return p, err
	}
	listers, err := regexp.Compile(p.Listers)
	if err != nil {
		return p, err
	}
	if !listers.MatchString(agencyID) {
		return p, refused("the telecom lists are kept by the communications administrations; the penalty of another agency stands in "+
			"the credit record of its sector (电信业务经营许可管理办法 第三十七条、第四十二条): %s", agencyID)
	}
	return p, nil
}

// placed is where a penalty brings a firm, and how serious that is.
type placed struct {
	list, ground, severity string
	restsOn                *string
}

// place says on which list a penalty brings a licensed operator (许可管理办法 42): the bad list, or the dishonest list at
// once where a rule says so.
func place(ctx context.Context, q *store.Queries, req *creditv1.ListPartyRequest, decided time.Time) (placed, error) {
	severity, err := gravity(ctx, q, req.GetPenalties(), req.GetSimplified(), decided)
	if err != nil || req.GetList() != "" && req.GetGround() != "" {
		return placed{list: req.GetList(), ground: req.GetGround(), severity: severity}, err
	}
	rules, err := q.DishonestRulesInForce(ctx, decided)
	if err != nil {
		return placed{}, err
	}
	for _, r := range rules {
		if !slices.ContainsFunc(req.GetPenalties(), func(p *creditv1.Penalty) bool { return slices.Contains(r.PenaltyKinds, p.GetKind()) }) {
			continue
		}
		out := placed{list: dishonestList, ground: r.Ground, severity: severity}
		if r.WithinMonths == nil {
			return out, nil
		}
		before, err := q.LastOnBadList(ctx, store.LastOnBadListParams{
			CreditCode: req.GetCreditCode(), Before: &decided, Since: new(addMonths(decided, -int(*r.WithinMonths))), CaseID: new(req.GetCaseId()),
		})
		switch {
		case err == nil:
			out.restsOn = &before.ListingID
			return out, nil
		case !errors.Is(err, pgx.ErrNoRows):
			return placed{}, err
		}
	}
	return placed{list: badList, ground: "supervision_penalty", severity: severity}, nil
}

// gravity is how serious the penalties of a decision are; empty when none was told.
func gravity(ctx context.Context, q *store.Queries, penalties []*creditv1.Penalty, simplified bool, at time.Time) (string, error) {
	policy, err := q.SeveritiesInForce(ctx, at)
	if err != nil {
		return "", err
	}
	return severityOf(penalties, simplified, policy), nil
}
