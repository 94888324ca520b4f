package callkeys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

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

func TestAnUnknownKeyAsksForANewReading(t *testing.T) {
	s := New("http://127.0.0.1:1", http.DefaultClient, slog.New(slog.DiscardHandler))
	for range 3 { // never blocks
		if _, ok := s.Key("unknown"); ok {
			t.Error("got a key from an empty set")
		}
	}
	if len(s.missed) != 1 {
		t.Errorf("got %d wishes for a reading, want 1", len(s.missed))
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
