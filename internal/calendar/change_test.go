package calendar_test

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quietline/internal/calendar"
)

func start(t *testing.T, basis, from, profile string) calendar.Deadline {
	t.Helper()
	d, err := calendar.Due(basis, at(from), profile)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func date(t time.Time) string { return t.In(calendar.Shanghai).Format(time.DateOnly) }

func refused(t *testing.T, err error, says string) {
	t.Helper()
	if _, ok := errors.AsType[calendar.Refusal](err); !ok || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v, want a refusal that says %q", err, says)
	}
}

// Pauses worked out by hand. The proof goes on from what it was.
func TestPaused(t *testing.T) {
	for _, c := range []struct{ name, basis, from, stop, resume, want, proof string }{
		{"two working days stood, and the worked Saturday with them", "bounce_5wd", "2026-09-28 10:00", "2026-10-09 10:00", "2026-10-12 10:00", "2026-10-14",
			"5 wd from 2026-09-28: 9-29, 9-30, [10-1 to 10-7 holiday], 10-8, 10-9, 10-10 (worked Saturday)" +
				"; paused 10-9 to 10-12 (appraisal): [10-11 to 10-12 paused], 10-13, 10-14"},
		{"a pause on days off costs nothing", "bounce_5wd", "2026-09-28 10:00", "2026-10-02 10:00", "2026-10-05 10:00", "2026-10-10",
			"5 wd from 2026-09-28: 9-29, 9-30, [10-1 to 10-7 holiday], 10-8, 10-9, 10-10 (worked Saturday)" +
				"; paused 10-2 to 10-5 (appraisal): stays 2026-10-10"},
		{"the day of the event did not count anyway", "accept_1wd", "2026-11-19 10:00", "2026-11-19 11:00", "2026-11-19 12:00", "2026-11-20",
			"1 wd from 2026-11-19: 11-20; paused 11-19 to 11-19 (appraisal): stays 2026-11-20"},
		{"calendar days run on by as many", "case_90d", "2026-07-01 10:00", "2026-08-10 10:00", "2026-08-19 10:00", "2026-10-09",
			"90 cd from 2026-07-01: 9-29; paused 8-10 to 8-19 (appraisal): 10-9"},
		{"what rolls is counted from where it was before it rolled", "supplement_15d", "2026-09-18 12:00", "2026-09-20 10:00", "2026-09-24 10:00", "2026-10-08",
			"15 cd from 2026-09-18: [10-3 to 10-7 holiday], 10-8; paused 9-20 to 9-24 (appraisal): stays 2026-10-08"},
		{"months, too", "litigate_6m", "2026-01-15 12:00", "2026-02-01 10:00", "2026-02-03 10:00", "2026-07-20",
			"6 m from 2026-01-15: 7-15; paused 2-1 to 2-3 (appraisal): [7-18 to 7-19 weekend], 7-20"},
		{"hours stand to the minute", "transfer_24h", "2026-11-20 10:00", "2026-11-20 12:00", "2026-11-20 13:30", "2026-11-21",
			"24 h from 2026-11-20 10:00: 2026-11-21 10:00; paused 2026-11-20 12:00 to 2026-11-20 13:30 (appraisal): 2026-11-21 11:30"},
		{"into the next year: 12-30, 12-31 and worked Sunday 1-4 stood", "bounce_5wd", "2025-12-25 10:00", "2025-12-30 10:00", "2026-01-05 10:00", "2026-01-08",
			"5 wd from 2025-12-25: 12-26, [12-27 to 12-28 weekend], 12-29, 12-30, 12-31, [2026-01-01 to 1-3 holiday], 1-4 (worked Sunday)" +
				"; paused 2025-12-30 to 2026-01-05 (appraisal): [1-5 paused], 1-6, 1-7, 1-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := start(t, c.basis, c.from, calendar.Statutory).Paused(at(c.stop), at(c.resume), "appraisal")
			if err != nil {
				t.Fatal(err)
			}
			if date(d.Due) != c.want || !d.Due.Equal(d.Statutory) || d.Proof != c.proof {
				t.Errorf("due %s, want %s\n%s\n%s", date(d.Due), c.want, d.Proof, c.proof)
			}
		})
	}
}

func TestPaused_refused(t *testing.T) {
	d := start(t, "bounce_5wd", "2026-09-28 10:00", calendar.Statutory)
	for _, c := range []struct{ stop, resume, reason, says string }{
		{"2026-09-29 10:00", "2026-09-28 10:00", "appraisal", "ends after it begins"},
		{"2026-09-27 10:00", "2026-09-29 10:00", "appraisal", "before the clock does"},
		{"2026-10-11 10:00", "2026-10-12 10:00", "appraisal", "the term was over"},
		{"2026-09-29 10:00", "2026-09-30 10:00", "", "needs its reason"},
	} {
		_, err := d.Paused(at(c.stop), at(c.resume), c.reason)
		refused(t, err, c.says)
	}
	once, err := d.Paused(at("2026-09-29 10:00"), at("2026-10-08 10:00"), "appraisal")
	if err != nil {
		t.Fatal(err)
	}
	_, err = once.Paused(at("2026-09-30 10:00"), at("2026-10-09 10:00"), "appraisal")
	refused(t, err, "before the last change")
	_, err = start(t, "hearing_notice_7wd", "2026-10-12 09:00", calendar.Statutory).Paused(at("2026-09-22 10:00"), at("2026-09-23 10:00"), "appraisal")
	refused(t, err, "counts back")
	// A second pause on the day on which the first ended costs that day once.
	twice, err := once.Paused(at("2026-10-08 12:00"), at("2026-10-08 14:00"), "appraisal")
	if err != nil || !twice.Due.Equal(once.Due) || len(twice.Changes) != 2 {
		t.Errorf("twice on a day: %v, %s after %s", err, date(twice.Due), date(once.Due))
	}
}

func TestExtended(t *testing.T) {
	d := start(t, "fact_check_15wd", "2026-09-07 10:00", calendar.Statutory)
	if date(d.Due) != "2026-09-28" { // 8 to 11, 14 to 18, worked Sunday 20, 21 to 24 are fourteen, [25 to 27], 28
		t.Errorf("due %s: %s", date(d.Due), d.Proof)
	}
	before := d.Proof
	e, err := d.Extended("fact_check_extend_15wd", at("2026-09-21 10:00"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(e.Proof, before+"; extended by 15 wd (fact_check_extend_15wd): ") || !e.Due.After(d.Due) {
		t.Errorf("proof %s", e.Proof)
	}
	if date(e.Due) != "2026-10-23" { // 29, 30, [10-1 to 10-7], 8, 9, worked Saturday 10, 12 to 16 are ten, 19 to 23
		t.Errorf("due %s: %s", date(e.Due), e.Proof)
	}
	if e.Basis != "fact_check_15wd" || len(e.Changes) != 1 || e.Changes[0].Source == "" || len(d.Changes) != 0 {
		t.Errorf("changes %+v", e.Changes)
	}
	_, err = e.Extended("fact_check_extend_15wd", at("2026-09-22 10:00"))
	refused(t, err, "1 times at most")
	_, err = d.Extended("fact_check_extend_15wd", at("2026-12-22 10:00"))
	refused(t, err, "was over")
	_, err = d.Extended("case_extend_30d", at("2026-09-21 10:00"))
	refused(t, err, "no rule extends")
	c := start(t, "case_90d", "2026-07-01 10:00", calendar.Statutory)
	if c, err = c.Extended("case_extend_30d", at("2026-09-20 10:00")); err != nil || date(c.Due) != "2026-10-29" {
		t.Errorf("%v: %s, %s", err, date(c.Due), c.Proof)
	}
	if c, err = c.Paused(at("2026-10-01 10:00"), at("2026-10-10 10:00"), "hearing"); err != nil || date(c.Due) != "2026-11-08" {
		t.Errorf("%v: %s, %s", err, date(c.Due), c.Proof)
	}
}

func TestChanges_inRehearsal(t *testing.T) {
	from := at("2026-09-28 10:00")
	d := start(t, "fact_check_15wd", "2026-09-28 10:00", calendar.Rehearsal)
	p, err := d.Paused(from.Add(10*time.Second), from.Add(40*time.Second), "appraisal")
	if err != nil || p.Due.Sub(d.Due) != 30*time.Second {
		t.Errorf("%v: a stop of 30 s moves the end by %v", err, p.Due.Sub(d.Due))
	}
	e, err := p.Extended("fact_check_extend_15wd", from.Add(time.Minute))
	if err != nil || e.Due.Sub(p.Due) != 150*time.Second || !e.Statutory.After(p.Statutory) {
		t.Errorf("%v: fifteen days move the end by %v", err, e.Due.Sub(p.Due))
	}
}

// A stored clock is its own rule: it goes on as it began, whatever its row of the table says by now.
func TestStoredClockKeepsItsRule(t *testing.T) {
	dir := policy(t)
	d := start(t, "bounce_5wd", "2026-09-28 10:00", calendar.Statutory)
	put(t, dir, "deadlines.csv", deadlinesHead+"bounce_5wd,1,cd,same,none,10,1,2018-07-01,,entered as if it had always been so\n")
	if young := start(t, "bounce_5wd", "2026-09-28 10:00", calendar.Statutory); date(young.Due) != "2026-09-28" {
		t.Fatalf("the folder was not read: %s", young.Proof)
	}
	p, err := d.Paused(at("2026-10-09 10:00"), at("2026-10-12 10:00"), "appraisal")
	if err != nil || date(p.Due) != "2026-10-14" || !strings.HasPrefix(p.Proof, d.Proof) {
		t.Errorf("%v: %s", err, p.Proof)
	}
}

func TestSettled(t *testing.T) {
	dir := policy(t)
	agency := start(t, "fact_check_15wd", "2026-11-01 10:00", calendar.Statutory)
	if _, err := agency.Settled(at("2026-12-01 10:00")); err == nil {
		t.Error("a certain date was settled")
	}
	agency = start(t, "fact_check_15wd", "2026-12-20 10:00", calendar.Statutory)
	party := start(t, "perform_15d", "2026-12-19 10:00", calendar.Statutory)
	other := start(t, "perform_15d", "2026-12-25 10:00", calendar.Statutory)
	if date(agency.Due) != "2027-01-11" || date(party.Due) != "2027-01-04" || date(other.Due) != "2027-01-11" {
		t.Fatalf("%s, %s, %s", agency.Proof, party.Proof, other.Proof)
	}
	_, err := agency.Settled(at("2026-12-28 10:00"))
	refused(t, err, "provisional still")
	if years := agency.Unsettled(); !slices.Equal(years, []int{2027}) || calendar.Noticed(2027, at("2026-12-28 10:00")) {
		t.Errorf("unsettled %v", years)
	}
	put(t, dir, "holidays.csv", holidaysHead+
		"2027,2027-01-01,2027-01-03,off,元旦,2026-12-22,,notice of 2027\n2027,2027-01-09,2027-01-10,work,x,2026-12-22,,notice of 2027\n"+
		"2027,2027-01-11,2027-01-12,off,x,2026-12-22,,notice of 2027\n")
	// The agency's own: 1-9 and 1-10 are worked, so two days sooner. The parties': 1-4 stays; 1-9 is worked now, and would be
	// sooner than 1-11, which is kept.
	for _, c := range []struct {
		d    calendar.Deadline
		want string
		ends string
	}{
		{agency, "2027-01-09", "; settled (was 2027-01-11): 2027-01-09"},
		{party, "2027-01-04", "; settled (was 2027-01-04): 2027-01-04"},
		{other, "2027-01-11", "; settled: a party's term gets no shorter: 2027-01-11"},
	} {
		s, err := c.d.Settled(at("2026-12-28 10:00"))
		if err != nil {
			t.Fatal(err)
		}
		if date(s.Due) != c.want || s.Provisional || !strings.HasSuffix(s.Proof, c.ends) || strings.Contains(s.Proof, "not loaded") {
			t.Errorf("%s: due %s, want %s\n%s", c.d.Basis, date(s.Due), c.want, s.Proof)
		}
		if _, err := s.Settled(at("2026-12-29 10:00")); err == nil {
			t.Errorf("%s settled twice", c.d.Basis)
		}
	}
}

var inProof = regexp.MustCompile(`(?:(\d{4})-)?(\d{1,2})-(\d{1,2})`)

// lastInProof is the last date that a proof names. A date without a year has that of the one before it.
func lastInProof(proof string) string {
	proof, _, _ = strings.Cut(proof, "; provisional: ")
	var y, m, d int
	for _, f := range inProof.FindAllStringSubmatch(proof, -1) {
		if f[1] != "" {
			y, _ = strconv.Atoi(f[1])
		}
		m, _ = strconv.Atoi(f[2])
		d, _ = strconv.Atoi(f[3])
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, calendar.Shanghai).Format(time.DateOnly)
}

// Whatever happens to a clock, its proof ends with its last day, no pause and no extension makes it shorter, and a
// longer pause never ends sooner.
func TestChanges_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		basis := rapid.SampledFrom(calendar.Bases()).Draw(t, "basis")
		from := at("2026-04-01 00:00").Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "minutes")) * time.Minute)
		d, err := calendar.Due(basis, from, calendar.Statutory)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, d)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			when := from
			if n := len(d.Changes); n > 0 {
				when = d.Changes[n-1].From
				if d.Changes[n-1].To.After(when) {
					when = d.Changes[n-1].To
				}
			}
			when = when.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "stop")) * time.Minute)
			span := time.Duration(rapid.IntRange(0, 30*24*60).Draw(t, "stood")) * time.Minute
			var next calendar.Deadline
			if rules := calendar.ExtensionsOf(basis, from); len(rules) > 0 && rapid.Bool().Draw(t, "extend") {
				next, err = d.Extended(rules[0].By, when)
			} else if next, err = d.Paused(when, when.Add(span), "appraisal"); err == nil {
				longer, err := d.Paused(when, when.Add(span+time.Duration(rapid.IntRange(0, 9*24*60).Draw(t, "more"))*time.Minute), "appraisal")
				if err != nil || longer.Due.Before(next.Due) {
					t.Fatalf("%v: a longer pause ends sooner\n%s\n%s", err, next.Proof, longer.Proof)
				}
			}
			if _, ok := errors.AsType[calendar.Refusal](err); ok {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if next.Due.Before(d.Due) || !strings.HasPrefix(next.Proof, strings.Split(d.Proof, "; provisional")[0]) {
				t.Fatalf("shorter, or another proof:\n%s\n%s", d.Proof, next.Proof)
			}
			holds(t, next)
			d = next
		}
	})
}

func holds(t *rapid.T, d calendar.Deadline) {
	if got := lastInProof(d.Proof); got != date(d.Statutory) || !d.Due.Equal(d.Statutory) {
		t.Fatalf("due %s, and the proof ends %s: %s", date(d.Statutory), got, d.Proof)
	}
	if d.Provisional != strings.Contains(d.Proof, "; provisional: ") {
		t.Fatalf("provisional %v: %s", d.Provisional, d.Proof)
	}
}

// A clock whose term was not stored is settled by the rule of its proof, and by no other that took its place.
func TestKept(t *testing.T) {
	dir := policy(t)
	d := start(t, "statement_5wd", "2026-12-28 10:00", calendar.Statutory)
	kept := func() (calendar.Deadline, error) {
		return calendar.Kept(d.Basis, d.Start, d.Due, d.Statutory, d.Proof, d.Profile)
	}
	same, err := kept()
	if err != nil || !same.Provisional || same.Term != d.Term || same.Due != d.Due || len(same.Unsettled()) != 1 {
		t.Fatalf("%+v, %v", same, err)
	}
	put(t, dir, "holidays.csv", holidaysHead+"2027,2027-01-01,2027-01-05,off,元旦,2026-12-20,,notice of 2027\n")
	for !calendar.Noticed(2027, at("2027-01-01 00:00")) {
		if t.Context().Err() != nil {
			t.Fatal("the notice does not take effect")
		}
	}
	settled, err := same.Settled(at("2026-12-29 10:00"))
	if err != nil || settled.Provisional || !settled.Due.After(d.Due) {
		t.Errorf("%+v, %v", settled, err)
	}
	put(t, dir, "deadlines.csv", deadlinesHead+"statement_5wd,9,wd,next_day,none,1,1,2021-07-15,,rewritten\n")
	for err = nil; err == nil && t.Context().Err() == nil; {
		_, err = kept()
	}
	refused(t, err, "rewritten")
}
