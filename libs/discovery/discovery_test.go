package discovery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
)

var quiet = slog.New(slog.DiscardHandler)

func TestInstancesSurviveTheWayThroughAnEvent(t *testing.T) {
	for _, in := range []discovery.Instance{{Address: "10.0.0.1:443", Weight: 1}, {Address: "[2001:db8::1]:8443", Weight: 7}} {
		got, err := discovery.ParseInstance(in.String())
		if err != nil || got != in {
			t.Errorf("got %+v %v, want %+v", got, err, in)
		}
	}
	for _, bad := range []string{"", "host", "host:", ":80", "host:0", "host:70000", "2001:db8::1:443", "h:1;weight=0", "h:1;weight=x"} {
		if _, err := discovery.ParseInstance(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestOnlyAPlaceIsAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example:8443": "a.example:8443", "https://a.example": "a.example:443", "https://[::1]:9/": "[::1]:9",
		"http://a.example": "", "https://u:p@a.example": "", "https://a.example/path": "", "https://a.example?x": "", "a.example:1": "", "https://": "",
	} {
		got, err := discovery.FromURL(address)
		if (err == nil) != (want != "") || got.Address != want {
			t.Errorf("%s: got %q %v, want %q", address, got.Address, err, want)
		}
	}
}

// source is an instancer that a test feeds.
type source struct{ discovery.Fanout }

func (s *source) Stop() { s.Close() }

func (s *source) tell(instances ...string) { s.Publish(sd.Event{Instances: instances}) }

type fixture struct {
	*discovery.Balancer
	source *source
	mu     sync.Mutex
	fault  map[string]error
	now    time.Time
	closed map[string]bool
}

func newBalancer(t *testing.T, instances ...string) *fixture {
	t.Helper()
	f := &fixture{source: &source{}, fault: map[string]error{}, now: time.Unix(1e9, 0), closed: map[string]bool{}}
	f.source.tell(instances...)
	var err error
	f.Balancer, err = discovery.NewBalancer(discovery.Options{Instancer: f.source, Factory: f.make, Logger: quiet, Now: func() time.Time { return f.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	<-f.Known()
	return f
}

func (f *fixture) make(address string) (endpoint.Endpoint, io.Closer, error) {
	if address == "broken:1" {
		return nil, nil, errors.New("cannot be made")
	}
	return func(_ context.Context, request any) (any, error) {
		if block, ok := request.(chan struct{}); ok {
			<-block
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		return address, f.fault[address]
	}, closer(func() { f.mu.Lock(); f.closed[address] = true; f.mu.Unlock() }), nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// counts makes n calls and counts who took them.
func (f *fixture) counts(t *testing.T, n int) map[string]int {
	t.Helper()
	got := map[string]int{}
	for range n {
		m, err := f.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = m.Call(t.Context(), nil)
		got[m.Address]++
	}
	return got
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain")
		case <-tick.C:
		}
	}
}

func TestIdleInstancesTakeTurns(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1", "c:1", "a:1", "broken:1", "no place")
	got := f.counts(t, 30)
	if len(got) != 3 || got["a:1"] != 10 || got["b:1"] != 10 {
		t.Errorf("got %v, want ten each", got)
	}
}

func TestWeightAndLoadDecide(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1;weight=3")
	block := make(chan struct{})
	var calls sync.WaitGroup
	got := map[string]int{}
	for range 8 {
		m, err := f.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		got[m.Address]++
		started := make(chan struct{})
		calls.Go(func() { close(started); _, _ = m.Call(context.Background(), block) })
		<-started
		want := got["a:1"] + got["b:1"]
		eventually(t, func() bool { return f.Busy() == want })
	}
	close(block)
	calls.Wait()
	if got["b:1"] != 6 {
		t.Errorf("got %v, want 2 and 6", got)
	}
}

func TestAnInstanceThatFailsRestsAndComesBack(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1")
	f.fault["a:1"] = errors.New("down")
	f.counts(t, 6)
	if got := f.counts(t, 10); got["a:1"] != 0 {
		t.Errorf("got %v, want a resting", got)
	}
	f.now = f.now.Add(2 * time.Second)
	f.fault["a:1"] = nil
	if got := f.counts(t, 10); got["a:1"] == 0 {
		t.Errorf("got %v, want a back", got)
	}
}

func TestACancelledCallSpeaksAgainstNobody(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1")
	f.fault["a:1"] = fmt.Errorf("gone: %w", context.Canceled)
	f.counts(t, 20)
	if got := f.counts(t, 10); got["a:1"] == 0 {
		t.Errorf("got %v, want a in use", got)
	}
}

func TestWhenAllRestAllAreUsed(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1")
	f.fault["a:1"], f.fault["b:1"] = errors.New("down"), errors.New("down")
	f.counts(t, 20)
	if _, err := f.Pick(nil); err != nil {
		t.Errorf("got %v, want a guess", err)
	}
}

func TestTheLastKnownStayWhenTheSourceFails(t *testing.T) {
	f := newBalancer(t, "a:1")
	f.source.Publish(sd.Event{Err: errors.New("away")})
	f.source.tell("a:1", "b:1")
	eventually(t, func() bool { return len(f.counts(t, 4)) == 2 })
	f.source.Publish(sd.Event{Err: errors.New("away")})
	if got := f.counts(t, 4); len(got) != 2 {
		t.Errorf("got %v, want both", got)
	}
	f.source.tell("b:1")
	eventually(t, func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.closed["a:1"] })
	f.source.tell()
	f.source.tell("b:1", "c:1") // proof that the empty list was read before
	eventually(t, func() bool { return len(f.counts(t, 4)) == 2 })
}

func TestASourceThatForgotAllTakesNothingAway(t *testing.T) {
	f := newBalancer(t, "a:1")
	f.source.tell()
	for range 100 {
		if _, err := f.Pick(nil); err != nil {
			t.Fatalf("got %v, want the last known instance", err)
		}
	}
	f.source.tell("b:1")
	eventually(t, func() bool { return f.counts(t, 1)["b:1"] == 1 })
	none := newBalancer(t)
	if _, err := none.Endpoint(); !errors.Is(err, discovery.ErrNoInstances) {
		t.Errorf("got %v where none was ever known", err)
	}
}

func TestASecondPickIsAnotherInstance(t *testing.T) {
	f := newBalancer(t, "a:1", "b:1")
	first, _ := f.Pick(nil)
	if second, err := f.Pick(first); err != nil || second.Address == first.Address {
		t.Errorf("got %v %v", second, err)
	}
	f.source.tell("a:1")
	eventually(t, func() bool { return len(f.counts(t, 2)) == 1 })
	only, _ := f.Pick(nil)
	if _, err := f.Pick(only); !errors.Is(err, discovery.ErrNoInstances) {
		t.Errorf("got %v, want no other", err)
	}
}

func TestASlowReceiverGetsTheNewestAndHoldsUpNobody(t *testing.T) {
	s := &source{}
	slow, quick := make(chan sd.Event), make(chan sd.Event)
	s.Register(slow)
	s.Register(quick)
	for i := range 100 {
		s.tell(fmt.Sprint(i))
	}
	eventually(t, func() bool { e := <-quick; return e.Instances[0] == "99" })
	eventually(t, func() bool { e := <-slow; return e.Instances[0] == "99" })
	s.Deregister(slow)
	s.tell("100")
	if e := <-quick; e.Instances[0] != "100" {
		t.Errorf("got %v", e)
	}
	s.Stop()
	s.Stop()
	s.Register(make(chan sd.Event)) // after the end: nothing happens
}

func TestAClosedBalancerLetsItsSourceGo(t *testing.T) {
	f := newBalancer(t, "a:1")
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Error(err)
	}
	if !f.closed["a:1"] {
		t.Error("the instance's endpoint was not closed")
	}
	f.source.tell("b:1")
}

func TestAStaticListIsAnInstancer(t *testing.T) {
	b, err := discovery.NewBalancer(discovery.Options{
		Instancer: discovery.Static{{Address: "[::1]:1", Weight: 2}}, Logger: quiet,
		Factory: func(a string) (endpoint.Endpoint, io.Closer, error) {
			return func(context.Context, any) (any, error) { return a, nil }, nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	<-b.Known()
	call, err := b.Endpoint()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := call(t.Context(), nil); got != "[::1]:1" {
		t.Errorf("got %v", got)
	}
	if _, err := discovery.NewBalancer(discovery.Options{}); err == nil {
		t.Error("a balancer of nothing was made")
	}
}
