package enforcement

import (
	"time"

	"quietline/internal/calendar"
	"quietline/internal/errs"
	"quietline/services/enforcement/store"
)

// Bases of the limitation in the deadline table (行政处罚法 36).
const (
	limitationOrdinary = "limitation_2y"
	limitationGrave    = "limitation_5y" // life, health or financial safety, with harm done
)

// limitation is what is known of an act's end and of its discovery.
type limitation struct {
	end       *time.Time // nil: not known
	continues bool
	discovery time.Time
	basis     string // of the discovery
	disputed  bool
	grave     bool
}

// verdict is whether an act may still be punished (追责时效). In doubt it may, but the legal reviewer sees it first.
type verdict struct {
	barred, doubtful bool
	words            string
}

// discoveryOf is the default of a case: the first report that was later substantiated, else its opening; and the last call
// as the end of the act.
func discoveryOf(rows []store.CaseDiscovery, opened time.Time) limitation {
	l := limitation{discovery: opened, basis: "立案时间(无举报时间可据)"}
	for i, r := range rows {
		if r.DiscoveryTime != nil && (l.basis == "立案时间(无举报时间可据)" || r.DiscoveryTime.Before(l.discovery)) {
			l.discovery, l.basis = *r.DiscoveryTime, r.DiscoveryBasis
		}
		if r.ActEndTime != nil && (l.end == nil || r.ActEndTime.After(*l.end)) {
			l.end = rows[i].ActEndTime
		}
	}
	return l
}

// judge holds the discovery against the term. It is undisputed only when the end of the act is known, the act is over and
// nobody disputes when it was discovered.
func (l limitation) judge() (verdict, error) {
	basis, years := termOfLimitation(l.grave)
	switch {
	case l.continues:
		return verdict{doubtful: true, words: "the act goes on, so that its limitation has not begun (行政处罚法 第三十六条); its end is to be found out"}, nil
	case l.end == nil:
		return verdict{doubtful: true, words: "the end of the act is not known, nor therefore its limitation (行政处罚法 第三十六条)"}, nil
	}
	if !inTable(basis, *l.end) { // a report's own word, which nobody checked
		return verdict{doubtful: true, words: "the act is said to have ended on " + onDay(*l.end) + ", when this limitation was not in force (行政处罚法 第三十六条)"}, nil
	}
	term, err := calendar.Due(basis, *l.end, calendar.Statutory)
	if err != nil {
		return verdict{}, err
	}
	late := l.discovery.After(term.Statutory)
	words := "the act ended on " + onDay(*l.end) + ", was discovered on " + onDay(l.discovery) + " (" + l.basis + "), and could be punished if discovered by " +
		onDay(term.Statutory) + ", " + years + " (行政处罚法 第三十六条)"
	switch {
	case l.disputed:
		return verdict{doubtful: true, words: words + "; when it was discovered is disputed"}, nil
	case late:
		return verdict{barred: true, words: words}, nil
	}
	return verdict{words: words}, nil
}

// termOfLimitation is the basis of the term in the deadline table, and how long it is.
func termOfLimitation(grave bool) (basis, years string) {
	if grave {
		return limitationGrave, "5 years"
	}
	return limitationOrdinary, "2 years"
}

// reckonable refuses a time that no limitation can be reckoned from: of the future, or of before the deadline table.
func reckonable(field string, t, now time.Time, grave bool) error {
	basis, _ := termOfLimitation(grave)
	if t.After(now) {
		return errs.Field(field, "must not be in the future (行政处罚法 第三十六条)")
	}
	if !inTable(basis, t) {
		return errs.Field(field, "is %s, for which the table of deadlines has no %s: the limitation cannot be reckoned from it (行政处罚法 第三十六条)",
			onDay(t), basis)
	}
	return nil
}

// inTable says whether the deadline table has a term for something of then.
func inTable(basis string, at time.Time) bool {
	_, err := calendar.TermOf(basis, at)
	return err == nil
}

func onDay(t time.Time) string { return t.In(calendar.Shanghai).Format(time.DateOnly) }
