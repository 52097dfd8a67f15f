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

// Deadline is a term, computed once from its basis, with what it takes to go on with it once it is stored.
type Deadline struct {
	// Due is when the term really ends under the profile (实际到期时间).
	Due time.Time
	// Statutory is when it ends by the calendar (法定到期时间).
	Statutory time.Time
	// Proof is the computation in words that a person can check (计算过程). It ends with the last day.
	Proof string
	// Provisional is true when the holiday notice of a year that can move it was not loaded (暂定).
	Provisional bool
	// EscalateEvery is the time between two levels of escalation once it is overdue (逾期升级间隔).
	EscalateEvery time.Duration
	// Source is the article or the programme rule (依据).
	Source string

	// Basis is its code in the table (依据代码).
	Basis string
	// Profile is the one it was computed under (运行模式).
	Profile string
	// Start is the time of the event it runs from (起算时间).
	Start time.Time
	// Term is how it is counted: amount, unit, start and roll as they stand in its row of the table (期限规则).
	Term string
	// Counted is the end of its last day before that was moved off a day off (计算末日).
	Counted time.Time
	// Changes are its pauses and extensions, in order (中止与延长).
	Changes []Change
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
	d := b.statutory(from, reckoning{rules: r, at: from})
	d.Basis, d.Source, d.Profile = code, b.source, profile
	switch profile {
	case Statutory:
		d.Due = d.Statutory
		d.EscalateEvery = time.Duration(b.escalateDays) * 24 * time.Hour
	case Rehearsal:
		span := b.rehearsal(b.rehearsalDay)
		if b.before() {
			span = -span
		}
		d.Due = from.Add(span).UTC()
		d.EscalateEvery = time.Duration(b.escalateDays) * b.rehearsalDay
	default:
		return Deadline{}, fmt.Errorf("no deadline profile %q", profile)
	}
	return d, nil
}

func (t term) statutory(from time.Time, c reckoning) Deadline {
	d := Deadline{Term: t.String(), Start: from.UTC()}
	if t.unit == "h" {
		return t.hours(d)
	}
	first := dayOf(from)
	w := walk{reckoning: c, year: first.year}
	t.walk(&w, first)
	d.Counted = w.last.end().UTC()
	counted := w.last
	w.rollOver(t.roll)
	d.Statutory = w.last.end().UTC()
	d.Proof = fmt.Sprintf("%d %s %s %s: %s", t.amount, t.unit, t.preposition(), first, strings.Join(w.steps, ", "))
	d.doubt(w.doubtful(t, first, counted))
	return d
}

// doubtful is the last year whose missing notice can move the last day of a term; 0 for none. Working days hang on all
// days that they pass; other days on where the last one may be moved; and on no notice at all when it stays where it is.
func (w *walk) doubtful(t term, first, counted day) int {
	switch {
	case t.unit == "wd":
		return w.uncertain(first, w.last)
	case t.roll != "none":
		return w.uncertain(counted, w.last)
	default:
		return 0
	}
}

// walk goes from the first day to the last of a term, without moving that.
func (t term) walk(w *walk, first day) {
	switch {
	case t.unit == "wd" && t.before():
		w.workdaysBefore(first, t.amount)
	case t.unit == "wd":
		w.workdays(first, t.amount, t.start == "same")
	default:
		w.last = t.lastDay(first)
		w.ends("")
	}
}

const provisionally = "; provisional: "

// doubt says of a deadline that it is provisional, and why: the last year without its notice, 0 for none.
func (d *Deadline) doubt(year int) {
	if year != 0 {
		d.Provisional = true
		d.Proof += provisionally + "the holiday notice of " + strconv.Itoa(year) + " is not loaded"
	}
}

func (t term) preposition() string {
	if t.before() {
		return "before"
	}
	return "from"
}

// hours run by the clock, whatever day it is.
func (t term) hours(d Deadline) Deadline {
	const minutes = "2006-01-02 15:04"
	span := time.Duration(t.amount) * time.Hour
	if t.before() {
		span = -span
	}
	d.Statutory = d.Start.Add(span)
	d.Counted = d.Statutory
	d.Proof = fmt.Sprintf("%d h %s %s: %s", t.amount, t.preposition(), d.Start.In(Shanghai).Format(minutes), d.Statutory.In(Shanghai).Format(minutes))
	return d
}

// walk goes through the days of a term and writes down what it sees.
type walk struct {
	reckoning
	year  int // written last, to name a year only when it changes
	was   int // written before the last day
	last  day
	steps []string
	off   []day  // days off in a row, not yet written
	stood []span // days on which the clock stood: they are passed over
}

// idle says whether a day does not count in a term of working days.
func (w *walk) idle(d day) bool { return !w.workday(d) || w.standing(d) }

func (w *walk) standing(d day) bool {
	return slices.ContainsFunc(w.stood, func(s span) bool { return s.has(d) })
}

func (w *walk) workdays(d day, n int, sameDay bool) {
	w.last = d
	if !sameDay {
		d = d.add(1)
	}
	if n == 0 {
		w.ends("")
	}
	for ; n > 0; d = d.add(1) {
		if w.idle(d) {
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
	w.ends("at the latest ")
}

func (w *walk) count(d day) {
	w.flush()
	text := w.short(d)
	if s, ok := w.special(d); ok && s.work {
		text += worked(d)
	}
	w.steps = append(w.steps, text)
	w.last = d
}

// worked names the weekend that is worked.
func worked(d day) string {
	if wd := d.time().Weekday(); wd == time.Saturday || wd == time.Sunday {
		return " (worked " + wd.String() + ")"
	}
	return " (worked)"
}

// ends writes down the last day, which may still be moved.
func (w *walk) ends(in string) {
	w.was = w.year
	w.steps = append(w.steps, in+w.short(w.last))
}

// rollOver moves a last day that is off to the next working day, or to the one before.
func (w *walk) rollOver(roll string) {
	if roll == "none" || !w.idle(w.last) {
		return
	}
	by := map[string]int{"next": 1, "prev": -1}[roll]
	w.steps, w.year = w.steps[:len(w.steps)-1], w.was
	for ; w.idle(w.last); w.last = w.last.add(by) {
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
		if w.standing(d) {
			what = "paused"
			break
		}
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

// uncertain is the last year without notice that the days between two touch; 0 for none.
func (w *walk) uncertain(from, to day) int {
	for y := max(from.year, to.year); y >= min(from.year, to.year); y-- {
		if !w.certain(y) {
			return y
		}
	}
	return 0
}
