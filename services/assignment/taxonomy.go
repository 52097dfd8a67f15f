package assignment

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Categories of conduct.
const (
	commercial = "commercial"
	malicious  = "malicious"
	criminal   = "criminal"
)

// categoryOrder and sectorOrder are the vocabularies of the programme in a fixed order: what is learned speaks of their
// places. A new one goes to the end. Which agency is competent for a sector is data of the directory.
var (
	categoryOrder = []string{commercial, malicious, criminal}
	sectorOrder   = []string{
		"loans", "credit_card", "insurance", "securities", "funds", "real_estate", "education", "medical_maternity",
		"medical_beauty", "health_food", "recruitment", "housekeeping", "travel", "retail", "telecom", "debt_collection", "other",
	}
)

const (
	numSectors    = 17
	numCategories = 3
)

var (
	sectors    = setOf(sectorOrder)
	categories = setOf(categoryOrder)
)

// kin are sectors so close that one does not speak against the other.
var kin = map[string]string{"credit_card": "loans", "funds": "securities"}

func akin(a, b string) bool { return kin[a] == b && b != "" || kin[b] == a && a != "" }

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// level2 is a class of the second level of the taxonomy (二级类别): what it belongs to is data.
type level2 struct {
	code, category, sector, name string
}

// taxonomy is the second level in the order of its file.
type taxonomy struct {
	classes []level2
	place   map[string]int8
}

func (t *taxonomy) add(r []string) error {
	c := level2{code: r[0], category: r[1], sector: r[2], name: r[3]}
	switch {
	case c.code == "" || c.name == "" || r[4] == "":
		return errors.New("a class has a code, a name and a source")
	case !categories[c.category]:
		return fmt.Errorf("unknown category %q", c.category)
	case !sectors[c.sector]:
		return fmt.Errorf("unknown sector %q", c.sector)
	}
	if t.place == nil {
		t.place = map[string]int8{}
	}
	if _, twice := t.place[c.code]; twice {
		return fmt.Errorf("class %q stands there twice", c.code)
	}
	t.place[c.code] = int8(len(t.classes))
	t.classes = append(t.classes, c)
	return nil
}

// choose is the class with most evidence among those of a category and sector. Without evidence it is the class whose code
// is the sector's, and for malicious and criminal conduct none: which it was, nothing says.
func (t *taxonomy) choose(category, sector string, scores []float64) string {
	best := -1
	for i, c := range t.classes {
		fits := c.category == category && (category != commercial || c.sector == sector || akin(c.sector, sector))
		if fits && scores[i] > 0 && (best < 0 || scores[i] > scores[best]) {
			best = i
		}
	}
	if best >= 0 {
		return t.classes[best].code
	}
	if i := slices.IndexFunc(t.classes, func(c level2) bool {
		return c.category == category && c.sector == sector && (c.code == sector || category == malicious && sector != "other")
	}); i >= 0 {
		return t.classes[i].code
	}
	if category == commercial {
		if i := slices.IndexFunc(t.classes, func(c level2) bool { return c.category == commercial && c.sector == sector }); i >= 0 {
			return t.classes[i].code
		}
	}
	return ""
}

// ranking is the places of scores, the highest first; of equal ones the first. A score counts by its square, so a cost by its root.
func ranking(scores, costs []float64) []int {
	if costs != nil {
		weighed := make([]float64, len(scores))
		for i, s := range scores {
			weighed[i] = s * math.Sqrt(costs[i])
		}
		scores = weighed
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order
}
