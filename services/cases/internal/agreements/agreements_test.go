package agreements_test

import (
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/services/cases/internal/agreements"
	registry "noorderhub.nl/hub/services/registry/api"
)

var moment = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

type held struct {
	mu sync.Mutex
	s  *registry.Snapshot
}

func (h *held) Current() *registry.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.s
}

func (h *held) set(s *registry.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.s = s
}

func grant(change func(*registry.Grant)) *registry.Snapshot {
	g := registry.Grant{
		Hash: "g", ContractHash: "c", Consumer: "groningen", Provider: "assen", Service: "overdracht",
		NotBefore: moment.Add(-time.Hour), NotAfter: moment.Add(time.Hour),
		Terms: registry.Terms{Purpose: "p", ProcessingActivity: "a"},
	}
	if change != nil {
		change(&g)
	}
	return &registry.Snapshot{Grants: []registry.Grant{g}, Organisations: []registry.Organisation{{OIN: "assen"}}}
}

func TestAGrantIsInForceByClockAndNarrowing(t *testing.T) {
	for name, tc := range map[string]struct {
		change         func(*registry.Grant)
		found, inForce bool
	}{
		"within its window":       {nil, true, true},
		"before it":               {func(g *registry.Grant) { g.NotBefore = moment.Add(time.Second) }, true, false},
		"at its beginning":        {func(g *registry.Grant) { g.NotBefore = moment }, true, true},
		"at its end":              {func(g *registry.Grant) { g.NotAfter = moment }, true, false},
		"suspended":               {func(g *registry.Grant) { g.Narrowing = &registry.Narrowing{Suspended: true} }, true, false},
		"narrowed in another way": {func(g *registry.Grant) { g.Narrowing = &registry.Narrowing{Rate: 1} }, true, true},
		"on another service":      {func(g *registry.Grant) { g.Service = "bag" }, false, false},
		"in the name of a third":  {func(g *registry.Grant) { g.Delegator = "emmen" }, false, false},
		"of another hash":         {func(g *registry.Grant) { g.Hash = "x" }, false, false},
	} {
		a := agreements.New(&held{s: grant(tc.change)}, "overdracht")
		g, ok := a.Grant("g", moment)
		if ok != tc.found || g.InForce != tc.inForce {
			t.Errorf("%s: found %v, in force %v; want %v, %v", name, ok, g.InForce, tc.found, tc.inForce)
		}
		if ok && (g.Consumer != "groningen" || g.Provider != "assen" || g.Purpose != "p" || g.Activity != "a" || g.ContractHash != "c") {
			t.Errorf("%s: got %+v", name, g)
		}
	}
}

func TestANewSnapshotIsInForceAtOnce(t *testing.T) {
	h := &held{}
	a := agreements.New(h, "overdracht")
	if _, ok := a.Grant("g", moment); ok || a.Organisation("assen") {
		t.Error("something is known before the first snapshot")
	}
	h.set(grant(nil))
	if _, ok := a.Grant("g", moment); !ok || !a.Organisation("assen") || a.Organisation("emmen") {
		t.Error("the first snapshot is not in force")
	}
	h.set(&registry.Snapshot{})
	if _, ok := a.Grant("g", moment); ok || a.Organisation("assen") {
		t.Error("what was taken away is still in force")
	}
}
