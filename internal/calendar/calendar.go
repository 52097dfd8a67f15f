package calendar

import (
	"fmt"
	"time"
	_ "time/tzdata" // machines without zone files still know Shanghai
)

// Shanghai is the one time zone of the mesh.
var Shanghai = mustLocation("Asia/Shanghai")

func mustLocation(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil { // the zone data is compiled in
		panic(err)
	}
	return loc
}

// day is a date without time, in Shanghai.
type day struct {
	year  int
	month time.Month
	day   int
}

func dayOf(t time.Time) day {
	y, m, d := t.In(Shanghai).Date()
	return day{y, m, d}
}

func (d day) time() time.Time   { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, Shanghai) }
func (d day) add(n int) day     { return dayOf(d.time().AddDate(0, 0, n)) }
func (d day) compare(e day) int { return d.time().Compare(e.time()) }

// addMonths is the day of the same number so many months on, or the last of a month that has none.
func (d day) addMonths(n int) day {
	first := time.Date(d.year, d.month+time.Month(n), 1, 0, 0, 0, 0, Shanghai)
	last := first.AddDate(0, 1, -1)
	return dayOf(first.AddDate(0, 0, min(d.day, last.Day())-1))
}

func (d day) end() time.Time { return d.add(1).time().Add(-time.Second) }
func (d day) String() string { return d.time().Format("2006-01-02") }

// reckoning is the calendar as a clock that starts at a time counts it. What becomes of the clock later may be reckoned
// with the notices that were made known meanwhile: of years that had none when it started, and of no others.
type reckoning struct {
	*rules
	at    time.Time
	later time.Time // zero: only what was known at the start counts
}

func (c reckoning) special(d day) (special, bool) {
	if s, ok := inForce(c.days[d], c.later); ok && !c.knew(s.year) {
		return s, true
	}
	if s, ok := inForce(c.days[d], c.at); ok {
		return s, true
	}
	if c.certain(d.year) {
		return special{}, false
	}
	return inForce(c.fixed[day{0, d.month, d.day}], c.at)
}

// certain says whether the notice of a year counts.
func (c reckoning) certain(year int) bool {
	_, ok := inForce(c.notices[year], c.later)
	return ok || c.knew(year)
}

// knew says whether the notice of a year was in force when the clock started.
func (c reckoning) knew(year int) bool {
	_, ok := inForce(c.notices[year], c.at)
	return ok
}

func (c reckoning) workday(d day) bool {
	if s, ok := c.special(d); ok {
		return s.work
	}
	wd := d.time().Weekday()
	return wd != time.Saturday && wd != time.Sunday
}

// IsWorkday says whether the day of t in Shanghai is a working day, and whether the notice of its year is loaded.
func IsWorkday(t time.Time) (workday, certain bool) {
	c, d := reckoning{rules: now(), at: t}, dayOf(t)
	return c.workday(d), c.certain(d.year)
}

// AddWorkdays is the end of the n-th working day after the day of t in Shanghai; n of 0 is the end of that day itself.
func AddWorkdays(t time.Time, n int) time.Time {
	c, d := reckoning{rules: now(), at: t}, dayOf(t)
	for n > 0 {
		d = d.add(1)
		if c.workday(d) {
			n--
		}
	}
	return d.end()
}

// Figure is a share or a limit of the programme in force at a time, by its code in shares.csv.
func Figure(code string, at time.Time) (int, error) {
	n, ok := inForce(now().figures[code], at)
	if !ok {
		return 0, fmt.Errorf("no figure %q at %s", code, at.UTC().Format(time.RFC3339))
	}
	return n, nil
}
