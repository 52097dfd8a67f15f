package obs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"quietline/internal/obs"
)

func TestScrub_hidesNumbersAndKeepsWhatOperatorsNeed(t *testing.T) {
	for text, want := range map[string]string{
		"bad value 13800138000":  "bad value [number]",
		"called +8613800138000.": "called [number].",
		"dial tcp 127.0.0.1:54321: connection refused (SQLSTATE 08006)": "dial tcp 127.0.0.1:54321: connection refused (SQLSTATE 08006)",
		"task 0198c0de-1234-7000-8000-123456789012":                     "task 0198c0de-1234-7000-8000-123456789012",
		"trace 4bf92f3577b34da6a3ce929d0e0e4736":                        "trace 4bf92f3577b34da6a3ce929d0e0e4736",
	} {
		if got := obs.Scrub(text); got != want {
			t.Errorf("Scrub(%q) = %q", text, got)
		}
	}
}

func TestHandler_addsTheTraceAndScrubsErrors(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(obs.NewHandler(&out)).With(slog.String("service", "ledger"))
	id, err := trace.TraceIDFromHex("4bf92f3577b34da6a3ce929d0e0e4736")
	if err != nil {
		t.Fatal(err)
	}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{1}}))
	log.ErrorContext(ctx, "call failed", slog.Any("error", fmt.Errorf("look up: %w", errors.New("bad value 13800138000"))))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["trace_id"] != id.String() || line["service"] != "ledger" || line["error"] != "look up: bad value [number]" {
		t.Errorf("line %v", line)
	}
}

func TestSetLevel_appliesAtOnce(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(obs.NewHandler(&out))
	log.DebugContext(t.Context(), "unseen")
	obs.SetLevel(slog.LevelDebug)
	t.Cleanup(func() { obs.SetLevel(slog.LevelInfo) })
	log.DebugContext(t.Context(), "seen")
	if got := out.String(); strings.Contains(got, "unseen") || !strings.Contains(got, "seen") {
		t.Errorf("logged %s", got)
	}
}

func TestSetup_givesTraceIDsAndMetricsWithoutAnyExporter(t *testing.T) {
	old := slog.Default()
	t.Cleanup(func() { slog.SetDefault(old) })
	shutdown, err := obs.Setup(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	_, span := otel.Tracer("test").Start(t.Context(), "call")
	if !span.SpanContext().HasTraceID() || span.IsRecording() {
		t.Errorf("span %v, recording %v", span.SpanContext(), span.IsRecording())
	}
	counter, err := otel.Meter("test").Int64Counter("quietline_test_deeds")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	page := httptest.NewRecorder()
	obs.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{`(?m)^quietline_test_deeds_total\{otel_scope_name=.*\} 3$`, `(?m)^go_goroutines `} {
		if !regexp.MustCompile(want).MatchString(page.Body.String()) {
			t.Errorf("metrics lack %q", want)
		}
	}
}
