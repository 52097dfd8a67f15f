package enforcement

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/tell"
	accessv1 "quietline/proto/quietline/access/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// firstID is below every identifier: where the first page begins.
const firstID = "00000000-0000-0000-0000-000000000000"

// leadMinistry leads the programme and sees all of it.
const leadMinistry = "miit"

// kindCase is the kind of subject that workflows drive for enforcement.
const kindCase = "case"

// Server implements enforcementv1.EnforcementServiceServer.
type Server struct {
	enforcementv1.UnsafeEnforcementServiceServer // a missing RPC does not compile
	db                                           *pgxpool.Pool
	keys                                         *seal.Keys
	now                                          func() time.Time
	profile                                      string       // of clocks that no workflow starts; empty is statutory
	tell                                         *tell.Teller // nil tells nobody
}

// New makes a server on a migrated database; keys seal the names of natural persons.
func New(db *pgxpool.Pool, keys *seal.Keys, now func() time.Time) *Server {
	return &Server{db: db, keys: keys, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// nudgeCase has the workflow of a case look at it again, after a commit.
func (s *Server) nudgeCase(caseID string) { s.tell.Nudge(kindCase, caseID) }

// GetCase returns a case to its agency, to the lead and to the workflows.
func (s *Server) GetCase(ctx context.Context, req *enforcementv1.GetCaseRequest) (*enforcementv1.GetCaseResponse, error) {
	row, err := store.New(s.db).GetCase(ctx, store.GetCaseParams{
		CaseID: req.GetCaseId(), SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId(),
	})
	if err != nil {
		return nil, errs.NotFound(err, "no such case")
	}
	cases, err := s.cases(ctx, store.New(s.db), []store.ListCasesRow{store.ListCasesRow(row)}, readerOf(ctx))
	if err != nil {
		return nil, err
	}
	q := store.New(s.db)
	m, err := matterOf(ctx, q, req.GetCaseId())
	if err != nil {
		return nil, err
	}
	notices, err := q.NoticesOf(ctx, m.CaseID)
	if err != nil {
		return nil, err
	}
	out := &enforcementv1.GetCaseResponse{Case: cases[0]}
	if out.Suspected, err = suspectedProto(ctx, q, m.CaseID); err != nil {
		return nil, err
	}
	names := identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || m.AgencyID == identity.ActorOf(ctx).GetAgencyId()
	return out, s.fileProto(out, m, notices, names, readerOf(ctx))
}

// ListCases lists the cases of the caller's agency, newest first.
func (s *Server) ListCases(ctx context.Context, req *enforcementv1.ListCasesRequest) (*enforcementv1.ListCasesResponse, error) {
	arg := store.ListCasesParams{
		SeesAll: seesAll(ctx), AgencyID: identity.ActorOf(ctx).GetAgencyId(),
		State: req.GetState(), PageSize: pg.PageSize(req.GetPageSize()), OfAgency: req.GetAgencyId(),
	}
	if req.GetOverdue() {
		now := s.now()
		arg.OverdueAt = &now
	}
	if req.GetState() != "" && !slices.Contains(states, req.GetState()) {
		return nil, errs.Field("state", "must be a state of cases")
	}
	if id := req.GetComplaintId(); id != "" {
		if uuid.Validate(id) != nil {
			return nil, errs.Field("complaint_id", "must be a UUID")
		}
		arg.ComplaintID = &id
	}
	cases, next, err := s.page(ctx, arg, req.GetPageToken(), readerOf(ctx))
	if err != nil {
		return nil, err
	}
	return &enforcementv1.ListCasesResponse{Cases: cases, NextPageToken: next}, nil
}

// page reads a page of cases, newest first.
func (s *Server) page(ctx context.Context, arg store.ListCasesParams, token string, r reader) ([]*enforcementv1.Case, string, error) {
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	q := store.New(s.db)
	rows, err := q.ListCases(ctx, arg)
	if err != nil {
		return nil, "", err
	}
	cases, err := s.cases(ctx, q, rows, r)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].EnforcementCase
		next = pg.TimeToken(last.OpenTime, last.CaseID)
	}
	return cases, next, nil
}

// ListUnstarted lists cases whose workflow is to start, oldest first.
func (s *Server) ListUnstarted(ctx context.Context, req *enforcementv1.ListUnstartedRequest) (*enforcementv1.ListUnstartedResponse, error) {
	const defaultPage = 100
	after, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if !ok {
		id = firstID
	}
	size := int32(defaultPage)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	rows, err := store.New(s.db).ListUnstarted(ctx, store.ListUnstartedParams{
		Until: s.now().Add(-req.GetOlderThan().AsDuration()), AfterTime: after, AfterID: id, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListUnstartedResponse{}
	for _, r := range rows {
		resp.CaseIds = append(resp.CaseIds, r.CaseID)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.TimeToken(rows[size-1].OpenTime, rows[size-1].CaseID)
	}
	return resp, nil
}

// Audit returns open cases, decided penalties, or what should not be.
func (s *Server) Audit(ctx context.Context, req *enforcementv1.AuditRequest) (*enforcementv1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	if req.GetWhat() == "violations" {
		return s.violations(ctx, req.GetPageToken(), size)
	}
	cases, next, err := s.page(ctx, store.ListCasesParams{
		SeesAll: true, OnlyOpen: req.GetWhat() == "open_cases", OnlyPenalties: req.GetWhat() == "decisions", PageSize: size,
	}, req.GetPageToken(), reader{})
	if err != nil {
		return nil, err
	}
	return &enforcementv1.AuditResponse{Cases: cases, NextPageToken: next}, nil
}

func (s *Server) violations(ctx context.Context, token string, size int32) (*enforcementv1.AuditResponse, error) {
	after := firstID
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		if uuid.Validate(parts[0]) != nil {
			return nil, badToken()
		}
		after = parts[0]
	}
	rows, err := store.New(s.db).AuditViolations(ctx, store.AuditViolationsParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.AuditResponse{}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, r.ID+": "+r.What)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ID)
	}
	return resp, nil
}

// seesAll says whether the caller sees the cases of every agency: the lead ministry's people with that role do, and the
// workflows, which drive them.
func seesAll(ctx context.Context) bool {
	a := identity.ActorOf(ctx)
	return identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS ||
		a.GetAgencyId() == leadMinistry && slices.Contains(a.GetRoles(), accessv1.Role_ROLE_LEAD)
}
