// Package jwks serves the public keys that verify the hub's tokens (RFC 7517 §5): the authorization server's own for
// access tokens, and the gateways' for call tokens, so that a provider behind the gateway finds both in one place.
package jwks

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"

	"noorderhub.nl/hub/services/authserver/internal/clients"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

// cacheControl lets the set be cached for five minutes only. The week of OA-AS-19 holds for the server's own keys, whose
// successors are published longer ahead than that. The gateways' keys stand in the same set, and a gateway that is new or
// has lost its volume signs with its key as soon as the services inside the hub know it: a provider that kept the set for
// a week would refuse its calls for as long. The metadata, where nothing changes so fast, keeps the week.
const cacheControl = "public, max-age=300"

// Handler serves the set.
type Handler struct {
	own       func() json.RawMessage
	snapshots clients.Snapshots
	held      atomic.Pointer[compiled]
}

// compiled is the answer for one snapshot and one own set.
type compiled struct {
	snapshot *api.Snapshot
	own      string
	document []byte
}

// New makes the handler. own gives this server's public keys.
func New(own func() json.RawMessage, snapshots clients.Snapshots) *Handler {
	return &Handler{own: own, snapshots: snapshots}
}

// Mount registers the path.
func (h *Handler) Mount(m oauth.Mux) { m.Handle(http.MethodGet, oauth.PathJWKS, h) }

// ServeHTTP writes the set.
func (h *Handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	document := h.document()
	head := w.Header()
	head.Set("Content-Type", "application/jwk-set+json")
	head.Set("Content-Length", strconv.Itoa(len(document)))
	head.Set("Cache-Control", cacheControl)
	head.Set("Access-Control-Allow-Origin", "*")
	head.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(document)
}

func (h *Handler) document() []byte {
	own, snapshot := string(h.own()), h.snapshots.Current()
	if c := h.held.Load(); c != nil && c.snapshot == snapshot && c.own == own {
		return c.document
	}
	sets := []json.RawMessage{json.RawMessage(own)}
	if snapshot != nil {
		for _, part := range snapshot.Keys {
			sets = append(sets, part.JWKS)
		}
	}
	c := &compiled{snapshot: snapshot, own: own, document: merge(sets)}
	h.held.Store(c)
	return c.document
}

// publicKey has the members of a public EC or RSA key. Whatever else a set holds, a private member included, stays out.
type publicKey struct {
	Type      string `json:"kty"`
	KeyID     string `json:"kid"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

type keySet struct {
	Keys []publicKey `json:"keys"`
}

// merge joins key sets; of keys with the same kid the first stays. A set that cannot be read is left out: the registry
// refuses such sets, and one of them must not hide the others.
func merge(sets []json.RawMessage) []byte {
	all := keySet{Keys: []publicKey{}}
	seen := map[string]bool{}
	for _, text := range sets {
		var one keySet
		if json.Unmarshal(text, &one) != nil {
			continue
		}
		for _, key := range one.Keys {
			if key.KeyID != "" && !seen[key.KeyID] {
				seen[key.KeyID] = true
				all.Keys = append(all.Keys, key)
			}
		}
	}
	document, _ := json.Marshal(all) // strings only: cannot fail
	return document
}
