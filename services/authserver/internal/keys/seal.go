package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
)

// Envelope encrypts private keys before they are stored: AES-256-GCM under a key that is not in the database, with the
// kid as additional data, so that a sealed key cannot be put in the place of another.
type Envelope struct {
	aead cipher.AEAD
}

// NewEnvelope takes 32 random bytes in base64, as `openssl rand -base64 32` makes them.
func NewEnvelope(encoded string) (Envelope, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) != 32 {
		return Envelope{}, errors.New("envelope key is not 32 bytes in base64")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return Envelope{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return Envelope{}, err
	}
	return Envelope{aead: aead}, nil
}

func (e Envelope) seal(kid string, key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(e.aead.Seal(nil, nil, der, []byte(kid))), nil
}

func (e Envelope) open(kid, sealed string) (*ecdsa.PrivateKey, error) {
	text, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("signing key %s is damaged", kid)
	}
	der, err := e.aead.Open(nil, nil, text, []byte(kid))
	if err != nil {
		return nil, fmt.Errorf("signing key %s does not open: it is damaged, or the envelope key is another one", kid)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("signing key %s is damaged", kid)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing key %s is not an ECDSA key", kid)
	}
	return key, nil
}
