package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// NewMark is a source's statement for a number, day and label.
type NewMark struct {
	Number string
	Day    time.Time
	Label  string
	Count  int64
}

// The rows of a request lie in a table of the session's own, which its commit empties. Its texts are bounded so that it
// needs no table for long ones. They are merged in the order of the key: two requests with rows in common wait for each
// other and never mutually.
const (
	stageMarksSQL = `CREATE TEMPORARY TABLE IF NOT EXISTS mark_stated (number varchar(64) COLLATE "C" NOT NULL, day date NOT NULL,
    label varchar(64) COLLATE "C" NOT NULL, count bigint NOT NULL) ON COMMIT DELETE ROWS`

	mergeMarksSQL = `INSERT INTO mark AS m (number, day, source, label, count, stated_at)
SELECT number, day, $1::text, label, count, $2::timestamptz FROM mark_stated ORDER BY number, day, label
ON CONFLICT (number, day, source, label) DO UPDATE SET count = excluded.count, stated_at = excluded.stated_at
WHERE m.stated_at <= excluded.stated_at`
)

var markColumns = []string{"number", "day", "label", "count"}

// MergeMarks writes the statements of a source, which are sorted and free of repeats, and says how many stand: all but
// those that a newer one on record stands against.
func MergeMarks(ctx context.Context, tx pgx.Tx, source string, asOf time.Time, marks []NewMark) (int64, error) {
	if _, err := tx.Exec(ctx, stageMarksSQL); err != nil {
		return 0, fmt.Errorf("stage marks: %w", err)
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"mark_stated"}, markColumns, pgx.CopyFromSlice(len(marks), func(i int) ([]any, error) {
		m := &marks[i]
		return []any{m.Number, m.Day, m.Label, m.Count}, nil
	}))
	if err != nil {
		return 0, fmt.Errorf("copy marks: %w", err)
	}
	tag, err := tx.Exec(ctx, mergeMarksSQL, source, asOf)
	if err != nil {
		return 0, fmt.Errorf("merge marks: %w", err)
	}
	return tag.RowsAffected(), nil
}
