package contract

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// GrantType is the kind of a grant, by its number in FSC Core.
type GrantType int

// The grant types of FSC Core 2.0.0.
const (
	ServicePublication GrantType = iota + 1
	ServiceConnection
	DelegatedServiceConnection
	DelegatedServicePublication
)

const (
	typeService          = "SERVICE_TYPE_SERVICE"
	typeDelegatedService = "SERVICE_TYPE_DELEGATED_SERVICE"
	byThumbprint         = "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"
	byDomainName         = "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME"
)

var grantTypes = map[string]GrantType{
	"GRANT_TYPE_SERVICE_PUBLICATION":           ServicePublication,
	"GRANT_TYPE_SERVICE_CONNECTION":            ServiceConnection,
	"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION":  DelegatedServiceConnection,
	"GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": DelegatedServicePublication,
}

// String gives the name that stands in a contract.
func (t GrantType) String() string {
	for name, v := range grantTypes {
		if v == t {
			return name
		}
	}
	return "GrantType(" + strconv.Itoa(int(t)) + ")"
}

// hashPrefix uses the hash type, which is one more than the number of the grant type.
func (t GrantType) hashPrefix() string { return "$1$" + strconv.Itoa(int(t)+1) + "$" }

func (t GrantType) publication() bool {
	return t == ServicePublication || t == DelegatedServicePublication
}

func (t GrantType) delegated() bool {
	return t == DelegatedServiceConnection || t == DelegatedServicePublication
}

// Grant is one permission of a contract. Which fields are filled depends on Type.
type Grant struct {
	Type      GrantType
	Hash      string // $1$<hash type>$…
	Directory string // peer id; publication grants
	Outway    Outway // connection grants
	Service   Service
	Delegator string // peer id; delegated grants: on whose behalf

	Terms      Terms                      // the hub's own properties
	Properties map[string]json.RawMessage // all properties, those of other extensions included
}

// Outway names who connects: an organisation, and its outway by the thumbprint of its public key or by a domain name
// that its certificate must carry.
type Outway struct {
	PeerID              string
	PublicKeyThumbprint string // SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hex characters
	DomainName          string
}

// Service names a service of an organisation.
type Service struct {
	PeerID    string
	Name      string
	Protocol  string // publication grants: PROTOCOL_TCP_HTTP_1.1 or PROTOCOL_TCP_HTTP_2
	Delegator string // connection to a service that PeerID publishes on behalf of this organisation
}

// Signers are the organisations that must accept the grant (FSC Core, per grant type).
func (g Grant) Signers() []string {
	var peers []string
	for _, p := range []string{g.Directory, g.Outway.PeerID, g.Service.PeerID, g.Delegator, g.Service.Delegator} {
		if p != "" {
			peers = appendNew(peers, p)
		}
	}
	return peers
}

var (
	serviceName  = regexp.MustCompile(`^[a-zA-Z0-9._-]{3,100}$`)
	thumbprint   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	domainName   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	propertyName = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)+$`)
)

func readGrant(r reader) Grant {
	name := r.text("type")
	g := Grant{Type: grantTypes[name]}
	if g.Type == 0 {
		r.fault("type", "unknown grant type")
		return g
	}
	g.readParties(r)
	if r.has("properties") {
		if props, ok := r.object("properties"); ok {
			g.Properties = props.fields
			g.Terms = readTerms(props)
		}
	}
	return g
}

func (g *Grant) readParties(r reader) {
	if g.Type.publication() {
		if directory, ok := r.object("directory"); ok {
			g.Directory = directory.peer("peer_id")
		}
	} else if outway, ok := r.object("outway"); ok {
		g.Outway = readOutway(outway)
	}
	if service, ok := r.object("service"); ok {
		g.Service = readService(service, g.Type.publication())
	}
	if g.Type.delegated() {
		if delegator, ok := r.object("delegator"); ok {
			g.Delegator = delegator.peer("peer_id")
		}
	} else if r.has("delegator") {
		r.fault("delegator", "not allowed in this type of grant")
	}
}

func readOutway(r reader) Outway {
	o := Outway{PeerID: r.peer("peer_id")}
	id, ok := r.object("identification")
	if !ok {
		return o
	}
	switch kind := id.text("type"); kind {
	case byThumbprint:
		o.PublicKeyThumbprint = id.match("public_key_thumbprint", thumbprint)
	case byDomainName:
		o.DomainName = id.match("domain_name", domainName)
		if len(o.DomainName) > 253 {
			id.fault("domain_name", "longer than 253 characters")
		}
	default:
		id.fault("type", "unknown identification")
	}
	return o
}

func readService(r reader, publication bool) Service {
	s := Service{PeerID: r.peer("peer_id"), Name: r.match("name", serviceName)}
	if publication {
		s.Protocol = r.text("protocol")
		if s.Protocol != "PROTOCOL_TCP_HTTP_1.1" && s.Protocol != "PROTOCOL_TCP_HTTP_2" {
			r.fault("protocol", "unknown protocol")
		}
		return s
	}
	switch kind := r.text("type"); kind {
	case typeService:
		if r.has("delegator") {
			r.fault("delegator", "not allowed for %s", typeService)
		}
	case typeDelegatedService:
		if delegator, ok := r.object("delegator"); ok {
			s.Delegator = delegator.peer("peer_id")
		}
	default:
		r.fault("type", "unknown service type")
	}
	return s
}

// peer reads a peer id: 3 to 255 characters without spaces or control characters. That it is an OIN is a rule of the
// group, not of FSC Core; whoever knows the organisations checks it.
func (r reader) peer(key string) string {
	return r.match(key, peerID)
}

var peerID = regexp.MustCompile(`^[!-~]{3,255}$`)

func (r reader) match(key string, shape *regexp.Regexp) (s string) {
	if r.decode(key, &s, "a string") && !shape.MatchString(s) {
		r.fault(key, "does not match %s", shape)
	}
	return s
}
