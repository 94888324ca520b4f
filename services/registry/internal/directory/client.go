package directory

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/services/registry/api"
)

var (
	clientIDShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{2,99}$`)
	thumbprintShape = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	profiles        = map[string][]string{"nlgov": {"RS256", "PS256", "ES256"}, "fapi2": {"PS256", "ES256"}}
)

// AdminScopes are the scopes of the administration APIs that a client may have.
var AdminScopes = []string{"journaal.lezen", "journaal.schrijven", "beheer.lezen", "beheer.schrijven"}

// Client is an OAuth client of an organisation. It has public keys only; there are no client secrets.
type Client struct {
	ID           string       `json:"id"`
	Name         string       `json:"name,omitempty"` // default: the id
	Organisation string       `json:"organisation"`   // OIN
	Profile      string       `json:"profile"`        // nlgov or fapi2
	Alg          string       `json:"alg"`            // RS256, PS256 or ES256: the one its assertions use
	Keys         []ClientKey  `json:"keys"`
	JWKSURI      string       `json:"jwksUri,omitempty"`      // where Keys are read from, by the registry and nobody else
	Certificates []string     `json:"certificates,omitempty"` // x5t#S256 thumbprints or PEM: TLS certificates it may bind tokens to
	Disabled     bool         `json:"disabled,omitempty"`
	AdminScopes  []string     `json:"adminScopes,omitempty"`
	HubOperator  bool         `json:"hubOperator,omitempty"`
	Person       string       `json:"person,omitempty"` // id of the person whose key this is; empty: a program
	Assignments  []Assignment `json:"assignments,omitempty"`

	keys        []preparedKey
	set         json.RawMessage // of keys that begin and end never; nil where some do
	thumbprints []string        // of Certificates
}

// ClientKey is a public key with the time in which assertions may be signed with it. Two keys whose times overlap are how
// a key is replaced without a pause.
type ClientKey struct {
	Public string     `json:"public"`         // JWK, JWK Set, PEM public key or PEM certificate
	From   *time.Time `json:"from,omitempty"` // nil: at once
	Till   *time.Time `json:"till,omitempty"` // nil: until it is taken out
}

func (k ClientKey) holds(at time.Time) bool {
	return (k.From == nil || !at.Before(*k.From)) && (k.Till == nil || at.Before(*k.Till))
}

// Assignment lets a client use a grant. Name is the consumer's short name for it; it survives successors of the grant.
type Assignment struct {
	Name  string `json:"name"`
	Grant string `json:"grant"` // grant hash
}

// Key has the client id.
func (c *Client) Key() Key { return Key{KindClient, c.ID} }

func (c *Client) prepare(f faults) {
	if !clientIDShape.MatchString(c.ID) {
		f.add("id does not match %s", clientIDShape)
	}
	if algs, ok := profiles[c.Profile]; !ok {
		f.add("profile is not nlgov or fapi2")
	} else if !slices.Contains(algs, c.Alg) {
		f.add("alg %q does not suit profile %s: %v", c.Alg, c.Profile, algs)
	}
	if c.JWKSURI != "" && (c.Person != "" || !strings.HasPrefix(c.JWKSURI, "https://")) {
		f.at("jwksUri").add("is an https URL, and not for the key of a person")
	}
	c.prepareKeys(f)
	c.thumbprints = nil
	for i, given := range c.Certificates {
		if t := thumbprintOf(given, f.at("certificates[%d]", i)); t != "" {
			c.thumbprints = append(c.thumbprints, t)
		}
	}
	for _, scope := range c.AdminScopes {
		if !slices.Contains(AdminScopes, scope) {
			f.add("adminScopes: %q is not one of %v", scope, AdminScopes)
		}
	}
	names := map[string]bool{}
	for i, a := range c.Assignments {
		if !slugShape.MatchString(a.Name) || names[a.Name] {
			f.at("assignments[%d]", i).add("name stands there twice or does not match %s", slugShape)
		}
		names[a.Name] = true
	}
}

// IsThumbprint tells whether a text has the form of an x5t#S256.
func IsThumbprint(text string) bool { return thumbprintShape.MatchString(text) }

// thumbprintOf takes an x5t#S256 as it is, or makes it of a certificate.
func thumbprintOf(given string, f faults) string {
	if thumbprintShape.MatchString(given) {
		return given
	}
	certs, err := certificatesOf(given)
	if err != nil {
		f.add("%s", err)
		return ""
	}
	return contract.Thumbprint(certs[0])
}

func (c *Client) check(s *State, f faults) {
	if s.Organisation(c.Organisation) == nil {
		f.add("organisation %q is not among the organisations", c.Organisation)
	}
	if c.HubOperator && c.Organisation != s.Hub().Organisation {
		f.add("only a client of the hub's organisation can be hubOperator")
	}
	if c.Person != "" {
		if p := s.Person(c.Person); p == nil || p.Organisation != c.Organisation {
			f.add("person %q does not work at this organisation", c.Person)
		}
	}
	for _, k := range c.keys {
		if owner := s.index.keys[k.thumbprint]; owner != c {
			f.at("keys[%d]", k.place).add("the key is already one of client %s", owner.ID)
		}
	}
	for i, a := range c.Assignments {
		if g := s.index.grants[a.Grant]; g == nil || g.Consumer() != c.Organisation {
			f.at("assignments[%d]", i).add("there is no grant %s of this organisation", a.Grant)
		}
	}
}

// compile gives the client as it is at a moment. An assignment whose grant is over gives nothing: the client lacks it.
func (c *Client) compile(s *State, at time.Time) api.Client {
	out := api.Client{
		ID: c.ID, Name: cmp.Or(c.Name, c.ID), Organisation: c.Organisation, Profile: c.Profile, SigningAlg: c.Alg, JWKS: c.jwks(at),
		Certificates: c.thumbprints, Disabled: c.Disabled, AdminScopes: c.AdminScopes, HubOperator: c.HubOperator,
		Assignments: []api.Assignment{},
	}
	if p := s.Person(c.Person); p != nil {
		out.Person = &api.Person{ID: p.ID, Roles: p.Roles}
	}
	for _, a := range c.Assignments {
		g := s.index.grants[a.Grant]
		if g == nil {
			continue
		}
		if g = s.successor(g, at); g.contract.gives(at) {
			out.Assignments = append(out.Assignments, api.Assignment{Name: a.Name, GrantHash: g.Hash})
		}
	}
	return out
}

func (c *Client) jwks(at time.Time) json.RawMessage {
	if c.set != nil {
		return c.set
	}
	return c.setAt(at)
}

func (c *Client) setAt(at time.Time) json.RawMessage {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range c.keys {
		if c.Keys[k.place].holds(at) {
			set.Keys = append(set.Keys, k.JSONWebKey)
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err) // every key was written once when it was prepared
	}
	return text
}

// KeyPlace gives the place in Keys of the key with a kid, -1 when there is none.
func (c *Client) KeyPlace(kid string) int {
	for _, k := range c.keys {
		if k.KeyID == kid {
			return k.place
		}
	}
	return -1
}

// Thumbprints gives the x5t#S256 of the certificates it may bind tokens to.
func (c *Client) Thumbprints() []string { return c.thumbprints }

// LiveKey is a key as others may see it.
type LiveKey struct {
	ID         string // kid
	Public     json.RawMessage
	From, Till *time.Time
}

// LiveKeys gives all keys with their times, those that have not begun and those that are over too.
func (c *Client) LiveKeys() []LiveKey {
	out := make([]LiveKey, 0, len(c.keys))
	for _, k := range c.keys {
		text, err := k.MarshalJSON()
		if err != nil {
			panic(err) // it was written once when it was prepared
		}
		out = append(out, LiveKey{ID: k.KeyID, Public: text, From: c.Keys[k.place].From, Till: c.Keys[k.place].Till})
	}
	return out
}

// Without gives a copy without the assignments of some grants.
func (c *Client) Without(grants func(hash string) bool) *Client {
	copied := *c
	copied.Assignments = slices.DeleteFunc(slices.Clone(c.Assignments), func(a Assignment) bool { return grants(a.Grant) })
	return &copied
}
