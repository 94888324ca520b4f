package consul

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/hashicorp/consul/api"
)

// fake is an agent with the index rules of the real one: a query waits until the index passes the one it names, every
// change raises the index, and a restored agent starts lower.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	index    uint64
	changed  chan struct{}
	services map[string]api.AgentServiceRegistration
	critical map[string]bool
	keys     map[string]api.KVPair
	away     bool
	filtered bool
	queries  int
}

func newFake(t *testing.T) *fake {
	f := &fake{index: 10, changed: make(chan struct{}), services: map[string]api.AgentServiceRegistration{}, critical: map[string]bool{}, keys: map[string]api.KVPair{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health/service/{name}", f.health)
	mux.HandleFunc("PUT /v1/agent/service/register", f.register)
	mux.HandleFunc("PUT /v1/agent/service/deregister/{id}", f.deregister)
	mux.HandleFunc("PUT /v1/agent/check/update/{id}", f.renew)
	mux.HandleFunc("GET /v1/kv/{key...}", f.read)
	mux.HandleFunc("PUT /v1/kv/{key...}", f.cas)
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

// wait holds a blocking query until something changed, and leaves the lock with the caller. False: nobody waits any more.
func (f *fake) wait(r *http.Request) bool {
	index, _ := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64)
	f.mu.Lock()
	f.queries++
	for !f.away && index == f.index { // lower: restored, and answered at once
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-r.Context().Done():
			return false
		}
		f.mu.Lock()
	}
	return true
}

func (f *fake) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("X-Consul-Index", strconv.FormatUint(f.index, 10))
	w.Header().Set("X-Consul-Lastcontact", "0") // without it the client reads no further
	w.Header().Set("X-Consul-Knownleader", "true")
	w.Header().Set("X-Consul-Results-Filtered-By-ACLs", strconv.FormatBool(f.filtered))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *fake) health(w http.ResponseWriter, r *http.Request) {
	if !f.wait(r) {
		return
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
	f.answer(w, http.StatusOK, entries)
}

func (f *fake) register(w http.ResponseWriter, r *http.Request) {
	var s api.AgentServiceRegistration
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil || f.isAway() {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	f.change(func() {
		f.services[s.ID] = s
		f.critical[s.ID] = s.Check != nil && s.Check.Status != api.HealthPassing
	})
}

func (f *fake) deregister(_ http.ResponseWriter, r *http.Request) {
	f.change(func() { delete(f.services, r.PathValue("id")) })
}

// renew is a TTL check of a service, which has the id of its service here.
func (f *fake) renew(w http.ResponseWriter, r *http.Request) {
	var check struct{ Status string }
	if err := json.NewDecoder(r.Body).Decode(&check); err != nil || f.isAway() || !f.has(r.PathValue("id")) {
		http.Error(w, "no", http.StatusNotFound)
		return
	}
	critical := check.Status != api.HealthPassing
	if f.isCritical(r.PathValue("id")) != critical {
		f.change(func() { f.critical[r.PathValue("id")] = critical })
	}
}

func (f *fake) isCritical(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.critical[id]
}

func (f *fake) read(w http.ResponseWriter, r *http.Request) {
	if !f.wait(r) {
		return
	}
	defer f.mu.Unlock()
	if f.away {
		http.Error(w, "no leader", http.StatusInternalServerError)
		return
	}
	if pair, ok := f.keys[r.PathValue("key")]; ok {
		f.answer(w, http.StatusOK, []api.KVPair{pair})
		return
	}
	f.answer(w, http.StatusNotFound, nil)
}

func (f *fake) cas(w http.ResponseWriter, r *http.Request) {
	index, err := strconv.ParseUint(r.URL.Query().Get("cas"), 10, 64)
	value, _ := io.ReadAll(r.Body)
	if err != nil || f.isAway() {
		http.Error(w, "no", http.StatusInternalServerError)
		return
	}
	done := false
	f.change(func() {
		if f.keys[r.PathValue("key")].ModifyIndex == index {
			f.keys[r.PathValue("key")], done = api.KVPair{Key: r.PathValue("key"), Value: value, ModifyIndex: f.index}, true
		}
	})
	_, _ = io.WriteString(w, strconv.FormatBool(done))
}

// put writes a key as anybody may; an empty value deletes it.
func (f *fake) put(key, value string) {
	f.change(func() {
		f.keys[key] = api.KVPair{Key: key, Value: []byte(value), ModifyIndex: f.index}
		if value == "" {
			delete(f.keys, key)
		}
	})
}

func (f *fake) value(key string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.keys[key].Value)
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
