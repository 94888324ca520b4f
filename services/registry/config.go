package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/registry/api"
)

// Config is the configuration file of the registry.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the other parts, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Workload workload.Files `yaml:"workload"` // certificate of registry.hub.internal

	Hub        string          `yaml:"hub"`        // outside URL of the hub; the gateway must have the same
	Region     string          `yaml:"region"`     // the region file
	Poll       config.Duration `yaml:"poll"`       // pause between two looks whether its files changed; default 2s
	Database   string          `yaml:"database"`   // postgres://… or sqlite:FILE
	SigningKey string          `yaml:"signingKey"` // PEM file of the P-256 key that signs snapshots; followers pin its public half
	Epoch      uint64          `yaml:"epoch"`      // raised by one when the database is restored from a backup; default 1

	Envelope     config.Secret   `yaml:"envelope"`     // 32 random bytes in base64: encrypts the signing keys that the hub keeps, and signs the audit log
	OldEnvelopes []config.Secret `yaml:"oldEnvelopes"` // those before it, while anything still rests on them
	AuditKeep    config.Duration `yaml:"auditKeep"`    // how long records of the audit log are kept, at least 8760h; 0, the default: for good
	Hosted       []Hosted        `yaml:"hosted"`       // signing keys that lie in files, to be taken into custody at the first start

	UpstreamKey config.Secret `yaml:"upstreamKey"` // 32 random bytes in base64, the same at the gateways: encrypts secrets of services; empty: none are taken

	Notifications Notifications `yaml:"notifications"` // mail and webhooks beside the feed

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	StopTimeout config.Duration  `yaml:"stopTimeout"` // for the whole stop; default 10s
	Telemetry   telemetry.Target `yaml:"telemetry"`   // where spans go
}

// Hosted is the contract signing key of one organisation, in files.
type Hosted struct {
	OIN         string `yaml:"oin"`         // of the organisation
	Key         string `yaml:"key"`         // PEM file
	Certificate string `yaml:"certificate"` // PEM file, leaf first
	Anchor      string `yaml:"anchor"`      // PEM file of the authority that it leads to
}

// Defaults is a configuration to read a file into.
func Defaults() Config {
	return Config{Notifications: Notifications{Digest: 7, Zone: "Europe/Amsterdam"}, Poll: config.Duration(2 * time.Second), Epoch: 1, StopTimeout: config.Duration(10 * time.Second)}
}

// minAuditKeep is the least that BIO2 8.15 lets a log of administration be kept; a slip of the pen removes nothing younger.
const minAuditKeep = 365 * 24 * time.Hour

// Validate reports all faults together.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"region", c.Region}, {"database", c.Database}, {"signingKey", c.SigningKey},
		{"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		if required.value == "" {
			fault("%s is missing", required.name)
		}
	}
	for i, secret := range append([]config.Secret{c.Envelope}, c.OldEnvelopes...) {
		if raw, err := base64.StdEncoding.DecodeString(secret.Reveal()); err != nil || len(raw) != 32 {
			name := "envelope"
			if i > 0 {
				name = fmt.Sprintf("oldEnvelopes[%d]", i-1)
			}
			fault("%s is not 32 bytes in base64", name)
		}
	}
	if c.UpstreamKey.Reveal() != "" {
		if _, err := api.NewUpstreamSealer(c.UpstreamKey.Reveal()); err != nil {
			fault("upstreamKey: %s", err)
		}
	}
	u, err := url.Parse(c.Hub)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Path != "" || u.RawQuery != "" {
		fault("hub is not an outside URL without path")
	}
	if c.AuditKeep != 0 && c.AuditKeep.D() < minAuditKeep {
		fault("auditKeep is shorter than a year (%s)", minAuditKeep)
	}
	if c.Poll <= 0 || c.StopTimeout <= 0 {
		fault("poll and stopTimeout must be positive")
	}
	if c.Epoch == 0 || c.Epoch > 1<<62 {
		fault("epoch starts at 1")
	}
	faults = append(faults, c.Notifications.validate(), c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(faults...)
}
