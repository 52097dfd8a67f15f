package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"quietline/internal/calendar"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// TestMesh_marks sends marks of an operator and an app, as files: two numbers are past the threshold. The one nobody
// reports has its number checked and that is all; the other is reported meanwhile, and goes the whole way.
func TestMesh_marks(t *testing.T) {
	m := theMesh(t)
	const alone, reported, forged = "17000000801", "17000000802", "+8695588"
	path := filepath.Join(t.TempDir(), "marks.csv")
	today := time.Now().In(calendar.Shanghai).Format(time.DateOnly)
	file := "号码,日期,标记类型,次数\n"
	for _, number := range []string{alone, reported, forged} {
		file += fmt.Sprintf("%s,%s,骚扰电话,30\n", number, today)
	}
	if err := os.WriteFile(path, []byte(file+"匿名,"+today+",骚扰电话,30\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, as := range []marksImportCmd{{As: "OPERATOR@cmcc"}, {As: "CENTRE@centre-12321", Source: "app-360"}, {As: "OPERATOR@cmcc"}} {
		as.remote, as.File, as.Batch, as.Out = m.remote, path, 2, filepath.Join(t.TempDir(), "rejected.csv")
		if err := as.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		rejected, err := os.ReadFile(as.Out)
		if err != nil || strings.Count(string(rejected), "\n") != 2 || !strings.Contains(string(rejected), "匿名") {
			t.Errorf("rejected: %q, %v", rejected, err)
		}
	}
	centre := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321"))
	clueOf := func(number string) *reportingv1.Complaint {
		t.Helper()
		r, err := centre.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Number: number})
		if err != nil || len(r.GetComplaints()) != 1 || r.GetComplaints()[0].GetOrigin() != "marks" {
			t.Fatalf("complaints of %s: %v, %v", number, r, err)
		}
		return r.GetComplaints()[0]
	}
	joined := m.fileAsCentre(t, reported)
	if id := clueOf(reported).GetComplaintId(); !joined.GetJoined() || m.complaintOf(t, joined) != id {
		t.Errorf("the report did not join the clue: %v", joined)
	}
	steps := m.decideUntil(t, clueOf(alone).GetComplaintId(), map[string]string{"number_check": "found"}, func() (bool, error) {
		return clueOf(alone).GetState() == "CLOSED", nil
	})
	if c := clueOf(alone); c.GetResult() != "clue_found" || len(slices.Compact(steps)) != 1 {
		t.Errorf("the clue that nobody reported: %v after %v", c, steps)
	}
	m.play(t, clueOf(reported).GetComplaintId())
	await(t, "the result of the clue that was reported", m.patience(), func() (bool, error) {
		return clueOf(reported).GetResult() == "case", nil
	})
	if r, err := centre.ListComplaints(t.Context(), &reportingv1.ListComplaintsRequest{Number: forged}); err != nil || slices.ContainsFunc(
		r.GetComplaints(), func(c *reportingv1.Complaint) bool { return c.GetOrigin() == "marks" }) {
		t.Errorf("a clue of a forged number: %v, %v", r, err)
	}
	seen, err := reportingv1.NewReportingServiceClient(m.as(t, "CASEWORKER@samr-44")).ListMarks(t.Context(), &reportingv1.ListMarksRequest{Number: forged})
	if err != nil || seen.GetTotals().GetMarks() != 60 || seen.GetTotals().GetSources() != 2 {
		t.Errorf("marks of the forged number: %v, %v", seen, err)
	}
	m.checkFsck(t)
}
