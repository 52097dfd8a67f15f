package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"quietline/internal/errs"
	assignmentv1 "quietline/proto/quietline/assignment/v1"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

var callTime = timestamppb.New(time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC))

func TestGateway_allProtocolsOnOnePort(t *testing.T) {
	m := mesh(t, Config{})
	token := m.token(t, "CENTRE", "12321")
	want := &reportingv1.FileReportResponse{
		Receipt: "QL-1", Secret: "S", ReportId: report("").GetRequestId(), Advice: "centre@12321|12321|ROLE_CENTRE",
	}
	check := func(name string, got *reportingv1.FileReportResponse, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s: answer differs (-want +got):\n%s", name, diff)
		}
	}
	grpcGot, err := reportingv1.NewReportingServiceClient(m.dial(t, token)).FileReport(t.Context(), report(""))
	check("gRPC", grpcGot, err)

	h2c := new(http.Protocols)
	h2c.SetUnencryptedHTTP2(true)
	over2 := &http.Client{Transport: &http.Transport{Protocols: h2c}}
	for name, transport := range map[string]connect.Transport{
		"gRPC-Web over HTTP/1.1":     connecthttp.NewTransport(http.DefaultClient, m.url, connecthttp.WithGRPCWeb()),
		"gRPC-Web JSON over h2c":     connecthttp.NewTransport(over2, m.url, connecthttp.WithGRPCWeb(), connecthttp.WithProtoJSON()),
		"Connect binary, gzip":       connecthttp.NewTransport(http.DefaultClient, m.url, connecthttp.WithSendGzip()),
		"Connect JSON over h2c":      connecthttp.NewTransport(over2, m.url, connecthttp.WithProtoJSON()),
		"Connect JSON over HTTP/1.1": connecthttp.NewTransport(http.DefaultClient, m.url, connecthttp.WithProtoJSON()),
		"gRPC JSON over h2c":         connecthttp.NewTransport(over2, m.url, connecthttp.WithGRPC(), connecthttp.WithProtoJSON()),
	} {
		ctx, info := connect.NewClientContext(t.Context())
		info.RequestHeader().Set("Authorization", "Bearer "+token)
		got := &reportingv1.FileReportResponse{}
		err := connect.NewClient(transport).CallUnary(ctx, connect.Spec{Procedure: fileReport}, report(""), got)
		check(name, got, err)
	}
}

func TestGateway_curl(t *testing.T) {
	m := mesh(t, Config{})
	got := m.post(t, trackReport, `{"receipt":"QL-1","secret":"S"}`)
	if got.status != http.StatusOK || !strings.Contains(got.body, `"stage"`) || !strings.Contains(got.body, "受理") {
		t.Errorf("TrackReport by JSON = %d %s", got.status, got.body)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got.header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.header.Get(name), want)
		}
	}
	page, err := get(t, m.url+"/")
	if err != nil || page.StatusCode != http.StatusOK || !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("landing page: %v %v", page, err)
	}
	for proxied, want := range map[bool]string{false: "grpcurl -plaintext ql.example:8461 list", true: "https://ql.example:8461/quietline."} {
		asked, answer := httptest.NewRequest(http.MethodGet, "http://ql.example:8461/", nil), httptest.NewRecorder()
		landing(proxied).ServeHTTP(answer, asked)
		if body := answer.Body.String(); !strings.Contains(body, want) || strings.Contains(body, "8080") || !strings.Contains(body, `href="/digest"`) {
			t.Errorf("landing page asked for as %s lacks %q: %s", asked.Host, want, body)
		}
	}
	metrics, err := get(t, m.url+"/metrics")
	if err != nil || metrics.StatusCode != http.StatusOK {
		t.Errorf("metrics from this machine: %v %v", metrics, err)
	}
}

func TestGateway_getIsRefused(t *testing.T) {
	m := mesh(t, Config{})
	for _, path := range []string{
		trackReport, trackReport + "?connect=v1&encoding=json&message=%7B%7D", listTasks + "?connect=v1&encoding=json&message=%7B%7D",
	} {
		got, err := get(t, m.url+path)
		if err != nil || got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != http.MethodPost {
			t.Errorf("GET %s = %v, want 405 that allows POST (%v)", path, got.Status, err)
		}
	}
}

func TestGateway_otherOriginIsRefused(t *testing.T) {
	m := mesh(t, Config{})
	if got := m.post(t, trackReport, `{"receipt":"QL-1","secret":"S"}`, "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("a browser on another site got %d %s", got.status, got.body)
	}
}

func TestGateway_closedRPC(t *testing.T) {
	m := mesh(t, Config{})
	for _, role := range []string{"", "ADMIN", "LEAD"} {
		var headers []string
		if role != "" {
			headers = []string{"Authorization", "Bearer " + m.token(t, role, "miit")}
		}
		got := m.post(t, beginRound, `{}`, headers...)
		if got.status != http.StatusForbidden || !strings.Contains(got.body, "closed to people") {
			t.Errorf("BeginRound as %q = %d %s", role, got.status, got.body)
		}
	}
	if got := m.post(t, "/quietline.reporting.v1.ReportingService/Nothing", `{}`); got.status != http.StatusNotImplemented {
		t.Errorf("an unknown method = %d %s", got.status, got.body)
	}
	if got := m.post(t, "/quietline.nothing.v1.NothingService/Nothing", `{}`); got.status != http.StatusNotFound {
		t.Errorf("an unknown service = %d %s", got.status, got.body)
	}
}

func TestGateway_scrubsErrors(t *testing.T) {
	m := mesh(t, Config{})
	caller := reportingv1.NewReportingServiceClient(m.dial(t, ""))
	for _, c := range []struct {
		text   string
		code   codes.Code
		reason commonv1.ErrorReason
		says   string
	}{
		{"refuse", codes.FailedPrecondition, commonv1.ErrorReason_ERROR_REASON_CLOSED, "the matter is closed"},
		{"break", codes.Internal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "internal error, reference "},
		{"panic", codes.Internal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "internal error, reference "},
		{"detail", codes.Internal, commonv1.ErrorReason_ERROR_REASON_INTERNAL, "internal error, reference "},
	} {
		_, err := caller.FileReport(t.Context(), report(c.text))
		if status.Code(err) != c.code || errs.Reason(err) != c.reason || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v (%v), want %v %v", c.text, err, errs.Reason(err), c.code, c.reason)
		}
		if strings.Contains(status.Convert(err).String(), canary) {
			t.Errorf("%s: the error repeats a number: %v", c.text, err)
		}
	}
	_, err := caller.FileReport(t.Context(), report("foreign"))
	if strings.Contains(err.Error(), canary) || status.Code(err) == codes.OK {
		t.Errorf("a status that is no refusal of the mesh's own: %v", err)
	}
}

func TestGateway_backendAway(t *testing.T) {
	failing := errors.New("temporal does not answer")
	var broken error
	m := mesh(t, Config{}, func(context.Context) error { return broken })
	healthz := func() reply {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, request)
	}
	if got := healthz(); got.status != http.StatusOK || !strings.Contains(got.body, `"serving"`) {
		t.Fatalf("healthz = %d %s", got.status, got.body)
	}
	conn := m.dial(t, "")
	answer, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: "quietline.ledger.v1.LedgerService"})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health of the ledger: %v %v", answer, err)
	}
	m.stop["reporting"]()
	broken = failing
	deadline := time.Now().Add(10 * time.Second)
	var got reply
	for got = healthz(); got.status == http.StatusOK && time.Now().Before(deadline); got = healthz() {
		continue // the answer is kept for half a second
	}
	if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "reporting does not serve") || !strings.Contains(got.body, failing.Error()) {
		t.Errorf("healthz with a backend away = %d %s", got.status, got.body)
	}
	answer, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health of the mesh with a backend away: %v %v", answer, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = reportingv1.NewReportingServiceClient(conn).FileReport(ctx, report(""))
	if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded {
		t.Errorf("a call while its service is away: %v", err)
	}
	if strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("the error tells where the service lives: %v", err)
	}
}

func TestGateway_reflection(t *testing.T) {
	m := mesh(t, Config{})
	stream, err := reflectionv1.NewServerReflectionClient(m.dial(t, "")).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request *reflectionv1.ServerReflectionRequest) *reflectionv1.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	list := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	var names []string
	for _, service := range list.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	for _, want := range []string{"grpc.health.v1.Health", "quietline.casework.v1.CaseworkService", "quietline.reporting.v1.ReportingService"} {
		if !slices.Contains(names, want) {
			t.Errorf("reflection lists %v, without %s", names, want)
		}
	}
	file := ask(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: "quietline.reporting.v1.ReportingService.TrackReport",
	}})
	if len(file.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("reflection knows nothing of TrackReport: %v", file)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("end of reflection: %v", err)
	}
}

func TestGateway_rateLimits(t *testing.T) {
	m := mesh(t, Config{PublicRate: 0.001, PublicBurst: 5, SecretRate: 0.001, SecretBurst: 2, TokenRate: 0.001, TokenBurst: 3})
	for i := range 3 {
		got := m.post(t, trackReport, `{"receipt":"QL-1","secret":"S"}`)
		limited := got.status == http.StatusTooManyRequests && strings.Contains(got.body, "too many calls") && got.header.Get("Retry-After") != ""
		if limited != (i == 2) {
			t.Errorf("guess %d of a secret = %d %s", i, got.status, got.body)
		}
	}
	caller := assignmentv1.NewAssignmentServiceClient(m.dial(t, m.token(t, "CASEWORKER", "miit")))
	var err error
	for range 4 {
		_, err = caller.ListTasks(t.Context(), &assignmentv1.ListTasksRequest{})
	}
	if status.Code(err) != codes.ResourceExhausted || errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_RATE_LIMITED {
		t.Errorf("fourth call of a subject: %v", err)
	}
	var retry *errdetails.RetryInfo
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			retry = info
		}
	}
	if retry.GetRetryDelay().AsDuration() <= 0 {
		t.Errorf("no RetryInfo in %v", status.Convert(err).Details())
	}
}

func TestGateway_stopLetsCallsFinish(t *testing.T) {
	m := mesh(t, Config{})
	done := make(chan error, 1)
	go func() {
		_, err := reportingv1.NewReportingServiceClient(m.dial(t, "")).FileReport(t.Context(), report("wait"))
		done <- err
	}()
	<-m.reporting.entered
	m.stop["gateway"]()
	close(m.reporting.leave)
	if err := <-done; err != nil {
		t.Errorf("a call that ran when the gateway was told to stop: %v", err)
	}
	if err := <-m.stopped; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(m.stopped)
}

func TestGateway_stopEndsLongPolls(t *testing.T) {
	m := mesh(t, Config{Drain: time.Hour})
	done := make(chan error, 1)
	go func() {
		caller := assignmentv1.NewAssignmentServiceClient(m.dial(t, m.token(t, "OPERATOR", "telecom")))
		_, err := caller.ListTaskChanges(t.Context(), &assignmentv1.ListTaskChangesRequest{MaxWait: durationpb.New(30 * time.Second)})
		done <- err
	}()
	<-polled
	m.stop["gateway"]()
	if err := <-done; status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "stopping") {
		t.Errorf("a long poll when the gateway stops: %v", err)
	}
}

func TestGateway_tls(t *testing.T) {
	web := httptest.NewUnstartedServer(nil) // has a certificate for example.com and 127.0.0.1
	web.StartTLS()
	defer web.Close()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	key, err := x509.MarshalPKCS8PrivateKey(web.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: web.Certificate().Raw}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := mesh(t, Config{TLSCert: certFile, TLSKey: keyFile})
	for _, http2 := range []bool{false, true} {
		transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
		transport.TLSClientConfig.RootCAs.AddCert(web.Certificate())
		transport.Protocols.SetHTTP1(!http2)
		transport.Protocols.SetHTTP2(http2)
		got := &reportingv1.TrackReportResponse{}
		err := connect.NewClient(connecthttp.NewTransport(&http.Client{Transport: transport}, m.url)).CallUnary(
			t.Context(), connect.Spec{Procedure: trackReport}, &reportingv1.TrackReportRequest{Receipt: "QL-1", Secret: "S"}, got)
		if err != nil || got.GetStage() == "" {
			t.Errorf("over TLS, HTTP/2 %v: %v %v", http2, got, err)
		}
		transport.CloseIdleConnections()
	}
	if entries, err := os.ReadDir(m.data); err != nil || len(entries) > 0 {
		t.Errorf("demo accounts were made although the gateway uses TLS: %v %v", entries, err)
	}
}

func TestGateway_callDeadline(t *testing.T) {
	m := mesh(t, Config{CallTimeout: 300 * time.Millisecond})
	_, err := reportingv1.NewReportingServiceClient(m.dial(t, "")).FileReport(t.Context(), report("wait"))
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("a call that never answers: %v", err)
	}
	close(m.reporting.leave)
}

func TestGateway_oneTrace(t *testing.T) {
	m := mesh(t, Config{})
	spans.Reset()
	sampling.Store(true)
	defer sampling.Store(false)
	raw, err := protojson.Marshal(report("break"))
	if err != nil {
		t.Fatal(err)
	}
	got := m.post(t, fileReport, string(raw))
	kinds := map[string][]string{}
	for _, span := range spans.GetSpans() {
		id := span.SpanContext.TraceID().String()
		kinds[id] = append(kinds[id], span.SpanKind.String())
	}
	for id, in := range kinds {
		if strings.Contains(got.body, "reference "+id) {
			if len(in) < 3 || !slices.Contains(in, "client") {
				t.Errorf("trace %s has spans %v, want gateway server, client and service server", id, in)
			}
			return
		}
	}
	t.Errorf("no trace is the reference of %s; have %v", got.body, kinds)
}
