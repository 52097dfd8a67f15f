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
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// settleBatch is how many dates one call settles.
const settleBatch = 200

// ForecastTerms says what of the lists is overdue and what will be late this week or within some days, per agency.
func (s *Server) ForecastTerms(ctx context.Context, req *creditv1.ForecastTermsRequest) (*creditv1.ForecastTermsResponse, error) {
	after, err := terms.PlaceOf(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	q, now, n, agency := store.New(s.db), s.now(), pg.PageSize(req.GetPageSize()), ownOrAll(ctx)
	if agency == "" {
		agency = req.GetAgencyId()
	}
	until, parties := calendar.Ahead(now, int(req.GetDays())), calendar.PartyBases(now)
	counts, err := q.RunningByAgency(ctx, store.RunningByAgencyParams{At: now, Until: until, Parties: parties, AgencyID: agency})
	if err != nil {
		return nil, fmt.Errorf("forecast by agency: %w", err)
	}
	rows, err := q.RunningClocks(ctx, store.RunningClocksParams{
		Until: until, Parties: parties, AgencyID: agency, AfterDue: after.Due, AfterKind: after.Kind, AfterID: after.ID, AfterAgency: after.Agency, N: n,
	})
	if err != nil {
		return nil, fmt.Errorf("forecast: %w", err)
	}
	resp := &creditv1.ForecastTermsResponse{UntilTime: timestamppb.New(until), NextPageToken: terms.Next(rowsOf(rows), int(n))}
	for _, c := range counts {
		resp.Agencies = append(resp.Agencies, &commonv1.AgencyTerms{AgencyId: c.AgencyID, Overdue: c.Overdue, Due: c.Due, Provisional: c.Provisional})
	}
	for _, r := range rowsOf(rows) {
		resp.Terms = append(resp.Terms, r.Proto(now, s.profile))
	}
	return resp, nil
}

// ListProvisionalTerms lists running clocks whose date is provisional.
func (s *Server) ListProvisionalTerms(ctx context.Context, req *creditv1.ListProvisionalTermsRequest) (*creditv1.ListProvisionalTermsResponse, error) {
	after, err := terms.PlaceOf(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, n := s.now(), pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ProvisionalClocks(ctx, store.ProvisionalClocksParams{
		AgencyID: ownOrAll(ctx), AfterDue: after.Due, AfterKind: after.Kind, AfterID: after.ID, AfterAgency: after.Agency, N: n,
	})
	if err != nil {
		return nil, fmt.Errorf("provisional dates: %w", err)
	}
	resp := &creditv1.ListProvisionalTermsResponse{NextPageToken: terms.Next(rowsOf(rows), int(n))}
	for _, r := range rowsOf(rows) {
		resp.Terms = append(resp.Terms, r.ProvisionalProto(now, s.profile))
	}
	return resp, nil
}

// SettleProvisionalTerms reckons provisional dates that cross a year anew, now that its notice is loaded: once each, on
// record.
func (s *Server) SettleProvisionalTerms(ctx context.Context, req *creditv1.SettleProvisionalTermsRequest) (*creditv1.SettleProvisionalTermsResponse, error) {
	now := s.now()
	if err := terms.Noticed(req.GetYear(), now); err != nil {
		return nil, err
	}
	after, err := terms.PlaceOf(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	var heard []string
	resp, err := pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*creditv1.SettleProvisionalTermsResponse, error) {
		q, resp := store.New(tx), &creditv1.SettleProvisionalTermsResponse{}
		if err := q.LockKey(ctx, "settle"); err != nil {
			return nil, err
		}
		rows, err := q.ClocksToSettle(ctx, store.ClocksToSettleParams{AfterKind: after.Kind, AfterID: after.ID, Year: req.GetYear(), N: settleBatch})
		if err != nil {
			return nil, fmt.Errorf("provisional dates of %d: %w", req.GetYear(), err)
		}
		for _, r := range rowsOf(rows) {
			d, err := r.Settle(now, s.profile)
			if err != nil {
				return nil, err
			}
			if d == nil {
				resp.StillProvisional++
				continue
			}
			if err := settle(ctx, q, d, req.GetYear(), now); err != nil {
				return nil, fmt.Errorf("settle %s %s: %w", r.Kind, r.ID, err)
			}
			if r.Kind == clockStatement {
				heard = append(heard, r.ID)
			}
			resp.Settled = append(resp.Settled, d.Proto())
		}
		resp.NextPageToken = terms.Next(rowsOf(rows), settleBatch)
		return resp, nil
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

// settle writes the act and the date.
func settle(ctx context.Context, q *store.Queries, d *terms.Settlement, year int32, now time.Time) error {
	err := q.InsertSettlement(ctx, store.InsertSettlementParams{
		Kind: d.Kind, ID: d.ID, Year: year, OldDue: *d.Due, NewDue: d.New.Due, OldStatutory: *d.Statutory, NewStatutory: d.New.Statutory,
		OldProof: d.Proof, Party: d.Party, SettledBy: doneBy(ctx), SettledTime: now,
	})
	if err != nil {
		return err
	}
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

func rowsOf(rows []store.RunningClock) []terms.Row {
	out := make([]terms.Row, 0, len(rows))
	for _, r := range rows {
		out = append(out, terms.Row(r))
	}
	return out
}

// ownOrAll is the agency whose clocks somebody may see; empty for all.
func ownOrAll(ctx context.Context) string {
	v := viewerOf(ctx)
	if v.all || identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_ADMIN) {
		return ""
	}
	return orNobody(v.agency)
}
