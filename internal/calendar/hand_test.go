package calendar

import (
	"testing"
	"time"
)

// Dates worked out by hand from the State Council's notices, each with its reasoning: units, directions and roll-overs
// that the table of deadlines combines.
func TestStatutory_byHand(t *testing.T) {
	for _, c := range []struct {
		amount            int
		unit, start, roll string
		from, want, why   string
	}{
		{5, "wd", "next_day", "none", "2018-02-13", "2018-02-26", "2-14, [festival 15 to 21], 22, 23, worked Saturday 24 is the 4th, Monday 26"},
		{3, "wd", "next_day", "none", "2018-12-28", "2019-01-03", "worked Saturday 12-29, [12-30 to 1-1], 1-2, 1-3"},
		{2, "wd", "next_day", "none", "2019-04-30", "2019-05-06", "revised in March: [5-1 to 5-4], worked Sunday 5-5, 5-6"},
		{1, "wd", "next_day", "none", "2020-01-30", "2020-02-03", "the festival was prolonged to Sunday 2-2"},
		{1, "wd", "next_day", "none", "2020-01-23", "2020-01-31", "the prolongation was not known when this clock began: [1-24 to 1-30]"},
		{7, "wd", "next_day", "none", "2020-09-25", "2020-10-12", "worked Sunday 9-27, 28, 29, 30, [10-1 to 10-8], 9, worked Saturday 10 is the 6th, Monday 12"},
		{5, "wd", "same", "none", "2021-09-17", "2021-09-24", "Friday 17 counts, worked Saturday 18, [19 to 21], 22, 23, 24"},
		{1, "wd", "same", "none", "2021-10-02", "2021-10-08", "a day off cannot be the one that counts: [to 7], Friday 8"},
		{3, "wd", "next_day", "none", "2022-09-30", "2022-10-10", "[10-1 to 10-7], worked 8 and 9, Monday 10"},
		{10, "wd", "next_day", "none", "2023-09-22", "2023-10-12", "25 to 28 are 4, [29 to 10-6], worked 7 and 8 make 6, then 9, 10, 11, 12"},
		{7, "wd", "before", "prev", "2026-10-12", "2026-09-23", "a hearing: 10-10 (worked), 9, 8, 9-30, 29, 28, 24 lie between; the notice goes out before 9-24"},
		{7, "wd", "before", "none", "2025-10-13", "2025-09-25", "10-11 (worked Saturday), 10, 9, [8 to 1], 9-30, 29, 28 (worked Sunday), 26 lie between"},
		{2, "wd", "before", "prev", "2026-11-25", "2026-11-20", "24 and 23 lie between; 22 is a Sunday, so Friday 20"},
		{2, "wd", "before", "none", "2026-11-25", "2026-11-22", "the same, where a Sunday will do"},
		{15, "cd", "next_day", "none", "2026-09-18", "2026-10-03", "18 + 15, in the holiday, which does not matter"},
		{15, "cd", "next_day", "next", "2026-09-18", "2026-10-08", "10-3 is off until the 7th"},
		{15, "cd", "next_day", "prev", "2026-09-18", "2026-09-30", "the last working day before 10-3"},
		{15, "cd", "same", "none", "2026-11-02", "2026-11-16", "the 2nd is the first of fifteen"},
		{90, "cd", "next_day", "none", "2026-07-01", "2026-09-29", "30 in July, 31 in August, 29 in September"},
		{7, "cd", "before", "none", "2026-11-20", "2026-11-12", "13 to 19 are the seven between"},
		{7, "cd", "before", "prev", "2026-11-23", "2026-11-13", "16 to 22 lie between; 15 is a Sunday, so Friday 13"},
		{3, "m", "next_day", "none", "2025-11-30", "2026-02-28", "February has no 30th: its last day (民法典 202)"},
		{3, "m", "next_day", "next", "2025-11-20", "2026-02-24", "2-20 is in the spring festival, which ends on the 23rd"},
		{1, "m", "same", "none", "2026-03-01", "2026-03-31", "the day itself counts, so the month is March"},
		{1, "m", "before", "none", "2026-03-31", "2026-02-27", "a full month lies between: from the last of February on"},
		{6, "m", "next_day", "none", "2023-08-31", "2024-02-29", "a leap year"},
		{1, "y", "next_day", "none", "2024-02-29", "2025-02-28", "no 29th in 2025"},
		{2, "y", "next_day", "prev", "2022-06-10", "2024-06-10", "nobody knew in 2022 that this Monday would be the dragon boat festival: provisional"},
		{24, "h", "next_day", "none", "2026-10-01", "2026-10-02", "hours run through holidays"},
		{24, "h", "before", "none", "2026-10-02", "2026-10-01", "and back"},
	} {
		from, err := time.ParseInLocation(time.DateOnly, c.from, Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		b := basis{amount: c.amount, unit: c.unit, start: c.start, roll: c.roll}
		d := b.statutory(from, reckoning{now(), from})
		if got := dayOf(d.Statutory).String(); got != c.want {
			t.Errorf("%d %s %s %s, roll %s: %s, want %s (%s)\n%s", c.amount, c.unit, c.start, c.from, c.roll, got, c.want, c.why, d.Proof)
		}
	}
}
