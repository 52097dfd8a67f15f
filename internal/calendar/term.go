package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// term is how a deadline is counted. It is stored with each clock, so that a changed rule moves none.
type term struct {
	amount int
	unit   string // wd, cd, h, m, y
	start  string // same: the day of the event counts; next_day: it does not; before: the term lies before it
	roll   string // next or prev: a last day off moves to that working day; none: it stays
}

func (t term) String() string { return fmt.Sprintf("%d %s %s %s", t.amount, t.unit, t.start, t.roll) }

func parseTerm(text string) (term, error) {
	words := strings.Fields(text)
	if len(words) != 4 {
		return term{}, fmt.Errorf("%q is no term", text)
	}
	amount, err := strconv.Atoi(words[0])
	t := term{amount: amount, unit: words[1], start: words[2], roll: words[3]}
	return t, errors.Join(err, t.check())
}

func (t term) before() bool { return t.start == "before" }

// kind is what a pause of a term is counted in, and what can extend it: working days, calendar days or hours.
func (t term) kind() string {
	switch t.unit {
	case "m", "y":
		return "cd"
	default:
		return t.unit
	}
}

// check refuses what nobody can have meant, and says why.
func (t term) check() error {
	switch rolls := t.roll != "none"; {
	case t.unit == "h" && t.start == "next_day":
		return errors.New("start: hours run from the event itself, not from the next day (民法典 第二百零一条): same or before")
	case t.unit == "h" && rolls:
		return errors.New("roll: hours run through days off and end at their time of day: none")
	case t.before() && t.roll == "next":
		return errors.New("roll: a minimum notice that moves towards its event gets too short: prev or none")
	case t.unit == "wd" && !t.before() && rolls:
		return errors.New("roll: a term of working days ends on a working day: none")
	case t.amount == 0 && (t.unit != "cd" || t.start != "same"):
		return errors.New("amount: 0 is the day of the event itself: cd and same")
	}
	return nil
}

// rehearsal is the real span of the term in rehearsal; a term that ends the same day lasts one day of it.
func (t term) rehearsal(day time.Duration) time.Duration {
	days := map[string]int{"wd": 1, "cd": 1, "m": 30, "y": 365}[t.unit]
	if t.unit == "h" {
		return time.Duration(t.amount) * day / 24
	}
	return time.Duration(max(t.amount*days, 1)) * day
}

// lastDay is where a term of days, months or years ends that runs through days off. A term of months ends on the day of
// the same number, or on the last of a month that has none (民法典 202).
func (t term) lastDay(first day) day {
	n := t.amount
	if t.before() {
		n = -n
	}
	months := map[string]int{"m": 1, "y": 12}[t.unit] * n
	last := first.add(n)
	if months != 0 {
		last = first.addMonths(months)
	}
	short := months > 0 && last.day < first.day // the month has no such day: its last one counts whole
	if t.before() || t.start == "same" && n > 0 && !short {
		return last.add(-1) // both ends are left out; or the first day is one of them
	}
	return last
}
