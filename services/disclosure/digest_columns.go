package disclosure

import (
	"cmp"
	"slices"

	"quietline/internal/tally"
)

// part is a column of a table while it is decided which of its figures are told.
type part struct {
	least  int64
	column []*cell // nil where a row has no such figure
	// summed says that the sum of the column may be known from another table: then those that are not told are at least two,
	// of enough people together, and so is what they leave of what they are parts of.
	summed bool
	// forced says that the sum must not be known: then some figures are not told even where each may be.
	forced bool
	// kept are the rows whose figures an earlier public version did not tell.
	kept   []bool
	wholes []whole
}

// whole is a column that another is a part of, or the rows themselves.
type whole struct {
	rests  []*cell // what the part leaves of each row
	hidden []bool  // the rows of which the whole itself is not told
}

// few says whether a figure may not be told. Nothing at all is of nobody.
func (p *part) few(c *cell) bool { return c.count != 0 && c.people.size() < p.least }

// told says which figures may stand there: a figure is not told when it is of too few people, or when what it leaves of a
// whole that is told is. Of the others the smallest are not told either, as few as will do.
func (p *part) told() (hidden []bool) {
	hidden = make([]bool, len(p.column))
	var order []int
	for i, c := range p.column {
		if c == nil {
			continue
		}
		hidden[i] = p.few(c) || p.kept != nil && p.kept[i] || slices.ContainsFunc(p.wholes, func(w whole) bool { return !w.hidden[i] && p.few(w.rests[i]) })
		if !hidden[i] {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		none := func(i int) int { return map[bool]int{true: 1}[p.column[i].count == 0] } // a zero hides nothing behind it
		return cmp.Or(cmp.Compare(none(a), none(b)), cmp.Compare(p.column[a].people.size(), p.column[b].people.size()),
			cmp.Compare(p.column[a].count, p.column[b].count), cmp.Compare(a, b))
	})
	var besides []int
	for len(order) > 0 && !p.safe(hidden) {
		hidden[order[0]] = true
		besides, order = append(besides, order[0]), order[1:]
	}
	if !p.safe(hidden) {
		return hidden // nothing is told
	}
	for _, i := range slices.Backward(besides) { // what was hidden on the way and helps nothing is told
		if hidden[i] = false; !p.safe(hidden) {
			hidden[i] = true
		}
	}
	return hidden
}

// safe says whether what is known of the figures that are not told, by sums, is of enough people.
func (p *part) safe(hidden []bool) bool {
	if p.summed || p.forced {
		var all crowd
		n := 0
		for i, h := range hidden {
			if h && p.column[i].count != 0 {
				all.join(&p.column[i].people)
				n++
			}
		}
		if n == 0 && (p.forced || slices.Contains(hidden, true)) || n == 1 || n > 1 && all.size() < p.least {
			return false
		}
	}
	return !p.summed || !slices.ContainsFunc(p.wholes, func(w whole) bool { return !p.covers(w, hidden) })
}

// covers says whether what a part leaves of a whole is of enough people wherever the sums of both are known: over the rows
// of which the one is not told, and of which the other is not, or over all of these where they have one in common.
func (p *part) covers(w whole, hidden []bool) bool {
	of := func(in func(i int) bool) bool {
		var rest cell
		for i, c := range p.column {
			if c != nil && in(i) {
				rest.count += w.rests[i].count
				rest.people.join(&w.rests[i].people)
			}
		}
		return !p.few(&rest)
	}
	for i := range hidden {
		if hidden[i] && w.hidden[i] {
			return of(func(i int) bool { return hidden[i] || w.hidden[i] })
		}
	}
	return of(func(i int) bool { return hidden[i] }) && of(func(i int) bool { return w.hidden[i] })
}

// restOf is what a figure leaves of a whole, with who stands behind it: as the owner counted it, step by step, or else who
// stands behind the whole and not behind the figure. Where both have more people than are counted a rest of as many things
// as people are counted up to is taken for one of as many people.
func restOf(whole, figure *cell, steps []*cell) *cell {
	rest := &cell{count: whole.count - figure.count}
	var counted int64
	for _, s := range steps {
		counted += s.count
		rest.people.join(&s.people)
	}
	if counted == rest.count {
		return rest
	}
	rest.people = crowd{known: whole.people.known.Without(&figure.people.known)}
	if rest.count >= tally.Most {
		rest.people.loose = tally.Most
	}
	return rest
}

// fill writes a further column, behind those before it.
func (m *making) fill(s *sheet, rows []group, col column, public bool) {
	cells := make([]*cell, len(rows))
	for n, g := range rows {
		if len(g) != 1 || g[0].key != noAgency || col.joint == nil {
			cells[n] = m.figure(&s.table, g, col)
		}
	}
	hidden := make([]bool, len(rows))
	if public && col.kind != perUsers {
		p := m.partOf(s, rows, col, cells)
		if col.bounds != "" {
			p.keep(m.bounding(s, rows, col, cells))
		}
		hidden = p.told()
	}
	s.made = append(s.made, made{cells, hidden})
	for n := range s.rows {
		var v *int64
		if cells[n] != nil && !hidden[n] {
			v = m.value(rows[n], cells[n], col)
		}
		s.rows[n].figures = append(s.rows[n].figures, v)
		s.rows[n].hidden = append(s.rows[n].hidden, hidden[n])
	}
}

// bounding says of which rows a figure would tell another that is not told: what is done with, of as many tasks as were
// given, leaves no room for what was sent back.
func (m *making) bounding(s *sheet, rows []group, col column, cells []*cell) []bool {
	other := s.columns[slices.IndexFunc(s.columns, func(c column) bool { return c.code == col.bounds })]
	figures := make([]*cell, len(rows))
	for n, g := range rows {
		figures[n] = m.figure(&s.table, g, other)
	}
	out := m.partOf(s, rows, other, figures).told()
	for n, g := range rows {
		room := g.count() - cells[n].count
		out[n] = out[n] && max(room, -room) < m.least
	}
	return out
}

// keep keeps more figures from being told.
func (p *part) keep(rows []bool) {
	if p.kept == nil {
		p.kept = make([]bool, len(rows))
	}
	for i, r := range rows {
		p.kept[i] = p.kept[i] || r
	}
}

// made is a column as it was decided, for those that are parts of it.
type made struct {
	cells  []*cell
	hidden []bool
}

// partOf is a column with the columns that it is a part of, row by row.
func (m *making) partOf(s *sheet, rows []group, col column, cells []*cell) *part {
	p := &part{least: m.least, column: cells, summed: col.summed || col.joint != nil, kept: m.keptOf(s, rows, col)}
	if col.joint != nil {
		var sum int64
		for _, c := range cells {
			if c != nil {
				sum += c.count
			}
		}
		p.forced = !m.jointly(col, sum)
	}
	for _, of := range col.within {
		w := whole{rests: make([]*cell, len(rows)), hidden: make([]bool, len(rows))}
		at := slices.IndexFunc(s.columns, func(c column) bool { return c.code == of })
		if at >= 0 {
			w.hidden = s.made[at].hidden
		}
		for n, g := range rows {
			if cells[n] == nil {
				continue
			}
			all := &cell{count: g.count(), people: *g.people()}
			if at >= 0 {
				all = s.made[at].cells[n]
			}
			w.rests[n] = restOf(all, cells[n], m.steps(s, g, col, of))
		}
		p.wholes = append(p.wholes, w)
	}
	return p
}

// steps are what a column leaves of a whole, as the owner counted it: of the column that it is the next part of, of what that
// is a part of, and so on up to the whole.
func (m *making) steps(s *sheet, g group, col column, whole string) (out []*cell) {
	for {
		out = append(out, m.figure(&s.table, g, column{code: "-" + col.code}))
		of := col.within[len(col.within)-1]
		if of == whole {
			return out
		}
		col = s.columns[slices.IndexFunc(s.columns, func(c column) bool { return c.code == of })]
	}
}

// keptOf says of which rows an earlier public version did not tell the figure: what it hid is told by none that comes later.
func (m *making) keptOf(s *sheet, rows []group, col column) []bool {
	untold := m.untold[rowKey(s.axis, []string{col.code})]
	if len(untold) == 0 {
		return nil
	}
	out := make([]bool, len(rows))
	for n, g := range rows {
		out[n] = slices.ContainsFunc(g, func(c *cell) bool { return untold[c.key] })
	}
	return out
}
