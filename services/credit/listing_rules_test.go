package credit

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/calendar"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, calendar.Shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		decided          string
		min, max         int
		earliest, latest string
	}{
		{"2026-03-10 15:00", 3, 12, "2026-06-10 00:00", "2027-03-10 00:00"},
		{"2026-11-30 09:00", 3, 12, "2027-02-28 00:00", "2027-11-30 00:00"},
		{"2028-02-29 00:00", 12, 36, "2029-02-28 00:00", "2031-02-28 00:00"},
		{"2026-12-31 23:59", 0, 3, "2026-12-31 23:59", "2027-03-31 00:00"},
	} {
		earliest, latest := ends(at(c.decided), c.min, c.max)
		if !earliest.Equal(at(c.earliest)) || !latest.Equal(at(c.latest)) {
			t.Errorf("%s: %v, %v", c.decided, earliest.In(calendar.Shanghai), latest.In(calendar.Shanghai))
		}
	}
}

func TestEndsNeverExceedTheirMonths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decided := at("2020-01-01 00:00").Add(time.Duration(rapid.Int64Range(0, 20*366*24*60).Draw(t, "minutes")) * time.Minute)
		low := rapid.IntRange(0, 36).Draw(t, "min")
		high := rapid.IntRange(max(low, 1), 36).Draw(t, "max")
		earliest, latest := ends(decided, low, high)
		if earliest.Before(decided) || latest.Before(earliest) || latest.After(decided.In(calendar.Shanghai).AddDate(0, high, 0)) {
			t.Fatalf("%v, %d to %d months: %v, %v", decided, low, high, earliest, latest)
		}
	})
}

func TestStateAt(t *testing.T) {
	end, back := at("2027-01-01 00:00"), at("2026-06-01 00:00")
	for _, c := range []struct {
		at, want  string
		withdrawn *time.Time
	}{
		{"2026-05-01 00:00", listed, nil},
		{"2026-12-31 23:59", listed, nil},
		{"2027-01-01 00:00", expired, nil},
		{"2026-05-31 23:59", listed, &back},
		{"2026-06-01 00:00", withdrawn, &back},
		{"2028-06-01 00:00", withdrawn, &back},
	} {
		if got := stateAt(at(c.at), end, c.withdrawn); got != c.want {
			t.Errorf("at %s: %s, want %s", c.at, got, c.want)
		}
	}
}
