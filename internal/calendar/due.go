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
	if b.unit == "h" {
		return time.Duration(b.amount) * b.rehearsalDay / 24
	}
	return time.Duration(max(b.amount, 1)) * b.rehearsalDay
}

func (b basis) statutory(from time.Time, c reckoning) Deadline {
	first := dayOf(from)
	w := walk{reckoning: c, year: first.year}
	switch b.unit {
	case "h":
		end := from.Add(time.Duration(b.amount) * time.Hour)
		return Deadline{Statutory: end, Proof: fmt.Sprintf("%d h from %s: %s", b.amount,
			from.In(Shanghai).Format("2006-01-02 15:04"), end.In(Shanghai).Format("2006-01-02 15:04"))}
	case "wd":
		w.workdays(first, b.amount, b.sameDay)
	default:
		w.calendarDays(first, b.amount, b.sameDay)
	}
	if b.rollNext {
		w.roll()
	}
	d := Deadline{Statutory: w.last.end(), Provisional: w.crosses(first)}
	d.Proof = fmt.Sprintf("%d %s from %s: %s", b.amount, b.unit, first, strings.Join(w.steps, ", "))
	if d.Provisional {
		d.Proof += "; provisional: the holiday notice of " + strconv.Itoa(w.last.year) + " is not loaded"
	}
	return d
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
	} else if n == 0 {
		w.steps = append(w.steps, w.short(d))
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

func (w *walk) count(d day) {
	w.flush()
	text := w.short(d)
	if s, ok := w.special(d); ok && s.work {
		text += " (worked)"
	}
	w.steps = append(w.steps, text)
	w.last = d
}

func (w *walk) calendarDays(d day, n int, sameDay bool) {
	if sameDay && n > 0 {
		n--
	}
	w.last = d.add(n)
	w.steps = append(w.steps, w.short(w.last))
}

// roll moves the last day to the next working day.
func (w *walk) roll() {
	if w.workday(w.last) {
		return
	}
	for !w.workday(w.last) {
		w.off = append(w.off, w.last)
		w.last = w.last.add(1)
	}
	w.steps = w.steps[:len(w.steps)-1]
	w.count(w.last)
}

// flush writes the days off that were passed over.
func (w *walk) flush() {
	if len(w.off) == 0 {
		return
	}
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
	for y := first.year; y <= w.last.year; y++ {
		if !w.certain(y) {
			return true
		}
	}
	return false
}
