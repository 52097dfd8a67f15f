package tally

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/internal/pg"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Cut brings the days up to date and names the cut at which they can be read.
func (b *Book) Cut(ctx context.Context) (cut int64, at time.Time, err error) {
	if _, err := b.Fold(ctx, true); err != nil {
		return 0, at, err
	}
	if err := b.DB.QueryRow(ctx, "SELECT coalesce(max(cut), 0) FROM day_cut").Scan(&cut); err != nil {
		return 0, at, fmt.Errorf("cut: %w", err)
	}
	return cut, b.Now(), nil
}

// Bounds of a page.
const (
	usualPage = 500
	mostPage  = 5000
)

// distributions are of a month and not of a day: their unit. A median is asked for of the month only.
const distributions = "minutes"

// List is a page of the counts of a month as of a cut, in order of their cells: first the counts of days, then the
// distributions of the month, under its first day.
func List(ctx context.Context, db *pgxpool.Pool, month string, cut int64, size int32, token string) ([]*commonv1.DayCount, string, error) {
	from, err := time.ParseInLocation("2006-01", month, calendar.Shanghai)
	if err != nil {
		return nil, "", errs.Field("month", "must be YYYY-MM")
	}
	after, err := pg.DecodeToken(token, 6)
	if err != nil {
		return nil, "", err
	}
	if after == nil {
		after = []string{"0001-01-01", "", "", "", "", "-1"}
	}
	bucket, err := strconv.ParseInt(after[5], 10, 64)
	if err != nil {
		return nil, "", errs.Field("page_token", "was not made here")
	}
	if size <= 0 {
		size = usualPage
	}
	size = min(size, mostPage)
	var out []*commonv1.DayCount
	if after[1] != distributions {
		out, err = collect(db.Query(ctx, `SELECT to_char(day, 'YYYY-MM-DD'), unit, axis, key, col, bucket, count, reporters, witnesses FROM day_count
			WHERE day >= $1 AND day < $2 AND since_cut <= $3 AND (until_cut IS NULL OR until_cut > $3) AND unit <> '`+distributions+`'
			  AND (day, unit, axis, key, col, bucket) > ($4::text::date, $5, $6, $7, $8, $9)
			ORDER BY day, unit, axis, key, col, bucket LIMIT $10`,
			from, from.AddDate(0, 1, 0), cut, after[0], after[1], after[2], after[3], after[4], bucket, size+1))
		if err != nil {
			return nil, "", err
		}
		after = []string{"", distributions, "", "", "", ""}
		bucket = -1
	}
	if left := size + 1 - int32(len(out)); left > 0 { //nolint:gosec // at most a page
		more, err := collect(db.Query(ctx, `SELECT to_char($1::date, 'YYYY-MM-DD'), unit, axis, key, col, bucket, sum(count)::bigint, 0, '\x'::bytea FROM day_count
			WHERE day >= $1 AND day < $2 AND since_cut <= $3 AND (until_cut IS NULL OR until_cut > $3) AND unit = '`+distributions+`'
			  AND (axis, key, col, bucket) > ($4, $5, $6, $7)
			GROUP BY unit, axis, key, col, bucket ORDER BY axis, key, col, bucket LIMIT $8`,
			from, from.AddDate(0, 1, 0), cut, after[2], after[3], after[4], bucket, left))
		if err != nil {
			return nil, "", err
		}
		out = append(out, more...)
	}
	next := ""
	if len(out) > int(size) {
		out = out[:size]
		last := out[size-1]
		next = pg.EncodeToken(last.GetDay(), last.GetUnit(), last.GetAxis(), last.GetKey(), last.GetColumn(), strconv.FormatInt(last.GetBucket(), 10))
	}
	for _, c := range out {
		c.Witnesses = disguised(c.GetWitnesses(), month, cut)
	}
	return out, next, nil
}

func collect(rows pgx.Rows, err error) ([]*commonv1.DayCount, error) {
	if err != nil {
		return nil, fmt.Errorf("day counts: %w", err)
	}
	var out []*commonv1.DayCount
	for rows.Next() {
		c := &commonv1.DayCount{}
		if err := rows.Scan(&c.Day, &c.Unit, &c.Axis, &c.Key, &c.Column, &c.Bucket, &c.Count, &c.Reporters, &c.Witnesses); err != nil {
			return nil, fmt.Errorf("day counts: %w", err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("day counts: %w", err)
	}
	return out, nil
}

// disguised are the pseudonyms under other names, which hold within one cut only: two cuts cannot be joined by them.
func disguised(witnesses []byte, month string, cut int64) []byte {
	var ids []uint64
	for ; len(witnesses) >= witness; witnesses = witnesses[witness:] {
		h := sha256.New()
		_, _ = fmt.Fprintf(h, "%s/%d/", month, cut)
		_, _ = h.Write(witnesses[:witness])
		ids = append(ids, binary.BigEndian.Uint64(h.Sum(nil)))
	}
	slices.Sort(ids)
	var out []byte
	for _, id := range ids {
		out = binary.BigEndian.AppendUint64(out, id)
	}
	return out
}
