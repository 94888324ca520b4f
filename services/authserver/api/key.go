package api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The algorithms of client assertions.
const (
	ES256 = "ES256"
	PS256 = "PS256"
	RS256 = "RS256"
)

// Key signs client assertions. Signer may be a key in memory or in hardware.
type Key struct {
	ID     string // kid, as registered; empty when the client has one key only
	Alg    string // as registered for the client
	Signer crypto.Signer
}

// ParseKey reads a private key in PEM (PKCS #8, SEC 1 or PKCS #1). alg is the algorithm registered for the client; empty
// takes ES256 for a P-256 key and PS256 for an RSA key.
func ParseKey(text []byte, id, alg string) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return Key{}, errors.New("not a PEM file")
	}
	var parsed any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return Key{}, fmt.Errorf("PEM block %q is not a private key", block.Type)
	}
	if err != nil {
		return Key{}, errors.New("the private key does not parse") // the parser's error may quote the key
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return Key{}, errors.New("the private key does not sign")
	}
	if alg == "" {
		alg = PS256
		if _, ec := signer.Public().(*ecdsa.PublicKey); ec {
			alg = ES256
		}
	}
	k := Key{ID: id, Alg: alg, Signer: signer}
	return k, k.check()
}

// check wants a key of the algorithm's type.
func (k Key) check() error {
	if k.Signer == nil {
		return errors.New("client has no key")
	}
	switch public := k.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		if k.Alg == ES256 && public.Curve == elliptic.P256() {
			return nil
		}
	case *rsa.PublicKey:
		if (k.Alg == PS256 || k.Alg == RS256) && public.N.BitLen() >= 2048 {
			return nil
		}
	}
	return fmt.Errorf("the key cannot sign %q", k.Alg)
}

// assertionLife is half of what the server accepts: time for the way there and a clock that differs a little.
const assertionLife = 30 * time.Second

// Assertion signs a client assertion (RFC 7523 §3) for one use right now. audience is the issuer of the server.
func (k Key) Assertion(client, audience string, now time.Time) (string, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid,omitempty"`
		Typ string `json:"typ"`
	}{k.Alg, k.ID, "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		ID       string `json:"jti"`
		Issued   int64  `json:"iat"`
		Expires  int64  `json:"exp"`
	}{client, client, audience, rand.Text(), now.Unix(), now.Add(assertionLife).Unix()})
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
	signature, err := k.sign([]byte(input))
	if err != nil {
		return "", fmt.Errorf("sign assertion: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func (k Key) sign(input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	switch k.Alg {
	case RS256:
		return k.Signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	case PS256:
		return k.Signer.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	der, err := k.Signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	// crypto.Signer gives DER; JWS wants r and s, 32 bytes each (RFC 7518 §3.4).
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	rs.R.FillBytes(signature[:32])
	rs.S.FillBytes(signature[32:])
	return signature, nil
}
