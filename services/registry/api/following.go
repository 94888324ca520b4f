package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
)

// Following is the part of a configuration file that says where snapshots come from and whose are believed.
type Following struct {
	URL  string   `yaml:"url"`  // https://host:port of the registry, or consul:NAME
	Keys []string `yaml:"keys"` // PEM files of the public keys that sign snapshots; two while one is being replaced
	File string   `yaml:"file"` // where the last good snapshot is kept
}

// Validate reports all faults together.
func (c Following) Validate() error {
	var faults []error
	u, err := url.Parse(c.URL)
	if inCatalogue := err == nil && u.Scheme == "consul" && u.Opaque != ""; !inCatalogue && (err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "") {
		faults = append(faults, errors.New("registry.url is neither an https URL without path nor consul:NAME"))
	}
	if len(c.Keys) == 0 {
		faults = append(faults, errors.New("registry.keys: no key is pinned"))
	}
	return errors.Join(faults...)
}

// Check reads the keys that are pinned.
func (c Following) Check() error {
	if _, err := ReadKeys(c.Keys); err != nil {
		return fmt.Errorf("registry.keys: %w", err)
	}
	return nil
}

// Remote is the registry of the configuration, called with client. Who has a catalogue first makes a name in it a URL.
func (c Following) Remote(client *http.Client) *Remote { return &Remote{Base: c.URL, HTTP: client} }

// Follower follows the registry of the configuration; the caller runs it.
func (c Following) Follower(ctx context.Context, client *http.Client, logger *slog.Logger) (*Follower, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	pinned, err := ReadKeys(c.Keys)
	if err != nil {
		return nil, fmt.Errorf("registry.keys: %w", err)
	}
	return NewFollower(ctx, FollowerOptions{Source: c.Remote(client), Pinned: pinned, File: c.File, Logger: logger})
}

// ReadKeys reads the public P-256 keys that snapshots are signed with, one PEM file each.
func ReadKeys(files []string) ([]*ecdsa.PublicKey, error) {
	keys := make([]*ecdsa.PublicKey, 0, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil || block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("%s holds no PEM block PUBLIC KEY", file)
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		key, ok := parsed.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%s is not a P-256 key", file)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// KeySets gives the public key sets of all instances of a part. A nil snapshot has none.
func (s *Snapshot) KeySets(part string) []json.RawMessage {
	if s == nil {
		return nil
	}
	var sets []json.RawMessage
	for _, k := range s.Keys {
		if k.Part == part {
			sets = append(sets, k.JWKS)
		}
	}
	return sets
}
