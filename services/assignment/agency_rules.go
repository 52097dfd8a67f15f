package assignment

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The lead ministry of the programme and the bodies that rules name.
const (
	leadMinistry = "miit"
	police       = "mps"
	centre       = "centre-12321"
	localFinance = "lfa"
	financial    = "nfra"
)

// Kinds of agencies that rules look at.
const (
	kindMinistry       = "ministry"
	kindAdministration = "provincial_administration"
	kindBody           = "provincial_body"
	kindPolice         = "police"
	kindOperator       = "operator"
	kindOperatorBranch = "operator_branch"
	kindResale         = "resale_operator"
)

// agency is one version of a body: who it is during its valid time.
type agency struct {
	id, name, nameEn, kind, superior, province string
	sectors                                    []string
	assignable                                 bool
	successor, source                          string
	from                                       time.Time
	to                                         *time.Time
}

func (a *agency) validAt(at time.Time) bool {
	return !at.Before(a.from) && (a.to == nil || at.Before(*a.to))
}

// directory is every version of every agency as of a revision. It is read-only after newDirectory.
type directory struct {
	revision int64
	ids      []string            // sorted
	versions map[string][]agency // oldest first
	national []string            // ministries, sorted
}

func newDirectory(revision int64, rows []agency) *directory {
	d := &directory{revision: revision, versions: map[string][]agency{}}
	for _, a := range rows {
		if len(d.versions[a.id]) == 0 {
			d.ids = append(d.ids, a.id)
		}
		if a.kind == kindMinistry && !slices.Contains(d.national, a.id) {
			d.national = append(d.national, a.id)
		}
		d.versions[a.id] = append(d.versions[a.id], a)
	}
	slices.Sort(d.ids)
	slices.Sort(d.national)
	for _, v := range d.versions {
		slices.SortFunc(v, func(a, b agency) int { return a.from.Compare(b.from) })
	}
	return d
}

// at is the directory as of a time.
func (d *directory) at(at time.Time) view { return view{d, at} }

// knows says whether there is or was such an agency.
func (d *directory) knows(id string) bool { return len(d.versions[id]) > 0 }

// view is the directory as of a time.
type view struct {
	d  *directory
	at time.Time
}

func (v view) get(id string) (*agency, bool) {
	versions := v.d.versions[id]
	for i := range versions {
		if versions[i].validAt(v.at) {
			return &versions[i], true
		}
	}
	return nil, false
}

func (v view) assignable(id string) bool {
	a, ok := v.get(id)
	return ok && a.assignable
}

func (v view) name(id string) string {
	if a, ok := v.get(id); ok {
		return a.name
	}
	return id
}

// province is the two-digit code of a province that the directory knows, from a code of any length; empty otherwise.
func (v view) province(code string) string {
	if len(code) < 2 {
		return ""
	}
	if _, ok := v.get("ca-" + code[:2]); !ok {
		return ""
	}
	return code[:2]
}

// body is the ministry's body in a province: the level that acts. The lead ministry acts through the communications
// administrations.
func (v view) body(ministry, province string) (string, bool) {
	if province == "" {
		return "", false
	}
	id := ministry + "-" + province
	if ministry == leadMinistry {
		id = "ca-" + province
	}
	return id, v.assignable(id)
}

// competent is the ministry of a sector, empty when no sector ministry is competent.
func (v view) competent(sector string) string {
	if sector == "" || sector == "other" {
		return ""
	}
	for _, id := range v.d.national {
		if a, ok := v.get(id); ok && a.kind == kindMinistry && a.assignable && slices.Contains(a.sectors, sector) {
			return id
		}
	}
	return ""
}

// line is an agency and its superiors, from below.
func (v view) line(id string) []string {
	var line []string
	for id != "" && !slices.Contains(line, id) {
		line = append(line, id)
		a, ok := v.get(id)
		if !ok {
			break
		}
		id = a.superior
	}
	return line
}

// superior is who is told when an agency is late: its superior, and at the top of a line the lead ministry.
func (v view) superior(id string) string {
	if a, ok := v.get(id); ok && a.superior != "" {
		return a.superior
	}
	return leadMinistry
}

// enterprise is the operator that an operator's branch belongs to, and any other agency itself.
func (v view) enterprise(id string) string {
	if a, ok := v.get(id); ok && a.kind == kindOperatorBranch {
		return a.superior
	}
	return id
}

// competentToLead says whether an agency is an authority that can be given a matter. Operators, the centre and those who
// only advise or watch are none.
func (v view) competentToLead(id string) bool {
	a, ok := v.get(id)
	return ok && a.assignable && slices.Contains([]string{kindMinistry, kindAdministration, kindBody, kindPolice}, a.kind)
}

// isParty says whether an agency is the reported party or of the same enterprise.
func (v view) isParty(id, party string) bool {
	return party != "" && v.enterprise(id) == v.enterprise(party)
}

// notParty is an agency, or in place of the reported party its provincial administration, or what is above that. The
// province is that of the matter, for a party that has none.
func (v view) notParty(id, party, province string) string {
	if !v.isParty(id, party) {
		return id
	}
	if own := v.provinceOf(party); own != "" {
		province = own
	}
	if id = v.levelThatActs(leadMinistry, province); v.isParty(id, party) {
		return v.superior(id)
	}
	return id
}

// list is the agencies valid at the view's time after a given id, filtered.
func (v view) list(after, kind, province string, n int) []*agency {
	start, found := slices.BinarySearch(v.d.ids, after)
	if found {
		start++
	}
	var out []*agency
	for _, id := range v.d.ids[start:] {
		a, ok := v.get(id)
		if !ok || kind != "" && a.kind != kind || province != "" && a.province != province {
			continue
		}
		if out = append(out, a); len(out) == n {
			break
		}
	}
	return out
}

// check says what would make routing ambiguous or send work to nobody.
func (v view) check() error {
	if broken := v.broken(); len(broken) > 0 {
		return errors.New(strings.Join(broken, "; "))
	}
	return nil
}

// broken is all that would make routing ambiguous or send work to nobody, each in one sentence that says the same whatever
// else is broken.
func (v view) broken() []string {
	var broken []string
	competent := map[string][]string{}
	for _, id := range v.d.ids {
		a, ok := v.get(id)
		if !ok {
			continue
		}
		if _, known := v.get(a.superior); a.superior != "" && !known {
			broken = append(broken, fmt.Sprintf("the superior %s of %s is not in the directory", a.superior, id))
		}
		if a.kind != kindMinistry || !a.assignable {
			continue
		}
		for _, s := range a.sectors {
			for _, other := range competent[s] {
				broken = append(broken, fmt.Sprintf("%s and %s are both competent for %s", other, id, s))
			}
			competent[s] = append(competent[s], id)
		}
	}
	for _, id := range []string{leadMinistry, police, centre} {
		if !v.assignable(id) {
			broken = append(broken, id+" is missing or not assignable")
		}
	}
	return broken
}

func (v view) provinceOf(id string) string {
	if a, ok := v.get(id); ok {
		return a.province
	}
	return ""
}

// levelThatActs is a ministry's body in the province, or an operator's branch in it; others act themselves.
func (v view) levelThatActs(id, province string) string {
	a, ok := v.get(id)
	if !ok {
		return id
	}
	switch a.kind {
	case kindMinistry:
		if body, ok := v.body(id, province); ok {
			return body
		}
	case kindOperator:
		if branch := id + "-" + province; province != "" && v.assignable(branch) {
			return branch
		}
	}
	return id
}

// symbols are what routing rules may say instead of an agency_id.
var symbols = []string{"sector", "operator", "ca", "police", localFinance, "centre"}

// knownTarget says whether a routing rule can mean this.
func (d *directory) knownTarget(target string) bool {
	return slices.Contains(symbols, target) || d.knows(target)
}
