package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// Server implements ledgerv1.LedgerServiceServer.
type Server struct {
	ledgerv1.UnsafeLedgerServiceServer // a missing RPC does not compile
	db                                 *pgxpool.Pool
	now                                func() time.Time
}

// New makes a server on a migrated database.
func New(db *pgxpool.Pool, now func() time.Time) *Server {
	return &Server{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// LookupNumber says who holds a number as of a time. It is one statement, prepared once per connection.
func (s *Server) LookupNumber(ctx context.Context, req *ledgerv1.LookupNumberRequest) (*ledgerv1.LookupNumberResponse, error) {
	const nothing = "the ledger has no entry for this number at that time"
	key, ok := keyOf(req.GetNumber())
	if !ok {
		return nil, errs.NotFound(pgx.ErrNoRows, nothing)
	}
	arg := store.LookupNumberParams{
		Scheme: req.GetScheme(), Digits: key.digits, Number: key.value, At: s.now(), KnownAt: timeOf(req.GetKnownAt()),
	}
	if arg.Scheme == "" {
		arg.Scheme = National
	}
	if at := timeOf(req.GetAt()); at != nil {
		arg.At = *at
	}
	row, err := store.New(s.db).LookupNumber(ctx, arg)
	if err != nil {
		return nil, errs.NotFound(err, nothing)
	}
	return &ledgerv1.LookupNumberResponse{Resource: resourceRow(row).proto()}, nil
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
	resp := &ledgerv1.GetResourceResponse{Resource: resourceRow(row).proto()}
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
	events, err := eventsOf(req.GetState())
	if err != nil {
		return nil, err
	}
	holder, err := optionalID("holder_id", req.GetHolderId())
	if err != nil {
		return nil, err
	}
	all, agency := sees(ctx)
	size := pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ListResources(ctx, store.ListResourcesParams{
		At: s.now(), After: after, HolderID: holder, Events: events, SeesAll: all, AgencyID: agency, PageSize: size,
	})
	if err != nil {
		return nil, err
	}
	resp := &ledgerv1.ListResourcesResponse{}
	for _, r := range rows {
		resp.Resources = append(resp.Resources, resourceRow(r).proto())
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ResourceID)
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
