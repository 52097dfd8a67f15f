package ledger

import (
	"slices"
	"time"

	"quietline/internal/errs"
	"quietline/services/ledger/store"
)

// maxSublets bounds the chain from a holder to who calls in the end.
const maxSublets = 8

// checkSublet sees that a sublet hangs on the allocation, by the chain of those that are known: who lets has the numbers for
// all of that time, and nobody is in the chain twice.
func checkSublet(a store.Allocation, known []store.Sublet, x store.Sublet) error {
	switch {
	case x.FirstNumber < a.FirstNumber || x.LastNumber > a.LastNumber:
		return errs.Field("sublet.first_number", "must be numbers of the resource")
	case x.LesseeID == a.HolderID:
		return errs.Field("sublet.lessee", "the holder cannot rent from those who rent from it")
	case !within(x.ValidFrom, x.ValidTo, a.ValidFrom, a.ValidTo):
		return errs.Field("sublet.valid_to", "nobody lets longer than the resource is allocated")
	}
	for depth, lessor := 1, x.LessorID; lessor != a.HolderID; depth++ {
		if lessor == x.LesseeID || depth >= maxSublets {
			return errs.Field("sublet.lessee", "must be new in the chain of sublets, which has at most %d links", maxSublets)
		}
		i := slices.IndexFunc(known, func(k store.Sublet) bool {
			return k.LesseeID == lessor && k.FirstNumber <= x.FirstNumber && x.LastNumber <= k.LastNumber &&
				within(x.ValidFrom, x.ValidTo, k.ValidFrom, k.ValidTo)
		})
		if i < 0 {
			return errs.Field("sublet.lessor_id", "must be the holder, or somebody to whom these numbers are declared let for all of that time")
		}
		lessor = known[i].LessorID
	}
	return nil
}

// spans joins the rows of a resource, sorted by their beginning, that one holder has without a break: a change of purpose
// makes two rows of what is let on as one.
func spans(rows []store.Allocation) []store.Allocation {
	var out []store.Allocation
	for _, r := range rows {
		if n := len(out) - 1; n >= 0 && out[n].ValidTo != nil && out[n].ValidTo.Equal(r.ValidFrom) &&
			out[n].HolderID == r.HolderID && out[n].FirstNumber == r.FirstNumber && out[n].LastNumber == r.LastNumber {
			out[n].ValidTo = r.ValidTo
			continue
		}
		out = append(out, r)
	}
	return out
}

// lot is what somebody may let for a while: the numbers of an allocation, or of a sublet as far as that rests on one.
type lot struct {
	has, holder string
	digits      int16
	first, last int64
	stay
}

// stay is a span of valid time; without an end it is open.
type stay struct {
	from time.Time
	to   *time.Time
}

// meet is what two spans have in common.
func (s stay) meet(from time.Time, to *time.Time) (stay, bool) {
	if s.from.Before(from) {
		s.from = from
	}
	if s.to == nil || to != nil && to.Before(*s.to) {
		s.to = to
	}
	return s, s.to == nil || s.from.Before(*s.to)
}

// fitted says for how much of its time each sublet rests on the allocations of its resource, by the chain of the others. What
// is not in it rests on nothing: by whom the numbers were let had none of them.
func fitted(rows []store.Allocation, known []store.Sublet) map[string][]stay {
	var lots []lot
	for _, a := range rows {
		lots = append(lots, lot{a.HolderID, a.HolderID, a.Digits, a.FirstNumber, a.LastNumber, stay{a.ValidFrom, a.ValidTo}})
	}
	rest := map[string][]stay{}
	for range maxSublets {
		var on []lot
		for _, l := range lots {
			for _, x := range known {
				if x.LessorID != l.has || x.LesseeID == l.holder || x.Digits != l.digits || x.FirstNumber < l.first || l.last < x.LastNumber {
					continue
				}
				if s, ok := l.meet(x.ValidFrom, x.ValidTo); ok {
					rest[x.SubletID] = append(rest[x.SubletID], s)
					on = append(on, lot{x.LesseeID, l.holder, x.Digits, x.FirstNumber, x.LastNumber, s})
				}
			}
		}
		lots = on
	}
	for id, parts := range rest {
		rest[id] = joined(parts)
	}
	return rest
}

// joined puts spans that do not overlap in their order, those without a gap between them as one.
func joined(parts []stay) []stay {
	slices.SortFunc(parts, func(a, b stay) int { return a.from.Compare(b.from) })
	var out []stay
	for _, s := range parts {
		if n := len(out) - 1; n >= 0 && out[n].to != nil && out[n].to.Equal(s.from) {
			out[n].to = s.to
			continue
		}
		out = append(out, s)
	}
	return out
}

// givesMore says whether a sublet lets more than the row that it replaces, or to another: then the rules of allocation hold
// for it as for a new one. What only ends earlier, or was let by another, is put on record as it is.
func givesMore(old, x store.Sublet) bool {
	return x.LesseeID != old.LesseeID || x.Purpose != old.Purpose || x.Digits != old.Digits ||
		x.FirstNumber != old.FirstNumber || x.LastNumber != old.LastNumber || !x.ValidFrom.Equal(old.ValidFrom) ||
		!within(x.ValidFrom, x.ValidTo, old.ValidFrom, old.ValidTo)
}

// hanging says whether others have from the lessee of a sublet what it would no longer have with another row, or none, in
// its place.
func hanging(known []store.Sublet, old store.Sublet, now *store.Sublet) bool {
	return slices.ContainsFunc(known, func(k store.Sublet) bool {
		hangs := k.LessorID == old.LesseeID && k.FirstNumber <= old.LastNumber && old.FirstNumber <= k.LastNumber &&
			overlap(k.ValidFrom, k.ValidTo, old.ValidFrom, old.ValidTo)
		if !hangs || now == nil {
			return hangs
		}
		return now.LesseeID != old.LesseeID || k.FirstNumber < now.FirstNumber || now.LastNumber < k.LastNumber ||
			!within(k.ValidFrom, k.ValidTo, now.ValidFrom, now.ValidTo)
	})
}

// within says whether a span lies inside another; nil is without end.
func within(from time.Time, to *time.Time, outerFrom time.Time, outerTo *time.Time) bool {
	return !from.Before(outerFrom) && (outerTo == nil || to != nil && !to.After(*outerTo))
}

// in says whether a time lies in a span.
func in(at, from time.Time, to *time.Time) bool {
	return !at.Before(from) && (to == nil || at.Before(*to))
}

func overlap(from time.Time, to *time.Time, otherFrom time.Time, otherTo *time.Time) bool {
	return (otherTo == nil || from.Before(*otherTo)) && (to == nil || otherFrom.Before(*to))
}
