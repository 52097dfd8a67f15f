// Package tally keeps day aggregates (日统计) beside the facts that they are made from, for the periodic digest.
//
// A day is counted as a whole, from the facts, and only what differs from the last count is written; nothing is added to
// the transactions in which the facts are written. What changes later than two days after it was written marks its day as
// stale, by a trigger of the owner. Rows say with which cut they came and went, so that a reader sees one cut over many
// pages while counting goes on.
package tally

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Most is up to how many reporters are told apart. Figures of fewer people than the policy of the digest says are not
// public: that policy must stay below.
const Most = 32

// witness is the size of a pseudonym.
const witness = 8

// Cell names one figure of a day.
type Cell struct {
	Unit, Axis, Key, Column string
	Bucket                  int64
}

func (c Cell) compare(o Cell) int {
	return cmp.Or(cmp.Compare(c.Unit, o.Unit), cmp.Compare(c.Axis, o.Axis), cmp.Compare(c.Key, o.Key),
		cmp.Compare(c.Column, o.Column), cmp.Compare(c.Bucket, o.Bucket))
}

// Figure is what stands in a cell.
type Figure struct {
	Count     int64
	Reporters int32  // counted up to Most
	Witnesses []byte // of fewer than Most: eight bytes each, in order
}

func (f Figure) equal(o Figure) bool {
	return f.Count == o.Count && f.Reporters == o.Reporters && bytes.Equal(f.Witnesses, o.Witnesses)
}

// Sums are the figures of a day while it is counted.
type Sums struct {
	cells map[Cell]*sum
}

type sum struct {
	count int64
	seen  []uint64 // the first Most reporters; a list this short is searched faster than a map
}

// NewSums begins to count.
func NewSums() *Sums { return &Sums{cells: map[Cell]*sum{}} }

// Add counts n more in a cell. who is a keyed pseudonym of whom they are of, empty for nobody.
func (s *Sums) Add(c Cell, n int64, who []byte) {
	at := s.cells[c]
	if at == nil {
		at = &sum{}
		s.cells[c] = at
	}
	at.count += n
	at.see(who)
}

func (s *sum) see(who []byte) {
	if len(who) < witness || len(s.seen) == Most {
		return
	}
	id := binary.BigEndian.Uint64(who)
	if !slices.Contains(s.seen, id) {
		s.seen = append(s.seen, id)
	}
}

// figures are the cells as they are stored.
func (s *Sums) figures() map[Cell]Figure {
	out := make(map[Cell]Figure, len(s.cells))
	for c, at := range s.cells {
		f := Figure{Count: at.count, Reporters: int32(len(at.seen))}
		if len(at.seen) < Most {
			slices.Sort(at.seen)
			for _, id := range at.seen {
				f.Witnesses = binary.BigEndian.AppendUint64(f.Witnesses, id)
			}
		}
		out[c] = f
	}
	return out
}

// Union is how many people stand behind several figures, counted up to Most. Each figure has its people as Figure has.
type Union struct{ sum }

// Add takes in the people of a figure.
func (u *Union) Add(reporters int32, witnesses []byte) {
	if reporters >= Most {
		for id := uint64(0); len(u.seen) < Most; id++ {
			u.seen = append(u.seen, id) // so many that who they are no longer matters
		}
		return
	}
	for ; len(witnesses) >= witness; witnesses = witnesses[witness:] {
		u.see(witnesses[:witness])
	}
}

// Join takes in the people of another union.
func (u *Union) Join(o *Union) {
	for _, id := range o.seen {
		if len(u.seen) < Most && !slices.Contains(u.seen, id) {
			u.seen = append(u.seen, id)
		}
	}
	if len(o.seen) == Most {
		u.Add(Most, nil)
	}
}

// Without is who is here and certainly not in another union. Of Most people it is not known who they are: then it is as many
// nobodies as are left when the other is taken away.
func (u *Union) Without(o *Union) Union {
	var left Union
	if len(u.seen) == Most {
		for id := range uint64(Most - len(o.seen)) { //nolint:gosec // at most that
			left.seen = append(left.seen, id)
		}
		return left
	}
	if len(o.seen) == Most {
		return left
	}
	for _, id := range u.seen {
		if !slices.Contains(o.seen, id) {
			left.seen = append(left.seen, id)
		}
	}
	return left
}

// Reporters is how many, counted up to Most.
func (u *Union) Reporters() int32 { return int32(len(u.seen)) }
