package assignment

import (
	"fmt"
	"slices"
	"time"
)

// brokenAtMost bounds what is told of a directory that is broken already.
const brokenAtMost = 20

// compare says what a version would break, on whatever day from its first on: others may begin or end later. What is broken
// without it as well is not its fault, and told apart.
func (d *directory) compare(former *directory, v *agency) (already []string, err error) {
	if v.successor != "" && !d.knows(v.successor) {
		return nil, fmt.Errorf("the successor %s is not in the directory", v.successor)
	}
	told := map[string]bool{}
	for _, at := range boundaries(v.from, d, former) {
		before := former.at(at).broken()
		for _, what := range d.at(at).broken() {
			if !slices.Contains(before, what) {
				return nil, fmt.Errorf("from %s on %s", at.UTC().Format(time.RFC3339), what)
			}
			if !told[what] && len(already) < brokenAtMost {
				told[what] = true
				already = append(already, fmt.Sprintf("from %s on %s", at.UTC().Format(time.RFC3339), what))
			}
		}
	}
	return already, nil
}

// boundaries are the times from one on at which any version of any agency begins or ends, in order: between two of them
// nothing changes.
func boundaries(from time.Time, directories ...*directory) []time.Time {
	times := []time.Time{from}
	for _, d := range directories {
		for _, versions := range d.versions {
			for i := range versions {
				times = append(times, versions[i].from)
				if versions[i].to != nil {
					times = append(times, *versions[i].to)
				}
			}
		}
	}
	times = slices.DeleteFunc(times, func(t time.Time) bool { return t.Before(from) })
	slices.SortFunc(times, time.Time.Compare)
	return slices.CompactFunc(times, time.Time.Equal)
}
