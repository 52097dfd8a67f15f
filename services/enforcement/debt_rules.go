package enforcement

import (
	"slices"
	"time"

	"quietline/services/enforcement/store"
)

// debt is what the party owes of the decision, in fen.
type debt struct {
	fine, confiscation, addition, remitted, paid int64
	lateDays                                     int
}

// due is what the decision asks for, with the addition as far as it was not remitted.
func (d debt) due() int64 { return d.fine + d.confiscation + max(d.addition-d.remitted, 0) }

func (d debt) owed() int64 { return max(d.due()-d.paid, 0) }

// overpaid is what is to be given back: a change may ask for less than was paid.
func (d debt) overpaid() int64 { return max(d.paid-d.due(), 0) }

// owed is what the decision itself asks for and was not paid.
func (m *matter) owed() int64 {
	var sum int64
	for _, p := range m.decidedPenalties() {
		sum += p.AmountFen
	}
	return max(sum-m.paid(), 0)
}

func (m *matter) paid() int64 {
	var sum int64
	for _, p := range m.payments {
		sum += p.AmountFen
	}
	return sum
}

// receipted says whether a receipt is on file.
func (m *matter) receipted(no string) bool {
	return slices.ContainsFunc(m.payments, func(p store.CasePayment) bool { return p.ReceiptNo == no })
}

// additionPercent is what a late day costs of the fine (行政处罚法 72).
const additionPercent = 3

// debtAt is what is owed at a time of the decision as it stands: 3 % of the fine for each day after the term, at most the
// fine, no day of a remedy counted, less what was remitted (行政处罚法 72, 73; 行政强制法 42, 45). With instalments the last of
// them is the term from then on (66). The database reckons the same once more (case_debt).
func (m *matter) debtAt(at time.Time) debt {
	d := debt{paid: m.paid()}
	for _, r := range m.remissions {
		d.remitted += r.AmountFen
	}
	for _, p := range m.decidedPenalties() {
		switch p.Kind {
		case "fine":
			d.fine += p.AmountFen
		case "confiscation":
			d.confiscation += p.AmountFen
		}
	}
	if d.fine == 0 {
		return d
	}
	d.lateDays = m.daysLate(m.lateUntil(at, d), at)
	d.addition = min(d.fine*additionPercent/100*int64(d.lateDays), d.fine)
	return d
}

// lateUntil is when the last of fine and confiscation came in: from then on nothing is added.
func (m *matter) lateUntil(at time.Time, d debt) time.Time {
	var sum int64
	for _, p := range m.payments {
		if sum += p.AmountFen; sum >= d.fine+d.confiscation {
			return p.PaidTime
		}
	}
	return at
}

// dayLasts is how long a day is in the profile under which the term of performance was computed.
func (m *matter) dayLasts() time.Duration {
	const days = 15
	k := m.firstClock(basisPerform)
	if k == nil || k.Profile == "statutory" {
		return 24 * time.Hour
	}
	return max(k.DueTime.Sub(k.StartTime)/days, time.Millisecond)
}

// idle is a time that does not count.
type idle struct{ from, to time.Time }

// lateDays are the days from a term to a time, by the policy on a day that has only begun (late_day_begun, to confirm).
func (m *matter) lateDays(due, until, at time.Time) int {
	day, not := m.dayLasts(), m.remedyTimes(at)
	if m.begunDay {
		until = until.Add(day - 1)
	}
	return lateDays(due, until, day, not)
}

// lateDays are the whole days after a term, less those in spans that do not count.
func lateDays(due, at time.Time, day time.Duration, not []idle) int {
	late := at.Sub(due)
	for _, s := range not {
		from, to := later(s.from, due), earlier(s.to, at)
		if to.After(from) {
			late -= to.Sub(from)
		}
	}
	return int(max(late, 0) / day)
}

// remedyTimes are the times of reconsideration and litigation, joined where they overlap. A change adds the fifteen days that
// the party has for what it owes from then on (行政处罚法 67).
func (m *matter) remedyTimes(at time.Time) []idle {
	byID := map[string]*idle{}
	var order []*idle
	for _, r := range m.counting() {
		s := byID[r.RemedyID]
		if s == nil {
			s = &idle{from: r.FileTime, to: at}
			byID[r.RemedyID] = s
			order = append(order, s)
		}
		if !endsRemedy[r.Fact] {
			continue
		}
		s.to = r.FactTime
		if k := m.clock(basisPerform, r.EventSeq); r.Fact == remedyChanged && k != nil && k.EventSeq == r.EventSeq {
			s.to = k.DueTime
		}
	}
	slices.SortFunc(order, func(a, b *idle) int { return a.from.Compare(b.from) })
	var out []idle
	for _, s := range order {
		if n := len(out); n > 0 && !s.from.After(out[n-1].to) {
			out[n-1].to = later(out[n-1].to, s.to)
			continue
		}
		out = append(out, *s)
	}
	return out
}

// endsRemedy are the facts that end a remedy, finally; reverses are those that take the decision back.
var (
	endsRemedy = map[string]bool{"refused": true, "upheld": true, remedyChanged: true, "revoked": true, "declared_illegal": true, "withdrawn": true}
	reverses   = map[string]bool{"revoked": true, "declared_illegal": true}
)

// remedyOpen says whether a remedy runs.
func (m *matter) remedyOpen() bool {
	open := map[string]bool{}
	for _, r := range m.counting() {
		open[r.RemedyID] = !endsRemedy[r.Fact]
	}
	for _, is := range open {
		if is {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
