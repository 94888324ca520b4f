package consul

import (
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/kit/sd"
)

var quiet = slog.New(slog.DiscardHandler)

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := Open(Config{Address: address}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func follow(t *testing.T, c *Client, name string) (*Instancer, chan sd.Event) {
	t.Helper()
	i, err := c.Instancer(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.Stop)
	events := make(chan sd.Event)
	i.Register(events)
	return i, events
}

// expect reads events until one has exactly these instances.
func expect(t *testing.T, events <-chan sd.Event, want ...string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	var last sd.Event
	for {
		select {
		case last = <-events:
			if last.Err == nil && slices.Equal(last.Instances, want) {
				return
			}
		case <-deadline:
			t.Fatalf("got %+v, want %v", last, want)
		}
	}
}

func TestChangesArriveWithWeightAndAnyKindOfAddress(t *testing.T) {
	f := newFake(t)
	_, events := follow(t, client(t, f.URL), "bag")
	expect(t, events)
	f.add("a", "10.0.0.1", 443, 1)
	expect(t, events, "10.0.0.1:443")
	f.add("b", "2001:db8::1", 8443, 5)
	expect(t, events, "10.0.0.1:443", "[2001:db8::1]:8443;weight=5")
	f.change(func() { f.critical["a"] = true })
	expect(t, events, "[2001:db8::1]:8443;weight=5")
	f.add("c", "", 80, 1) // no address of its own: the node's
	expect(t, events, "10.9.9.9:80", "[2001:db8::1]:8443;weight=5")
}

func TestWhileTheAgentIsAwayOnlyTheErrorIsTold(t *testing.T) {
	f := newFake(t)
	f.add("a", "10.0.0.1", 443, 1)
	_, events := follow(t, client(t, f.URL), "bag")
	expect(t, events, "10.0.0.1:443")
	f.change(func() { f.away = true })
	if e := <-events; e.Err == nil {
		t.Fatalf("got %+v, want an error and no instances", e)
	}
	f.change(func() { f.away = false })
	expect(t, events, "10.0.0.1:443")
}

func TestAStartWithoutTheAgentGoesOnWithWhatWasKnownLast(t *testing.T) {
	f := newFake(t)
	f.add("a", "10.0.0.1", 443, 3)
	dir := t.TempDir()
	start := func() (*Instancer, chan sd.Event) {
		c, err := Open(Config{Address: f.URL, LastKnown: dir}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		return follow(t, c, "bag")
	}
	first, events := start()
	expect(t, events, "10.0.0.1:443;weight=3")
	first.Stop()
	f.change(func() { f.away = true })
	_, events = start()
	expect(t, events, "10.0.0.1:443;weight=3")
	f.change(func() { f.away = false })
	f.add("b", "10.0.0.2", 443, 1)
	expect(t, events, "10.0.0.1:443;weight=3", "10.0.0.2:443")
}

func TestAnIndexThatGoesBackStartsAnew(t *testing.T) {
	f := newFake(t)
	f.add("a", "10.0.0.1", 443, 1)
	_, events := follow(t, client(t, f.URL), "bag")
	expect(t, events, "10.0.0.1:443")
	f.change(func() { // restored from a backup; the waiting query is answered with the lower index
		f.index = 2
		delete(f.services, "a")
	})
	expect(t, events)
	f.add("b", "10.0.0.2", 443, 1)
	expect(t, events, "10.0.0.2:443")
	for _, tc := range []struct{ have, got, want uint64 }{{5, 9, 9}, {5, 5, 5}, {5, 4, 0}, {5, 0, 0}, {0, 1, 1}} {
		if next := nextIndex(tc.have, tc.got); next != tc.want {
			t.Errorf("after %d an answer with %d: got %d, want %d", tc.have, tc.got, next, tc.want)
		}
	}
}

func TestAListThatRightsMadeEmptyIsAnErrorNotAnOutage(t *testing.T) {
	f := newFake(t)
	f.filtered = true
	_, events := follow(t, client(t, f.URL), "bag")
	if e := <-events; e.Err == nil || !strings.Contains(e.Err.Error(), "service:read") {
		t.Errorf("got %+v", e)
	}
}

func TestStopLeavesNothingBehindAndMayComeTwice(t *testing.T) {
	f := newFake(t)
	c := client(t, f.URL)
	follow(t, c, "warm")
	before := runtime.NumGoroutine()
	var all []*Instancer
	for range 20 {
		i, events := follow(t, c, "bag")
		<-events
		all = append(all, i)
	}
	for _, i := range all {
		i.Stop()
		i.Stop()
	}
	f.CloseClientConnections()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for runtime.NumGoroutine() > before+4 {
		select {
		case <-deadline:
			t.Fatalf("got %d goroutines, %d before", runtime.NumGoroutine(), before)
		case <-tick.C:
		}
	}
}
