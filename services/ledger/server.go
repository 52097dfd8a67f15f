package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/tell"
	accessv1 "quietline/proto/quietline/access/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/portability"
	"quietline/services/ledger/store"
)

// Kinds of subjects that workflows drive for the ledger.
const (
	kindRecall = "recall"
	kindAppeal = "appeal"

	kindRectification = "rectification"
)

// Server implements ledgerv1.LedgerServiceServer.
type Server struct {
	ledgerv1.UnsafeLedgerServiceServer // a missing RPC does not compile
	db                                 *pgxpool.Pool
	credit                             creditv1.CreditServiceClient
	now                                func() time.Time
	ports                              portability.Source // who ported numbers are served by
	tell                               *tell.Teller       // nil: workflows are left to the sweep
	formats                            map[string]*format.Format
	profile                            string // of the clocks of campaigns
}

// New makes a server on a migrated database. Who is on a credit list it asks their owner.
func New(db *pgxpool.Pool, credit creditv1.CreditServiceClient, now func() time.Time) *Server {
	return &Server{
		db: db, credit: credit, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) },
		ports: portability.None{}, formats: builtInFormats(), profile: calendar.Statutory,
	}
}

// GetResource returns a resource with its history.
func (s *Server) GetResource(ctx context.Context, req *ledgerv1.GetResourceRequest) (*ledgerv1.GetResourceResponse, error) {
	q := store.New(s.db)
	all, agency := sees(ctx)
	row, err := q.GetResource(ctx, store.GetResourceParams{
		ResourceID: req.GetResourceId(), At: s.now(), SeesAll: all, AgencyID: agency,
	})
	if err != nil {
		return nil, errs.NotFound(err, "no such resource")
	}
	events, err := q.ListEvents(ctx, req.GetResourceId())
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.GetResourceResponse{
		Resource: resourceOf(row.Allocation, row.Holder, principal(row.Allocation, row.PrincipalName, row.PrincipalCode), row.State),
	}
	for _, e := range events {
		resp.Events = append(resp.Events, eventProto(e))
	}
	return resp, nil
}

// ListResources lists what is allocated now, in the order of entry.
func (s *Server) ListResources(ctx context.Context, req *ledgerv1.ListResourcesRequest) (*ledgerv1.ListResourcesResponse, error) {
	after, err := afterID(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if req.GetState() != "" && !slices.Contains(states, req.GetState()) {
		return nil, errs.Field("state", "must be one of %s", strings.Join(states, ", "))
	}
	holder, err := optionalID("holder_id", req.GetHolderId())
	if err != nil {
		return nil, err
	}
	all, agency := sees(ctx)
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListResources(ctx, store.ListResourcesParams{
		At: s.now(), After: after, HolderID: holder, State: req.GetState(), SeesAll: all, AgencyID: agency, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListResourcesResponse{}
	for _, r := range rows {
		resp.Resources = append(resp.Resources,
			resourceOf(r.Allocation, r.Holder, principal(r.Allocation, r.PrincipalName, r.PrincipalCode), r.State))
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].Allocation.ResourceID)
	}
	return resp, nil
}

// sees says whether the caller sees the whole ledger. An operator sees what it, its head office or its branches give
// access to or hold; every other role that the rules name works on all of it.
func sees(ctx context.Context) (all bool, agency string) {
	a := identity.ActorOf(ctx)
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS {
		return true, ""
	}
	all = false
	for _, r := range a.GetRoles() {
		if r != accessv1.Role_ROLE_OPERATOR && r != accessv1.Role_ROLE_PUBLIC {
			all = true
		}
	}
	return all, a.GetAgencyId()
}
