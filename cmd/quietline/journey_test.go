package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"quietline/deploy/sample"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// TestMesh_fromReportToDisclosure sends the sample day, plays the people of all agencies and follows every complaint
// to its end.
func TestMesh_fromReportToDisclosure(t *testing.T) {
	m := theMesh(t)
	if err := loadLedger(t.Context(), m.remote); err != nil {
		t.Fatal(err)
	}
	results, counts := m.sendSample(t)
	if want := (tally{Rows: 124, Accepted: 120, Joined: counts.Joined, Duplicate: 1, Conflict: 1, Quarantined: 2}); counts != want {
		t.Fatalf("first time: got %+v, want %+v", counts, want)
	}
	_, again := m.sendSample(t)
	if want := (tally{Rows: 124, Duplicate: 121, Conflict: 1, Quarantined: 2}); again != want {
		t.Fatalf("the same file again: got %+v, want %+v", again, want)
	}
	m.driveToEnd(t)
	m.checkTracks(t, results)
	m.checkDigest(t)
	m.checkCounted(t, results)
	m.checkScorecards(t)
	m.checkFsck(t)
	m.checkMetrics(t)
}

// checkMetrics: what several services of one process count must not collide.
func (m *testMesh) checkMetrics(t *testing.T) {
	t.Helper()
	res, err := http.Get(m.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(raw, []byte("rpc_server_call_duration_seconds")) {
		t.Errorf("metrics: %s %v\n%.300s", res.Status, err, raw)
	}
}

func (m *testMesh) sendSample(t *testing.T) ([]*reportingv1.RowResult, tally) {
	t.Helper()
	service := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@"+sample.Sender))
	day, err := formatNamed(sample.Format, "")
	if err != nil {
		t.Fatal(err)
	}
	var results []*reportingv1.RowResult
	counts, err := send(t.Context(), service, day, bytes.NewReader(sample.Day), func(r *reportingv1.RowResult) error {
		results = append(results, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return results, counts
}

func (m *testMesh) driveToEnd(t *testing.T) {
	t.Helper()
	drive := driveCmd{remote: m.remote, Seed: 1, Until: "closed", Quiet: true, Limit: 5 * time.Minute}
	if err := drive.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// checkTracks asks for each accepted report by receipt and secret, as plain JSON without a token.
func (m *testMesh) checkTracks(t *testing.T, results []*reportingv1.RowResult) {
	t.Helper()
	const track = "quietline.reporting.v1.ReportingService/TrackReport"
	for _, r := range results {
		if r.GetFate() != reportingv1.Fate_FATE_ACCEPTED {
			continue
		}
		code, answer, raw := m.post(t, track, "", fmt.Sprintf(`{"receipt":%q,"secret":%q}`, r.GetReceipt(), r.GetSecret()))
		// of what went to the police it says nothing else (process of crimes)
		if stage := answer["stage"]; code != 200 || stage != "closed" && stage != "transferred" || answer["result"] == "" {
			t.Fatalf("track line %d: %d %s", r.GetLine(), code, raw)
		}
		if entries, _ := answer["entries"].([]any); len(entries) < 2 {
			t.Fatalf("track line %d: a timeline of %d entries: %s", r.GetLine(), len(entries), raw)
		}
	}
	right := results[0]
	_, _, unknown := m.post(t, track, "", fmt.Sprintf(`{"receipt":"QL000000AAAAAAAA","secret":%q}`, right.GetSecret()))
	_, _, wrong := m.post(t, track, "", fmt.Sprintf(`{"receipt":%q,"secret":"0000000000"}`, right.GetReceipt()))
	if unknown != wrong || !strings.Contains(wrong, "RECEIPT_NOT_FOUND") {
		t.Fatalf("unknown receipt and wrong secret answer differently:\n%s\n%s", unknown, wrong)
	}
}

func (m *testMesh) checkFsck(t *testing.T) {
	t.Helper()
	found, err := fsck(t.Context(), m.as(t, "AUDITOR@miit"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Broken) > 0 {
		t.Fatalf("fsck found %d broken invariants:\n%s", len(found.Broken), strings.Join(found.Broken, "\n"))
	}
	if found.Complaints == 0 {
		t.Fatal("fsck saw no complaint")
	}
}
