package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
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
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
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

func TestGateway_malformedInput(t *testing.T) {
	m := mesh(t, Config{})
	body := func(field string) string {
		return `{"requestId":"0195a1de-0000-7000-8000-000000000001","channel":"web","reporterNumber":"` + canary + `",` + field + `}`
	}
	for _, c := range []struct{ name, path, body, want string }{
		{"empty body", fileReport, ``, "the body is empty"},
		{"only spaces", fileReport, "  \n", "the body is empty"},
		{"no JSON", fileReport, canary + `,`, "not valid JSON"},
		{"cut off", fileReport, body(`"text":"` + canary)[:100], "not valid JSON"},
		{"two objects", fileReport, `{} {"` + canary + `":1}`, "not valid JSON"},
		{"a list", fileReport, `["` + canary + `"]`, "a JSON object is expected"},
		{"a text", fileReport, `"` + canary + `"`, "a JSON object is expected"},
		{"null", fileReport, `null`, "a JSON object is expected"},
		{"unknown field", fileReport, body(`"phone":"` + canary + `"`), "field phone: there is no such field"},
		{"value as a key", fileReport, body(`"` + canary + `":1`), "field (unreadable name): there is no such field"},
		{"number for text", fileReport, body(`"displayedNumber":` + canary), "field displayed_number: a text in quotes is expected"},
		{"object for text", fileReport, body(`"text":{"a":"` + canary + `"}`), "field text: a text in quotes is expected"},
		{"text for number", fileReport, body(`"durationSeconds":"` + canary + `x"`), "field duration_seconds: a whole number"},
		{"too large a number", fileReport, body(`"duration_seconds":` + canary), "field duration_seconds: a whole number"},
		{"bad time", fileReport, body(`"callTime":"` + canary + `"`), "field call_time: a time is expected"},
		{"bad enum", fileReport, body(`"consent":"` + canary + `"`), "field consent: one of the names"},
		{"list for text", fileReport, body(`"text":["` + canary + `"]`), "field text: a text in quotes is expected"},
		{"text for list", fileReport, body(`"evidenceIds":"` + canary + `"`), "field evidence_ids: a JSON list is expected"},
		{"bad list item", fileReport, body(`"evidenceIds":["a",` + canary + `]`), "field evidence_ids[1]: a text in quotes is expected"},
		{"field twice", fileReport, body(`"text":"` + canary + `","text":"b"`), "a field stands twice"},
		{"broken UTF-8", fileReport, body("\"text\":\"\xff" + canary + `"`), "not valid UTF-8"},
		{"GB18030", fileReport, body("\"text\":\"\xb1\xcb" + canary + `"`), "not valid UTF-8"},
		{"lone surrogate", fileReport, body(`"text":"\ud800"`), "INVALID_FIELD"},
		{"escaped NUL", fileReport, body(`"text":"a\u0000` + canary + `"`), "field text holds a NUL"},
		{"raw NUL", fileReport, body("\"text\":\"a\x00" + canary + `"`), "not valid JSON"},
		{"NUL in a list", fileReport, body(`"evidenceIds":["a","\u0000"]`), "field evidence_ids[1] holds a NUL"},
		{"deep nesting", fileReport, body(`"text":` + strings.Repeat("[", 20_000)), "not valid JSON"},
		{"missing fields", fileReport, `{}`, "request_id"},
		{"emoji as a number", fileReport, body(`"displayedNumber":"☎️📞","callTime":"2026-11-20T08:00:00Z"`), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := m.post(t, c.path, c.body)
			if c.want == "" {
				if got.status >= 500 {
					t.Errorf("= %d %s", got.status, got.body)
				}
				return
			}
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, c.want) {
				t.Errorf("= %d %s, want 400 with %q", got.status, got.body, c.want)
			}
			noCanary(t, got)
		})
	}
}

func noCanary(t *testing.T, got reply) {
	t.Helper()
	if strings.Contains(got.body, canary) {
		t.Errorf("the answer repeats a value of the request: %s", got.body)
	}
	for name, values := range got.header {
		if strings.Contains(strings.Join(values, " "), canary) {
			t.Errorf("the header %s repeats a value of the request", name)
		}
	}
}

func TestGateway_malformedBinary(t *testing.T) {
	m := mesh(t, Config{})
	wire := func(r *reportingv1.FileReportRequest) string {
		raw, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	broken := strings.Replace(wire(report("XXXX")), "XXXX", "\xff\xfe\xfd\xfc", 1)
	for _, c := range []struct{ name, body, want string }{
		{"no protobuf", "\xff\xff\xff" + canary, "not a quietline.reporting.v1.FileReportRequest"},
		{"cut off", wire(report("hello"))[:60], "not a quietline.reporting.v1.FileReportRequest"},
		{"broken UTF-8", broken, "field text is not valid UTF-8"},
		{"NUL", wire(report("a\x00b")), "field text holds a NUL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := m.post(t, fileReport, c.body, "Content-Type", "text/plain")
			if got.status != http.StatusUnsupportedMediaType {
				t.Errorf("as plain text = %d", got.status)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+fileReport, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/proto")
			got = do(t, request)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, c.want) {
				t.Errorf("= %d %s, want 400 with %q", got.status, got.body, c.want)
			}
			noCanary(t, got)
		})
	}
}

func TestGateway_brokenFrames(t *testing.T) {
	m := mesh(t, Config{})
	frame := func(length uint32, body string) string {
		return string(binary.BigEndian.AppendUint32([]byte{0}, length)) + body
	}
	for _, c := range []struct{ name, contentType, encoding, body, want string }{
		{"promised more", "application/grpc-web+proto", "", frame(100, "short"), "ends early"},
		{"two messages", "application/grpc-web+proto", "", frame(0, "") + frame(0, ""), "exactly one message"},
		{"no message", "application/grpc-web+proto", "", "", "exactly one message"},
		{"not gzip", "application/json", "gzip", `{"text":"this is not compressed at all"}`, "compression is broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.url+fileReport, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", c.contentType)
			if c.encoding != "" {
				request.Header.Set("Content-Encoding", c.encoding)
			}
			got := do(t, request)
			told := got.body + got.header.Get("Grpc-Message")
			if got.status >= 500 || !strings.Contains(told, c.want) {
				t.Errorf("= %d %q, want %q", got.status, told, c.want)
			}
		})
	}
}

func TestGateway_tooLarge(t *testing.T) {
	m := mesh(t, Config{})
	text := strings.Repeat("骚扰", 10<<20/6)
	got := m.post(t, fileReport, `{"text":"`+text+`"}`)
	if got.status != http.StatusTooManyRequests || !strings.Contains(got.body, "larger than 8388608 bytes") || len(got.body) > 1000 {
		t.Errorf("10 MB by JSON = %d %.300s", got.status, got.body)
	}
	_, err := reportingv1.NewReportingServiceClient(m.dial(t, "")).FileReport(t.Context(), report(text))
	if status.Code(err) != codes.ResourceExhausted || errs.Reason(err) != commonv1.ErrorReason_ERROR_REASON_TOO_LARGE {
		t.Errorf("10 MB by gRPC: %v", err)
	}
	// A message below the limit of the gateway reaches the service, whose field rule names the field.
	_, err = reportingv1.NewReportingServiceClient(m.dial(t, "")).FileReport(t.Context(), report(text[:6<<20]))
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "text") {
		t.Errorf("6 MB of text: %v", err)
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
