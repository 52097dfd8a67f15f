package obs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Libraries record errors on spans with whatever they say; what leaves must not tell numbers.
func TestSpans_leaveWithoutNumbers(t *testing.T) {
	mem := tracetest.NewInMemoryExporter()
	tp := trace.NewTracerProvider(trace.WithSyncer(scrubbed{mem}))
	_, span := tp.Tracer("test").Start(context.Background(), "query")
	err := errors.New(`invalid input syntax: "13800138000"`)
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
	span.End()
	stubs := mem.GetSpans()
	if text := fmt.Sprint(stubs); len(stubs) != 1 || strings.Contains(text, "13800138000") || !strings.Contains(text, "invalid input syntax") {
		t.Errorf("exported %s", text)
	}
}
