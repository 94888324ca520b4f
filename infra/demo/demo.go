// Package demo is the file that infra/up leaves for hubctl: the addresses of the demo hub and, per demo organisation, the
// client with the paths of its keys. It stands in the data folder as demo.json.
package demo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// FileName is the file's name in the data folder.
const FileName = "demo.json"

// DefaultData is the data folder when nobody names one, below the working directory.
const DefaultData = ".noorderhub"

// File is demo.json.
type File struct {
	Made          time.Time               `json:"made"`    // when the keys were made and the contracts signed
	Hub           string                  `json:"hub"`     // outside address, the issuer
	HubMTLS       string                  `json:"hubMtls"` // the listener that takes client certificates
	CA            string                  `json:"ca"`      // PEM file of the demo CA
	Organisations map[string]Organisation `json:"organisations"`
	People        map[string]Person       `json:"people,omitempty"` // by id
}

// Organisation is a demo organisation with its one client.
type Organisation struct {
	OIN      string `json:"oin"`
	Name     string `json:"name"`
	ClientID string `json:"clientId"`
	Key      string `json:"key"` // PEM file, PKCS #8
	KeyID    string `json:"keyId"`
	Alg      string `json:"alg"`

	// Certificate and its key are set where the organisation's contracts demand tokens bound to a certificate.
	Certificate    string `json:"certificate,omitempty"`
	CertificateKey string `json:"certificateKey,omitempty"`

	Agreements []Agreement `json:"agreements,omitempty"`
}

// Person acts at an organisation, with a client of the own.
type Person struct {
	Organisation string       `json:"organisation"` // slug
	Client       Organisation `json:"client"`
}

// Agreement is a contract that the client may use.
type Agreement struct {
	Name     string `json:"name"`     // the consumer's short name for it, which chooses it as a scope at the token endpoint
	Service  string `json:"service"`  // slug
	Provider string `json:"provider"` // slug of the organisation that answers
}

// Agreement gives the agreement on a service of a provider, false when there is none.
func (o Organisation) Agreement(service, provider string) (Agreement, bool) {
	for _, a := range o.Agreements {
		if a.Service == service && a.Provider == provider {
			return a, true
		}
	}
	return Agreement{}, false
}

// Write puts the file into the data folder, whole or not at all.
func (f File) Write(dir string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, FileName+".new")
	if err := os.WriteFile(tmp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, FileName))
}

// Load reads the file from the data folder.
func Load(dir string) (File, error) {
	text, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		return File{}, fmt.Errorf("no demo hub found in %s: start one with 'go run ./infra/up', or name its folder in NOORDERHUB_DATA", dir)
	}
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		return File{}, fmt.Errorf("%s: %w", filepath.Join(dir, FileName), err)
	}
	return f, nil
}
