package reporting

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"quietline/internal/pg"
	"quietline/internal/phone"
	"quietline/services/reporting/store"
)

// cluePage is how many numbers past the threshold are looked at at once.
const cluePage = 1000

// discovery is what makes a clue of marks, by the policy in force.
type discovery struct {
	since, until  time.Time // days
	threshold     int64
	least         int32 // independent sources
	unknownCounts bool
	quiet         time.Time // no clue while a matter of the number was closed since
	at            time.Time
}

// discoveryAt: a figure without a row in force opens nothing.
func (f figures) discoveryAt(at time.Time) (discovery, bool) {
	today := dayOf(at)
	d := discovery{
		since: today.Add(24*time.Hour - f.days("mark_window_days")), until: today, threshold: f["mark_threshold"], least: int32(f["mark_sources"]),
		unknownCounts: f["mark_unknown_counts"] > 0, quiet: at.Add(-f.days("mark_quiet_days")), at: at,
	}
	return d, d.threshold > 0 && d.least > 0 && f["mark_window_days"] > 0
}

// discover opens a clue (线索) for each of these numbers that is past the threshold and has no live matter, and none that
// was closed a while ago. Done twice it does nothing more.
func (s *Server) discover(ctx context.Context, numbers []string, policy figures, at time.Time) (int, error) {
	d, ok := policy.discoveryAt(at)
	if !ok || len(numbers) == 0 {
		return 0, nil
	}
	rows, err := store.New(s.db).HeavilyMarked(ctx, store.HeavilyMarkedParams{
		At: at, Numbers: numbers, Since: d.since, Until: d.until, UnknownCounts: d.unknownCounts, Threshold: d.threshold, Least: d.least,
	})
	if err != nil {
		return 0, fmt.Errorf("heavily marked numbers: %w", err)
	}
	return s.openClues(ctx, rows, d)
}

// discoverAll does that for all numbers.
func (s *Server) discoverAll(ctx context.Context) (opened int, err error) {
	at := s.clock()
	policy, err := s.policy(ctx, at)
	if err != nil {
		return 0, err
	}
	d, ok := policy.discoveryAt(at)
	for after := ""; ok; {
		page, err := store.New(s.db).AllHeavilyMarked(ctx, store.AllHeavilyMarkedParams{
			At: at, After: after, Since: d.since, Until: d.until, UnknownCounts: d.unknownCounts, Threshold: d.threshold, Least: d.least, PageSize: cluePage,
		})
		if err != nil {
			return opened, fmt.Errorf("heavily marked numbers: %w", err)
		}
		rows := make([]store.HeavilyMarkedRow, len(page))
		for i, r := range page {
			rows[i] = store.HeavilyMarkedRow(r)
		}
		n, err := s.openClues(ctx, rows, d)
		if opened += n; err != nil || len(page) < cluePage {
			return opened, err
		}
		after = page[len(page)-1].Number
	}
	return opened, nil
}

func (s *Server) openClues(ctx context.Context, rows []store.HeavilyMarkedRow, d discovery) (int, error) {
	p := store.OpenCluesParams{At: d.at, Quiet: d.quiet}
	heavy := make(map[string]store.HeavilyMarkedRow, len(rows))
	for _, r := range rows {
		n := phone.Parse(r.Number)
		if !checkable(n) {
			continue
		}
		heavy[n.GetNormal()] = r
		p.Ids, p.Normals = append(p.Ids, newID().String()), append(p.Normals, n.GetNormal())
		p.Kinds, p.Provinces = append(p.Kinds, n.GetKind()), append(p.Provinces, n.GetProvince())
		p.Carriers = append(p.Carriers, n.GetAllocatedCarrier())
	}
	if len(heavy) == 0 {
		return 0, nil
	}
	var begun []round
	err := pg.Tx(ctx, s.db, func(tx pgx.Tx) error {
		begun = nil
		q := store.New(tx)
		opened, err := q.OpenClues(ctx, p)
		if err != nil || len(opened) == 0 {
			return err
		}
		subject, agency := who(ctx)
		c := store.AddCluesParams{Since: d.since, Until: d.until, Threshold: d.threshold, Least: d.least, At: d.at}
		for _, o := range opened {
			c.ComplaintIds = append(c.ComplaintIds, o.ComplaintID)
			c.Marks, c.Sources = append(c.Marks, heavy[o.NumberNormal].Marks), append(c.Sources, heavy[o.NumberNormal].Sources)
			begun = append(begun, round{complaintID: o.ComplaintID, number: 1})
		}
		if err := q.AddClues(ctx, c); err != nil {
			return err
		}
		return q.RecordClues(ctx, store.RecordCluesParams{ComplaintIds: c.ComplaintIds, Actor: subject, AgencyID: agency, At: d.at})
	})
	if err != nil {
		return 0, fmt.Errorf("open clues: %w", err)
	}
	s.starter.start(begun...)
	return len(begun), nil
}
