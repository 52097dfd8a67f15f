package gateway

import (
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"quietline/internal/errs"
	commonv1 "quietline/proto/quietline/common/v1"
	reportingv1 "quietline/proto/quietline/reporting/v1"
)

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
