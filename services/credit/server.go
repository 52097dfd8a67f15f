package credit

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	"quietline/internal/seal"
	"quietline/internal/tell"
	creditv1 "quietline/proto/quietline/credit/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/credit/store"
)

// ahead is how far another workload's clock may be ahead of ours.
const ahead = 5 * time.Minute

var creditCode = regexp.MustCompile(`^[0-9A-Z]{18}$`)

// Kinds of subjects that workflows drive for the lists.
const (
	kindListing = "listing"
	kindRepair  = "repair"
)

// Server implements creditv1.CreditServiceServer.
type Server struct {
	creditv1.UnsafeCreditServiceServer // a missing RPC does not compile
	db                                 *pgxpool.Pool
	keys                               *seal.Keys
	now                                func() time.Time
	profile                            string                       // how long terms really last
	tell                               *tell.Teller                 // nil: the sweep starts everything
	ledger                             ledgerv1.LedgerServiceClient // who holds a licence; nil: casework asks
	hub                                *hub
}

// New makes a server on a migrated database.
func New(db *pgxpool.Pool, keys *seal.Keys, now func() time.Time) *Server {
	return &Server{
		db: db, keys: keys, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) },
		profile: calendar.Statutory, hub: newHub(db),
	}
}

// CheckParty says what a firm was listed for as of a time. An operator asks of today, and of the telecom lists only.
func (s *Server) CheckParty(ctx context.Context, req *creditv1.CheckPartyRequest) (*creditv1.CheckPartyResponse, error) {
	at, v := s.now(), viewerOf(ctx)
	if req.GetAt() != nil && (!v.operator || v.ledger) {
		at = req.GetAt().AsTime()
	}
	resp := &creditv1.CheckPartyResponse{}
	for _, records := range []bool{false, true} {
		if records && v.operator {
			break
		}
		rows, err := store.New(s.db).CheckParty(ctx, store.CheckPartyParams{CreditCode: req.GetCreditCode(), At: &at, Records: records})
		if err != nil {
			return nil, err
		}
		for _, l := range rows {
			if records {
				resp.Records = append(resp.Records, proto(l, at, v))
			} else {
				resp.Listings = append(resp.Listings, proto(l, at, v))
			}
		}
	}
	resp.FocusedSupervision = len(resp.GetListings()) > 0
	return resp, nil
}

// GetListing returns an entry with all that belongs to it.
func (s *Server) GetListing(ctx context.Context, req *creditv1.GetListingRequest) (*creditv1.GetListingResponse, error) {
	q, v := store.New(s.db), viewerOf(ctx)
	l, err := q.GetListing(ctx, req.GetListingId())
	if err != nil {
		return nil, noListing(err)
	}
	if !v.sees(l) {
		return nil, noSuchListing()
	}
	resp := &creditv1.GetListingResponse{Listing: proto(l, s.now(), v)}
	own := store.ListMeasuresParams{ListingID: &l.ListingID, After: firstID, PageSize: 100}
	if v.operator {
		own.AgencyID = v.agency
		resp.Measures, err = measures(ctx, q, own)
		return resp, err
	}
	if resp.Events, err = events(ctx, q, l, v); err != nil {
		return nil, err
	}
	if resp.Measures, err = measures(ctx, q, own); err != nil {
		return nil, err
	}
	if v.knows(l) || v.party != "" {
		if err := s.heard(ctx, q, l, resp); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

func events(ctx context.Context, q *store.Queries, l store.Listing, v viewer) ([]*creditv1.ListingEvent, error) {
	rows, err := q.EventsOf(ctx, l.ListingID)
	if err != nil {
		return nil, err
	}
	out := make([]*creditv1.ListingEvent, 0, len(rows))
	for _, e := range rows {
		event := &creditv1.ListingEvent{
			Seq: e.Seq, FromState: e.FromState, ToState: e.ToState, EventTime: stamp(&e.EventTime), Reason: e.Reason, Article: e.Article,
		}
		if v.knows(l) {
			event.By, event.TaskId = e.By, text(e.TaskID)
		}
		out = append(out, event)
	}
	return out, nil
}

// ListListings lists entries of every state, newest first.
func (s *Server) ListListings(ctx context.Context, req *creditv1.ListListingsRequest) (*creditv1.ListListingsResponse, error) {
	if !slices.Contains([]string{"", badList, dishonestList, creditRecord}, req.GetList()) {
		return nil, errs.Field("list", "must be bad, dishonest or credit_record")
	}
	v := viewerOf(ctx)
	listings, next, err := s.page(ctx, store.ListListingsParams{
		List: req.GetList(), CreditCode: req.GetCreditCode(), State: req.GetState(), PageSize: pg.PageSize(req.GetPageSize()),
		SeesAll: v.all, AgencyID: v.agency, Party: v.party, PublicAt: s.publicAt(v),
	}, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &creditv1.ListListingsResponse{Listings: listings, NextPageToken: next}, nil
}

// publicAt is the time as of which a viewer sees what is public only; nil for who sees more.
func (s *Server) publicAt(v viewer) *time.Time {
	if !v.operator {
		return nil
	}
	return new(s.now())
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
	now, v := s.now(), viewerOf(ctx)
	listings := make([]*creditv1.Listing, 0, len(rows))
	for _, r := range rows {
		listings = append(listings, proto(r, now, v))
	}
	next := ""
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		next = pg.TimeToken(last.ProposeTime, last.ListingID)
	}
	return listings, next, nil
}
