package ledger

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
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// ForecastTerms says what of the ledger's own matters is overdue and what will be late this week or within some days, per agency.
func (s *Server) ForecastTerms(ctx context.Context, req *ledgerv1.ForecastTermsRequest) (*ledgerv1.ForecastTermsResponse, error) {
	b, agency := s.clocks(s.db), ownOrAll(ctx)
	if agency == "" {
		agency = req.GetAgencyId()
	}
	until := calendar.Ahead(b.Now, int(req.GetDays()))
	page, all, next, err := b.Forecast(ctx, until, agency, req.GetPageToken(), pg.PageSize(req.GetPageSize()))
	return &ledgerv1.ForecastTermsResponse{UntilTime: timestamppb.New(until), Terms: page, Agencies: all, NextPageToken: next}, err
}

// clocks are what runs.
func (s *Server) clocks(db terms.DB) terms.Book {
	return terms.Book{DB: db, Now: s.now(), Profile: s.profile, Always: []string{clockRecall}}
}

// ListProvisionalTerms lists running clocks whose date is provisional.
func (s *Server) ListProvisionalTerms(ctx context.Context, req *ledgerv1.ListProvisionalTermsRequest) (*ledgerv1.ListProvisionalTermsResponse, error) {
	page, next, err := s.clocks(s.db).Provisional(ctx, ownOrAll(ctx), req.GetPageToken(), pg.PageSize(req.GetPageSize()))
	return &ledgerv1.ListProvisionalTermsResponse{Terms: page, NextPageToken: next}, err
}

// SettleProvisionalTerms reckons provisional dates that cross a year anew, now that its notice is loaded: once each, on
// record.
func (s *Server) SettleProvisionalTerms(ctx context.Context, req *ledgerv1.SettleProvisionalTermsRequest) (*ledgerv1.SettleProvisionalTermsResponse, error) {
	if err := terms.Noticed(req.GetYear(), s.now()); err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*ledgerv1.SettleProvisionalTermsResponse, error) {
		q := store.New(tx)
		done, err := s.clocks(tx).Settle(ctx, req.GetYear(), doneBy(identity.ActorOf(ctx)), req.GetPageToken(), func(d *terms.Settlement) error {
			return settle(ctx, q, d)
		})
		if err != nil {
			return nil, err
		}
		return &ledgerv1.SettleProvisionalTermsResponse{Settled: done.Dates, StillProvisional: done.Still, NextPageToken: done.Next}, nil
	})
}

// Clocks of the ledger, as the view names them.
const (
	clockRecall        = "recall"
	clockAppeal        = "appeal"
	clockReturn        = "return"
	clockInspection    = "inspection"
	clockRectification = "rectification"
)

// settle writes a date that was settled.
func settle(ctx context.Context, q *store.Queries, d *terms.Settlement) error {
	due, statutory, proof := d.New.Due, d.New.Statutory, d.New.Proof
	switch d.Kind {
	case clockRecall:
		return q.SettleRecall(ctx, store.SettleRecallParams{ID: d.ID, Due: &due, Statutory: statutory.Format(time.RFC3339), Proof: proof})
	case clockAppeal:
		return q.SettleAppeal(ctx, store.SettleAppealParams{ID: d.ID, Statutory: statutory.Format(time.RFC3339), Proof: proof})
	case clockReturn:
		return q.SettleReturn(ctx, store.SettleReturnParams{ID: d.ID, Due: due, Statutory: statutory, Proof: proof})
	case clockInspection:
		return q.SettleInspection(ctx, store.SettleInspectionParams{ID: d.ID, Due: due, Statutory: statutory, Proof: proof})
	case clockRectification:
		return q.SettleRectification(ctx, store.SettleRectificationParams{ID: d.ID, Due: due, Statutory: statutory, Proof: proof})
	}
	return fmt.Errorf("no clock of kind %s is settled", d.Kind)
}

// ownOrAll is the agency whose clocks somebody may see; empty for all.
func ownOrAll(ctx context.Context) string {
	a := identity.ActorOf(ctx)
	if identity.HasRole(a, accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_AUDITOR, accessv1.Role_ROLE_ADMIN) {
		return ""
	}
	if a.GetAgencyId() == "" {
		return "-" // without an agency there is nothing to see
	}
	return a.GetAgencyId()
}
