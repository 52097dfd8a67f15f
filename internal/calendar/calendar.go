package calendar

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // machines without zone files still know Shanghai
)

//go:embed data/*.csv
var data embed.FS

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

func (d day) time() time.Time { return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, Shanghai) }
func (d day) add(n int) day   { return dayOf(d.time().AddDate(0, 0, n)) }
func (d day) end() time.Time  { return d.add(1).time().Add(-time.Second) }
func (d day) String() string  { return d.time().Format("2006-01-02") }

// special is what a notice says about a day.
type special struct {
	work bool
	name string
}

// notices has the loaded years and their special days; fixed the days of years without notice, of year 0.
type notices struct {
	loaded map[int]bool
	days   map[day]special
	fixed  map[day]special
}

var known = mustNotices()

func mustNotices() *notices {
	n := &notices{loaded: map[int]bool{}, days: map[day]special{}, fixed: map[day]special{}}
	files, err := data.ReadDir("data")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".csv")
		year, err := strconv.Atoi(name)
		into, prefix := n.days, ""
		switch {
		case err == nil:
			n.loaded[year] = true
		case name == "fixed":
			into, prefix = n.fixed, "2000-"
		default:
			continue
		}
		for _, r := range rows("data/" + f.Name()) {
			if err := addDays(into, prefix, r); err != nil {
				panic(fmt.Errorf("%s: %w", f.Name(), err))
			}
		}
	}
	return n
}

func addDays(into map[day]special, prefix string, r []string) error {
	from, err := time.ParseInLocation("2006-01-02", prefix+r[0], Shanghai)
	if err != nil {
		return err
	}
	to, err := time.ParseInLocation("2006-01-02", prefix+r[1], Shanghai)
	if err != nil {
		return err
	}
	for t := from; !t.After(to); t = t.AddDate(0, 0, 1) {
		d := dayOf(t)
		if prefix != "" {
			d.year = 0
		}
		into[d] = special{work: r[2] == "work", name: r[3]}
	}
	return nil
}

// rows reads one of our own files: no quotes, a header, # before remarks; the last column may hold commas.
func rows(name string) (out [][]string) {
	raw, err := data.ReadFile(name)
	if err != nil {
		panic(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	columns := strings.Count(lines[0], ",") + 1
	for _, line := range lines[1:] {
		if line != "" && line[0] != '#' {
			out = append(out, strings.SplitN(line, ",", columns))
		}
	}
	return out
}

func specialOf(d day) (special, bool) {
	if known.loaded[d.year] {
		s, ok := known.days[d]
		return s, ok
	}
	s, ok := known.fixed[day{0, d.month, d.day}]
	return s, ok
}

func isWorkday(d day) bool {
	if s, ok := specialOf(d); ok {
		return s.work
	}
	wd := d.time().Weekday()
	return wd != time.Saturday && wd != time.Sunday
}

// IsWorkday says whether the day of t in Shanghai is a working day, and whether the notice of its year is loaded.
func IsWorkday(t time.Time) (workday, certain bool) {
	d := dayOf(t)
	return isWorkday(d), known.loaded[d.year]
}

// AddWorkdays is the end of the n-th working day after the day of t in Shanghai; n of 0 is the end of that day itself.
func AddWorkdays(t time.Time, n int) time.Time {
	d := dayOf(t)
	for n > 0 {
		d = d.add(1)
		if isWorkday(d) {
			n--
		}
	}
	return d.end()
}
