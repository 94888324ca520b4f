package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// batchSize is the largest number of spans in one request.
const batchSize = 512

// batcher is a span processor like the one of the SDK, except that it counts every span it could not deliver. Ending a
// span costs one channel send and never waits.
type batcher struct {
	exporter sdktrace.SpanExporter
	delay    time.Duration
	logger   *slog.Logger

	queue   chan sdktrace.ReadOnlySpan
	flush   chan chan struct{}
	stop    chan struct{} // closed by Shutdown
	stopped chan struct{} // closed when the last batch is out
	once    sync.Once
	dropped atomic.Int64
}

func newBatcher(exporter sdktrace.SpanExporter, cfg Config, logger *slog.Logger, meter metric.Meter) (*batcher, error) {
	b := &batcher{
		exporter: exporter,
		delay:    cfg.Delay,
		logger:   logger,
		flush:    make(chan chan struct{}),
		stop:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	if b.delay <= 0 {
		b.delay = defaultDelay
	}
	if b.logger == nil {
		b.logger = slog.New(slog.DiscardHandler)
	}
	size := cfg.Queue
	if size <= 0 {
		size = defaultQueue
	}
	b.queue = make(chan sdktrace.ReadOnlySpan, size)
	_, err := meter.Int64ObservableCounter("telemetry.spans.dropped",
		metric.WithDescription("Finished spans that were not delivered: queue full or collector away."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(b.dropped.Load())
			return nil
		}))
	if err != nil {
		return nil, err
	}
	go b.run()
	return b, nil
}

// OnStart implements sdktrace.SpanProcessor.
func (b *batcher) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (b *batcher) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	select {
	case <-b.stop:
		b.dropped.Add(1)
		return
	default:
	}
	select {
	case b.queue <- s:
	default:
		b.dropped.Add(1)
	}
}

// run collects spans until a batch is full or the oldest has waited for the delay.
func (b *batcher) run() {
	defer close(b.stopped)
	batch := make([]sdktrace.ReadOnlySpan, 0, batchSize)
	timer := time.NewTimer(b.delay)
	timer.Stop()
	send := func() {
		timer.Stop()
		b.send(batch)
		clear(batch)
		batch = batch[:0]
	}
	add := func(s sdktrace.ReadOnlySpan) {
		if len(batch) == 0 {
			timer.Reset(b.delay)
		}
		if batch = append(batch, s); len(batch) == batchSize {
			send()
		}
	}
	drain := func() {
		for range len(b.queue) {
			add(<-b.queue)
		}
		send()
	}
	for {
		select {
		case s := <-b.queue:
			add(s)
		case <-timer.C:
			send()
		case done := <-b.flush:
			drain()
			close(done)
		case <-b.stop:
			drain()
			return
		}
	}
}

func (b *batcher) send(batch []sdktrace.ReadOnlySpan) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), exportTimeout)
	defer cancel()
	if err := b.exporter.ExportSpans(ctx, batch); err != nil {
		b.dropped.Add(int64(len(batch)))
		b.logger.WarnContext(ctx, "spans were not delivered", "spans", len(batch), "error", err)
	}
}

// ForceFlush implements sdktrace.SpanProcessor.
func (b *batcher) ForceFlush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case b.flush <- done:
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (b *batcher) Shutdown(ctx context.Context) error {
	b.once.Do(func() { close(b.stop) })
	select {
	case <-b.stopped:
		return b.exporter.Shutdown(ctx)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
