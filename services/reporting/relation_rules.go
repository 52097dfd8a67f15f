package reporting

import (
	"slices"
	"strings"
	"time"

	"quietline/internal/phone"
	"quietline/services/reporting/store"
)

// Kinds of links that the mesh makes itself.
const (
	linkSplit  = "split"
	linkMerged = "merged"
)

// keyOfPart is the key of a split complaint: the number's own, and what tells the parts apart: the holder, or a number.
func keyOfPart(base *string, part string) *string {
	if base == nil || part == "" {
		return base
	}
	key := *base + "#" + part
	return &key
}

// baseOf is the key that a complaint would have, were it not split; nil for one without number.
func baseOf(c *store.Complaint) *string {
	if c.Key == nil {
		return nil
	}
	base := *c.Key
	if c.Part != "" {
		base = strings.TrimSuffix(base, "#"+c.Part)
	}
	return &base
}

// isForged says whether a complaint is about a number that nobody's true holder has to answer for.
func isForged(c *store.Complaint) bool { return c.Forged || phone.Forged(c.NumberKind) }

// isCriminal says whether a complaint is about a suspected crime (涉嫌违法犯罪), which has protection of its own.
func isCriminal(c *store.Complaint) bool { return c.Category == criminal }

// movable is a report that may change its complaint: nothing was found on it, and it was not told its result.
type movable struct {
	id      string
	twinOf  string // the report of the same call, told first
	call    time.Time
	foreign bool // its number is not its complaint's
}

// wantedGroup is which reports are to go together: those named, and those of calls in a time.
type wantedGroup struct {
	named       []string
	from, until *time.Time
}

func (g wantedGroup) holds(call time.Time) bool {
	if g.from == nil && g.until == nil {
		return false
	}
	return (g.from == nil || !call.Before(*g.from)) && (g.until == nil || call.Before(*g.until))
}

// divide says which reports go with each group. The same call told twice goes as one: by person, with whichever was named;
// by holder, with the one told first. A report of another number than its complaint's has another holder, and stays where
// it was put. What was named and may not move is returned too.
func divide(reports []movable, groups []wantedGroup, byHolder bool) (moved [][]string, stuck []string) {
	known := make(map[string]movable, len(reports))
	for _, r := range reports {
		known[r.id] = r
	}
	first := func(r movable) movable {
		if f, ok := known[r.twinOf]; ok {
			return f
		}
		return r
	}
	goes := map[string]int{} // group by the first report of a call
	put := func(r movable, group int) {
		f := first(r)
		if byHolder && (f.id != r.id || f.foreign) {
			return
		}
		if _, ok := goes[f.id]; !ok {
			goes[f.id] = group
		}
	}
	for i, g := range groups {
		for _, id := range g.named {
			if r, ok := known[id]; ok {
				put(r, i)
			} else if !slices.Contains(stuck, id) {
				stuck = append(stuck, id)
			}
		}
	}
	for i, g := range groups {
		for _, r := range reports {
			if g.holds(r.call) {
				put(r, i)
			}
		}
	}
	moved = make([][]string, len(groups))
	for _, r := range reports {
		if i, ok := goes[first(r).id]; ok {
			moved[i] = append(moved[i], r.id)
		}
	}
	return moved, stuck
}
