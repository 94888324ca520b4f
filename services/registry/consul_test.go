package registry_test

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/discovery/consul/consultest"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/registry"
	"noorderhub.nl/hub/services/registry/api"
)

var quiet = slog.New(slog.DiscardHandler)

// counted counts the questions of a follower.
type counted struct {
	*api.Remote
	asked chan struct{}
}

func (c counted) Snapshot(ctx context.Context, after api.Held, wait time.Duration) (api.Sealed, error) {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.Remote.Snapshot(ctx, after, wait)
}

// dataPlane is a part that follows the registry as all do: by its name in Consul, with hints from there.
func (w *world) dataPlane(cfg consul.Config, address string) (*api.Follower, counted) {
	w.t.Helper()
	catalogue, err := consul.Open(cfg, quiet)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := workload.Load(w.files("gateway"))
	if err != nil {
		w.t.Fatal(err)
	}
	a, client := app.New("gateway", quiet, 5*time.Second), id.HTTPClient(registry.Part)
	base, err := catalogue.Dial(a, address, client)
	if err != nil {
		w.t.Fatal(err)
	}
	source := counted{&api.Remote{Base: base, HTTP: client}, make(chan struct{}, 1000)}
	follower, err := api.NewFollower(w.t.Context(), api.FollowerOptions{Source: source, Pinned: []*ecdsa.PublicKey{&w.key.PublicKey}, Logger: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	follower.Heed(catalogue.Watch(a, api.VersionKey))
	a.Background("registry follower", follower.Run)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("got %v from the data plane", err)
		}
	})
	return follower, source
}

// inForce waits until a follower has version number, d at most.
func inForce(t *testing.T, f *api.Follower, number uint64, d time.Duration) {
	t.Helper()
	began := time.Now()
	for {
		changed := f.Changed()
		if s := f.Current(); s != nil && s.Version.Number >= number {
			t.Logf("version %d in force after %v", number, time.Since(began).Round(time.Millisecond))
			return
		}
		select {
		case <-changed:
		case <-time.After(d - time.Since(began)):
			t.Fatalf("version %d is not in force after %v", number, d)
		}
	}
}

// longestPause is between two attempts to reach Consul.
const longestPause = 6 * time.Second

// change makes a new version.
func (w *world) change(title *int) {
	w.t.Helper()
	old := "title: Adressen"
	if *title > 0 {
		old = fmt.Sprintf("title: Titel-%d", *title)
	}
	*title++
	w.region.Replace(w.t, old, fmt.Sprintf("title: Titel-%d", *title))
	if _, err := w.svc.Reload(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestAChangeIsInForceWithinASecondWithConsulAndFiveWithout(t *testing.T) {
	agent := consultest.Start(t)
	w := newWorld(t)
	w.cfg.Consul = consul.Config{Address: agent.URL}
	agent.Kill() // at the start of both
	w.start()
	f, source := w.dataPlane(w.cfg.Consul, "https://"+w.svc.Addr())
	inForce(t, f, 1, 5*time.Second)
	title := 0
	w.change(&title)
	inForce(t, f, 2, 5*time.Second)
	agent.Restart()
	named, _ := w.dataPlane(w.cfg.Consul, "consul:"+registry.Part)
	inForce(t, named, 2, 15*time.Second)
	<-time.After(longestPause) // by now all have found Consul again, and the registry told its newest version
	for number := uint64(3); number < 6; number++ {
		w.change(&title)
		inForce(t, f, number, time.Second)
		inForce(t, named, number, time.Second)
	}
	if got := f.Counts(); got.Deltas != 4 || got.Whole != 1 || got.Misfits != 0 {
		t.Errorf("got %+v, want all but the first as deltas", got)
	}
	agent.Kill()
	w.change(&title)
	inForce(t, f, 6, 5*time.Second)
	inForce(t, named, 6, 5*time.Second)
	agent.Restart()
	for len(source.asked) > 0 {
		<-source.asked
	}
	<-time.After(3 * time.Second)
	if n := len(source.asked); n > 8 {
		t.Errorf("got %d questions in three seconds while nothing changed", n)
	}
}

func TestAForgedVersionInConsulCostsAQuestionOnly(t *testing.T) {
	agent := consultest.Start(t)
	w := newWorld(t)
	w.cfg.Consul = consul.Config{Address: agent.URL}
	w.start()
	f, _ := w.dataPlane(w.cfg.Consul, "https://"+w.svc.Addr())
	inForce(t, f, 1, 5*time.Second)
	forger, err := consul.Open(w.cfg.Consul, quiet)
	if err != nil {
		t.Fatal(err)
	}
	a := app.New("forger", quiet, 5*time.Second)
	forger.Keeper(a, api.VersionKey, func(string, string) bool { return false }).Keep("999.1")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	title := 0
	for number := uint64(2); number < 4; number++ { // the registry's own hint does not come through: the net catches it
		w.change(&title)
		inForce(t, f, number, 5*time.Second)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if age := f.Age(); age > 5*time.Second {
		t.Errorf("got age %v", age)
	}
}

func TestARegistryThatComesBackIsFollowedFromWhereItWas(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.cfg.Listen = w.svc.Addr()
	f, _ := w.dataPlane(consul.Config{}, "https://"+w.svc.Addr())
	inForce(t, f, 1, 5*time.Second)
	w.stop()
	w.region.Replace(t, "title: Adressen", "title: Anders")
	w.start()
	inForce(t, f, 2, 6*time.Second)
	if got := f.Counts(); got.Misfits != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestAnOldFollowerGetsTheWholeAndANewOneTheDelta(t *testing.T) {
	w := newWorld(t).start()
	remote := w.remote("gateway")
	first, err := remote.Snapshot(t.Context(), api.Held{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	title := 0
	w.change(&title)
	w.change(&title)
	newest, err := remote.Snapshot(t.Context(), api.Held{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	v1 := api.Version{Epoch: 1, Number: 1}
	for _, tt := range []struct {
		name  string
		held  api.Held
		delta bool
	}{
		{"one that knows no deltas", api.Held{Version: v1, Hash: first.Hash()}, false},
		{"one that takes deltas", api.Held{Version: v1, Hash: first.Hash(), Body: first.Body}, true},
		{"one that holds another content", api.Held{Version: v1, Hash: newest.Hash(), Body: newest.Body}, false},
		{"one that does not say what it holds", api.Held{Version: v1, Body: first.Body}, false},
		{"one of an older epoch", api.Held{Version: api.Version{Number: 7}, Hash: first.Hash(), Body: first.Body}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := remote.Snapshot(t.Context(), tt.held, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got.Delta != tt.delta || got.Hash() != newest.Hash() {
				t.Errorf("got a delta: %v, want %v; the newest: %v", got.Delta, tt.delta, got.Hash() == newest.Hash())
			}
			if _, err := got.Open(&w.key.PublicKey); err != nil {
				t.Error(err)
			}
		})
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"https://"+w.svc.Addr()+"/intern/v1/snapshot?na=1.1&hash="+first.Hash(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", api.DeltaType)
	resp, err := w.http("gateway").Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got := resp.Header.Get("Content-Type"); got != api.DeltaType || resp.Header.Get("Vary") != "Accept" {
		t.Errorf("got %s, Vary %q", got, resp.Header.Get("Vary"))
	}
}
