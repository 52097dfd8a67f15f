package credit

import (
	"fmt"
	"slices"
	"time"

	"quietline/internal/calendar"
	creditv1 "quietline/proto/quietline/credit/v1"
	"quietline/services/credit/store"
)

// States of an entry.
const (
	proposed        = "PROPOSED"
	notified        = "NOTIFIED"
	listed          = "LISTED"
	repairRequested = "REPAIR_REQUESTED"
	removed         = "REMOVED"
	expired         = "EXPIRED"
	withdrawn       = "WITHDRAWN"
)

// Lists.
const (
	badList       = "bad"
	dishonestList = "dishonest"
	creditRecord  = "credit_record"
)

// stateAt is the state of an entry at a time: what is past its latest end has ended, whether or not the sweep has come by.
func stateAt(at time.Time, l store.Listing) string {
	if (l.State == listed || l.State == repairRequested) && !l.LatestEnd.After(at) {
		return expired
	}
	if l.EndTime != nil && l.EndTime.After(at) {
		return listed
	}
	return l.State
}

// stands says whether others act on an entry now.
func stands(at time.Time, l store.Listing) bool {
	s := stateAt(at, l)
	return s == listed || s == repairRequested
}

// ends are when repair may be asked for and when an entry ends by itself, really and by statute, and how that was found.
type ends struct {
	earliest, latest                   time.Time
	statutoryEarliest, statutoryLatest time.Time
	proof                              string
	toConfirm                          bool
}

// rehearsalDay is how long a day of an entry lasts in rehearsal.
const rehearsalDay = time.Second

// endsOf computes the ends of an entry from the date of its document. The earlier of the end of its class and that of its
// list counts; the proof shows both. All are the beginning of a day in Shanghai, so that no entry is a moment longer than
// its months. In rehearsal the same spans run from the entry, a second a day.
func endsOf(decided, entered time.Time, term store.SeverityTerm, list store.ListPolicy, profile string) ends {
	e := ends{statutoryEarliest: decided, toConfirm: term.ToConfirm || list.ToConfirm}
	if term.MinMonths > 0 {
		e.statutoryEarliest = addMonths(decided, int(term.MinMonths))
	}
	byClass, byList := addMonths(decided, int(term.MaxMonths)), addMonths(decided, int(list.Months))
	e.statutoryLatest = byClass
	if byList.Before(byClass) {
		e.statutoryLatest = byList
	}
	e.proof = fmt.Sprintf("from %s; %s: earliest %s (%d m), latest %s (%d m) [%s]; list %s: %s (%d m) [%s]; the earlier counts: %s",
		day(decided), term.Severity, day(e.statutoryEarliest), term.MinMonths, day(byClass), term.MaxMonths, term.Source,
		list.List, day(byList), list.Months, list.Source, day(e.statutoryLatest))
	if e.earliest, e.latest = e.statutoryEarliest, e.statutoryLatest; profile == calendar.Rehearsal {
		short := func(t time.Time) time.Time {
			return entered.Add(t.Sub(decided).Round(24*time.Hour) / (24 * time.Hour) * rehearsalDay)
		}
		e.earliest, e.latest = short(e.statutoryEarliest), short(e.statutoryLatest)
	}
	return e
}

func day(t time.Time) string { return t.In(calendar.Shanghai).Format(time.DateOnly) }

// addMonths is the same day some months later, or the last of its month where there is no such day.
func addMonths(t time.Time, months int) time.Time {
	y, m, d := t.In(calendar.Shanghai).Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, calendar.Shanghai)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, calendar.Shanghai).UTC()
}

// quarterOf is the first day of a quarter; quarters beyond the fourth are those of the next year.
func quarterOf(year, quarter int) time.Time {
	return time.Date(year, time.Month(3*(quarter-1)+1), 1, 0, 0, 0, 0, calendar.Shanghai).UTC()
}

// nextQuarter is the first day after the quarter of a time: its entries are published from then on.
func nextQuarter(t time.Time) time.Time {
	y, m, _ := t.In(calendar.Shanghai).Date()
	return quarterOf(y, int(m-1)/3+2)
}

var severities = []string{"minor", "general", "serious"}

// severityOf is how serious the gravest of some penalties is; empty when the policy knows none of them.
func severityOf(penalties []*creditv1.Penalty, simplified bool, policy []store.PenaltySeverity) string {
	gravest := -1
	for _, p := range penalties {
		found := ""
		for _, r := range policy { // by amount: the last that applies counts
			if r.PenaltyKind == p.GetKind() && r.FromFen <= p.GetAmount().GetFen() && (r.Simplified == simplified || !r.Simplified && found == "") {
				found = r.Severity
			}
		}
		gravest = max(gravest, slices.Index(severities, found))
	}
	if gravest < 0 {
		return ""
	}
	return severities[gravest]
}
