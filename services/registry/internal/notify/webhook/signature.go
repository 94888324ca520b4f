package webhook

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	// Tag marks signatures of notifications: one made for another purpose with the same key does not pass for one.
	Tag = "noorderhub-melding"
	// SignatureLife is how long a signature is good; with the id of the event it keeps old messages from being replayed.
	SignatureLife = 5 * time.Minute
)

// sign adds Content-Digest (RFC 9530) and a signature (RFC 9421) over method, URL, Content-Type and digest with the
// algorithm ecdsa-p256-sha256. The receiver checks it with the hub's public keys alone; no secret is shared, so what it
// keeps proves to others that the hub sent it.
func sign(h http.Header, key *ecdsa.PrivateKey, method, target string, body []byte, now time.Time) error {
	digest := sha256.Sum256(body)
	h.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
	kid, err := KeyID(&key.PublicKey)
	if err != nil {
		return err
	}
	params := fmt.Sprintf(`("@method" "@target-uri" "content-type" "content-digest");created=%d;expires=%d;keyid="%s";alg="ecdsa-p256-sha256";tag="%s"`,
		now.Unix(), now.Add(SignatureLife).Unix(), kid, Tag)
	var base bytes.Buffer
	for _, line := range [][2]string{
		{"@method", method}, {"@target-uri", target}, {"content-type", h.Get("Content-Type")}, {"content-digest", h.Get("Content-Digest")},
	} {
		fmt.Fprintf(&base, "\"%s\": %s\n", line[0], line[1])
	}
	base.WriteString(`"@signature-params": ` + params)
	sum := sha256.Sum256(base.Bytes())
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return fmt.Errorf("sign notification: %w", err)
	}
	signature := make([]byte, 64) // r || s, RFC 9421 §3.3.4
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	h.Set("Signature-Input", "hub="+params)
	h.Set("Signature", "hub=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return nil
}

// jwk is a public P-256 key (RFC 7517). The members that the thumbprint counts stand in its order (RFC 7638 §3.2).
type jwk struct {
	Curve string `json:"crv"`
	Type  string `json:"kty"`
	X     string `json:"x"`
	Y     string `json:"y"`
	ID    string `json:"kid,omitempty"`
	Use   string `json:"use,omitempty"`
	Alg   string `json:"alg,omitempty"`
}

func jwkOf(key *ecdsa.PublicKey) (jwk, error) {
	if key.Curve != elliptic.P256() {
		return jwk{}, errors.New("notifications are signed with a P-256 key")
	}
	point, err := key.Bytes() // 4 || x || y
	if err != nil {
		return jwk{}, fmt.Errorf("key of notifications: %w", err)
	}
	b64 := base64.RawURLEncoding
	return jwk{Curve: "P-256", Type: "EC", X: b64.EncodeToString(point[1:33]), Y: b64.EncodeToString(point[33:])}, nil
}

// KeyID is the RFC 7638 thumbprint of a key.
func KeyID(key *ecdsa.PublicKey) (string, error) {
	k, err := jwkOf(key)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// KeySet is the JWKS that receivers check signatures with: the key in use and those before it whose signatures may still
// be on their way.
func KeySet(keys ...*ecdsa.PublicKey) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: slices.Grow([]jwk{}, len(keys))}
	for _, key := range keys {
		k, err := jwkOf(key)
		if err != nil {
			return nil, err
		}
		if k.ID, err = KeyID(key); err != nil {
			return nil, err
		}
		k.Use, k.Alg = "sig", "ES256"
		set.Keys = append(set.Keys, k)
	}
	return json.Marshal(set)
}
