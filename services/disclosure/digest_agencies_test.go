package disclosure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// agencies draws what became of the complaints of some agencies, each with a reporter and up to some others, and of those
// that have no agency.
func (m *madeUp) agencies(t *rapid.T, people, others int) {
	outcomes := []string{"not_accepted", "not_substantiated", "no_measure", "measures", "open"}
	count := func(axis, key, column string, is []complaint) {
		var who []int
		for _, c := range is {
			who = append(who, c.people...)
		}
		if len(is) > 0 {
			m.add(source{"reporting", inComplaints, axis}, key, column, int64(len(is)), who)
		}
	}
	var all []complaint
	parts := map[string][]complaint{}
	for i := range rapid.IntRange(0, 4).Draw(t, "agencies") {
		agency := "none"
		if i > 0 {
			agency = fmt.Sprintf("agency-%d", i)
		}
		often := rapid.SliceOfN(rapid.SampledFrom(outcomes), 1, 6).Draw(t, "outcomes")
		var own []complaint
		for range rapid.IntRange(1, 150).Draw(t, "complaints") {
			c := complaint{outcome: rapid.SampledFrom(often).Draw(t, "outcome"), people: []int{rapid.IntRange(1, people).Draw(t, "person")}}
			for range rapid.IntRange(0, others).Draw(t, "others") {
				c.people = append(c.people, rapid.IntRange(1, people).Draw(t, "other"))
			}
			c.reopened = rapid.IntRange(0, 3).Draw(t, "reopened") == 0
			if agency == "none" { // what nobody leads has gone no step yet
				c.outcome, c.reopened = rapid.SampledFrom([]string{"open", "not_accepted"}).Draw(t, "outcome of nobody's"), false
			}
			own = append(own, c)
		}
		all = append(all, own...)
		count("agency", agency, "", own)
		led := agency != "none"
		for _, step := range stepsOf {
			for _, o := range outcomes {
				of := filter(own, func(c complaint) bool { return c.outcome == o })
				parts["outcome/"+o+"/"+step.column] = append(parts["outcome/"+o+"/"+step.column], filter(of, func(c complaint) bool { return led && step.is(c) })...)
				parts["outcome/"+o+"/-"+step.column] = append(parts["outcome/"+o+"/-"+step.column], filter(of, func(c complaint) bool { return !led || !step.is(c) })...)
			}
			if led {
				count("agency", agency, step.column, filter(own, step.is))
				count("agency", agency, "-"+step.column, filter(own, func(c complaint) bool { return (step.of == nil || step.of(c)) && !step.is(c) }))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		at := strings.Split(key, "/")
		count(at[0], at[1], at[2], parts[key])
	}
	count("total", "all", "", all)
	for _, o := range outcomes {
		count("outcome", o, "", filter(all, func(c complaint) bool { return c.outcome == o }))
	}
	count("relapse", "reopened", "", filter(all, func(c complaint) bool { return c.reopened }))
	count("relapse", "not_reopened", "", filter(all, func(c complaint) bool { return !c.reopened }))
	count("category", "commercial", "", all)
}

type complaint struct {
	outcome  string
	people   []int
	reopened bool
}

// The columns of agencies, as they follow from an outcome. Of what is open, some is accepted.
func isAccepted(c complaint) bool {
	return c.outcome != "not_accepted" && (c.outcome != "open" || c.people[0]%2 == 0)
}
func isVerified(c complaint) bool {
	return slices.Contains([]string{"measures", "no_measure", "not_substantiated"}, c.outcome)
}
func isSubstantiated(c complaint) bool {
	return slices.Contains([]string{"measures", "no_measure"}, c.outcome)
}
func isHandled(c complaint) bool   { return c.outcome == "measures" }
func isDisclosed(c complaint) bool { return isHandled(c) && c.people[0]%3 == 0 }

// stepsOf are these columns with what each is the next part of.
var stepsOf = []struct {
	column string
	of, is func(complaint) bool
}{
	{"accepted", nil, isAccepted}, {"verified", isAccepted, isVerified}, {"substantiated", isVerified, isSubstantiated},
	{"handled", isAccepted, isHandled}, {"disclosed", isHandled, isDisclosed}, {"reopened", nil, func(c complaint) bool { return c.reopened }},
}

func filter(all []complaint, is func(complaint) bool) (out []complaint) {
	for _, c := range all {
		if is(c) {
			out = append(out, c)
		}
	}
	return out
}

// structureOfAgencies says that what a column leaves of the row is a figure as well, and so is what it leaves of the columns
// that it is within; and that the agencies' columns add to what became of complaints.
func (m *making) structureOfAgencies(s *system, equal func(string, []string)) {
	for _, col := range tableOf("agency").columns {
		var sum, in, mix []string
		for key := range m.sums[source{"reporting", inComplaints, "agency"}] {
			own := "agency/" + key + "/" + col.code
			sum = append(sum, own)
			for _, of := range col.within {
				whole := strings.TrimSuffix("agency/"+key+"/"+of, "/")
				equal(whole, []string{own, whole + " less " + col.code})
			}
		}
		axis := strings.TrimPrefix(col.joint.axis, "complaint_")
		for key := range m.sums[source{"reporting", inComplaints, axis}] {
			switch name := col.joint.axis + "/" + key; col.joint.class(key) {
			case within:
				in = append(in, name)
			case mixed:
				in = append(in, name+" in "+col.code)
				mix = append(mix, name)
			}
		}
		for _, name := range mix {
			equal(name, []string{name + " in " + col.code, name + " not in " + col.code})
		}
		all := "all " + col.code
		equal(all, sum)
		equal(all, in)
	}
}

// Three complaints of one agency were not accepted, which stands in one row with what was not substantiated: the columns of
// agencies do not tell it either.
func TestPublic_agenciesDoNotTellWhatOutcomesHide(t *testing.T) {
	m := &madeUp{}
	of := func(axis string) source { return source{"reporting", inComplaints, axis} }
	m.add(of("agency"), "samr-44", "", 40, crowdOf(1, 40))
	m.add(of("agency"), "samr-44", "accepted", 37, crowdOf(1, 37))
	m.add(of("agency"), "nfra-44", "", 20, crowdOf(41, 60))
	m.add(of("agency"), "nfra-44", "accepted", 20, crowdOf(41, 60))
	m.add(of("outcome"), "measures", "", 37, crowdOf(1, 37))
	m.add(of("outcome"), "not_accepted", "", 3, crowdOf(38, 40))
	m.add(of("outcome"), "not_substantiated", "", 20, crowdOf(41, 60))
	making := m.making()
	d, sheets := making.edition("2026-10", 1)
	if rows := sheets["complaint_outcome"].rows; len(rows) != 2 || rows[1].key != "not_substantiated+others" || rows[1].count != 23 {
		t.Fatalf("outcomes: %+v", rows)
	}
	s := &system{}
	attack(t, s, d, membersOf(making, sheets))
	making.structure(s)
	secrets := making.secrets()
	if secrets["agency/samr-44 less accepted"] != 3 {
		t.Fatalf("secrets: %v", secrets)
	}
	hold(t, s, making, secrets)
}

// What most complaints are and some agencies' columns are is told when nothing of few follows: the columns are of use.
func TestPublic_agenciesTellWhatHidesNothing(t *testing.T) {
	m := &madeUp{}
	of := func(axis string) source { return source{"reporting", inComplaints, axis} }
	for i, key := range []string{"ca-11", "ca-31"} {
		who := crowdOf(1000*i, 1000*i+299)
		m.add(of("agency"), key, "", 300, who)
		m.add(of("agency"), key, "accepted", 240, who[:240])
		m.add(of("agency"), key, "verified", 200, who[:200])
		m.add(of("agency"), key, "substantiated", 120, who[:120])
	}
	for key, n := range map[string]int{"not_accepted": 120, "open": 80, "not_substantiated": 160, "measures": 240} {
		m.add(of("outcome"), key, "", int64(n), crowdOf(1, n))
	}
	_, sheets := m.making().edition("2026-10", 1)
	for _, r := range sheets["agency"].rows {
		if r.hidden[0] || r.hidden[1] || r.hidden[2] || *r.figures[0] != 240 || *r.figures[2] != 120 {
			t.Errorf("%s: %v hidden", r.key, r.hidden)
		}
	}
}
