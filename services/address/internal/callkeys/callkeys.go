// Package callkeys follows the hub's published key set, so that this service knows the keys that gateways sign call
// tokens with, also those of a gateway that came later.
package callkeys

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/libs/token"
)

const (
	interval = time.Minute            // between two readings
	soonest  = 5 * time.Second        // after a reading, when an unknown key comes by
	eager    = 100 * time.Millisecond // while there is no key at all: at a start of the whole hub
	maxSet   = 1 << 20                // bytes
)

// Source is a token.KeySource that is read from a URL. The last good set stays in use while the URL does not answer.
type Source struct {
	url    string
	client *http.Client
	logger *slog.Logger
	keys   atomic.Pointer[token.Keys]
	missed chan struct{}
}

// New makes a source for a JWK Set (RFC 7517). It knows no key before Follow has read the set once.
func New(url string, client *http.Client, logger *slog.Logger) *Source {
	s := &Source{url: url, client: client, logger: logger, missed: make(chan struct{}, 1)}
	s.keys.Store(&token.Keys{})
	return s
}

// Key looks a key up. An unknown one makes Follow read the set soon.
func (s *Source) Key(kid string) (*ecdsa.PublicKey, bool) {
	key, ok := s.keys.Load().Key(kid)
	if !ok {
		select {
		case s.missed <- struct{}{}:
		default:
		}
	}
	return key, ok
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
		if err := s.read(ctx); err != nil {
			s.logger.WarnContext(ctx, "keys of call tokens not read", "url", s.url, "error", err)
			wait = soonest
		}
		pause := soonest
		if len(*s.keys.Load()) == 0 {
			pause, wait = eager, eager
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
		if wait -= pause; wait <= 0 {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.missed:
			timer.Stop()
		case <-timer.C:
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
	ctx, cancel := context.WithTimeout(ctx, soonest)
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
