// Package token signs and verifies the hub's own tokens: access tokens of the authorization server (RFC 9068) and call
// tokens of the gateway. Verification is strict (libs/token/jws) and remembered: a token that was verified before costs
// one SHA-256. What is remembered never outlives the token or its key, and audience and time are judged on every call.
package token

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/token/jws"
)

const (
	// maxToken bounds a token in bytes; ours are below 1 KiB.
	maxToken = 8 << 10
	// maxLeeway is the largest clock difference between parts that may be configured.
	maxLeeway = 60 * time.Second
	// cacheLife is how long a verified token is remembered at most.
	cacheLife = 60 * time.Second
	// refusedLife is how long a refusal is remembered: it blunts a flood of one bad token, no more.
	refusedLife = 5 * time.Second

	defaultCacheSize = 16384
	refusedCacheSize = 1024
)

// Options say which tokens a Verifier accepts.
type Options struct {
	Type      string        // TypeAccess or TypeCall, compared exactly
	Issuer    string        // compared exactly
	Keys      KeySource     // keys of that issuer for that type, and no others
	MaxLife   time.Duration // a token with more between iat and exp is refused; 0: 15 min
	Leeway    time.Duration // clock difference allowed, at most 60 s; 0: none
	CacheSize int           // verified tokens remembered; 0: 16384
	Now       func() time.Time
}

// Verifier checks tokens of one type and one issuer. It may be used by many goroutines.
type Verifier struct {
	o        Options
	verified *cache[verified]
	refused  *cache[errs.Error]
}

type verified struct {
	claims *Claims
	kid    string
	key    *ecdsa.PublicKey
}

// NewVerifier checks the options.
func NewVerifier(o Options) (*Verifier, error) {
	if o.Type == "" || o.Issuer == "" || o.Keys == nil {
		return nil, errors.New("token verifier needs type, issuer and keys")
	}
	if o.Leeway < 0 || o.Leeway > maxLeeway {
		return nil, errors.New("leeway of a token verifier is between 0 and 60 s")
	}
	if o.MaxLife == 0 {
		o.MaxLife = 15 * time.Minute
	}
	if o.CacheSize == 0 {
		o.CacheSize = defaultCacheSize
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Verifier{o: o, verified: newCache[verified](o.CacheSize), refused: newCache[errs.Error](refusedCacheSize)}, nil
}

// Verify checks a token for one audience, the service that is called. Every error is an *errs.Error of kind
// Unauthenticated whose code names the check that failed. The claims are shared and must not be changed. With an error of
// time or audience the claims come along: the token is the issuer's, so that the refusal can be laid to its client; they
// allow nothing.
func (v *Verifier) Verify(raw, audience string) (*Claims, error) {
	if raw == "" {
		return nil, codeMissing.New("the request carries no access token")
	}
	if len(raw) > maxToken {
		return nil, codeMalformed.New("the token is longer than %d bytes", maxToken)
	}
	now := v.o.Now()
	sum := sha256.Sum256([]byte(raw))
	claims, err := v.claims(sum, raw, now)
	if err != nil {
		return nil, err
	}
	if err := v.checkTime(claims, now); err != nil {
		return claims, err
	}
	if audience == "" || claims.Audience != audience {
		return claims, codeAudience.New("the token is for %q, this is %q", claims.Audience, audience)
	}
	return claims, nil
}

// claims gives the claims of a token whose signature and form are right, remembered or checked now.
func (v *Verifier) claims(sum [sha256.Size]byte, raw string, now time.Time) (*Claims, error) {
	if hit, ok := v.verified.get(sum, now); ok {
		if key, ok := v.o.Keys.Key(hit.kid); ok && (key == hit.key || key.Equal(hit.key)) {
			return hit.claims, nil
		}
	}
	if refusal, ok := v.refused.get(sum, now); ok {
		return nil, &refusal // a copy: who gets it may add to it
	}
	fresh, err := v.check(raw)
	if err != nil {
		// An unknown key may become known within the second; everything else stays wrong.
		if err.Code != codeKey {
			v.refused.put(sum, *err, now.Add(refusedLife))
		}
		return nil, err
	}
	until := now.Add(cacheLife)
	if end := fresh.claims.Expires.Time().Add(v.o.Leeway); end.Before(until) {
		until = end
	}
	v.verified.put(sum, fresh, until)
	return fresh.claims, nil
}

// check verifies a token from scratch: form, type, algorithm, key, signature, claims, issuer; in this order, so that
// nothing in the payload is read before the signature is good.
func (v *Verifier) check(raw string) (verified, *errs.Error) {
	m, err := jws.Parse(raw, maxToken)
	if err != nil {
		return verified{}, codeMalformed.New("the token is not a signed JWT: %s", err)
	}
	if m.Type != v.o.Type {
		return verified{}, codeType.New("the header typ is not %q", v.o.Type)
	}
	if m.Alg != jws.ES256 {
		return verified{}, codeSignature.New("the token is not signed with ES256")
	}
	// A key or the address of a key inside the token would let its maker choose what it is verified with.
	for _, name := range []string{"jwk", "jku", "x5u", "x5c"} {
		if _, ok := m.Header[name]; ok {
			return verified{}, codeSignature.New("the header %s is not accepted", name)
		}
	}
	key, ok := v.o.Keys.Key(m.KeyID)
	if !ok {
		return verified{}, codeKey.New("no key of the issuer has the kid of the token")
	}
	if err := m.Verify(key); err != nil {
		return verified{}, codeSignature.New("the signature does not verify")
	}
	claims, err := readClaims(m.Payload)
	if err != nil {
		return verified{}, codeClaims.New("the claims are malformed: %s", err)
	}
	if claims.Issuer != v.o.Issuer {
		return verified{}, codeIssuer.New("the issuer is not %q", v.o.Issuer)
	}
	if err := v.checkComplete(claims); err != nil {
		return verified{}, err
	}
	return verified{claims: claims, kid: m.KeyID, key: key}, nil
}

// checkComplete wants what RFC 9068 §2.2 requires, and a life within the limit.
func (v *Verifier) checkComplete(c *Claims) *errs.Error {
	for _, claim := range []struct{ name, value string }{
		{"sub", c.Subject}, {"client_id", c.ClientID}, {"aud", c.Audience}, {"jti", c.ID}, {"peer_id", c.PeerID},
	} {
		if claim.value == "" {
			return codeClaims.New("the claim %s is missing", claim.name)
		}
	}
	if c.Expires == 0 || c.Issued == 0 {
		return codeClaims.New("the claims exp and iat are required")
	}
	if life := c.Expires.Time().Sub(c.Issued.Time()); life <= 0 || life > v.o.MaxLife {
		return codeClaims.New("the token lives %s, at most %s is accepted", life, v.o.MaxLife)
	}
	return nil
}

func (v *Verifier) checkTime(c *Claims, now time.Time) error {
	if end := c.Expires.Time().Add(v.o.Leeway); !now.Before(end) {
		return codeExpired.New("the token expired at %s", c.Expires.Time().UTC().Format(time.RFC3339))
	}
	soonest := now.Add(v.o.Leeway)
	if c.NotBefore.Time().After(soonest) || c.Issued.Time().After(soonest) {
		return codeNotYetValid.New("the token is valid from a moment in the future")
	}
	return nil
}
