package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts what came of calls.
type tally struct {
	mu     sync.Mutex
	kinds  map[string]int
	ids    []string // transactions of the calls that were answered
	faults map[string]error
}

func (t *tally) add(a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kinds == nil {
		t.kinds, t.faults = map[string]int{}, map[string]error{}
	}
	t.kinds[a.kind()]++
	if a.err != nil {
		t.faults[a.kind()] = a.err
	}
	if a.kind() == answered {
		t.ids = append(t.ids, a.transaction)
	}
}

func (t *tally) count(kind string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kinds[kind]
}

func (t *tally) answered() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.ids)
}

// String tells all counts: "120 calls: 118 answered, 2 503 service-unavailable".
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	total, words := 0, make([]string, 0, len(t.kinds))
	for _, kind := range slices.Sorted(maps.Keys(t.kinds)) {
		total += t.kinds[kind]
		words = append(words, fmt.Sprintf("%d %s", t.kinds[kind], kind))
	}
	return fmt.Sprintf("%d calls: %s", total, strings.Join(words, ", "))
}

// only demands that there were calls and that every one ended in one of these ways.
func (t *tally) only(kinds ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var faults []error
	seen := 0
	for kind, n := range t.kinds {
		seen += n
		if !slices.Contains(kinds, kind) {
			faults = append(faults, fmt.Errorf("%d calls ended as %q", n, kind), t.faults[kind])
		}
	}
	if seen == 0 {
		faults = append(faults, errors.New("no call was made"))
	}
	return errors.Join(faults...)
}

const (
	answered   = "answered"
	noAnswer   = "no answer"
	callEvery  = 25 * time.Millisecond
	lookAround = 2 * time.Second // of traffic before and after something breaks
)

// traffic is calls that go on until stop.
type traffic struct {
	*tally
	end  context.CancelFunc
	done sync.WaitGroup
}

// startTraffic lets each caller call one after the other.
func startTraffic(ctx context.Context, callers ...*caller) *traffic {
	ctx, end := context.WithCancel(ctx)
	t := &traffic{tally: &tally{}, end: end}
	for _, c := range callers {
		t.done.Go(func() {
			for ctx.Err() == nil {
				if a := c.call(context.WithoutCancel(ctx), "GET", examplePath); ctx.Err() == nil || a.err == nil {
					t.add(a)
				}
				wait(ctx, callEvery)
			}
		})
	}
	return t
}

// stop ends the calls and gives the count.
func (t *traffic) stop() *tally {
	t.end()
	t.done.Wait()
	return t.tally
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
