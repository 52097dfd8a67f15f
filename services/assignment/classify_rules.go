package assignment

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// Categories of conduct.
const (
	commercial = "commercial"
	malicious  = "malicious"
	criminal   = "criminal"
)

var categories = map[string]bool{commercial: true, malicious: true, criminal: true}

// sectors is the vocabulary of the programme. Which agency is competent for one is data of the directory.
var sectors = map[string]bool{
	"loans": true, "credit_card": true, "insurance": true, "securities": true, "funds": true, "real_estate": true,
	"education": true, "medical_maternity": true, "medical_beauty": true, "health_food": true, "recruitment": true,
	"housekeeping": true, "travel": true, "retail": true, "telecom": true, "debt_collection": true, "other": true,
}

// kin are sectors so close that one does not speak against the other.
var kin = map[string]string{"credit_card": "loans", "funds": "securities"}

const (
	// doubt is the weight against every answer: evidence must outweigh it, so that one weak word decides nothing.
	doubt = 1.3
	// saturation bounds what many words of one sector add up to, since long texts repeat themselves.
	saturation = 14.0
	// holderWeight is what the sector of the number's holder counts: strong evidence.
	holderWeight = 4.0
	// companyInText is what a firm's name counts in the text instead of in its own field.
	companyInText = 0.4
	// whyAtMost bounds the evidence that is told.
	whyAtMost = 8
)

// evidence is one thing that speaks for an answer. What is told of it holds codes and words of the lexicon, nothing of
// the reporter's own.
type evidence struct {
	what             string
	sector, category string
	weight           float64
}

// classify answers the same for the same item and lexicon, always.
func (l *lexicon) classify(item *assignmentv1.ClassifyItem) *assignmentv1.Class {
	found := l.gather(item)
	bySector, byCategory := map[string]float64{}, map[string]float64{}
	for _, e := range found {
		if e.sector != "" {
			bySector[e.sector] += e.weight
		}
		if e.category != "" {
			byCategory[e.category] += e.weight
		}
	}
	sector, second, sure := best(bySector)
	category, _, alike := best(byCategory)
	return &assignmentv1.Class{
		Category:     category,
		Sector:       sector,
		SecondSector: second,
		Confidence:   round(min(sure, alike)),
		Why:          why(found),
	}
}

func (l *lexicon) gather(item *assignmentv1.ClassifyItem) []evidence {
	var found []evidence
	add := func(what string, entries []entry, factor float64) {
		for _, e := range entries {
			found = append(found, evidence{what, e.sector, e.category, e.weight * factor})
		}
	}
	text := l.normalise(item.GetText())
	present := map[int32]bool{}
	l.trie.find(text, func(n int32) { present[n] = true })
	for _, n := range slices.Sorted(maps.Keys(present)) {
		for _, e := range l.entries[n] {
			if e.applies(present) {
				found = append(found, evidence{"word:" + e.word, e.sector, e.category, e.weight})
			}
		}
	}
	firms := map[int32]float64{}
	l.company.find(text, func(n int32) {
		if utf8.RuneCountInString(l.firms[n][0].word) > 2 { // shorter ones are words like any other in a text
			firms[n] = companyInText
		}
	})
	l.company.find(l.normalise(item.GetCompany()), func(n int32) { firms[n] = 1 })
	named := map[string]bool{} // one firm's name may hold another's: it counts once for a sector
	for _, n := range slices.Sorted(maps.Keys(firms)) {
		firm := l.firms[n]
		if sector := firm[0].sector; !named[sector] && (firms[n] == 1 || len(present) > 0) {
			named[sector] = true
			add("company:"+firm[0].word, firm, firms[n])
		}
	}
	add("type:"+item.GetReportedType(), l.facts["type:"+item.GetReportedType()], 1)
	add("number_kind:"+item.GetNumberKind(), l.facts["kind:"+item.GetNumberKind()], 1)
	if s := item.GetHolderSector(); sectors[s] {
		found = append(found, evidence{"holder_sector:" + s, s, "", holderWeight})
	}
	return found
}

// applies says whether the context lets a word count.
func (e *entry) applies(present map[int32]bool) bool {
	for _, n := range e.without {
		if present[n] {
			return false
		}
	}
	if len(e.with) == 0 {
		return true
	}
	return slices.ContainsFunc(e.with, func(n int32) bool { return present[n] })
}

// best is the heaviest answer, the next one, and how sure the first is: its share of all that stands against it.
func best(scores map[string]float64) (first, second string, confidence float64) {
	order := slices.SortedFunc(maps.Keys(scores), func(a, b string) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b))
	})
	if len(order) == 0 {
		return "", "", 0
	}
	against := doubt
	if len(order) > 1 {
		second = order[1]
	}
	for _, other := range order[1:] {
		if kin[other] == order[0] || kin[order[0]] == other { // the same agency's business either way
			continue
		}
		against += min(scores[other], saturation)
		break
	}
	score := min(scores[order[0]], saturation)
	return order[0], second, score / (score + against)
}

func why(found []evidence) []string {
	slices.SortStableFunc(found, func(a, b evidence) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.what, b.what), cmp.Compare(a.sector, b.sector))
	})
	var told []string
	for _, e := range found[:min(len(found), whyAtMost)] {
		told = append(told, fmt.Sprintf("%s -> %s/%s +%g", e.what, dash(e.sector), dash(e.category), round(e.weight)))
	}
	return told
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
