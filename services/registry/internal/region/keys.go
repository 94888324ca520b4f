package region

import (
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
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const minRSABits = 2048

// keys reads the public keys of a client into a JWK Set in which every key has kid, alg and use.
func (l *loader) keys(c Client, seen map[string]string, f faults) json.RawMessage {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	if len(c.Keys) == 0 {
		f.add("has no keys")
	}
	kids := map[string]bool{}
	for i, name := range c.Keys {
		kf := f.at("keys[%d] %s", i, name)
		text, ok := l.read(name, kf)
		if !ok {
			continue
		}
		keys, err := parseKeys(text)
		if err != nil {
			kf.add("%s", err)
			continue
		}
		for _, key := range keys {
			if err := suits(key.Key, c.Alg); err != nil {
				kf.add("%s", err)
				continue
			}
			thumbprint, err := key.Thumbprint(crypto.SHA256)
			if err != nil {
				kf.add("%s", err)
				continue
			}
			id := base64.RawURLEncoding.EncodeToString(thumbprint)
			if owner, taken := seen[id]; taken {
				kf.add("the key is already one of client %s", owner)
			}
			seen[id] = c.ID
			if key.KeyID == "" {
				key.KeyID = id
			}
			if kids[key.KeyID] {
				kf.add("kid %q stands there twice", key.KeyID)
			}
			kids[key.KeyID] = true
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: c.Alg, Use: "sig"})
		}
	}
	out, err := json.Marshal(set)
	if err != nil {
		f.add("keys: %s", err)
	}
	return out
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
