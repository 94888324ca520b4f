// Package tokentest issues tokens for tests of parts that verify them.
package tokentest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/token"
)

// Issuer signs tokens of one type with a key of its own.
type Issuer struct {
	t      testing.TB
	name   string
	kind   string
	key    *ecdsa.PrivateKey
	signer *token.Signer
}

// New makes an issuer of token.TypeAccess or token.TypeCall tokens. name is the claim iss.
func New(t testing.TB, name, tokenType string) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.NewSigner(key, tokenType)
	if err != nil {
		t.Fatal(err)
	}
	return &Issuer{t: t, name: name, kind: tokenType, key: key, signer: signer}
}

// Keys is the key source that knows this issuer's key.
func (i *Issuer) Keys() token.Keys { return token.Keys{i.signer.KeyID(): i.signer.Public()} }

// Key is the private key, for tests that forge.
func (i *Issuer) Key() *ecdsa.PrivateKey { return i.key }

// Verifier accepts this issuer's tokens.
func (i *Issuer) Verifier() *token.Verifier {
	i.t.Helper()
	v, err := token.NewVerifier(token.Options{Type: i.kind, Issuer: i.name, Keys: i.Keys()})
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

// Claims are complete claims for audience that a verifier accepts for the next minute.
func (i *Issuer) Claims(audience string) *token.Claims {
	now := time.Now()
	return &token.Claims{
		Issuer: i.name, Subject: "client-1", ClientID: "client-1", AuthorizedParty: "client-1", Audience: audience,
		Issued: token.Date(now), NotBefore: token.Date(now), Expires: token.Date(now.Add(time.Minute)), ID: token.NewID(),
		Scope: "bag.lezen", GrantHash: "$1$3$test", GroupID: "test-group", PeerID: "00000099000000001000",
	}
}

// Token signs Claims(audience) after change, which may be nil.
func (i *Issuer) Token(audience string, change func(*token.Claims)) string {
	i.t.Helper()
	c := i.Claims(audience)
	if change != nil {
		change(c)
	}
	raw, err := i.signer.Sign(c)
	if err != nil {
		i.t.Fatal(err)
	}
	return raw
}
