package disclosure

import (
	"slices"

	"quietline/internal/tally"
)

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
	ofHandled       = &relation{"complaint_outcome", doneWith, append(slices.Clone(notTrue), "no_measure", "open", "not_found", "forged", "transferred")}
	ofDisclosed     = &relation{"complaint_outcome", nil, notTrue}
	ofAny           = &relation{axis: "complaint_outcome"}
	ofReopened      = &relation{"complaint_relapse", []string{"reopened"}, []string{"not_reopened"}}

	doneWith  = []string{"handled", "penalty", "measures", "case", "measures_and_case", "case_no_penalty"}
	foundTrue = append(slices.Clone(doneWith), "no_measure")
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

// jointly says whether the sum of a column may be known beside the public edition of the other table: no row of that joins
// what is in the column with what is not, for then the sum would part them; and what of those that may be in it is, and what
// is not, is not of too few.
func (m *making) jointly(col column, sum int64) bool {
	r := col.joint
	rows, ok := m.rowsOf(tableOf(r.axis))
	if !ok {
		return false
	}
	var of [3]int64
	in, left := &cell{}, &cell{} // of those that may be in the column, as the owner counted them
	for _, g := range rows {
		class := r.class(g[0].key)
		if slices.ContainsFunc(g, func(c *cell) bool { return r.class(c.key) != class }) {
			return false
		}
		of[class] += g.count()
		for _, c := range g {
			if class == mixed {
				in.take(c.columns[col.code])
				left.take(c.columns["-"+col.code])
			}
		}
	}
	return m.many(in, sum-of[within]) && m.many(left, of[within]+of[mixed]-sum)
}

// take adds another figure.
func (c *cell) take(o *cell) {
	if o != nil {
		c.count += o.count
		c.people.join(&o.people)
	}
}

// many says whether a difference may be told: it is nothing, or what the owner counted, of enough people; or as many things
// as people are counted up to.
func (m *making) many(counted *cell, difference int64) bool {
	return difference == 0 || difference == counted.count && counted.people.size() >= m.least || difference >= tally.Most
}
