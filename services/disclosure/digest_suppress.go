package disclosure

import (
	"cmp"
	"slices"

	"quietline/internal/tally"
)

// crowd is how many people stand behind figures, as far as a digest needs to know: counted up to tally.Most.
type crowd struct {
	known tally.Union
	loose int32 // of what has no reporters, such as marks: each is taken for one person's
}

func (c *crowd) size() int64 { return min(int64(c.known.Reporters())+int64(c.loose), tally.Most) }

func (c *crowd) join(o *crowd) {
	c.known.Join(&o.known)
	c.loose = min(c.loose+o.loose, tally.Most)
}

// cell is a figure of a table before anything is hidden.
type cell struct {
	key      string
	count    int64
	people   crowd
	children []*cell // figures of another table that add to this one
	columns  map[string]*cell
	buckets  map[int64]int64 // of a distribution: how often each value was seen
}

// group is a row of the public edition: one figure, or several in one sum so that a small one is not told.
type group []*cell

func (g group) count() (n int64) {
	for _, c := range g {
		n += c.count
	}
	return n
}

func (g group) people() *crowd {
	all := &crowd{}
	for _, c := range g {
		all.join(&c.people)
	}
	return all
}

// largest is the cell that the group is named after.
func (g group) largest() *cell {
	return slices.MaxFunc(g, func(a, b *cell) int { return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(b.key, a.key)) })
}

// small says whether every figure of the group is of too few people: then it has no name but theirs together.
func (g group) small(least int64) bool {
	return !slices.ContainsFunc(g, func(c *cell) bool { return c.people.size() >= least })
}

// grouped puts the figures of a table, which add to a total that everybody knows, into rows none of which is of fewer than
// least people.
//
// Figures of too few people go into one row together. That is enough when together they are of enough people, and when it
// does not follow, from each having fewer than least, what each has: two of nine and nine are nine each. Otherwise the
// smallest of the other figures takes them in, and its row says so: nothing large is hidden, and the total less the other
// rows is the row's sum and no more. A figure with a table of its own beneath it takes others in last, for that table would
// tell its share. With too few people in all, ok is false: then there is nothing that can be told.
func grouped(cells []*cell, least int64) (rows []group, ok bool) {
	var few, rest group
	var most int64 // reporters of the small figures, those of several counted several times
	for _, c := range cells {
		switch n := c.people.size(); {
		case c.count == 0:
		case n < least:
			few, most = append(few, c), most+n
		default:
			rest = append(rest, c)
		}
	}
	slices.SortFunc(rest, func(a, b *cell) int {
		return cmp.Or(cmp.Compare(len(a.children), len(b.children)), cmp.Compare(a.count, b.count), cmp.Compare(a.key, b.key))
	})
	if n := int64(len(few)); n > 0 {
		alone := n >= 2 && few.people().size() >= least
		open := most <= (least-1)*(n-1)+1
		switch {
		case alone && (open || len(rest) == 0):
			rows = append(rows, few)
		case len(rest) == 0:
			return nil, false
		default:
			rows = append(rows, append(few, rest[0]))
			rest = rest[1:]
		}
	}
	for _, c := range rest {
		rows = append(rows, group{c})
	}
	return rows, true
}

// asBefore joins rows until figures that earlier public versions told in one sum are in one sum again: otherwise the one
// version would tell what the other hides.
func asBefore(rows []group, before [][]string) []group {
	for _, together := range before {
		var joined group
		var others []group
		for _, g := range rows {
			if slices.ContainsFunc(g, func(c *cell) bool { return slices.Contains(together, c.key) }) {
				joined = append(joined, g...)
			} else {
				others = append(others, g)
			}
		}
		if len(joined) > 0 {
			others = append(others, joined)
			rows = others
		}
	}
	return rows
}
