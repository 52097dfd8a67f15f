package routefile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// columns of a CSV table, in the order in which they are written. They are read by name; co has agencies with spaces between,
// example has facts such as sector=loans.
var columns = []string{
	"rule", "when", "lead", "co", "verifier", "level", "verifier_level", "check_basis", "handle_basis", "owner", "reason", "example", "source",
}

// needed columns; a rule says nothing without them.
var needed = []string{"rule", "when", "lead"}

func readCSV(raw []byte) (*Table, error) {
	if !bytes.HasSuffix(raw, []byte("\n")) {
		return nil, errors.New("does not end with a line feed: it may have been cut off")
	}
	r := csv.NewReader(bytes.NewReader(raw))
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	for _, name := range head {
		if !slices.Contains(columns, name) {
			return nil, fmt.Errorf("column %q is none of %s", name, strings.Join(columns, ", "))
		}
	}
	for _, name := range needed {
		if !slices.Contains(head, name) {
			return nil, fmt.Errorf("column %q is missing", name)
		}
	}
	t := &Table{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, err
		}
		cells := map[string]string{}
		for i, name := range head {
			cells[name] = strings.TrimSpace(record[i])
		}
		rule, err := ruleIn(cells)
		if err != nil {
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		t.Rules = append(t.Rules, rule)
	}
}

func ruleIn(cells map[string]string) (*assignmentv1.RoutingRule, error) {
	f, err := factsIn(cells["example"])
	if err != nil {
		return nil, err
	}
	example, err := f.request()
	return &assignmentv1.RoutingRule{
		RuleId: cells["rule"], Condition: cells["when"], Lead: cells["lead"], Co: strings.Fields(cells["co"]), Verifier: cells["verifier"],
		Level: cells["level"], VerifierLevel: cells["verifier_level"], CheckBasis: cells["check_basis"], HandleBasis: cells["handle_basis"],
		OwnerAgencyId: cells["owner"], Reason: cells["reason"], Example: example, Source: cells["source"],
	}, err
}

func writeCSV(w io.Writer, t *Table) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for _, r := range t.Rules {
		err := out.Write([]string{
			r.GetRuleId(), r.GetCondition(), r.GetLead(), strings.Join(r.GetCo(), " "), r.GetVerifier(), r.GetLevel(), r.GetVerifierLevel(),
			r.GetCheckBasis(), r.GetHandleBasis(), r.GetOwnerAgencyId(), r.GetReason(), factsOf(r.GetExample()).words(), r.GetSource(),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
