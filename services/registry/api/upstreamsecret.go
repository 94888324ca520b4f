package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// How the gateway makes itself known to a service (design §3.2).
const (
	AuthCallToken   = "call-token"  // a JWT that the gateway signs for this service; the default
	AuthCertificate = "certificate" // the gateway's client certificate, beside the call token
	AuthHeader      = "header"      // a secret in a header of the service's choice, instead of the call token
	AuthZGW         = "zgw"         // the HS256 token of the ZGW standards, instead of the call token
)

// UpstreamSealer encrypts the secrets of upstreams from the registry to the gateways. They travel in the snapshot, which other
// parts have too, so they are sealed with a key that only registry and gateways are given.
type UpstreamSealer struct{ aead cipher.AEAD }

// NewUpstreamSealer takes the key: 32 random bytes in base64.
func NewUpstreamSealer(key string) (*UpstreamSealer, error) {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 32 {
		return nil, errors.New("the key of upstream secrets is not 32 bytes in base64")
	}
	derived := sha256.Sum256(append([]byte("noorderhub upstream secrets\x00"), raw...))
	block, err := aes.NewCipher(derived[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &UpstreamSealer{aead: aead}, err
}

// Seal encrypts the secret of a service. It opens for that service and way of making known only.
func (s *UpstreamSealer) Seal(slug, auth, secret string) (string, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, []byte(secret), []byte(slug+"\x00"+auth))), nil
}

// Open decrypts what Seal made.
func (s *UpstreamSealer) Open(slug, auth, sealed string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < s.aead.NonceSize() {
		return "", fmt.Errorf("the secret of service %s is not sealed", slug)
	}
	text, err := s.aead.Open(nil, raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():], []byte(slug+"\x00"+auth))
	if err != nil {
		return "", fmt.Errorf("the secret of service %s was sealed with another key", slug)
	}
	return string(text), nil
}
