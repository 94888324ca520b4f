package directory

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const minRSABits = 2048

// preparedKey is a key that was read, with kid, alg and use.
type preparedKey struct {
	jose.JSONWebKey
	thumbprint string // RFC 7638
	place      int    // in Client.Keys
}

func (c *Client) prepareKeys(f faults) {
	c.keys, c.set = nil, nil
	if len(c.Keys) == 0 {
		f.add("has no keys")
	}
	kids := map[string]bool{}
	for i, given := range c.Keys {
		kf := f.at("keys[%d]", i)
		if given.From != nil && given.Till != nil && !given.Till.After(*given.From) {
			kf.add("ends before it begins")
		}
		keys, err := parseKeys([]byte(given.Public))
		if err != nil {
			kf.add("%s", err)
			continue
		}
		if len(keys) == 0 {
			kf.add("holds no key")
		}
		for _, key := range keys {
			prepared, err := prepareKey(key, c.Alg)
			if err != nil {
				kf.add("%s", err)
				continue
			}
			if kids[prepared.KeyID] {
				kf.add("kid %q stands there twice", prepared.KeyID)
			}
			kids[prepared.KeyID] = true
			prepared.place = i
			c.keys = append(c.keys, prepared)
		}
	}
	if !slices.ContainsFunc(c.Keys, func(k ClientKey) bool { return k.From != nil || k.Till != nil }) {
		c.set = c.setAt(time.Time{})
	}
}

func prepareKey(key jose.JSONWebKey, alg string) (preparedKey, error) {
	if err := suits(key.Key, alg); err != nil {
		return preparedKey{}, err
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return preparedKey{}, err
	}
	thumbprint := base64.RawURLEncoding.EncodeToString(sum)
	out := jose.JSONWebKey{Key: key.Key, KeyID: cmp.Or(key.KeyID, thumbprint), Algorithm: alg, Use: "sig"}
	_, err = out.MarshalJSON()
	return preparedKey{JSONWebKey: out, thumbprint: thumbprint}, err
}

// parseKeys takes a JWK, a JWK Set, a PEM public key or a PEM certificate.
func parseKeys(text []byte) ([]jose.JSONWebKey, error) {
	if block, _ := pem.Decode(text); block != nil {
		key, err := pemKey(block)
		return []jose.JSONWebKey{{Key: key}}, err
	}
	var shape struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		return nil, errors.New("neither PEM nor JSON Web Key")
	}
	if shape.Keys == nil {
		shape.Keys = []json.RawMessage{text}
	}
	var out []jose.JSONWebKey
	for _, raw := range shape.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err != nil {
			return nil, fmt.Errorf("not a JSON Web Key: %w", err)
		}
		if _, symmetric := key.Key.([]byte); symmetric {
			return nil, errors.New("holds a shared secret; only public keys belong here")
		}
		if !key.IsPublic() {
			return nil, errPrivateKey
		}
		if key.Use != "" && key.Use != "sig" {
			return nil, errors.New("the key is not for signatures (use)")
		}
		out = append(out, key)
	}
	return out, nil
}

func pemKey(block *pem.Block) (any, error) {
	switch {
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errPrivateKey
	case block.Type == "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return cert.PublicKey, nil
	}
	return nil, errors.New("holds a PEM block that is neither public key nor certificate")
}

// suits tells why a key cannot make signatures of alg, or is too weak to.
func suits(key any, alg string) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits {
			return fmt.Errorf("weak key: RSA of %d bits; at least %d, better 3072", bits, minRSABits)
		}
		if alg == "RS256" || alg == "PS256" {
			return nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() && alg == "ES256" {
			return nil
		}
	}
	return fmt.Errorf("the key does not suit alg %q: RSA for RS256 and PS256, P-256 for ES256", alg)
}
