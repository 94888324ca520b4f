package custody

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Sealed is an encrypted private key. It prints as nothing but that.
type Sealed struct {
	Envelope string // id of the envelope key
	Text     []byte // nonce, ciphertext and tag
}

// Envelope encrypts private keys before they are stored: AES-256-GCM under a key that is not in the database. The newest
// of its keys seals, all of them open. It never shows what they are.
type Envelope struct {
	newest string
	aeads  map[string]cipher.AEAD // by id
}

const envelopeKeySize = 32

// NewEnvelope takes the envelope keys, newest first: 32 random bytes each in base64, as `openssl rand -base64 32` makes
// them.
func NewEnvelope(newest string, older ...string) (*Envelope, error) {
	e := &Envelope{aeads: map[string]cipher.AEAD{}}
	for i, encoded := range append([]string{newest}, older...) {
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(secret) != envelopeKeySize {
			return nil, fmt.Errorf("envelope key %d is not 32 bytes in base64", i+1)
		}
		id, aead, err := derive(secret)
		clear(secret)
		if err != nil {
			return nil, err
		}
		if _, twice := e.aeads[id]; twice {
			return nil, fmt.Errorf("envelope key %d stands there twice", i+1)
		}
		e.aeads[id] = aead
		if i == 0 {
			e.newest = id
		}
	}
	return e, nil
}

// derive gives the id of an envelope key and the cipher for private keys. Both follow from it, so that no id is ever
// configured with the wrong key, and a secret that serves another purpose too gives nothing away.
func derive(secret []byte) (string, cipher.AEAD, error) {
	const idSize = 8
	id, errID := hkdf.Key(sha256.New, secret, nil, "noorderhub custody: id of the envelope key", idSize)
	key, errKey := hkdf.Key(sha256.New, secret, nil, "noorderhub custody: private keys", envelopeKeySize)
	if err := errors.Join(errID, errKey); err != nil {
		return "", nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return hex.EncodeToString(id), aead, err
}

// Newest is the id of the key that seals.
func (e *Envelope) Newest() string { return e.newest }

// bound is what a sealed key belongs to: it cannot be put in the place of another.
func bound(k Key) []byte {
	return []byte(k.Organisation.String() + "|" + k.ID + "|" + string(k.Purpose))
}

func (e *Envelope) seal(k Key, private []byte) Sealed {
	return Sealed{Envelope: e.newest, Text: e.aeads[e.newest].Seal(nil, nil, private, bound(k))}
}

func (e *Envelope) open(k Stored) ([]byte, error) {
	aead, ok := e.aeads[k.Sealed.Envelope]
	if !ok {
		return nil, ErrSealed
	}
	private, err := aead.Open(nil, nil, k.Sealed.Text, bound(k.Key))
	if err != nil {
		return nil, ErrSealed
	}
	return private, nil
}

// What follows keeps secrets out of logs and errors, whatever verb or encoder is used.

const hidden = "***"

func hide(f fmt.State) { _, _ = io.WriteString(f, hidden) } // a formatter has nowhere to tell

// Format implements fmt.Formatter.
func (*Envelope) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the keys from JSON and YAML.
func (*Envelope) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (*Envelope) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format implements fmt.Formatter.
func (Sealed) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides what is sealed from JSON and YAML.
func (Sealed) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (Sealed) LogValue() slog.Value { return slog.StringValue(hidden) }
