package upstream

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/discovery/consul/consultest"
)

var quiet = slog.New(slog.DiscardHandler)

// instance is a service that runs in this process and stands in Consul.
type instance struct {
	calls atomic.Int64
	stop  func()
}

func newInstance(t *testing.T, agent string, weight int) *instance {
	t.Helper()
	c, err := consul.Open(consul.Config{Address: agent, Weight: weight}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	a, in := app.New("bag", quiet, 20*time.Second), &instance{} // net/http waits 5 s for connections that nobody used yet
	l, err := app.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.Serve("listener", l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.calls.Add(1)
		_, _ = io.Copy(w, r.Body)
	}))
	if err := c.Join(a, "bag", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	in.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v from an instance", err)
		}
	})
	t.Cleanup(in.stop)
	return in
}

// load calls a target without pause until stop, which gives the number of calls and the failures.
func load(t *testing.T, target *Target) (stop func() (calls int64, failed []error)) {
	t.Helper()
	var calls atomic.Int64
	var mu sync.Mutex
	var failed []error
	ctx, cancel := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	for i := range 4 {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		workers.Go(func() {
			for ctx.Err() == nil {
				if err := call(target, method); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
				calls.Add(1)
			}
		})
	}
	return func() (int64, []error) {
		cancel()
		workers.Wait()
		return calls.Load(), failed
	}
}

// call makes one call; a POST may not be sent twice.
func call(target *Target, method string) error {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("once")
	}
	r, err := http.NewRequest(method, "/", body)
	if err != nil {
		return err
	}
	r.GetBody = nil
	resp, err := target.Forward(context.Background(), r, method == http.MethodGet)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain: " + what)
		case <-tick.C:
		}
	}
}

// serves waits until an instance got n more calls.
func (in *instance) serves(t *testing.T, n int64) {
	t.Helper()
	from := in.calls.Load()
	eventually(t, "calls", func() bool { return in.calls.Load() >= from+n })
}

func TestInstancesAndConsulComeAndGoUnderLoadWithoutAFailedCall(t *testing.T) {
	agent := consultest.Start(t)
	c, err := consul.Open(consul.Config{Address: agent.URL}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	instancer, err := c.Instancer("bag")
	if err != nil {
		t.Fatal(err)
	}
	first := newInstance(t, agent.URL, 1)
	target, err := NewTarget(Config{Name: "bag", Instancer: instancer, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.Close() })
	eventually(t, "the first instance", func() bool { return call(target, http.MethodGet) == nil })

	stop := load(t, target)
	first.serves(t, 100)
	second := newInstance(t, agent.URL, 3)
	second.serves(t, 100)
	a, b := first.calls.Load(), second.calls.Load()
	second.serves(t, 3000)
	if a, b = first.calls.Load()-a, second.calls.Load()-b; b < 2*a {
		t.Errorf("got %d and %d calls for weights 1 and 3", a, b)
	}
	first.stop()
	second.serves(t, 100)

	agent.Kill()
	second.serves(t, 1000)
	agent.Restart() // without its memory
	third := newInstance(t, agent.URL, 1)
	third.serves(t, 100)
	second.serves(t, 100) // it registered anew
	second.stop()
	third.serves(t, 100)
	if calls, failed := stop(); len(failed) > 0 {
		t.Errorf("got %d failures in %d calls, the first: %v", len(failed), calls, failed[0])
	}
}
