package gateway

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// measure publishes what the operators of a gateway watch, beside the requests that the telemetry counts by itself.
func (w *wiring) measure() error {
	meter := w.deps.Telemetry.Meter("gateway")
	for _, m := range []struct {
		name, unit, text string
		value            func() int64
	}{
		{"gateway.log.records", "{record}", "records made durable", func() int64 { return int64(w.log.Stats().Records) }},
		{"gateway.log.syncs", "{sync}", "syncs of the transaction log", func() int64 { return int64(w.log.Stats().Syncs) }},
		{"gateway.log.lost", "{record}", "records that could not be kept", func() int64 { return int64(w.log.Stats().Lost) }},
		{"gateway.refusals.folded", "{refusal}", "refusals counted but not recorded one by one", func() int64 { return int64(w.chain.Folded()) }},
		{"gateway.snapshots.refused", "{snapshot}", "snapshots that did not compile", func() int64 { return int64(w.policy.Refused()) }},
		{"gateway.panics", "{panic}", "calls that ended in a fault of the program", func() int64 { return int64(w.edge.Panics()) }},
	} {
		_, err := meter.Int64ObservableCounter(m.name, metric.WithUnit(m.unit), metric.WithDescription(m.text),
			metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error { o.Observe(m.value()); return nil }))
		if err != nil {
			return err
		}
	}
	_, err := meter.Int64ObservableGauge("gateway.log.bytes", metric.WithUnit("By"), metric.WithDescription("records not yet shipped"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error { o.Observe(w.log.Stats().Bytes); return nil }))
	if err != nil {
		return err
	}
	_, err = meter.Int64ObservableGauge("gateway.snapshot.omitted", metric.WithUnit("{part}"), metric.WithDescription("services and key sets of the snapshot in force that are left out"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			if v := w.policy.View(); v != nil {
				o.Observe(int64(len(v.Omitted)))
			}
			return nil
		}))
	if err != nil {
		return err
	}
	_, err = meter.Float64ObservableGauge("gateway.snapshot.age", metric.WithUnit("s"), metric.WithDescription("time since the snapshot in force was confirmed to be the newest"),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			if w.policy.View() != nil {
				o.Observe(w.policy.Age().Seconds())
			}
			return nil
		}))
	return err
}
