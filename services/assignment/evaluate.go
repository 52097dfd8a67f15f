package assignment

import (
	"cmp"
	"maps"
	"slices"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// outcome is an answer beside what was right.
type outcome struct {
	sector, category                 string // right
	altSectors, altCategories        []string
	saidSector, saidCategory         string
	below                            bool // the answer goes to a person
	sectorCorrect, categoryCorrect   bool
	strictSector, strictCategoryOnly bool
}

// judge says what is right: the class itself, or one that was confirmed to be right as well.
func (o *outcome) judge() {
	o.strictSector = o.sector != "" && o.sector == o.saidSector
	o.strictCategoryOnly = o.category != "" && o.category == o.saidCategory
	o.sectorCorrect = o.strictSector || o.saidSector != "" && slices.Contains(o.altSectors, o.saidSector)
	o.categoryCorrect = o.strictCategoryOnly || o.saidCategory != "" && slices.Contains(o.altCategories, o.saidCategory)
}

// figures count outcomes, strictly or leniently.
func figures(outcomes []outcome, lenient bool) *assignmentv1.Evaluation {
	e := &assignmentv1.Evaluation{Rows: int32(len(outcomes))}
	var sectorRows, sectorRight, categoryRows, categoryRight, crimes, caught, below int
	bySector, wrong := map[string]*assignmentv1.SectorFigure{}, map[[2]string]int32{}
	for i := range outcomes {
		o := &outcomes[i]
		sector, category := o.strictSector, o.strictCategoryOnly
		if lenient {
			sector, category = o.sectorCorrect, o.categoryCorrect
		}
		below += count(o.below)
		if o.sector != "" {
			sectorRows, sectorRight = sectorRows+1, sectorRight+count(sector)
			if bySector[o.sector] == nil {
				bySector[o.sector] = &assignmentv1.SectorFigure{Sector: o.sector}
			}
			bySector[o.sector].Rows++
			bySector[o.sector].Right += int32(count(sector))
			if !sector {
				wrong[[2]string{o.sector, o.saidSector}]++
			}
		}
		if o.category != "" {
			categoryRows, categoryRight = categoryRows+1, categoryRight+count(category)
			if !category {
				wrong[[2]string{o.category, o.saidCategory}]++
			}
		}
		if o.category == criminal {
			crimes, caught = crimes+1, caught+count(category)
		}
	}
	e.SectorAccuracy, e.CategoryAccuracy = share(sectorRight, sectorRows), share(categoryRight, categoryRows)
	e.CriminalRecall, e.BelowThreshold = share(caught, crimes), share(below, len(outcomes))
	for _, sector := range slices.Sorted(maps.Keys(bySector)) {
		e.Sectors = append(e.Sectors, bySector[sector])
	}
	for pair, n := range wrong {
		e.Confusions = append(e.Confusions, &assignmentv1.Confusion{Is: pair[0], Said: pair[1], Rows: n})
	}
	slices.SortFunc(e.Confusions, func(a, b *assignmentv1.Confusion) int {
		return cmp.Or(cmp.Compare(b.GetRows(), a.GetRows()), cmp.Compare(a.GetIs(), b.GetIs()), cmp.Compare(a.GetSaid(), b.GetSaid()))
	})
	e.Confusions = e.Confusions[:min(len(e.Confusions), 50)]
	return e
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// share is 1 where there is nothing to miss.
func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
