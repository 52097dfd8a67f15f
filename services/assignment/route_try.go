package assignment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// The bounds of a trial.
const (
	otherSectorsAtMost = 20         // as RouteRequest has it
	costOfTrial        = 20_000_000 // of all conditions on all facts
)

// try refuses a table with a rule that fails on facts as they come, that gives matters to who cannot lead them, whose clock
// or owner is unknown, or that its own example does not reach. It is asked of new tables only: one that is in force already
// must go on routing.
func (t *table) try(ctx context.Context, v view) error {
	facts, spent := typicalFacts(), uint64(0)
	for i := range t.rules {
		r := &t.rules[i]
		if err := r.tryCondition(ctx, facts, &spent); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return &errRule{i, "condition", err}
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
	if got.GetUnsettledReason() == ruleFailed {
		return fmt.Errorf("the condition of the row %q fails on it", got.GetRuleId())
	}
	if got.GetRuleId() != t.rules[i].GetRuleId() {
		return fmt.Errorf("leads to the row %q", got.GetRuleId())
	}
	return nil
}

// tryCondition refuses a condition that fails on any of the facts, or that takes the cost of all over what may be spent.
func (r *rule) tryCondition(ctx context.Context, facts []map[string]any, spent *uint64) error {
	if err := ctx.Err(); err != nil { // nobody waits for it any more
		return fmt.Errorf("try rule %s: %w", r.GetRuleId(), err)
	}
	for _, f := range facts {
		_, details, err := r.condition.Eval(f)
		if err != nil {
			return fmt.Errorf("fails where category is %q, sector %q, reports %d, other_sectors %v: %w",
				f["category"], f["sector"], f["reports"], f["other_sectors"], err)
		}
		if cost := details.ActualCost(); cost != nil {
			*spent += *cost
		}
		if *spent > costOfTrial {
			return errors.New("the conditions up to here cost too much together: make them simpler")
		}
	}
	return nil
}

// typicalFacts are matters of every sort: everything unknown, everything known, and what lies between; with none, one, two
// and many reports, and with as few and as many other sectors as there can be.
func typicalFacts() []map[string]any {
	known := slices.Sorted(maps.Keys(sectors))
	var lists [][]string
	for _, n := range []int{0, 1, 2, 3, otherSectorsAtMost} {
		list := make([]string, n)
		for i := range list {
			list[i] = known[(i+len(known)/2)%len(known)]
		}
		lists = append(lists, list)
	}
	var all []map[string]any
	for _, category := range []string{"", commercial, malicious, criminal} {
		for _, sector := range append(known, "") {
			for _, others := range lists {
				all = append(all, factsOf(&assignmentv1.RouteRequest{Category: category, Sector: sector, OtherSectors: others}, ""))
				for i, reports := range []int32{0, 1, 2, 100} {
					all = append(all, factsOf(&assignmentv1.RouteRequest{
						Category: category, Sector: sector, OtherSectors: others,
						NumberKind:     []string{"mobile", "code95_enterprise", "code95_spoofed", "foreign"}[i],
						AccessProvince: "4403", NumberProvince: "44", ReportersProvince: "11", HolderProvince: "33",
						OperatorId: "cmcc-44", PartyAgencyId: []string{"", "cmcc", "nfra-44", ""}[i], AccessOperatorId: "ctcc-44",
						HolderId: "01900000-0000-7000-8000-000000000000", HolderSector: sector, Reports: reports,
						Lender: []string{"licensed", "small_lender", "unlicensed", ""}[i], Level2: "debt_collection", Threats: i == 1,
					}, "44"))
				}
			}
		}
	}
	return all
}
