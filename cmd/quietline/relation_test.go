package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// TestMesh_mergedAndSplit merges the complaints of two numbers while both are being worked on, and splits what is left
// again: the merged one's workflow ends, its receipt goes on, the part gets its own workflow, and nothing is broken.
func TestMesh_mergedAndSplit(t *testing.T) {
	m := theMesh(t)
	one, two, three := m.fileAsCentre(t, "17000000791"), m.fileAsCentre(t, "17000000792"), m.fileAsCentre(t, "17000000791")
	into, from := m.complaintOf(t, one), m.complaintOf(t, two)
	m.awaitTasks(t, into, 1)
	m.awaitTasks(t, from, 1)
	centre := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321"))
	merged, err := centre.MergeComplaints(t.Context(), &reportingv1.MergeComplaintsRequest{
		RequestId: uuid.NewString(), IntoComplaintId: into, FromComplaintIds: []string{from}, Reason: "同一公司的两个号码",
	})
	if err != nil || merged.GetMoved() != 1 {
		t.Fatalf("merge: %v, %v", merged, err)
	}
	m.awaitEnd(t, fmt.Sprintf("complaint/%s/1", from))
	m.awaitTasks(t, from, 0)
	if now := m.complaintOf(t, two); now != into {
		t.Errorf("the merged report belongs to %s, want %s", now, into)
	}
	// its reporter's receipt goes on
	seen, err := reportingv1.NewReportingServiceClient(m.as(t, "")).TrackReport(t.Context(), &reportingv1.TrackReportRequest{Receipt: two.GetReceipt(), Secret: two.GetSecret()})
	if err != nil || seen.GetStage() == "closed" {
		t.Errorf("the merged report's receipt: %v, %v", seen, err)
	}
	// a later report of the merged number joins
	if later := m.fileAsCentre(t, "17000000792"); m.complaintOf(t, later) != into {
		t.Error("a later report of the merged number opened a complaint of its own")
	}
	split, err := centre.SplitComplaint(t.Context(), &reportingv1.SplitComplaintRequest{
		RequestId: uuid.NewString(), ComplaintId: into, Reason: "所述为另一家公司", Groups: []*reportingv1.SplitGroup{{ReportIds: []string{three.GetReportId()}}},
	})
	if err != nil || len(split.GetParts()) != 1 {
		t.Fatalf("split: %v, %v", split, err)
	}
	part := split.GetParts()[0].GetComplaintId()
	m.awaitTasks(t, part, 1)
	m.play(t, into)
	m.play(t, part)
	history, err := centre.ListComplaintHistory(t.Context(), &reportingv1.ListComplaintHistoryRequest{ComplaintId: into})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"merged", "split", "state"} {
		if !slices.ContainsFunc(history.GetEntries(), func(e *reportingv1.ComplaintHistory) bool { return e.GetWhat() == what }) {
			t.Errorf("the history knows of nothing %s: %v", what, history.GetEntries())
		}
	}
	m.checkFsck(t)
}

// awaitTasks waits until a complaint has open tasks, or none.
func (m *testMesh) awaitTasks(t *testing.T, complaint string, least int) {
	t.Helper()
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	await(t, "tasks of "+complaint, m.patience(), func() (bool, error) {
		open, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint, State: "OPEN"})
		return err == nil && (least == 0) == (len(open.GetTasks()) == 0), err
	})
}

// awaitEnd waits until a workflow runs no more.
func (m *testMesh) awaitEnd(t *testing.T, workflow string) {
	t.Helper()
	casework := caseworkv1.NewCaseworkServiceClient(m.as(t, "AUDITOR@miit"))
	await(t, "the end of "+workflow, time.Minute, func() (bool, error) {
		r, err := casework.CheckRunning(t.Context(), &caseworkv1.CheckRunningRequest{WorkflowIds: []string{workflow}})
		return slices.Contains(r.GetNotRunning(), workflow), err
	})
}
