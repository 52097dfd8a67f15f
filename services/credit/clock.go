package credit

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/pg"
	"quietline/internal/terms"
	accessv1 "quietline/proto/quietline/access/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// ForecastTerms says what of the lists is overdue and what will be late this week or within some days, per agency.
func (s *Server) ForecastTerms(ctx context.Context, req *creditv1.ForecastTermsRequest) (*creditv1.ForecastTermsResponse, error) {
	b, agency := s.clocks(s.db), ownOrAll(ctx)
	if agency == "" {
		agency = req.GetAgencyId()
	}
	until := calendar.Ahead(b.Now, int(req.GetDays()))
	page, all, next, err := b.Forecast(ctx, until, agency, req.GetPageToken(), pg.PageSize(req.GetPageSize()))
	return &creditv1.ForecastTermsResponse{UntilTime: timestamppb.New(until), Terms: page, Agencies: all, NextPageToken: next}, err
}

// clocks are what runs.
func (s *Server) clocks(db terms.DB) terms.Book {
	return terms.Book{DB: db, Now: s.now(), Profile: s.profile}
}

// ListProvisionalTerms lists running clocks whose date is provisional.
func (s *Server) ListProvisionalTerms(ctx context.Context, req *creditv1.ListProvisionalTermsRequest) (*creditv1.ListProvisionalTermsResponse, error) {
	page, next, err := s.clocks(s.db).Provisional(ctx, ownOrAll(ctx), req.GetPageToken(), pg.PageSize(req.GetPageSize()))
	return &creditv1.ListProvisionalTermsResponse{Terms: page, NextPageToken: next}, err
}

// SettleProvisionalTerms reckons provisional dates that cross a year anew, now that its notice is loaded: once each, on
// record.
func (s *Server) SettleProvisionalTerms(ctx context.Context, req *creditv1.SettleProvisionalTermsRequest) (*creditv1.SettleProvisionalTermsResponse, error) {
	if err := terms.Noticed(req.GetYear(), s.now()); err != nil {
		return nil, err
	}
	var heard []string
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.SettleProvisionalTermsResponse, error) {
		heard = nil
		q := store.New(tx)
		done, err := s.clocks(tx).Settle(ctx, req.GetYear(), doneBy(ctx), req.GetPageToken(), func(d *terms.Settlement) error {
			if d.Kind == clockStatement {
				heard = append(heard, d.ID)
			}
			return settle(ctx, q, d)
		})
		if err != nil {
			return nil, err
		}
		return &creditv1.SettleProvisionalTermsResponse{Settled: done.Dates, StillProvisional: done.Still, NextPageToken: done.Next}, nil
	})
	s.told(kindListing, heard...) // its workflow waits for the date that it knew
	return resp, err
}

// Clocks that may be provisional, as the view names them.
const (
	clockEntry     = "entry"
	clockStatement = "statement"
	clockLift      = "lift"
	clockRepair    = "repair"
)

// settle writes a date that was settled.
func settle(ctx context.Context, q *store.Queries, d *terms.Settlement) error {
	due, statutory, proof := &d.New.Due, &d.New.Statutory, d.New.Proof
	switch d.Kind {
	case clockEntry:
		return q.SettleEntry(ctx, store.SettleEntryParams{ID: d.ID, Due: due, Statutory: statutory, Proof: proof})
	case clockStatement:
		return q.SettleStatement(ctx, store.SettleStatementParams{ID: d.ID, Due: due, Statutory: statutory, Proof: &proof})
	case clockLift:
		return q.SettleLift(ctx, store.SettleLiftParams{ID: d.ID, Due: due, Statutory: statutory, Proof: &proof})
	case clockRepair:
		return q.SettleRepair(ctx, store.SettleRepairParams{ID: d.ID, Due: due, Statutory: statutory.Format(time.RFC3339), Proof: proof})
	}
	return fmt.Errorf("no clock of kind %s is settled", d.Kind)
}

// ownOrAll is the agency whose clocks somebody may see; empty for all.
func ownOrAll(ctx context.Context) string {
	v := viewerOf(ctx)
	if v.all || identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_ADMIN) {
		return ""
	}
	return orNobody(v.agency)
}
