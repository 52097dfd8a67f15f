package ledger

import (
	"bytes"
	"container/heap"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"

	ledgerv1 "quietline/proto/quietline/ledger/v1"
	"quietline/services/ledger/store"
)

// prioritySectors are those of the holders that the plan names (T1-02 重点: 金融保险、地产中介、零售推销、呼叫中心). Call centres are
// known by how they are run and by their licence, not by a sector.
var prioritySectors = []string{"loans", "credit_card", "insurance", "securities", "funds", "real_estate", "retail"}

// States of an item.
const (
	itemPending    = "PENDING"
	itemConforming = "CONFORMING"
	itemFound      = "FOUND"
	itemClosed     = "CLOSED"

	campaignOpen   = "OPEN"
	campaignClosed = "CLOSED"
)

// drawing draws a sample out of a population that comes in the order of its identifiers, whatever its size. Each resource
// has a rank that follows from the seed and its identifier alone; the lowest ranks are the sample. So whoever has the seed
// draws the same, and a resource more or less in the population moves at most one other.
type drawing struct {
	seed       string
	size       int
	best       ranks
	population int64
	sum        hash.Hash
}

type ranked struct {
	rank [sha256.Size]byte
	row  store.ListPopulationRow
}

// ranks is a heap whose first is the one that goes next.
type ranks []ranked

func (r ranks) Len() int           { return len(r) }
func (r ranks) Less(i, j int) bool { return bytes.Compare(r[i].rank[:], r[j].rank[:]) > 0 }
func (r ranks) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *ranks) Push(x any)        { *r = append(*r, x.(ranked)) } //nolint:forcetypeassert // only we push
func (r *ranks) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

func newDrawing(seed string, size int) *drawing {
	return &drawing{seed: seed, size: size, sum: sha256.New()}
}

// add offers a resource.
func (d *drawing) add(row store.ListPopulationRow) {
	d.population++
	d.sum.Write([]byte(row.ResourceID))
	rank := sha256.Sum256([]byte(d.seed + "/" + row.ResourceID))
	switch {
	case len(d.best) < d.size:
		heap.Push(&d.best, ranked{rank, row})
	case d.size > 0 && bytes.Compare(rank[:], d.best[0].rank[:]) < 0:
		d.best[0] = ranked{rank, row}
		heap.Fix(&d.best, 0)
	}
}

// drawn is what came of it.
type drawn struct {
	population              int64
	populationSum, itemsSum string
	items                   []store.ListPopulationRow
}

// end takes the sample, in the order of its identifiers. percent, when given, is of the population, rounded up.
func (d *drawing) end(percent int) drawn {
	chosen := slices.Clone(d.best)
	slices.SortFunc(chosen, func(a, b ranked) int { return bytes.Compare(a.rank[:], b.rank[:]) })
	if percent > 0 {
		chosen = chosen[:min(len(chosen), shareOf(d.population, percent))]
	}
	slices.SortFunc(chosen, func(a, b ranked) int { return strings.Compare(a.row.ResourceID, b.row.ResourceID) })
	out := drawn{population: d.population, populationSum: hex.EncodeToString(d.sum.Sum(nil))}
	items := sha256.New()
	for _, c := range chosen {
		items.Write([]byte(c.row.ResourceID))
		out.items = append(out.items, c.row)
	}
	out.itemsSum = hex.EncodeToString(items.Sum(nil))
	return out
}

func shareOf(population int64, percent int) int { return int((population*int64(percent) + 99) / 100) }

// filterOf is a population as the query asks for it.
func filterOf(p *ledgerv1.Population) store.ListPopulationParams {
	sectors := slices.Clone(p.GetSectors())
	if p.GetPriority() {
		sectors = append(sectors, prioritySectors...)
	}
	return store.ListPopulationParams{
		Sectors: list(sectors), CallCentres: p.GetPriority(), Purposes: list(p.GetPurposes()), Provinces: list(p.GetProvinces()),
		Operators: list(p.GetAccessOperatorIds()),
	}
}

// wanted says whether a population asks for the kind of a resource's numbers.
func wanted(row store.ListPopulationRow, kinds []string) bool {
	return slices.ContainsFunc(kindsOfRow(row), func(k string) bool { return slices.Contains(kinds, k) })
}

func kindsOfRow(row store.ListPopulationRow) []string {
	return kindsOf(row.Scheme, digitsOf(row.Digits, row.FirstNumber), digitsOf(row.Digits, row.LastNumber))
}
