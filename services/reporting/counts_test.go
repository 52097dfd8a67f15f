package reporting

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// counted is a month as of a cut: count by unit, axis, key and column, over all days, read in small pages.
func (m *mesh) counted(t *testing.T, month string, cut int64) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for token := ""; ; {
		page, err := m.workflows().ListDailyCounts(t.Context(), &reportingv1.ListDailyCountsRequest{Month: month, Cut: cut, PageSize: 3, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.GetCounts() {
			out[c.GetUnit()+"/"+c.GetAxis()+"/"+c.GetKey()] += c.GetCount()
			if len(c.GetWitnesses()) != 8*int(c.GetReporters()) {
				t.Errorf("%v: as many pseudonyms as reporters", c)
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			return out
		}
	}
}

func (m *mesh) cut(t *testing.T, month string) int64 {
	t.Helper()
	r, err := m.workflows().CutCounts(t.Context(), &reportingv1.CutCountsRequest{RequestId: uuid.NewString(), Month: month})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetCut()
}

// on is a row of another day.
func on(day, line string) string { return strings.ReplaceAll(line, "2026-11-19", day) }

// An old day is counted once; what changes of it afterwards has it counted again, and who reads an earlier cut sees what was
// there then.
func TestDailyCounts(t *testing.T) {
	m := start(t)
	m.time = time.Date(2024, 3, 5, 15, 0, 0, 0, time.UTC) // longer ago than days are counted again unasked, by the database's clock
	c := m.as(centre)
	send(t, c,
		on("2024-03-05", line("1", "13900000001", "17041110000", "09:00:00")),
		on("2024-03-05", line("2", "13900000002", "17041110000", "09:10:00")),
		on("2024-03-05", line("3", "13900000003", "13114590000", "10:10:00")))
	m.time = m.time.AddDate(0, 0, 1)
	send(t, c, on("2024-03-06", line("4", "13900000001", "17041110000", "09:00:00")))
	m.time = m.time.AddDate(0, 0, 9)

	first := m.cut(t, "2024-03")
	was := m.counted(t, "2024-03", first)
	for cell, want := range map[string]int64{
		"reports/total/verified": 4, "reports/number_kind/mobile/170": 3, "reports/number_kind/mobile": 1, "reports/category/unknown": 4,
		"numbers/total/all": 2, "numbers/number_kind/mobile/170": 1, // on two days, and one number
		"complaints/total/all": 2,
	} {
		if was[cell] != want {
			t.Errorf("%s: %d, want %d", cell, was[cell], want)
		}
	}
	if again := m.cut(t, "2024-03"); again != first {
		t.Errorf("nothing changed, and the cut is %d after %d", again, first)
	}
	if _, err := m.owner.Exec(t.Context(), "UPDATE report SET category = 'commercial', sector = 'loans' WHERE sender_no = '2'"); err != nil {
		t.Fatal(err)
	}
	second := m.cut(t, "2024-03")
	now := m.counted(t, "2024-03", second)
	if now["reports/category/commercial"] != 1 || now["reports/category/unknown"] != 3 || now["reports/sector/loans"] != 1 || now["reports/total/verified"] != 4 {
		t.Errorf("after the change: %v", now)
	}
	if !maps.Equal(m.counted(t, "2024-03", first), was) {
		t.Error("the first cut has changed")
	}
	if left := m.count(t, "SELECT count(*) FROM day_stale"); left != 0 {
		t.Errorf("%d marks are left", left)
	}
}
