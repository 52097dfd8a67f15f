package ledger

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// The model of the property tests: what is true, kept as plain values. After every act a copy is put away, so "as known
// then" is the copy of that time. It knows nothing of rows that are closed, of indexes or of SQL.
type model struct {
	allocations []modelAllocation
	sublets     []modelSublet
	accesses    []modelAccess
	events      []modelEvent
}

type modelAllocation struct {
	resource, holder, purpose, callers string
	first, last                        int64
	from                               time.Time
	to                                 *time.Time
}

type modelSublet struct {
	resource, lessor, lessee string
	first, last              int64
	from                     time.Time
	to                       *time.Time
}

type modelAccess struct {
	resource, province, operator string
	from                         time.Time
	to                           *time.Time
}

type modelEvent struct {
	resource, state string
	effect          time.Time
}

func (m *model) copy() model {
	return model{slices.Clone(m.allocations), slices.Clone(m.sublets), slices.Clone(m.accesses), slices.Clone(m.events)}
}

// meets says whether an allocation shares a number or its resource with another at some time, all but one of them.
func (m *model) meets(a modelAllocation, but int) bool {
	for i, o := range m.allocations {
		share := o.first <= a.last && a.first <= o.last || o.resource == a.resource
		if i != but && share && overlap(a.from, a.to, o.from, o.to) {
			return true
		}
	}
	return false
}

// from are the allocations of a resource that hold at a time or later, by their beginning.
func (m *model) of(resource string, at time.Time) []int {
	var found []int
	for i, a := range m.allocations {
		if a.resource == resource && (a.to == nil || a.to.After(at)) {
			found = append(found, i)
		}
	}
	sort.Slice(found, func(i, j int) bool { return m.allocations[found[i]].from.Before(m.allocations[found[j]].from) })
	return found
}

// end cuts everything of a resource at a time.
func (m *model) end(resource string, at time.Time) {
	m.allocations = cut(m.allocations, func(a *modelAllocation) (string, time.Time, **time.Time) { return a.resource, a.from, &a.to }, resource, at)
	m.sublets = cut(m.sublets, func(a *modelSublet) (string, time.Time, **time.Time) { return a.resource, a.from, &a.to }, resource, at)
	m.accesses = cut(m.accesses, func(a *modelAccess) (string, time.Time, **time.Time) { return a.resource, a.from, &a.to }, resource, at)
}

func cut[T any](all []T, of func(*T) (string, time.Time, **time.Time), resource string, at time.Time) []T {
	var left []T
	for _, x := range all {
		r, from, to := of(&x)
		if r != resource || *to != nil && !(*to).After(at) {
			left = append(left, x)
			continue
		}
		if from.Before(at) {
			end := at
			*to = &end
			left = append(left, x)
		}
	}
	return left
}

// changePurpose splits what holds at a time, and changes all from then on.
func (m *model) changePurpose(resource string, at time.Time, purpose string) {
	for _, i := range m.of(resource, at) {
		before := m.allocations[i]
		if before.from.Before(at) {
			end := at
			m.allocations[i].to = &end
			before.from = at
			before.purpose = purpose
			m.allocations = append(m.allocations, before)
			continue
		}
		m.allocations[i].purpose = purpose
	}
}

// answer is all that the model has to say of a number at a time, in one line; empty when nobody held it.
func (m *model) answer(number int64, at time.Time) string {
	for _, a := range m.allocations {
		if a.first <= number && number <= a.last && in(at, a.from, a.to) {
			return fmt.Sprintf("%s %s %s [%s] %s-%s %s via %s let %s", a.resource, a.holder, a.purpose, a.callers,
				stamp(&a.from), stamp(a.to), m.state(a.resource, at), m.through(a.resource, at), m.chain(a, number, at))
		}
	}
	return ""
}

func (m *model) state(resource string, at time.Time) string {
	state := stateActive
	var last time.Time
	for _, e := range m.events {
		if e.resource == resource && !e.effect.After(at) && !e.effect.Before(last) {
			state, last = e.state, e.effect
		}
	}
	return state
}

func (m *model) through(resource string, at time.Time) string {
	var found []string
	for _, x := range m.accesses {
		if x.resource == resource && in(at, x.from, x.to) {
			found = append(found, x.province+x.operator)
		}
	}
	sort.Strings(found)
	return strings.Join(found, ",")
}

// loosen cuts what hangs on a resource after a correction. It looks at every time at which anything changes: what rests on
// an allocation there stays until the next one.
func (m *model) loosen(resource string) {
	times := m.changes(resource)
	var sublets []modelSublet
	for _, x := range m.sublets {
		if x.resource != resource {
			sublets = append(sublets, x)
			continue
		}
		for _, run := range runs(times, func(t time.Time) bool { return in(t, x.from, x.to) && m.rests(x, t) }) {
			x.from, x.to = run.from, run.to
			sublets = append(sublets, x)
		}
	}
	var accesses []modelAccess
	for _, x := range m.accesses {
		if x.resource != resource {
			accesses = append(accesses, x)
			continue
		}
		for _, run := range runs(times, func(t time.Time) bool { _, held := m.heldAt(resource, t); return held && in(t, x.from, x.to) }) {
			x.from, x.to = run.from, run.to
			accesses = append(accesses, x)
		}
	}
	m.sublets, m.accesses = sublets, accesses
}

func (m *model) heldAt(resource string, at time.Time) (modelAllocation, bool) {
	for _, a := range m.allocations {
		if a.resource == resource && in(at, a.from, a.to) {
			return a, true
		}
	}
	return modelAllocation{}, false
}

// until is the end of the time for which a resource is allocated without a break.
func (m *model) until(resource string, at time.Time) *time.Time {
	a, held := m.heldAt(resource, at)
	for held && a.to != nil {
		next, goesOn := m.heldAt(resource, *a.to)
		if !goesOn {
			return a.to
		}
		a = next
	}
	return nil
}

// rests says whether a sublet is by somebody who has the numbers at a time: the holder, or one who has them from somebody.
func (m *model) rests(x modelSublet, at time.Time) bool {
	a, held := m.heldAt(x.resource, at)
	switch {
	case !held || x.lessee == a.holder || x.first < a.first || a.last < x.last:
		return false
	case x.lessor == a.holder:
		return true
	}
	return slices.ContainsFunc(m.sublets, func(k modelSublet) bool {
		return k.resource == x.resource && k.lessee == x.lessor && k.first <= x.first && x.last <= k.last && in(at, k.from, k.to) && m.rests(k, at)
	})
}

// changes are the times at which anything of a resource begins or ends.
func (m *model) changes(resource string) []time.Time {
	var times []time.Time
	add := func(of string, from time.Time, to *time.Time) {
		if of == resource {
			times = append(times, from)
			if to != nil {
				times = append(times, *to)
			}
		}
	}
	for _, a := range m.allocations {
		add(a.resource, a.from, a.to)
	}
	for _, x := range m.sublets {
		add(x.resource, x.from, x.to)
	}
	for _, x := range m.accesses {
		add(x.resource, x.from, x.to)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

type run struct {
	from time.Time
	to   *time.Time
}

// runs are the spans for which something is so at every time.
func runs(times []time.Time, so func(time.Time) bool) []run {
	var out []run
	was := false
	for _, t := range times {
		is := so(t)
		if is && !was {
			out = append(out, run{from: t})
		}
		if !is && was {
			out[len(out)-1].to = &t
		}
		was = is
	}
	return out
}

func (m *model) chain(a modelAllocation, number int64, at time.Time) string {
	var found []string
	for lessor := a.holder; ; {
		i := slices.IndexFunc(m.sublets, func(x modelSublet) bool {
			return x.resource == a.resource && x.lessor == lessor && x.first <= number && number <= x.last && in(at, x.from, x.to)
		})
		if i < 0 {
			return strings.Join(found, ">")
		}
		lessor = m.sublets[i].lessee
		found = append(found, lessor)
	}
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
