package token

import (
	"crypto/sha256"
	"sync"
	"time"
)

// shards keep goroutines off each other's lock.
const shards = 16

// cache holds values by the SHA-256 of the token they came from: bounded, each until its own time. The least recently
// used goes first, approximately (CLOCK): a second chance for whatever was hit since the hand passed.
type cache[V any] struct {
	shards [shards]shard[V]
}

type shard[V any] struct {
	mu    sync.Mutex
	index map[[sha256.Size]byte]int
	slots []slot[V]
	used  int
	hand  int
}

type slot[V any] struct {
	key   [sha256.Size]byte
	value V
	until time.Time
	hit   bool
}

// newCache makes a cache for about size values, at least one per shard.
func newCache[V any](size int) *cache[V] {
	c := &cache[V]{}
	per := max(size/shards, 1)
	for i := range c.shards {
		c.shards[i] = shard[V]{index: make(map[[sha256.Size]byte]int, per), slots: make([]slot[V], per)}
	}
	return c
}

func (c *cache[V]) get(key [sha256.Size]byte, now time.Time) (V, bool) {
	s := &c.shards[key[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[key]
	if !ok || !now.Before(s.slots[i].until) {
		var none V
		return none, false
	}
	s.slots[i].hit = true
	return s.slots[i].value, true
}

func (c *cache[V]) put(key [sha256.Size]byte, value V, until time.Time) {
	s := &c.shards[key[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[key]
	if !ok {
		i = s.free()
		s.index[key] = i
	}
	s.slots[i] = slot[V]{key: key, value: value, until: until}
}

// free gives a slot to write, taking it from the first value that was not hit since the hand came by.
func (s *shard[V]) free() int {
	if s.used < len(s.slots) {
		s.used++
		return s.used - 1
	}
	for s.slots[s.hand].hit {
		s.slots[s.hand].hit = false
		s.hand = (s.hand + 1) % len(s.slots)
	}
	i := s.hand
	s.hand = (s.hand + 1) % len(s.slots)
	delete(s.index, s.slots[i].key)
	return i
}
