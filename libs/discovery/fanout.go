package discovery

import (
	"sync"

	"github.com/go-kit/kit/sd"
)

// Fanout brings the newest event of a source to everybody who registered, in order and without one slow receiver
// holding up the source or the others. An Instancer embeds it: Register, Deregister and the bookkeeping of its Stop are
// here. The zero value is ready.
type Fanout struct {
	mu      sync.Mutex
	last    *sd.Event
	stopped bool
	subs    map[chan<- sd.Event]*subscriber
	wg      sync.WaitGroup
}

type subscriber struct {
	wake chan struct{} // capacity 1: events coalesce
	gone chan struct{}
}

// Publish makes e the newest event.
func (f *Fanout) Publish(e sd.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = &e
	for _, s := range f.subs {
		s.notify()
	}
}

// Register sends the newest event, as soon as there is one, and every later one to ch.
func (f *Fanout) Register(ch chan<- sd.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.subs[ch]; known || f.stopped {
		return
	}
	if f.subs == nil {
		f.subs = map[chan<- sd.Event]*subscriber{}
	}
	s := &subscriber{wake: make(chan struct{}, 1), gone: make(chan struct{})}
	f.subs[ch] = s
	if f.last != nil {
		s.notify()
	}
	f.wg.Go(func() { f.deliver(ch, s) })
}

// Deregister ends the sending to ch. An event under way may still be offered until it returns to the receiver's select.
func (f *Fanout) Deregister(ch chan<- sd.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.subs[ch]; ok {
		close(s.gone)
		delete(f.subs, ch)
	}
}

// Close ends all sending and waits until it has ended. A second call does nothing.
func (f *Fanout) Close() {
	f.mu.Lock()
	f.stopped = true
	for ch, s := range f.subs {
		close(s.gone)
		delete(f.subs, ch)
	}
	f.mu.Unlock()
	f.wg.Wait()
}

func (f *Fanout) deliver(ch chan<- sd.Event, s *subscriber) {
	for {
		select {
		case <-s.gone:
			return
		case <-s.wake:
		}
		f.mu.Lock()
		e := *f.last
		f.mu.Unlock()
		select {
		case <-s.gone:
			return
		case ch <- e:
		}
	}
}

func (s *subscriber) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
