package assignment

import (
	"fmt"
	"maps"
	"slices"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// try refuses a table with a rule that fails on facts as they come, or that gives matters to who cannot lead them. It is
// asked of new tables only: one that is in force already must go on routing.
func (t *table) try(v view) error {
	facts := typicalFacts()
	for i := range t.rules {
		r := &t.rules[i]
		for _, f := range facts {
			if _, _, err := r.condition.Eval(f); err != nil {
				return &errRule{i, "condition", fmt.Errorf("fails where category is %q, sector %q, other_sectors %v: %w",
					f["category"], f["sector"], f["other_sectors"], err)}
			}
		}
		if !v.mayLead(r.lead) {
			return &errRule{i, "lead", fmt.Errorf("%q is no authority that can be given a matter", r.lead)}
		}
	}
	return nil
}

// mayLead says whether a routing rule may name this as the lead.
func (v view) mayLead(target string) bool {
	switch target {
	case "operator", "centre":
		return false
	case "sector", "ca", "police", localFinance:
		return true
	default:
		return v.competentToLead(target)
	}
}

// typicalFacts are matters of every sort: everything unknown, everything known, and what lies between.
func typicalFacts() []map[string]any {
	var all []map[string]any
	for _, category := range []string{"", commercial, malicious, criminal} {
		for _, sector := range append(slices.Sorted(maps.Keys(sectors)), "") {
			for i, others := range [][]string{nil, {"loans"}, {"travel", "loans"}} {
				all = append(all,
					factsOf(&assignmentv1.RouteRequest{Category: category, Sector: sector, OtherSectors: others}, ""),
					factsOf(&assignmentv1.RouteRequest{
						Category: category, Sector: sector, OtherSectors: others,
						NumberKind:     []string{"mobile", "code95_enterprise", "code95_spoofed"}[i],
						AccessProvince: "4403", NumberProvince: "44", ReportersProvince: "11",
						OperatorId: "cmcc-44", PartyAgencyId: []string{"", "cmcc", "nfra-44"}[i],
					}, "44"))
			}
		}
	}
	return all
}
