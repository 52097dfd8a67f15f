package reporting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/phone"
	"quietline/internal/tally"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// unitAccess are complaints (事项) by who gave their number access: a unit of its own, as it leaves out more than the
// digest's complaints do.
const unitAccess = "access_complaints"

// A complaint counts against who gave its number access at its call, on the day it began. A forged number counts against
// nobody, nor does what nobody verified reported; one that was merged into another counts there. A repeat is a call after
// something was done about it (处置) that somebody verified reported.
const accessSQL = `SELECT a.operator_id, c.number_kind, c.reopened > 0, c.result, f.checked, f.substantiated, f.repeated
FROM complaint c
JOIN LATERAL (SELECT operator_id FROM complaint_access x WHERE x.complaint_id = c.complaint_id ORDER BY access_id DESC LIMIT 1) a ON true
JOIN LATERAL (SELECT coalesce(bool_or(r.finding IN ('substantiated', 'not_substantiated', 'no_evidence')), false) AS checked,
    coalesce(bool_or(r.finding = 'substantiated'), false) AS substantiated, coalesce(bool_or(r.relapse), false) AS repeated, count(*) AS reports
    FROM report r WHERE r.complaint_id = c.complaint_id AND r.verified AND r.same_call_as IS NULL) f ON f.reports > 0
WHERE c.created_at >= $1 AND c.created_at < $2 AND NOT c.forged AND c.merged_into IS NULL`

// countAccess counts the complaints that began on a day by access operator.
func countAccess(ctx context.Context, tx pgx.Tx, from, to time.Time) (*tally.Sums, error) {
	rows, err := tx.Query(ctx, accessSQL, from, to)
	if err != nil {
		return nil, fmt.Errorf("complaints by access: %w", err)
	}
	sums := tally.NewSums()
	var operator, kind, result string
	var reopened, checked, substantiated, repeated bool
	_, err = pgx.ForEachRow(rows, []any{&operator, &kind, &reopened, &result, &checked, &substantiated, &repeated}, func() error {
		if phone.Forged(kind) {
			return nil // forged by its very form, and nobody has said so yet
		}
		handled := slices.Contains(handledResults, result)
		for _, column := range []struct {
			name string
			is   bool
		}{{"", true}, {"checked", checked}, {"substantiated", substantiated}, {"handled", handled}, {"repeated", handled && repeated}, {"reopened", reopened}} {
			if column.is {
				sums.Add(tally.Cell{Unit: unitAccess, Axis: "access_operator", Key: operator, Column: column.name}, 1, nil)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("complaints by access: %w", err)
	}
	return sums, nil
}

// keepAccess writes who gave a complaint's number access. Of a forged number nobody did.
func keepAccess(ctx context.Context, tx pgx.Tx, c *store.Complaint, req *reportingv1.AdvanceComplaintRequest, at time.Time) error {
	if req.GetAccessOperatorId() == "" || c.Forged {
		return nil
	}
	err := store.New(tx).KeepAccess(ctx, store.KeepAccessParams{
		ComplaintID: c.ComplaintID, Round: c.Round, OperatorID: req.GetAccessOperatorId(), At: at,
	})
	if err != nil {
		return fmt.Errorf("access operator: %w", err)
	}
	return nil
}
