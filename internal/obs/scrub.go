package obs

import (
	"context"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Runs of seven digits and more may be telephone numbers; ports, SQLSTATEs and years are shorter. UUIDs and trace IDs
// are matched first so that they stay whole.
var digits = regexp.MustCompile(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-f]{32}\b|\+?[0-9]{7,}`)

// Scrub hides what looks like a telephone number in a text that is about to be logged or exported.
func Scrub(text string) string {
	return digits.ReplaceAllStringFunc(text, func(m string) string {
		if strings.Contains(m, "-") || len(m) == 32 && strings.ContainsAny(m, "abcdef") {
			return m
		}
		return "[number]"
	})
}

// scrubbed cleans the error texts of spans on their way out: libraries record errors with whatever they say.
type scrubbed struct{ trace.SpanExporter }

// ExportSpans implements trace.SpanExporter.
func (s scrubbed) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	out := make([]trace.ReadOnlySpan, len(spans))
	for i, span := range spans {
		out[i] = cleanSpan{span}
	}
	return s.SpanExporter.ExportSpans(ctx, out)
}

type cleanSpan struct{ trace.ReadOnlySpan }

// Status implements trace.ReadOnlySpan.
func (s cleanSpan) Status() trace.Status {
	st := s.ReadOnlySpan.Status()
	st.Description = Scrub(st.Description)
	return st
}

// Events implements trace.ReadOnlySpan.
func (s cleanSpan) Events() []trace.Event {
	events := s.ReadOnlySpan.Events()
	out := make([]trace.Event, len(events))
	for i, e := range events {
		attrs := make([]attribute.KeyValue, len(e.Attributes))
		for j, a := range e.Attributes {
			if a.Value.Type() == attribute.STRING {
				a = a.Key.String(Scrub(a.Value.AsString()))
			}
			attrs[j] = a
		}
		e.Attributes = attrs
		out[i] = e
	}
	return out
}
