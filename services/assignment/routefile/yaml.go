package routefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"

	"quietline/internal/calendar"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
)

// file is a YAML table.
type file struct {
	Version   string `yaml:"version"`
	ValidFrom string `yaml:"valid_from,omitempty"`
	Reason    string `yaml:"reason,omitempty"`
	Rules     []row  `yaml:"rules"`
}

// row is a rule of it.
type row struct {
	Rule          string   `yaml:"rule"`
	When          string   `yaml:"when"`
	Lead          string   `yaml:"lead"`
	Co            []string `yaml:"co,omitempty,flow"`
	Verifier      string   `yaml:"verifier,omitempty"`
	Level         string   `yaml:"level,omitempty"`
	VerifierLevel string   `yaml:"verifier_level,omitempty"`
	CheckBasis    string   `yaml:"check_basis,omitempty"`
	HandleBasis   string   `yaml:"handle_basis,omitempty"`
	Owner         string   `yaml:"owner,omitempty"`
	Reason        string   `yaml:"reason,omitempty"`
	Example       facts    `yaml:"example,omitempty,flow"`
	Source        string   `yaml:"source,omitempty"`
}

func readYAML(raw []byte) (*Table, error) {
	var f file
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	t := &Table{Version: f.Version, Reason: f.Reason}
	if f.ValidFrom != "" {
		var err error
		if t.ValidFrom, err = ParseTime(f.ValidFrom); err != nil {
			return nil, fmt.Errorf("valid_from: %w", err)
		}
	}
	for i, r := range f.Rules {
		example, err := r.Example.request()
		if err != nil {
			return nil, fmt.Errorf("rule %d (%s): %w", i+1, r.Rule, err)
		}
		t.Rules = append(t.Rules, &assignmentv1.RoutingRule{
			RuleId: r.Rule, Condition: r.When, Lead: r.Lead, Co: r.Co, Verifier: r.Verifier, Level: r.Level, VerifierLevel: r.VerifierLevel,
			CheckBasis: r.CheckBasis, HandleBasis: r.HandleBasis, OwnerAgencyId: r.Owner, Reason: r.Reason, Example: example, Source: r.Source,
		})
	}
	return t, nil
}

// ParseTime reads a time with its zone, or a day or minute in Shanghai.
func ParseTime(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, calendar.Shanghai); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no day such as 2026-12-01 and no time such as 2026-12-01T08:00:00+08:00", text)
}

func writeYAML(w io.Writer, t *Table) error {
	f := file{Version: t.Version, Reason: t.Reason}
	if !t.ValidFrom.IsZero() {
		f.ValidFrom = t.ValidFrom.In(calendar.Shanghai).Format(time.RFC3339)
	}
	for _, r := range t.Rules {
		f.Rules = append(f.Rules, row{
			Rule: r.GetRuleId(), When: r.GetCondition(), Lead: r.GetLead(), Co: r.GetCo(), Verifier: r.GetVerifier(), Level: r.GetLevel(),
			VerifierLevel: r.GetVerifierLevel(), CheckBasis: r.GetCheckBasis(), HandleBasis: r.GetHandleBasis(), Owner: r.GetOwnerAgencyId(),
			Reason: r.GetReason(), Example: factsOf(r.GetExample()), Source: r.GetSource(),
		})
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(f); err != nil {
		return err
	}
	return e.Close()
}
