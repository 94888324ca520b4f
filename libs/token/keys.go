package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/token/jws"
)

// KeySource gives the public key of a kid. It is asked on every verification, so it must be fast and current; a key that
// is gone from it verifies nothing from then on, cached tokens included.
type KeySource interface {
	Key(kid string) (*ecdsa.PublicKey, bool)
}

// Keys is a fixed KeySource.
type Keys map[string]*ecdsa.PublicKey

// Key looks the key up.
func (k Keys) Key(kid string) (*ecdsa.PublicKey, bool) {
	key, ok := k[kid]
	return key, ok
}

// ParseKeys reads a JWK Set (RFC 7517 §5) of ES256 keys, as parts publish them. A key that is not a public P-256 key with
// a kid, and a kid that stands twice, are errors.
func ParseKeys(set json.RawMessage) (Keys, error) {
	var parsed jose.JSONWebKeySet
	if err := json.Unmarshal(set, &parsed); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	keys := make(Keys, len(parsed.Keys))
	for _, jwk := range parsed.Keys {
		public, ok := jwk.Key.(*ecdsa.PublicKey)
		switch {
		case !ok || public.Curve != elliptic.P256():
			return nil, fmt.Errorf("key %q is not a public P-256 key", jwk.KeyID)
		case jwk.KeyID == "":
			return nil, errors.New("key without kid")
		case jwk.Algorithm != "" && jwk.Algorithm != jws.ES256:
			return nil, fmt.Errorf("key %q is for %s", jwk.KeyID, jwk.Algorithm)
		case keys[jwk.KeyID] != nil:
			return nil, fmt.Errorf("kid %q stands twice", jwk.KeyID)
		}
		keys[jwk.KeyID] = public
	}
	return keys, nil
}

// PublicSet is the JWK Set with the public halves of ES256 keys, each with kid, alg and use.
func PublicSet(keys ...*ecdsa.PublicKey) (json.RawMessage, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range keys {
		kid, err := KeyID(key)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: jws.ES256, Use: "sig"})
	}
	return json.Marshal(set)
}

// KeyID is the kid of a key: its RFC 7638 thumbprint, so that two keys never share one.
func KeyID(key *ecdsa.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("thumbprint: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}
