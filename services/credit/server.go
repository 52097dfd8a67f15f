package credit

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc/codes"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// ahead is how far another workload's clock may be ahead of ours.
const ahead = 5 * time.Minute

var creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)

// Server implements creditv1.CreditServiceServer.
type Server struct {
	creditv1.UnsafeCreditServiceServer // a missing RPC does not compile
	db                                 *pgxpool.Pool
	now                                func() time.Time
}

// New makes a server on a migrated database.
func New(db *pgxpool.Pool, now func() time.Time) *Server {
	return &Server{db: db, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// ListParty puts a firm on a list, once per ground and case: sent again, it returns the listing.
func (s *Server) ListParty(ctx context.Context, req *creditv1.ListPartyRequest) (*creditv1.ListPartyResponse, error) {
	if !creditCode.MatchString(req.GetCreditCode()) {
		return nil, errs.Field("credit_code", "must be 18 digits and capital letters")
	}
	decided, now := req.GetDecidedTime().AsTime().Truncate(time.Microsecond), s.now()
	if decided.After(now.Add(ahead)) {
		return nil, errs.Field("decided_time", "must not be in the future")
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.ListPartyResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "listing/"+req.GetCreditCode()); err != nil {
			return nil, err
		}
		id, err := q.ListingByGround(ctx, store.ListingByGroundParams{
			CreditCode: req.GetCreditCode(), List: req.GetList(), Ground: req.GetGround(), CaseID: req.GetCaseId(),
		})
		if errors.Is(err, pgx.ErrNoRows) {
			id, err = s.enter(ctx, q, req, decided, now)
		}
		if err != nil {
			return nil, err
		}
		l, err := get(ctx, q, id, now)
		if err != nil {
			return nil, err
		}
		return &creditv1.ListPartyResponse{Listing: l}, nil
	})
}

func (s *Server) enter(ctx context.Context, q *store.Queries, req *creditv1.ListPartyRequest, decided, now time.Time) (string, error) {
	g, err := q.GroundInForce(ctx, store.GroundInForceParams{List: req.GetList(), Ground: req.GetGround(), At: decided})
	if errors.Is(err, pgx.ErrNoRows) {
		return "", errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the %s list had no such ground when the decision was made", req.GetList())
	}
	if err != nil {
		return "", err
	}
	earliest, latest := ends(decided, int(g.MinMonths), int(g.MaxMonths))
	if !latest.After(now) {
		return "", errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_POLICY_REFUSES,
			"the listing would have ended already: the decision is older than %d months", g.MaxMonths)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), q.InsertListing(ctx, store.InsertListingParams{
		ListingID: id.String(), List: g.List, Ground: g.Ground, PartyName: req.GetPartyName(), CreditCode: req.GetCreditCode(),
		Licence: req.GetLicence(), CaseID: req.GetCaseId(), AgencyID: req.GetAgencyId(), Severity: g.Severity,
		DecidedTime: decided, EarliestEnd: earliest, LatestEnd: latest, ListedTime: now, ListedBy: doneBy(ctx),
	})
}

// CheckParty says what a firm was listed for as of a time.
func (s *Server) CheckParty(ctx context.Context, req *creditv1.CheckPartyRequest) (*creditv1.CheckPartyResponse, error) {
	at := s.now()
	if req.GetAt() != nil {
		at = req.GetAt().AsTime()
	}
	rows, err := store.New(s.db).CheckParty(ctx, store.CheckPartyParams{CreditCode: req.GetCreditCode(), At: at})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.CheckPartyResponse{}
	for _, r := range rows {
		resp.Listings = append(resp.Listings, listingRow(r).proto(at))
	}
	return resp, nil
}

// GetListing returns a listing.
func (s *Server) GetListing(ctx context.Context, req *creditv1.GetListingRequest) (*creditv1.GetListingResponse, error) {
	l, err := get(ctx, store.New(s.db), req.GetListingId(), s.now())
	if err != nil {
		return nil, err
	}
	return &creditv1.GetListingResponse{Listing: l}, nil
}

// ListListings lists listings of every state, newest first.
func (s *Server) ListListings(ctx context.Context, req *creditv1.ListListingsRequest) (*creditv1.ListListingsResponse, error) {
	switch req.GetList() {
	case "", "bad", "dishonest":
	default:
		return nil, errs.Field("list", "must be bad or dishonest")
	}
	arg := store.ListListingsParams{List: req.GetList(), PageSize: pg.PageSize(req.GetPageSize())}
	listings, next, err := s.page(ctx, arg, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &creditv1.ListListingsResponse{Listings: listings, NextPageToken: next}, nil
}

func (s *Server) page(ctx context.Context, arg store.ListListingsParams, token string) ([]*creditv1.Listing, string, error) {
	before, id, ok, err := pg.DecodeTimeToken(token)
	if err != nil {
		return nil, "", err
	}
	if ok {
		arg.BeforeTime, arg.BeforeID = &before, &id
	}
	rows, err := store.New(s.db).ListListings(ctx, arg)
	if err != nil {
		return nil, "", err
	}
	now := s.now()
	listings := make([]*creditv1.Listing, 0, len(rows))
	for _, r := range rows {
		listings = append(listings, listingRow(r).proto(now))
	}
	next := ""
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1].Listing
		next = pg.TimeToken(last.ListedTime, last.ListingID)
	}
	return listings, next, nil
}

// WithdrawListing takes a listing back; who listed withdraws. Withdrawing again keeps the first reason.
func (s *Server) WithdrawListing(ctx context.Context, req *creditv1.WithdrawListingRequest) (*creditv1.WithdrawListingResponse, error) {
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.WithdrawListingResponse, error) {
		q := store.New(tx)
		if err := q.LockKey(ctx, "withdrawal/"+req.GetListingId()); err != nil {
			return nil, err
		}
		now := s.now()
		l, err := get(ctx, q, req.GetListingId(), now)
		if err != nil {
			return nil, err
		}
		if err := mayWithdraw(ctx, l); err != nil {
			return nil, err
		}
		switch l.GetState() {
		case expired:
			return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_WRONG_STATE, "the listing has ended by itself")
		case listed:
			err := q.InsertWithdrawal(ctx, store.InsertWithdrawalParams{
				ListingID: l.GetListingId(), Reason: req.GetReason(), WithdrawnBy: doneBy(ctx), WithdrawnTime: now,
			})
			if err != nil {
				return nil, err
			}
			if l, err = get(ctx, q, req.GetListingId(), now); err != nil {
				return nil, err
			}
		}
		return &creditv1.WithdrawListingResponse{Listing: l}, nil
	})
}

// mayWithdraw holds 谁认定、谁修复: a person withdraws what the own agency listed.
func mayWithdraw(ctx context.Context, l *creditv1.Listing) error {
	if identity.CallerOf(ctx) == accessv1.Caller_CALLER_WORKFLOWS || identity.ActorOf(ctx).GetAgencyId() == l.GetAgencyId() {
		return nil
	}
	return errs.New(codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY,
		"only %s, which listed the party, may withdraw the listing", l.GetAgencyId())
}

// Audit returns live listings with their grounds, or what should not be.
func (s *Server) Audit(ctx context.Context, req *creditv1.AuditRequest) (*creditv1.AuditResponse, error) {
	size := int32(pg.MaxPageSize)
	if req.GetPageSize() > 0 {
		size = pg.PageSize(req.GetPageSize())
	}
	if req.GetWhat() == "violations" {
		return s.violations(ctx, req.GetPageToken(), size)
	}
	now := s.now()
	listings, next, err := s.page(ctx, store.ListListingsParams{LiveAt: &now, PageSize: size}, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &creditv1.AuditResponse{Listings: listings, NextPageToken: next}, nil
}

func (s *Server) violations(ctx context.Context, token string, size int32) (*creditv1.AuditResponse, error) {
	after := uuid.Nil.String()
	parts, err := pg.DecodeToken(token, 1)
	if err != nil {
		return nil, err
	}
	if parts != nil {
		if after = parts[0]; uuid.Validate(after) != nil {
			return nil, errs.New(codes.InvalidArgument, commonv1.ErrorReason_ERROR_REASON_BAD_CURSOR,
				"the page token is not one of this list")
		}
	}
	rows, err := store.New(s.db).AuditViolations(ctx, store.AuditViolationsParams{After: after, PageSize: size})
	if err != nil {
		return nil, err
	}
	resp := &creditv1.AuditResponse{}
	for _, r := range rows {
		resp.Violations = append(resp.Violations, r.ID+": "+r.What)
	}
	if len(rows) == int(size) {
		resp.NextPageToken = pg.EncodeToken(rows[size-1].ID)
	}
	return resp, nil
}
