package keys

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
)

// Part is the name under which the registry lists these keys.
const Part = "authserver"

// maintainEvery is how often the keys are looked at; publishRetry the pause after the registry did not take them, and
// publishSettle what a snapshot with them may take to come after it did.
const (
	maintainEvery = time.Hour
	publishRetry  = time.Second
	publishSettle = 10 * time.Second
)

var codeNoKey = &errs.Code{
	ID: "signing-key-unpublished", Kind: errs.Unavailable, Side: errs.SideHub,
	Title: "The authorization server's signing key is not known to the hub yet",
	Next:  "Try again after the time in Retry-After.",
}

// Publish hands the public halves (a JWK Set) to the registry, which puts them into the snapshot.
type Publish func(ctx context.Context, set json.RawMessage) error

// Snapshots gives the registry's snapshot, and a channel that is closed when there is a newer one.
type Snapshots interface {
	Current() *api.Snapshot
	Changed() <-chan struct{}
}

// Ring holds the keys in memory. A key signs only while the snapshot lists it: then the gateways, which follow the same
// snapshots, can verify what it signed.
type Ring struct {
	store   *Store
	publish Publish
	logger  *slog.Logger
	now     func() time.Time
	held    atomic.Pointer[held]
}

type held struct {
	keys []loaded // oldest first
	set  json.RawMessage
}

type loaded struct {
	signer  *token.Signer
	useFrom time.Time
}

// Open loads the keys, making the first one when there is none; first tells which. Nothing is published yet.
func Open(ctx context.Context, store *Store, publish Publish, logger *slog.Logger, now func() time.Time) (ring *Ring, first bool, err error) {
	ring = &Ring{store: store, publish: publish, logger: logger, now: now}
	first, err = ring.load(ctx)
	return ring, first, err
}

func (r *Ring) load(ctx context.Context) (first bool, err error) {
	rows, first, err := r.store.maintain(ctx, r.now())
	if err != nil {
		return false, err
	}
	h := &held{}
	var public []*ecdsa.PublicKey
	for _, row := range rows {
		key, err := r.store.envelope.open(row.kid, row.sealed)
		if err != nil {
			return false, err
		}
		signer, err := token.NewSigner(key, token.TypeAccess)
		if err != nil {
			return false, fmt.Errorf("signing key %s: %w", row.kid, err)
		}
		h.keys = append(h.keys, loaded{signer: signer, useFrom: row.useFrom.Time})
		public = append(public, signer.Public())
	}
	if h.set, err = token.PublicSet(public...); err != nil {
		return false, err
	}
	r.held.Store(h)
	return first, nil
}

// Run publishes the keys at the start, every hour, and whenever a snapshot lacks one of them (a registry restored from a
// backup forgets them), and renews them in time. It ends with ctx; a registry or database that is away is tried again.
func (r *Ring) Run(ctx context.Context, snapshots Snapshots) error {
	maintain := time.NewTicker(maintainEvery)
	defer maintain.Stop()
	due := true
	var pause <-chan time.Time // runs: nothing is published meanwhile
	for {
		changed := snapshots.Changed() // before reading: a change in between must not be missed
		if pause == nil && (due || !r.listedAll(snapshots.Current())) {
			wait := publishSettle
			err := r.publish(ctx, r.PublicSet())
			if err != nil && ctx.Err() == nil {
				r.logger.WarnContext(ctx, "signing keys not published", "error", err)
				wait = publishRetry
			}
			due, pause = err != nil, time.After(wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-pause:
			pause = nil
		case <-maintain.C:
			due = true
			if _, err := r.load(ctx); err != nil && ctx.Err() == nil {
				r.logger.ErrorContext(ctx, "signing keys not maintained", "error", err)
			}
		}
	}
}

func (r *Ring) listedAll(s *api.Snapshot) bool {
	return !slices.ContainsFunc(r.held.Load().keys, func(k loaded) bool { return !listed(s, k.signer.KeyID()) })
}

// PublicSet is the JWK Set of the public halves, the coming key included.
func (r *Ring) PublicSet() json.RawMessage { return r.held.Load().set }

// Signer gives the newest key that is due and listed in the snapshot.
func (r *Ring) Signer(s *api.Snapshot) (*token.Signer, error) {
	now, keys := r.now(), r.held.Load().keys
	for i := len(keys) - 1; i >= 0; i-- {
		if !now.Before(keys[i].useFrom) && listed(s, keys[i].signer.KeyID()) {
			return keys[i].signer, nil
		}
	}
	return nil, codeNoKey.New("the registry has not taken over the signing key yet").WithRetryAfter(publishRetry)
}

// listed tells whether the snapshot has the key. The kid, a thumbprint, is searched as text: parsing the sets for every
// token would cost more than signing it.
func listed(s *api.Snapshot, kid string) bool {
	if s == nil {
		return false
	}
	quoted := []byte(`"` + kid + `"`)
	return slices.ContainsFunc(s.Keys, func(k api.PartKeys) bool { return k.Part == Part && bytes.Contains(k.JWKS, quoted) })
}
