package disclosure

import "slices"

// noAgency is the row of complaints that no agency leads; columns of agencies say nothing of it.
const noAgency = "none"

// relation is what everybody knows of a column whose sum is made of rows of another table: which of them are in it, and
// which are not. The others may be.
type relation struct {
	axis    string
	in, out []string
}

// How the columns of agencies hang together with what became of complaints.
var (
	ofAccepted = &relation{"complaint_outcome", append(slices.Clone(foundTrue), "not_substantiated", "no_evidence", "not_found", "forged", "transferred"),
		[]string{"not_accepted"}}
	ofVerified      = &relation{"complaint_outcome", append(slices.Clone(foundTrue), "not_substantiated", "no_evidence"), []string{"not_accepted"}}
	ofSubstantiated = &relation{"complaint_outcome", foundTrue, notTrue}
	ofHandled       = &relation{"complaint_outcome", []string{"handled", "measures", "measures_and_case"}, append(slices.Clone(notTrue), "no_measure")}
	ofDisclosed     = &relation{"complaint_outcome", nil, notTrue}
	ofAny           = &relation{axis: "complaint_outcome"}
	ofReopened      = &relation{"complaint_relapse", []string{"reopened"}, []string{"not_reopened"}}

	foundTrue = []string{"handled", "penalty", "no_measure", "measures", "case", "measures_and_case", "case_no_penalty"}
	notTrue   = []string{"not_accepted", "not_substantiated", "no_evidence"}
)

// classes are what a figure of the other table is to the column.
const (
	mixed = iota
	within
	without
)

func (r *relation) class(key string) int {
	switch {
	case slices.Contains(r.in, key):
		return within
	case slices.Contains(r.out, key):
		return without
	}
	return mixed
}

// jointly says whether a column with some sum may stand beside the public edition of the other table: no row of that joins
// what is in the column with what is not, for then the sum would part them; and what is left of the sum, and of what could
// be in it, is not of too few.
func (m *making) jointly(r *relation, sum int64) bool {
	at := slices.IndexFunc(tables, func(t table) bool { return t.axis == r.axis })
	rows, ok := grouped(m.sums.cells(&tables[at]), m.least)
	if !ok {
		return false
	}
	var of [3]int64
	for _, g := range asBefore(rows, m.before[r.axis]) {
		class := r.class(g[0].key)
		if slices.ContainsFunc(g, func(c *cell) bool { return r.class(c.key) != class }) {
			return false
		}
		of[class] += g.count()
	}
	return !tooFew(sum-of[within]) && !tooFew(of[within]+of[mixed]-sum)
}
