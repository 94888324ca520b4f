package cache

import (
	"context"
	"sync"
	"time"
)

// bodyPatience is how long calls wait for the body of an answer that another call is fetching. That call's client may take
// it slowly.
const bodyPatience = 2 * time.Second

// flights lets one call at a time ask the service for an answer that may be kept; the others wait for it.
type flights struct {
	mu  sync.Mutex
	all map[name]*flight
}

// flight is one call under way to the service.
type flight struct {
	head chan struct{} // closed when the answer is known to be one that is kept
	done chan struct{} // closed at the end, after the fields below were set
	got  *entry        // nil when nothing was kept
	gone bool          // the client left before there was an answer: somebody else may ask
}

func newFlights() *flights { return &flights{all: map[name]*flight{}} }

// join gives the flight for a name, and whether it is the caller's to fly. Who flies must land.
func (f *flights) join(n name) (*flight, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if under, ok := f.all[n]; ok {
		return under, false
	}
	mine := &flight{head: make(chan struct{}), done: make(chan struct{})}
	f.all[n] = mine
	return mine, true
}

// land ends a flight; only the first landing counts.
func (f *flights) land(n name, fl *flight, got *entry, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all[n] != fl {
		return
	}
	delete(f.all, n)
	fl.got, fl.gone = got, gone
	close(fl.done)
}

// wait gives what the flight brought: an answer, or nil and whether it is worth asking once more.
func (fl *flight) wait(ctx context.Context) (got *entry, again bool, err error) {
	select {
	case <-fl.done:
		return fl.got, fl.gone, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	case <-fl.head:
	}
	timer := time.NewTimer(bodyPatience)
	defer timer.Stop()
	select {
	case <-fl.done:
		return fl.got, fl.gone, nil
	case <-timer.C:
		return nil, false, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
}
