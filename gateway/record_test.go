package gateway_test

import (
	"errors"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/config"
	registry "noorderhub.nl/hub/services/registry/api"
)

func TestWhileTheSyncBlocksTheServiceSeesNoCall(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	r := newRig(t, func(r *rig) {
		r.sync = func(f *os.File) error {
			select {
			case entered <- struct{}{}:
			default:
			}
			<-release
			return f.Sync()
		}
	})
	status := make(chan int, 1)
	go func() { status <- r.get(path, r.token(nil)).StatusCode }()
	<-entered
	if n := len(r.calls()); n != 0 {
		t.Errorf("the service got %d calls before the record was durable", n)
	}
	close(release)
	if got := <-status; got != 200 {
		t.Errorf("got %d after the sync, want 200", got)
	}
}

func TestASyncThatHangsRefusesTheCallInTime(t *testing.T) {
	release := make(chan struct{})
	r := newRig(t, func(r *rig) {
		r.cfg.LogTimeout = config.Duration(20 * time.Millisecond)
		r.sync = func(f *os.File) error { <-release; return f.Sync() }
	})
	got := r.get(path, r.token(nil))
	if got.StatusCode != 503 || got.problem().Code != "log-unavailable" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if n := len(r.calls()); n != 0 {
		t.Errorf("the service got %d calls", n)
	}
	close(release)
}

func TestASyncErrorRefusesTheCallAndTheNextGoodSyncEndsIt(t *testing.T) {
	var broken atomic.Bool
	r := newRig(t, func(r *rig) {
		r.sync = func(f *os.File) error {
			if broken.Load() {
				return errors.New("disk")
			}
			return f.Sync()
		}
	})
	broken.Store(true)
	got := r.get(path, r.token(nil))
	if got.StatusCode != 503 || got.problem().Code != "log-unavailable" || got.Header.Get("Retry-After") == "" {
		t.Fatalf("got %d %s", got.StatusCode, got.body)
	}
	checkRefusal(t, got)
	if n := len(r.calls()); n != 0 {
		t.Errorf("the service got %d calls", n)
	}
	if r.svc.Ready(t.Context()) == nil {
		t.Error("ready with a log that fails")
	}
	broken.Store(false)
	eventually(t, "the gateway is ready again", func() bool { return r.svc.Ready(t.Context()) == nil })
	if got := r.get(path, r.token(nil)); got.StatusCode != 200 {
		t.Errorf("got %d after the disk came back", got.StatusCode)
	}
}

func TestAFullLogRefusesRequiredLoggingAndLetsOpenContractsThrough(t *testing.T) {
	r := newRig(t, func(r *rig) { r.cfg.LogMax = 64 << 10 })
	r.journal.mu.Lock()
	r.journal.away = errors.New("away")
	r.journal.mu.Unlock()
	raw := r.token(nil)
	eventually(t, "the log is full", func() bool { return r.get(path, raw).StatusCode == 503 })
	r.source.change(func(s *registry.Snapshot) { s.Grants[0].Terms.Logging = "open" })
	eventually(t, "the open contract is served", func() bool { return r.get(path, raw).StatusCode == 200 })
	r.journal.mu.Lock()
	r.journal.away = nil
	r.journal.mu.Unlock()
	r.source.change(func(s *registry.Snapshot) { s.Grants[0].Terms.Logging = "required" })
	eventually(t, "the journal has taken the records", func() bool { return r.get(path, raw).StatusCode == 200 })
}

func TestAStopShipsWhatIsLeftAndARestartKeepsTheId(t *testing.T) {
	r := newRig(t)
	var calls sync.WaitGroup
	var mu sync.Mutex
	answered := map[string]bool{}
	for range 8 {
		calls.Go(func() {
			got := r.get(path, r.token(nil))
			mu.Lock()
			defer mu.Unlock()
			answered[got.Header.Get("Fsc-Transaction-Id")] = got.StatusCode == 200
		})
	}
	calls.Wait()
	r.stop()
	records := map[string]int{}
	for _, rec := range r.journal.records() {
		records[rec.TransactionID]++
	}
	for id, ok := range answered {
		if !ok || records[id] != 2 {
			t.Errorf("call %s: answered %v with %d records, want 2", id, ok, records[id])
		}
	}
	id := r.journal.records()[0].ID.Gateway
	r.start()
	got := r.get(path, r.token(nil))
	if rec := r.records(got.Header.Get("Fsc-Transaction-Id"), 2)[0]; rec.ID.Gateway != id {
		t.Errorf("got gateway id %q after the restart, want %q", rec.ID.Gateway, id)
	}
	if n := len(r.source.Current().Keys); n != 2 {
		t.Errorf("the snapshot has %d keys, want the gateway's published once", n)
	}
}

func TestAClientThatIsRefusedInALoopDoesNotFillTheLog(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.source.change(func(s *registry.Snapshot) { s.Clients[0].Disabled = true })
	})
	raw := r.token(nil)
	for range 100 {
		if got := r.get(path, raw); got.StatusCode != http.StatusForbidden {
			t.Fatalf("got %d", got.StatusCode)
		}
	}
	r.stop()
	if n := len(r.journal.records()); n == 0 || n > 60 {
		t.Errorf("got %d records of 100 equal refusals", n)
	}
}
