// Package telemetry gives a part its spans, metrics and log handler, without globals.
//
// A [Telemetry] is made once by Setup and handed down. Trace context is W3C traceparent and tracestate only; baggage is
// neither read nor sent. Spans are parent-based and sampled by ratio; at the border of the hub ([Config.Border]) a
// caller from outside can ask for a sampled trace but not force it. Spans leave in batches; what does not fit is dropped
// and counted (metric telemetry_spans_dropped_total), and a call never waits for it. What may not be lost does not belong
// here: see the transaction and processing logs.
//
// Query strings, header values and bodies never become attributes.
package telemetry
