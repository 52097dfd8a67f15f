package calendar

import (
	"errors"
	"fmt"
	"time"
)

// deadline takes a row of deadlines.csv.
func (r *rules) deadline(f row, layer int) error {
	b := basis{code: f["code"], source: f["source"]}
	var errs [6]error
	var seconds int
	b.amount, errs[0] = f.number("amount", 0, 3660)
	b.unit, errs[1] = f.oneOf("unit", "wd", "cd", "h", "m", "y")
	b.start, errs[2] = f.oneOf("start", "same", "next_day", "before")
	b.roll, errs[3] = f.oneOf("roll", "next", "prev", "none")
	seconds, errs[4] = f.number("rehearsal_seconds", 1, 86400)
	b.escalateDays, errs[5] = f.number("escalate_days", 1, 366)
	b.rehearsalDay = time.Duration(seconds) * time.Second
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	return enterKnown(r.deadlines, b.code, f, layer, b)
}

// figure takes a row of shares.csv.
func (r *rules) figure(f row, layer int) error {
	n, err := f.number("value", 0, 1_000_000)
	if err != nil {
		return err
	}
	return enterKnown(r.figures, f["code"], f, layer, n)
}

// enterKnown enters a row of a table whose codes the program knows: another code would be a slip of the pen.
func enterKnown[T any](m map[string][]version[T], code string, f row, layer int, is T) error {
	if _, known := m[code]; code == "" || layer > 0 && !known {
		return fmt.Errorf("code: there is no %q", code)
	}
	v, err := versionOf(f, layer, is)
	if err != nil {
		return err
	}
	return enter(m, code, v)
}

// holiday takes a row of holidays.csv: days of the notice of a year, which may reach into the year before.
func (r *rules) holiday(f row, layer int) error {
	year, err := f.number("year", 2000, 2200)
	if err != nil {
		return err
	}
	if err := spread(r.days, f, "", year, layer); err != nil {
		return err
	}
	v, err := versionOf(f, layer, true)
	r.notices[year] = append(r.notices[year], v)
	return err
}

// fixedDay takes a row of fixed.csv.
func (r *rules) fixedDay(f row, layer int) error { return spread(r.fixed, f, "2000-", 0, layer) }

// spread enters the days of a row. With a prefix they are days of any year.
func spread(into map[day][]version[special], f row, prefix string, year, layer int) error {
	const longest = 31
	from, err := f.date("from", prefix)
	if err != nil {
		return err
	}
	to, err := f.date("to", prefix)
	if err != nil {
		return err
	}
	kind, err := f.oneOf("kind", "work", "off")
	if err != nil {
		return err
	}
	if to.Before(from) || to.After(from.AddDate(0, 0, longest)) {
		return fmt.Errorf("from %s to %s are no 1 to %d days", f["from"], f["to"], longest)
	}
	v, err := versionOf(f, layer, special{year: year, work: kind == "work", name: f["name"]})
	if err != nil {
		return err
	}
	for t := from; !t.After(to); t = t.AddDate(0, 0, 1) {
		d := dayOf(t)
		if prefix != "" {
			d.year = 0
		}
		if err := enter(into, d, v); err != nil {
			return err
		}
	}
	return nil
}
