package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// Fates of a row in the difference report.
const (
	fateStaged    = "staged"
	fateRejected  = "rejected"
	fateNew       = "new"
	fateChanged   = "changed"
	fateUnchanged = "unchanged"
	fateConflict  = "conflict"
	fateMissing   = "missing"
)

// What the ledger states, as the column of changes says it; anything else is an act, which files do not carry.
const (
	changeAllocated = "allocated"
	changeChanged   = "changed"
	changeEnded     = "ended"
	changeWithdrawn = "withdrawn"
	changeEntered   = "entered" // a licence, contract or sublet
)

// compared are the fields that are held against the ledger, in the order of the report. Licence and sector are of the
// holder's own entry, and approvals and vetting documents belong to an allocation when it is made.
var compared = []string{
	format.Holder, format.CreditCode, format.Province, format.Purpose, format.Callers, format.Operator, format.Operation,
	format.Principal, format.Basis, format.From, format.To,
}

// optional are fields whose empty cell says nothing, where an empty list of callers or an empty end is a statement.
var optional = []string{format.CreditCode, format.Operation, format.Principal, format.Basis, format.From}

// fieldChange is a field whose statements differ.
type fieldChange struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// heldRow is a row of the ledger that a row of a file is about.
type heldRow struct {
	store.Allocation
	holder    store.Holder
	principal string // credit code
	state     string
}

// piece is a row that a load would write; begins says that a resource begins with it.
type piece struct {
	store.Allocation
	begins bool
}

// parties are the firms that a row names, as the ledger knows them or will.
type parties struct{ holder, principal string }

// difference is what the report says of a row.
type difference struct {
	fate, reason string
	changes      []fieldChange
	effect       *time.Time
	ends         *time.Time
	pieces       []piece
	grows        bool // it gives more than the ledger has: the rules of allocation are asked
}

// stated is what the ledger states, field by field, in the form in which files are read.
func stated(h heldRow) format.Row {
	callers := slices.Sorted(slices.Values(h.PermittedCallers))
	return format.Row{
		format.Scheme: h.Scheme, format.First: digitsOf(h.Digits, h.FirstNumber), format.Last: digitsOf(h.Digits, h.LastNumber),
		format.Holder: h.holder.Name, format.CreditCode: h.holder.CreditCode, format.Licence: h.holder.Licence,
		format.Sector: h.holder.Sector, format.Province: h.AccessProvince, format.Purpose: h.Purpose,
		format.Callers: strings.Join(slices.Compact(callers), " "), format.Operator: h.AccessOperatorID, format.Operation: h.Operation,
		format.Principal: h.principal, format.Basis: h.Basis, format.Approval: h.ApprovalDocument,
		format.ApprovalReason: h.ApprovalReason, format.Evidence: strings.Join(h.Evidence, "; "),
		format.From: stampOf(&h.ValidFrom), format.To: stampOf(h.ValidTo),
	}
}

func stampOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}

// differing are the fields in which a row of a file says something else than the ledger. Who is a holder, the credit code
// says, and its name only where one of them has no code.
func differing(said, is format.Row) []fieldChange {
	var out []fieldChange
	sameFirm := said[format.CreditCode] != "" && said[format.CreditCode] == is[format.CreditCode]
	for _, name := range compared {
		value, has := said[name]
		if !has || value == is[name] || value == "" && slices.Contains(optional, name) || name == format.Holder && sameFirm {
			continue
		}
		if name == format.From && laterThan(said, is) {
			continue // when the change takes effect, no statement about the beginning
		}
		out = append(out, fieldChange{Field: name, Old: is[name], New: value})
	}
	return out
}

// laterThan says whether a row begins after the allocation that it is about did: it speaks of a part of its time.
func laterThan(said, is format.Row) bool {
	from, ok := said.Time(format.From)
	began, _ := is.Time(format.From)
	return ok && from.After(began)
}

// compareRow holds a row against what the ledger has of its numbers; nil when that is nothing. by is who the row names.
// It asks no database and no clock: asOf is when the file's statements begin to hold.
func compareRow(said format.Row, is *heldRow, by parties, asOf time.Time, registrar bool) difference {
	if act := said[format.Change]; act != "" && !slices.Contains([]string{changeAllocated, changeChanged, changeEnded}, act) {
		return actCarried(said, is)
	}
	if is == nil {
		return newRow(said, by, asOf)
	}
	d := difference{fate: fateChanged, changes: differing(said, stated(*is))}
	switch {
	case len(d.changes) == 0:
		return difference{fate: fateUnchanged}
	case is.state == stateRecalled || is.state == stateEnded:
		return conflict(d.changes, "the resource is %s; nothing of it changes any more", is.state)
	}
	if why := unapproved(said, *is, d.changes, registrar); why != "" {
		return conflict(d.changes, "%s", why)
	}
	d = d.plan(said, *is, by, asOf)
	if d.ends != nil && is.state == stateNotice {
		return conflict(d.changes, "the recall of the resource is announced; its use ends with that or not at all")
	}
	return d
}

// actCarried is a row of a month's changes that tells an act: a suspension or a recall has its own grounds and is not
// carried over by a file.
func actCarried(said format.Row, is *heldRow) difference {
	if is != nil && len(differing(said, stated(*is))) == 0 {
		return difference{fate: fateUnchanged}
	}
	return conflict(nil, "%s is an act with grounds of its own and is not entered by a file (停复机、收回不随文件入账)", said[format.Change])
}

func conflict(changes []fieldChange, words string, args ...any) difference {
	return difference{fate: fateConflict, changes: changes, reason: fmt.Sprintf(words, args...)}
}

func newRow(said format.Row, by parties, asOf time.Time) difference {
	for _, name := range []string{format.Holder, format.Province, format.Purpose, format.Operator} {
		if said[name] == "" {
			return conflict(nil, "a new allocation needs its %s", name)
		}
	}
	a := store.Allocation{
		HolderID: by.holder, PrincipalHolderID: pointer(by.principal), PermittedCallers: said.Numbers(), ValidFrom: asOf, Scheme: said[format.Scheme],
		AccessProvince: said[format.Province], Purpose: said[format.Purpose], AccessOperatorID: said[format.Operator],
		Operation: said[format.Operation], Basis: said[format.Basis], ApprovalDocument: said[format.Approval],
		ApprovalReason: said[format.ApprovalReason], Evidence: said.List(format.Evidence),
	}
	first, last, err := block(said[format.First], said[format.Last])
	if err != nil {
		return conflict(nil, "the numbers are no block")
	}
	a.Digits, a.FirstNumber, a.LastNumber = first.digits, first.value, last.value
	if from, ok := said.Time(format.From); ok {
		a.ValidFrom = from
	}
	if to, ok := said.Time(format.To); ok {
		a.ValidTo = &to
		if !to.After(a.ValidFrom) {
			return conflict(nil, "it ends before it begins: its end is in the file, and no earlier beginning")
		}
	}
	effect := a.ValidFrom
	return difference{fate: fateNew, effect: &effect, pieces: []piece{{a, true}}, grows: true}
}

// put writes the changed fields of a row into an allocation.
func put(a *store.Allocation, said format.Row, changed map[string]bool, by parties) {
	for name, to := range map[string]*string{
		format.Province: &a.AccessProvince, format.Purpose: &a.Purpose, format.Operator: &a.AccessOperatorID,
		format.Operation: &a.Operation, format.Basis: &a.Basis,
	} {
		if changed[name] {
			*to = said[name]
		}
	}
	if changed[format.Callers] {
		a.PermittedCallers = said.Numbers()
	}
	if changed[format.Principal] || changed[format.Operation] {
		a.PrincipalHolderID = pointer(by.principal)
	}
	if changed[format.To] {
		a.ValidTo = nil
		if to, ok := said.Time(format.To); ok {
			a.ValidTo = &to
		}
	}
}

// unapproved says what speaks against a change of purpose or holder: 电信条例 28 allows neither without approval, and an
// operator does not approve.
func unapproved(said format.Row, is heldRow, changes []fieldChange, registrar bool) string {
	changed := func(name string) bool {
		return slices.ContainsFunc(changes, func(c fieldChange) bool { return c.Field == name })
	}
	approved := registrar && said[format.Basis] != "" && said[format.Basis] != is.Basis
	switch {
	case changed(format.Purpose) && !approved:
		return "a purpose changes only by decision: a registrar's file names its document as basis (电信条例 28: 不得擅自改变码号资源用途)"
	case (changed(format.Holder) || changed(format.CreditCode)) && !approved:
		return "another holder only by approval: a registrar's file names its document as basis (电信条例 28: 不得擅自转让)"
	}
	return ""
}

// plan says which rows of the ledger a change makes: from when it holds, a new one; before, what there was.
func (d difference) plan(said format.Row, is heldRow, by parties, asOf time.Time) difference {
	changed := map[string]bool{}
	for _, c := range d.changes {
		changed[c.Field] = true
	}
	newHolder := changed[format.Holder] || changed[format.CreditCode]
	d.grows = newHolder || changed[format.Purpose] || changed[format.Province] || changed[format.Operation] || changed[format.From] || changed[format.To]
	at := asOf
	if from, ok := said.Time(format.From); ok {
		at = from
	}
	to, ends := said.Time(format.To)
	sooner := is.ValidTo == nil || to.Before(*is.ValidTo)
	if len(d.changes) == 1 && changed[format.To] && ends && sooner && to.After(is.ValidFrom) {
		d.effect, d.ends, d.grows = &to, &to, false
		return d
	}
	if !at.After(is.ValidFrom) && !changed[format.From] {
		at = is.ValidFrom
	}
	d.effect = &at
	next := is.Allocation
	put(&next, said, changed, by)
	next.ValidFrom = at
	if next.ValidTo != nil && !next.ValidTo.After(at) || is.ValidTo != nil && !at.Before(*is.ValidTo) {
		return conflict(d.changes, "it ends before the change takes effect (失效时间早于变更生效时间)")
	}
	if newHolder {
		next.HolderID, next.Evidence = by.holder, said.List(format.Evidence)
		next.ApprovalDocument, next.ApprovalReason = said[format.Approval], said[format.ApprovalReason]
	}
	switch {
	case !at.After(is.ValidFrom):
		d.pieces = []piece{{next, false}}
	case newHolder: // the old resource ends, another begins
		d.ends = &at
		d.pieces = []piece{{next, true}}
	default:
		before := is.Allocation
		before.ValidTo = &at
		d.pieces = []piece{{before, false}, {next, false}}
	}
	return d
}
