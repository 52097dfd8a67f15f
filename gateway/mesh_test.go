package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"quietline/gateway/client"
	"quietline/gateway/issuer"
	"quietline/internal/errs"
	"quietline/internal/identity"
	"quietline/internal/obs"
	"quietline/internal/rpc"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	caseworkv1 "quietline/proto/quietline/casework/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	creditv1 "quietline/proto/quietline/credit/v1"
	disclosurev1 "quietline/proto/quietline/disclosure/v1"
	enforcementv1 "quietline/proto/quietline/enforcement/v1"
	ledgerv1 "quietline/proto/quietline/ledger/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

// canary is a number that must not come out of the gateway in an error or a log.
const canary = "13800138777"

var (
	polled = make(chan struct{}, 1) // a long poll has begun
	logged syncBuffer
	spans  = tracetest.NewInMemoryExporter()
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(obs.NewHandler(&logged)))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithSampler(onDemand{})))
	code := m.Run()
	if strings.Contains(logged.String(), canary) {
		_, _ = io.WriteString(os.Stderr, "the canary number stands in the logs:\n"+logged.String())
		code = 1
	}
	os.Exit(code)
}

// onDemand samples while a test looks at spans. IDs there are always.
type onDemand struct{}

var sampling atomic.Bool

// ShouldSample says whether a test looks.
func (onDemand) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if sampling.Load() {
		return sdktrace.AlwaysSample().ShouldSample(p)
	}
	return sdktrace.NeverSample().ShouldSample(p)
}

// Description names the sampler.
func (onDemand) Description() string { return "on demand" }

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// reporting is a backend that answers what the transport tests need: it is reached through the real chain over
// real mTLS, and says what it was told.
type reporting struct {
	reportingv1.UnimplementedReportingServiceServer
	entered chan struct{} // FileReport with text "wait" tells here that it runs
	leave   chan struct{} // and returns when this is closed
}

// FileReport answers by the text of the report.
func (r *reporting) FileReport(ctx context.Context, req *reportingv1.FileReportRequest) (*reportingv1.FileReportResponse, error) {
	actor := identity.ActorOf(ctx)
	switch req.GetText() {
	case "refuse":
		return nil, errs.New(codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "the matter is closed")
	case "break":
		return nil, errors.New("insert " + req.GetDisplayedNumber() + ": disk full")
	case "panic":
		panic(req.GetDisplayedNumber())
	case "foreign":
		return nil, status.Error(codes.InvalidArgument, "cannot parse "+req.GetDisplayedNumber())
	case "detail":
		s, _ := status.New(codes.DataLoss, "lost "+req.GetDisplayedNumber()).WithDetails(&anypb.Any{})
		return nil, s.Err()
	case "wait":
		close(r.entered)
		select {
		case <-r.leave:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &reportingv1.FileReportResponse{
		Receipt: "QL-1", Secret: "S", ReportId: req.GetRequestId(),
		Advice: strings.Join([]string{actor.GetSubject(), actor.GetAgencyId(), rolesOf(actor)}, "|"),
	}, nil
}

func rolesOf(actor *commonv1.Actor) string {
	var names []string
	for _, role := range actor.GetRoles() {
		names = append(names, role.String())
	}
	return strings.Join(names, ",")
}

// TrackReport answers with a stage.
func (r *reporting) TrackReport(context.Context, *reportingv1.TrackReportRequest) (*reportingv1.TrackReportResponse, error) {
	return &reportingv1.TrackReportResponse{Stage: "accepted", Title: "受理"}, nil
}

// BeginRound would succeed for whoever reaches it.
func (r *reporting) BeginRound(context.Context, *reportingv1.BeginRoundRequest) (*reportingv1.BeginRoundResponse, error) {
	return &reportingv1.BeginRoundResponse{}, nil
}

// assignment has no tasks.
type assignment struct {
	assignmentv1.UnimplementedAssignmentServiceServer
}

// ListTaskChanges waits until the caller goes away.
func (assignment) ListTaskChanges(ctx context.Context, _ *assignmentv1.ListTaskChangesRequest) (*assignmentv1.ListTaskChangesResponse, error) {
	polled <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// ListTasks answers an empty page.
func (assignment) ListTasks(context.Context, *assignmentv1.ListTasksRequest) (*assignmentv1.ListTasksResponse, error) {
	return &assignmentv1.ListTasksResponse{}, nil
}

// meshOf is a running gateway with its backends.
type meshOf struct {
	url       string
	data      string
	reporting *reporting
	ca        *identity.CA
	backends  map[string]string // addresses by workload
	stop      map[string]func() // stops a backend, or "gateway"
	stopped   chan error        // what Run returned
}

// mesh starts every backend on a port of its own and the gateway in front, with demo accounts on.
func mesh(t testing.TB, cfg Config, checks ...func(context.Context) error) *meshOf {
	t.Helper()
	ca, err := identity.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	m := &meshOf{
		data:      t.TempDir(),
		reporting: &reporting{entered: make(chan struct{}), leave: make(chan struct{})},
		ca:        ca,
		backends:  map[string]string{},
		stop:      map[string]func(){},
		stopped:   make(chan error, 1),
	}
	cfg.Backends = m.backends
	for workload, register := range map[identity.Workload]func(*grpc.Server){
		identity.Reporting:  func(s *grpc.Server) { reportingv1.RegisterReportingServiceServer(s, m.reporting) },
		identity.Assignment: func(s *grpc.Server) { assignmentv1.RegisterAssignmentServiceServer(s, assignment{}) },
		identity.Ledger: func(s *grpc.Server) {
			ledgerv1.RegisterLedgerServiceServer(s, ledgerv1.UnimplementedLedgerServiceServer{})
		},
		identity.Credit: func(s *grpc.Server) {
			creditv1.RegisterCreditServiceServer(s, creditv1.UnimplementedCreditServiceServer{})
		},
		identity.Enforcement: func(s *grpc.Server) {
			enforcementv1.RegisterEnforcementServiceServer(s, enforcementv1.UnimplementedEnforcementServiceServer{})
		},
		identity.Disclosure: func(s *grpc.Server) {
			disclosurev1.RegisterDisclosureServiceServer(s, disclosure{})
		},
		identity.Workflows: func(s *grpc.Server) {
			caseworkv1.RegisterCaseworkServiceServer(s, engine{})
		},
	} {
		cfg.Backends[string(workload)] = m.backend(t, workload, register)
	}
	src, err := ca.Source(identity.Gateway)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Demo = m.data
	if cfg.PublicRate == 0 {
		cfg.PublicRate, cfg.PublicBurst, cfg.SecretRate, cfg.SecretBurst = 1e6, 1e6, 1e6, 1e6
	}
	lis := listen(t)
	m.url = cfg.url(lis.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	m.stop["gateway"] = cancel
	go func() { m.stopped <- Run(ctx, cfg, src, lis, Deps{Checks: checks}) }()
	t.Cleanup(func() {
		cancel()
		if err, open := <-m.stopped; open && err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	m.await(t)
	return m
}

func (m *meshOf) backend(t testing.TB, w identity.Workload, register func(*grpc.Server)) (addr string) {
	t.Helper()
	src, err := m.ca.Source(w)
	if err != nil {
		t.Fatal(err)
	}
	server := rpc.NewServer(src)
	register(server)
	lis := listen(t)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := rpc.Serve(ctx, lis, server); err != nil {
			t.Errorf("%s: %v", w, err)
		}
	}()
	m.stop[string(w)] = func() { cancel(); <-done }
	t.Cleanup(m.stop[string(w)])
	return lis.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return lis
}

// await waits until the port answers, which it does once Run has bound the handler.
func (m *meshOf) await(t testing.TB) {
	t.Helper()
	for {
		// A TLS port says 400 to a request in clear: it answers, which is all that is asked here.
		if response, err := get(t, "http://"+strings.TrimPrefix(strings.TrimPrefix(m.url, "https://"), "http://")+"/"); err == nil && response.StatusCode < 500 {
			return
		}
		select {
		case err := <-m.stopped:
			t.Fatalf("gateway: %v", err)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
	}
}

func (m *meshOf) token(t testing.TB, role, agency string) string {
	t.Helper()
	token, err := issuer.Token(t.Context(), m.data, m.url, role, agency, "")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// dial connects over gRPC; an empty token calls as the public.
func (m *meshOf) dial(t testing.TB, token string) *grpc.ClientConn {
	t.Helper()
	conn, err := client.Dial(m.url, client.Fixed(token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

type reply struct {
	status int
	header http.Header
	body   string
}

const (
	fileReport  = "/quietline.reporting.v1.ReportingService/FileReport"
	trackReport = "/quietline.reporting.v1.ReportingService/TrackReport"
	beginRound  = "/quietline.reporting.v1.ReportingService/BeginRound"
	listTasks   = "/quietline.assignment.v1.AssignmentService/ListTasks"
)

// post sends a body by Connect. Headers are pairs.
func (m *meshOf) post(t testing.TB, path, body string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Content-Type" {
			request.Header.Del(headers[i])
		}
		request.Header.Add(headers[i], headers[i+1])
	}
	return do(t, request)
}

func do(t testing.TB, request *http.Request) reply {
	t.Helper()
	response, err := (&http.Client{Timeout: 20 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: response.StatusCode, header: response.Header, body: string(raw)}
}

func get(t testing.TB, url string) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		err = response.Body.Close()
	}
	return response, err
}

// report is a valid report whose text the backend answers by.
func report(text string) *reportingv1.FileReportRequest {
	return &reportingv1.FileReportRequest{
		RequestId: "0195a1de-0000-7000-8000-000000000001", Channel: "web",
		ReporterNumber: canary, DisplayedNumber: canary, CallTime: callTime, Text: text,
	}
}

// engine is a casework service whose worker polls.
type engine struct {
	caseworkv1.UnimplementedCaseworkServiceServer
}

func (engine) GetStatus(context.Context, *caseworkv1.GetStatusRequest) (*caseworkv1.GetStatusResponse, error) {
	return &caseworkv1.GetStatusResponse{Serving: true}, nil
}
