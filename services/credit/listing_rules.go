package credit

import (
	"time"

	"quietline/internal/calendar"
)

// States of a listing.
const (
	listed    = "LISTED"
	expired   = "EXPIRED"
	withdrawn = "WITHDRAWN"
)

// stateAt is the state of a listing at a time.
func stateAt(at, latestEnd time.Time, withdrawnTime *time.Time) string {
	switch {
	case withdrawnTime != nil && !withdrawnTime.After(at):
		return withdrawn
	case !latestEnd.After(at):
		return expired
	}
	return listed
}

// ends are when repair may be asked for and when a listing ends by itself. Both are the beginning of a day in Shanghai,
// so that a listing is never a moment longer than its months from the date of the decision.
func ends(decided time.Time, minMonths, maxMonths int) (earliest, latest time.Time) {
	earliest = decided
	if minMonths > 0 {
		earliest = addMonths(decided, minMonths)
	}
	return earliest, addMonths(decided, maxMonths)
}

// addMonths is the same day some months later, or the last of its month where there is no such day.
func addMonths(t time.Time, months int) time.Time {
	y, m, d := t.In(calendar.Shanghai).Date()
	last := time.Date(y, m+time.Month(months)+1, 0, 0, 0, 0, 0, calendar.Shanghai)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, calendar.Shanghai).UTC()
}
