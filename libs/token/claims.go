package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/token/jws"
)

// The types of tokens the hub signs, as they stand in the header "typ". Each has its own keys and its own verifier.
const (
	TypeAccess = "at+jwt"       // access token, RFC 9068 §2.1: from the authorization server, for the gateway
	TypeCall   = "hub-call+jwt" // call token: from the gateway, for the service behind it
)

// RoleHubOperator is the role of a caller who sees metadata of all organisations.
const RoleHubOperator = "hub-operator"

// Claims is the content of an access token and of a call token (RFC 9068 §2.2, RFC 8705 §3.1, FSC Core 2.0.0 for gth and
// gid). A verifier shares one value between calls: it must not be changed.
type Claims struct {
	Issuer          string        `json:"iss"`
	Subject         string        `json:"sub"` // the client id for machine clients, the id of a person else
	ClientID        string        `json:"client_id"`
	AuthorizedParty string        `json:"azp"`
	Audience        string        `json:"aud"` // exactly one: a token for two services lets one of them use it at the other
	Expires         NumericDate   `json:"exp"`
	Issued          NumericDate   `json:"iat"`
	NotBefore       NumericDate   `json:"nbf,omitempty"`
	ID              string        `json:"jti"`
	Scope           string        `json:"scope"`         // names with single spaces between them
	GrantHash       string        `json:"gth,omitempty"` // $1$3$…; empty for administration resources
	GroupID         string        `json:"gid,omitempty"` // FSC group
	PeerID          string        `json:"peer_id"`       // OIN of the organisation that calls
	Roles           []string      `json:"roles,omitempty"`
	Confirmation    *Confirmation `json:"cnf,omitempty"`
	Actor           *Actor        `json:"act,omitempty"`
}

// Confirmation binds a token to a key that its bearer must hold.
type Confirmation struct {
	Certificate string `json:"x5t#S256,omitempty"` // thumbprint of the TLS client certificate, RFC 8705 §3.1
	Key         string `json:"jkt,omitempty"`      // thumbprint of the DPoP key, RFC 9449 §6
}

// Actor is who acts for the subject (RFC 8693 §4.1), with who acts for that actor inside.
type Actor struct {
	Subject string `json:"sub"`
	Actor   *Actor `json:"act,omitempty"`
}

// NumericDate is a moment in seconds since 1970 (RFC 7519 §2).
type NumericDate int64

// Date gives the NumericDate of t.
func Date(t time.Time) NumericDate { return NumericDate(t.Unix()) }

// Time gives the moment.
func (d NumericDate) Time() time.Time { return time.Unix(int64(d), 0) }

// HasScope tells whether the token carries exactly this scope.
func (c *Claims) HasScope(scope string) bool {
	for s := range strings.FieldsSeq(c.Scope) {
		if s == scope {
			return true
		}
	}
	return false
}

// HasRole tells whether the token carries this role.
func (c *Claims) HasRole(role string) bool { return slices.Contains(c.Roles, role) }

// NewID makes a token id of 144 random bits; OAuth NL asks for 128 (standards OA-AS-14).
func NewID() string {
	var b [18]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error; it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// readClaims takes the claims out of a verified payload by their exact names. Members it does not know are left aside
// (RFC 7519 §4).
func readClaims(payload []byte) (*Claims, error) {
	o, err := jws.ParseObject(payload)
	if err != nil {
		return nil, err
	}
	var c Claims
	r := reader{object: o}
	r.text("iss", &c.Issuer)
	r.text("sub", &c.Subject)
	r.text("client_id", &c.ClientID)
	r.text("azp", &c.AuthorizedParty)
	r.text("jti", &c.ID)
	r.text("scope", &c.Scope)
	r.text("gth", &c.GrantHash)
	r.text("gid", &c.GroupID)
	r.text("peer_id", &c.PeerID)
	r.date("exp", &c.Expires)
	r.date("iat", &c.Issued)
	r.date("nbf", &c.NotBefore)
	audience, array, err := o.Texts("aud")
	if err != nil || array && len(audience) != 1 {
		r.fault = errors.Join(r.fault, errors.New("aud is not exactly one audience"))
	} else if len(audience) == 1 {
		c.Audience = audience[0]
	}
	c.Roles, _, err = o.Texts("roles")
	r.fault = errors.Join(r.fault, err)
	r.member("cnf", func(o jws.Object) {
		c.Confirmation = &Confirmation{}
		in := reader{object: o}
		in.text("x5t#S256", &c.Confirmation.Certificate)
		in.text("jkt", &c.Confirmation.Key)
		r.fault = errors.Join(r.fault, in.fault)
	})
	r.actor("act", &c.Actor)
	return &c, r.fault
}

// reader collects the faults of an object's members.
type reader struct {
	object jws.Object
	fault  error
}

func (r *reader) text(name string, dst *string) {
	s, err := r.object.Text(name)
	*dst, r.fault = s, errors.Join(r.fault, err)
}

func (r *reader) date(name string, dst *NumericDate) {
	t, err := r.object.Date(name)
	if r.fault = errors.Join(r.fault, err); !t.IsZero() {
		*dst = Date(t)
	}
}

func (r *reader) member(name string, read func(jws.Object)) {
	raw, ok := r.object[name]
	if !ok {
		return
	}
	o, err := jws.ParseObject(raw)
	if err != nil {
		r.fault = errors.Join(r.fault, errors.New(name+" is not an object"))
		return
	}
	read(o)
}

func (r *reader) actor(name string, dst **Actor) {
	r.member(name, func(o jws.Object) {
		*dst = &Actor{}
		in := reader{object: o}
		in.text("sub", &(*dst).Subject)
		in.actor("act", &(*dst).Actor)
		r.fault = errors.Join(r.fault, in.fault)
	})
}
