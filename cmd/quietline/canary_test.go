package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/seal"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/workflows"
)

// The canaries are numbers that nothing else in the mesh has.
const (
	canaryReporter = "19876501234"
	canaryCalled   = "19876509876"
)

// TestMesh_canaryNumbersAppearNowhere files reports of a reporter and looks for the numbers wherever they must not be.
func TestMesh_canaryNumbersAppearNowhere(t *testing.T) {
	m := theMesh(t)
	complaint := m.fileCanaries(t)
	m.awaitTaskOf(t, complaint)
	m.lookInHistories(t, complaint)
	m.lookInFiles(t)
}

func (m *testMesh) fileCanaries(t *testing.T) (complaint string) {
	t.Helper()
	filed, err := reportingv1.NewReportingServiceClient(m.as(t, "")).FileReport(t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), Channel: "web", ReporterNumber: canaryReporter, CalledNumber: canaryCalled,
		DisplayedNumber: "17000000994", CallTime: timestamppb.New(yesterday()),
		Text: "对方说出了我的号码" + canaryReporter + "并推销贷款", ReportedType: "贷款理财",
	})
	if err != nil {
		t.Fatal(err)
	}
	// One row that is taken in, and one that is quarantined with all that it holds.
	run := uuid.NewString()[:8]
	request := &reportingv1.BatchFileReportsRequest{RequestId: uuid.NewString(), Format: "12321", Header: []byte(header12321)}
	for i, called := range []string{"2026-11-02 10:00:00", "not a time " + canaryCalled} {
		request.Rows = append(request.Rows, &reportingv1.RawRow{Line: int32(i + 2), Raw: fmt.Appendf(nil, //nolint:gosec // two rows
			"C-%s-%d,12321网站,%s,17000000994,%s,10,贷款理财,,请回拨%s,广东,,2026-11-02 12:00:00,否", run, i, canaryReporter, called, canaryCalled)})
	}
	answer, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).BatchFileReports(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.GetResults()[1]; got.GetFate() != reportingv1.Fate_FATE_QUARANTINED || clear(got.String()) {
		t.Fatalf("the row with an unreadable time: %v", got)
	}
	// Refusals do not repeat what they refuse.
	for _, body := range []string{
		`{"reporterNumber": "` + canaryReporter + `", "durationSeconds": "` + canaryCalled + `"}`,
		`{"requestId": "` + canaryReporter + `", "channel": "web", "displayedNumber": "` + canaryCalled + `"}`,
		`{"` + canaryCalled + `": 1}`,
	} {
		if code, _, raw := m.post(t, fileReport, "", body); code != 400 || clear(raw) {
			t.Fatalf("a refusal: %d %s", code, raw)
		}
	}
	return m.complaintOf(t, filed)
}

func (m *testMesh) awaitTaskOf(t *testing.T, complaint string) {
	t.Helper()
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	await(t, "a task of the canary", m.patience(), func() (bool, error) {
		r, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		return len(r.GetTasks()) > 0, err
	})
}

// lookInHistories reads what Temporal keeps of the complaint, unsealed as the worker reads it.
func (m *testMesh) lookInHistories(t *testing.T, complaint string) {
	t.Helper()
	options, err := m.stack.Temporal(identity.Workflows)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(options)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	keys, err := seal.Open(m.stack.Dirs.Path("keys", "workflows"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "history.json")
	if err := workflows.RecordHistory(t.Context(), c, keys, "complaint/"+complaint+"/1", file); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file) //nolint:gosec // written just now
	if err != nil || !strings.Contains(string(raw), complaint) {
		t.Fatalf("a history that does not even name its complaint: %v", err)
	}
	if clear(string(raw)) {
		t.Error("the history holds a canary")
	}
}

// lookInFiles searches every file of the data directory: tables, write-ahead log, logs, evidence.
func (m *testMesh) lookInFiles(t *testing.T) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(m.data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path) //nolint:gosec // our own data directory
		if os.IsNotExist(err) {
			return nil // gone in between
		}
		files++
		for _, canary := range []string{canaryReporter, canaryCalled} {
			if bytes.Contains(raw, []byte(canary)) {
				t.Errorf("%s holds a canary in clear", strings.TrimPrefix(path, m.data))
			}
		}
		return err
	})
	if err != nil || files < 100 {
		t.Fatalf("looked into %d files: %v", files, err)
	}
}

func clear(text string) bool {
	return strings.Contains(text, canaryReporter) || strings.Contains(text, canaryCalled)
}
