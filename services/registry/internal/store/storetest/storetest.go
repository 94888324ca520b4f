// Package storetest gives tests what a store needs.
package storetest

import (
	"crypto/ed25519"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/merkle"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// Log is an audit log with a key of its own.
func Log(t testing.TB) *audit.Log {
	t.Helper()
	const origin = "hub.example.nl/beheer/audit"
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := merkle.NewSigner(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := merkle.NewKeys(origin, public)
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.New(audit.Options{Signer: signer, Keys: keys, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return log
}
