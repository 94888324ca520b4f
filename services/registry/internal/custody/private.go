package custody

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const rsaBits = 3072 // NCSC 2025-05: good from 3072 on

// generate makes a private key.
func generate(a Algorithm) (crypto.Signer, error) {
	switch a {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case EdDSA:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("algorithm %q is unknown", a)
}

// algorithmOf gives what a public key signs with; "" for keys that are not used here.
func algorithmOf(public crypto.PublicKey) Algorithm {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return RS256
	case ed25519.PublicKey:
		return EdDSA
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return ES256
		case elliptic.P384():
			return ES384
		case elliptic.P521():
			return ES512
		}
	}
	return ""
}

// identify gives the DER form of a public key and its id.
func identify(public crypto.PublicKey) (der []byte, id string, err error) {
	if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(der)
	return der, hex.EncodeToString(sum[:]), nil
}

// parsePrivate reads a private key in PEM: PKCS #8, SEC 1 or PKCS #1. Errors never quote it.
func parsePrivate(text []byte) (crypto.Signer, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("key: no PEM")
	}
	defer clear(block.Bytes)
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("key: more than one PEM block")
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
		return nil, errors.New("key: the PEM block is not a private key, or it is encrypted")
	}
	key, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("key: not a private key that can sign")
	}
	return key, nil
}

// newStored seals a private key. k says whose it is and what for; its id and public half follow from the key.
func (v *Vault) newStored(k Key, private crypto.Signer) (Stored, error) {
	var err error
	if k.Public, k.ID, err = identify(private.Public()); err != nil {
		return Stored{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Stored{}, err
	}
	defer clear(der)
	return Stored{Key: k, Sealed: v.o.Envelope.seal(k, der)}, nil
}

// open gives the private key. Its public half is the one that is stored, or somebody changed one of the two.
func (v *Vault) open(k Stored) (crypto.Signer, error) {
	der, err := v.o.Envelope.open(k)
	if err != nil {
		return nil, err
	}
	defer clear(der)
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	private, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, ErrSealed
	}
	if public, id, err := identify(private.Public()); err != nil || id != k.ID || string(public) != string(k.Public) {
		return nil, ErrSealed
	}
	return private, nil
}

// hand is a crypto.Signer that opens its key for one signature at a time. It shows nothing of it.
type hand struct {
	vault  *Vault
	stored Stored
	public crypto.PublicKey
}

func (v *Vault) hand(k Stored) (*hand, error) {
	public, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil {
		return nil, ErrSealed
	}
	return &hand{vault: v, stored: k, public: public}, nil
}

// Public implements crypto.Signer.
func (h *hand) Public() crypto.PublicKey { return h.public }

// Sign implements crypto.Signer.
func (h *hand) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	private, err := h.vault.open(h.stored)
	if err != nil {
		return nil, err
	}
	return private.Sign(random, digest, opts)
}

// Format implements fmt.Formatter.
func (*hand) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the key from JSON and YAML.
func (*hand) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (*hand) LogValue() slog.Value { return slog.StringValue(hidden) }
