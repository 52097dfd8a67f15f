package disclosure

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"quietline/internal/tally"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

// Editions.
const (
	publicEdition   = "public"
	internalEdition = "internal"
)

// sheet is a table of an edition as it is shown.
type sheet struct {
	table
	rows  []line
	total *int64
	made  []made // its further columns, one by one
}

// line is a row of it.
type line struct {
	key, label       string
	members          []string
	count, reporters int64
	perMille         int32
	figures          []*int64
	hidden           []bool
}

// sums are the figures of a month, by where an owner keeps them and by key.
type sums map[source]map[string]*cell

// monthly adds the days of a month up, and hashes what it adds: one line for each count, in canonical order.
type monthly struct {
	sums sums
	cut  hash.Hash
	line []byte
}

func newMonth() *monthly { return &monthly{sums: sums{}, cut: sha256.New()} }

func (m *monthly) hash() string { return hex.EncodeToString(m.cut.Sum(nil)) }

// page adds a page as it was frozen.
func (m *monthly) page(owner string, body []byte) error {
	var page disclosurev1.FreezeCountsRequest
	if err := proto.Unmarshal(body, &page); err != nil {
		return fmt.Errorf("frozen page of %s: %w", owner, err)
	}
	for _, c := range page.GetCounts() {
		m.add(owner, c)
	}
	return nil
}

func (m *monthly) add(owner string, c *commonv1.DayCount) {
	line := m.line[:0]
	for _, text := range []string{owner, c.GetDay(), c.GetUnit(), c.GetAxis(), c.GetKey(), c.GetColumn()} {
		line = append(append(line, text...), '\t')
	}
	for _, n := range []int64{c.GetBucket(), c.GetCount(), int64(c.GetReporters())} {
		line = append(strconv.AppendInt(line, n, 10), '\t')
	}
	line = append(hex.AppendEncode(line, c.GetWitnesses()), '\n')
	_, _ = m.cut.Write(line)
	m.line = line

	at := m.sums.cell(source{owner, c.GetUnit(), c.GetAxis()}, c.GetKey())
	if c.GetColumn() != "" {
		at = at.column(c.GetColumn())
	}
	if c.GetUnit() == "minutes" {
		if at.buckets == nil {
			at.buckets = map[int64]int64{}
		}
		at.buckets[c.GetBucket()] += c.GetCount()
	}
	at.count += c.GetCount()
	at.people.known.Add(c.GetReporters(), c.GetWitnesses())
	if c.GetUnit() == inMarks {
		at.people.loose = int32(min(int64(at.people.loose)+c.GetCount(), tally.Most)) //nolint:gosec // at most that
	}
}

func (s sums) cell(at source, key string) *cell {
	if s[at] == nil {
		s[at] = map[string]*cell{}
	}
	c := s[at][key]
	if c == nil {
		c = &cell{key: key}
		s[at][key] = c
	}
	return c
}

func (c *cell) column(code string) *cell {
	if c.columns == nil {
		c.columns = map[string]*cell{}
	}
	if c.columns[code] == nil {
		c.columns[code] = &cell{key: c.key}
	}
	return c.columns[code]
}

// cells are the figures of a table, the largest first.
func (s sums) cells(t *table) []*cell {
	var out []*cell
	for _, c := range s[t.from] {
		if t.main != "" {
			main := c.column(t.main)
			main.columns = c.columns
			c = main
		}
		if c.count > 0 || len(c.columns) > 0 {
			out = append(out, c)
		}
	}
	if t.shape == kinds || t.shape == segments {
		out = family(out)
		if t.from.unit == inNumbers {
			s.reportersOf(out)
		}
	}
	if t.shape == segments {
		at := slices.IndexFunc(out, func(c *cell) bool { return c.key == resale })
		if at < 0 {
			return nil
		}
		out = out[at].children
	}
	inOrder(out)
	return out
}

func inOrder(cells []*cell) {
	slices.SortFunc(cells, func(a, b *cell) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.key, b.key)) })
}

// family puts the segments of resale operators (mobile/170) beneath one figure that is their sum.
func family(cells []*cell) []*cell {
	var out []*cell
	parent := &cell{key: resale}
	for _, c := range cells {
		_, segment, ok := strings.Cut(c.key, "/")
		if !ok {
			out = append(out, c)
			continue
		}
		parent.children = append(parent.children, &cell{key: segment, count: c.count, people: c.people})
		parent.count += c.count
		parent.people.join(&c.people)
	}
	if parent.count > 0 {
		inOrder(parent.children)
		out = append(out, parent)
	}
	return out
}

// reportersOf gives numbers the people who reported numbers of their kind: a number is counted on one day, its reporters on
// every day that they report.
func (s sums) reportersOf(numbers []*cell) {
	for _, r := range family(values(s[source{"reporting", inReports, "number_kind"}])) {
		for _, n := range numbers {
			if n.key == r.key {
				n.people = r.people
			}
		}
	}
}

func values(m map[string]*cell) []*cell {
	var out []*cell
	for _, c := range m {
		out = append(out, c)
	}
	return out
}

// making is what the tables of a digest are made from.
type making struct {
	sums  sums
	names map[string]string
	users map[string]int64 // by operator
	least int64
	// before has, by axis, the rows of earlier public versions that told several figures in one sum.
	before map[string][][]string
	// untold has, by axis and column, the keys of figures that earlier public versions did not tell.
	untold map[string]map[string]bool
}

// internal is a table complete.
func (m *making) internal(t *table) *sheet {
	var rows []group
	for _, c := range m.sums.cells(t) {
		rows = append(rows, group{c})
	}
	return m.sheet(t, rows, false)
}

// public is a table with nothing in it of fewer people than may be told. Without rows nothing can be told.
func (m *making) public(t *table) *sheet {
	cells := m.sums.cells(t)
	if t.shape == loose {
		cells = slices.DeleteFunc(cells, func(c *cell) bool { return c.people.size() < m.least })
		var rows []group
		for _, c := range cells {
			rows = append(rows, group{c})
		}
		return m.sheet(t, rows, true)
	}
	if t.shape == segments && !m.told("number_kind", resale) {
		return m.sheet(t, nil, true)
	}
	rows, _ := m.rowsOf(t)
	return m.sheet(t, rows, true)
}

// rowsOf are the rows of the public edition of a table; ok is false where nothing can be told.
func (m *making) rowsOf(t *table) (rows []group, ok bool) {
	cells := m.sums.cells(t)
	if t.like != "" {
		if rows, ok = m.rowsLike(t, cells); ok {
			return rows, true
		}
	}
	rows, ok = grouped(cells, m.least)
	if !ok {
		return nil, false
	}
	return asBefore(rows, m.before[t.axis]), true
}

// rowsLike are the rows of a table whose figures bound those of another from below: there is no more than one number a
// report. Together they tell no more than the other when the same keys stand in the same rows.
func (m *making) rowsLike(t *table, cells []*cell) (rows []group, ok bool) {
	other, ok := m.rowsOf(tableOf(t.like))
	if !ok {
		return nil, false
	}
	var joined [][]string
	for _, g := range other {
		var keys []string
		for _, c := range g {
			keys = append(keys, c.key)
		}
		joined = append(joined, keys)
	}
	for _, c := range cells {
		rows = append(rows, group{c})
	}
	rows = asBefore(asBefore(rows, joined), m.before[t.axis])
	return rows, !slices.ContainsFunc(rows, func(g group) bool { return g.people().size() < m.least })
}

// told says whether a key has a row of its own in the public edition of a table.
func (m *making) told(axis, key string) bool {
	rows, ok := m.rowsOf(tableOf(axis))
	return ok && slices.ContainsFunc(rows, func(g group) bool { return len(g) == 1 && g[0].key == key })
}

func (m *making) sheet(t *table, rows []group, public bool) *sheet {
	out := &sheet{table: *t}
	out.columns = m.columnsOf(t)
	slices.SortFunc(rows, func(a, b group) int {
		return cmp.Or(cmp.Compare(b.count(), a.count()), cmp.Compare(a.largest().key, b.largest().key))
	})
	var sum int64
	for _, g := range rows {
		out.rows = append(out.rows, m.line(t, g))
		sum += g.count()
	}
	keysOnce(out.rows)
	if t.share == exclusive {
		share(out.rows, sum)
		if len(rows) > 0 || !public {
			out.total = &sum
		}
	}
	for _, col := range out.columns {
		m.fill(out, rows, col, public)
	}
	return out
}

// columnsOf are the columns that there is anything for.
func (m *making) columnsOf(t *table) []column {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool { return c.kind == perUsers && len(m.users) == 0 })
}

func (m *making) line(t *table, g group) line {
	l := line{count: g.count(), reporters: g.people().size(), label: labelOfGroup(g, t.vocabulary, m.least, m.names), key: g.largest().key}
	for _, c := range g {
		l.members = append(l.members, c.key)
	}
	slices.Sort(l.members)
	switch {
	case len(g) == 1:
	case g.small(m.least):
		l.key = othersKey
	default:
		l.key += "+" + othersKey
	}
	return l
}

// keysOnce keeps the keys of rows apart.
func keysOnce(rows []line) {
	seen := map[string]int{}
	for i := range rows {
		seen[rows[i].key]++
		if n := seen[rows[i].key]; n > 1 {
			rows[i].key += fmt.Sprintf("-%d", n)
		}
	}
}
