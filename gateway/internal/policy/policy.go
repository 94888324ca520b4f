// Package policy is what the gateway decides by: one immutable View compiled from a snapshot of the registry, swapped
// whole. A call takes the View of its first moment and keeps it to its end.
package policy

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/libs/token"
	registry "noorderhub.nl/hub/services/registry/api"
)

// The parts whose keys stand in a snapshot. Access tokens verify with the keys of the authorization server only.
const (
	partAuthServer = "authserver"
	partGateway    = "gateway"
)

// View is one snapshot, compiled.
type View struct {
	Version string
	HubOIN  string
	Routes  *routes.Table
	Keys    token.Keys // of access tokens
	Calls   token.Keys // of the gateways' call tokens; services know those and no others
	Omitted []error    // what of the snapshot is faulty and left out: services and key sets

	grants  map[string]*registry.Grant
	clients map[string]*Client
	revoked map[string]struct{}
	kept    map[string]time.Duration
}

// Client is an OAuth client with its assignments as a set.
type Client struct {
	*registry.Client
	assigned map[string]struct{}
}

// Assigned tells whether the client's organisation lets it use a grant.
func (c *Client) Assigned(grantHash string) bool {
	_, ok := c.assigned[grantHash]
	return ok
}

// Grant gives a grant by its hash, nil when there is none that is signed and unrevoked.
func (v *View) Grant(hash string) *registry.Grant { return v.grants[hash] }

// Client gives a client by its id, nil when there is none.
func (v *View) Client(id string) *Client { return v.clients[id] }

// Revoked tells whether a token was revoked.
func (v *View) Revoked(jti string) bool {
	_, ok := v.revoked[jti]
	return ok
}

// Kept gives how long answers of a service are kept at most, by any contract; 0 for not at all.
func (v *View) Kept(service string) time.Duration { return v.kept[service] }

// Compile makes a View. A faulty service or key set is left out and told of in Omitted: grants, clients and above all
// revocations of the same snapshot come into force whatever stands beside them.
func Compile(s *registry.Snapshot, compileRoutes func(*registry.Snapshot) (*routes.Table, []error, error)) (*View, error) {
	v := &View{
		Version: s.Version.String(), HubOIN: s.HubOIN, Keys: token.Keys{}, Calls: token.Keys{},
		grants: make(map[string]*registry.Grant, len(s.Grants)), clients: make(map[string]*Client, len(s.Clients)),
		revoked: make(map[string]struct{}, len(s.RevokedTokens)), kept: map[string]time.Duration{},
	}
	for _, k := range s.Keys {
		into := map[string]token.Keys{partAuthServer: v.Keys, partGateway: v.Calls}[k.Part]
		if into == nil {
			continue
		}
		keys, err := token.ParseKeys(k.JWKS)
		if err != nil {
			v.Omitted = append(v.Omitted, fmt.Errorf("keys of %s %s: %w", k.Part, k.Instance, err))
			continue
		}
		maps.Copy(into, keys)
	}
	for i := range s.Grants {
		g := &s.Grants[i]
		v.grants[g.Hash] = g
		if g.Terms.CacheSeconds > 0 {
			v.kept[g.Service] = max(v.kept[g.Service], time.Duration(g.Terms.CacheSeconds)*time.Second)
		}
	}
	for i := range s.Clients {
		c := &Client{Client: &s.Clients[i], assigned: map[string]struct{}{}}
		for _, a := range c.Assignments {
			c.assigned[a.GrantHash] = struct{}{}
		}
		v.clients[c.ID] = c
	}
	for _, r := range s.RevokedTokens {
		v.revoked[r.JTI] = struct{}{}
	}
	table, omitted, err := compileRoutes(s)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", s.Version, err)
	}
	v.Routes, v.Omitted = table, append(v.Omitted, omitted...)
	return v, nil
}

// Snapshots is where snapshots come from: registry/api.Follower, or a literal in tests.
type Snapshots interface {
	// Current gives the newest snapshot, nil before the first.
	Current() *registry.Snapshot
	// Changed gives a channel that receives or closes once there is a newer one than at the time of asking.
	Changed() <-chan struct{}
	// Age is the time since the registry last confirmed the current snapshot.
	Age() time.Duration
}

// Holder holds the View in force.
type Holder struct {
	source  Snapshots
	compile func(*registry.Snapshot) (*View, error)
	logger  *slog.Logger
	current atomic.Pointer[View]
	refused atomic.Uint64
	lag     atomic.Pointer[lag] // nil while the View is the source's current snapshot
}

// lag says since when the View is not the newest snapshot, and why: nil while that is being compiled.
type lag struct {
	since time.Time
	cause error
}

// NewHolder compiles the current snapshot, if there is one.
func NewHolder(source Snapshots, compile func(*registry.Snapshot) (*View, error), logger *slog.Logger) *Holder {
	h := &Holder{source: source, compile: compile, logger: logger}
	h.apply(context.Background())
	return h
}

// View gives the View in force, nil before the first.
func (h *Holder) View() *View { return h.current.Load() }

// Age is the time since the View was last known to be the newest. The registry's confirmation counts for the snapshot
// the source holds: when that one is not in force, the time since it came counts.
func (h *Holder) Age() time.Duration {
	age := h.source.Age()
	if l := h.lag.Load(); l != nil {
		age = max(age, time.Since(l.since))
	}
	return age
}

// Ready tells why calls cannot be decided by the newest snapshot, nil when they can.
func (h *Holder) Ready() error {
	if h.current.Load() == nil {
		return errors.New("there is no snapshot yet")
	}
	if l := h.lag.Load(); l != nil && l.cause != nil {
		return fmt.Errorf("the newest snapshot is not in force since %s: %w", l.since.UTC().Format(time.RFC3339), l.cause)
	}
	return nil
}

// Refused counts snapshots that did not compile.
func (h *Holder) Refused() uint64 { return h.refused.Load() }

// Key gives a key of access tokens (token.KeySource).
func (h *Holder) Key(kid string) (*ecdsa.PublicKey, bool) {
	v := h.current.Load()
	if v == nil {
		return nil, false
	}
	return v.Keys.Key(kid)
}

// Follow puts every new snapshot in force, until ctx ends. One that cannot be compiled at all changes nothing but Age and
// Ready.
func (h *Holder) Follow(ctx context.Context) error {
	for {
		changed := h.source.Changed() // before reading: a change in between must not be missed
		h.apply(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (h *Holder) apply(ctx context.Context) {
	s := h.source.Current()
	if s == nil {
		return
	}
	if v := h.current.Load(); v != nil && v.Version == s.Version.String() {
		return
	}
	behind := lag{since: time.Now()}
	if l := h.lag.Load(); l != nil {
		behind.since = l.since
	} else {
		h.lag.Store(&lag{since: behind.since})
	}
	v, err := h.compile(s)
	if err != nil {
		behind.cause = err
		h.lag.Store(&behind)
		h.refused.Add(1)
		h.logger.ErrorContext(ctx, "snapshot refused; the one before stays in force", "error", err)
		return
	}
	h.current.Store(v)
	h.lag.Store(nil)
	if len(v.Omitted) > 0 {
		h.logger.ErrorContext(ctx, "parts of the snapshot are faulty and left out", "version", v.Version, "error", errors.Join(v.Omitted...))
	}
	h.logger.InfoContext(ctx, "snapshot in force", "version", v.Version)
}
