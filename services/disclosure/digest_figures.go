package disclosure

import (
	"cmp"
	"math"
	"slices"
)

// figure is what a column of a row is made from: the owner's figures of all that the row stands for, with who is behind them.
func (m *making) figure(t *table, g group, col column) *cell {
	out := &cell{}
	add := func(c *cell) {
		if c == nil {
			return
		}
		out.count += c.count
		out.people.join(&c.people)
		for v, n := range c.buckets {
			if out.buckets == nil {
				out.buckets = map[int64]int64{}
			}
			out.buckets[v] += n
		}
	}
	for _, c := range g {
		switch col.kind {
		case counted:
			add(c.columns[col.code])
		case median:
			add(m.sums[source{t.from.owner, "minutes", t.from.axis}][c.key])
			for _, column := range []string{"decided", "bounced"} { // spans have nobody behind them but those
				if d := c.columns[column]; d != nil {
					out.people.join(&d.people)
				}
			}
		case sumOfYuan:
			add(m.sums[source{t.from.owner, "fen", t.from.axis}][c.key])
		case perUsers:
			add(c)
		}
	}
	return out
}

// value is the figure as it is shown; nil where there is none.
func (m *making) value(g group, c *cell, col column) *int64 {
	switch col.kind {
	case median:
		return medianDays(c.buckets)
	case perUsers:
		if len(g) != 1 || m.users[g[0].key] == 0 {
			return nil
		}
		v := roundedDiv(c.count*10_000*100, m.users[g[0].key])
		return &v
	default:
		return &c.count
	}
}

// medianDays is the median of minutes in tenths of a day of 24 hours, rounded half up; of an even number the lower one.
func medianDays(minutes map[int64]int64) *int64 {
	var all int64
	var seen []int64
	for v, n := range minutes {
		all += n
		seen = append(seen, v)
	}
	if all == 0 {
		return nil
	}
	slices.Sort(seen)
	var below int64
	for _, v := range seen {
		if below += minutes[v]; below >= (all+1)/2 {
			days := roundedDiv(v*10, 24*60)
			return &days
		}
	}
	return nil
}

// roundedDiv divides two numbers that are not negative, half up.
func roundedDiv(a, b int64) int64 { return (a + b/2) / b }

// change is the change of a figure in tenths of a percent, half away from zero; nil where there was nothing.
func change(now, before int64) *int32 {
	if before <= 0 {
		return nil
	}
	v := math.Round(float64(now-before) * 1000 / float64(before))
	if math.Abs(v) > math.MaxInt32 {
		return nil
	}
	out := int32(v)
	return &out
}

// share gives every row its share in tenths of a percent by largest remainder: each gets the whole part, and what is left
// goes one by one to the largest remainders, of equal ones to the larger row, then by key. They add to 1,000.
func share(rows []line, sum int64) {
	if sum == 0 {
		return
	}
	left := int64(1000)
	order := make([]int, len(rows))
	for i := range rows {
		whole := rows[i].count * 1000 / sum
		rows[i].perMille = int32(whole)
		left -= whole
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		ra, rb := rows[a].count*1000%sum, rows[b].count*1000%sum
		return cmp.Or(cmp.Compare(rb, ra), cmp.Compare(rows[b].count, rows[a].count), cmp.Compare(rows[a].key, rows[b].key))
	})
	for _, i := range order[:left] {
		rows[i].perMille++
	}
}
