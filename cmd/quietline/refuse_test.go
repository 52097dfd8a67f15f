package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/rpc"
	accessv1 "quietline/proto/quietline/access/v1"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// someTask files a report and returns the first open task that follows from it, with its agency.
func (m *testMesh) someTask(t *testing.T) *assignmentv1.Task {
	t.Helper()
	filed := m.file(t, "13900000001", "17000000991", "推销贷款,说额度三十万当天放款,无抵押")
	complaint := m.complaintOf(t, filed)
	tasks := assignmentv1.NewAssignmentServiceClient(m.as(t, "LEAD@miit"))
	var found *assignmentv1.Task
	await(t, "a task", m.patience(), func() (bool, error) {
		r, err := tasks.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{SubjectId: complaint})
		if len(r.GetTasks()) > 0 {
			found = r.GetTasks()[0]
		}
		return found != nil, err
	})
	return found
}

func refusedWith(t *testing.T, err error, code codes.Code, reason commonv1.ErrorReason) {
	t.Helper()
	if status.Code(err) != code || errs.Reason(err) != reason {
		t.Fatalf("got %v (%v), want %v %v", err, errs.Reason(err), code, reason)
	}
	if len(status.Convert(err).Message()) < 5 {
		t.Fatalf("the refusal says nothing: %v", err)
	}
}

func TestMesh_refusesWithoutToken(t *testing.T) {
	m := theMesh(t)
	code, answer, raw := m.post(t, "quietline.reporting.v1.ReportingService/ListComplaints", "", `{}`)
	if code != 401 && code != 403 || answer["code"] == nil || answer["message"] == nil {
		t.Fatalf("got %d %s", code, raw)
	}
}

func TestMesh_refusesAnotherAgencysToken(t *testing.T) {
	m := theMesh(t)
	task := m.someTask(t)
	stranger := m.as(t, fmt.Sprintf("%s@%s", strings.TrimPrefix(task.GetRole().String(), "ROLE_"), "moe-65"))
	_, err := caseworkv1.NewCaseworkServiceClient(stranger).Decide(t.Context(), &caseworkv1.DecideRequest{
		RequestId: uuid.NewString(), TaskId: task.GetTaskId(), Outcome: task.GetOutcomes()[0],
	})
	if reason := errs.Reason(err); reason != commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY && reason != commonv1.ErrorReason_ERROR_REASON_NOT_FOUND {
		t.Fatalf("another agency's decision: %v", err)
	}
	_, err = assignmentv1.NewAssignmentServiceClient(stranger).GetTask(t.Context(), &assignmentv1.GetTaskRequest{TaskId: task.GetTaskId()})
	refusedWith(t, err, codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_OTHER_AGENCY)
	_, err = reportingv1.NewReportingServiceClient(stranger).GetComplaint(t.Context(), &reportingv1.GetComplaintRequest{ComplaintId: task.GetSubjectId()})
	refusedWith(t, err, codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND)
}

// member dials a service of the mesh directly, with the certificate of a workload.
func (m *testMesh) member(t *testing.T, as, of identity.Workload) *grpc.ClientConn {
	t.Helper()
	src, err := m.stack.CA.Source(as)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rpc.Dial(m.addrs[of], of, src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestMesh_refusesAWorkloadThatTheRuleDoesNotName(t *testing.T) {
	m := theMesh(t)
	complete := &ledgerv1.CompleteRecallRequest{RequestId: uuid.NewString(), RecallId: uuid.NewString()}
	_, err := ledgerv1.NewLedgerServiceClient(m.member(t, identity.Disclosure, identity.Ledger)).CompleteRecall(t.Context(), complete)
	refusedWith(t, err, codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
	_, err = ledgerv1.NewLedgerServiceClient(m.member(t, identity.Gateway, identity.Ledger)).CompleteRecall(t.Context(), complete)
	refusedWith(t, err, codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
	_, err = ledgerv1.NewLedgerServiceClient(m.member(t, identity.Workflows, identity.Ledger)).CompleteRecall(t.Context(), complete)
	refusedWith(t, err, codes.NotFound, commonv1.ErrorReason_ERROR_REASON_NOT_FOUND) // allowed, but there is no such recall
}

func TestMesh_ignoresAForgedActor(t *testing.T) {
	m := theMesh(t)
	forged, err := proto.Marshal(&commonv1.Actor{Subject: "boss", AgencyId: "miit", Roles: []accessv1.Role{accessv1.Role_ROLE_LEAD, accessv1.Role_ROLE_AUDITOR}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-quietline-actor-bin", string(forged))
	// Through the gateway: the public stays the public, whatever it says of itself.
	_, err = reportingv1.NewReportingServiceClient(m.as(t, "")).ListComplaints(ctx, &reportingv1.ListComplaintsRequest{})
	if code := status.Code(err); code != codes.Unauthenticated && code != codes.PermissionDenied {
		t.Fatalf("a forged actor through the gateway: %v", err)
	}
	// From a workload that speaks for nobody: it is the workload that is asked, and the rule does not name it.
	_, err = reportingv1.NewReportingServiceClient(m.member(t, identity.Ledger, identity.Reporting)).ListComplaints(ctx, &reportingv1.ListComplaintsRequest{})
	refusedWith(t, err, codes.PermissionDenied, commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED)
}

// file files one typed report as the public.
func (m *testMesh) file(t *testing.T, reporter, reported, text string) *reportingv1.FileReportResponse {
	t.Helper()
	r, err := reportingv1.NewReportingServiceClient(m.as(t, "")).FileReport(t.Context(), &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), Channel: "web", ReporterNumber: reporter, DisplayedNumber: reported,
		CallTime: timestamppb.New(yesterday()), Text: text, ReportedType: "贷款理财", ReporterProvince: "44",
		Consent: reportingv1.Consent_CONSENT_NO, PrivacyNotice: "2026-01",
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.GetFate() != reportingv1.Fate_FATE_ACCEPTED || r.GetReceipt() == "" || r.GetSecret() == "" {
		t.Fatalf("filed: %v", r)
	}
	return r
}

func (m *testMesh) complaintOf(t *testing.T, filed *reportingv1.FileReportResponse) string {
	t.Helper()
	r, err := reportingv1.NewReportingServiceClient(m.as(t, "CENTRE@centre-12321")).GetReport(t.Context(),
		&reportingv1.GetReportRequest{ReportId: filed.GetReportId()})
	if err != nil {
		t.Fatal(err)
	}
	return r.GetReport().GetComplaintId()
}
