package assignment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/pg"
	"quietline/internal/tally"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Units of what is counted.
const (
	unitTasks   = "tasks"
	unitMinutes = "minutes" // between opening and decision
)

// book is the service's day aggregates.
func (s *Server) book() *tally.Book {
	return &tally.Book{DB: s.db, Now: s.now, Counters: []tally.Counter{
		{Scope: "tasks", Units: []string{unitTasks, unitMinutes}, First: firstTaskDay, Count: s.countTasks},
		{Scope: "operators", Units: []string{unitOperatorTasks, unitOperatorMinutes}, First: firstOperatorDay, Count: s.countOperators},
	}}
}

// CutCounts brings the day aggregates up to date and names a cut.
func (s *Server) CutCounts(ctx context.Context, req *assignmentv1.CutCountsRequest) (*assignmentv1.CutCountsResponse, error) {
	cut, at, err := s.book().Cut(ctx)
	if err != nil {
		return nil, err
	}
	return pg.Once(ctx, s.db, req, func(pgx.Tx) (*assignmentv1.CutCountsResponse, error) {
		return &assignmentv1.CutCountsResponse{Cut: cut, CutTime: timestamppb.New(at)}, nil
	})
}

// ListDailyCounts lists day aggregates as of a cut.
func (s *Server) ListDailyCounts(ctx context.Context, req *assignmentv1.ListDailyCountsRequest) (*assignmentv1.ListDailyCountsResponse, error) {
	counts, next, err := tally.List(ctx, s.db, req.GetMonth(), req.GetCut(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &assignmentv1.ListDailyCountsResponse{Counts: counts, NextPageToken: next}, nil
}

// firstTaskDay is the first day that was counted, or the day of the oldest task.
func firstTaskDay(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var first *time.Time
	err := tx.QueryRow(ctx, `SELECT coalesce((SELECT min(day)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM day_fold WHERE scope = 'tasks'),
		(SELECT min(open_time) FROM task))`).Scan(&first)
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return *first, nil
}

// A task counts on the day it was opened, once more on the day of its decision, and when it was open past its deadline on
// the day of that. Who stands behind it is its complaint or case: the last eight bytes of its ID, which are random.
const tasksSQL = `
SELECT agency_id, 'opened', step, 0::bigint, substr(uuid_send(subject_id), 9) FROM task WHERE open_time >= $1 AND open_time < $2
UNION ALL
SELECT t.agency_id, CASE WHEN d.outcome = 'bounced' THEN 'bounced' ELSE 'decided' END, t.step,
       greatest(floor(extract(epoch FROM d.decided_time - t.open_time) / 60), 0)::bigint, substr(uuid_send(t.subject_id), 9)
FROM decision d JOIN task t USING (task_id) WHERE d.decided_time >= $1 AND d.decided_time < $2
UNION ALL
SELECT agency_id, 'overdue', step, 0, substr(uuid_send(subject_id), 9) FROM task
WHERE state = 'OPEN' AND due_time >= $1 AND due_time < least($2, $3)
UNION ALL
SELECT agency_id, 'overdue', step, 0, substr(uuid_send(subject_id), 9) FROM task
WHERE state <> 'OPEN' AND due_time >= $1 AND due_time < least($2, $3) AND close_time > due_time`

// countTasks counts the tasks of a day.
func (s *Server) countTasks(ctx context.Context, tx pgx.Tx, from, to time.Time) (*tally.Sums, error) {
	rows, err := tx.Query(ctx, tasksSQL, from, to, s.now())
	if err != nil {
		return nil, fmt.Errorf("tasks: %w", err)
	}
	sums := tally.NewSums()
	var agency, what, step string
	var minutes int64
	var matter []byte
	_, err = pgx.ForEachRow(rows, []any{&agency, &what, &step, &minutes, &matter}, func() error {
		sums.Add(tally.Cell{Unit: unitTasks, Axis: "agency", Key: agency, Column: what}, 1, matter)
		sums.Add(tally.Cell{Unit: unitTasks, Axis: "step", Key: step, Column: what}, 1, matter)
		if what == "decided" || what == "bounced" {
			sums.Add(tally.Cell{Unit: unitMinutes, Axis: "agency", Key: agency, Bucket: coarse(minutes)}, 1, nil)
			sums.Add(tally.Cell{Unit: unitMinutes, Axis: "step", Key: step, Bucket: coarse(minutes)}, 1, nil)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tasks: %w", err)
	}
	return sums, nil
}

// coarse rounds a span down: below a day to two hours, below ten days to half days, above to days. So a day of an agency has
// few different spans, however many tasks.
func coarse(minutes int64) int64 {
	const hour, day = 60, 24 * 60
	switch {
	case minutes < day:
		return minutes / (2 * hour) * (2 * hour)
	case minutes < 10*day:
		return minutes / (day / 2) * (day / 2)
	default:
		return minutes / day * day
	}
}
