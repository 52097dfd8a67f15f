package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
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

// TestMesh_splitByHolder reports calls of one number from the times of two holders, in one file: each holder's is a
// complaint of its own before anybody is asked about it, and a later report finds the holder of its call.
func TestMesh_splitByHolder(t *testing.T) {
	m := theMesh(t)
	const number = "4009990791"
	change := time.Now().Add(-48 * time.Hour).Truncate(time.Hour)
	before := m.allocate(t, number, "静线样例甲公司", "91000000DEMNDEMJ1A", change.AddDate(-1, 0, 0), change)
	after := m.allocate(t, number, "静线样例乙公司", "91000000DEMNDEMJ2B", change, time.Time{})
	service := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321"))
	file := func(reporter string, call time.Time) *reportingv1.FileReportResponse {
		t.Helper()
		r, err := service.FileReport(t.Context(), &reportingv1.FileReportRequest{
			RequestId: uuid.NewString(), SenderNo: "HOLD-" + uuid.NewString()[:8], Channel: "web", ReporterNumber: reporter, DisplayedNumber: number,
			CallTime: timestamppb.New(call), ReportedType: "贷款理财", ReporterProvince: "44", Text: "推销无抵押贷款,当天放款",
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	older, newer := file("13900000011", change.Add(-time.Hour)), file("13900000012", change.Add(time.Hour))
	// The first began at once, perhaps before the second was there: then it is found when the facts are to be checked.
	await(t, "the split by holder", m.patience(), func() (bool, error) {
		m.decideNumberChecks(t, m.complaintOf(t, older))
		return m.complaintOf(t, older) != m.complaintOf(t, newer), nil
	})
	for report, holder := range map[*reportingv1.FileReportResponse]string{older: before, newer: after} {
		c, err := service.GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: m.complaintOf(t, report)})
		if err != nil || c.GetComplaint().GetHolderId() != holder {
			t.Errorf("holder of the complaint: %v, %v; want %s", c, err, holder)
		}
	}
	if late := file("13900000013", change.Add(-2*time.Hour)); m.complaintOf(t, late) != m.complaintOf(t, older) {
		t.Error("a later report of the older holder's time joined another complaint")
	}
	if late := file("13900000014", change.Add(2*time.Hour)); m.complaintOf(t, late) != m.complaintOf(t, newer) {
		t.Error("a later report of the newer holder's time joined another complaint")
	}
	for _, report := range []*reportingv1.FileReportResponse{older, newer} {
		m.awaitTasks(t, m.complaintOf(t, report), 1)
	}
	m.checkFsck(t)
}

// allocate gives a number to a firm for a time.
func (m *testMesh) allocate(t *testing.T, number, name, code string, from, until time.Time) (holder string) {
	t.Helper()
	ledger := ledgerv1.NewLedgerServiceClient(m.as(t, "REGISTRAR@miit"))
	h, err := ledger.RegisterHolder(t.Context(), &ledgerv1.RegisterHolderRequest{
		RequestId: uuid.NewString(), Holder: &ledgerv1.Holder{Name: name, CreditCode: code, Sector: "loans"},
	})
	if err != nil {
		t.Fatal(err)
	}
	req := &ledgerv1.AllocateResourceRequest{
		RequestId: uuid.NewString(), HolderId: h.GetHolder().GetHolderId(), Scheme: "national", FirstNumber: number, AccessProvince: "44",
		Purpose: "customer_service", AccessOperatorId: "cmcc-44", Basis: "样例核配文件", Evidence: []string{"样例审查材料"},
		ValidFrom: timestamppb.New(from),
	}
	if !until.IsZero() {
		req.ValidTo = timestamppb.New(until)
	}
	if _, err := ledger.AllocateResource(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	return h.GetHolder().GetHolderId()
}

// decideNumberChecks has the operators say that the calls took place.
func (m *testMesh) decideNumberChecks(t *testing.T, complaint string) {
	t.Helper()
	open, err := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit")).ListTasks(t.Context(),
		&assignmentv1.ListTasksRequest{SubjectId: complaint, State: "OPEN", Step: "number_check"})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range open.GetTasks() {
		m.decideByScript(t, task)
	}
}
