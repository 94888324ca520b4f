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

	grants  map[string]*registry.Grant
	clients map[string]*Client
	revoked map[string]struct{}
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

// Compile makes a View. Everything that is wrong with the snapshot is in the error.
func Compile(s *registry.Snapshot, compileRoutes func(*registry.Snapshot) (*routes.Table, error)) (*View, error) {
	v := &View{
		Version: s.Version.String(), HubOIN: s.HubOIN, Keys: token.Keys{}, Calls: token.Keys{},
		grants: make(map[string]*registry.Grant, len(s.Grants)), clients: make(map[string]*Client, len(s.Clients)),
		revoked: make(map[string]struct{}, len(s.RevokedTokens)),
	}
	var faults []error
	for _, k := range s.Keys {
		into := map[string]token.Keys{partAuthServer: v.Keys, partGateway: v.Calls}[k.Part]
		if into == nil {
			continue
		}
		keys, err := token.ParseKeys(k.JWKS)
		if err != nil {
			faults = append(faults, fmt.Errorf("keys of %s %s: %w", k.Part, k.Instance, err))
		}
		maps.Copy(into, keys)
	}
	for i := range s.Grants {
		v.grants[s.Grants[i].Hash] = &s.Grants[i]
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
	var err error
	if v.Routes, err = compileRoutes(s); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", s.Version, err)
	}
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
}

// NewHolder compiles the current snapshot, if there is one.
func NewHolder(source Snapshots, compile func(*registry.Snapshot) (*View, error), logger *slog.Logger) *Holder {
	h := &Holder{source: source, compile: compile, logger: logger}
	h.apply(context.Background())
	return h
}

// View gives the View in force, nil before the first.
func (h *Holder) View() *View { return h.current.Load() }

// Age is the time since the registry last confirmed the snapshot.
func (h *Holder) Age() time.Duration { return h.source.Age() }

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

// Follow puts every new snapshot in force, until ctx ends. One that does not compile changes nothing.
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
	v, err := h.compile(s)
	if err != nil {
		h.refused.Add(1)
		h.logger.ErrorContext(ctx, "snapshot refused; the one before stays in force", "error", err)
		return
	}
	h.current.Store(v)
	h.logger.InfoContext(ctx, "snapshot in force", "version", v.Version)
}
