package assignment

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// ListBounceCounts counts bounces, from the decisions themselves: for the lead ministry and statisticians of all, for others
// of their own agency.
func (s *Server) ListBounceCounts(ctx context.Context, req *assignmentv1.ListBounceCountsRequest) (*assignmentv1.ListBounceCountsResponse, error) {
	agency, err := countsOf(identity.ActorOf(ctx))
	if err != nil {
		return nil, err
	}
	most, key, err := afterCount(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	v, err := s.directory(ctx, s.now())
	if err != nil {
		return nil, err
	}
	n := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).CountBounces(ctx, store.CountBouncesParams{
		ByWhat: req.GetBy(), Since: req.GetSinceTime().AsTime(), Until: s.at(req.GetUntilTime()), AgencyID: agency,
		AfterBounces: most, AfterKey: key, N: n,
	})
	if err != nil {
		return nil, fmt.Errorf("count bounces: %w", err)
	}
	resp := &assignmentv1.ListBounceCountsResponse{}
	for _, r := range rows {
		c := &assignmentv1.BounceCount{Key: r.Key, Bounces: r.Bounces, First: r.First, Second: r.Second, Third: r.Third, Opened: r.Opened}
		if req.GetBy() == "agency" || req.GetBy() == "should_act" {
			c.Name = v.name(r.Key)
		}
		resp.Counts = append(resp.Counts, c)
	}
	if len(rows) == int(n) {
		resp.NextPageToken = countToken(rows[n-1].Bounces, rows[n-1].Key)
	}
	return resp, nil
}

// ListBouncingRules lists the rules whose matters come back most often, for those who own them; for the lead ministry and
// statisticians of whomever they ask for.
func (s *Server) ListBouncingRules(ctx context.Context, req *assignmentv1.ListBouncingRulesRequest) (*assignmentv1.ListBouncingRulesResponse, error) {
	own, err := countsOf(identity.ActorOf(ctx))
	if err != nil {
		return nil, err
	}
	owner := req.GetOwnerAgencyId()
	if own != "" {
		v, err := s.directory(ctx, s.now())
		if err != nil {
			return nil, err
		}
		// A ministry owns rules, its bodies in the provinces work by them: what they may know of them is the same.
		if owner == "" {
			owner = v.top(own)
		}
		if owner != v.top(own) && owner != own {
			return nil, errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "these rules are owned by another agency")
		}
	}
	most, key, err := afterCount(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	n := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).BouncingRules(ctx, store.BouncingRulesParams{
		Since: req.GetSinceTime().AsTime(), Until: s.at(req.GetUntilTime()), OwnerID: owner, AfterBounces: most, AfterKey: key, N: n,
	})
	if err != nil {
		return nil, fmt.Errorf("bouncing rules: %w", err)
	}
	resp := &assignmentv1.ListBouncingRulesResponse{}
	for i := range rows {
		r := &rows[i]
		rule, err := ruleOf(&r.RoutingRule)
		if err != nil {
			return nil, err
		}
		resp.Rules = append(resp.Rules, &assignmentv1.BouncingRule{
			Version: r.RoutingRule.Version, Rule: rule, Routed: r.Routed, Bounces: r.Bounces,
			MostlyShouldActId: r.MostlyShouldAct, MostlyReasonCode: r.MostlyReason,
		})
	}
	if len(rows) == int(n) {
		last := &rows[n-1]
		resp.NextPageToken = countToken(last.Bounces, last.RoutingRule.Version+"/"+last.RoutingRule.RuleID)
	}
	return resp, nil
}

// countsOf is whose bounces somebody may count: empty is everyone's.
func countsOf(a *commonv1.Actor) (string, error) {
	if isLead(a) || identity.HasRole(a, accessv1.Role_ROLE_STATISTICIAN) {
		return "", nil
	}
	if a.GetAgencyId() == "" {
		return "", errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY, "the account belongs to no agency")
	}
	return a.GetAgencyId(), nil
}

// top is the ministry above an agency, or the agency itself.
func (v view) top(id string) string {
	for _, above := range v.line(id) {
		if a, ok := v.get(above); ok && a.kind == kindMinistry {
			return above
		}
	}
	return id
}

func countToken(count int64, key string) string {
	return pg.EncodeToken(strconv.FormatInt(count, 10), key)
}

// afterCount is where a page of counts begins: after a count and key, or at the very first.
func afterCount(token string) (int64, string, error) {
	parts, err := pg.DecodeToken(token, 2)
	if err != nil || parts == nil {
		return math.MaxInt64, "", err
	}
	count, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || count < 0 {
		return 0, "", errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is malformed")
	}
	return count, parts[1], nil
}
