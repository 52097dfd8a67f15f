package assignment

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

const (
	// doubt is the weight against every answer: evidence must outweigh it, so that one weak word decides nothing.
	doubt = 1.7
	// saturation bounds what many words of one sector add up to, since long texts repeat themselves.
	saturation = 14.0
	// holderWeight is what the sector of the number's holder counts: strong evidence.
	holderWeight = 4.0
	// numberWeight is what a well-known organisation's service number counts.
	numberWeight = 4.0
	// businessWeight is what it counts for marketing that a firm is named at all.
	businessWeight = 1.3
	// companyInText is what a firm's name counts in the text instead of in its own field.
	companyInText = 0.4
	// mostDisguise is what it counts at most for crime that a text hides its words behind look-alike characters.
	mostDisguise = 4.0
	// mostMixed is what it counts at most for crime that a text mixes scripts.
	mostMixed = 3.0
	// whyAtMost bounds the evidence that is told.
	whyAtMost = 8
	// maxText bounds, in characters, how much of a text is looked at.
	maxText = 4000
)

// evidence is one thing that speaks for an answer. What is told of it holds codes and words of the lexicon, nothing of
// the reporter's own.
type evidence struct {
	what             string
	sector, category int8
	weight           float64
}

// reading is what an item's text and facts say.
type reading struct {
	text     []rune
	found    []evidence
	sector   [numSectors]float64
	category [numCategories]float64
	level2   []float64
	axes     map[string]map[string]float64 // method, channel, lender, threats
}

// read gathers all evidence. It is the same for the same item and lexicon, always.
func (l *lexicon) read(item *assignmentv1.ClassifyItem) *reading {
	r := &reading{text: l.normalise(item.GetText()), level2: make([]float64, len(l.classes)), axes: map[string]map[string]float64{}}
	r.text = r.text[:min(len(r.text), maxText)]
	words := l.readWords(r)
	if n := l.disguised(item.GetText()); n > 0 {
		r.add("disguised characters", placeOf(sectorOrder, "other"), placeOf(categoryOrder, criminal), none, min(float64(n), mostDisguise))
	}
	if n := l.mixed(item.GetText()); n > 0 {
		r.add("mixed scripts", none, placeOf(categoryOrder, criminal), none, min(float64(n), mostMixed))
	}
	l.readFirms(r, item, words)
	l.readType(r, item)
	r.addAll("number_kind:", l.kinds[item.GetNumberKind()])
	if s := item.GetHolderSector(); sectors[s] {
		r.add("holder_sector:"+s, placeOf(sectorOrder, s), none, none, holderWeight)
	}
	l.readNumber(r, item)
	if m := item.GetMethod(); slices.Contains(axes["method"], m) {
		r.axis("method", m, holderWeight)
	}
	if item.GetNumberKind() == "sms106" {
		r.axis("channel", "sms", numberWeight)
	}
	return r
}

// readWords is how many words of the lexicon the text has.
func (l *lexicon) readWords(r *reading) int {
	present := l.trie.present(r.text)
	for _, n := range present {
		for i := range l.entries[n] {
			e := &l.entries[n][i]
			switch {
			case !e.applies(present):
			case e.axis != "":
				r.axis(e.axis, e.value, e.weight)
			default:
				r.add("word:"+e.word, e.sector, e.category, e.level2, e.weight)
			}
		}
	}
	l.readCombinations(r, present)
	return len(present)
}

// readFirms looks for organisations in the company's and the holder's name, and weakly in the text.
func (l *lexicon) readFirms(r *reading, item *assignmentv1.ClassifyItem, words int) {
	named := map[int8]bool{} // one firm's name may hold another's: it counts once for a sector
	take := func(firms []int32, factor float64, told string) {
		for _, n := range firms {
			o := &l.orgs[n]
			if o.lender != "" {
				r.axis("lender", o.lender, o.weight*factor)
			}
			if named[o.sector] {
				continue
			}
			named[o.sector] = true
			r.add(told+o.name, o.sector, none, none, o.weight*factor)
			if factor == 1 {
				r.add(told+o.name, none, 0, none, businessWeight)
			}
		}
	}
	take(l.firms.present(l.normalise(item.GetCompany())), 1, "company:")
	take(l.firms.present(l.normalise(item.GetHolderName())), 1, "holder:")
	if words == 0 {
		return
	}
	inText := slices.DeleteFunc(l.firms.present(r.text), func(n int32) bool {
		return len(l.orgs[n].name) <= 6 // of two characters: words like any other in a text
	})
	take(inText, companyInText, "named:")
}

// readType takes the type that the reporter chose: weak, and its parts count once.
func (l *lexicon) readType(r *reading, item *assignmentv1.ClassifyItem) {
	chosen := l.types.present(l.normalise(item.GetReportedType()))
	slices.SortStableFunc(chosen, func(a, b int32) int { return len(l.chosen[b][0].word) - len(l.chosen[a][0].word) })
	sector, category := false, false
	for _, n := range chosen {
		for _, e := range l.chosen[n] {
			if sector {
				e.sector = none
			}
			if category {
				e.category = none
			}
			if e.sector != none || e.category != none {
				r.add("type:"+e.word, e.sector, e.category, e.level2, e.weight)
			}
			sector, category = sector || e.sector != none, category || e.category != none
		}
	}
}

// readNumber knows whose a service number is. A forged one is nobody's.
func (l *lexicon) readNumber(r *reading, item *assignmentv1.ClassifyItem) {
	n, ok := l.numbers[item.GetNumber()]
	if !ok || strings.HasSuffix(item.GetNumberKind(), "_spoofed") {
		return
	}
	o := &l.orgs[n]
	r.add("number_of:"+o.name, o.sector, none, none, numberWeight)
	if o.lender != "" {
		r.axis("lender", o.lender, numberWeight)
	}
}

func (r *reading) addAll(told string, entries []entry) {
	for _, e := range entries {
		r.add(told+e.word, e.sector, e.category, e.level2, e.weight)
	}
}

func (r *reading) add(what string, sector, category, class int8, weight float64) {
	r.found = append(r.found, evidence{what, sector, category, weight})
	if sector != none {
		r.sector[sector] += weight
	}
	if category != none {
		r.category[category] += weight
	}
	if class != none {
		r.level2[class] += weight
	}
}

func (r *reading) axis(axis, value string, weight float64) {
	if r.axes[axis] == nil {
		r.axes[axis] = map[string]float64{}
	}
	r.axes[axis][value] += weight
}

// on is the value of an axis with most evidence, in the axis's own order where there is as much; empty without any.
func (r *reading) on(axis string) string {
	best := ""
	for _, v := range axes[axis] {
		if w := r.axes[axis][v]; w > 0 && w > r.axes[axis][best] {
			best = v
		}
	}
	return best
}

// applies says whether the context lets a word count.
func (e *entry) applies(present []int32) bool {
	for _, n := range e.without {
		if contains(present, n) {
			return false
		}
	}
	if len(e.with) == 0 {
		return true
	}
	return slices.ContainsFunc(e.with, func(n int32) bool { return contains(present, n) })
}

func contains(sorted []int32, n int32) bool {
	_, ok := slices.BinarySearch(sorted, n)
	return ok
}

// present is the numbers of the words that stand in a text, in order, each once.
func (t *trie) present(text []rune) []int32 {
	var found []int32
	t.find(text, func(n int32) { found = append(found, n) })
	slices.Sort(found)
	return slices.Compact(found)
}

// classify answers the same for the same item, lexicon and model, always. Without a model the lexicon decides alone.
func (l *lexicon) classify(item *assignmentv1.ClassifyItem, m *model) *assignmentv1.Class {
	r := l.read(item)
	return l.answer(item, r, m)
}

func (l *lexicon) answer(item *assignmentv1.ClassifyItem, r *reading, m *model) *assignmentv1.Class {
	a := l.decide(r, m)
	c := &assignmentv1.Class{
		Category: a.category, Sector: a.sector, SecondSector: a.secondSector, SecondCategory: a.secondCategory,
		Confidence: round(a.confidence), Why: append(why(r.found), a.why...),
		NumberKind: item.GetNumberKind(), Method: r.on("method"), Channel: r.on("channel"),
		Threats: r.on("threats") != "",
	}
	if a.category != "" {
		c.Level2 = l.choose(a.category, a.sector, r.level2)
	}
	switch c.GetLevel2() {
	case "call_bombing":
		c.Method = "bombing"
	case "one_ring":
		c.Method = "one_ring"
	}
	switch a.sector {
	case "loans", "credit_card", "debt_collection":
		c.Lender = r.on("lender")
	}
	return c
}

// decision is what it comes to.
type decision struct {
	category, secondCategory string
	sector, secondSector     string
	confidence               float64
	why                      []string
}

func (l *lexicon) decide(r *reading, m *model) decision {
	if m != nil {
		if d, ok := m.decide(r, &l.learnedCosts); ok {
			return d
		}
	}
	sector, second, sure := best(sectorOrder, r.sector[:], nil)
	category, other, alike := best(categoryOrder, r.category[:], l.costs[:])
	return decision{category: category, secondCategory: other, sector: sector, secondSector: second, confidence: min(sure, alike)}
}

// best is the heaviest answer, the next one, and how sure the first is: its share, in squares, of all that stands against it,
// so that twice as much evidence is as good as certain. Where answers differ in what it costs to miss them, the first is the
// one that costs least by those shares, and it is no surer for that.
func best(names []string, scores, costs []float64) (first, second string, confidence float64) {
	order := ranking(scores, costs)
	if scores[order[0]] == 0 {
		return "", "", 0
	}
	first = names[order[0]]
	against := 0.0
	if scores[order[1]] > 0 {
		second = names[order[1]]
	}
	for _, i := range order[1:] {
		if akin(names[i], first) { // the same agency's business either way
			continue
		}
		against = max(against, min(scores[i], saturation))
	}
	against = math.Hypot(against, doubt)
	score := min(scores[order[0]], saturation)
	return first, second, score * score / (score*score + against*against)
}

func why(found []evidence) []string {
	slices.SortStableFunc(found, func(a, b evidence) int {
		return cmp.Or(cmp.Compare(math.Abs(b.weight), math.Abs(a.weight)), cmp.Compare(a.what, b.what), cmp.Compare(a.sector, b.sector))
	})
	var told []string
	for _, e := range found[:min(len(found), whyAtMost)] {
		told = append(told, fmt.Sprintf("%s -> %s/%s %+g", e.what, nameAt(sectorOrder, e.sector), nameAt(categoryOrder, e.category), round(e.weight)))
	}
	return told
}

func nameAt(names []string, place int8) string {
	if place == none {
		return "-"
	}
	return names[place]
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
