package disclosure

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"quietline/internal/errs"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// rounding is the rule by which shares are made (舍入规则).
const rounding = "largest_remainder"

// Keys with a meaning of their own.
const (
	hiddenKey  = "suppressed" // the sum of what is hidden
	unknownKey = "unknown"
)

// Bounds of a digest, far above what the axes have.
const (
	maxRows    = 1000
	maxReports = int64(1) << 40 // a thousand times this is still an int64
)

// figure is one row of a table while it is made.
type figure struct {
	key                string
	reports, reporters int64
	perMille           int32
	hidden             bool
}

// table checks a table of a digest and makes its rows: shares that add to 1,000 and figures that are hidden. Rows
// without reports say nothing and are left out.
func table(in *disclosurev1.DigestTable, total, minReporters int64) ([]figure, error) {
	path := "tables[" + in.GetAxis() + "]"
	if len(in.GetRows()) > maxRows {
		return nil, errs.Field(path, "must have at most %d rows", maxRows)
	}
	var rows []figure
	var sum int64
	seen := map[string]bool{}
	for _, r := range in.GetRows() {
		key := cmp.Or(r.GetKey(), unknownKey)
		switch {
		case len(key) > 60 || key == hiddenKey:
			return nil, errs.Field(path, "a key must have at most 60 bytes and not be %q", hiddenKey)
		case seen[key]:
			return nil, errs.Field(path, "key %s stands there twice", key)
		case r.GetReports() < 0 || r.GetReports() > maxReports || r.GetReporters() < 0 || r.GetReporters() > r.GetReports():
			return nil, errs.Field(path, "a row counts reports, and no more reporters than reports")
		}
		seen[key] = true
		sum += r.GetReports()
		if r.GetReports() > 0 {
			rows = append(rows, figure{key: key, reports: r.GetReports(), reporters: r.GetReporters()})
		}
	}
	if sum != total {
		return nil, errs.Field(path, "adds to %d reports and not to the total of %d", sum, total)
	}
	shares(rows, sum)
	hide(rows, minReporters)
	return rows, nil
}

// shares gives every row its share in tenths of a percent by largest remainder: each gets the whole part, and what is
// left goes one by one to the largest remainders, of equal ones to the larger row, then by key. They add to 1,000.
func shares(rows []figure, sum int64) {
	if sum == 0 {
		return
	}
	left := int64(1000)
	order := make([]int, len(rows))
	for i := range rows {
		whole := rows[i].reports * 1000 / sum
		rows[i].perMille = int32(whole)
		left -= whole
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		ra, rb := rows[a].reports*1000%sum, rows[b].reports*1000%sum
		return cmp.Or(cmp.Compare(rb, ra), cmp.Compare(rows[b].reports, rows[a].reports), cmp.Compare(rows[a].key, rows[b].key))
	})
	for _, i := range order[:left] {
		rows[i].perMille++
	}
}

// hide marks the rows of too few reporters. A single hidden row would be its table's total less the others, and the sum
// of a few tiny ones would itself be too small; so the next smallest are hidden with them until neither is so.
func hide(rows []figure, minReporters int64) {
	order := make([]int, len(rows))
	for i := range rows {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rows[a].reporters, rows[b].reporters), cmp.Compare(rows[a].reports, rows[b].reports),
			cmp.Compare(rows[a].key, rows[b].key))
	})
	var count, reporters int64
	for _, i := range order {
		r := &rows[i]
		enough := count == 0 || (count >= 2 && reporters >= minReporters)
		if r.reporters >= minReporters && enough {
			return
		}
		r.hidden = true
		count++
		reporters += r.reporters
	}
}

// titleOf fills in the title of a month, YYYY-MM.
func titleOf(pattern, month string) string {
	year, mon, _ := strings.Cut(month, "-")
	if n, err := strconv.Atoi(mon); err == nil {
		mon = strconv.Itoa(n) // 3月, not 03月
	}
	return strings.NewReplacer("{year}", year, "{month}", mon).Replace(pattern)
}
