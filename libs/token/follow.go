package token

import (
	"crypto/ecdsa"
	"encoding/json"
	"sync"
	"sync/atomic"
)

// Follow is a KeySource over key sets that change, such as those of a part in the registry's snapshot. version gives what
// is current, cheaply: it is asked on every verification. sets gives the key sets of a version, and is asked once for
// each. A set that ParseKeys refuses is left out; it must not take the others with it.
func Follow[V comparable](version func() V, sets func(V) []json.RawMessage) KeySource {
	return &followed[V]{version: version, sets: sets}
}

type followed[V comparable] struct {
	version func() V
	sets    func(V) []json.RawMessage
	mu      sync.Mutex // one goroutine parses a new version, the others wait for it
	held    atomic.Pointer[parsed[V]]
}

type parsed[V comparable] struct {
	version V
	keys    Keys
}

// Key looks the key up in the current version.
func (f *followed[V]) Key(kid string) (*ecdsa.PublicKey, bool) {
	current := f.version()
	if p := f.held.Load(); p != nil && p.version == current {
		return p.keys.Key(kid)
	}
	return f.parse(current).Key(kid)
}

func (f *followed[V]) parse(current V) Keys {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.held.Load(); p != nil && p.version == current {
		return p.keys
	}
	all := Keys{}
	for _, set := range f.sets(current) {
		keys, err := ParseKeys(set)
		if err != nil {
			continue
		}
		for kid, key := range keys {
			all[kid] = key
		}
	}
	f.held.Store(&parsed[V]{version: current, keys: all})
	return all
}
