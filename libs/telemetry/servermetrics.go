package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// serverMetrics measures requests under the name of the semantic conventions, in seconds.
type serverMetrics struct {
	duration metric.Float64Histogram
	sets     sync.Map // key → metric.MeasurementOption: building a set costs more than the measurement
}

// series is one combination of the labels that every request has. Routes, methods and statuses are bounded.
type series struct {
	method string
	route  string
	status int
}

type seriesKey struct {
	series
	consumer, provider string
}

func newServerMetrics(meter metric.Meter) (*serverMetrics, error) {
	duration, err := meter.Float64Histogram("http.server.request.duration",
		metric.WithUnit("s"),
		metric.WithDescription("Time from request to the end of the answer."),
		metric.WithExplicitBucketBoundaries(.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10))
	if err != nil {
		return nil, err
	}
	return &serverMetrics{duration: duration}, nil
}

func (m *serverMetrics) observe(ctx context.Context, s series, c *call, took time.Duration) {
	key := seriesKey{s, c.consumer, c.provider}
	set, ok := m.sets.Load(key)
	if !ok {
		attributes := append(c.organisations(),
			semconv.HTTPRequestMethodKey.String(s.method), semconv.HTTPRoute(s.route), semconv.HTTPResponseStatusCode(s.status))
		set, _ = m.sets.LoadOrStore(key, metric.WithAttributeSet(attribute.NewSet(attributes...)))
	}
	m.duration.Record(ctx, took.Seconds(), set.(metric.MeasurementOption))
}
