package gateway

import (
	"context"

	"go.opentelemetry.io/otel/metric"

	"noorderhub.nl/hub/gateway/internal/cache"
	"noorderhub.nl/hub/gateway/internal/limit"
	registry "noorderhub.nl/hub/services/registry/api"
)

// counter is a number that only grows, read when somebody asks.
type counter struct {
	name, unit, text string
	value            func() int64
}

// cacheCounters are what the cache counts.
func cacheCounters(c *cache.Cache) []counter {
	of := func(pick func(cache.Stats) uint64) func() int64 {
		return func() int64 { return int64(pick(c.Stats())) }
	}
	return []counter{
		{"gateway.cache.local", "{call}", "calls answered from this process", of(func(s cache.Stats) uint64 { return s.Local })},
		{"gateway.cache.shared", "{call}", "calls answered from redis", of(func(s cache.Stats) uint64 { return s.Shared })},
		{"gateway.cache.missed", "{call}", "calls that went to the service though the contract lets answers be kept", of(func(s cache.Stats) uint64 { return s.Missed })},
		{"gateway.cache.kept", "{answer}", "answers kept", of(func(s cache.Stats) uint64 { return s.Kept })},
		{"gateway.cache.dropped", "{answer}", "answers that did not get to redis", of(func(s cache.Stats) uint64 { return s.Dropped })},
		{"gateway.cache.broken", "{answer}", "answers in redis that could not be read", of(func(s cache.Stats) uint64 { return s.Broken })},
	}
}

// followerCounters tell how newer snapshots came. Misfits that grow mean that somebody's bodies are not what they say.
func followerCounters(f *registry.Follower) []counter {
	of := func(pick func(registry.Counts) uint64) func() int64 {
		return func() int64 { return int64(pick(f.Counts())) }
	}
	return []counter{
		{"gateway.snapshots.deltas", "{snapshot}", "snapshots that came as a delta", of(func(c registry.Counts) uint64 { return c.Deltas })},
		{"gateway.snapshots.whole", "{snapshot}", "snapshots that came whole", of(func(c registry.Counts) uint64 { return c.Whole })},
		{"gateway.snapshots.misfits", "{delta}", "deltas that did not give what the registry signed", of(func(c registry.Counts) uint64 { return c.Misfits })},
	}
}

// measure publishes what the operators of a gateway watch, beside the requests that the telemetry counts by itself.
func (w *wiring) measure() error {
	meter := w.deps.Telemetry.Meter("gateway")
	counters := []counter{
		{"gateway.log.records", "{record}", "records made durable", func() int64 { return int64(w.log.Stats().Records) }},
		{"gateway.log.syncs", "{sync}", "syncs of the transaction log", func() int64 { return int64(w.log.Stats().Syncs) }},
		{"gateway.log.lost", "{record}", "records that could not be kept", func() int64 { return int64(w.log.Stats().Lost) }},
		{"gateway.refusals.folded", "{refusal}", "refusals counted but not recorded one by one", func() int64 { return int64(w.chain.Folded()) }},
		{"gateway.snapshots.refused", "{snapshot}", "snapshots that did not compile", func() int64 { return int64(w.policy.Refused()) }},
		{"gateway.limits.free", "{call}", "calls under a contract with limits that were let through", func() int64 { return int64(w.limits.Given(limit.Free)) }},
		{"gateway.limits.rate", "{call}", "calls refused by a contract's rate", func() int64 { return int64(w.limits.Given(limit.Rate)) }},
		{"gateway.limits.quota", "{call}", "calls refused by a contract's quota", func() int64 { return int64(w.limits.Given(limit.Quota)) }},
		{"gateway.limits.alone", "{call}", "permits that this gateway decided on by itself, while redis was away or not configured", func() int64 { return int64(w.limits.Alone()) }},
		{"gateway.limits.questions", "{question}", "questions to redis for permits, each for one call or more", func() int64 { return int64(w.limits.Asked()) }},
		{"gateway.redis.losses", "{loss}", "times that redis went away", func() int64 { return int64(w.shared.Losses()) }},
		{"gateway.panics", "{panic}", "calls that ended in a fault of the program", func() int64 { return int64(w.edge.Panics()) }},
	}
	if w.follower != nil {
		counters = append(counters, followerCounters(w.follower)...)
	}
	if w.cache != nil {
		counters = append(counters, cacheCounters(w.cache)...)
	}
	for _, m := range counters {
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
