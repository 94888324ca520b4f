// Package agreements reads what the exchange needs to know of organisations and grants from the registry's snapshot.
package agreements

import (
	"sync"
	"sync/atomic"
	"time"

	"noorderhub.nl/hub/services/cases/internal/exchange"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Snapshots gives the registry's newest snapshot, nil before the first; *registry.Follower is one.
type Snapshots interface{ Current() *registry.Snapshot }

// Agreements is an exchange.Agreements over snapshots. It may be used by many goroutines.
type Agreements struct {
	snapshots Snapshots
	service   string // slug

	mu   sync.Mutex // one goroutine indexes a new snapshot, the others wait for it
	held atomic.Pointer[index]
}

// index finds in one snapshot without walking through it.
type index struct {
	of            *registry.Snapshot
	grants        map[string]*registry.Grant
	organisations map[string]bool
}

// New looks at the grants on one service.
func New(snapshots Snapshots, service string) *Agreements {
	return &Agreements{snapshots: snapshots, service: service}
}

// Grant gives a grant on the service by its hash. One in which an organisation acts for another is none: a transfer has
// two parties, who answer for themselves.
func (a *Agreements) Grant(hash string, now time.Time) (exchange.Grant, bool) {
	g, ok := a.current().grants[hash]
	if !ok {
		return exchange.Grant{}, false
	}
	suspended := g.Narrowing != nil && g.Narrowing.Suspended
	return exchange.Grant{
		Agreement: exchange.Agreement{
			GrantHash: g.Hash, ContractHash: g.ContractHash, Purpose: g.Terms.Purpose, Activity: g.Terms.ProcessingActivity,
		},
		Consumer: g.Consumer, Provider: g.Provider,
		InForce: !suspended && !now.Before(g.NotBefore) && now.Before(g.NotAfter),
	}, true
}

// Organisation tells whether an OIN is of this hub.
func (a *Agreements) Organisation(oin string) bool { return a.current().organisations[oin] }

func (a *Agreements) current() *index {
	s := a.snapshots.Current()
	if held := a.held.Load(); held != nil && held.of == s {
		return held
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if held := a.held.Load(); held != nil && held.of == s {
		return held
	}
	made := &index{of: s, grants: map[string]*registry.Grant{}, organisations: map[string]bool{}}
	if s != nil {
		for i := range s.Grants {
			if g := &s.Grants[i]; g.Service == a.service && g.Delegator == "" {
				made.grants[g.Hash] = g
			}
		}
		for i := range s.Organisations {
			made.organisations[s.Organisations[i].OIN] = true
		}
	}
	a.held.Store(made)
	return made
}
