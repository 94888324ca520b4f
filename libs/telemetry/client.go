package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Transport wraps base (nil: http.DefaultTransport) for calls to another part. It sends traceparent and tracestate and,
// when the trace is sampled, makes a span per attempt that ends with the header of the answer.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{telemetry: t, tracer: t.Tracer("http.client"), base: base}
}

type transport struct {
	telemetry *Telemetry
	tracer    trace.Tracer
	base      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	parent := trace.SpanContextFromContext(ctx)
	if !parent.IsValid() {
		return tr.base.RoundTrip(r)
	}
	var span trace.Span
	if parent.IsSampled() {
		method := knownMethod(r.Method)
		ctx, span = tr.tracer.Start(ctx, method+" "+r.URL.Host, trace.WithSpanKind(trace.SpanKindClient),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.ServerAddress(r.URL.Hostname())))
		defer span.End()
	}
	r = r.Clone(ctx) // a RoundTripper must not change the request it was given
	r.Header.Del("baggage")
	tr.telemetry.propagator.Inject(ctx, propagation.HeaderCarrier(r.Header))
	resp, err := tr.base.RoundTrip(r)
	if span == nil {
		return resp, err
	}
	if err != nil {
		// The text of the error may hold the URL with its query.
		span.SetStatus(codes.Error, "no answer")
		return resp, err
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return resp, nil
}

// traceparentOnly lets a propagator write the one header that an answer carries.
type traceparentOnly struct{ propagation.HeaderCarrier }

// Set implements propagation.TextMapCarrier.
func (c traceparentOnly) Set(key, value string) {
	if key == "traceparent" {
		c.HeaderCarrier.Set(key, value)
	}
}

// Traceparent gives the header of the same name (W3C Trace Context, §3.2) for the span in ctx, "" without one.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier["traceparent"]
}
