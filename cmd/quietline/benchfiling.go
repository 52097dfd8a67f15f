package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spiffe/go-spiffe/v2/spiffegrpc/grpccredentials"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/deploy/sample"
	"quietline/internal/identity"
	"quietline/internal/phone"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// benchClients call at the same time, in filing and in looking up.
const benchClients = 32

// benchFiling compares FileReport through the gateway with the least that a durable answer over mTLS can be: a bare grpc-go
// handler that commits one prepared INSERT of the same request into a logged table with a primary key.
func benchFiling(ctx context.Context, b *bench) error {
	straight, err := serveStraight(ctx, b.mesh)
	if err != nil {
		return err
	}
	peak := 0.0
	ours, base, err := b.rounds("filing", func(round int, ours bool) (float64, error) {
		job := benchJob{Kind: "file", Clients: benchClients, Span: b.cmd.Span, First: round * 1_000_000}
		if !ours {
			job.Kind, job.Address = "file-raw", straight
		}
		high, err := peakOf(residentMB, func() error {
			result, err := b.measured("filing", ours, func() (benchResult, error) { return b.load(ctx, job) })
			job.Count = int(result.perSecond())
			return err
		})
		if ours {
			peak = max(peak, high)
		}
		return float64(job.Count), err
	})
	b.compared(fmt.Sprintf("(a) FileReport through the gateway, %d clients", benchClients), ours, base, 0.25)
	if peak > 0 {
		b.memory("memory under (a)", peak)
	}
	return err
}

// straight is the baseline's handler.
type straight struct {
	reportingv1.UnimplementedReportingServiceServer
	db *pgxpool.Pool
}

// serveStraight serves it in the reporting service's own database, with a pool of the same size and the mesh's own
// certificates, but without interceptors, telemetry and validation.
func serveStraight(ctx context.Context, m *benchMesh) (string, error) {
	err := m.own(ctx, "reporting",
		`CREATE TABLE bench_request (request_id uuid PRIMARY KEY, body bytea NOT NULL)`,
		`GRANT INSERT ON bench_request TO reporting`)
	if err != nil {
		return "", err
	}
	db, err := m.pool(ctx, "reporting")
	if err != nil {
		return "", err
	}
	return m.listen(ctx, identity.Reporting, func(ctx context.Context, src identity.Source, lis net.Listener) error {
		s := grpc.NewServer(grpc.Creds(grpccredentials.MTLSServerCredentials(src, src, tlsconfig.AuthorizeMemberOf(identity.Domain()))))
		reportingv1.RegisterReportingServiceServer(s, &straight{db: db})
		return serveBare(ctx, s, lis)
	})
}

// FileReport commits the request as it is. pgx prepares the statement once for each connection.
func (s *straight) FileReport(ctx context.Context, req *reportingv1.FileReportRequest) (*reportingv1.FileReportResponse, error) {
	body, err := proto.Marshal(req)
	if err != nil {
		return nil, err
	}
	if _, err := s.db.Exec(ctx, `INSERT INTO bench_request (request_id, body) VALUES ($1, $2)`, req.GetRequestId(), body); err != nil {
		return nil, err
	}
	return &reportingv1.FileReportResponse{Fate: reportingv1.Fate_FATE_ACCEPTED, ReportId: req.GetRequestId()}, nil
}

// fileThroughGateway files as the centre does.
func fileThroughGateway(ctx context.Context, job benchJob) (benchResult, error) {
	conns, err := senders(job, "CENTRE", "centre-12321")
	if err != nil {
		return benchResult{}, err
	}
	return fileReports(ctx, job, conns)
}

// fileStraight files the same reports at the baseline.
func fileStraight(ctx context.Context, job benchJob) (benchResult, error) {
	src, err := memberOf(job.Data, identity.Gateway)
	if err != nil {
		return benchResult{}, err
	}
	creds := grpccredentials.MTLSClientCredentials(src, src, tlsconfig.AuthorizeID(identity.ID(identity.Reporting)))
	conns, err := dialSeveral(func(int) (*grpc.ClientConn, error) {
		return grpc.NewClient(job.Address, grpc.WithTransportCredentials(creds))
	})
	if err != nil {
		return benchResult{}, err
	}
	return fileReports(ctx, job, conns)
}

// memberOf is the identity of a workload, for a child process that reads the data directory.
func memberOf(data string, w identity.Workload) (identity.Source, error) {
	ca, err := identity.LoadOrCreateCA(data + "/ca")
	if err != nil {
		return nil, err
	}
	return ca.Source(w)
}

func fileReports(ctx context.Context, job benchJob, conns connections) (benchResult, error) {
	defer conns.close()
	day, err := sampleDay()
	if err != nil {
		return benchResult{}, err
	}
	began := time.Now()
	return pound(ctx, job, func(ctx context.Context, client, number int) error {
		_, err := reportingv1.NewReportingServiceClient(conns.of(client)).FileReport(ctx, day.report(number, began))
		return err
	})
}

// benchDay is the sample day as a mould: rows with cells by name.
type benchDay struct {
	header []string
	rows   []map[string]string
}

func sampleDay() (*benchDay, error) {
	rows, err := csv.NewReader(bytes.NewReader(sample.Day)).ReadAll()
	if err != nil {
		return nil, err
	}
	day := &benchDay{header: rows[0]}
	for _, cells := range rows[1:] {
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = cells[i]
		}
		if phone.Usable(phone.Parse(row["被举报号码"])) { // the few that go into quarantine stay out
			day.rows = append(day.rows, row)
		}
	}
	return day, nil
}

// report is the typed form of a row. Each pass through the sample is another day: the same shares of numbers with one,
// few and many reports, on numbers of its own, so that reports go on opening complaints and joining them as on a day.
func (d *benchDay) report(number int, now time.Time) *reportingv1.FileReportRequest {
	row, pass := d.rows[number%len(d.rows)], number/len(d.rows)
	return &reportingv1.FileReportRequest{
		RequestId: uuid.NewString(), SenderNo: fmt.Sprintf("BENCH-%09d", number), Channel: "phone",
		ReporterNumber: reporterNumber(number), DisplayedNumber: shifted(row["被举报号码"], pass),
		CallTime: timestamppb.New(now.Add(-time.Hour - time.Duration(number%80_000)*time.Second)), DurationSeconds: 60,
		ReportedType: row["骚扰类型"], Company: row["涉及企业"], Text: row["举报内容"],
		ReporterProvince: row["省份"], Consent: reportingv1.Consent_CONSENT_YES, PrivacyNotice: "2026-01",
	}
}

// reporterNumber is of a range that belongs to nobody here, another one for each report.
func reporterNumber(number int) string { return fmt.Sprintf("199%08d", number%100_000_000) }

func digitsOf(text string) string {
	var digits []byte
	for i := range len(text) {
		if c := text[i]; c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	return string(digits)
}

// shifted is the number that stands for another on another day: of the same kind and form, with other last digits. All
// ways in which a number is written are shifted alike. Codes of a few digits are the same every day, as in life.
func shifted(displayed string, pass int) string {
	const tail, modulus, step = 5, 100_000, 41
	digits := digitsOf(displayed)
	if len(digits) < 10 {
		return displayed
	}
	last, _ := strconv.Atoi(digits[len(digits)-tail:]) // digits
	rest := fmt.Sprintf("%0*d", tail, (last+pass*step)%modulus)
	out := []byte(displayed)
	for i := len(out) - 1; i >= 0 && rest != ""; i-- {
		if out[i] >= '0' && out[i] <= '9' {
			out[i], rest = rest[len(rest)-1], rest[:len(rest)-1]
		}
	}
	return string(out)
}
