package shared_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/gateway/internal/shared"
)

// answering is a Redis that answers PING, or does not.
type answering struct {
	redis.UniversalClient
	mu   sync.Mutex
	err  error
	asks int
}

func (a *answering) Ping(ctx context.Context) *redis.StatusCmd {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asks++
	cmd := redis.NewStatusCmd(ctx)
	cmd.SetErr(a.err)
	return cmd
}

func (a *answering) set(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

func TestALossIsToldOnceAndTheReturnIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		client := &answering{err: errors.New("away")}
		m := shared.New(client, slog.New(slog.NewTextHandler(&log, nil)))
		go func() { _ = m.Run(t.Context()) }()
		up := func(want bool) {
			t.Helper()
			synctest.Wait()
			if _, got := m.Client(); got != want {
				t.Fatalf("got up %v, want %v", got, want)
			}
		}
		up(true)
		for range 100 {
			m.Lost(t.Context(), errors.New("refused"))
		}
		up(false)
		<-time.After(time.Minute)
		up(false)
		if client.asks > 15 {
			t.Errorf("got %d looks in a minute: too many for a Redis that is away", client.asks)
		}
		client.set(nil)
		<-time.After(9 * time.Second)
		up(true)
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || m.Losses() != 1 || !strings.Contains(log.String(), "redis is back") {
			t.Errorf("got %d errors and %d losses:\n%s", n, m.Losses(), log.String())
		}
		m.Lost(t.Context(), errors.New("refused again"))
		up(false)
		<-time.After(9 * time.Second)
		up(true)
	})
}

func TestWithoutARedisThereIsNone(t *testing.T) {
	m := shared.New(nil, slog.New(slog.DiscardHandler))
	m.Lost(t.Context(), errors.New("nothing"))
	if _, up := m.Client(); up || m.Losses() != 0 {
		t.Error("a memory without Redis is there")
	}
}
