package api

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// SignatureHeader carries the registry's signature over a snapshot: a JWS with detached content (RFC 7515 appendix F).
const SignatureHeader = "Snapshot-Signature"

// sealHeader is the only protected header there is: no algorithm to choose, no key to be pointed at.
const sealHeader = `{"alg":"ES256","typ":"hub-snapshot+jws"}`

// ErrSignature refuses a snapshot that none of the pinned keys signed.
var ErrSignature = errors.New("the snapshot's signature is not of a pinned registry key")

// Sealed is a snapshot on its way or at rest: signed bytes. Nothing may be read from it but through Open.
type Sealed struct {
	Body      []byte // JSON of Snapshot
	Signature string // value of SignatureHeader
	Delta     bool   // it came as a delta; for counting only
}

// Hash is the SHA-256 of the body in hex: it tells two snapshots of one version apart.
func (s Sealed) Hash() string {
	sum := sha256.Sum256(s.Body)
	return hex.EncodeToString(sum[:])
}

// Held is the snapshot that somebody asks after: the zero value for none.
type Held struct {
	Version Version
	Hash    string // Sealed.Hash; empty: not known
	Body    []byte // Sealed.Body, when the answer may come as a delta to it
}

// Unsealed is the encoded content of a snapshot without the version and the time that it will have.
type Unsealed struct{ tail []byte }

// head is what stands before everything else in a snapshot.
type head struct {
	Version   Version   `json:"version"`
	CreatedAt time.Time `json:"createdAt"`
}

func (h head) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	return bytes.TrimSuffix(text, []byte("}")), err
}

// Encode encodes a snapshot once, for whoever has to know whether its content is another one before it gets a version.
func Encode(s *Snapshot) (Unsealed, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return Unsealed{}, fmt.Errorf("encode snapshot: %w", err)
	}
	before, err := head{s.Version, s.CreatedAt}.encode()
	if err != nil || !bytes.HasPrefix(body, before) {
		return Unsealed{}, errors.New("encode snapshot: it does not begin with version and time")
	}
	return Unsealed{tail: body[len(before):]}, nil
}

// Hash is the SHA-256 of the content in hex: two snapshots that say the same have the same.
func (u Unsealed) Hash() string {
	sum := sha256.Sum256(u.tail)
	return hex.EncodeToString(sum[:])
}

// Seal signs a snapshot with the registry's key, which must be on P-256.
func Seal(s *Snapshot, key crypto.Signer) (Sealed, error) {
	u, err := Encode(s)
	if err != nil {
		return Sealed{}, err
	}
	return u.Seal(s.Version, s.CreatedAt, key)
}

// Seal gives the content its version and time and signs it.
func (u Unsealed) Seal(v Version, at time.Time, key crypto.Signer) (Sealed, error) {
	if public, ok := key.Public().(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return Sealed{}, errors.New("the registry signs with a P-256 key")
	}
	body, err := head{v, at}.encode()
	if err != nil {
		return Sealed{}, fmt.Errorf("encode snapshot: %w", err)
	}
	body = slices.Concat(body, u.tail)
	der, err := key.Sign(rand.Reader, sealDigest(body), crypto.SHA256)
	if err != nil {
		return Sealed{}, fmt.Errorf("sign snapshot: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 {
		return Sealed{}, errors.New("sign snapshot: the signer gave no ECDSA signature")
	}
	raw := make([]byte, 64)
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	return Sealed{Body: body, Signature: sealPrefix() + encoding.EncodeToString(raw)}, nil
}

// Open verifies the signature against the pinned keys (two while a key is being replaced) and decodes the snapshot.
func (s Sealed) Open(pinned ...*ecdsa.PublicKey) (*Snapshot, error) {
	encoded, ok := strings.CutPrefix(s.Signature, sealPrefix())
	if !ok {
		return nil, ErrSignature
	}
	raw, err := encoding.DecodeString(encoded)
	if err != nil || len(raw) != 64 {
		return nil, ErrSignature
	}
	r, t := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	digest := sealDigest(s.Body)
	for _, key := range pinned {
		if key.Curve == elliptic.P256() && ecdsa.Verify(key, digest, r, t) {
			return decodeSnapshot(s.Body)
		}
	}
	return nil, ErrSignature
}

var encoding = base64.RawURLEncoding.Strict()

func sealPrefix() string { return encoding.EncodeToString([]byte(sealHeader)) + ".." }

func sealDigest(body []byte) []byte {
	h := sha256.New()
	// hash.Hash never fails
	_, _ = h.Write([]byte(encoding.EncodeToString([]byte(sealHeader)) + "."))
	encoder := base64.NewEncoder(encoding, h) // a piece at a time: a body has megabytes
	_, _ = encoder.Write(body)
	_ = encoder.Close()
	return h.Sum(nil)
}

// decodeSnapshot takes fields it does not know: a registry is upgraded before the parts that follow it.
func decodeSnapshot(body []byte) (*Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	if s.Version == (Version{}) {
		return nil, errors.New("decode snapshot: no version")
	}
	return &s, nil
}
