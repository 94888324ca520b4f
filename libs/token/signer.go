package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"errors"

	"noorderhub.nl/hub/libs/token/jws"
)

// Signer signs tokens of one type with one ES256 key. It may be used by many goroutines.
type Signer struct {
	key    *ecdsa.PrivateKey
	kid    string
	header string // the encoded header is the same for every token
}

// NewSigner makes a signer of TypeAccess or TypeCall tokens. The key must be on P-256; its kid is its thumbprint.
func NewSigner(key *ecdsa.PrivateKey, tokenType string) (*Signer, error) {
	if key == nil || key.Curve != elliptic.P256() {
		return nil, errors.New("signing key is not on P-256")
	}
	if tokenType == "" {
		return nil, errors.New("signer needs a token type")
	}
	kid, err := KeyID(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{jws.ES256, kid, tokenType})
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, kid: kid, header: jws.EncodeHeader(header)}, nil
}

// KeyID is the kid that the tokens carry.
func (s *Signer) KeyID() string { return s.kid }

// Public is the key that verifies the tokens.
func (s *Signer) Public() *ecdsa.PublicKey { return &s.key.PublicKey }

// Sign gives the claims as a compact JWS.
func (s *Signer) Sign(c *Claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return jws.SignES256(s.key, s.header, payload)
}
