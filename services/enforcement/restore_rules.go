package enforcement

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"quietline/services/enforcement/store"
)

// When a decision is taken back, what its agency did to number resources on the same finding falls with it (行政处罚法 48; to
// confirm): the ledger's record is corrected at once, as the agency's own act, and who gave the number access puts the service
// back within one working day, as after an appeal that is upheld (反电信网络诈骗法 32). What others ordered stands.

// factPart tells several effects of one kind and event apart.
const factPart = "part"

// part is the n-th of what is there several times; the first has no number.
func part(n int) string {
	if n == 0 {
		return ""
	}
	return "/" + strconv.Itoa(n+1)
}

// unrestrict lifts what stands in the ledger. Where nothing does, that is on record too.
func (m *matter) unrestrict(reversed int32, due *time.Time, add func(string, int32, *time.Time, map[string]string)) {
	if len(m.restricted) == 0 && len(m.decidedPenalties()) > 0 {
		add(effRestore, reversed, due, nil)
	}
	for n, r := range m.restricted {
		add(effRestore, reversed, due, map[string]string{
			factPart: part(n), "resource_id": *r.ResourceID, "task_id": r.DecidedTaskID, "agency_id": r.DecidedAgencyID,
		})
	}
}

// restoring are the tasks of those who gave access, each until it says that the service is back. Where the ledger says that
// something else still restricts the number, nobody is asked.
func (m *matter) restoring() []planned {
	reversed := m.entered(stateReversed)
	var out []planned
	for n, r := range m.restricted {
		lifted := effRestore + "/" + strconv.Itoa(int(reversed)) + part(n)
		i := slices.IndexFunc(m.effects, func(e store.CaseEffect) bool { return e.Key == lifted && e.Result == outRestored })
		if i < 0 || m.restored(reversed, part(n)) {
			continue
		}
		t := m.task(stepRestore, m.after(reversed), m.timeOf(reversed))
		t.part, t.agency = part(n), r.ExecutorAgencyID
		t.facts["resource_id"], t.facts["measure_id"] = *r.ResourceID, r.MeasureID
		out = append(out, t)
	}
	return out
}

// restored says whether the n-th was put back, or found to be in service.
func (m *matter) restored(reversed int32, nth string) bool {
	return slices.ContainsFunc(m.events, func(e store.CaseEvent) bool {
		_, key, _ := strings.Cut(e.PlanKey, "/")
		number, _, _ := strings.Cut(key, "/")
		return e.Step == stepRestore && e.Seq > reversed && key == number+nth
	})
}

// restored closes the case when it was the last that a reversal had to take back.
func (w *writer) restored(int32) error { return w.closeReversed(w.ctx, w.q, w.m, w.at) }

// closeReversed closes a case whose decision was taken back when all that came of it is undone.
func (s *Server) closeReversed(ctx context.Context, q *store.Queries, m *matter, at time.Time) error {
	if m.State != stateReversed || len(m.effectsDue()) > 0 || len(m.restoring()) > 0 {
		return nil
	}
	if err := s.meet(ctx, q, m, basisWithdraw, at); err != nil {
		return err
	}
	return s.write(ctx, q, m, line{step: logWithdrawn, to: closed, at: at})
}
