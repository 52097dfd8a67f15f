package reporting

import (
	"cmp"
	"math"
	"slices"
)

// weight is how much the reports of a category and sector weigh together: each weighs what its classifier was sure of.
type weight struct {
	category, sector string
	weight           float64 // sum of what they are sure of
	squares          float64 // sum of its squares
}

// class is what a complaint is about.
type class struct {
	category, sector string
	confidence       float64
	others           []string // sectors above a fifth, heaviest first
}

// rounding is what sums of single precision may be off by: exactly a fifth is no more than a fifth.
const rounding = 1e-6

// majority is the class that weighs most: first the category, then the sector within it. Ties fall to the name, so that
// the same reports always give the same class. It is as sure as the reports that make it up, weighted like everything;
// less, when more of the category leave the sector open than name it.
func majority(weights []weight) class {
	byCategory, sectors := map[string]float64{}, map[string]float64{}
	total := 0.0
	for _, w := range weights {
		byCategory[w.category] += w.weight
		total += w.weight
		if w.sector != "" {
			sectors[w.sector] += w.weight
		}
	}
	c := class{category: heaviest(byCategory)}
	bySector := map[string]float64{}
	for _, w := range weights {
		if w.category == c.category && w.sector != "" {
			bySector[w.sector] += w.weight
		}
	}
	c.sector = heaviest(bySector)
	c.confidence = sureness(weights, c)
	for _, s := range sortedKeys(sectors) {
		if s != c.sector && sectors[s] > total/5+total*rounding {
			c.others = append(c.others, s)
		}
	}
	slices.SortStableFunc(c.others, func(a, b string) int { return cmp.Compare(sectors[b], sectors[a]) })
	return c
}

func sureness(weights []weight, c class) float64 {
	var said, squares, open float64
	for _, w := range weights {
		switch {
		case w.category != c.category:
		case w.sector == c.sector:
			said, squares = said+w.weight, squares+w.squares
		case w.sector == "":
			open += w.weight
		}
	}
	if said == 0 {
		return 0
	}
	sure := squares / said
	if open > said {
		sure *= said / open
	}
	const digits = 1e4 // the columns are of single precision
	return math.Round(sure*digits) / digits
}

func heaviest(weights map[string]float64) string {
	best := ""
	for _, name := range sortedKeys(weights) {
		if best == "" || weights[name] > weights[best] {
			best = name
		}
	}
	return best
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
