package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

const (
	defaultDelay  = time.Second
	defaultQueue  = 8192
	exportTimeout = 10 * time.Second
	// maxAttribute cuts attribute values, so that a hostile path or user agent cannot fill the collector.
	maxAttribute = 256
)

// Config says what a part measures and where its spans go.
type Config struct {
	Service  string  // name of the part, "gateway"
	Version  string  // of the release
	Endpoint string  // URL of an OTLP/HTTP trace intake, "https://…/v1/traces"; empty: spans go nowhere
	Ratio    float64 // share of new traces that is sampled, 0 to 1
	Border   bool    // callers are outside the hub: their sampled flag counts for no more than Ratio

	Delay time.Duration // longest wait of a finished span before it is sent; 0: 1 s
	Queue int           // finished spans that may wait; 0: 8192
}

// Deps are what Setup gets from outside. Both may be left empty.
type Deps struct {
	Client   *http.Client          // carries the spans (mTLS between parts); nil: http.DefaultTransport
	Exporter sdktrace.SpanExporter // takes the place of Endpoint, for tests
	Logger   *slog.Logger          // hears of failed exports; nil: nobody does
}

// Telemetry is what a part measures with. All methods may be used by many goroutines.
type Telemetry struct {
	tracers    *sdktrace.TracerProvider
	meters     *sdkmetric.MeterProvider
	registry   *prometheus.Registry
	propagator propagation.TraceContext
	batch      *batcher
	server     *serverMetrics
}

// Setup starts the pipelines. Nothing is sent before the first span ends, so a collector that is away does not matter.
// Shutdown sends what is left.
func Setup(ctx context.Context, cfg Config, deps Deps) (*Telemetry, error) {
	if cfg.Service == "" {
		return nil, errors.New("telemetry: service has no name")
	}
	if !(cfg.Ratio >= 0 && cfg.Ratio <= 1) {
		return nil, fmt.Errorf("telemetry: ratio %v is not between 0 and 1", cfg.Ratio)
	}
	exporter, err := spanExporter(ctx, cfg, deps)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{registry: prometheus.NewRegistry()}
	described := resource.NewSchemaless(semconv.ServiceName(cfg.Service), semconv.ServiceVersion(cfg.Version))
	if err := t.startMetrics(described); err != nil {
		return nil, err
	}

	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttribute
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(described),
		sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithSampler(sampler(cfg.Ratio, cfg.Border)),
	}
	if exporter != nil {
		if t.batch, err = newBatcher(exporter, cfg, deps.Logger, t.Meter("telemetry")); err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithSpanProcessor(t.batch))
	}
	t.tracers = sdktrace.NewTracerProvider(options...)
	return t, nil
}

// Noop gives a Telemetry for tests: ids are real, nothing is recorded or sent.
func Noop() *Telemetry {
	t, err := Setup(context.Background(), Config{Service: "test"}, Deps{})
	if err != nil {
		panic(err) // a fixed configuration
	}
	return t
}

func spanExporter(ctx context.Context, cfg Config, deps Deps) (sdktrace.SpanExporter, error) {
	if deps.Exporter != nil {
		return deps.Exporter, nil
	}
	if cfg.Endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("telemetry: endpoint is not an http(s) URL")
	}
	client := deps.Client
	if client == nil {
		client = &http.Client{}
	}
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(cfg.Endpoint),
		otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithTimeout(exportTimeout),
	)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return exporter, nil
}

func (t *Telemetry) startMetrics(described *resource.Resource) error {
	t.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	t.meters = sdkmetric.NewMeterProvider(sdkmetric.WithResource(described), sdkmetric.WithReader(reader))
	t.server, err = newServerMetrics(t.Meter("http"))
	return err
}

// Tracer gives the tracer of one package of a part.
func (t *Telemetry) Tracer(name string) trace.Tracer { return t.tracers.Tracer(name) }

// Meter gives the meter of one package of a part.
func (t *Telemetry) Meter(name string) metric.Meter { return t.meters.Meter(name) }

// Metrics answers with all metrics in the Prometheus text form. It belongs on the admin listener.
func (t *Telemetry) Metrics() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: t.registry})
}

// Dropped is the number of spans that were not delivered since the start.
func (t *Telemetry) Dropped() int64 {
	if t.batch == nil {
		return 0
	}
	return t.batch.dropped.Load()
}

// Flush sends the spans that wait and returns when they are delivered or dropped.
func (t *Telemetry) Flush(ctx context.Context) error { return t.tracers.ForceFlush(ctx) }

// Shutdown sends what is left and stops the pipelines. It comes last in a part's stop, after all spans have ended.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	return errors.Join(t.tracers.Shutdown(ctx), t.meters.Shutdown(ctx))
}

// TraceID gives the trace id of ctx in hex, "" when there is none.
func TraceID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
}

// Attributes of the organisations of a call, set from a verified token only.
const (
	keyConsumer = attribute.Key("hub.consumer.oin")
	keyProvider = attribute.Key("hub.provider.oin")
)
