// Package receipts signs receipts with the receipt keys of organisations. Each key stands under a statement of its
// organisation; both are read from a folder and checked whole at the start.
package receipts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/cases/api"
)

// Keys are the receipt keys of the organisations.
type Keys struct {
	signing   map[string]signing // by OIN
	published []api.PublishedKey
	byKeyID   map[string]api.PublishedKey
}

// signing is the key that an organisation's receipts are signed with now.
type signing struct {
	key       *ecdsa.PrivateKey
	kid       string
	statement api.Statement
}

const (
	keySuffix       = ".pem"
	statementSuffix = ".jws"
	oinLength       = 20
)

// Load reads a folder with, per organisation, <oin>.pem (a P-256 key, PKCS #8) and <oin>.jws (the statement of that
// organisation about it, compact). Statements of keys that are no longer used stay as <oin>.<anything>.jws, so that
// their receipts can still be checked. Every fault is named, and one fault is enough to load nothing.
func Load(dir string, anchors *x509.CertPool, now time.Time) (*Keys, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("receipt keys: %w", err)
	}
	k := &Keys{signing: map[string]signing{}, byKeyID: map[string]api.PublishedKey{}}
	statements := map[string]api.Statement{} // by key id
	var faults []error
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), statementSuffix) {
			continue
		}
		st, compact, err := readStatement(dir, f.Name(), anchors)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.Name(), err))
			continue
		}
		kid := st.Key.KeyID()
		if _, twice := statements[kid]; twice {
			faults = append(faults, fmt.Errorf("%s: another statement is about the same key", f.Name()))
			continue
		}
		statements[kid] = st
		entry := api.PublishedKey{OIN: st.OIN, KeyID: kid, Key: st.Key, From: st.From, Until: st.Until, Statement: compact}
		k.byKeyID[kid] = entry
		k.published = append(k.published, entry)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), keySuffix) {
			continue
		}
		s, err := readKey(dir, f.Name(), statements, now)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.Name(), err))
			continue
		}
		k.signing[s.statement.OIN] = s
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("receipt keys in %s:\n%w", dir, err)
	}
	slices.SortFunc(k.published, func(a, b api.PublishedKey) int {
		return strings.Compare(a.OIN+a.From.Format(time.RFC3339)+a.KeyID, b.OIN+b.From.Format(time.RFC3339)+b.KeyID)
	})
	return k, nil
}

// Published are all keys with their statements, those that are no longer used too.
func (k *Keys) Published() []api.PublishedKey { return k.published }

// Holds tells whether there is a key to sign with for an organisation.
func (k *Keys) Holds(organisation string) bool {
	_, ok := k.signing[organisation]
	return ok
}

func readStatement(dir, name string, anchors *x509.CertPool) (api.Statement, string, error) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return api.Statement{}, "", err
	}
	compact := strings.TrimSpace(string(text))
	st, err := api.VerifyStatement(compact, anchors)
	if err != nil {
		return api.Statement{}, "", err
	}
	if !strings.HasPrefix(name, st.OIN+".") {
		return api.Statement{}, "", fmt.Errorf("is a statement of %s", st.OIN)
	}
	return st, compact, nil
}

func readKey(dir, name string, statements map[string]api.Statement, now time.Time) (signing, error) {
	organisation := strings.TrimSuffix(name, keySuffix)
	if _, err := oin.Parse(organisation); err != nil || len(organisation) != oinLength {
		return signing{}, errors.New("the name of the file is not <oin>.pem")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return signing{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return signing{}, errors.New("holds no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return signing{}, errors.New("the key does not parse") // the parser's error may quote the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return signing{}, errors.New("is not a P-256 key")
	}
	jwk, err := api.NewJWK(&key.PublicKey)
	if err != nil {
		return signing{}, err
	}
	st, ok := statements[jwk.KeyID()]
	switch {
	case !ok:
		return signing{}, errors.New("no good statement is about this key")
	case st.OIN != organisation:
		return signing{}, fmt.Errorf("the statement about this key is of %s", st.OIN)
	case !st.Covers(now):
		return signing{}, fmt.Errorf("its statement is for %s until %s", st.From.Format(time.RFC3339), st.Until.Format(time.RFC3339))
	}
	return signing{key: key, kid: jwk.KeyID(), statement: st}, nil
}
