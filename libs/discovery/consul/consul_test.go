package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/kit/sd"
	"github.com/hashicorp/consul/api"
)

var quiet = slog.New(slog.DiscardHandler)

// fake is an agent with the index rules of the real one: a query waits until the index passes the one it names, every
// change raises the index, and a restored agent starts lower.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	index    uint64
	changed  chan struct{}
	services map[string]api.AgentServiceRegistration
	critical map[string]bool
	away     bool
	filtered bool
	queries  int
}

func newFake(t *testing.T) *fake {
	f := &fake{index: 10, changed: make(chan struct{}), services: map[string]api.AgentServiceRegistration{}, critical: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health/service/{name}", f.health)
	mux.HandleFunc("PUT /v1/agent/service/register", f.register)
	mux.HandleFunc("PUT /v1/agent/service/deregister/{id}", f.deregister)
	mux.HandleFunc("GET /v1/agent/service/{id}", f.service)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) change(edit func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	edit()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) health(w http.ResponseWriter, r *http.Request) {
	index, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	f.mu.Lock()
	f.queries++
	for !f.away && index == f.index { // lower: restored, and answered at once
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	if f.away {
		http.Error(w, "no leader", http.StatusInternalServerError)
		return
	}
	entries := []api.ServiceEntry{}
	for _, s := range f.services {
		if s.Name == r.PathValue("name") && !f.critical[s.ID] {
			entries = append(entries, api.ServiceEntry{
				Node:    &api.Node{Node: "n", Address: "10.9.9.9"},
				Service: &api.AgentService{ID: s.ID, Service: s.Name, Address: s.Address, Port: s.Port, Weights: api.AgentWeights{Passing: s.Weights.Passing}},
			})
		}
	}
	w.Header().Set("X-Consul-Index", strconv.FormatUint(f.index, 10))
	w.Header().Set("X-Consul-Lastcontact", "0") // without it the client reads no further
	w.Header().Set("X-Consul-Knownleader", "true")
	w.Header().Set("X-Consul-Results-Filtered-By-ACLs", strconv.FormatBool(f.filtered))
	_ = json.NewEncoder(w).Encode(entries)
}

func (f *fake) register(w http.ResponseWriter, r *http.Request) {
	var s api.AgentServiceRegistration
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || f.isAway() {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	f.change(func() { f.services[s.ID] = s })
}

func (f *fake) deregister(_ http.ResponseWriter, r *http.Request) {
	f.change(func() { delete(f.services, r.PathValue("id")) })
}

func (f *fake) service(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.services[r.PathValue("id")]
	if !ok {
		http.Error(w, "unknown service ID", http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(api.AgentService{ID: s.ID, Service: s.Name})
}

func (f *fake) has(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.services[id]
	return ok
}

func (f *fake) isAway() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

func (f *fake) add(id, address string, port, weight int) {
	f.change(func() {
		f.services[id] = api.AgentServiceRegistration{ID: id, Name: "bag", Address: address, Port: port, Weights: &api.AgentWeights{Passing: weight}}
	})
}

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := NewClient(Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func follow(t *testing.T, c *Client, name string) (*Instancer, chan sd.Event) {
	t.Helper()
	i, err := c.Instancer(Query{Service: name}, quiet)
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

func TestAnInstanceRegistersAnewWhenTheAgentForgot(t *testing.T) {
	f := newFake(t)
	c := client(t, f.URL)
	_, events := follow(t, c, "bag")
	expect(t, events)
	r, err := c.register(t.Context(), Service{ID: "bag-1", Name: "bag", Host: "::1", Port: 9, Weight: 2}, quiet, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, events, "[::1]:9;weight=2")
	f.change(func() { clear(f.services) })
	deadline, tick := time.After(10*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !f.has("bag-1") {
		select {
		case <-deadline:
			t.Fatal("not registered anew")
		case <-tick.C:
		}
	}
	if err := errors.Join(r.Deregister(t.Context()), r.Deregister(t.Context())); err != nil {
		t.Error(err)
	}
	expect(t, events)
}

func TestAnAgentThatIsAwayStopsTheStart(t *testing.T) {
	f := newFake(t)
	f.away = true
	if _, err := client(t, f.URL).Register(t.Context(), Service{ID: "a", Name: "bag", Host: "h", Port: 1}, quiet); err == nil {
		t.Error("registered nowhere without an error")
	}
	for _, bad := range []string{"", "127.0.0.1:8500", "ftp://x", "://"} {
		if _, err := NewClient(Config{Address: bad}); err == nil {
			t.Errorf("%q was taken for an agent", bad)
		}
	}
}

// The same against a real agent: register, be seen, leave.
func TestARealAgent(t *testing.T) {
	address := os.Getenv("NOORDERHUB_TEST_CONSUL")
	if address == "" {
		t.Skip("NOORDERHUB_TEST_CONSUL (e.g. http://127.0.0.1:8500) is not set: only the fake agent was tested")
	}
	l := httptest.NewServer(http.NotFoundHandler())
	defer l.Close()
	port, _ := strconv.Atoi(l.URL[strings.LastIndexByte(l.URL, ':')+1:])
	name := fmt.Sprintf("proef-%d", time.Now().UnixNano())
	c := client(t, address)
	_, events := follow(t, c, name)
	expect(t, events)
	r, err := c.Register(context.Background(), Service{ID: name + "-1", Name: name, Host: "127.0.0.1", Port: port, Weight: 3}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, events, fmt.Sprintf("127.0.0.1:%d;weight=3", port))
	if err := r.Deregister(context.Background()); err != nil {
		t.Fatal(err)
	}
	expect(t, events)
}
