package store

import (
	"context"
	"sync"
	"time"
)

// pollEvery is how soon a waiting reader sees what another instance stored.
const pollEvery = time.Second

// bell wakes readers that wait for the feed of an organisation. Ringing for nobody costs nothing.
type bell struct {
	mu      sync.Mutex
	waiting map[string]chan struct{}
}

func newBell() *bell { return &bell{waiting: map[string]chan struct{}{}} }

// heard gives the channel that the next ring closes.
func (b *bell) heard(organisation string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.waiting[organisation]
	if c == nil {
		c = make(chan struct{})
		b.waiting[organisation] = c
	}
	return c
}

func (b *bell) ring(organisation string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.waiting[organisation]; c != nil {
		close(c)
		delete(b.waiting, organisation)
	}
}

// Heard gives a channel that is closed when this process adds to the feed of an organisation. It is taken before the
// feed is read, or what comes between the two would be missed.
func (s *Store) Heard(organisation string) <-chan struct{} { return s.changed.heard(organisation) }

// Await waits for heard, for a moment in which another process may have added something, or for the end of ctx.
func (s *Store) Await(ctx context.Context, heard <-chan struct{}) {
	again := time.NewTimer(pollEvery)
	defer again.Stop()
	select {
	case <-ctx.Done():
	case <-heard:
	case <-again.C:
	}
}
