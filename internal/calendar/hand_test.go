package calendar

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// handWorked is a date worked out by hand.
type handWorked struct {
	amount            int
	unit, start, roll string
	from, want, why   string
}

// byHand are dates worked out by hand from the State Council's notices of 2018 to 2026, each with its reasoning.
var byHand = []handWorked{
	{5, "wd", "next_day", "none", "2018-02-13", "2018-02-26", "2-14, [festival 15 to 21], 22, 23, worked Saturday 24 is the 4th, Monday 26"},
	{3, "wd", "next_day", "none", "2018-12-28", "2019-01-03", "worked Saturday 12-29, [12-30 to 1-1], 1-2, 1-3"},
	{2, "wd", "next_day", "none", "2019-04-30", "2019-05-06", "revised in March: [5-1 to 5-4], worked Sunday 5-5, 5-6"},
	{5, "wd", "next_day", "none", "2019-09-27", "2019-10-10", "[28], worked Sunday 29, 30, [10-1 to 10-7], 8, 9, 10"},
	{1, "wd", "next_day", "none", "2020-01-23", "2020-01-31", "the prolongation was not known when this clock began: [1-24 to 1-30]"},
	{1, "wd", "next_day", "none", "2020-01-30", "2020-02-03", "the festival was prolonged to Sunday 2-2"},
	{7, "wd", "next_day", "none", "2020-09-25", "2020-10-12", "worked Sunday 9-27, 28, 29, 30, [10-1 to 10-8], 9, worked Saturday 10 is the 6th, Monday 12"},
	{5, "wd", "next_day", "none", "2021-04-30", "2021-05-11", "[5-1 to 5-5], 6, 7, worked Saturday 8, [9], 10, 11"},
	{3, "wd", "next_day", "none", "2022-09-30", "2022-10-10", "[10-1 to 10-7], worked 8 and 9, Monday 10"},
	{10, "wd", "next_day", "none", "2023-01-18", "2023-02-06", "19, 20, [21 to 27], worked 28 and 29 make 4, 30, 31, 1, 2, 3 make 9, [weekend], Monday 6"},
	{10, "wd", "next_day", "none", "2023-09-22", "2023-10-12", "25 to 28 are 4, [29 to 10-6], worked 7 and 8 make 6, then 9, 10, 11, 12"},
	{5, "wd", "next_day", "none", "2024-09-13", "2024-09-23", "worked Saturday 14, [15 to 17], 18, 19, 20, [weekend], Monday 23"},
	{7, "wd", "next_day", "none", "2025-09-26", "2025-10-13", "[27], worked Sunday 28, 29, 30, [10-1 to 10-8], 9, 10, worked Saturday 11 is the 6th, [12], 13"},
	{3, "wd", "next_day", "none", "2025-12-31", "2026-01-06", "[1-1 to 1-3], worked Sunday 4, 5, 6"},
	{15, "wd", "next_day", "none", "2026-01-30", "2026-02-27", "two weeks make 10, worked Saturday 2-14, [15 to 23], 24, 25, 26, 27"},
	{3, "wd", "next_day", "none", "2026-02-26", "2026-03-02", "27, worked Saturday 28, [Sunday 3-1], Monday 2"},
	{5, "wd", "same", "none", "2021-09-17", "2021-09-24", "Friday 17 counts, worked Saturday 18, [19 to 21], 22, 23, 24"},
	{1, "wd", "same", "none", "2021-10-02", "2021-10-08", "a day off cannot be the one that counts: [to 7], Friday 8"},
	{3, "wd", "same", "none", "2023-10-06", "2023-10-09", "a holiday does not count itself: worked 7 and 8, Monday 9"},
	{1, "wd", "same", "none", "2026-02-14", "2026-02-14", "a worked Saturday is the one day itself"},
	{2, "wd", "before", "none", "2018-02-23", "2018-02-13", "22 and, before the festival of 15 to 21, 14 lie between"},
	{7, "wd", "before", "none", "2022-10-11", "2022-09-26", "10, worked 9 and 8, [7 to 1], 9-30, 29, 28, 27 lie between"},
	{7, "wd", "before", "none", "2025-10-13", "2025-09-25", "10-11 (worked Saturday), 10, 9, [8 to 1], 9-30, 29, 28 (worked Sunday), 26 lie between"},
	{2, "wd", "before", "none", "2026-11-25", "2026-11-22", "the same, where a Sunday will do"},
	{7, "wd", "before", "prev", "2024-02-20", "2024-02-04", "19, worked Sunday 18, [17 to 10], 9, 8, 7, 6, 5 lie between; worked Sunday 4 is a working day"},
	{7, "wd", "before", "prev", "2026-10-12", "2026-09-23", "a hearing: 10-10 (worked), 9, 8, 9-30, 29, 28, 24 lie between; the notice goes out before 9-24"},
	{2, "wd", "before", "prev", "2026-11-25", "2026-11-20", "24 and 23 lie between; 22 is a Sunday, so Friday 20"},
	{10, "cd", "next_day", "next", "2022-01-21", "2022-02-07", "1-31 opens the festival, which ends on Sunday 2-6"},
	{15, "cd", "next_day", "next", "2023-09-21", "2023-10-07", "10-6 is the last day of the holiday; the next is a worked Saturday"},
	{15, "cd", "next_day", "next", "2026-09-18", "2026-10-08", "10-3 is off until the 7th"},
	{90, "cd", "next_day", "none", "2026-07-01", "2026-09-29", "30 in July, 31 in August, 29 in September"},
	{15, "cd", "next_day", "none", "2026-09-18", "2026-10-03", "18 + 15, in the holiday, which does not matter"},
	{30, "cd", "next_day", "prev", "2021-04-02", "2021-04-30", "5-2 is off, and so is 5-1; Friday before"},
	{10, "cd", "next_day", "prev", "2024-09-05", "2024-09-14", "9-15 is mid-autumn; the Saturday before is worked"},
	{15, "cd", "next_day", "prev", "2026-09-18", "2026-09-30", "the last working day before 10-3"},
	{3, "cd", "same", "next", "2022-06-01", "2022-06-06", "1, 2, 3; dragon boat festival from Friday 3 to Sunday 5"},
	{10, "cd", "same", "next", "2025-01-20", "2025-02-05", "20 is the first and 29 the tenth, in the festival until 2-4"},
	{0, "cd", "same", "next", "2026-10-03", "2026-10-08", "the day itself, or else the first that is worked"},
	{7, "cd", "same", "none", "2019-02-01", "2019-02-07", "1 to 7, in the festival, which does not matter"},
	{0, "cd", "same", "none", "2026-10-03", "2026-10-03", "the day itself, though it is a holiday"},
	{15, "cd", "same", "none", "2026-11-02", "2026-11-16", "the 2nd is the first of fifteen"},
	{5, "cd", "same", "prev", "2018-04-02", "2018-04-04", "2 to 6; 5 to 7 are off, so Wednesday 4"},
	{30, "cd", "same", "prev", "2020-09-05", "2020-09-30", "26 days in September and 4 in October; off since 10-1"},
	{0, "cd", "same", "prev", "2026-10-03", "2026-09-30", "or else the last that was worked"},
	{10, "cd", "before", "none", "2025-05-12", "2025-05-01", "2 to 11 are the ten between; that 5-1 is a holiday does not matter"},
	{7, "cd", "before", "none", "2026-11-20", "2026-11-12", "13 to 19 are the seven between"},
	{3, "cd", "before", "prev", "2024-10-08", "2024-09-30", "5, 6, 7 lie between; 4 is off since 10-1"},
	{7, "cd", "before", "prev", "2026-11-23", "2026-11-13", "16 to 22 lie between; 15 is a Sunday, so Friday 13"},
	{1, "m", "next_day", "next", "2020-08-31", "2020-09-30", "September has no 31st; Wednesday 30 is worked"},
	{3, "m", "next_day", "next", "2025-11-20", "2026-02-24", "2-20 is in the spring festival, which ends on the 23rd"},
	{1, "m", "next_day", "next", "2026-09-01", "2026-10-08", "10-1 is off until the 7th"},
	{6, "m", "next_day", "none", "2023-08-31", "2024-02-29", "a leap year"},
	{3, "m", "next_day", "none", "2025-11-30", "2026-02-28", "February has no 30th: its last day (民法典 202)"},
	{1, "m", "next_day", "prev", "2018-01-17", "2018-02-14", "2-17 is in the festival that opens on the 15th"},
	{3, "m", "next_day", "prev", "2019-07-05", "2019-09-30", "10-5 is off since 10-1"},
	{3, "m", "same", "next", "2021-01-05", "2021-04-06", "to 4-4; tomb sweeping from 3 to 5"},
	{1, "m", "same", "next", "2024-01-11", "2024-02-18", "to 2-10, which opens the festival of eight days; worked Sunday 18"},
	{2, "m", "same", "none", "2024-01-01", "2024-02-29", "January and February of a leap year"},
	{1, "m", "same", "none", "2025-01-31", "2025-02-28", "February has no 31st: it is over with its last day"},
	{1, "m", "same", "none", "2026-03-01", "2026-03-31", "the day itself counts, so the month is March"},
	{6, "m", "same", "prev", "2019-04-08", "2019-09-30", "to 10-7, off since 10-1"},
	{1, "m", "same", "prev", "2023-04-02", "2023-04-28", "to 5-1, off since Saturday 4-29"},
	{1, "m", "before", "none", "2026-03-31", "2026-02-27", "a full month lies between: from the last of February on"},
	{3, "m", "before", "none", "2026-10-12", "2026-07-11", "7-12 to 10-11 lie between, a Saturday will do"},
	{1, "m", "before", "prev", "2025-03-05", "2025-01-27", "2-5 to 3-4 lie between; 2-4 is off since 1-28"},
	{3, "m", "before", "prev", "2026-10-12", "2026-07-10", "the same, on the Friday"},
	{1, "y", "next_day", "next", "2020-10-01", "2021-10-04", "the law gives 10-1 to 10-3; the notice that gave a week came later: provisional"},
	{1, "y", "next_day", "next", "2023-02-10", "2024-02-12", "a Saturday; nobody knew yet of the festival of that week: provisional"},
	{1, "y", "next_day", "next", "2025-11-14", "2026-11-16", "11-14 is a Saturday"},
	{2, "y", "next_day", "none", "2021-07-15", "2023-07-15", "a Saturday, which does not matter"},
	{1, "y", "next_day", "none", "2024-02-29", "2025-02-28", "no 29th in 2025"},
	{2, "y", "next_day", "prev", "2022-06-10", "2024-06-10", "nobody knew in 2022 that this Monday would be the dragon boat festival: provisional"},
	{1, "y", "next_day", "prev", "2025-12-26", "2026-12-25", "12-26 is a Saturday"},
	{2, "y", "same", "next", "2020-05-02", "2022-05-02", "to Sunday 5-1; that the Monday was to be off nobody knew: provisional"},
	{1, "y", "same", "next", "2025-12-06", "2026-12-07", "to Saturday 12-5, so Monday"},
	{1, "y", "same", "none", "2023-03-01", "2024-02-29", "the day before 3-1 of a leap year"},
	{1, "y", "same", "none", "2024-02-29", "2025-02-28", "no 29th in 2025: February is over with its last day"},
	{1, "y", "same", "none", "2026-01-01", "2026-12-31", "the calendar year"},
	{3, "y", "same", "prev", "2020-01-02", "2022-12-30", "to Sunday 1-1 of 2023, so the Friday before; provisional, since the notice of that year came later"},
	{1, "y", "same", "prev", "2025-12-07", "2026-12-04", "to Sunday 12-6, so Friday"},
	{1, "y", "before", "none", "2025-03-01", "2024-02-29", "2024-03-01 to 2025-02-28 lie between"},
	{1, "y", "before", "none", "2026-11-22", "2025-11-21", "2025-11-22 to 2026-11-21 lie between"},
	{1, "y", "before", "prev", "2025-10-05", "2024-09-30", "2024-10-04 is off since 10-1"},
	{2, "y", "before", "prev", "2026-02-18", "2024-02-09", "2024-02-17 is the last of eight days off"},
	{1, "y", "before", "prev", "2026-11-23", "2025-11-21", "2025-11-22 is a Saturday, so Friday"},
	{48, "h", "same", "none", "2024-02-28", "2024-03-01", "a leap year's 29th lies between"},
	{24, "h", "same", "none", "2026-10-01", "2026-10-02", "hours run through holidays"},
	{72, "h", "before", "none", "2025-02-05", "2025-02-02", "three days, in the festival"},
	{24, "h", "before", "none", "2026-10-02", "2026-10-01", "and back"},
}

func TestStatutory_byHand(t *testing.T) {
	for _, c := range byHand {
		from, err := time.ParseInLocation(time.DateOnly, c.from, Shanghai)
		if err != nil {
			t.Fatal(err)
		}
		d := term{c.amount, c.unit, c.start, c.roll}.statutory(from, reckoning{rules: now(), at: from})
		if got := dayOf(d.Statutory).String(); got != c.want {
			t.Errorf("%d %s %s %s, roll %s: %s, want %s (%s)\n%s", c.amount, c.unit, c.start, c.from, c.roll, got, c.want, c.why, d.Proof)
		}
		if d.Provisional != strings.Contains(c.why, "provisional") {
			t.Errorf("%d %s %s %s: provisional %v", c.amount, c.unit, c.start, c.from, d.Provisional)
		}
	}
}

// Each combination of unit, first day and roll-over is either worked out by hand twice at least, or refused at load with
// its reason.
func TestEveryCombination(t *testing.T) {
	if len(byHand) < 60 {
		t.Errorf("%d dates", len(byHand))
	}
	dates, years, permitted := map[string]int{}, map[string]bool{}, 0
	for _, c := range byHand {
		dates[c.unit+" "+c.start+" "+c.roll]++
		years[c.want[:4]] = true
	}
	for year := 2018; year <= 2026; year++ {
		if !years[fmt.Sprint(year)] {
			t.Errorf("no date in %d", year)
		}
	}
	for _, unit := range []string{"wd", "cd", "h", "m", "y"} {
		for _, start := range []string{"same", "next_day", "before"} {
			for _, roll := range []string{"none", "next", "prev"} {
				rule := unit + " " + start + " " + roll
				if (term{1, unit, start, roll}).check() == nil {
					permitted++
					if dates[rule] < 2 {
						t.Errorf("%s is permitted, and %d dates are worked out", rule, dates[rule])
					}
					continue
				}
				if dates[rule] > 0 {
					t.Errorf("%s is refused, and dates are worked out", rule)
				}
				err := loadTerm(t, 1, unit, start, roll)
				if err == nil || !strings.Contains(err.Error(), "roll: ") && !strings.Contains(err.Error(), "start: ") {
					t.Errorf("%s at load: %v", rule, err)
				}
			}
		}
	}
	if permitted != 30 {
		t.Errorf("%d of 45 combinations are permitted", permitted)
	}
	for _, c := range []handWorked{{unit: "wd", start: "next_day", roll: "none"}, {unit: "cd", start: "before", roll: "none"}} {
		if err := loadTerm(t, 0, c.unit, c.start, c.roll); err == nil || !strings.Contains(err.Error(), "amount: ") {
			t.Errorf("0 %s %s: %v", c.unit, c.start, err)
		}
	}
}

// loadTerm loads a folder with a row of such a term.
func loadTerm(t *testing.T, amount int, unit, start, roll string) error {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("%s\naccept_1wd,%d,%s,%s,%s,10,1,2026-12-01,,x\n", columns[deadlinesFile], amount, unit, start, roll)
	if err := os.WriteFile(filepath.Join(dir, deadlinesFile), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := Load(""); err != nil {
			t.Error(err)
		}
	}()
	return Load(dir)
}

// By one state of the law, a later event never has an earlier last day.
func TestStatutory_neverGoesBack(t *testing.T) {
	var terms []term
	for _, unit := range []string{"wd", "cd", "h", "m", "y"} {
		for _, start := range []string{"same", "next_day", "before"} {
			for _, roll := range []string{"none", "next", "prev"} {
				if t := (term{1, unit, start, roll}); t.check() == nil {
					terms = append(terms, t)
				}
			}
		}
	}
	law := reckoning{rules: now(), at: time.Date(2026, 11, 1, 0, 0, 0, 0, Shanghai)}
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom(terms).Draw(t, "term")
		rule.amount = rapid.IntRange(1, 40).Draw(t, "amount")
		from := time.Date(2018, 1, 1, 0, 0, 0, 0, Shanghai).Add(time.Duration(rapid.IntRange(0, 9*365*24*60).Draw(t, "minutes")) * time.Minute)
		later := from.Add(time.Duration(rapid.IntRange(0, 40*24*60).Draw(t, "more")) * time.Minute)
		a, b := rule.statutory(from, law), rule.statutory(later, law)
		if b.Statutory.Before(a.Statutory) {
			t.Fatalf("%s: %s, and later %s", rule, a.Proof, b.Proof)
		}
	})
}
