package disclosure

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"quietline/services/disclosure/store"
)

// write writes a digest with both editions.
func (b *building) write(ctx context.Context, tx pgx.Tx) error {
	q := store.New(tx)
	if err := q.InsertDigest(ctx, b.digest); err != nil {
		return err
	}
	var heads []store.InsertDigestTablesParams
	var cells [][]any
	for i := range tables {
		for _, edition := range []string{internalEdition, publicEdition} {
			var s *sheet
			if edition == publicEdition {
				s = b.public(&tables[i])
			} else {
				s = b.internal(&tables[i])
			}
			heads = append(heads, b.head(s, edition, i))
			cells = append(cells, b.cells(s, edition)...)
		}
	}
	if _, err := q.InsertDigestTables(ctx, heads); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"digest_cell"}, cellColumns, pgx.CopyFromRows(cells)); err != nil {
		return err
	}
	return b.writeGoals(ctx, q)
}

func (b *building) head(s *sheet, edition string, position int) store.InsertDigestTablesParams {
	columns := []string{}
	for _, c := range s.columns {
		columns = append(columns, c.code, c.title, strconv.Itoa(int(c.decimals)))
	}
	return store.InsertDigestTablesParams{
		DigestID: b.digest.DigestID, Edition: edition, Axis: s.axis, Position: int32(position), Title: s.title, Unit: s.unit, //nolint:gosec // few
		UnitName: unitNames[s.unit], DateBasis: s.dateBasis, RegionKind: s.region, Span: s.span, ShareKind: s.share, Columns: columns, Total: s.total,
		ThresholdUnit: s.thresholdUnit(),
	}
}

var cellColumns = []string{
	"digest_id", "edition", "axis", "position", "key", "label", "members", "count", "per_mille", "reporters", "change_previous", "change_year",
	"figures", "hidden",
}

func (b *building) cells(s *sheet, edition string) [][]any {
	var out [][]any
	for i, r := range s.rows {
		figures, hidden := r.figures, r.hidden
		if figures == nil {
			figures, hidden = []*int64{}, []bool{}
		}
		out = append(out, []any{
			b.digest.DigestID, edition, s.axis, i + 1, r.key, r.label, r.members, r.count, r.perMille, r.reporters,
			b.previous[edition].change(s.axis, r.members, r.count), b.year[edition].change(s.axis, r.members, r.count), figures, hidden,
		})
	}
	return out
}

func (b *building) writeGoals(ctx context.Context, q *store.Queries) error {
	for _, edition := range []string{internalEdition, publicEdition} {
		for _, g := range b.goals(edition == publicEdition) {
			if err := q.InsertDigestIndicator(ctx, store.InsertDigestIndicatorParams{
				DigestID: b.digest.DigestID, Edition: edition, Code: g.code, Title: g.title, Method: g.method, PerMille: g.perMille, Reports: g.reports,
				ChangePrevious: b.previous[edition].changeOf(g.code, g.reports), ChangeYear: b.year[edition].changeOf(g.code, g.reports),
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
