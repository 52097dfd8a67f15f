package assignment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

const (
	combinationsFile = "combinations.csv" // first, second, third (one of each), without (none of), sector, category, level2, weight, reason
	costsFile        = "costs.csv"        // category, basis (lexicon, learned), cost, reason: how much worse missing one is than suspecting one
)

// combination is words that say together what none of them says alone: one of each group stands in the text, and none of
// those without. Its weight may be below zero: a warning against fraud speaks of fraud and is none.
type combination struct {
	groups                   [][]int32
	without                  []int32
	sector, category, level2 int8
	weight                   float64
}

// heaviest bounds the weight of a combination, which outweighs the words that it is made of.
const heaviest = 20

func (l *lexicon) addCombination(r []string) error {
	weight, err := strconv.ParseFloat(r[7], 64)
	if err != nil || weight == 0 || !(math.Abs(weight) <= heaviest) {
		return fmt.Errorf("weight %q is not a number between -%d and %d, or says nothing", r[7], heaviest, heaviest)
	}
	if r[8] == "" {
		return errors.New("a combination has a reason")
	}
	e, err := l.entry(r[0], r[4], r[5], r[6], "1")
	if err != nil {
		return err
	}
	c := combination{sector: e.sector, category: e.category, level2: e.level2, weight: weight}
	for _, list := range r[:3] {
		if list == "" {
			continue
		}
		group, err := l.context(list)
		if err != nil {
			return err
		}
		c.groups = append(c.groups, group)
	}
	if len(c.groups) == 0 || r[0] == "" {
		return errors.New("a combination begins with words")
	}
	if c.without, err = l.context(r[3]); err != nil {
		return err
	}
	for _, n := range c.groups[0] {
		l.starts[n] = append(l.starts[n], int32(len(l.combinations)))
	}
	l.combinations = append(l.combinations, c)
	return nil
}

func (l *lexicon) addCost(r []string) error {
	place := placeOf(categoryOrder, r[0])
	cost, err := strconv.ParseFloat(r[2], 64)
	switch {
	case place == none:
		return fmt.Errorf("unknown category %q", r[0])
	case err != nil || !(cost >= 1 && cost <= 10):
		return fmt.Errorf("cost %q is not a number between 1 and 10", r[2])
	case r[3] == "":
		return errors.New("a cost has a reason")
	}
	switch r[1] {
	case "lexicon":
		l.costs[place] = cost
	case "learned":
		l.learnedCosts[place] = cost
	default:
		return fmt.Errorf("unknown basis %q", r[1])
	}
	return nil
}

// readCombinations adds what words say together, in the order of the file and each once.
func (l *lexicon) readCombinations(r *reading, present []int32) {
	var met []int32
	for _, n := range present {
		met = append(met, l.starts[n]...)
	}
	slices.Sort(met)
	for _, i := range slices.Compact(met) {
		c := &l.combinations[i]
		if told, ok := l.meets(c, present); ok {
			r.add("words:"+told, c.sector, c.category, c.level2, c.weight)
		}
	}
	for _, scores := range [][]float64{r.sector[:], r.category[:], r.level2} {
		for i := range scores {
			scores[i] = max(scores[i], 0)
		}
	}
}

// meets says whether a combination is there, and which of its words are.
func (l *lexicon) meets(c *combination, present []int32) (string, bool) {
	if slices.ContainsFunc(c.without, func(n int32) bool { return contains(present, n) }) {
		return "", false
	}
	found := make([]string, 0, len(c.groups))
	for _, group := range c.groups {
		i := slices.IndexFunc(group, func(n int32) bool { return contains(present, n) })
		if i < 0 {
			return "", false
		}
		found = append(found, l.words[group[i]])
	}
	return strings.Join(found, "+"), true
}
