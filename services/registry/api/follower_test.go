package api_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"noorderhub.nl/hub/services/registry/api"
)

// registry is a Source that tests steer.
type registry struct {
	mu     sync.Mutex
	offer  api.Sealed
	fault  error
	wake   chan struct{}
	polled int
}

func newRegistry() *registry { return &registry{wake: make(chan struct{})} }

func (r *registry) set(offer api.Sealed, fault error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offer, r.fault = offer, fault
	close(r.wake)
	r.wake = make(chan struct{})
}

// offerQuietly is for the next poll: it wakes nobody.
func (r *registry) offerQuietly(offer api.Sealed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.offer = offer
}

func (r *registry) polls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.polled
}

// Snapshot offers once; then it waits like the real one.
func (r *registry) Snapshot(ctx context.Context, after api.Held, wait time.Duration) (api.Sealed, error) {
	r.mu.Lock()
	offer, fault, wake := r.offer, r.fault, r.wake
	r.offer = api.Sealed{}
	r.polled++
	r.mu.Unlock()
	if fault != nil {
		return api.Sealed{}, fault
	}
	if offer.Body != nil {
		return offer, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-wake:
		return r.Snapshot(ctx, after, wait)
	case <-timer.C:
		return api.Sealed{}, api.ErrNothingNewer
	case <-ctx.Done():
		return api.Sealed{}, ctx.Err()
	}
}

type world struct {
	t        *testing.T
	key      *ecdsa.PrivateKey
	registry *registry
	file     string
	log      *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, key: newKey(t), registry: newRegistry(), file: filepath.Join(t.TempDir(), "snapshot"), log: &bytes.Buffer{},
	}
}

func (w *world) follower() *api.Follower {
	w.t.Helper()
	return w.followerOf(w.registry)
}

func (w *world) followerOf(source api.Source) *api.Follower {
	w.t.Helper()
	f, err := api.NewFollower(context.Background(), api.FollowerOptions{
		Source: source, Pinned: []*ecdsa.PublicKey{&w.key.PublicKey}, File: w.file,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func (w *world) run(f *api.Follower) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("got %v from Run, want nil", err)
		}
	}
}

func (w *world) want(f *api.Follower, v api.Version) {
	w.t.Helper()
	synctest.Wait()
	if s := f.Current(); s == nil || s.Version != v {
		w.t.Fatalf("got %+v in force, want version %s\n%s", s, v, w.log)
	}
}

func TestAFollowerTakesNewSnapshotsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.follower()
		if f.Current() != nil || f.Age() < time.Hour {
			t.Error("a fresh follower claims to know something")
		}
		defer w.run(f)()
		changed := f.Changed()
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		<-changed
		w.want(f, api.Version{Epoch: 1, Number: 1})
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 2}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 2})
		if got, err := f.Wait(t.Context()); err != nil || got.Version.Number != 2 {
			t.Errorf("got %v, %v from Wait", got, err)
		}
	})
}

func TestAFollowerSurvivesTheRegistryAndItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.follower()
		stop := w.run(f)
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})

		w.registry.set(api.Sealed{}, errors.New("connection refused"))
		time.Sleep(time.Hour)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		if age := f.Age(); age < 59*time.Minute || age > 61*time.Minute {
			t.Errorf("got age %v after an hour without registry", age)
		}
		if polls := w.registry.polls(); polls < 900 || polls > 1900 {
			t.Errorf("asked %d times in an hour, want a back-off of 2 to 4 s", polls)
		}
		stop()

		again := w.follower()
		if s := again.Current(); s == nil || s.Version.Number != 1 {
			t.Fatalf("got %v from the disk, want version 1.1", s)
		}
		defer w.run(again)()
		time.Sleep(time.Hour) // deep in the back-off
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 2}), nil)
		time.Sleep(5 * time.Second)
		w.want(again, api.Version{Epoch: 1, Number: 2})
	})
}

func TestAFollowerRefuses(t *testing.T) {
	good := api.Version{Epoch: 2, Number: 5}
	for _, tt := range []struct {
		name  string
		offer func(t *testing.T, w *world) api.Sealed
		want  string
	}{
		{"a signature of another key", func(t *testing.T, _ *world) api.Sealed {
			return seal(t, newKey(t), api.Version{Epoch: 2, Number: 6})
		}, api.ErrSignature.Error()},
		{"an older number", func(t *testing.T, w *world) api.Sealed {
			return seal(t, w.key, api.Version{Epoch: 2, Number: 4})
		}, api.ErrRollback.Error()},
		{"the same number again", func(t *testing.T, w *world) api.Sealed { return seal(t, w.key, good) }, api.ErrRollback.Error()},
		{"an older epoch with a higher number", func(t *testing.T, w *world) api.Sealed {
			return seal(t, w.key, api.Version{Epoch: 1, Number: 99})
		}, api.ErrRollback.Error()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				f := w.follower()
				defer w.run(f)()
				w.registry.set(seal(t, w.key, good), nil)
				w.want(f, good)
				w.registry.set(tt.offer(t, w), nil)
				w.want(f, good)
				if log := w.log.String(); !strings.Contains(log, tt.want) {
					t.Errorf("got log %s\nwant %q in it", log, tt.want)
				}
				next := api.Version{Epoch: 3, Number: 1}
				w.registry.set(seal(t, w.key, next), nil)
				time.Sleep(time.Minute)
				w.want(f, next)
			})
		})
	}
}

func TestTheAgeIsNotOfTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.follower()
		stop := w.run(f)
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		time.Sleep(10 * time.Minute) // the registry confirms all the while
		synctest.Wait()
		stop()
		time.Sleep(time.Hour)
		if err := os.Chtimes(w.file, time.Now(), time.Now()); err != nil { // as a copy or a restored backup would
			t.Fatal(err)
		}
		if age := w.follower().Age(); age < time.Hour || age > time.Hour+2*time.Minute {
			t.Errorf("got age %v, want the hour since the last answer", age)
		}
		raw, err := os.ReadFile(w.file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitN(string(raw), "\n", 3)
		lines[1] = time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano)
		if err := os.WriteFile(w.file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		again := w.follower()
		if again.Current() == nil || again.Age() < 24*time.Hour {
			t.Errorf("got snapshot %v of age %v, want one that was never confirmed", again.Current(), again.Age())
		}
	})
}

func TestADamagedFileIsLeftAside(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"a changed byte": func(b []byte) []byte { b[len(b)-20] ^= 1; return b },
		"half a file":    func(b []byte) []byte { return b[:len(b)/2] },
		"an empty file":  func([]byte) []byte { return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			f := w.follower()
			stop := w.run(f)
			w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
			w.want(f, api.Version{Epoch: 1, Number: 1})
			stop()
			raw, err := os.ReadFile(w.file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(w.file, spoil(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			again := w.follower()
			if again.Current() != nil {
				t.Errorf("%s was taken", name)
			}
			if !strings.Contains(w.log.String(), "left aside") {
				t.Errorf("%s: nothing in the log", name)
			}
		})
	}
}

func TestAFullDiskDoesNotKeepASnapshotFromTakingEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.file = filepath.Join(t.TempDir(), "gone", "snapshot")
		f := w.follower()
		defer w.run(f)()
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		if !strings.Contains(w.log.String(), "not stored") {
			t.Error("nothing in the log")
		}
	})
}

func TestAQuietRegistryKeepsTheAgeLow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		f := w.follower()
		defer w.run(f)()
		w.registry.set(seal(t, w.key, api.Version{Epoch: 1, Number: 1}), nil)
		w.want(f, api.Version{Epoch: 1, Number: 1})
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if age := f.Age(); age > time.Minute {
			t.Errorf("got age %v although the registry answers", age)
		}
	})
}
