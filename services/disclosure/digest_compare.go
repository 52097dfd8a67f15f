package disclosure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	"quietline/services/disclosure/store"
)

// compared is the digest of another month that changes are on. The public edition compares with what is public only: so a
// change tells nothing that is not there already.
type compared struct {
	version string
	rows    map[string]int64 // by axis and members
	goals   map[string]int64 // reports, by code
}

func (c *compared) name() string {
	if c == nil {
		return ""
	}
	return c.version
}

func (c *compared) change(axis string, members []string, now int64) *int32 {
	if c == nil {
		return nil
	}
	before, ok := c.rows[rowKey(axis, members)]
	if !ok {
		return nil
	}
	return change(now, before)
}

func (c *compared) changeOf(goal string, now *int64) *int32 {
	if c == nil || now == nil {
		return nil
	}
	before, ok := c.goals[goal]
	if !ok {
		return nil
	}
	return change(*now, before)
}

func rowKey(axis string, members []string) string { return axis + "\n" + strings.Join(members, "\n") }

// comparisons are the digests of a month to compare with, by edition: those of the newest version that is released. A draft
// is nothing to compare with.
func comparisons(ctx context.Context, q *store.Queries, month time.Time) (map[string]*compared, error) {
	out := map[string]*compared{}
	for _, edition := range []string{publicEdition, internalEdition} {
		row, err := q.GetDigest(ctx, store.GetDigestParams{Month: month.Format("2006-01"), Released: true})
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		d, err := readTables(ctx, q, row.Digest.DigestID, edition)
		if err != nil {
			return nil, err
		}
		c := &compared{version: fmt.Sprintf("%s 第%d版", row.Digest.Month, row.Digest.Version), rows: map[string]int64{}, goals: map[string]int64{}}
		for _, t := range d.GetTables() {
			for _, r := range t.GetRows() {
				c.rows[rowKey(t.GetAxis(), r.GetMembers())] = r.GetReports()
			}
		}
		for _, g := range d.GetIndicators() {
			if g.Reports != nil {
				c.goals[g.GetCode()] = g.GetReports()
			}
		}
		out[edition] = c
	}
	return out, nil
}

// earlier is what the month's public versions do not tell.
type earlier struct {
	joined map[string][][]string      // by table: rows that tell several figures in one sum
	untold map[string]map[string]bool // by table and column: keys of figures
}

// earlierVersions reads them.
func earlierVersions(ctx context.Context, q *store.Queries, month string) (*earlier, error) {
	versions, err := q.ReleasedVersions(ctx, month)
	if err != nil {
		return nil, err
	}
	out := &earlier{joined: map[string][][]string{}, untold: map[string]map[string]bool{}}
	for _, v := range versions {
		d, err := readTables(ctx, q, v.DigestID, publicEdition)
		if err != nil {
			return nil, err
		}
		for _, t := range d.GetTables() {
			out.take(t)
		}
	}
	return out, nil
}

func (e *earlier) take(t *disclosurev1.DigestTable) {
	for _, r := range t.GetRows() {
		if len(r.GetMembers()) > 1 {
			e.joined[t.GetAxis()] = append(e.joined[t.GetAxis()], r.GetMembers())
		}
		for i, c := range t.GetColumns() {
			if !r.GetValues()[i].GetHidden() {
				continue
			}
			at := rowKey(t.GetAxis(), []string{c.GetCode()})
			if e.untold[at] == nil {
				e.untold[at] = map[string]bool{}
			}
			for _, m := range r.GetMembers() {
				e.untold[at][m] = true
			}
		}
	}
}

// readTables reads the tables and goals of an edition, members included.
func readTables(ctx context.Context, q *store.Queries, id, edition string) (*disclosurev1.Digest, error) {
	heads, err := q.DigestTables(ctx, store.DigestTablesParams{DigestID: id, Edition: edition})
	if err != nil {
		return nil, err
	}
	d := &disclosurev1.Digest{}
	byAxis := map[string]*disclosurev1.DigestTable{}
	for _, h := range heads {
		t := tableProto(&h)
		d.Tables = append(d.Tables, t)
		byAxis[h.Axis] = t
	}
	cells, err := q.DigestCells(ctx, store.DigestCellsParams{DigestID: id, Edition: edition})
	if err != nil {
		return nil, err
	}
	for _, c := range cells {
		byAxis[c.Axis].Rows = append(byAxis[c.Axis].Rows, rowProto(&c))
	}
	goals, err := q.DigestIndicators(ctx, store.DigestIndicatorsParams{DigestID: id, Edition: edition})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(goals, func(a, b store.DigestIndicator) int { return strings.Compare(b.Code, a.Code) })
	for _, g := range goals {
		d.Indicators = append(d.Indicators, &disclosurev1.DigestIndicator{
			Code: g.Code, Title: g.Title, Method: g.Method, PerMille: g.PerMille, Reports: g.Reports,
			ChangePrevious: g.ChangePrevious, ChangeYear: g.ChangeYear,
		})
	}
	return d, nil
}

func tableProto(h *store.DigestTable) *disclosurev1.DigestTable {
	t := &disclosurev1.DigestTable{
		Axis: h.Axis, Title: h.Title, Unit: h.Unit, UnitName: h.UnitName, DateBasis: h.DateBasis, RegionKind: h.RegionKind, Span: h.Span,
		ShareKind: h.ShareKind, Total: h.Total, ThresholdUnit: h.ThresholdUnit,
	}
	for c := range slices.Chunk(h.Columns, 3) {
		col := &disclosurev1.DigestColumn{Code: c[0], Title: c[1]}
		_, _ = fmt.Sscan(c[2], &col.Decimals) // written by write
		t.Columns = append(t.Columns, col)
	}
	return t
}

func rowProto(c *store.DigestCellsRow) *disclosurev1.DigestRow {
	r := &disclosurev1.DigestRow{
		Key: c.Key, Label: c.Label, Reports: c.Count, PerMille: c.PerMille, Reporters: int64(c.Reporters), Members: c.Members,
		ChangePrevious: c.ChangePrevious, ChangeYear: c.ChangeYear,
	}
	for i, hidden := range c.Hidden {
		v := &disclosurev1.DigestValue{Hidden: hidden}
		if c.Present[i] {
			v.Value = &c.Figures[i]
		}
		r.Values = append(r.Values, v)
	}
	return r
}
