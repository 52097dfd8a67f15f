package assignment

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// The ways in which a row of two versions differs.
const (
	ruleAdded   = "added"
	ruleChanged = "changed"
	ruleMoved   = "moved"
	ruleRemoved = "removed"
)

// ruleChanges is what a version adds, changes, moves and removes against the one before, in the order of its rows, what it
// removes last. Rows are the same row by their identifier. Where the order is another one, as few rows as possible have moved.
func ruleChanges(before, after []*assignmentv1.RoutingRule) []*assignmentv1.RuleChange {
	was, is := byRuleID(before), byRuleID(after)
	stayed := inOrder(before, after)
	var changes []*assignmentv1.RuleChange
	for _, row := range after {
		old, known := was[row.GetRuleId()]
		switch {
		case !known:
			changes = append(changes, &assignmentv1.RuleChange{Change: ruleAdded, RuleId: row.GetRuleId(), After: row})
		case !proto.Equal(old, row):
			changes = append(changes, &assignmentv1.RuleChange{
				Change: ruleChanged, RuleId: row.GetRuleId(), Fields: changedFields(old, row), Before: old, After: row,
			})
		case !stayed[row.GetRuleId()]:
			changes = append(changes, &assignmentv1.RuleChange{Change: ruleMoved, RuleId: row.GetRuleId(), Before: old, After: row})
		}
	}
	for _, row := range before {
		if _, known := is[row.GetRuleId()]; !known {
			changes = append(changes, &assignmentv1.RuleChange{Change: ruleRemoved, RuleId: row.GetRuleId(), Before: row})
		}
	}
	return changes
}

func byRuleID(rules []*assignmentv1.RoutingRule) map[string]*assignmentv1.RoutingRule {
	m := make(map[string]*assignmentv1.RoutingRule, len(rules))
	for _, r := range rules {
		m[r.GetRuleId()] = r
	}
	return m
}

// changedFields names the fields in which two rows differ, in the order of the message.
func changedFields(a, b *assignmentv1.RoutingRule) []string {
	var names []string
	fields := a.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !sameField(a.ProtoReflect(), b.ProtoReflect(), f) {
			names = append(names, string(f.Name()))
		}
	}
	return names
}

func sameField(a, b protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	return a.Has(f) == b.Has(f) && a.Get(f).Equal(b.Get(f))
}

// inOrder are the rows that stand in the same order in both: a longest common subsequence.
func inOrder(before, after []*assignmentv1.RoutingRule) map[string]bool {
	length := make([][]int, len(before)+1)
	for i := range length {
		length[i] = make([]int, len(after)+1)
	}
	for i, a := range slices.Backward(before) {
		for j, b := range slices.Backward(after) {
			if a.GetRuleId() == b.GetRuleId() {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	stayed := map[string]bool{}
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch {
		case before[i].GetRuleId() == after[j].GetRuleId():
			stayed[before[i].GetRuleId()] = true
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return stayed
}
