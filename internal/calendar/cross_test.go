package calendar

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The notices, entered by hand, give the same working days from 2018 to 2026 as a public table that others keep.
func TestWorkdays_asOthersHaveThem(t *testing.T) {
	raw, err := os.ReadFile("testdata/chinese-days.csv")
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		if date, kind, ok := strings.Cut(strings.TrimSpace(line), ","); ok && !strings.HasPrefix(line, "#") {
			theirs[date] = kind
		}
	}
	if len(theirs) < 300 {
		t.Fatalf("%d days", len(theirs))
	}
	c := reckoning{rules: now(), at: time.Date(2026, 11, 1, 0, 0, 0, 0, Shanghai)}
	for d := (day{2018, 1, 1}); d.year < 2027; d = d.add(1) {
		wd := d.time().Weekday()
		want := wd != time.Saturday && wd != time.Sunday
		if kind, ok := theirs[d.String()]; ok {
			want = kind == "work"
		}
		if got := c.workday(d); got != want {
			t.Errorf("%s: working day %v, elsewhere %v", d, got, want)
		}
	}
}
