package reporting

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// access is what a fresh cut counts by access operator: "operator column" to how many.
func (m *mesh) access(t *testing.T) map[string]int64 {
	t.Helper()
	w, month := m.workflows(), noon.Format("2006-01")
	cut := must[*reportingv1.CutCountsResponse](t)(w.CutCounts(t.Context(), &reportingv1.CutCountsRequest{RequestId: uuid.NewString(), Month: month}))
	resp := must[*reportingv1.ListDailyCountsResponse](t)(w.ListDailyCounts(t.Context(),
		&reportingv1.ListDailyCountsRequest{Month: month, Cut: cut.GetCut(), PageSize: 5000}))
	out := map[string]int64{}
	for _, c := range resp.GetCounts() {
		if c.GetUnit() == unitAccess {
			out[c.GetKey()+" "+c.GetColumn()] += c.GetCount()
		}
	}
	return out
}

func (s *script) gaveAccess(round int32, operator string, forged bool) {
	s.t.Helper()
	must[*reportingv1.AdvanceComplaintResponse](s.t)(s.w.AdvanceComplaint(s.t.Context(), &reportingv1.AdvanceComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: s.id, Round: round, Stage: "number_check", AccessOperatorId: operator, Forged: forged,
	}))
}

// A complaint counts against who gave the number access; of a number that proves forged nothing is left.
func TestAccess_forgedLeavesNoTrace(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"), line("T-2", "13900000002", "17000000001", "10:05:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	if got := m.access(t); len(got) != 0 {
		t.Errorf("counted before anybody knows whose access it was: %v", got)
	}
	s.gaveAccess(1, "cmcc-43", false)
	s.find(1, "substantiated")
	if diff := cmp.Diff(map[string]int64{"cmcc-43 ": 1, "cmcc-43 checked": 1, "cmcc-43 substantiated": 1}, m.access(t)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	f := must[*reportingv1.GetFactsResponse](t)(m.workflows().GetFacts(t.Context(), &reportingv1.GetFactsRequest{ComplaintId: s.id, Findings: true}))
	if f.GetSubstantiated() != 2 || f.GetChecked() != 2 {
		t.Errorf("found %d of %d", f.GetSubstantiated(), f.GetChecked())
	}
	s.gaveAccess(1, "cucc-43", false) // the check says that it had been ported
	if diff := cmp.Diff(map[string]int64{"cucc-43 ": 1, "cucc-43 checked": 1, "cucc-43 substantiated": 1}, m.access(t)); diff != "" {
		t.Errorf("ported -want +got\n%s", diff)
	}
	if n := m.count(t, "SELECT count(*) FROM complaint_access"); n != 2 {
		t.Errorf("%d rows of history", n)
	}
	s.gaveAccess(1, "", true)
	if diff := cmp.Diff(map[string]int64{}, m.access(t)); diff != "" {
		t.Errorf("of a forged number -want +got\n%s", diff)
	}
}

// What is learnt long after a complaint began has its day counted again.
func TestAccess_marksOldDays(t *testing.T) {
	m := start(t)
	send(t, m.as(centre), line("T-1", "13900000001", "17000000001", "10:00:00"))
	s := m.script(t, m.only(t))
	s.begin(1)
	if _, err := m.owner.Exec(t.Context(), "UPDATE complaint SET created_at = '2025-10-05T00:00:00Z'"); err != nil {
		t.Fatal(err)
	}
	for n, learn := range []func(){
		func() { s.gaveAccess(1, "cmcc-43", false) }, func() { s.find(1, "substantiated") }, func() { s.gaveAccess(1, "", true) },
	} {
		if _, err := m.owner.Exec(t.Context(), "DELETE FROM day_stale"); err != nil {
			t.Fatal(err)
		}
		learn()
		if got := m.count(t, "SELECT count(*) FROM day_stale WHERE scope = 'access' AND day = '2025-10-05'"); got == 0 {
			t.Errorf("%d: the day is not marked", n)
		}
	}
}
