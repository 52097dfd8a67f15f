package assignment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	"quietline/services/assignment/store"
)

// How much a decision says about what a complaint is about. The strongest counts, of equals the latest.
const (
	byAcceptance = 1 // the agency took the work and concluded it
	byBounce     = 2 // the agency said whose it is
	byPerson     = 3 // a person said what it is, or the facts were substantiated
)

// label is what decisions say of a complaint's reports.
type label struct {
	strength int
	category string
	sectors  []string        // one of them; which, the report's own evidence says
	reports  map[string]bool // only these; nil: all
}

// labelsOf are the labels of a complaint by its decisions, the strongest and latest first.
func labelsOf(decisions []store.ConfirmingDecisionsRow, v view) ([]label, error) {
	slices.SortStableFunc(decisions, func(a, b store.ConfirmingDecisionsRow) int {
		return cmp.Or(b.DecidedTime.Compare(a.DecidedTime), cmp.Compare(a.TaskID, b.TaskID))
	})
	var labels []label
	for i := range decisions {
		l, ok, err := labelOf(&decisions[i], v)
		if err != nil {
			return nil, err
		}
		if ok {
			labels = append(labels, l)
		}
	}
	slices.SortStableFunc(labels, func(a, b label) int { return b.strength - a.strength })
	return labels, nil
}

func labelOf(d *store.ConfirmingDecisionsRow, v view) (label, bool, error) {
	detail, facts := &assignmentv1.DecisionDetail{}, map[string]string{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(d.Detail, detail); err != nil {
		return label{}, false, fmt.Errorf("decision %s: %w", d.TaskID, err)
	}
	if err := json.Unmarshal(d.Facts, &facts); err != nil {
		return label{}, false, fmt.Errorf("task %s: %w", d.TaskID, err)
	}
	var l label
	switch {
	case d.Step != "fact_check":
		l = label{strength: byPerson, category: detail.GetCategory(), sectors: one(detail.GetSector())}
		if d.Outcome == "urgent_criminal" {
			l.category = criminal
		}
	case d.Outcome == "bounced":
		l = label{strength: byBounce, category: facts["category"], sectors: v.sectorsOf(detail.GetShouldActAgencyId())}
		if v.isPolice(detail.GetShouldActAgencyId()) {
			l.category = criminal
		}
	case d.Outcome == "concluded":
		l = label{strength: byAcceptance, category: facts["category"], sectors: one(facts["sector"])}
		if own := v.sectorsOf(d.AgencyID); len(own) > 0 && !slices.Contains(own, facts["sector"]) {
			l.sectors = own // it was bounced to them, and they kept it
		}
		l.substantiated(detail.GetFindings())
	}
	if !categories[l.category] {
		l.category = ""
	}
	l.sectors = slices.DeleteFunc(l.sectors, func(s string) bool { return !sectors[s] })
	return l, l.category != "" || len(l.sectors) > 0, nil
}

// substantiated makes a label as strong as a person's word for the reports that a fact check bore out.
func (l *label) substantiated(findings []*assignmentv1.FindingDetail) {
	for _, f := range findings {
		if f.GetResult() != "substantiated" {
			continue
		}
		l.strength = byPerson
		if len(f.GetReportIds()) == 0 {
			l.reports = nil
			return
		}
		if l.reports == nil {
			l.reports = map[string]bool{}
		}
		for _, id := range f.GetReportIds() {
			l.reports[id] = true
		}
	}
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// sectorsOf are the sectors that an agency is competent for.
func (v view) sectorsOf(id string) []string {
	a, ok := v.get(id)
	if !ok {
		return nil
	}
	return slices.Clone(a.sectors)
}

func (v view) isPolice(id string) bool {
	a, ok := v.get(id)
	return ok && a.kind == "police" || id == "mps"
}

// sampleOf is a report with what was confirmed of it; false where nothing was, or where the report by itself was surely
// about something else than its complaint as a whole.
func sampleOf(f *store.FeaturesOfRow, labels []label, threshold float64) (sample, bool, error) {
	kept, err := decodeFeatures(f.Features)
	if err != nil {
		return sample{}, false, fmt.Errorf("report %s: %w", f.ReportID, err)
	}
	for _, l := range labels {
		if l.reports != nil && !l.reports[f.ReportID] {
			continue
		}
		s := sample{
			id: f.ReportID, group: f.ComplaintID, features: kept,
			sector: placeOf(sectorOrder, choose(l.sectors, kept)), category: placeOf(categoryOrder, l.category),
		}
		other := f.Sector != "" && float64(f.Confidence) >= threshold && len(l.sectors) > 0 && !slices.Contains(l.sectors, f.Sector)
		if other && l.strength < byBounce {
			return sample{}, false, nil
		}
		return s, s.sector != none || s.category != none, nil
	}
	return sample{}, false, nil
}

// choose is the one of several sectors that the report's words speak for most; none where they speak for none of them.
func choose(candidates []string, f *features) string {
	if len(candidates) == 1 {
		return candidates[0]
	}
	best, score := "", float32(0)
	for _, c := range candidates {
		if d := f.dense[placeOf(sectorOrder, c)]; d > score {
			best, score = c, d
		}
	}
	return best
}

// heldBack says whether what belongs together is held back: a fifth, by its identifier, the same for every version, so that
// no version has learned from what another is evaluated on.
func heldBack(group string) bool {
	id, err := uuid.Parse(group)
	if err != nil {
		return false
	}
	sum := uint64(0)
	for _, b := range id {
		sum = mix(sum ^ uint64(b))
	}
	return sum%5 == 0
}
