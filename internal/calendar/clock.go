package calendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of change of a clock.
const (
	Pause     = "pause"     // 中止
	Extension = "extension" // 延长
)

// Change is what became of a clock after it started.
type Change struct {
	// Kind is Pause or Extension (类别).
	Kind string
	// From is when the clock stopped; the time of the act for an extension (中止时间/延长时间).
	From time.Time
	// To is when a stopped clock went on (恢复时间).
	To time.Time
	// Reason is the code of a pause, without personal data (理由).
	Reason string
	// Basis is the basis of an extension in the table of deadlines (延长依据代码).
	Basis string
	// Term is how the extension is counted, as it stood when it was granted (延长期限规则).
	Term string
	// Source is its article (依据).
	Source string
}

// Refusal says in words why a clock cannot be changed so.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// span is a stretch of days, both of them in it.
type span struct{ from, to day }

func (s span) has(d day) bool { return s.from.compare(d) <= 0 && d.compare(s.to) <= 0 }

// Paused is the clock after a stop: no day on which it stood, even in part, counts. Hours stand to the minute.
func (d Deadline) Paused(from, to time.Time, reason string) (Deadline, error) {
	t, err := parseTerm(d.Term)
	switch {
	case err != nil:
		return d, err
	case t.before():
		return d, refuse("a minimum notice counts back from its event; it cannot be paused")
	case reason == "":
		return d, refuse("a pause needs its reason")
	case to.Before(from):
		return d, refuse("a pause ends after it begins")
	case from.Before(d.Start):
		return d, refuse("the pause begins at %s, before the clock does", from.UTC().Format(time.RFC3339))
	case from.After(d.Due):
		return d, refuse("the term was over at %s, before the pause begins", d.Due.Format(time.RFC3339))
	}
	for _, c := range d.Changes {
		if from.Before(c.To) || from.Before(c.From) {
			return d, refuse("the pause begins before the last change of the clock, at %s", c.From.Format(time.RFC3339))
		}
	}
	c := Change{Kind: Pause, From: from.UTC(), To: to.UTC(), Reason: reason}
	return d.with(c, reckoning{rules: now(), at: d.Start, later: from}), nil
}

// Extended is the clock after an extension by another basis, counted from its last day on. The table of extensions says
// which may extend which, and how often.
func (d Deadline) Extended(by string, at time.Time) (Deadline, error) {
	r := now()
	rule, ok := r.extension(d.Basis, by, at)
	if !ok {
		return d, refuse("no rule extends %s by %s", d.Basis, by)
	}
	b, ok := inForce(r.deadlines[by], at)
	if !ok {
		return d, refuse("no deadline basis %q at %s", by, at.UTC().Format(time.RFC3339))
	}
	if at.After(d.Due) {
		return d, refuse("the term was over at %s; only one that runs can be extended (%s)", d.Due.Format(time.RFC3339), rule.Source)
	}
	if d.extensions(by) >= rule.Times {
		return d, refuse("%s extends %s %d times at most (%s)", by, d.Basis, rule.Times, rule.Source)
	}
	c := Change{Kind: Extension, From: at.UTC(), Basis: by, Term: b.String(), Source: b.source}
	return d.with(c, reckoning{rules: r, at: d.Start, later: at}).longer(b.rehearsal(b.rehearsalDay)), nil
}

func (d Deadline) extensions(by string) (n int) {
	for _, c := range d.Changes {
		if c.Kind == Extension && c.Basis == by {
			n++
		}
	}
	return n
}

// with is the clock after a change, reckoned with a calendar. What was computed before stays; the proof goes on.
func (d Deadline) with(c Change, by reckoning) Deadline {
	proof, why, _ := strings.Cut(d.Proof, provisionally)
	d.Proof = proof
	former := dayOf(d.Statutory)
	var year int // whose notice is missing for the change
	if c.Kind == Pause {
		d, year = d.pausedBy(c, by)
	} else {
		d, year = d.extendedBy(c, by)
	}
	d.Changes = append(slices.Clip(d.Changes), c)
	switch d.Profile {
	case Statutory:
		d.Due = d.Statutory
	default:
		d = d.longer(c.To.Sub(c.From))
	}
	switch {
	case year != 0 && former.compare(dayOf(d.Statutory)) < 0:
		d.doubt(year)
	case d.Provisional: // as it was computed before: only settling it changes that
		d.Proof += provisionally + why
	}
	return d
}

// longer puts the real end off in rehearsal, where it is not that of the calendar.
func (d Deadline) longer(by time.Duration) Deadline {
	if d.Profile != Statutory {
		d.Due = d.Due.Add(max(by, 0))
	}
	return d
}

// pausedBy moves the last day by as many days as counted and stood.
func (d Deadline) pausedBy(c Change, by reckoning) (Deadline, int) {
	t, err := parseTerm(d.Term)
	if err != nil { // checked by who stored it
		panic(err)
	}
	stop, resume := dayOf(c.From), dayOf(c.To)
	if t.unit == "h" {
		const minutes = "2006-01-02 15:04"
		d.Statutory, d.Counted = d.Statutory.Add(c.To.Sub(c.From)), d.Counted.Add(c.To.Sub(c.From))
		d.Proof += fmt.Sprintf("; paused %s to %s (%s): %s", c.From.In(Shanghai).Format(minutes), c.To.In(Shanghai).Format(minutes),
			c.Reason, d.Statutory.In(Shanghai).Format(minutes))
		return d, 0
	}
	stood := d.stood()
	w := walk{reckoning: by, year: dayOf(d.Statutory).year, stood: append(stood, span{stop, resume})}
	d.Proof += fmt.Sprintf("; paused %s to %s (%s): ", w.short(stop), w.short(resume), c.Reason)
	before := walk{reckoning: by, stood: stood}
	lost := 0
	for p := max2(stop, d.firstDay(t)); p.compare(resume) <= 0 && p.compare(dayOf(d.Counted)) <= 0; p = p.add(1) {
		if !before.standing(p) && (t.unit != "wd" || by.workday(p)) {
			lost++
		}
	}
	w.last = dayOf(d.Counted)
	if t.kind() == "wd" {
		w.workdays(w.last, lost, false)
	} else {
		w.days(lost)
	}
	counted, from := w.last, dayOf(d.Statutory)
	d.Counted = counted.end().UTC()
	t.roll = d.roll(t)
	w.rollOver(t.roll)
	return d.endsAfter(&w), w.doubtful(t, from, counted)
}

// firstDay is the first that counts.
func (d Deadline) firstDay(t term) day {
	first := dayOf(d.Start)
	if t.start == "next_day" {
		first = first.add(1)
	}
	return first
}

func max2(a, b day) day {
	if a.compare(b) < 0 {
		return b
	}
	return a
}

// stood are the days on which the clock has stood so far.
func (d Deadline) stood() []span {
	var s []span
	for _, c := range d.Changes {
		if c.Kind == Pause {
			s = append(s, span{dayOf(c.From), dayOf(c.To)})
		}
	}
	return s
}

// roll is what moves the last day: the rule of what extended the term last, or its own.
func (d Deadline) roll(t term) string {
	for _, c := range slices.Backward(d.Changes) {
		if c.Kind == Extension {
			if e, err := parseTerm(c.Term); err == nil {
				return e.roll
			}
		}
	}
	return t.roll
}

// extendedBy counts on from the last day.
func (d Deadline) extendedBy(c Change, by reckoning) (Deadline, int) {
	e, err := parseTerm(c.Term)
	if err != nil { // checked when it was granted
		panic(err)
	}
	last := dayOf(d.Statutory)
	w := walk{reckoning: by, year: last.year, stood: d.stood()}
	e.walk(&w, last)
	counted := w.last
	d.Counted = counted.end().UTC()
	w.rollOver(e.roll)
	d.Proof += fmt.Sprintf("; extended by %d %s (%s): ", e.amount, e.unit, c.Basis)
	return d.endsAfter(&w), w.doubtful(e, last, counted)
}

// endsAfter writes down what a walk found. A change never makes a term shorter.
func (d Deadline) endsAfter(w *walk) Deadline {
	if end := w.last.end().UTC(); end.After(d.Statutory) {
		d.Statutory = end
		d.Proof += strings.Join(w.steps, ", ")
		return d
	}
	d.Proof += "stays " + dayOf(d.Statutory).String()
	return d
}

// days moves the last day by calendar days, those on which the clock stood left out.
func (w *walk) days(n int) {
	for n > 0 {
		if w.last = w.last.add(1); !w.standing(w.last) {
			n--
		}
	}
	w.ends("")
}

// Settled is a provisional clock reckoned anew with the notices that are loaded at a time: once, by an act that is
// recorded. A party's term only moves later by it (process of the programme); an agency's own moves either way.
func (d Deadline) Settled(at time.Time) (Deadline, error) {
	if !d.Provisional {
		return d, refuse("the date is not provisional")
	}
	t, err := parseTerm(d.Term)
	if err != nil {
		return d, err
	}
	by := reckoning{rules: now(), at: d.Start, later: at}
	anew := t.statutory(d.Start, by)
	anew.Basis, anew.Source, anew.Profile, anew.EscalateEvery, anew.Due = d.Basis, d.Source, d.Profile, d.EscalateEvery, d.Due
	for _, c := range d.Changes {
		anew = anew.with(c, by)
	}
	if anew.Provisional {
		_, why, _ := strings.Cut(anew.Proof, provisionally)
		return d, refuse("it is provisional still: %s", why)
	}
	was, is := dayOf(d.Statutory), dayOf(anew.Statutory)
	if anew.Statutory.Before(d.Statutory) && by.party(d.Basis) {
		anew.Proof += "; settled: a party's term gets no shorter: " + was.String()
		anew.Statutory, anew.Counted = d.Statutory, d.Counted
	} else {
		anew.Proof += fmt.Sprintf("; settled (was %s): %s", was, is)
	}
	anew.Due = d.Due
	if d.Profile == Statutory {
		anew.Due = anew.Statutory
	}
	return anew, nil
}

// Kept is a provisional clock of an owner that stores what came of it and not how it is counted. The rule in force when it
// started counts it, if that is still the one that its proof names: no rule that was rewritten moves an old clock.
func Kept(basis string, start, due, statutory time.Time, proof, profile string) (Deadline, error) {
	b, ok := inForce(now().deadlines[basis], start)
	if !ok {
		return Deadline{}, refuse("no deadline basis %q at %s", basis, start.UTC().Format(time.RFC3339))
	}
	if !strings.HasPrefix(proof, fmt.Sprintf("%d %s %s %s:", b.amount, b.unit, b.preposition(), dayOf(start))) {
		return Deadline{}, refuse("the rule of %s was rewritten since %s", basis, start.UTC().Format(time.RFC3339))
	}
	_, _, provisional := strings.Cut(proof, provisionally)
	return Deadline{
		Due: due, Statutory: statutory, Proof: proof, Provisional: provisional, Source: b.source, Basis: basis, Profile: profile,
		Start: start.UTC(), Term: b.String(), Counted: statutory,
	}, nil
}

// Unsettled are the years whose missing notice made a clock provisional; none for one that is not.
func (d Deadline) Unsettled() []int {
	if !d.Provisional {
		return nil
	}
	by := reckoning{rules: now(), at: d.Start}
	start, last := dayOf(d.Start).year, dayOf(d.Statutory).year
	var years []int
	for y := min(start, last); y <= max(start, last); y++ {
		if !by.certain(y) {
			years = append(years, y)
		}
	}
	if years == nil { // its notice was entered later, as in force from before the clock began
		years = []int{max(start, last)}
	}
	return years
}

// Noticed says whether the notice of a year is loaded and in force at a time.
func Noticed(year int, at time.Time) bool {
	return reckoning{rules: now(), at: at}.certain(year)
}

// TermOf is how a basis is counted, by the rule in force at a time.
func TermOf(code string, at time.Time) (string, error) {
	b, ok := inForce(now().deadlines[code], at)
	if !ok {
		return "", fmt.Errorf("no deadline basis %s at %s", strconv.Quote(code), at.UTC().Format(time.RFC3339))
	}
	return b.String(), nil
}

// SourceOf is the article or the rule that a basis comes from at a time; empty when there is none.
func SourceOf(code string, at time.Time) string {
	b, _ := inForce(now().deadlines[code], at)
	return b.source
}
