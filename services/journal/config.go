package journal

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

// Part is the name of this part: in its certificate and in traces.
const Part = "journal"

// Config is the configuration file of the journal.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the other parts, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Workload workload.Files `yaml:"workload"` // certificate of journal.hub.internal

	Hub    string `yaml:"hub"`    // outside URL of the hub, issuer of call tokens; the gateway must have the same
	HubOIN string `yaml:"hubOin"` // the hub as organisation; as processor it writes in the logbooks of others

	Registry   registry.Following `yaml:"registry"`   // where snapshots come from
	Database   string             `yaml:"database"`   // postgres://… or sqlite:FILE
	Pseudonyms config.Secret      `yaml:"pseudonyms"` // master key of the logbooks' pseudonyms, 32 bytes or more; losing it ends recognising a person

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	KeepSpans   config.Duration `yaml:"keepSpans"`   // how long spans are kept; default 168h
	StopTimeout config.Duration `yaml:"stopTimeout"` // for the whole stop; default 10s

	Telemetry telemetry.Target `yaml:"telemetry"` // where spans go
}

// Defaults is a configuration to read a file into.
func Defaults() Config {
	return Config{KeepSpans: config.Duration(7 * 24 * time.Hour), StopTimeout: config.Duration(10 * time.Second)}
}

// minPseudonyms is the least length of the master key.
const minPseudonyms = 32

// Validate reports all faults together.
func (c *Config) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"database", c.Database},
		{"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		fault(required.value == "", "%s is missing", required.name)
	}
	hub, err := url.Parse(c.Hub)
	fault(err != nil || hub.Host == "" || hub.Path != "" || hub.RawQuery != "" || hub.User != nil, "hub is not a URL without path")
	_, err = oin.Parse(c.HubOIN)
	fault(err != nil, "hubOin is not an OIN")
	fault(len(c.Pseudonyms.Reveal()) < minPseudonyms, "pseudonyms is missing or shorter than %d bytes", minPseudonyms)
	fault(c.KeepSpans <= 0, "keepSpans must be positive")
	fault(c.StopTimeout <= 0, "stopTimeout must be positive")
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(faults...)
}
