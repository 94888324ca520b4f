// Package clients knows the OAuth clients of the registry's snapshot and authenticates them by private_key_jwt (RFC 7523
// §3, NL GOV OAuth profile OA-AS-05 to 07). There are no client secrets, and no keys are fetched from anywhere: they stand
// in the snapshot.
package clients

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/services/registry/api"
)

// The client profiles of the registry.
const (
	ProfileNLGov = "nlgov"
	ProfileFAPI2 = "fapi2"
)

// maxKeys bounds the keys tried for an assertion without kid.
const maxKeys = 8

// Snapshots gives the registry's snapshot, nil before the first one arrived.
type Snapshots interface {
	Current() *api.Snapshot
}

// Client is a client with what the snapshot says of it, ready to use. It is shared and must not be changed.
type Client struct {
	*api.Client
	Grants []*api.Grant // all grants of its organisation as consumer, ordered by hash, whatever their state
	Scopes []string     // every scope it could ever be given: of the grants assigned to it, and on administration APIs
	keys   []key
}

type key struct {
	id     string
	public crypto.PublicKey
}

// Directory finds clients. It prepares each snapshot once, when the first request after a change needs it.
type Directory struct {
	snapshots Snapshots
	mu        sync.Mutex
	held      atomic.Pointer[prepared]
}

type prepared struct {
	snapshot *api.Snapshot
	clients  map[string]*Client
}

// NewDirectory follows the snapshots.
func NewDirectory(snapshots Snapshots) *Directory { return &Directory{snapshots: snapshots} }

// find gives a client and the snapshot it stands in. The snapshot is nil before the first one arrived, the client when
// the snapshot does not have it.
func (d *Directory) find(id string) (*Client, *api.Snapshot) {
	p := d.prepared()
	if p == nil {
		return nil, nil
	}
	return p.clients[id], p.snapshot
}

func (d *Directory) prepared() *prepared {
	current := d.snapshots.Current()
	if p := d.held.Load(); current == nil || p != nil && p.snapshot == current {
		return p
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.held.Load(); p != nil && p.snapshot == current {
		return p
	}
	p := prepare(current)
	d.held.Store(p)
	return p
}

func prepare(s *api.Snapshot) *prepared {
	p := &prepared{snapshot: s, clients: make(map[string]*Client, len(s.Clients))}
	consumers := map[string][]*api.Grant{}
	for i := range s.Grants {
		g := &s.Grants[i]
		consumers[g.Consumer] = append(consumers[g.Consumer], g)
	}
	for _, grants := range consumers {
		slices.SortFunc(grants, func(a, b *api.Grant) int { return cmp.Compare(a.Hash, b.Hash) })
	}
	for i := range s.Clients {
		c := &s.Clients[i]
		client := &Client{Client: c, Grants: consumers[c.Organisation]}
		client.Scopes = reach(c, client.Grants)
		// FAPI 2.0 §5.4.1 leaves RS256 out.
		if c.Profile != ProfileFAPI2 || c.SigningAlg != jws.RS256 {
			client.keys = usableKeys(c.JWKS, c.SigningAlg)
		}
		p.clients[c.ID] = client
	}
	return p
}

// reach is the union of what the client's grants and administration rights hold.
func reach(c *api.Client, grants []*api.Grant) []string {
	scopes := slices.Clone(c.AdminScopes)
	for _, a := range c.Assignments {
		for _, g := range grants {
			if g.Hash == a.GrantHash {
				scopes = append(scopes, g.Terms.Scopes...)
			}
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// usableKeys are the keys that fit the client's algorithm and are strong enough. The registry refuses others when they
// are registered; one that got through verifies nothing.
func usableKeys(set json.RawMessage, alg string) []key {
	var parsed jose.JSONWebKeySet
	if json.Unmarshal(set, &parsed) != nil {
		return nil
	}
	var keys []key
	for _, jwk := range parsed.Keys {
		if fits(jwk, alg) && len(keys) < maxKeys {
			keys = append(keys, key{id: jwk.KeyID, public: jwk.Key})
		}
	}
	return keys
}

func fits(jwk jose.JSONWebKey, alg string) bool {
	if jwk.Use != "" && jwk.Use != "sig" || jwk.Algorithm != "" && jwk.Algorithm != alg {
		return false
	}
	switch public := jwk.Key.(type) {
	case *ecdsa.PublicKey:
		return alg == jws.ES256 && public.Curve == elliptic.P256()
	case *rsa.PublicKey:
		return (alg == jws.RS256 || alg == jws.PS256) && public.N.BitLen() >= 2048 && public.E >= 3
	}
	return false
}

// candidates are the keys that may have signed an assertion with this kid: the one of that name, or all when the
// assertion names none.
func (c *Client) candidates(kid string) []key {
	if kid == "" {
		return c.keys
	}
	i := slices.IndexFunc(c.keys, func(k key) bool { return k.id == kid })
	if i < 0 {
		return nil
	}
	return c.keys[i : i+1]
}
