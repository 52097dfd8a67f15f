package reporting

import (
	"cmp"
	"slices"
)

// States of a complaint; doc.go draws them.
const (
	stateReceived = "RECEIVED"
	stateOpen     = "OPEN"
	stateWatching = "WATCHING"
	stateClosed   = "CLOSED"
)

// Stages of a complaint. While OPEN it may be at any but the last two.
const (
	stageAccept = "accept"
	stageWatch  = "watch"
	stageClosed = "closed"
)

var stages = []string{
	stageAccept, "assign", "number_check", "fact_check", "handle", "feedback", "disclose", stageWatch, stageClosed,
}

var parts = []string{"lead", "co", "verifier", "preserver", "executor", "superior"}

var categories = []string{"", "commercial", "malicious", "criminal"}

var findingResults = []string{"substantiated", "not_substantiated", "no_evidence"}

// relapsePolicy is when a watched complaint re-opens.
type relapsePolicy struct {
	threshold  int32 // verified reports of calls after the handling
	reopenings int32 // ordinary ones; one more goes to the lead ministry, and after that there is none
}

// reopening says whether a complaint that was re-opened so often may be again, and whether that goes to the lead ministry.
func (p relapsePolicy) reopening(reopened int32) (allowed, toLead bool) {
	return reopened <= p.reopenings, reopened == p.reopenings
}

// relapsed says whether so many relapses re-open a complaint.
func (p relapsePolicy) relapsed(count, reopened int32) bool {
	allowed, _ := p.reopening(reopened)
	return allowed && count > 0 && count >= p.threshold
}

// weight is how much the reports of a class weigh together.
type weight struct {
	category, sector string
	weight           float64
}

// majority is the class that weighs most: first the category, then the sector within it. Ties fall to the name, so that
// the same reports always give the same class.
func majority(weights []weight) (category, sector string) {
	byCategory := map[string]float64{}
	for _, w := range weights {
		byCategory[w.category] += w.weight
	}
	category = heaviest(byCategory)
	bySector := map[string]float64{}
	for _, w := range weights {
		if w.category == category && w.sector != "" {
			bySector[w.sector] += w.weight
		}
	}
	return category, heaviest(bySector)
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
