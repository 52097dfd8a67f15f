package reporting

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"gocloud.dev/blob/memblob"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/identity"
	"quietline/internal/seal"
	"quietline/internal/testkit"
	accessv1 "quietline/proto/quietline/access/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
	"quietline/services/reporting/store"
)

// noon is when tests happen, unless they move the clock.
var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

const (
	roleOperator   = accessv1.Role_ROLE_OPERATOR
	roleCaseworker = accessv1.Role_ROLE_CASEWORKER
	roleCentre     = accessv1.Role_ROLE_CENTRE
)

// Actors of the tests.
var (
	centre  = actor("clerk", "centre-12321", accessv1.Role_ROLE_CENTRE)
	auditor = actor("auditor", "", accessv1.Role_ROLE_AUDITOR)
	citizen = identity.Anonymous()
)

func actor(subject, agency string, roles ...accessv1.Role) *commonv1.Actor {
	return &commonv1.Actor{Subject: subject, AgencyId: agency, Roles: roles}
}

// mesh is a reporting service on a database of its own, with who calls it.
type mesh struct {
	*Server
	owner   *pgxpool.Pool // past the service's rights
	time    time.Time
	connect func(identity.Workload, *commonv1.Actor) *grpc.ClientConn
}

func start(t *testing.T) *mesh {
	t.Helper()
	db := testkit.DB(t, "reporting", store.Migrations)
	keys, err := seal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	m := &mesh{time: noon, owner: testkit.Owner(t, db)}
	m.Server, err = New(db, Deps{Now: func() time.Time { return m.time }, Keys: keys, Evidence: bucket})
	if err != nil {
		t.Fatal(err)
	}
	m.connect = testkit.Serve(t, identity.Reporting, func(s *grpc.Server) { reportingv1.RegisterReportingServiceServer(s, m.Server) })
	return m
}

// as is a client of the gateway with an actor's token.
func (m *mesh) as(a *commonv1.Actor) reportingv1.ReportingServiceClient {
	return reportingv1.NewReportingServiceClient(m.connect(identity.Gateway, a))
}

func (m *mesh) workflows() reportingv1.ReportingServiceClient {
	return reportingv1.NewReportingServiceClient(m.connect(identity.Workflows, nil))
}

const header = "举报编号,举报渠道,举报人号码,被举报号码,来电时间,通话时长,骚扰类型,涉及企业,举报内容,省份,城市,举报时间,同意向被举报方提供号码\n"

// line is a row of a small day: number, reporter, reported number, call time of 19 November.
func line(no, reporter, number, clock string) string {
	return strings.Join([]string{
		no, "12321网站", reporter, number, "2026-11-19 " + clock, "30", "贷款理财", "", "您好需要贷款吗", "湖南", "长沙", "2026-11-19 20:00:00", "否",
	}, ",")
}

func batchOf(lines ...string) *reportingv1.BatchFileReportsRequest {
	req := &reportingv1.BatchFileReportsRequest{RequestId: uuid.NewString(), Format: "12321", Header: []byte(header)}
	for i, l := range lines {
		req.Rows = append(req.Rows, &reportingv1.RawRow{Line: int32(i + 2), Raw: []byte(l + "\n")})
	}
	return req
}

func send(t *testing.T, c reportingv1.ReportingServiceClient, lines ...string) []*reportingv1.RowResult {
	t.Helper()
	resp, err := c.BatchFileReports(t.Context(), batchOf(lines...))
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetResults()
}

func fatesOf(results []*reportingv1.RowResult) string {
	var b strings.Builder
	for _, r := range results {
		b.WriteString(map[reportingv1.Fate]string{1: "A", 2: "D", 3: "C", 4: "Q"}[r.GetFate()])
	}
	return b.String()
}

func typed(number string, call time.Time) *reportingv1.FileReportRequest {
	return &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), Channel: "web", ReporterNumber: "13900000001", DisplayedNumber: number,
		CallTime: timestamppb.New(call), Text: "推销贷款", ReporterProvince: "湖南",
	}
}

// count runs a query past the service's rights.
func (m *mesh) count(t *testing.T, query string, args ...any) int {
	t.Helper()
	var n int
	if err := m.owner.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// sound fails the test when the service finds an invariant of its own broken.
func (m *mesh) sound(t *testing.T) {
	t.Helper()
	resp, err := m.as(auditor).Audit(t.Context(), &reportingv1.AuditRequest{What: "violations"})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range resp.GetViolations() {
		t.Error(v)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
