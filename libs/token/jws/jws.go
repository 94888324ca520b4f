// Package jws reads, verifies and signs JSON Web Signatures in compact serialisation (RFC 7515 §7.1), strictly: base64url
// in its one canonical form, no line breaks, no duplicate members, no critical extensions, and only the algorithms RS256,
// PS256 and ES256, each with a key of its own type. Which algorithm, type and key are right is for the caller to say.
package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// The algorithms of RFC 7518 §3.1 that the hub knows. HS256 and none are not among them and never become so.
const (
	RS256 = "RS256"
	PS256 = "PS256"
	ES256 = "ES256"
)

// minRSABits is the smallest RSA modulus that Verify uses (NCSC TLS guidelines 2025-05: less is insufficient).
const minRSABits = 2048

// ErrSignature says that the signature does not belong to the message and the key.
var ErrSignature = errors.New("signature does not verify")

// Message is a JWS, split and decoded. Nothing in it is to be believed before Verify.
type Message struct {
	Alg       string
	KeyID     string // kid, "" when absent
	Type      string // typ, "" when absent
	Header    Object
	Payload   []byte
	input     string // what is signed: header.payload as received
	signature []byte
}

// Parse splits a compact JWS of at most limit bytes.
func Parse(raw string, limit int) (*Message, error) {
	if len(raw) > limit {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	head, rest, ok1 := strings.Cut(raw, ".")
	body, tail, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || strings.Contains(tail, ".") {
		return nil, errors.New("not three parts with dots between them")
	}
	header, err := decode(head)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	m := &Message{input: raw[:len(head)+1+len(body)]}
	if m.Header, err = ParseObject(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if m.Payload, err = decode(body); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if m.signature, err = decode(tail); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return m, m.readHeader()
}

func (m *Message) readHeader() error {
	var errAlg, errKid, errTyp error
	m.Alg, errAlg = m.Header.Text("alg")
	m.KeyID, errKid = m.Header.Text("kid")
	m.Type, errTyp = m.Header.Text("typ")
	if err := errors.Join(errAlg, errKid, errTyp); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	// RFC 7515 §4.1.11: who does not understand an extension that is critical must refuse; b64=false is one of them.
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if _, ok := m.Header[name]; ok {
			return fmt.Errorf("header: %s is not supported", name)
		}
	}
	return nil
}

// Verify checks the signature by the algorithm in the header. The key must be of that algorithm's type; an RSA key shorter
// than 2048 bits and a curve other than P-256 verify nothing.
func (m *Message) Verify(key crypto.PublicKey) error {
	digest := sha256.Sum256([]byte(m.input))
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		if m.Alg == ES256 && k.Curve == elliptic.P256() && verifyES256(k, digest[:], m.signature) {
			return nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return ErrSignature
		}
		switch m.Alg {
		case RS256:
			if rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], m.signature) == nil {
				return nil
			}
		case PS256: // RFC 7518 §3.5: the salt is as long as the hash
			pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			if rsa.VerifyPSS(k, crypto.SHA256, digest[:], m.signature, pss) == nil {
				return nil
			}
		}
	}
	return ErrSignature
}

// halfES256 is the length of r and of s in an ES256 signature (RFC 7518 §3.4).
const halfES256 = 32

func verifyES256(key *ecdsa.PublicKey, digest, signature []byte) bool {
	if len(signature) != 2*halfES256 {
		return false
	}
	r := new(big.Int).SetBytes(signature[:halfES256])
	s := new(big.Int).SetBytes(signature[halfES256:])
	return ecdsa.Verify(key, digest, r, s)
}

// SignES256 signs a payload. header is the header segment, already encoded by EncodeHeader.
func SignES256(key *ecdsa.PrivateKey, header string, payload []byte) (string, error) {
	input := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	var signature [2 * halfES256]byte
	r.FillBytes(signature[:halfES256])
	s.FillBytes(signature[halfES256:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}

// EncodeHeader makes a header segment from JSON.
func EncodeHeader(json []byte) string { return base64.RawURLEncoding.EncodeToString(json) }

// decode takes base64url without padding in canonical form only. Strict alone would let line breaks pass.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break in base64url")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errors.New("not canonical base64url")
	}
	return b, nil
}
