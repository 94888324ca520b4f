// Package api is the registry's contract with the other parts: the snapshot that the data plane works from, and the
// client that follows it.
package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Version orders snapshots. Epoch rises when the registry is restored from a backup, Number with every change; a
// follower never goes back.
type Version struct {
	Epoch  uint64 `json:"epoch"`
	Number uint64 `json:"number"`
}

// String gives the wire form "epoch.number", as it stands in queries and in Consul KV.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Epoch, v.Number) }

// After tells whether v is newer than o.
func (v Version) After(o Version) bool {
	return v.Epoch > o.Epoch || v.Epoch == o.Epoch && v.Number > o.Number
}

// VersionKey is the key of the newest version in Consul KV, below the prefix of the hub.
const VersionKey = "snapshot"

// NewerVersion tells whether a is the text of a newer version than b. What is no version is older than any.
func NewerVersion(a, b string) bool {
	va, err := ParseVersion(a)
	if err != nil {
		return false
	}
	vb, err := ParseVersion(b)
	return err != nil || va.After(vb)
}

// ParseVersion reads the form that String writes.
func ParseVersion(s string) (Version, error) {
	epoch, number, ok := strings.Cut(s, ".")
	e, errE := strconv.ParseUint(epoch, 10, 64)
	n, errN := strconv.ParseUint(number, 10, 64)
	if !ok || errE != nil || errN != nil {
		return Version{}, fmt.Errorf("version %q is not epoch.number", s)
	}
	return Version{Epoch: e, Number: n}, nil
}

// Snapshot is all that the data plane needs to decide on a token or a call without a database: one immutable value,
// signed by the registry, swapped atomically. Readers must not change it. Time windows are not applied in it: who reads
// it decides them by the clock.
type Snapshot struct {
	Version       Version        `json:"version"`
	CreatedAt     time.Time      `json:"createdAt"`
	HubOIN        string         `json:"hubOin"`
	GroupID       string         `json:"groupId"` // FSC group, claim gid
	Organisations []Organisation `json:"organisations"`
	Clients       []Client       `json:"clients"`
	Services      []Service      `json:"services"`
	Grants        []Grant        `json:"grants"`
	Contracts     []string       `json:"contracts,omitempty"` // content hashes of the agreed contracts, ended ones too while they are kept
	Keys          []PartKeys     `json:"keys"`
	RevokedTokens []RevokedToken `json:"revokedTokens,omitempty"`
}

// Organisation is a party of contracts: a municipality, a supplier or the hub itself.
type Organisation struct {
	OIN  string `json:"oin"`  // 20 characters, the peer id of FSC
	Slug string `json:"slug"` // unique on the hub, e.g. "assen"
	Name string `json:"name"`
}

// Client is an OAuth client of one organisation. It has public keys only; there are no client secrets.
type Client struct {
	ID           string          `json:"id"`
	Organisation string          `json:"organisation"` // OIN
	Name         string          `json:"name"`
	Profile      string          `json:"profile"`                // "nlgov" or "fapi2"
	SigningAlg   string          `json:"signingAlg"`             // RS256, PS256 or ES256: the one its assertions use
	JWKS         json.RawMessage `json:"jwks"`                   // RFC 7517, public halves, each with kid and alg
	Certificates []string        `json:"certificates,omitempty"` // x5t#S256 of TLS certificates it may bind tokens to
	Disabled     bool            `json:"disabled,omitempty"`
	Assignments  []Assignment    `json:"assignments"`           // grants of its organisation that it may use
	AdminScopes  []string        `json:"adminScopes,omitempty"` // e.g. journaal.lezen, for administration resources
	HubOperator  bool            `json:"hubOperator,omitempty"` // sees metadata of all organisations
	Person       *Person         `json:"person,omitempty"`      // whose key it is; nil: a program
}

// RoleHubOperator is the role of who sees metadata of all organisations.
const RoleHubOperator = "hub-operator"

// Roles are what the client may do in administration: those of its person, and hub-operator where it is the hub's own.
func (c *Client) Roles() []string {
	var roles []string
	if c.Person != nil {
		roles = slices.Clone(c.Person.Roles)
	}
	if c.HubOperator && !slices.Contains(roles, RoleHubOperator) {
		roles = append(roles, RoleHubOperator)
	}
	return roles
}

// Person is who stands behind a client that is no program. Roles govern administration, never calls.
type Person struct {
	ID    string   `json:"id"`
	Roles []string `json:"roles"`
}

// Assignment lets a client use a grant. Name is the consumer's short name for it; it survives successors of the grant.
type Assignment struct {
	Name      string `json:"name"`
	GrantHash string `json:"grantHash"`
}

// Service is a shared service as the gateway routes it.
type Service struct {
	Slug       string      `json:"slug"`    // aud = resource = {hub}/{slug}
	Owner      string      `json:"owner"`   // OIN of the provider
	FSCName    string      `json:"fscName"` // service name in contracts
	Title      string      `json:"title"`
	BasePaths  []string    `json:"basePaths"` // e.g. "/bag/individuelebevragingen/v2", no trailing slash
	Upstream   Upstream    `json:"upstream"`
	Operations []Operation `json:"operations"`
	Ending     []Ending    `json:"ending,omitempty"` // base paths that come to an end
	Public     []string    `json:"public,omitempty"` // paths open without token (OpenAPI files), GET only
	Personal   bool        `json:"personal"`         // it answers with personal data
	// PerOrganisation: every organisation provides its own behind the same paths, and a grant's provider says whose. Owner
	// then only runs it.
	PerOrganisation bool `json:"perOrganisation,omitempty"`
	Published       bool `json:"published"` // in the public catalogue
}

// Ending announces the end of one version of a service.
type Ending struct {
	BasePath   string     `json:"basePath"`
	Deprecated time.Time  `json:"deprecated"`          // since when a newer version should be used, RFC 9745
	Sunset     *time.Time `json:"sunset,omitempty"`    // when it may stop answering, RFC 8594
	Successor  string     `json:"successor,omitempty"` // base path of the newer version
}

// Upstream says where a service runs and how the gateway makes itself known to it.
type Upstream struct {
	Addresses  []string `json:"addresses"`            // "https://host:port" or "consul:name"
	Part       string   `json:"part,omitempty"`       // workload name of a part of the hub ("address"); empty for an outside service
	Networks   []string `json:"networks,omitempty"`   // CIDR: private networks in which an outside service may be dialled
	CAs        string   `json:"cas,omitempty"`        // PEM, for an outside service with a CA of its own
	Auth       string   `json:"auth"`                 // one of the Auth constants
	AuthName   string   `json:"authName,omitempty"`   // name of the header, or client id of ZGW
	Secret     string   `json:"secret,omitempty"`     // sealed by an UpstreamSealer
	Timeout    Duration `json:"timeout"`              // to the first byte of the answer
	MaxBody    int64    `json:"maxBody"`              // bytes of a request body
	Idempotent []string `json:"idempotent,omitempty"` // operation ids that may be retried besides GET and HEAD
	Health     string   `json:"health,omitempty"`     // path that answers 2xx while the service is well
}

// Operation is one method on one path template of a service, compiled from its OpenAPI file.
type Operation struct {
	ID     string `json:"id"`     // operationId
	Method string `json:"method"` // upper case
	Path   string `json:"path"`   // template below the outside root, base path included: /bag/…/adressen/{id}
	Scope  string `json:"scope"`  // exactly one, e.g. "bag.lezen"
}

// Grant is a service connection grant of a contract that every required organisation signed and none rejected or
// revoked. It is in force from NotBefore until NotAfter, the end of its window or of a signer's certificate.
type Grant struct {
	Hash         string     `json:"hash"`         // $1$3$…, claim gth
	ContractHash string     `json:"contractHash"` // $1$1$…
	Consumer     string     `json:"consumer"`     // OIN, outway.peer_id
	Provider     string     `json:"provider"`     // OIN, service.peer_id
	Delegator    string     `json:"delegator,omitempty"`
	Outway       Outway     `json:"outway"`
	Service      string     `json:"service"` // slug
	NotBefore    time.Time  `json:"notBefore"`
	NotAfter     time.Time  `json:"notAfter"`
	Terms        Terms      `json:"terms"`
	Narrowing    *Narrowing `json:"narrowing,omitempty"`
}

// Outway says which outway may use a grant. A hosted consumer's is the gateway, by its domain name.
type Outway struct {
	DomainName          string `json:"domainName,omitempty"`
	PublicKeyThumbprint string `json:"publicKeyThumbprint,omitempty"` // 64 hex
}

// Terms are the hub's properties of a grant (prefix "noorderhub." in the contract); both sides signed them.
type Terms struct {
	Purpose            string              `json:"purpose"`
	LegalBasis         string              `json:"legalBasis"`
	ProcessingActivity string              `json:"processingActivityId"` // URI
	Scopes             []string            `json:"scopes"`
	Fields             map[string][]string `json:"fields,omitempty"`       // operation id → dotted paths
	Binding            string              `json:"binding"`                // none, any or mtls
	Rate               int                 `json:"rate,omitempty"`         // calls per second; 0: no limit agreed
	Quota              int                 `json:"quota,omitempty"`        // calls per day; 0: none
	CacheSeconds       int                 `json:"cacheSeconds,omitempty"` // how long an answer may be kept; 0: not at all
	Logging            string              `json:"logging"`                // required or open
	Tariff             string              `json:"tariff,omitempty"`
}

// Narrowing is what a party or the hub operator took from a grant; it never widens it.
type Narrowing struct {
	Suspended     bool     `json:"suspended,omitempty"`
	Rate          int      `json:"rate,omitempty"`
	BlockedScopes []string `json:"blockedScopes,omitempty"`
	By            string   `json:"by"` // OIN
	Reason        string   `json:"reason"`
}

// PartKeys are the public halves of the keys that one instance of a part signs with.
type PartKeys struct {
	Part     string          `json:"part"`     // "authserver" (access tokens) or "gateway" (call tokens)
	Instance string          `json:"instance"` // stable id of the instance; one per set, a replaced set stays for 24 hours
	JWKS     json.RawMessage `json:"jwks"`
}

// RevokedToken is refused until Expires, the end of its own life.
type RevokedToken struct {
	JTI     string    `json:"jti"`
	Expires time.Time `json:"exp"`
}

// Duration is a time.Duration that stands in JSON as a string such as "30s".
type Duration time.Duration

// MarshalText writes the form that time.ParseDuration reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration such as "1m30s".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
