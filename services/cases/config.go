package cases

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Part is the name of this part: in its certificate, in the snapshot and in traces.
const Part = "cases"

// Config is the configuration file of the case exchange.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the gateway, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Workload workload.Files `yaml:"workload"` // certificate of cases.hub.internal

	Hub    string `yaml:"hub"`    // outside URL of the hub, issuer of call tokens; the gateway must have the same
	HubOIN string `yaml:"hubOin"` // the hub as organisation; it signs that a case was offered and delivered

	Registry registry.Following `yaml:"registry"` // where snapshots come from
	Database string             `yaml:"database"` // postgres://… or sqlite:FILE
	Receipts ReceiptsConfig     `yaml:"receipts"` // keys that sign receipts
	Logbook  LogbookConfig      `yaml:"logbook"`  // how processing records are written

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	StopTimeout config.Duration  `yaml:"stopTimeout"` // for the whole stop; default 10s
	Telemetry   telemetry.Target `yaml:"telemetry"`   // where spans go
}

// ReceiptsConfig says where the receipt keys are and whom their statements are believed from.
type ReceiptsConfig struct {
	Keys    string   `yaml:"keys"`    // folder with <oin>.pem (P-256, PKCS #8) and <oin>.jws (statement of the organisation) for the hub and every hosted organisation
	Anchors []string `yaml:"anchors"` // PEM files of the authorities that contract certificates come from; the registry must have the same
}

// LogbookConfig is the OAuth client that writes in the processing logs, one of the hub's own organisation.
type LogbookConfig struct {
	Client string `yaml:"client"` // client id, with scope journaal.schrijven
	Key    string `yaml:"key"`    // PEM file of its private key
	KeyID  string `yaml:"keyId"`  // kid, as registered; empty when the client has one key
	Alg    string `yaml:"alg"`    // as registered; empty: by the key
	CA     string `yaml:"ca"`     // PEM file of the anchors of the hub's outside address; empty: the system's
}

// Defaults is a configuration to read a file into.
func Defaults() Config { return Config{StopTimeout: config.Duration(10 * time.Second)} }

// Validate reports all faults together.
func (c *Config) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"database", c.Database}, {"receipts.keys", c.Receipts.Keys},
		{"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		fault(required.value == "", "%s is missing", required.name)
	}
	hub, err := url.Parse(c.Hub)
	fault(err != nil || hub.Host == "" || hub.Scheme != "https" && hub.Scheme != "http" || hub.Path != "" || hub.RawQuery != "" || hub.User != nil,
		"hub is not a URL without path")
	_, err = oin.Parse(c.HubOIN)
	fault(err != nil, "hubOin is not an OIN")
	fault(len(c.Receipts.Anchors) == 0, "receipts.anchors: no file is named")
	fault(c.StopTimeout <= 0, "stopTimeout must be positive")
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(faults...)
}
