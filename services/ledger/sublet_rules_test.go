package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"quietline/services/ledger/store"
)

// days is a span of January 2026; to 0 is open.
func days(from, to int) (time.Time, *time.Time) {
	end := time.Date(2026, 1, to, 0, 0, 0, 0, time.UTC)
	if to == 0 {
		return time.Date(2026, 1, from, 0, 0, 0, 0, time.UTC), nil
	}
	return time.Date(2026, 1, from, 0, 0, 0, 0, time.UTC), &end
}

func let(id, lessor, lessee string, first, last int64, from, to int) store.Sublet {
	x := store.Sublet{SubletID: id, LessorID: lessor, LesseeID: lessee, FirstNumber: first, LastNumber: last}
	x.ValidFrom, x.ValidTo = days(from, to)
	return x
}

func TestSubletsHangOnTheAllocation(t *testing.T) {
	a := store.Allocation{HolderID: "A", FirstNumber: 10, LastNumber: 19}
	a.ValidFrom, a.ValidTo = days(1, 20)
	known := []store.Sublet{let("1", "A", "B", 10, 19, 2, 15), let("2", "B", "C", 10, 14, 3, 10)}
	for _, c := range []struct {
		name string
		x    store.Sublet
		ok   bool
	}{
		{"the holder lets", let("3", "A", "D", 10, 19, 1, 20), true},
		{"a lessee lets on", let("3", "C", "D", 10, 12, 4, 9), true},
		{"longer than it has", let("3", "C", "D", 10, 12, 4, 11), false},
		{"more numbers than it has", let("3", "C", "D", 10, 15, 4, 9), false},
		{"longer than allocated", let("3", "A", "D", 10, 19, 1, 21), false},
		{"without end", let("3", "A", "D", 10, 19, 1, 0), false},
		{"numbers of others", let("3", "A", "D", 10, 20, 1, 20), false},
		{"a stranger lets", let("3", "X", "D", 10, 19, 2, 15), false},
		{"back to the holder", let("3", "C", "A", 10, 12, 4, 9), false},
		{"in a circle", let("3", "C", "B", 10, 12, 4, 9), false},
	} {
		if err := checkSublet(a, known, c.x); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestWhatIsLetOnIsNotCutOff(t *testing.T) {
	old := let("1", "A", "B", 10, 19, 2, 15)
	known := []store.Sublet{let("2", "B", "C", 10, 14, 3, 10)}
	shorter, tooShort, other := let("4", "A", "B", 10, 19, 2, 10), let("4", "A", "B", 10, 19, 2, 9), let("4", "A", "D", 10, 19, 2, 15)
	for _, c := range []struct {
		name  string
		now   *store.Sublet
		hangs bool
	}{{"taken away", nil, true}, {"shorter", &shorter, false}, {"too short", &tooShort, true}, {"to another", &other, true}} {
		if hanging(known, old, c.now) != c.hangs {
			t.Errorf("%s: %v", c.name, !c.hangs)
		}
	}
}

// TestFittedSublets: what hung on a wrong row goes with it, and what hung on that as well; what the right row still bears
// stays, for as long as it does; a change of purpose breaks nothing.
func TestFittedSublets(t *testing.T) {
	row := func(holder, purpose string, from, to int) store.Allocation {
		a := store.Allocation{HolderID: holder, Purpose: purpose, FirstNumber: 10, LastNumber: 19}
		a.ValidFrom, a.ValidTo = days(from, to)
		return a
	}
	known := []store.Sublet{let("1", "A", "B", 10, 19, 2, 15), let("2", "B", "C", 10, 14, 3, 10), let("3", "C", "D", 10, 14, 9, 10)}
	fewer := row("A", "inbound", 1, 20)
	fewer.LastNumber = 15
	for _, c := range []struct {
		name string
		rows []store.Allocation
		want string
	}{
		{"a change of purpose", []store.Allocation{row("A", "inbound", 1, 5), row("A", "callback", 5, 20)}, "1:2-15 2:3-10 3:9-10"},
		{"another holder", []store.Allocation{row("X", "inbound", 1, 20)}, ""},
		{"another holder from a day on", []store.Allocation{row("A", "inbound", 1, 5), row("X", "inbound", 5, 20)}, "1:2-5 2:3-5"},
		{"a shorter time", []store.Allocation{row("A", "inbound", 4, 9)}, "1:4-9 2:4-9"},
		{"a gap", []store.Allocation{row("A", "inbound", 1, 5), row("A", "inbound", 6, 20)}, "1:2-5 1:6-15 2:3-5 2:6-10 3:9-10"},
		{"fewer numbers", []store.Allocation{fewer}, ""},
		{"to whom it was let", []store.Allocation{row("B", "inbound", 1, 20)}, "2:3-10 3:9-10"},
	} {
		var words []string
		for id, stays := range fitted(c.rows, known) {
			for _, s := range stays {
				words = append(words, fmt.Sprintf("%s:%d-%d", id, s.from.Day(), s.to.Day()))
			}
		}
		slices.Sort(words)
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}
