package reporting

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"quietline/internal/tally"
)

// A complaint belongs to the day on which it began, as it stands now: a cohort (同期群). Its agency is the one that leads or
// led it last. It is fed back when somebody was told its result; that one reporter withdrew is told to that one.
const cohortSQL = `SELECT c.complaint_id, c.origin, coalesce(nullif(c.category, ''), 'unknown'), c.state, c.result, c.stage,
    c.reopened > 0, c.disclosure, coalesce(l.agency_id, ''),
    coalesce(f.verified, false), coalesce(f.substantiated, false),
    EXISTS (SELECT 1 FROM report r JOIN feedback b USING (report_id) WHERE r.complaint_id = c.complaint_id AND b.stage = 'result'
            AND b.code <> 'withdrawn')
FROM complaint c
LEFT JOIN LATERAL (SELECT agency_id FROM complaint_party p WHERE p.complaint_id = c.complaint_id AND p.part = 'lead'
    ORDER BY p.until_time IS NULL DESC, p.party_id DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (SELECT bool_or(r.finding IN ('substantiated', 'not_substantiated', 'no_evidence')) AS verified,
    bool_or(r.finding = 'substantiated') AS substantiated FROM report r WHERE r.complaint_id = c.complaint_id) f ON true
WHERE c.created_at >= $1 AND c.created_at < $2`

// cohortRow is a complaint as it is counted.
type cohortRow struct {
	id                                                         [16]byte
	origin, category, state, result, stage, disclosure, agency string
	reopened, verified, substantiated, fedBack                 bool
}

func (d *dayCounting) complaints(ctx context.Context, tx pgx.Tx) error {
	people, err := d.people(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, cohortSQL, d.from, d.to)
	if err != nil {
		return err
	}
	var c cohortRow
	_, err = pgx.ForEachRow(rows, []any{
		&c.id, &c.origin, &c.category, &c.state, &c.result, &c.stage, &c.reopened, &c.disclosure, &c.agency,
		&c.verified, &c.substantiated, &c.fedBack,
	}, func() error {
		d.complaint(&c, people[c.id])
		return nil
	})
	return err
}

// people are the reporters of the complaints that began on the day, whenever they reported.
func (d *dayCounting) people(ctx context.Context, tx pgx.Tx) (map[[16]byte][][]byte, error) {
	rows, err := tx.Query(ctx, `SELECT DISTINCT r.complaint_id, r.reporter_index FROM report r
		WHERE r.verified AND r.complaint_id IN (SELECT complaint_id FROM complaint WHERE created_at >= $1 AND created_at < $2)`, d.from, d.to)
	if err != nil {
		return nil, err
	}
	out := map[[16]byte][][]byte{}
	var id [16]byte
	var who []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &who}, func() error {
		if len(out[id]) < tally.Most {
			out[id] = append(out[id], append([]byte(nil), who...))
		}
		return nil
	})
	return out, err
}

func (d *dayCounting) complaint(c *cohortRow, people [][]byte) {
	add := func(axis, key, column string) {
		cell := tally.Cell{Unit: unitComplaints, Axis: axis, Key: key, Column: column}
		d.sums.Add(cell, 1, nil)
		for _, who := range people {
			d.sums.Add(cell, 0, who)
		}
	}
	add("total", "all", "")
	add("origin", c.origin, "")
	add("category", c.category, "")
	outcome := cmp.Or(c.result, "open")
	add("outcome", outcome, "")
	if c.reopened {
		add("relapse", "reopened", "")
	} else {
		add("relapse", "not_reopened", "")
	}
	led := c.agency != "" // those that nobody leads are counted as well, so that agencies add to all complaints: the difference would tell a few
	add("agency", cmp.Or(c.agency, "none"), "")
	in := map[string]bool{"": true}
	for _, s := range steps {
		is := led && s.is(c)
		in[s.column] = is
		switch {
		case is:
			add("agency", c.agency, s.column)
			add("outcome", outcome, s.column)
		default:
			add("outcome", outcome, "-"+s.column)
		}
		if led && in[s.of] && !is {
			add("agency", c.agency, "-"+s.column)
		}
	}
}

// handledResults are the results of complaints of which the competent agency did something (处置): took measures or opened a
// case. The others are at their end as well, with nothing done: not true, not found, forged, passed to the police.
var handledResults = []string{"measures", "case", "measures_and_case", "case_no_penalty", "handled", "penalty"}

// steps are how far a complaint came, each a part of the step that it is of. What a step leaves of that is counted with a
// stroke before its name: whoever publishes both must know who stands behind the difference.
var steps = []struct {
	column, of string
	is         func(*cohortRow) bool
}{
	{"accepted", "", func(c *cohortRow) bool { return c.stage != "accept" && c.result != resultNotAccepted }},
	{"verified", "accepted", func(c *cohortRow) bool { return c.verified }},
	{"substantiated", "verified", func(c *cohortRow) bool { return c.substantiated }},
	{"handled", "accepted", func(c *cohortRow) bool { return slices.Contains(handledResults, c.result) }},
	{"fed_back", "", func(c *cohortRow) bool { return c.fedBack }},
	{"disclosed", "handled", func(c *cohortRow) bool { return strings.HasPrefix(c.disclosure, "case_published") }},
	{"reopened", "", func(c *cohortRow) bool { return c.reopened }},
}
