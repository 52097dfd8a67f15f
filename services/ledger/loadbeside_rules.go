package ledger

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// kept is a licence, contract or sublet as the ledger has it, in the form in which files are read.
type kept struct {
	id   string
	from time.Time
	to   *time.Time
	says format.Row
}

// version is one that a row would write.
type version struct {
	says     format.Row
	from     time.Time
	to       *time.Time
	replaces string
}

// asked is the one of several in a row that a statement is about: which begins when it says, or holds then, or at the time of
// the file.
func asked(all []kept, said format.Row, asOf time.Time) *kept {
	from, begins := said.Time(format.From)
	for _, fits := range []func(kept) bool{
		func(k kept) bool { return begins && k.from.Equal(from) },
		func(k kept) bool { return begins && in(from, k.from, k.to) },
		func(k kept) bool { return in(asOf, k.from, k.to) },
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return &all[i]
		}
	}
	return nil
}

// compareBeside holds a row against what the ledger has of the same; nil when that is nothing. An empty cell says nothing.
// What differs from when the row says is a new version, and before that there is what was.
func compareBeside(said format.Row, is *kept, asOf time.Time) (difference, []version) {
	at, begins := said.Time(format.From)
	if !begins {
		at = asOf
	}
	end, ends := said.Time(format.To)
	if is == nil {
		return newBeside(said, at, end, ends)
	}
	d := difference{fate: fateChanged}
	next := version{says: maps.Clone(is.says), from: is.from, to: is.to, replaces: is.id}
	for _, name := range format.Statement(said[format.About]) {
		if said[name] != "" && said[name] != is.says[name] {
			d.changes = append(d.changes, fieldChange{Field: name, Old: is.says[name], New: said[name]})
			next.says[name] = said[name]
		}
	}
	worded := len(d.changes) > 0
	earlier := begins && at.Before(is.from)
	if earlier {
		d.changes = append(d.changes, fieldChange{Field: format.From, Old: stampOf(&is.from), New: said[format.From]})
		next.from = at
	}
	if ends && (is.to == nil || !end.Equal(*is.to)) {
		d.changes = append(d.changes, fieldChange{Field: format.To, Old: stampOf(is.to), New: said[format.To]})
		next.to, d.ends = &end, &end
	}
	if len(d.changes) == 0 {
		return difference{fate: fateUnchanged}, nil
	}
	return d.versions(*is, next, at, worded && !earlier)
}

func newBeside(said format.Row, at, end time.Time, ends bool) (difference, []version) {
	d := difference{fate: fateNew, effect: &at}
	for _, name := range format.Statement(said[format.About]) {
		if said[name] != "" {
			d.changes = append(d.changes, fieldChange{Field: name, New: said[name]})
		}
	}
	v := version{says: said, from: at}
	if ends {
		v.to = &end
		if !end.After(at) {
			return conflict(d.changes, "it ends before it begins: its end is in the file, and no earlier beginning"), nil
		}
	}
	return d, []version{v}
}

// versions cuts what was at the time from which other words hold.
func (d difference) versions(is kept, next version, at time.Time, cut bool) (difference, []version) {
	if next.to != nil && !next.to.After(next.from) {
		return conflict(d.changes, "it ends before it begins"), nil
	}
	if cut && at.After(is.from) {
		if next.to != nil && !next.to.After(at) {
			return conflict(d.changes, "it ends before the change takes effect (失效时间早于变更生效时间)"), nil
		}
		before := version{says: is.says, from: is.from, to: &at, replaces: is.id}
		next.from, d.effect = at, &at
		return d, []version{before, next}
	}
	d.effect = &next.from
	if d.ends != nil && len(d.changes) == 1 {
		d.effect = d.ends
	}
	return d, []version{next}
}

func licenceSays(l store.Licence, code string) kept {
	return kept{l.LicenceID, l.ValidFrom, l.ValidTo, format.Row{
		format.About: format.AboutLicence, format.CreditCode: code, format.Licence: l.Number, format.Kinds: listed(l.Kinds), format.Scope: listed(l.Provinces),
		format.Outbound: map[bool]string{true: "yes", false: "no"}[l.Outbound], format.Basis: l.Document,
		format.From: stampOf(&l.ValidFrom), format.To: stampOf(l.ValidTo),
	}}
}

func listed(values []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(values))), "; ")
}

func contractSays(c store.Contract) kept {
	return kept{c.ContractID, c.ValidFrom, c.ValidTo, format.Row{
		format.About: format.AboutContract, format.Operator: c.OperatorID, format.Contract: c.Number,
		format.Limit: strconv.Itoa(int(c.CallLimit)), format.Unit: c.LimitUnit,
		format.Complaints: c.ComplaintClauses, format.Handling: c.HandlingClauses,
		format.From: stampOf(&c.ValidFrom), format.To: stampOf(c.ValidTo),
	}}
}

func subletSays(x store.Sublet) kept {
	return kept{x.SubletID, x.ValidFrom, x.ValidTo, format.Row{
		format.About: format.AboutSublet, format.First: digitsOf(x.Digits, x.FirstNumber), format.Last: digitsOf(x.Digits, x.LastNumber),
		format.Purpose: x.Purpose, format.Basis: x.Document, format.From: stampOf(&x.ValidFrom), format.To: stampOf(x.ValidTo),
	}}
}

func licenceIn(r format.Row, holder string) *ledgerv1.Licence {
	return &ledgerv1.Licence{
		HolderId: holder, Number: r[format.Licence], Kinds: r.List(format.Kinds), Provinces: r.List(format.Scope),
		Outbound: r[format.Outbound] == "yes", Document: r[format.Basis],
	}
}

func contractIn(r format.Row, resource, operator string) *ledgerv1.Contract {
	limit, _ := strconv.ParseInt(r[format.Limit], 10, 32) // zero is refused with its field
	return &ledgerv1.Contract{
		ResourceId: resource, OperatorId: operator, Number: r[format.Contract], CallLimit: int32(limit), LimitUnit: r[format.Unit],
		ComplaintClauses: r[format.Complaints], HandlingClauses: r[format.Handling],
	}
}

func subletIn(r format.Row, resource, lessor, lessee string) *ledgerv1.Sublet {
	return &ledgerv1.Sublet{
		ResourceId: resource, LessorId: lessor, Lessee: &ledgerv1.Holder{HolderId: lessee}, FirstNumber: r[format.First], LastNumber: r[format.Last],
		Purpose: r[format.Purpose], Document: r[format.Basis],
	}
}
