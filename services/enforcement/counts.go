package enforcement

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	"quietline/internal/tally"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
)

// book is the service's day aggregates.
func (s *Server) book() *tally.Book {
	return &tally.Book{DB: s.db, Now: s.now, Counters: []tally.Counter{
		{Scope: "acts", Units: []string{"measures", "cases", "penalties", "fen"}, First: firstActDay, Count: countActs},
	}}
}

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(ctx context.Context, req *enforcementv1.CutCountsRequest) (*enforcementv1.CutCountsResponse, error) {
	cut, at, err := s.book().Cut(ctx)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(pgx.Tx) (*enforcementv1.CutCountsResponse, error) {
		return &enforcementv1.CutCountsResponse{Cut: cut, CutTime: timestamppb.New(at)}, nil
	})
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(ctx context.Context, req *enforcementv1.ListDailyCountsRequest) (*enforcementv1.ListDailyCountsResponse, error) {
	counts, next, err := tally.List(ctx, s.db, req.GetMonth(), req.GetCut(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &enforcementv1.ListDailyCountsResponse{Counts: counts, NextPageToken: next}, nil
}

func firstActDay(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var first *time.Time
	err := tx.QueryRow(ctx, `SELECT least((SELECT min(created_at) FROM measure_record), (SELECT min(open_time) FROM enforcement_case))`).Scan(&first)
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return *first, nil
}

// What happened on a day: measures taken, each once whether it was ordered of another or done at once, those done or failed, cases opened and closed, penalties decided with their amounts.
// Who stands behind each is its complaint or case.
const actsSQL = `
SELECT 'measures', 'measure', r.code, 'ordered', 1::bigint, substr(uuid_send(r.complaint_id), 9)
FROM measure_record r WHERE r.created_at >= $1 AND r.created_at < $2
UNION ALL
SELECT 'measures', 'measure', r.code, l.state, 1, substr(uuid_send(r.complaint_id), 9)
FROM measure_log l JOIN measure_record r USING (measure_id) WHERE l.state <> 'ordered' AND l.created_at >= $1 AND l.created_at < $2
UNION ALL
SELECT 'measures', 'agency', r.decided_agency_id, 'ordered', 1, substr(uuid_send(r.complaint_id), 9)
FROM measure_record r WHERE r.created_at >= $1 AND r.created_at < $2
UNION ALL
SELECT 'measures', 'agency', r.decided_agency_id, l.state, 1, substr(uuid_send(r.complaint_id), 9)
FROM measure_log l JOIN measure_record r USING (measure_id) WHERE l.state <> 'ordered' AND l.created_at >= $1 AND l.created_at < $2
UNION ALL
SELECT 'cases', 'agency', agency_id, 'opened', 1, substr(uuid_send(case_id), 9) FROM enforcement_case WHERE open_time >= $1 AND open_time < $2
UNION ALL
SELECT 'cases', 'agency', agency_id, 'closed', 1, substr(uuid_send(case_id), 9) FROM enforcement_case WHERE close_time >= $1 AND close_time < $2
UNION ALL
SELECT 'penalties', 'penalty', d.penalty_kind, '', 1, substr(uuid_send(d.case_id), 9) FROM case_decision d
WHERE d.decided_time >= $1 AND d.decided_time < $2
UNION ALL
SELECT 'penalties', 'agency', c.agency_id, '', 1, substr(uuid_send(d.case_id), 9) FROM case_decision d JOIN enforcement_case c USING (case_id)
WHERE d.decided_time >= $1 AND d.decided_time < $2 AND d.penalty_kind <> 'none'
UNION ALL
SELECT 'fen', 'penalty', d.penalty_kind, '', d.amount_fen, substr(uuid_send(d.case_id), 9) FROM case_decision d
WHERE d.decided_time >= $1 AND d.decided_time < $2 AND d.amount_fen > 0`

// countActs counts the acts of a day.
func countActs(ctx context.Context, tx pgx.Tx, from, to time.Time) (*tally.Sums, error) {
	rows, err := tx.Query(ctx, actsSQL, from, to)
	if err != nil {
		return nil, fmt.Errorf("acts: %w", err)
	}
	sums := tally.NewSums()
	var c tally.Cell
	var n int64
	var matter []byte
	_, err = pgx.ForEachRow(rows, []any{&c.Unit, &c.Axis, &c.Key, &c.Column, &n, &matter}, func() error {
		sums.Add(c, n, matter)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("acts: %w", err)
	}
	return sums, nil
}
