// Package shared is the memory that the gateways have together, in Redis. It is an aid: while it does not answer, whoever
// uses it goes on with what its own process knows, at once and not after a timeout per call.
package shared

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Pauses between two looks for a Redis that is away. One that is lost again soon after it came back is left alone longer.
const (
	firstLook = 250 * time.Millisecond
	lastLook  = 8 * time.Second
	steady    = 10 * time.Second // without a loss: the next one begins with firstLook
)

// lookTimeout bounds one look.
const lookTimeout = time.Second

// Memory tells its users whether the shared memory is there.
type Memory struct {
	client redis.UniversalClient
	logger *slog.Logger
	up     atomic.Bool
	losses atomic.Uint64
	lost   chan struct{}
}

// New makes a Memory, taken to be there until somebody finds otherwise. Without a client there is none, for good.
func New(client redis.UniversalClient, logger *slog.Logger) *Memory {
	m := &Memory{client: client, logger: logger, lost: make(chan struct{}, 1)}
	m.up.Store(client != nil)
	return m
}

// Client gives the client, and false while the memory is away.
func (m *Memory) Client() (redis.UniversalClient, bool) { return m.client, m.up.Load() }

// Losses counts how often the memory went away.
func (m *Memory) Losses() uint64 { return m.losses.Load() }

// Lost says that a command failed with err. It is told to the operators once.
func (m *Memory) Lost(ctx context.Context, err error) {
	if !m.up.CompareAndSwap(true, false) {
		return
	}
	m.losses.Add(1)
	m.logger.ErrorContext(ctx, "redis is away: each gateway counts its limits and keeps its answers alone", "error", err)
	select {
	case m.lost <- struct{}{}:
	default:
	}
}

// Run looks for a memory that was lost, until ctx ends.
func (m *Memory) Run(ctx context.Context) error {
	pause, back := firstLook, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.lost:
		}
		if time.Since(back) > steady {
			pause = firstLook
		}
		for !m.up.Load() {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
			if m.answers(ctx) {
				back = time.Now()
				m.up.Store(true)
				m.logger.InfoContext(ctx, "redis is back")
			}
			pause = min(2*pause, lastLook)
		}
	}
}

func (m *Memory) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return m.client.Ping(ctx).Err() == nil
}
