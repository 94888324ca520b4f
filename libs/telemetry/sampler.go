package telemetry

import (
	"fmt"
	"math/rand/v2"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// sampler decides which spans are recorded. Inside the hub a child follows its parent. At the border a parent from
// outside that is not sampled is followed too (its owner did not want the trace), but one that is sampled wins a lot only:
// by chance, not by trace id, for a caller can choose the trace id.
func sampler(ratio float64, border bool) sdktrace.Sampler {
	root := sdktrace.TraceIDRatioBased(ratio)
	if !border {
		return sdktrace.ParentBased(root)
	}
	return sdktrace.ParentBased(root, sdktrace.WithRemoteParentSampled(lot{ratio}))
}

// lot samples by chance.
type lot struct{ ratio float64 }

// ShouldSample implements sdktrace.Sampler.
func (l lot) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := sdktrace.SamplingResult{
		Decision:   sdktrace.Drop,
		Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState(),
	}
	if rand.Float64() < l.ratio {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

// Description implements sdktrace.Sampler.
func (l lot) Description() string { return fmt.Sprintf("Lot{%g}", l.ratio) }
