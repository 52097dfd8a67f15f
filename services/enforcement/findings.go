package enforcement

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/pg"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	"quietline/services/enforcement/store"
)

// RecordFinding writes that a complaint was substantiated (有案必查、查实必罚), or what disposed of it without a case or a
// measure. What is known stays as it was told first.
func (s *Server) RecordFinding(ctx context.Context, req *enforcementv1.RecordFindingRequest) (*enforcementv1.RecordFindingResponse, error) {
	task, err := optionalID("task_id", req.GetTaskId())
	if err != nil {
		return nil, err
	}
	at := s.now()
	if req.GetFoundTime() != nil {
		at = req.GetFoundTime().AsTime()
	}
	return pg.Once(ctx, s.db, req, func(tx pgx.Tx) (*enforcementv1.RecordFindingResponse, error) {
		q := store.New(tx)
		if req.GetSettled() != "" {
			return &enforcementv1.RecordFindingResponse{}, q.SettleFinding(ctx, store.SettleFindingParams{
				ComplaintID: req.GetComplaintId(), Round: req.GetRound(), How: req.GetSettled(), SettledTime: at,
			})
		}
		return &enforcementv1.RecordFindingResponse{}, q.AddFinding(ctx, store.AddFindingParams{
			ComplaintID: req.GetComplaintId(), Round: req.GetRound(), AgencyID: req.GetAgencyId(), TaskID: task, FoundTime: at,
		})
	})
}

// ListUndisposed lists what was substantiated and nothing followed from: of the own agency, or of any for the lead and the
// auditors.
func (s *Server) ListUndisposed(ctx context.Context, req *enforcementv1.ListUndisposedRequest) (*enforcementv1.ListUndisposedResponse, error) {
	agency := identity.ActorOf(ctx).GetAgencyId()
	if overseesAll(ctx) {
		agency = req.GetAgencyId()
	} else if req.GetAgencyId() != "" && req.GetAgencyId() != agency || agency == "" {
		return nil, errs.Field("agency_id", "must be your own agency")
	}
	arg := store.ListUndisposedParams{AgencyID: agency, AfterID: firstID, PageSize: pg.PageSize(req.GetPageSize())}
	at, id, ok, err := pg.DecodeTimeToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	if ok {
		arg.AfterTime, arg.AfterID = at, id
	}
	q := store.New(s.db)
	rows, err := q.ListUndisposed(ctx, arg)
	if err != nil {
		return nil, err
	}
	resp := &enforcementv1.ListUndisposedResponse{}
	if resp.Count, err = q.CountUndisposed(ctx, agency); err != nil {
		return nil, err
	}
	days, err := q.UndisposedDays(ctx, agency)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		resp.Findings = append(resp.Findings, &enforcementv1.Undisposed{
			ComplaintId: r.ComplaintID, Round: r.Round, AgencyId: r.AgencyID, FoundTime: timestamppb.New(r.FoundTime), Days: daysBetween(r.FoundTime, s.now()),
		})
	}
	for _, d := range days {
		resp.Days = append(resp.Days, &enforcementv1.UndisposedDay{
			Day: d.Day.Time.Format(time.DateOnly), AgencyId: d.AgencyID, Count: d.Findings, OldestTime: timestamppb.New(d.OldestTime),
		})
	}
	if len(rows) == int(arg.PageSize) {
		last := rows[len(rows)-1]
		resp.NextPageToken = pg.TimeToken(last.FoundTime, last.ComplaintID)
	}
	return resp, nil
}

// daysBetween counts days of the calendar in Shanghai.
func daysBetween(from, to time.Time) int32 {
	const day = 24 * time.Hour
	return int32(dayStart(to).Sub(dayStart(from)) / day) // Shanghai keeps no summer time
}

func dayStart(t time.Time) time.Time {
	y, m, d := t.In(calendar.Shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, calendar.Shanghai)
}

// countDays writes the list of every day until ctx ends: once a day, whichever instance comes first.
func (s *Server) countDays(ctx context.Context) {
	const look = 10 * time.Minute
	for {
		if err := s.countDay(ctx); err != nil && ctx.Err() == nil {
			slog.ErrorContext(ctx, "the daily list of findings without a disposition was not written", slog.Any("error", err))
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return
		}
	}
}

// countDay writes today's list unless it is there.
func (s *Server) countDay(ctx context.Context) error {
	today := onDay(s.now())
	return pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		q := store.New(tx)
		fresh, err := q.ClaimDay(ctx, today)
		if err != nil || fresh == 0 {
			return err
		}
		return q.CountDay(ctx, today)
	})
}
