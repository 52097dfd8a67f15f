package calendar

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Profiles: in rehearsal (演练) a day lasts seconds, in statutory (法定) a day.
const (
	Statutory = "statutory"
	Rehearsal = "rehearsal"
)

// Deadline is a term, computed once from its basis.
type Deadline struct {
	// Due is when the term really ends under the profile (实际到期时间).
	Due time.Time
	// Statutory is when it ends by the calendar (法定到期时间).
	Statutory time.Time
	// Proof is the computation in words that a person can check (计算过程).
	Proof string
	// Provisional is true while the holiday notice of a year it crosses is not loaded (暂定).
	Provisional bool
	// EscalateEvery is the time between two levels of escalation once it is overdue (逾期升级间隔).
	EscalateEvery time.Duration
	// Source is the article or the programme rule (依据).
	Source string
}

// Bases are the codes of the deadline table, sorted.
func Bases() []string {
	return slices.Sorted(maps.Keys(now().deadlines))
}

// Due computes the deadline of a basis for something that happened at from, by the rules in force then.
func Due(code string, from time.Time, profile string) (Deadline, error) {
	r := now()
	b, ok := inForce(r.deadlines[code], from)
	if !ok {
		return Deadline{}, fmt.Errorf("no deadline basis %q at %s", code, from.UTC().Format(time.RFC3339))
	}
	d := b.statutory(from, reckoning{r, from})
	d.Source = b.source
	switch profile {
	case Statutory:
		d.Due = d.Statutory
		d.EscalateEvery = time.Duration(b.escalateDays) * 24 * time.Hour
	case Rehearsal:
		d.Due = from.Add(b.rehearsal())
		d.EscalateEvery = time.Duration(b.escalateDays) * b.rehearsalDay
	default:
		return Deadline{}, fmt.Errorf("no deadline profile %q", profile)
	}
	d.Due, d.Statutory = d.Due.UTC(), d.Statutory.UTC()
	return d, nil
}

// rehearsal is the real span of the term in rehearsal; a term that ends the same day lasts one day of it.
func (b basis) rehearsal() time.Duration {
	days := map[string]int{"wd": 1, "cd": 1, "m": 30, "y": 365}[b.unit]
	if b.unit == "h" {
		return time.Duration(b.amount) * b.rehearsalDay / 24
	}
	return time.Duration(max(b.amount*days, 1)) * b.rehearsalDay
}

func (b basis) before() bool { return b.start == "before" }

func (b basis) statutory(from time.Time, c reckoning) Deadline {
	if b.unit == "h" {
		return b.hours(from)
	}
	first := dayOf(from)
	w := walk{reckoning: c, year: first.year}
	switch {
	case b.unit == "wd" && b.before():
		w.workdaysBefore(first, b.amount)
	case b.unit == "wd":
		w.workdays(first, b.amount, b.start == "same")
	default:
		w.last = b.lastDay(first)
		w.steps = append(w.steps, w.short(w.last))
	}
	w.rollOver(b.roll)
	d := Deadline{Statutory: w.last.end(), Provisional: w.crosses(first)}
	d.Proof = fmt.Sprintf("%d %s %s %s: %s", b.amount, b.unit, b.preposition(), first, strings.Join(w.steps, ", "))
	if d.Provisional {
		d.Proof += "; provisional: the holiday notice of " + strconv.Itoa(max(w.last.year, first.year)) + " is not loaded"
	}
	return d
}

func (b basis) preposition() string {
	if b.before() {
		return "before"
	}
	return "from"
}

// hours run by the clock, whatever day it is.
func (b basis) hours(from time.Time) Deadline {
	end := from.Add(time.Duration(b.amount) * time.Hour)
	if b.before() {
		end = from.Add(-time.Duration(b.amount) * time.Hour)
	}
	return Deadline{Statutory: end, Proof: fmt.Sprintf("%d h %s %s: %s", b.amount, b.preposition(),
		from.In(Shanghai).Format("2006-01-02 15:04"), end.In(Shanghai).Format("2006-01-02 15:04"))}
}

// lastDay is where a term of days, months or years ends that runs through days off. A term of months ends on the day of
// the same number, or on the last of a month that has none (民法典 202).
func (b basis) lastDay(first day) day {
	n := b.amount
	if b.before() {
		n = -n
	}
	last := first
	switch b.unit {
	case "cd":
		last = first.add(n)
	case "m":
		last = first.addMonths(n)
	case "y":
		last = first.addMonths(12 * n)
	}
	if b.before() || b.start == "same" && n > 0 {
		return last.add(-1) // both ends are left out; or the first day is one of them
	}
	return last
}

// walk goes through the days of a term and writes down what it sees.
type walk struct {
	reckoning
	year  int // written last, to name a year only when it changes
	last  day
	steps []string
	off   []day // days off in a row, not yet written
}

func (w *walk) workdays(d day, n int, sameDay bool) {
	w.last = d
	if !sameDay {
		d = d.add(1)
	}
	if n == 0 {
		w.steps = append(w.steps, w.short(w.last))
	}
	for ; n > 0; d = d.add(1) {
		if !w.workday(d) {
			w.off = append(w.off, d)
			continue
		}
		w.count(d)
		n--
	}
}

// workdaysBefore counts back: so many working days lie between the last day and the event, neither of them counted.
func (w *walk) workdaysBefore(d day, n int) {
	for n > 0 {
		if d = d.add(-1); !w.workday(d) {
			w.off = append(w.off, d)
			continue
		}
		w.count(d)
		n--
	}
	w.last = d.add(-1)
	w.steps = append(w.steps, "at the latest "+w.short(w.last))
}

func (w *walk) count(d day) {
	w.flush()
	text := w.short(d)
	if s, ok := w.special(d); ok && s.work {
		text += " (worked)"
	}
	w.steps = append(w.steps, text)
	w.last = d
}

// rollOver moves a last day that is off to the next working day, or to the one before.
func (w *walk) rollOver(roll string) {
	if roll == "none" || w.workday(w.last) {
		return
	}
	by := map[string]int{"next": 1, "prev": -1}[roll]
	w.steps = w.steps[:len(w.steps)-1]
	for ; !w.workday(w.last); w.last = w.last.add(by) {
		w.off = append(w.off, w.last)
	}
	w.count(w.last)
}

// flush writes the days off that were passed over.
func (w *walk) flush() {
	if len(w.off) == 0 {
		return
	}
	slices.SortFunc(w.off, day.compare) // a walk back has met them the other way round
	first, last := w.off[0], w.off[len(w.off)-1]
	what := "weekend"
	for _, d := range w.off {
		if _, ok := w.special(d); ok {
			what = "holiday"
		}
	}
	if first == last {
		w.steps = append(w.steps, fmt.Sprintf("[%s %s]", w.short(first), what))
	} else {
		w.steps = append(w.steps, fmt.Sprintf("[%s to %s %s]", w.short(first), w.short(last), what))
	}
	w.off = nil
}

func (w *walk) short(d day) string {
	if d.year != w.year {
		w.year = d.year
		return d.String()
	}
	return fmt.Sprintf("%d-%d", int(d.month), d.day)
}

// crosses says whether the term touches a year without notice.
func (w *walk) crosses(first day) bool {
	for y := min(first.year, w.last.year); y <= max(first.year, w.last.year); y++ {
		if !w.certain(y) {
			return true
		}
	}
	return false
}
