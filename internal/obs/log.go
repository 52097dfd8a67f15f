package obs

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

// NewHandler writes JSON lines at the level of SetLevel, each with its trace and, inside a call, with the RPC. Texts of
// errors are scrubbed.
func NewHandler(w io.Writer) slog.Handler {
	return handler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &level, ReplaceAttr: scrubErrors})}
}

type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	if method, ok := grpc.Method(ctx); ok {
		r.AddAttrs(slog.String("rpc", method))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

func scrubErrors(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok && err != nil {
		return slog.String(a.Key, Scrub(err.Error()))
	}
	return a
}
