package assignment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	"quietline/services/assignment/store"
)

// backdated is how far in the past a new table may begin: clocks differ a little, but what was routed stays explained.
const backdated = 5 * time.Minute

// LoadRoutingTable loads a new version of the decision table. What it says about the past stays as it was. Every replica
// routes by it from its time on: each asks for the version in force whenever it routes.
func (s *Server) LoadRoutingTable(ctx context.Context, req *assignmentv1.LoadRoutingTableRequest) (*assignmentv1.LoadRoutingTableResponse, error) {
	from, actor := req.GetValidFrom().AsTime(), identity.ActorOf(ctx)
	v, err := s.directory(ctx, from)
	if err != nil {
		return nil, err
	}
	// Tried out here: it takes a while, and nothing may be held meanwhile.
	_, unfit := tried(ctx, req.GetVersion(), req.GetRules(), v)
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*assignmentv1.LoadRoutingTableResponse, error) {
		// Told in here, so that a request that was answered once is not refused later for its age or for who has gone.
		if from.Before(s.now().Add(-backdated)) {
			return nil, errs.Field("valid_from", "must not be in the past")
		}
		if unfit != nil {
			return nil, unfit
		}
		q := store.New(tx)
		former, rules, err := formerRules(ctx, q, from)
		if err != nil {
			return nil, err
		}
		err = q.InsertRoutingTable(ctx, store.InsertRoutingTableParams{
			Version: req.GetVersion(), ValidFrom: from, LoadedBy: actor.GetSubject(), LoadedAgency: actor.GetAgencyId(),
			Reason: req.GetReason(), Former: former, At: s.now(),
		})
		if pg.Code(err) == "23505" {
			return nil, errs.New(codes.AlreadyExists, commonv1.ErrorReason_ERROR_REASON_ALREADY_EXISTS,
				"there is a routing table of this version or from this time already")
		}
		if err != nil {
			return nil, fmt.Errorf("routing table: %w", err)
		}
		rows, err := ruleRows(req)
		if err != nil {
			return nil, err
		}
		n, err := q.InsertRoutingRules(ctx, rows)
		if err != nil {
			return nil, fmt.Errorf("routing rules: %w", err)
		}
		return &assignmentv1.LoadRoutingTableResponse{Rules: int32(n), Changes: ruleChanges(rules, req.GetRules())}, nil
	})
}

// formerRules are the rows of the version that one from a time on takes the place of; none before the first.
func formerRules(ctx context.Context, q *store.Queries, from time.Time) (*string, []*assignmentv1.RoutingRule, error) {
	former, err := q.RoutingTableBefore(ctx, from)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("former routing table: %w", err)
	}
	rules, err := rulesOfVersion(ctx, q, former)
	return &former, rules, err
}

func rulesOfVersion(ctx context.Context, q *store.Queries, version string) ([]*assignmentv1.RoutingRule, error) {
	rows, err := q.RoutingRules(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("routing rules: %w", err)
	}
	return rulesOf(rows)
}

// tried is a compiled table that would be taken; or the refusal, naming the row: it does not compile, fails on facts as they
// come, or gives matters to who cannot lead them.
func tried(ctx context.Context, version string, rules []*assignmentv1.RoutingRule, v view) (*table, error) {
	t, err := compileTable(version, rules, v.d, costTried)
	if err == nil {
		err = t.try(ctx, v)
	}
	if bad, ok := errors.AsType[*errRule](err); ok {
		return nil, errs.Field(fmt.Sprintf("rules[%d].%s", bad.index, bad.field), "%v", bad.err)
	}
	return t, err
}

// GetRoutingTable returns a version with its rows and what it changed.
func (s *Server) GetRoutingTable(ctx context.Context, req *assignmentv1.GetRoutingTableRequest) (*assignmentv1.GetRoutingTableResponse, error) {
	q, version := store.New(s.db), req.GetVersion()
	if version == "" {
		in, err := q.RoutingVersion(ctx, s.at(req.GetAt()))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, noTable(s.at(req.GetAt()))
		}
		if err != nil {
			return nil, fmt.Errorf("routing version: %w", err)
		}
		version = in.Version
	}
	row, err := q.RoutingTable(ctx, version)
	if err != nil {
		return nil, errs.NotFound(err, "there is no routing table %q", version)
	}
	t, err := tableOf(ctx, q, &row)
	return &assignmentv1.GetRoutingTableResponse{Table: t}, err
}

// ListRoutingTables lists the versions, newest first, with what each changed.
func (s *Server) ListRoutingTables(ctx context.Context, req *assignmentv1.ListRoutingTablesRequest) (*assignmentv1.ListRoutingTablesResponse, error) {
	before, version, err := afterTable(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	n := req.GetPageSize()
	if n == 0 {
		n = 20
	}
	q := store.New(s.db)
	rows, err := q.RoutingTables(ctx, store.RoutingTablesParams{BeforeTime: before, BeforeVersion: version, N: n})
	if err != nil {
		return nil, fmt.Errorf("routing tables: %w", err)
	}
	resp := &assignmentv1.ListRoutingTablesResponse{}
	for i := range rows {
		t, err := tableOf(ctx, q, &rows[i])
		if err != nil {
			return nil, err
		}
		t.Rules = nil
		resp.Tables = append(resp.Tables, t)
	}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.EncodeToken(rows[n-1].ValidFrom.UTC().Format(time.RFC3339Nano), rows[n-1].Version)
	}
	return resp, nil
}

// afterTable is where a page of versions begins: before a time and version, or at the newest.
func afterTable(token string) (time.Time, string, error) {
	parts, err := pg.DecodeToken(token, 2)
	if err != nil || parts == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "", err
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil {
		return at, "", errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR, "the page token is malformed")
	}
	return at, parts[1], nil
}

// tableOf is a version with its rows, and its changes against the one before. Versions never change, so both can be worked
// out whenever they are asked for.
func tableOf(ctx context.Context, q *store.Queries, r *store.RoutingTable) (*assignmentv1.RoutingTable, error) {
	t := &assignmentv1.RoutingTable{
		Version: r.Version, ValidFrom: timestamppb.New(r.ValidFrom), LoadedBy: r.LoadedBy, LoadedAgencyId: r.LoadedAgency,
		LoadedTime: timestamppb.New(r.CreatedAt), Reason: r.Reason, FormerVersion: str(r.Former),
	}
	var err error
	if t.Rules, err = rulesOfVersion(ctx, q, r.Version); err != nil || r.Former == nil {
		return t, err
	}
	former, err := rulesOfVersion(ctx, q, *r.Former)
	t.Changes = ruleChanges(former, t.GetRules())
	return t, err
}

func ruleRows(req *assignmentv1.LoadRoutingTableRequest) ([]store.InsertRoutingRulesParams, error) {
	rows := make([]store.InsertRoutingRulesParams, len(req.GetRules()))
	for i, r := range req.GetRules() {
		rows[i] = store.InsertRoutingRulesParams{
			Version: req.GetVersion(), Ordinal: int32(i + 1), RuleID: r.GetRuleId(), Condition: r.GetCondition(),
			Lead: r.GetLead(), Co: append([]string{}, r.GetCo()...), Verifier: r.GetVerifier(), Source: r.GetSource(),
			Level: r.GetLevel(), VerifierLevel: r.GetVerifierLevel(), CheckBasis: r.GetCheckBasis(), HandleBasis: r.GetHandleBasis(),
			OwnerID: r.GetOwnerAgencyId(), Reason: r.GetReason(),
		}
		if r.GetExample() == nil {
			continue
		}
		var err error
		if rows[i].Example, err = protojson.Marshal(r.GetExample()); err != nil {
			return nil, fmt.Errorf("example of rule %s: %w", r.GetRuleId(), err)
		}
	}
	return rows, nil
}

func rulesOf(rows []store.RoutingRule) ([]*assignmentv1.RoutingRule, error) {
	rules := make([]*assignmentv1.RoutingRule, len(rows))
	for i := range rows {
		var err error
		if rules[i], err = ruleOf(&rows[i]); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func ruleOf(r *store.RoutingRule) (*assignmentv1.RoutingRule, error) {
	rule := &assignmentv1.RoutingRule{
		RuleId: r.RuleID, Condition: r.Condition, Lead: r.Lead, Co: r.Co, Verifier: r.Verifier, Source: r.Source, Level: r.Level,
		VerifierLevel: r.VerifierLevel, CheckBasis: r.CheckBasis, HandleBasis: r.HandleBasis, OwnerAgencyId: r.OwnerID, Reason: r.Reason,
	}
	if r.Example == nil {
		return rule, nil
	}
	rule.Example = &assignmentv1.RouteRequest{}
	if err := kept.Unmarshal(r.Example, rule.Example); err != nil {
		return nil, fmt.Errorf("example of rule %s of %s: %w", r.RuleID, r.Version, err)
	}
	return rule, nil
}

func noTable(at time.Time) error {
	return errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
		"no routing table is valid at %s", at.UTC().Format(time.RFC3339))
}
