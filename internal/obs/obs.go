// Package obs lets operators see: logs, traces and metrics.
//
// Logs are JSON lines of log/slog on standard error, with the trace's IDs. Traces and metrics follow the standard OTEL_*
// variables: nothing is exported unless one of them asks for it. Metrics can always be scraped from Handler.
//
// Logs, traces and metrics MUST NOT hold personal data. Scrub is the safety net for texts of errors that nobody wrote
// with that in mind; it is no licence to log numbers.
package obs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

var (
	level    slog.LevelVar
	registry = newRegistry()
)

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// SetLevel sets what is logged from now on.
func SetLevel(l slog.Level) { level.Set(l) }

// Registry takes metrics that do not come through OpenTelemetry.
func Registry() prometheus.Registerer { return registry }

// Handler serves all metrics in Prometheus' format.
func Handler() http.Handler { return promhttp.HandlerFor(registry, promhttp.HandlerOpts{}) }

// Setup makes this process observable under the name of a service. Call it once, first thing; call shutdown last, with
// a context that bounds how long exporters may take to send the rest.
func Setup(ctx context.Context, service string) (shutdown func(context.Context) error, err error) {
	slog.SetDefault(slog.New(NewHandler(os.Stderr)).With(slog.String("service", service)))

	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)),
		resource.WithTelemetrySDK(), resource.WithFromEnv()) // OTEL_RESOURCE_ATTRIBUTES wins
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("telemetry resource: %w", err)
	}
	tp, err := tracerProvider(ctx, res)
	if err != nil {
		return nil, err
	}
	mp, err := meterProvider(ctx, res)
	if err != nil {
		return nil, errors.Join(err, tp.Shutdown(ctx))
	}
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	otel.SetTracerProvider(tp)
	otel.SetMeterProvider(mp)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		slog.WarnContext(ctx, "telemetry", slog.Any("error", err))
	}))
	return func(ctx context.Context) error {
		return errors.Join(tp.Shutdown(ctx), mp.Shutdown(ctx))
	}, nil
}

// tracerProvider gives every call a trace ID, exported or not: the reference that callers are given of an internal
// error is that ID.
func tracerProvider(ctx context.Context, res *resource.Resource) (*trace.TracerProvider, error) {
	if !configured("TRACES") {
		return trace.NewTracerProvider(trace.WithResource(res), trace.WithSampler(trace.NeverSample())), nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace exporter: %w", err)
	}
	if autoexport.IsNoneSpanExporter(exporter) {
		return trace.NewTracerProvider(trace.WithResource(res), trace.WithSampler(trace.NeverSample())), nil
	}
	return trace.NewTracerProvider(trace.WithResource(res), trace.WithBatcher(scrubbed{exporter})), nil
}

func meterProvider(ctx context.Context, res *resource.Resource) (*metric.MeterProvider, error) {
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry)) // the scope tells the edge from the services, which count the same calls
	if err != nil {
		return nil, fmt.Errorf("prometheus exporter: %w", err)
	}
	opts := []metric.Option{metric.WithResource(res), metric.WithReader(exporter)}
	if configured("METRICS") {
		reader, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return nil, fmt.Errorf("metric exporter: %w", err)
		}
		if !autoexport.IsNoneMetricReader(reader) {
			opts = append(opts, metric.WithReader(reader))
		}
	}
	return metric.NewMeterProvider(opts...), nil
}

// configured says whether the environment asks for an exporter; OpenTelemetry's own default would be to try localhost.
func configured(signal string) bool {
	for _, name := range []string{
		"OTEL_" + signal + "_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT",
	} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}
