package enforcement

import (
	"fmt"
	"slices"
	"strings"

	"quietline/services/enforcement/store"
)

// Who a penalty is measured for (适用主体).
const (
	subjectFirm     = "firm"
	subjectPerson   = "person"
	subjectOperator = "operator"
)

// Grades of a discretion benchmark (裁量档次).
const (
	gradeLight    = "light"
	gradeOrdinary = "ordinary"
	gradeHeavy    = "heavy"
)

const (
	roleCaller       = "caller"
	simulation       = "simulation" // profile of rows that are no law
	rehearsing       = "rehearsal"  // profile of runs that may cite them
	fineKind         = "fine"
	confiscationKind = "confiscation"
	wholeRange       = 1000 // thousandths
)

// circumstances are the facts that a penalty is measured by.
type circumstances struct {
	act, role, subject    string
	gains                 int64 // illegal gains in fen; 0 for none or not known
	serious, egregious    bool
	mitigated, aggravated bool
}

// span is from the least to the highest amount in fen.
type span struct{ low, high int64 }

func (s span) has(fen int64) bool { return s.low <= fen && fen <= s.high }

// inYuan writes an amount as people read it.
func inYuan(fen int64) string {
	if fen%100 == 0 {
		return fmt.Sprintf("%d yuan", fen/100)
	}
	return fmt.Sprintf("%d.%02d yuan", fen/100, fen%100)
}

func (s span) String() string {
	if s.low == s.high {
		return inYuan(s.low)
	}
	return inYuan(s.low) + " to " + inYuan(s.high)
}

// familyOf is the first part of an agency's identifier, which catalogues name: samr of samr-44.
func familyOf(agency string) string {
	family, _, _ := strings.Cut(agency, "-")
	return family
}

// levelOf is the height of an agency.
func levelOf(agency string) string {
	if strings.Contains(agency, "-") {
		return "provincial"
	}
	return "national"
}

// subjectOf is as what a party is measured: a natural person, a licensed operator, or any other firm.
func subjectOf(person bool, role string) string {
	switch {
	case person:
		return subjectPerson
	case role == "access_operator":
		return subjectOperator
	}
	return subjectFirm
}

// applies says whether a row of the catalogue is for an act of a party.
func applies(p store.Penalty, c circumstances) bool {
	return slices.Contains(p.Acts, c.act) &&
		(len(p.Roles) == 0 || slices.Contains(p.Roles, c.role)) &&
		(len(p.Subjects) == 0 || slices.Contains(p.Subjects, c.subject))
}

// entitled says whether a body may impose a kind by a row; an empty kind asks for any.
func entitled(powers []store.PenaltyPower, code, agency, kind string) bool {
	return slices.ContainsFunc(powers, func(p store.PenaltyPower) bool {
		return p.PenaltyCode == code && p.Family == familyOf(agency) && (p.Level == "" || p.Level == levelOf(agency)) &&
			(kind == "" || len(p.Kinds) == 0 || slices.Contains(p.Kinds, kind))
	})
}

// familiesOf are the bodies that may impose a kind by a row.
func familiesOf(powers []store.PenaltyPower, code, kind string) []string {
	var out []string
	for _, p := range powers {
		if p.PenaltyCode == code && (len(p.Kinds) == 0 || slices.Contains(p.Kinds, kind)) && !slices.Contains(out, p.Family) {
			out = append(out, p.Family)
		}
	}
	return out
}

// fits says whether the circumstances are those that a range needs.
func fits(k store.PenaltyKind, c circumstances) bool {
	if k.Subject != "" && k.Subject != c.subject {
		return false
	}
	switch k.Tier {
	case "ordinary":
		return !c.serious && !c.egregious
	case "serious":
		return c.serious || c.egregious
	case "egregious":
		return c.egregious
	}
	return true
}

// rangeOf finds the range of a row for a kind in the circumstances. Where an article measures by the gains and by an
// amount, gains decide, unless there are none or they are below its threshold.
func rangeOf(ranges []store.PenaltyKind, code, kind string, c circumstances) (store.PenaltyKind, bool) {
	var byGains, byAmount *store.PenaltyKind
	for i, k := range ranges {
		switch {
		case k.PenaltyCode != code || k.Kind != kind || !fits(k, c):
		case k.MaxTimes != nil:
			byGains = &ranges[i]
		default:
			byAmount = &ranges[i]
		}
	}
	small := byAmount != nil && byAmount.GainsBelowFen != nil && c.gains < *byAmount.GainsBelowFen
	switch {
	case byGains != nil && (c.gains > 0 || byAmount == nil) && !small:
		return *byGains, true
	case byAmount != nil:
		return *byAmount, true
	}
	return store.PenaltyKind{}, false
}

// spanOf is what a range comes to: amounts as they stand, multiples of the gains. Nothing for kinds without an amount.
func spanOf(k store.PenaltyKind, gains int64) span {
	if k.MaxTimes != nil {
		return span{gains * int64(value(k.MinTimes)), gains * int64(*k.MaxTimes)}
	}
	return span{value(k.MinFen), value(k.MaxFen)}
}

func value[T int32 | int64](p *T) T {
	if p == nil {
		return 0
	}
	return *p
}

// gradeOf is the grade that the circumstances have by themselves. Serious ones are heavy, unless the article has a range
// of its own for them.
func gradeOf(k store.PenaltyKind, c circumstances) string {
	heavy := c.aggravated || (c.serious || c.egregious) && k.Tier == ""
	switch {
	case heavy && c.mitigated:
		return gradeOrdinary
	case heavy:
		return gradeHeavy
	case c.mitigated:
		return gradeLight
	}
	return gradeOrdinary
}

// band is the part of a statutory range that a published benchmark gives to a grade (裁量基准, 行政处罚法 34).
type band struct {
	span
	grade    string // empty without a benchmark: then the whole range stands open
	document string
}

// bandOf finds the band of an agency's family; of the rows that fit, the one for the article, then for the subject, goes
// first.
func bandOf(rows []store.DiscretionBand, k store.PenaltyKind, whole span, c circumstances) band {
	grade := gradeOf(k, c)
	best, rank := band{span: whole}, -1
	for _, r := range rows {
		if r.Grade != grade || r.PenaltyCode != "" && r.PenaltyCode != k.PenaltyCode || r.Subject != "" && r.Subject != c.subject {
			continue
		}
		own := 0
		if r.PenaltyCode != "" {
			own += 2
		}
		if r.Subject != "" {
			own++
		}
		if own > rank {
			width := whole.high - whole.low
			best, rank = band{
				span:  span{whole.low + width*int64(r.LowPermille)/wholeRange, whole.low + width*int64(r.HighPermille)/wholeRange},
				grade: grade, document: r.Document,
			}, own
		}
	}
	return best
}

// due says which article makes a step due for a penalty; empty when none does. A family's own row goes before all others.
func due(rows []store.ProcedureDue, step, kind, subject string, fen int64) string {
	for _, r := range rows { // the family's own first, then the subject's own
		if r.Step == step && r.Kind == kind && (r.Subject == "" || r.Subject == subject) {
			if fen >= r.MinFen {
				return r.Article
			}
			return ""
		}
	}
	return ""
}
