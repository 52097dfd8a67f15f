package ledger

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumbersOfDifferentLengthNeverMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`[0-9]{3,18}`)
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		ka, _ := keyOf(a)
		kb, _ := keyOf(b)
		if (ka == kb) != (a == b) {
			t.Fatalf("keys %v and %v of %s and %s", ka, kb, a, b)
		}
		if back := digitsOf(ka.digits, ka.value); back != a {
			t.Fatalf("%s came back as %s", a, back)
		}
	})
}

func TestBlock(t *testing.T) {
	for _, c := range []struct {
		first, last string
		ok          bool
	}{
		{"95588", "", true},
		{"4008000000", "4008009999", true},
		{"95588", "955880", false},
		{"95589", "95588", false},
		{"9558x", "", false},
		{"1234567890123456789", "", false},
	} {
		if _, _, err := block(c.first, c.last); (err == nil) != c.ok {
			t.Errorf("block(%s, %s): %v", c.first, c.last, err)
		}
	}
}

func TestEffectKeepsOrder(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, last := range []time.Time{now.Add(-time.Hour), now, now.Add(time.Hour)} {
		if at := effectAfter(now, last); !at.After(last) || at.Before(now) {
			t.Errorf("after %v came %v", last, at)
		}
	}
}
