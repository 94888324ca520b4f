package cache

import (
	"container/list"
	"sync"
	"time"
)

// memory holds answers in the process, the least recently used go first.
type memory struct {
	most int64 // bytes

	mu    sync.Mutex
	size  int64
	order *list.List // of *item, the most recently used first
	items map[name]*list.Element
}

type item struct {
	name  name
	entry *entry
	until time.Time // it may be used from here, no later than the entry itself
	size  int64
}

func newMemory(most int64) *memory {
	return &memory{most: most, order: list.New(), items: map[name]*list.Element{}}
}

func (m *memory) get(n name, now time.Time) *entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.items[n]
	if !ok {
		return nil
	}
	it := at.Value.(*item)
	if !now.Before(it.until) {
		m.remove(at)
		return nil
	}
	m.order.MoveToFront(at)
	return it.entry
}

func (m *memory) put(n name, e *entry, until time.Time) {
	size := e.size()
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.items[n]; ok {
		m.remove(at)
	}
	if size > m.most {
		return
	}
	m.items[n] = m.order.PushFront(&item{n, e, until, size})
	m.size += size
	for m.size > m.most {
		m.remove(m.order.Back())
	}
}

func (m *memory) remove(at *list.Element) {
	it := m.order.Remove(at).(*item)
	delete(m.items, it.name)
	m.size -= it.size
}

func (m *memory) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.size
}
