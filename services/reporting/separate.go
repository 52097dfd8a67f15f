package reporting

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/phone"
	"quietline/services/reporting/store"
)

// separate takes the reports of other numbers, which were merged into it, out of a complaint whose number proved forged:
// a forged number and a genuine one never stay together. Each goes to the live complaint of its own number, and later
// reports of these numbers do too. Who calls it holds the complaint's lock.
func separate(ctx context.Context, tx pgx.Tx, c store.Complaint, at time.Time) error {
	// relapses among them are counted; the next one filed re-opens
	m := &moving{tx: tx, q: store.New(tx), at: at, what: "forged", why: "并入的号码与伪造号码分开办理", rules: relapsePolicy{threshold: math.MaxInt32}}
	if err := m.q.EndAliasesOf(ctx, store.EndAliasesOfParams{ComplaintID: c.ComplaintID, At: &at}); err != nil {
		return fmt.Errorf("separate: %w", err)
	}
	rows, err := m.q.MovableReports(ctx, store.MovableReportsParams{ComplaintID: c.ComplaintID, Round: c.Round})
	if err != nil {
		return fmt.Errorf("separate: %w", err)
	}
	var wanted []*store.NewComplaint
	reports := map[string][]string{}
	for _, r := range rows {
		if r.NumberNormal == "" {
			continue
		}
		n := phone.Parse(r.NumberNormal)
		key := keyOf(n, r.ReporterProvince)
		if len(reports[key]) == 0 {
			wanted = append(wanted, &store.NewComplaint{
				ComplaintID: newID(), Key: &key, Displayed: r.Displayed, Normal: n.GetNormal(), Kind: n.GetKind(),
				Province: n.GetProvince(), Carrier: n.GetAllocatedCarrier(), Reason: n.GetReason(),
			})
		}
		reports[key] = append(reports[key], r.ReportID)
	}
	if len(wanted) == 0 {
		return nil
	}
	joined, err := store.JoinComplaints(ctx, tx, wanted, at)
	if err != nil {
		return fmt.Errorf("separate: %w", err)
	}
	if len(joined) < len(wanted) {
		return errRaced
	}
	for _, j := range joined {
		if err := m.takeBack(ctx, &c, j, reports[*j.Key]); err != nil {
			return err
		}
	}
	return nil
}

// takeBack moves the reports of one number to that number's complaint. Those of a later round than that has reached stay:
// they have results of rounds before, and are told that the number was forged.
func (m *moving) takeBack(ctx context.Context, c *store.Complaint, j store.Joined, reports []string) error {
	to, err := m.q.ComplaintFacts(ctx, j.ComplaintID.String())
	if err != nil {
		return fmt.Errorf("separate: %w", err)
	}
	if j.Opened {
		if err := m.q.RaiseRound(ctx, store.RaiseRoundParams{ComplaintID: to.ComplaintID, ToRound: c.Round, RoundTime: c.RoundTime}); err != nil {
			return fmt.Errorf("separate: %w", err)
		}
		to.Round = c.Round
	}
	if to.Round < c.Round {
		return nil
	}
	if err := m.move(ctx, c, &to, reports); err != nil {
		return err
	}
	if !j.Opened {
		if err := m.settle(ctx, &to, reports); err != nil {
			return err
		}
	}
	if err := m.record(ctx, c, c, &to); err != nil {
		return err
	}
	return m.record(ctx, &to, c, &to)
}
