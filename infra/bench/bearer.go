package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"noorderhub.nl/hub/infra/bench/internal/rig"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/jws"
)

// tokens gives the access tokens of the gateway benchmark: the hub's own, and for peers with RSA the same claims signed
// anew.
type tokens struct {
	rig *rig.Rig
	dir string
	rsa *rsa.PrivateKey

	es256, rs256 string // rs256 has the claims of es256
}

func newTokens(ctx context.Context, r *rig.Rig, dir string) (*tokens, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	t := &tokens{rig: r, dir: dir, rsa: key}
	raw, err := t.hubES256(ctx)
	if err != nil {
		return nil, err
	}
	set, err := r.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	public, err := signedWith(raw, set)
	if err != nil {
		return nil, err
	}
	for alg, key := range map[string]crypto.PublicKey{"ES256": public, "RS256": t.rsa.Public()} {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(t.file(alg), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// file is where the public key stands that verifies tokens of an algorithm.
func (t *tokens) file(alg string) string { return filepath.Join(t.dir, "tokens-"+alg+".pem") }

func (t *tokens) hub(ctx context.Context, slug string) (string, error) {
	return t.rig.Token(ctx, rig.ClientES256, slug)
}

func (t *tokens) hubES256(ctx context.Context) (string, error) { return t.hub(ctx, rig.Open) }

func (t *tokens) hubRS256(ctx context.Context) (string, error) {
	raw, err := t.hubES256(ctx)
	if err != nil || raw == t.es256 {
		return t.rs256, err
	}
	_, rest, _ := strings.Cut(raw, ".")
	claims, _, _ := strings.Cut(rest, ".")
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"at+jwt","kid":"bench"}`)) + "." + claims
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, t.rsa, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	t.es256, t.rs256 = raw, input+"."+base64.RawURLEncoding.EncodeToString(signature)
	return t.rs256, nil
}

// signedWith finds the key that a token was signed with.
func signedWith(raw string, set []byte) (crypto.PublicKey, error) {
	keys, err := token.ParseKeys(set)
	if err != nil {
		return nil, err
	}
	m, err := jws.Parse(raw, len(raw))
	if err != nil {
		return nil, err
	}
	key, ok := keys.Key(m.KeyID)
	if !ok {
		return nil, errors.New("the hub publishes no key for its token")
	}
	return key, m.Verify(key)
}

// forged gives the token with another signature of the right length.
func forged(raw string) string {
	begin := strings.LastIndexByte(raw, '.') + 1
	return raw[:begin] + strings.Repeat("A", len(raw)-begin)
}
