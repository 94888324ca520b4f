// Package callkeys follows the hub's published key set, so that this service knows the keys that gateways sign call
// tokens with, also those of a gateway that came a moment ago.
package callkeys

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/libs/token"
)

const (
	interval = time.Minute            // between two readings
	retry    = 5 * time.Second        // after a reading that failed
	eager    = 100 * time.Millisecond // while there is no key at all, and between readings for an unknown key
	attempts = 4                      // readings for one unknown key
	timeout  = 5 * time.Second        // of one reading
	maxSet   = 1 << 20                // bytes
)

// Source is a token.KeySource that is read from a URL. The last good set stays in use while the URL does not answer.
type Source struct {
	url    string
	client *http.Client
	logger *slog.Logger
	keys   atomic.Pointer[token.Keys]

	mu   sync.Mutex // one reading at a time
	last time.Time  // start of the latest one
}

// New makes a source for a JWK Set (RFC 7517). It knows no key before the set was read once.
func New(url string, client *http.Client, logger *slog.Logger) *Source {
	s := &Source{url: url, client: client, logger: logger}
	s.keys.Store(&token.Keys{})
	return s
}

// Key looks a key up. For an unknown one the set is read anew, a few times in less than half a second: a gateway takes
// calls as soon as the registry announced its key, which may be a moment before the set shows it. Only gateways get as
// far as here, and readings keep their distance, so forged key ids cost the hub ten readings a second at the most.
func (s *Source) Key(kid string) (*ecdsa.PublicKey, bool) {
	key, ok := s.keys.Load().Key(kid)
	for try := 0; !ok && try < attempts; try++ {
		s.readAfterPause(context.Background())
		key, ok = s.keys.Load().Key(kid)
	}
	return key, ok
}

// readAfterPause reads the set once the latest reading is long enough ago. Who waited while another read takes the result.
func (s *Source) readAfterPause(ctx context.Context) {
	asked := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.After(asked) {
		return
	}
	if sleep(ctx, eager-time.Since(s.last)) {
		_ = s.read(ctx) // Follow tells of a set that cannot be read
	}
}

// Ready tells whether a set was read.
func (s *Source) Ready(context.Context) error {
	if len(*s.keys.Load()) == 0 {
		return fmt.Errorf("no keys read from %s yet", s.url)
	}
	return nil
}

// Follow reads the set again and again until ctx ends.
func (s *Source) Follow(ctx context.Context) error {
	for {
		wait := interval
		s.mu.Lock()
		err := s.read(ctx)
		s.mu.Unlock()
		switch {
		case len(*s.keys.Load()) == 0:
			wait = eager
		case err != nil:
			wait = retry
		}
		if err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "keys of call tokens not read", "url", s.url, "error", err)
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Source) read(ctx context.Context) error {
	s.last = time.Now()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSet))
	if err != nil {
		return err
	}
	keys, err := token.ParseKeys(body)
	if err != nil {
		return err
	}
	s.keys.Store(&keys)
	return nil
}
