package disclosure

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"quietline/internal/digestdoc"
	commonv1 "quietline/proto/quietline/common/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
)

const leastPeople = 10

// figures of a made-up month, as owners serve them.
type madeUp struct {
	rows []owned
}

type owned struct {
	owner string
	*commonv1.DayCount
}

// add counts n more with some people, who are known by small numbers.
func (m *madeUp) add(at source, key, column string, n int64, people []int) {
	seen := map[int]bool{}
	var ids []int
	for _, p := range people {
		if !seen[p] {
			seen[p] = true
			ids = append(ids, p)
		}
	}
	slices.Sort(ids)
	row := owned{at.owner, &commonv1.DayCount{Day: "2026-10-01", Unit: at.unit, Axis: at.axis, Key: key, Column: column, Count: n}}
	row.Reporters = int32(min(len(ids), 32))
	if len(ids) < 32 {
		for _, id := range ids {
			row.Witnesses = binary.BigEndian.AppendUint64(row.Witnesses, uint64(id)+1<<40)
		}
	}
	m.rows = append(m.rows, row)
}

// page draws a page of figures: many small ones, a few large ones, people who reported more than once and in several rows.
func page(t *rapid.T) *madeUp {
	m := &madeUp{}
	type axis struct {
		name string
		keys []string
	}
	axes := []axis{
		{"category", []string{"commercial", "malicious", "criminal", "unknown"}},
		{"sector", []string{"a", "b", "c", "d", "e", "f", "g"}},
		{"number_kind", []string{"landline", "mobile", "mobile/170", "mobile/171", "mobile/162", "code400"}},
		{"relapse", []string{"relapse", "first"}},
	}
	people := rapid.IntRange(1, 60).Draw(t, "people")
	reports := rapid.IntRange(people, people*3).Draw(t, "reports")
	once := rapid.Bool().Draw(t, "each reports once")
	if once {
		reports = people
	}
	who := make([]int, reports)
	for i := range who {
		who[i] = i % people
	}
	m.add(source{"reporting", inReports, "total"}, "verified", "", int64(reports), who)
	for _, a := range axes {
		cells := map[string][]int{}
		skew := rapid.IntRange(1, 4).Draw(t, "skew of "+a.name)
		for _, p := range who {
			k := rapid.IntRange(0, len(a.keys)*skew-1).Draw(t, "key") / skew * rapid.IntRange(0, 1).Draw(t, "not the first")
			cells[a.keys[min(k, len(a.keys)-1)]] = append(cells[a.keys[min(k, len(a.keys)-1)]], p)
		}
		for _, key := range a.keys {
			if n := len(cells[key]); n > 0 {
				m.add(source{"reporting", inReports, a.name}, key, "", int64(n), cells[key])
			}
		}
		if a.name == "category" {
			for _, p := range cells["commercial"] {
				f := rapid.SampledFrom([]string{"substantiated", "not_substantiated", "open"}).Draw(t, "finding")
				m.find(f, p)
			}
		}
	}
	m.numbers(t)
	m.agencies(t, people*4, 0)
	return m
}

// numbers draws of each kind no more numbers than reports.
func (m *madeUp) numbers(t *rapid.T) {
	for _, r := range slices.Clone(m.rows) {
		if r.GetUnit() == inReports && r.GetAxis() == "number_kind" {
			n := owned{r.owner, proto.CloneOf(r.DayCount)}
			n.Unit, n.Count = inNumbers, int64(rapid.IntRange(1, int(r.GetCount())).Draw(t, "numbers"))
			m.rows = append(m.rows, n)
		}
	}
}

// find counts one more finding on a marketing call.
func (m *madeUp) find(finding string, p int) {
	at := source{"reporting", inReports, "category_finding"}
	for i, r := range m.rows {
		if r.Axis == at.axis && r.Key == "commercial/"+finding {
			id := binary.BigEndian.AppendUint64(nil, uint64(p)+1<<40)
			m.rows[i].Count++
			if !slices.ContainsFunc(slices.Collect(slices.Chunk(r.Witnesses, 8)), func(w []byte) bool { return bytes.Equal(w, id) }) && r.Reporters < 31 {
				m.rows[i].Reporters++
				m.rows[i].Witnesses = append(m.rows[i].Witnesses, id...)
			}
			return
		}
	}
	m.add(at, "commercial/"+finding, "", 1, []int{p})
}

func (m *madeUp) making() *making {
	s := newMonth()
	for _, r := range m.rows {
		s.add(r.owner, r.DayCount)
	}
	return &making{sums: s.sums, names: map[string]string{}, users: map[string]int64{}, least: leastPeople}
}

// edition is the public edition of what is made, as the gateway has it.
func (m *making) edition(month string, version int32) (*disclosurev1.Digest, map[string]*sheet) {
	d := &disclosurev1.Digest{Month: month, Version: version, Edition: publicEdition}
	sheets := map[string]*sheet{}
	for i := range tables {
		s := m.public(&tables[i])
		sheets[s.axis] = s
		t := &disclosurev1.DigestTable{Axis: s.axis, Title: s.title, UnitName: unitNames[s.unit], ShareKind: s.share, Total: s.total}
		for _, c := range s.columns {
			t.Columns = append(t.Columns, &disclosurev1.DigestColumn{Code: c.code, Decimals: c.decimals})
		}
		for _, r := range s.rows {
			row := &disclosurev1.DigestRow{Key: r.key, Label: r.label, Reports: r.count, PerMille: r.perMille}
			for n := range r.figures {
				row.Values = append(row.Values, &disclosurev1.DigestValue{Value: r.figures[n], Hidden: r.hidden[n]})
			}
			t.Rows = append(t.Rows, row)
		}
		d.Tables = append(d.Tables, t)
	}
	for _, g := range m.goals(true) {
		d.Indicators = append(d.Indicators, &disclosurev1.DigestIndicator{Code: g.code, PerMille: g.perMille, Reports: g.reports})
	}
	return d, sheets
}

// attack is all that the CSV says, as equations. Which figures a row joins, the attacker is told besides.
func attack(t interface{ Fatalf(string, ...any) }, s *system, d *disclosurev1.Digest, members func(axis, key string) []string) {
	var file bytes.Buffer
	if err := digestdoc.CSV(&file, d); err != nil {
		t.Fatalf("%v", err)
	}
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.String(), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, l := range lines[1:] {
		axis, key, column, value := l[3], l[10], l[12], l[13]
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil { // not told, not there, or a rate, which the figures shown give as well
			continue
		}
		var of []string
		switch {
		case axis == "goals" && key == goalCompliance:
			of = []string{"category_finding/commercial/substantiated", "category_finding/commercial/not_substantiated"}
		case axis == "goals":
			of = []string{"category/malicious", "category/criminal"}
		case key == "total":
			of = members(axis, "")
		default:
			of = members(axis, key)
		}
		name := map[string]string{"segment": "number_kind/mobile/"}[axis]
		for i := range of {
			switch {
			case axis == "goals":
			case name != "":
				of[i] = name + of[i]
			default:
				of[i] = axis + "/" + of[i]
			}
			if column != "count" && axis != "goals" {
				of[i] += "/" + column
			}
		}
		s.known(n, of...)
	}
}

// structure is what everybody knows of how figures hang together.
func (m *making) structure(s *system) {
	var segments []string
	for _, c := range values(m.sums[source{"reporting", inReports, "number_kind"}]) {
		if _, seg, ok := strings.Cut(c.key, "/"); ok {
			segments = append(segments, "number_kind/mobile/"+seg)
		}
	}
	equal := func(whole string, parts []string) { // whole - parts = 0
		e := equation{of: map[int]int64{s.variable(whole): 1}}
		for _, p := range parts {
			e.of[s.variable(p)] = -1
		}
		s.rows = append(s.rows, e)
	}
	if len(segments) > 0 {
		equal("number_kind/"+resale, segments)
	}
	if m.sums[source{"reporting", inReports, "category"}]["commercial"] != nil {
		var parts []string
		for key := range m.sums[source{"reporting", inReports, "category_finding"}] {
			parts = append(parts, "category_finding/"+key)
		}
		equal("category/commercial", parts)
	}
	seen := map[string]bool{}
	for key := range m.sums[source{"reporting", inNumbers, "number_kind"}] { // no more numbers than reports
		kind, _, segment := strings.Cut(key, "/")
		if segment {
			kind = resale
		}
		if key == kind || !seen[kind] {
			seen[kind] = true
			equal("number_kind/"+kind, []string{"number/" + kind, "number_kind/" + kind + " again"})
		}
	}
	m.structureOfAgencies(s, equal)
}

// secrets are the figures of too few people, by their names in the system, with what they are.
func (m *making) secrets() map[string]int64 {
	out := map[string]int64{}
	for at, cells := range m.sums {
		axis := at.axis
		for key, c := range cells {
			switch {
			case axis == "total":
				continue
			case at.unit == inComplaints && !strings.HasPrefix(axis, "complaint_") && axis != "agency":
				axis = "complaint_" + axis
			}
			if c.count > 0 && c.people.size() < m.least && (at.unit == inReports || at.unit == inComplaints) {
				out[axis+"/"+key] = c.count
			}
			for code, col := range c.columns {
				if col.count > 0 && col.people.size() < m.least && !strings.HasPrefix(code, "-") {
					out[axis+"/"+key+"/"+code] = col.count
				}
			}
			if axis == "agency" && key != noAgency {
				m.lessSecrets(out, c)
			}
		}
	}
	return out
}

// lessSecrets are what the columns of an agency leave of those that they are parts of, where that is of too few people.
func (m *making) lessSecrets(out map[string]int64, c *cell) {
	agencies := tableOf("agency")
	for _, col := range agencies.columns {
		if c.columns[col.code] == nil && c.columns["-"+col.code] == nil {
			continue
		}
		for _, of := range col.within {
			all, s := c, &sheet{table: *agencies}
			if of != "" {
				all = c.column(of)
			}
			if rest := restOf(all, c.column(col.code), m.steps(s, group{c}, col, of)); rest.count > 0 && rest.people.size() < m.least {
				out[strings.TrimSuffix("agency/"+c.key+"/"+of, "/")+" less "+col.code] = rest.count
			}
		}
	}
}

func membersOf(m *making, sheets map[string]*sheet) func(axis, key string) []string {
	return func(axis, key string) []string {
		var out []string
		if key == "" { // the total is of all figures that there are, told or not
			for _, c := range m.sums.cells(tableOf(axis)) {
				out = append(out, c.key)
			}
			return out
		}
		for _, r := range sheets[axis].rows {
			if r.key == key {
				out = append(out, r.members...)
			}
		}
		return out
	}
}

// hold fails when a secret follows from what is known, or is known to within fewer than as many as there must be people.
func hold(t interface{ Fatalf(string, ...any) }, s *system, m *making, secrets map[string]int64) {
	protection := big.NewRat(m.least, 1)
	for name, is := range secrets {
		if _, ok := s.names[name]; !ok {
			continue // nothing at all is said of it
		}
		low, high, open, ok := s.bounds(name)
		if !ok {
			t.Fatalf("what is published contradicts itself around %s", name)
		}
		if low.Cmp(big.NewRat(is, 1)) > 0 || !open && high.Cmp(big.NewRat(is, 1)) < 0 {
			t.Fatalf("%s is %d and not within %s to %v", name, is, low, high)
		}
		if !open && new(big.Rat).Sub(high, low).Cmp(protection) < 0 {
			t.Fatalf("%s = %d follows to within %s to %s", name, is, low.RatString(), high.RatString())
		}
	}
}

// No figure of too few people follows from the CSV by linear algebra, whatever the figures are.
func TestPublic_suppressedFiguresCannotBeSolvedFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := page(t).making()
		d, sheets := m.edition("2026-10", 1)
		s := &system{}
		attack(t, s, d, membersOf(m, sheets))
		m.structure(s)
		hold(t, s, m, m.secrets())
	})
}
