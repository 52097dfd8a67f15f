package tally

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/calendar"
	"quietline/internal/pg"
)

// Counter counts one day. It reads in a transaction that has one snapshot and writes nothing.
type Counter struct {
	Scope string   // names it in the database
	Units []string // that it counts
	// First is the first day that has anything to count; zero when there is nothing.
	First func(ctx context.Context, tx pgx.Tx) (time.Time, error)
	Count func(ctx context.Context, tx pgx.Tx, from, to time.Time) (*Sums, error)
}

// Book is an owner's day aggregates.
type Book struct {
	DB       *pgxpool.Pool
	Now      func() time.Time
	Counters []Counter
}

// After settled, changes of a day's facts are marked by triggers; before, the day is counted again without being asked.
const settled = 48 * time.Hour

// Keep counts every now and then until ctx ends. All replicas may: one counts at a time.
func (b *Book) Keep(ctx context.Context, every time.Duration) {
	const usual, daily = 10 * time.Minute, 24 * time.Hour
	if every <= 0 {
		every = usual
	}
	timer := time.NewTimer(every / 10)
	var trimmed time.Time
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if _, err := b.Fold(ctx, false); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "days could not be counted", slog.Any("error", err))
		}
		if b.Now().Sub(trimmed) > daily {
			if _, err := b.DB.Exec(ctx, "SELECT day_count_trim()"); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "old counts could not be deleted", slog.Any("error", err))
			}
			trimmed = b.Now()
		}
		timer.Reset(every)
	}
}

// Fold counts the days that are due and says how many. With all, also those that were counted a moment ago and may have
// changed since.
func (b *Book) Fold(ctx context.Context, all bool) (days int, err error) {
	conn, err := b.DB.Acquire(ctx)
	if err != nil {
		return 0, fmt.Errorf("count days: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lock()); err != nil {
		return 0, fmt.Errorf("count days: %w", err)
	}
	defer func() {
		if _, failed := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lock()); failed != nil {
			_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the lock goes with its session
		}
	}()
	for _, c := range b.Counters {
		due, err := b.due(ctx, c, all)
		if err != nil {
			return days, fmt.Errorf("days of %s: %w", c.Scope, err)
		}
		for _, day := range due {
			if err := b.fold(ctx, c, day); err != nil {
				return days, fmt.Errorf("count %s of %s: %w", c.Scope, day.Format(time.DateOnly), err)
			}
			days++
		}
	}
	return days, nil
}

func lock() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("quietline.day_count"))
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

// due are the days to count, oldest first.
func (b *Book) due(ctx context.Context, c Counter, all bool) ([]time.Time, error) {
	var out []time.Time
	err := pgx.BeginTxFunc(ctx, b.DB, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		first, err := c.First(ctx, tx)
		if err != nil || first.IsZero() {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT day, max(fold_time), bool_or(stale) FROM (
			SELECT day, fold_time, false AS stale FROM day_fold WHERE scope = $1
			UNION ALL SELECT DISTINCT day, NULL::timestamptz, true FROM day_stale WHERE scope = $1) d GROUP BY day`, c.Scope)
		if err != nil {
			return err
		}
		type state struct {
			folded *time.Time
			stale  bool
		}
		known := map[string]state{}
		var day time.Time
		var s state
		if _, err := pgx.ForEachRow(rows, []any{&day, &s.folded, &s.stale}, func() error {
			known[day.Format(time.DateOnly)] = s
			return nil
		}); err != nil {
			return err
		}
		now := b.Now()
		for day := midnight(first); !day.After(now); day = day.AddDate(0, 0, 1) {
			s := known[day.Format(time.DateOnly)]
			end := day.AddDate(0, 0, 1)
			switch {
			case s.folded == nil || s.stale || now.Before(end):
			case s.folded.Before(end.Add(settled)) && (all || now.Sub(*s.folded) > time.Hour):
			default:
				continue
			}
			out = append(out, day)
		}
		return nil
	})
	return out, err
}

// Midnight is when a day began in Shanghai.
func midnight(t time.Time) time.Time {
	t = t.In(calendar.Shanghai)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, calendar.Shanghai)
}

// fold counts a day and writes what differs. Counting is a read and may take its time: a transaction that writes holds
// back every change feed until it ends, so that is a short one.
func (b *Book) fold(ctx context.Context, c Counter, day time.Time) error {
	var sums *Sums
	var marks []int64
	at := b.Now()
	err := pgx.BeginTxFunc(ctx, b.DB, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		rows, err := tx.Query(ctx, "SELECT stale_id FROM day_stale WHERE scope = $1 AND day = $2", c.Scope, day)
		if err != nil {
			return err
		}
		if marks, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		sums, err = c.Count(ctx, tx, day, day.AddDate(0, 0, 1))
		return err
	})
	if err != nil {
		return err
	}
	return pg.Tx(ctx, b.DB, func(tx pgx.Tx) error {
		if err := write(ctx, tx, c, day, sums.figures(), at); err != nil {
			return err
		}
		if len(marks) == 0 {
			return nil
		}
		_, err := tx.Exec(ctx, "DELETE FROM day_stale WHERE stale_id = ANY ($1)", marks)
		return err
	})
}

// write has the day say what was counted, with a cut of its own when anything differs.
func write(ctx context.Context, tx pgx.Tx, c Counter, day time.Time, now map[Cell]Figure, at time.Time) error {
	before, err := standing(ctx, tx, c, day)
	if err != nil {
		return err
	}
	var gone, come []Cell
	for cell, f := range before {
		if g, ok := now[cell]; !ok || !g.equal(f) {
			gone = append(gone, cell)
		}
	}
	for cell, f := range now {
		if g, ok := before[cell]; !ok || !g.equal(f) {
			come = append(come, cell)
		}
	}
	if len(gone)+len(come) > 0 {
		slices.SortFunc(come, Cell.compare)
		if err := replace(ctx, tx, day, gone, come, now, at); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `INSERT INTO day_fold (scope, day, fold_time) VALUES ($1, $2, $3)
		ON CONFLICT (scope, day) DO UPDATE SET fold_time = excluded.fold_time`, c.Scope, day, at)
	return err
}

func standing(ctx context.Context, tx pgx.Tx, c Counter, day time.Time) (map[Cell]Figure, error) {
	rows, err := tx.Query(ctx, `SELECT unit, axis, key, col, bucket, count, reporters, witnesses FROM day_count
		WHERE day = $1 AND until_cut IS NULL AND unit = ANY ($2)`, day, c.Units)
	if err != nil {
		return nil, err
	}
	out := map[Cell]Figure{}
	var cell Cell
	var f Figure
	_, err = pgx.ForEachRow(rows, []any{&cell.Unit, &cell.Axis, &cell.Key, &cell.Column, &cell.Bucket, &f.Count, &f.Reporters, &f.Witnesses},
		func() error {
			out[cell] = f
			f.Witnesses = nil // the next row has its own
			return nil
		})
	return out, err
}

func replace(ctx context.Context, tx pgx.Tx, day time.Time, gone, come []Cell, now map[Cell]Figure, at time.Time) error {
	var cut int64
	if err := tx.QueryRow(ctx, "INSERT INTO day_cut (cut_time) VALUES ($1) RETURNING cut", at).Scan(&cut); err != nil {
		return err
	}
	var units, axes, keys, columns []string
	var buckets []int64
	for _, c := range gone {
		units, axes, keys = append(units, c.Unit), append(axes, c.Axis), append(keys, c.Key)
		columns, buckets = append(columns, c.Column), append(buckets, c.Bucket)
	}
	if _, err := tx.Exec(ctx, `UPDATE day_count d SET until_cut = $1
		FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) g (unit, axis, key, col, bucket)
		WHERE d.day = $2 AND d.until_cut IS NULL AND d.unit = g.unit AND d.axis = g.axis AND d.key = g.key AND d.col = g.col AND d.bucket = g.bucket`,
		cut, day, units, axes, keys, columns, buckets); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"day_count"},
		[]string{"day", "unit", "axis", "key", "col", "bucket", "count", "reporters", "witnesses", "since_cut"},
		pgx.CopyFromSlice(len(come), func(i int) ([]any, error) {
			c, f := come[i], now[come[i]]
			if f.Witnesses == nil {
				f.Witnesses = []byte{}
			}
			return []any{day, c.Unit, c.Axis, c.Key, c.Column, c.Bucket, f.Count, f.Reporters, f.Witnesses, cut}, nil
		}))
	return err
}
