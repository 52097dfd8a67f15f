package assignment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// backdated is how far in the past a new table may begin: clocks differ a little, but what was routed stays explained.
const backdated = 5 * time.Minute

// Classify says category and sector of texts. The texts are not kept.
func (s *Server) Classify(ctx context.Context, req *assignmentv1.ClassifyRequest) (*assignmentv1.ClassifyResponse, error) {
	threshold, err := s.policy(ctx, s.db, "classify_threshold", s.now())
	if err != nil {
		return nil, err
	}
	resp := &assignmentv1.ClassifyResponse{Threshold: threshold, Version: s.words.version}
	for _, item := range req.GetItems() {
		resp.Classes = append(resp.Classes, s.words.classify(item))
	}
	return resp, nil
}

// Route says by the decision table who leads, takes part and verifies, and by which row.
func (s *Server) Route(ctx context.Context, req *assignmentv1.RouteRequest) (*assignmentv1.RouteResponse, error) {
	t, v, err := s.table(ctx, s.at(req.GetAt()))
	if err != nil {
		return nil, err
	}
	if !v.assignable(leadMinistry) {
		return nil, errs.Field("at", "is before the programme began")
	}
	return t.route(v, req)
}

// LoadRoutingTable loads a new version of the decision table. What it says about the past stays as it was.
func (s *Server) LoadRoutingTable(ctx context.Context, req *assignmentv1.LoadRoutingTableRequest) (*assignmentv1.LoadRoutingTableResponse, error) {
	from := req.GetValidFrom().AsTime()
	v, err := s.directory(ctx, from)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.LoadRoutingTableResponse, error) {
		// Asked in here, so that a request that was answered once is not refused for its age later.
		if err := s.checkTable(req, v); err != nil {
			return nil, err
		}
		q := store.New(tx)
		err := q.InsertRoutingTable(ctx, store.InsertRoutingTableParams{
			Version: req.GetVersion(), ValidFrom: from, LoadedBy: identity.ActorOf(ctx).GetSubject(),
		})
		if pg.Code(err) == "23505" {
			return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
				"there is a routing table of this version or from this time already")
		}
		if err != nil {
			return nil, fmt.Errorf("routing table: %w", err)
		}
		n, err := q.InsertRoutingRules(ctx, ruleRows(req))
		if err != nil {
			return nil, fmt.Errorf("routing rules: %w", err)
		}
		return &assignmentv1.LoadRoutingTableResponse{Rules: int32(n)}, nil
	})
}

// checkTable refuses a table that begins in the past, does not compile, fails on facts as they come, or gives matters to
// who cannot lead them.
func (s *Server) checkTable(req *assignmentv1.LoadRoutingTableRequest, v view) error {
	if req.GetValidFrom().AsTime().Before(s.now().Add(-backdated)) {
		return errs.Field("valid_from", "must not be in the past")
	}
	t, err := compileTable(req.GetVersion(), req.GetRules(), v.d)
	if err == nil {
		err = t.try(v)
	}
	if bad, ok := errors.AsType[*errRule](err); ok {
		return errs.Field(fmt.Sprintf("rules[%d].%s", bad.index, bad.field), "%v", bad.err)
	}
	return err
}

func ruleRows(req *assignmentv1.LoadRoutingTableRequest) []store.InsertRoutingRulesParams {
	rows := make([]store.InsertRoutingRulesParams, len(req.GetRules()))
	for i, r := range req.GetRules() {
		rows[i] = store.InsertRoutingRulesParams{
			Version: req.GetVersion(), Ordinal: int32(i + 1), RuleID: r.GetRuleId(), Condition: r.GetCondition(),
			Lead: r.GetLead(), Co: append([]string{}, r.GetCo()...), Verifier: r.GetVerifier(), Source: r.GetSource(),
		}
	}
	return rows
}

func noTable(at time.Time) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"no routing table is valid at %s", at.UTC().Format(time.RFC3339))
}
