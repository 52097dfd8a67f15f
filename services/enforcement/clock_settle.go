package enforcement

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/identity"
	"quietline/internal/pg"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

const (
	actSettled  = "settled"
	settleCases = 50 // cases of one call
)

// ForecastClocks lists clocks of cases that are or will be over until a time: of one's agency, or all for who leads.
func (s *Server) ForecastClocks(ctx context.Context, req *enforcementv1.ForecastClocksRequest) (*enforcementv1.ForecastClocksResponse, error) {
	due, id, err := afterClock(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, n := s.now(), pg.PageSize(req.GetPageSize())
	until := calendar.Ahead(now, int(req.GetDays()))
	rows, err := store.New(s.db).RunningClocks(ctx, store.RunningClocksParams{
		Until: until, Parties: calendar.PartyBases(now), AgencyID: cmp.Or(ownOrAll(ctx), req.GetAgencyId()), AfterDue: due, AfterID: id, N: n,
	})
	if err != nil {
		return nil, fmt.Errorf("running clocks: %w", err)
	}
	resp := &enforcementv1.ForecastClocksResponse{UntilTime: timestamppb.New(until)}
	for i := range rows {
		resp.Clocks = append(resp.Clocks, runningProto(&rows[i], now))
	}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.TimeToken(rows[n-1].DueTime, rows[n-1].ClockID)
	}
	return resp, nil
}

// ListProvisionalClocks lists running clocks whose date is provisional.
func (s *Server) ListProvisionalClocks(ctx context.Context, req *enforcementv1.ListProvisionalClocksRequest) (*enforcementv1.ListProvisionalClocksResponse, error) {
	due, id, err := afterClock(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, n := s.now(), pg.PageSize(req.GetPageSize())
	rows, err := store.New(s.db).ProvisionalClocks(ctx, store.ProvisionalClocksParams{AgencyID: ownOrAll(ctx), AfterDue: due, AfterID: id, N: n})
	if err != nil {
		return nil, fmt.Errorf("provisional clocks: %w", err)
	}
	resp := &enforcementv1.ListProvisionalClocksResponse{}
	for i := range rows {
		row := store.RunningClocksRow(rows[i])
		d, err := keptClock(&row)
		if err != nil {
			return nil, err
		}
		p := &enforcementv1.ProvisionalClock{Clock: runningProto(&row, now)}
		for _, year := range d.Unsettled() {
			p.Years = append(p.Years, int32(year))
		}
		_, err = d.Settled(now)
		p.CanSettle = err == nil
		resp.Clocks = append(resp.Clocks, p)
	}
	if len(rows) == int(n) {
		resp.NextPageToken = pg.TimeToken(rows[n-1].DueTime, rows[n-1].ClockID)
	}
	return resp, nil
}

// SettleProvisionalClocks reckons provisional dates that cross a year anew, now that its notice is loaded: once each, as an
// act on the clock. A party's term moves only later by it.
func (s *Server) SettleProvisionalClocks(ctx context.Context, req *enforcementv1.SettleProvisionalClocksRequest) (*enforcementv1.SettleProvisionalClocksResponse, error) {
	now := s.now()
	if !calendar.Noticed(int(req.GetYear()), now) {
		return nil, refused("the holiday notice of %d is not loaded, so there is nothing to settle by", req.GetYear())
	}
	_, after, err := afterClock(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.SettleProvisionalClocksResponse, error) {
		q, resp := store.New(tx), &enforcementv1.SettleProvisionalClocksResponse{}
		ids, err := q.CasesWithProvisional(ctx, store.CasesWithProvisionalParams{AfterID: after, Year: req.GetYear(), N: settleCases})
		if err != nil {
			return nil, fmt.Errorf("cases with provisional clocks: %w", err)
		}
		for _, id := range ids {
			if err := s.settleCase(ctx, q, id, req.GetYear(), now, resp); err != nil {
				return nil, err
			}
		}
		if len(ids) == settleCases {
			resp.NextPageToken = pg.TimeToken(time.Time{}, ids[settleCases-1])
		}
		return resp, nil
	})
}

// settleCase settles the dates of one case, which is locked.
func (s *Server) settleCase(ctx context.Context, q *store.Queries, id string, year int32, now time.Time, resp *enforcementv1.SettleProvisionalClocksResponse) error {
	rows, err := q.ProvisionalClocksOf(ctx, store.ProvisionalClocksOfParams{CaseID: id, Year: year})
	if err != nil {
		return fmt.Errorf("provisional clocks of case %s: %w", id, err)
	}
	a := identity.ActorOf(ctx)
	for i := range rows {
		row := store.RunningClocksRow(rows[i])
		before, err := keptClock(&row)
		if err != nil {
			return err
		}
		after, err := before.Settled(now)
		if _, still := errors.AsType[calendar.Refusal](err); still {
			resp.StillProvisional++
			continue
		}
		if err != nil {
			return err
		}
		act := clockAct{kind: actSettled, reason: fmt.Sprintf("notice of %d", year), signedBy: a.GetSubject() + "@" + a.GetAgencyId(), at: now}
		if err := s.enterAct(ctx, q, &store.ClocksOfRow{ClockID: row.ClockID, Acts: row.Acts}, act, after); err != nil {
			return fmt.Errorf("settle clock %s: %w", row.ClockID, err)
		}
		resp.Settled = append(resp.Settled, &enforcementv1.ClockSettlement{
			ClockId: row.ClockID, CaseId: id, Basis: row.Basis, OldDueTime: timestamppb.New(before.Due), NewDueTime: timestamppb.New(after.Due),
		})
	}
	return nil
}

// keptClock is a stored clock as it can go on.
func keptClock(r *store.RunningClocksRow) (calendar.Deadline, error) {
	var d calendar.Deadline
	if err := json.Unmarshal(r.Reckoning, &d); err != nil {
		return d, fmt.Errorf("clock %s: %w", r.ClockID, err)
	}
	return d, nil
}

func runningProto(r *store.RunningClocksRow, now time.Time) *enforcementv1.RunningClock {
	return &enforcementv1.RunningClock{
		CaseId: r.CaseID, CaseNo: r.CaseNo, AgencyId: r.AgencyID, Overdue: r.DueTime.Before(now),
		Clock: &enforcementv1.CaseClock{
			ClockId: r.ClockID, Source: r.Source, StartTime: timestamppb.New(r.StartTime), DueTime: timestamppb.New(r.DueTime),
			Clock: &commonv1.Clock{
				Basis: r.Basis, Source: r.Source, Profile: r.Profile, StatutoryDue: r.StatutoryDue.UTC().Format(time.RFC3339),
				Start: r.StartTime.UTC().Format(time.RFC3339), Proof: r.Proof, Provisional: r.Provisional,
			},
		},
	}
}

// ownOrAll is the agency whose clocks somebody may see; empty for all.
func ownOrAll(ctx context.Context) string {
	if seesAll(ctx) || identity.HasRole(identity.ActorOf(ctx), accessv1.Role_ROLE_ADMIN, accessv1.Role_ROLE_AUDITOR) {
		return ""
	}
	if agency := agencyOf(ctx); agency != "" {
		return agency
	}
	return "-" // without an agency there is nothing to see
}

func afterClock(token string) (due time.Time, id string, err error) {
	due, id, ok, err := pg.DecodeTimeToken(token)
	if !ok {
		id = uuid.Nil.String()
	}
	return due, id, err
}
