package ledger

import (
	"maps"
	"slices"
	"strings"
	"time"

	"quietline/internal/errs"
	"quietline/internal/phone"
	"quietline/services/ledger/format"
	"quietline/services/ledger/store"
)

// loadIsFresh is for how long after it was begun an operator's load may still say from when its statements hold: who keeps
// one in store does not get to write the time in between.
const loadIsFresh = 24 * time.Hour

// sentSince is from when an operator's load may speak: from its beginning.
func sentSince(l store.Load, now time.Time) time.Time {
	if oldest := now.Add(-loadIsFresh); oldest.After(l.CreatedAt) {
		return oldest
	}
	return l.CreatedAt
}

// unapprovedRow is a row of an operator without its word on approvals: an operator does not approve what it applies for.
func unapprovedRow(said format.Row) format.Row {
	if said[format.Approval] == "" && said[format.ApprovalReason] == "" {
		return said
	}
	said = maps.Clone(said)
	delete(said, format.Approval)
	delete(said, format.ApprovalReason)
	return said
}

// beyondOperators says what of a difference is not for an operator to state. A complaint is judged by what held when the call
// was made, so an operator's file never changes what stands about the past; a line that nobody has on record may be entered
// with the day it began, for that takes nothing away, and when it became known is on record. And codes are allocated by the
// ministry or the administration (电信网码号资源管理办法), whatever file says that one is.
func beyondOperators(d difference, since time.Time) string {
	if d.fate != fateNew && d.fate != fateChanged {
		return ""
	}
	early := func(t *time.Time) bool { return t != nil && t.Before(since) }
	began := slices.ContainsFunc(d.changes, func(c fieldChange) bool { return c.Field == format.From })
	if d.fate == fateChanged && (early(d.effect) || early(d.ends) || began) {
		return "it takes effect before the file was sent; the past is corrected by a registrar (由登记机关更正)"
	}
	for _, p := range d.pieces {
		n, err := canonical(p.Scheme, digitsOf(p.Digits, p.FirstNumber), digitsOf(p.Digits, p.LastNumber))
		if err != nil {
			return errs.Text(err)
		}
		kinds := kindsOf(n.scheme, n.first(), n.last())
		if p.begins && slices.ContainsFunc(kinds, allocatedByRegulator) {
			return "such a code is allocated by the ministry or the administration, not by an operator's file (电信网码号资源管理办法: 由电信管理机构核配)"
		}
	}
	return ""
}

// allocatedByRegulator says whether numbers of a kind are allocated by 工业和信息化部 or a 通信管理局 to who uses them, and not
// by an operator.
func allocatedByRegulator(kind string) bool {
	return code95(kind) || slices.Contains([]string{phone.Code96, phone.AreaCode96, phone.Code1010, phone.Carrier, phone.CarrierSpoofed, phone.Public, phone.PublicSpoofed}, kind)
}

// named says whether a kind of number has a named enterprise behind it, which has a credit code.
func named(kind string) bool {
	return code95(kind) || kind == phone.Code400 || kind == phone.Code1010
}

func code95(kind string) bool { return strings.HasPrefix(kind, "code95") }
