package callkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/token"
)

func newKey(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestTheLastGoodSetStaysInUse(t *testing.T) {
	key := newKey(t)
	set, err := token.PublicSet(key)
	if err != nil {
		t.Fatal(err)
	}
	kid, err := token.KeyID(key)
	if err != nil {
		t.Fatal(err)
	}
	var answer atomic.Value
	answer.Store([]byte("{"))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer.Load().([]byte)) }))
	s := New(server.URL, server.Client(), slog.New(slog.DiscardHandler))
	if err := s.read(t.Context()); err == nil || s.Ready(t.Context()) == nil {
		t.Errorf("got %v, want a set that is no JSON refused and the source not ready", err)
	}
	answer.Store([]byte(set))
	if err := s.read(t.Context()); err != nil || s.Ready(t.Context()) != nil {
		t.Fatal(err)
	}
	if got, ok := s.Key(kid); !ok || !got.Equal(key) {
		t.Errorf("got %v %v, want the key", got, ok)
	}
	server.Close()
	if err := s.read(t.Context()); err == nil {
		t.Error("read from a closed server")
	}
	if _, ok := s.Key(kid); !ok {
		t.Error("the last good set is gone")
	}
}

func TestAKeyThatWasPublishedAMomentAgoIsFound(t *testing.T) {
	key := newKey(t)
	set, err := token.PublicSet(key)
	if err != nil {
		t.Fatal(err)
	}
	kid, err := token.KeyID(key)
	if err != nil {
		t.Fatal(err)
	}
	old, err := token.PublicSet(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	var readings atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if readings.Add(1) < 3 {
			_, _ = w.Write(old)
			return
		}
		_, _ = w.Write(set)
	}))
	defer server.Close()
	s := New(server.URL, server.Client(), slog.New(slog.DiscardHandler))
	if err := s.read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Key(kid); !ok || !got.Equal(key) {
		t.Errorf("got %v %v after %d readings, want the key", got, ok, readings.Load())
	}
}

func TestForgedKeyIDsDoNotFloodTheHub(t *testing.T) {
	set, err := token.PublicSet(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	var readings atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		readings.Add(1)
		_, _ = w.Write(set)
	}))
	defer server.Close()
	s := New(server.URL, server.Client(), slog.New(slog.DiscardHandler))
	began := time.Now()
	var askers sync.WaitGroup
	for range 50 {
		askers.Go(func() {
			if _, ok := s.Key("forged"); ok {
				t.Error("got a key for a forged id")
			}
		})
	}
	askers.Wait()
	took := time.Since(began)
	if got, most := readings.Load(), int64(took/eager)+2; got > most {
		t.Errorf("got %d readings for 50 askers in %s, want one per %s at most", got, took, eager)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := New("http://127.0.0.1:1", http.DefaultClient, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- s.Follow(ctx) }()
	cancel()
	if err := <-done; err == nil {
		t.Error("got no error of the context")
	}
}
