package assignment

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// try refuses a table with a rule that fails on facts as they come, that gives matters to who cannot lead them, whose clock
// or owner is unknown, or that its own example does not reach. It is asked of new tables only: one that is in force already
// must go on routing.
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
		if err := v.mayLead(r); err != nil {
			return &errRule{i, "lead", err}
		}
		if owner := r.GetOwnerAgencyId(); owner != "" && !v.competentToLead(owner) {
			return &errRule{i, "owner_agency_id", fmt.Errorf("%q is no authority of the directory", owner)}
		}
		if field, err := tryBases(r.RoutingRule, v); err != nil {
			return &errRule{i, field, err}
		}
		if err := t.tryExample(v, i); err != nil {
			return &errRule{i, "example", err}
		}
	}
	return nil
}

// mayLead says why a routing rule may not name its lead. The centre only says who leads, where the rule settles nothing.
func (v view) mayLead(r *rule) error {
	lead := r.GetLead()
	switch lead {
	case "sector", "ca", "police", localFinance:
		return nil
	case "centre", centre:
		if lead == "centre" && r.GetReason() != "" {
			return nil
		}
		return errors.New(`the centre is no authority that can be given a matter; where no competence is settled, lead is "centre" and reason says why`)
	}
	if !v.competentToLead(lead) {
		return fmt.Errorf("%q is no authority that can be given a matter", lead)
	}
	return nil
}

// tryBases refuses clocks that the deadline table does not have when the table begins.
func tryBases(r *assignmentv1.RoutingRule, v view) (field string, err error) {
	for field, basis := range map[string]string{"check_basis": r.GetCheckBasis(), "handle_basis": r.GetHandleBasis()} {
		if basis == "" {
			continue
		}
		if _, err := calendar.Due(basis, v.at, calendar.Statutory); err != nil {
			return field, err
		}
	}
	return "", nil
}

// tryExample routes the example of a row, if it has one: it must lead there and not to a row before it.
func (t *table) tryExample(v view, i int) error {
	example := t.rules[i].GetExample()
	if example == nil {
		return nil
	}
	got, err := t.route(v, example)
	if err != nil {
		return err
	}
	if got.GetRuleId() != t.rules[i].GetRuleId() {
		return fmt.Errorf("leads to the row %q", got.GetRuleId())
	}
	return nil
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
						AccessProvince: "4403", NumberProvince: "44", ReportersProvince: "11", HolderProvince: "33",
						OperatorId: "cmcc-44", PartyAgencyId: []string{"", "cmcc", "nfra-44"}[i], AccessOperatorId: "ctcc-44",
						HolderId: "01900000-0000-7000-8000-000000000000", HolderSector: sector, Reports: int32(i * 100),
						Lender: []string{"licensed", "small_lender", "unlicensed"}[i], Level2: "debt_collection", Threats: i == 1,
					}, "44"))
			}
		}
	}
	return all
}
