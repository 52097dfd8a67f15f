package reporting

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"quietline/internal/calendar"
	"quietline/internal/phone"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

const (
	maxMarkLabel  = 40 // runes
	maxMarkNumber = 60 // bytes, as written
	maxMarkCount  = 1_000_000_000
	dayForm       = "2006-01-02"
	dayFormShort  = "20060102"
)

// markLimits are the days that are taken in.
type markLimits struct {
	first, last time.Time // midnight UTC of days in Asia/Shanghai
}

// dayOf is the day in Asia/Shanghai, as midnight UTC: a date without a place.
func dayOf(at time.Time) time.Time {
	y, m, d := at.In(calendar.Shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// readDay reads YYYY-MM-DD or YYYYMMDD.
func readDay(s string) (time.Time, bool) {
	form := dayForm
	if len(s) == len(dayFormShort) {
		form = dayFormShort
	}
	day, err := time.Parse(form, s)
	return day, err == nil
}

// markReader reads the rows of one request. Rows come sorted by day or label more often than not, so the last one read
// is remembered.
type markReader struct {
	limits  markLimits
	dayText string
	day     time.Time
	dayBad  string
	label   string // as sent
	trimmed string
	labeled string // what is wrong with it
}

// read makes a statement of a row, or says which field is unusable and why.
func (r *markReader) read(row *reportingv1.MarkRow) (store.NewMark, *fault) {
	number := markedNumber(row.GetNumber())
	if number == "" {
		return store.NewMark{}, &fault{"number", unusableNumber(row.GetNumber())}
	}
	if row.GetDay() != r.dayText || r.dayText == "" {
		r.dayText = row.GetDay()
		r.day, r.dayBad = r.limits.check(row.GetDay())
	}
	if r.dayBad != "" {
		return store.NewMark{}, &fault{"day", r.dayBad}
	}
	if row.GetLabel() != r.label || r.label == "" {
		r.label = row.GetLabel()
		r.trimmed, r.labeled = checkLabel(r.label)
	}
	if r.labeled != "" {
		return store.NewMark{}, &fault{"label", r.labeled}
	}
	if c := row.GetCount(); c < 0 || c > maxMarkCount {
		return store.NewMark{}, &fault{"count", "must be 0 to 1,000,000,000 (次数须为0至10亿的整数)"}
	}
	return store.NewMark{Number: number, Day: r.day, Label: r.trimmed, Count: row.GetCount()}, nil
}

// markedNumber is the normal form of a number that can be marked; empty for what is no number.
func markedNumber(raw string) string {
	if len(raw) > maxMarkNumber {
		return ""
	}
	n := phone.Parse(raw)
	if !phone.Usable(n) {
		return ""
	}
	return n.GetNormal()
}

// unusableNumber says why a number cannot be marked.
func unusableNumber(raw string) string {
	if len(raw) > maxMarkNumber {
		return "is too long for a number (号码过长)"
	}
	switch n := phone.Parse(raw); n.GetKind() {
	case phone.Empty:
		return "is empty (号码为空)"
	case phone.Text:
		return "is text and no number (不是号码)"
	default:
		if n.GetReason() != "" {
			return "is no number that can exist: " + n.GetReason()
		}
		return "is no number that can exist (号码无效)"
	}
}

// check reads a day and says what is wrong with it, "" when nothing is.
func (l markLimits) check(s string) (time.Time, string) {
	day, ok := readDay(s)
	switch {
	case !ok:
		return day, "must be a day, YYYY-MM-DD (日期格式须为年-月-日)"
	case day.After(l.last):
		return day, "is in the future (日期晚于今天)"
	case day.Before(l.first):
		return day, "is older than marks are taken in (日期过早)"
	}
	return day, ""
}

// checkLabel trims a label and says what is wrong with it.
func checkLabel(s string) (label, wrong string) {
	label = strings.TrimSpace(s)
	switch {
	case label == "":
		return "", "is empty (标记类型为空)"
	case utf8.RuneCountInString(label) > maxMarkLabel:
		return "", fmt.Sprintf("must have at most %d characters (标记类型过长)", maxMarkLabel)
	case !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl):
		return "", "holds control characters (含控制字符)"
	}
	return label, ""
}

// settleMarks sorts statements by their key and leaves the last one of each: what was stated later stands.
func settleMarks(marks []store.NewMark) []store.NewMark {
	slices.SortStableFunc(marks, compareMarks)
	out := marks[:0]
	for i := range marks {
		if i+1 < len(marks) && compareMarks(marks[i], marks[i+1]) == 0 {
			continue
		}
		out = append(out, marks[i])
	}
	return out
}

func compareMarks(a, b store.NewMark) int {
	if c := strings.Compare(a.Number, b.Number); c != 0 {
		return c
	}
	if c := a.Day.Compare(b.Day); c != 0 {
		return c
	}
	return strings.Compare(a.Label, b.Label)
}

// checkable says whether marks alone may open a clue for a number: somebody must serve it, whom one can ask. A forged or
// foreign number is served by nobody here, and never counts against the true holder of what it imitates; which province's
// a 96 code without area is, marks do not say.
func checkable(n *commonv1.Number) bool {
	switch n.GetKind() {
	case phone.Foreign, phone.Text, phone.Empty, phone.Invalid:
		return false
	case phone.Code96:
		return !strings.HasPrefix(n.GetNormal(), "96")
	}
	return !phone.Forged(n.GetKind())
}
