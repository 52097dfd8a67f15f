package reporting

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// fileReports writes accepted reports: it opens or joins and locks their complaints in the order of the keys, links the
// same call told twice, copies the reports and settles what joined a complaint in progress. It returns the rounds that
// wait for their workflow, and marks the results of those that joined.
func fileReports(ctx context.Context, tx pgx.Tx, reports []*incoming, of []*reportingv1.RowResult, policy figures, at time.Time) ([]round, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	if _, err := lead(ctx, tx, reports); err != nil {
		return nil, err
	}
	g := group(reports)
	joined, err := store.JoinComplaints(ctx, tx, g.complaints, at)
	if err != nil {
		return nil, fmt.Errorf("join complaints: %w", err)
	}
	if len(joined) < len(g.complaints) {
		return nil, errRaced
	}
	// a complaint that was merged while its key was being waited for leads elsewhere by now
	switch changed, err := lead(ctx, tx, reports); {
	case err != nil:
		return nil, err
	case changed:
		return nil, errRaced
	}
	var begun []round
	var late []store.Joined
	for _, j := range joined {
		members := g.of(j)
		for _, i := range members {
			reports[i].ComplaintID, reports[i].Round = j.ComplaintID, j.Round
		}
		if j.Opened {
			begun = append(begun, round{complaintID: j.ComplaintID.String(), number: j.Round})
			members = members[1:] // the first opened it
		} else if j.State != stateReceived {
			late = append(late, j)
		}
		for _, i := range members {
			of[i].Joined = true
		}
	}
	if err := link(ctx, tx, reports, joined, policy.seconds("same_call_seconds")); err != nil {
		return nil, err
	}
	rows := make([]*store.NewReport, len(reports))
	for i, r := range reports {
		rows[i] = &r.NewReport
	}
	if err := store.CopyReports(ctx, tx, rows); err != nil {
		return nil, fmt.Errorf("copy reports: %w", raced(err))
	}
	reopened, err := settleAll(ctx, tx, g, late, reports, policy, at)
	return append(begun, reopened...), err
}

// settleAll settles what joined complaints in progress: the open ones all at once, those being watched one by one.
func settleAll(ctx context.Context, tx pgx.Tx, g *grouped, late []store.Joined, reports []*incoming, policy figures, at time.Time) ([]round, error) {
	var open []string
	var begun []round
	for _, j := range late {
		var ids []uuid.UUID
		for _, i := range g.of(j) {
			ids = append(ids, reports[i].ReportID)
		}
		if j.State == stateOpen {
			open = append(open, texts(ids)...)
			begun = append(begun, ordinary(j)...)
			continue
		}
		reopened, err := settle(ctx, tx, j, texts(ids), policy.relapses(), at)
		if err != nil {
			return nil, err
		}
		if reopened != nil {
			begun = append(begun, *reopened)
		}
	}
	return begun, tellJoined(ctx, tx, open, at)
}

// lead finds the complaints that keys lead to: of merged numbers, and of the holders that a number was split by. It says
// whether that has changed since it was asked before.
func lead(ctx context.Context, tx pgx.Tx, reports []*incoming) (changed bool, err error) {
	keys := make([]string, 0, len(reports))
	for _, r := range reports {
		if r.key != nil {
			keys = append(keys, *r.key)
		}
	}
	aliases, err := store.Aliases(ctx, tx, keys)
	if err != nil {
		return false, err
	}
	byKey := make(map[string][]store.Alias, len(aliases))
	for _, a := range aliases {
		byKey[a.Key] = append(byKey[a.Key], a)
	}
	for _, r := range reports {
		var to *store.Alias
		if r.key != nil {
			of := byKey[*r.key]
			if i := slices.IndexFunc(of, func(a store.Alias) bool { return a.Leads(r.CallTime) }); i >= 0 {
				to = &of[i]
			}
		}
		changed = changed || (to == nil) != (r.led == nil) || to != nil && to.To != *r.led
		r.led, r.NumberNormal = nil, ""
		if to == nil {
			continue
		}
		if r.led = &to.To; to.Number != r.number.GetNormal() {
			r.NumberNormal = r.number.GetNormal()
		}
	}
	return changed, nil
}

// grouped are the complaints of a batch with the reports of each.
type grouped struct {
	complaints []*store.NewComplaint
	members    [][]int
	byKey      map[string]int
	byID       map[uuid.UUID]int
}

func group(reports []*incoming) *grouped {
	g := &grouped{byKey: make(map[string]int, len(reports)), byID: map[uuid.UUID]int{}}
	for i, r := range reports {
		if key := r.joins(); key != nil {
			if at, ok := g.byKey[*key]; ok {
				g.members[at] = append(g.members[at], i)
				continue
			}
			g.byKey[*key] = len(g.complaints)
		}
		c := r.complaint(newID())
		g.byID[c.ComplaintID] = len(g.complaints)
		g.complaints, g.members = append(g.complaints, c), append(g.members, []int{i})
	}
	return g
}

func (g *grouped) of(j store.Joined) []int {
	if j.Key == nil {
		return g.members[g.byID[j.ComplaintID]]
	}
	return g.members[g.byKey[*j.Key]]
}

// call is a report as far as it tells whether another is about the same call.
type call struct {
	id       uuid.UUID
	at       time.Time
	verified bool
}

// link finds the same call told twice: same reporter, same number, call times close together. The later report points
// to the first and counts no more. A verified report is never discounted for an unverified one.
func link(ctx context.Context, tx pgx.Tx, reports []*incoming, joined []store.Joined, window time.Duration) error {
	calls, err := told(ctx, tx, reports, joined)
	if err != nil {
		return err
	}
	for _, r := range reports {
		if !r.known {
			continue
		}
		k := callKey(r.ComplaintID, r.number.GetNormal(), r.ReporterIndex)
		if first := sameCall(calls[k], r.CallTime, r.Verified, window); first != nil {
			r.SameCallAs = &first.id
			continue
		}
		calls[k] = append(calls[k], call{r.ReportID, r.CallTime, r.Verified})
	}
	return nil
}

// told are the calls already on record of these reporters and complaints, those of a closed predecessor included.
func told(ctx context.Context, tx pgx.Tx, reports []*incoming, joined []store.Joined) (map[string][]call, error) {
	previous, now := map[uuid.UUID]uuid.UUID{}, map[uuid.UUID]uuid.UUID{}
	opened := make(map[uuid.UUID]bool, len(joined))
	for _, j := range joined {
		opened[j.ComplaintID] = j.Opened
		if j.Previous != nil {
			previous[j.ComplaintID], now[*j.Previous] = *j.Previous, j.ComplaintID
		}
	}
	p := store.SameCallsParams{}
	ask := func(complaint uuid.UUID, reporter []byte) {
		p.ComplaintIds, p.Reporters = append(p.ComplaintIds, complaint.String()), append(p.Reporters, reporter)
	}
	for _, r := range reports {
		if !r.known {
			continue
		}
		if !opened[r.ComplaintID] {
			ask(r.ComplaintID, r.ReporterIndex)
		}
		if before, ok := previous[r.ComplaintID]; ok {
			ask(before, r.ReporterIndex)
		}
	}
	calls := map[string][]call{} // by complaint, reporter and number
	if len(p.ComplaintIds) == 0 {
		return calls, nil
	}
	rows, err := store.New(tx).SameCalls(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("same calls: %w", err)
	}
	for _, t := range rows {
		complaint := uuid.MustParse(t.ComplaintID)
		if live, ok := now[complaint]; ok {
			complaint = live
		}
		k := callKey(complaint, t.NumberNormal, t.ReporterIndex)
		calls[k] = append(calls[k], call{uuid.MustParse(t.ReportID), t.CallTime, t.Verified})
	}
	return calls, nil
}

func callKey(complaint uuid.UUID, number string, reporter []byte) string {
	return string(complaint[:]) + string(reporter) + number
}

func sameCall(calls []call, at time.Time, verified bool, window time.Duration) *call {
	for i := range calls {
		if apart := at.Sub(calls[i].at).Abs(); apart <= window && (calls[i].verified || !verified) {
			return &calls[i]
		}
	}
	return nil
}
