package reporting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/calendar"
	"quietline/internal/phone"
	"quietline/internal/tally"
	commonv1 "quietline/proto/quietline/common/v1"
)

// Units of what is counted.
const (
	unitReports    = "reports"
	unitComplaints = "complaints"
	unitNumbers    = "numbers"
	unitMarks      = "marks"
)

const notKnown = "unknown"

// firstReportDay is the day of the oldest report or complaint: their keys are in order of time.
func firstReportDay(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var first *time.Time
	err := tx.QueryRow(ctx, `SELECT least((SELECT created_at FROM report ORDER BY report_id LIMIT 1),
		(SELECT created_at FROM complaint ORDER BY complaint_id LIMIT 1))`).Scan(&first)
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return *first, nil
}

// countDay counts what the mesh took in on a day: reports, the numbers they are about, and the complaints that they began.
func countDay(ctx context.Context, tx pgx.Tx, from, to time.Time) (*tally.Sums, error) {
	d := &dayCounting{sums: tally.NewSums(), from: from, to: to, serving: map[[16]byte]string{}, kinds: map[string]kindOf{}, numbers: map[string]*numberDay{}}
	if err := d.operators(ctx, tx); err != nil {
		return nil, fmt.Errorf("serving operators: %w", err)
	}
	if err := d.reports(ctx, tx); err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	if err := d.firstNumbers(ctx, tx); err != nil {
		return nil, fmt.Errorf("numbers: %w", err)
	}
	if err := d.complaints(ctx, tx); err != nil {
		return nil, fmt.Errorf("complaints: %w", err)
	}
	return d.sums, nil
}

// dayCounting is what is needed while a day is counted.
type dayCounting struct {
	sums     *tally.Sums
	from, to time.Time
	serving  map[[16]byte]string // by complaint
	kinds    map[string]kindOf   // by number
	numbers  map[string]*numberDay
}

type kindOf struct{ kind, segment, province, carrier string }

// numberDay is a number of the day with who reported it.
type numberDay struct {
	kind, segment string
	reporters     [][]byte
}

// operators are who serves the numbers that were reported: the operator that checks a complaint's number.
func (d *dayCounting) operators(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT DISTINCT ON (complaint_id) complaint_id, agency_id FROM complaint_party
		WHERE part = 'verifier' AND complaint_id IN (SELECT complaint_id FROM report WHERE created_at >= $1 AND created_at < $2)
		ORDER BY complaint_id, until_time IS NULL DESC, party_id DESC`, d.from, d.to)
	if err != nil {
		return err
	}
	var id [16]byte
	var agency string
	_, err = pgx.ForEachRow(rows, []any{&id, &agency}, func() error {
		d.serving[id] = enterpriseOf(agency)
		return nil
	})
	return err
}

// operators of the country; others are resale operators or none.
var basicOperators = map[string]bool{"cmcc": true, "ctcc": true, "cucc": true, "cbn": true}

// enterpriseOf is the enterprise that an agency is or is a branch of; an authority that checks in an operator's place is none.
func enterpriseOf(agency string) string {
	if strings.HasPrefix(agency, "mvno-") {
		return agency
	}
	if root, _, _ := strings.Cut(agency, "-"); basicOperators[root] {
		return root
	}
	return notKnown
}

// A report that has no class of its own, because it joined late, has its complaint's. Withdrawn reports count: they were
// made. The same call told twice counts once, a report that nobody verified apart.
const reportsSQL = `SELECT r.complaint_id, r.reporter_index, coalesce(nullif(r.sector, ''), nullif(c.sector, ''), 'unknown'),
    coalesce(nullif(r.category, ''), nullif(c.category, ''), 'unknown'), coalesce(nullif(r.finding, ''), 'open'),
    coalesce(nullif(r.method, ''), 'unknown'), coalesce(nullif(r.channel, ''), 'unknown'), r.call_time, r.reporter_province,
    c.number_normal, c.number_kind, c.number_province, c.number_carrier, r.number_normal, r.relapse, r.verified, r.same_call_as IS NOT NULL
FROM report r JOIN complaint c USING (complaint_id)
WHERE r.created_at >= $1 AND r.created_at < $2`

// reportRow is a report as it is counted.
type reportRow struct {
	complaint                                              [16]byte
	reporter                                               []byte
	sector, category, finding, method, channel, province   string
	number, kind, numberProvince, numberCarrier, ownNumber string
	call                                                   time.Time
	relapse, verified, sameCall                            bool
}

func (d *dayCounting) reports(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, reportsSQL, d.from, d.to)
	if err != nil {
		return err
	}
	var r reportRow
	_, err = pgx.ForEachRow(rows, []any{
		&r.complaint, &r.reporter, &r.sector, &r.category, &r.finding, &r.method, &r.channel, &r.call, &r.province,
		&r.number, &r.kind, &r.numberProvince, &r.numberCarrier, &r.ownNumber, &r.relapse, &r.verified, &r.sameCall,
	}, func() error {
		d.report(&r)
		return nil
	})
	return err
}

func (d *dayCounting) report(r *reportRow) {
	add := func(axis, key string) {
		d.sums.Add(tally.Cell{Unit: unitReports, Axis: axis, Key: cmp.Or(key, notKnown)}, 1, r.reporter)
	}
	switch {
	case r.sameCall:
		add("total", "same_call")
		return
	case !r.verified:
		add("total", "unverified")
		return
	}
	number, k := d.kindOf(r)
	add("total", "verified")
	add("sector", r.sector)
	add("category", r.category)
	add("category_finding", r.category+"/"+r.finding)
	add("method", listed(methodKeys, r.method))
	add("channel", listed(channels, r.channel))
	add("number_kind", k.kind+k.segment)
	add("operator_allocated", k.carrier)
	add("operator_serving", d.serving[r.complaint])
	add("hour", r.call.In(calendar.Shanghai).Format("15"))
	add("reporter_region", r.province)
	add("number_region", k.province)
	add("relapse", map[bool]string{true: "relapse", false: "first"}[r.relapse])

	n := d.numbers[number]
	if n == nil {
		n = &numberDay{kind: k.kind, segment: k.segment}
		d.numbers[number] = n
	}
	if len(n.reporters) < tally.Most {
		n.reporters = append(n.reporters, append([]byte(nil), r.reporter...))
	}
}

// methodKeys are the methods that are told apart; senders of rows may have words of their own, which are in no digest.
var methodKeys = []string{"manual", "recorded", "bombing", "one_ring"}

func listed(known []string, key string) string {
	if key == notKnown || slices.Contains(known, key) {
		return key
	}
	return "other"
}

// kindOf is the number that a report is about and what the numbering plan says of it: as its complaint has it, unless
// complaints of several numbers were merged.
func (d *dayCounting) kindOf(r *reportRow) (string, kindOf) {
	number := cmp.Or(r.ownNumber, r.number)
	k, ok := d.kinds[number]
	if !ok {
		n := phone.Parse(number)
		k = kindOf{kind: r.kind, province: r.numberProvince, carrier: r.numberCarrier}
		if r.ownNumber != "" {
			k = kindOf{kind: n.GetKind(), province: n.GetProvince(), carrier: n.GetAllocatedCarrier()}
		}
		k.segment = resaleSegment(k.kind, number, n)
		d.kinds[number] = k
	}
	return number, k
}

// resaleSegment is the segment of a mobile number of resale operators, behind a stroke: /170.
func resaleSegment(kind, number string, n *commonv1.Number) string {
	const segment = 3
	if kind != phone.Mobile || !n.GetResale() || len(number) < segment {
		return ""
	}
	return "/" + number[:segment]
}

// firstNumbers counts each number on the first day of the month that it is reported: so days add up to months.
func (d *dayCounting) firstNumbers(ctx context.Context, tx pgx.Tx) error {
	all := sortedKeys(d.numbers)
	month := time.Date(d.from.Year(), d.from.Month(), 1, 0, 0, 0, 0, calendar.Shanghai)
	rows, err := tx.Query(ctx, `SELECT n FROM unnest($1::text[]) n
		WHERE EXISTS (SELECT 1 FROM complaint c JOIN report r USING (complaint_id) WHERE c.number_normal = n AND r.number_normal IN ('', n)
		              AND r.created_at >= $2 AND r.created_at < $3 AND r.verified AND r.same_call_as IS NULL)
		   OR EXISTS (SELECT 1 FROM report r WHERE r.number_normal = n AND r.number_normal <> ''
		              AND r.created_at >= $2 AND r.created_at < $3 AND r.verified AND r.same_call_as IS NULL)`, all, month, d.from)
	if err != nil {
		return err
	}
	var n string
	if _, err := pgx.ForEachRow(rows, []any{&n}, func() error { delete(d.numbers, n); return nil }); err != nil {
		return err
	}
	for _, n := range d.numbers {
		for i, who := range n.reporters {
			first := int64(1)
			if i > 0 {
				first = 0
			}
			d.sums.Add(tally.Cell{Unit: unitNumbers, Axis: "number_kind", Key: n.kind + n.segment}, first, who)
			d.sums.Add(tally.Cell{Unit: unitNumbers, Axis: "total", Key: "all"}, first, who)
		}
	}
	return nil
}

// firstMarkDay is the first day of the month before: older marks have been counted, or are nobody's digest.
func firstMarkDay(ctx context.Context, tx pgx.Tx) (time.Time, error) {
	var first *time.Time
	err := tx.QueryRow(ctx, `SELECT least((SELECT min(day) FROM mark WHERE day >= date_trunc('month', now() - interval '1 month')::date),
		(SELECT min(day) FROM day_stale WHERE scope = 'marks'))`).Scan(&first)
	if err != nil || first == nil {
		return time.Time{}, err
	}
	return time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, calendar.Shanghai), nil
}

// countMarks counts the marks of a day, by what their labels mean. Marks have no reporters: each is one person's.
func countMarks(ctx context.Context, tx pgx.Tx, from, _ time.Time) (*tally.Sums, error) {
	rows, err := tx.Query(ctx, `SELECT coalesce(l.code, 'other'), m.source, sum(m.count)::bigint FROM mark m
		LEFT JOIN mark_label l ON l.label = m.label AND l.valid @> now() WHERE m.day = $1 GROUP BY 1, 2`, from)
	if err != nil {
		return nil, err
	}
	sums := tally.NewSums()
	var code, source string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&code, &source, &n}, func() error {
		for _, c := range []tally.Cell{
			{Unit: unitMarks, Axis: "mark_label", Key: code}, {Unit: unitMarks, Axis: "mark_source", Key: source}, {Unit: unitMarks, Axis: "total", Key: "all"},
		} {
			sums.Add(c, n, nil)
		}
		return nil
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return sums, err
}
