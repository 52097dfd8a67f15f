package ledger

import (
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

// TestLooseSublets: what hung on a wrong row goes with it, and what hung on that as well; a change of purpose breaks nothing.
func TestLooseSublets(t *testing.T) {
	row := func(holder, purpose string, from, to int) store.Allocation {
		a := store.Allocation{HolderID: holder, Purpose: purpose, FirstNumber: 10, LastNumber: 19}
		a.ValidFrom, a.ValidTo = days(from, to)
		return a
	}
	known := []store.Sublet{let("1", "A", "B", 10, 19, 2, 15), let("2", "B", "C", 10, 14, 3, 10)}
	if gone := loose([]store.Allocation{row("A", "inbound", 1, 5), row("A", "callback", 5, 20)}, known); len(gone) != 0 {
		t.Errorf("a change of purpose: %v", gone)
	}
	if gone := loose([]store.Allocation{row("X", "inbound", 1, 20)}, known); len(gone) != 2 {
		t.Errorf("another holder: %v", gone)
	}
	if gone := loose([]store.Allocation{row("A", "inbound", 1, 12)}, known); len(gone) != 2 {
		t.Errorf("a shorter time: %v", gone)
	}
}
