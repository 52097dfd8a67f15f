package calendar

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// ExtensionRule says that a term may be extended: by which basis, how often, who grants it, and by what article.
type ExtensionRule struct {
	// Basis is what is extended (原期限依据).
	Basis string
	// By is the basis in the table of deadlines that says by how much (延长依据).
	By string
	// Times is how often it may be granted (次数).
	Times int
	// Owner is the service whose act it is (主管服务).
	Owner string
	// Source is the article (依据).
	Source string
}

// PauseRule says that a term may be paused for a reason (中止事由).
type PauseRule struct {
	// Basis is what is paused (期限依据).
	Basis string
	// Reason is the code of the reason (事由代码).
	Reason string
	// Owner is the service whose act it is (主管服务).
	Owner string
	// Source is the article (依据).
	Source string
}

// ExtensionsOf are the rules by which a basis may be extended at a time.
func ExtensionsOf(basis string, at time.Time) []ExtensionRule {
	return allInForce(now().extensions[basis], at)
}

// PausesOf are the reasons for which a basis may be paused at a time.
func PausesOf(basis string, at time.Time) []PauseRule {
	return allInForce(now().pauses[basis], at)
}

// allInForce are the rules in force. A folder's row goes before the built-in one of the same name.
func allInForce[T interface{ name() string }](versions []version[T], at time.Time) []T {
	var found []T
	for _, v := range slices.Backward(versions) {
		same := func(t T) bool { return t.name() == v.is.name() }
		if v.validAt(at) && !slices.ContainsFunc(found, same) {
			found = append(found, v.is)
		}
	}
	slices.Reverse(found)
	return found
}

// enterNamed adds one of several rules of a basis, unless its own file has one of the same name for that time.
func enterNamed[T interface{ name() string }](m map[string][]version[T], basis string, v version[T]) error {
	for _, w := range m[basis] {
		if w.layer == v.layer && w.is.name() == v.is.name() && v.overlaps(w) {
			return fmt.Errorf("two rows are in force for %s and %s at a time", basis, v.is.name())
		}
	}
	m[basis] = append(m[basis], v)
	return nil
}

func (e ExtensionRule) name() string { return e.By }
func (p PauseRule) name() string     { return p.Reason }

func (r *rules) extension(basis, by string, at time.Time) (ExtensionRule, bool) {
	all := allInForce(r.extensions[basis], at)
	i := slices.IndexFunc(all, func(e ExtensionRule) bool { return e.By == by })
	if i < 0 || all[i].Times == 0 {
		return ExtensionRule{}, false
	}
	return all[i], true
}

// party says whether a basis is a term of the reported side or of a reporter, which must not get shorter.
func (c reckoning) party(basis string) bool {
	is, _ := inForce(c.parties[basis], c.later)
	return is
}

// IsParty says whether a basis is a party's term at a time (当事人期限).
func IsParty(basis string, at time.Time) bool {
	return reckoning{rules: now(), later: at}.party(basis)
}

// extensionRow takes a row of extensions.csv.
func (r *rules) extensionRow(f row, layer int) error {
	e := ExtensionRule{Basis: f["basis"], By: f["by"], Owner: f["owner"], Source: f["source"]}
	var err error
	if e.Times, err = f.number("times", 0, 10); err != nil {
		return err
	}
	if e.Owner == "" {
		return errors.New("owner is empty")
	}
	if err := r.fits(e); err != nil {
		return err
	}
	v, err := versionOf(f, layer, e)
	if err != nil {
		return err
	}
	return enterNamed(r.extensions, e.Basis, v)
}

// fits says why a basis cannot extend another.
func (r *rules) fits(e ExtensionRule) error {
	for _, base := range r.deadlines[e.Basis] {
		for _, by := range r.deadlines[e.By] {
			switch {
			case base.is.before() || by.is.before():
				return fmt.Errorf("by: %s counts back from an event, and no such term is extended", e.By)
			case base.is.kind() != by.is.kind() || base.is.kind() == "h":
				return fmt.Errorf("by: %s is in %s and %s in %s; a term is extended in days of its own kind", e.By, by.is.unit, e.Basis, base.is.unit)
			case by.is.start != "next_day":
				return fmt.Errorf("by: %s must start the next_day: it counts on from the last day", e.By)
			}
		}
	}
	if len(r.deadlines[e.Basis]) == 0 || len(r.deadlines[e.By]) == 0 {
		return fmt.Errorf("there is no basis %q or no %q", e.Basis, e.By)
	}
	return nil
}

// pauseRow takes a row of pauses.csv.
func (r *rules) pauseRow(f row, layer int) error {
	p := PauseRule{Basis: f["basis"], Reason: f["reason"], Owner: f["owner"], Source: f["source"]}
	if p.Reason == "" || p.Owner == "" {
		return errors.New("reason and owner must not be empty")
	}
	for _, base := range r.deadlines[p.Basis] {
		if base.is.before() {
			return fmt.Errorf("basis: %s counts back from an event and cannot be paused", p.Basis)
		}
	}
	if len(r.deadlines[p.Basis]) == 0 {
		return fmt.Errorf("basis: there is no %q", p.Basis)
	}
	v, err := versionOf(f, layer, p)
	if err != nil {
		return err
	}
	return enterNamed(r.pauses, p.Basis, v)
}

// partyRow takes a row of parties.csv.
func (r *rules) partyRow(f row, layer int) error {
	if len(r.deadlines[f["basis"]]) == 0 {
		return fmt.Errorf("basis: there is no %q", f["basis"])
	}
	word, err := f.oneOf("party", "yes", "no")
	if err != nil {
		return err
	}
	v, err := versionOf(f, layer, word == "yes")
	if err != nil {
		return err
	}
	return enter(r.parties, f["basis"], v)
}

// PartyBases are the bases that are parties' terms at a time, sorted.
func PartyBases(at time.Time) []string {
	r := now()
	found := []string{}
	for _, code := range slices.Sorted(maps.Keys(r.parties)) {
		if is, _ := inForce(r.parties[code], at); is {
			found = append(found, code)
		}
	}
	return found
}

// Ahead is the end of so many days, today being the first, or of this week's Sunday for none, in Shanghai.
func Ahead(from time.Time, days int) time.Time {
	from = from.In(Shanghai)
	if days == 0 {
		days = 1 + (7-int(from.Weekday()))%7
	}
	y, m, d := from.Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, Shanghai).UTC()
}
