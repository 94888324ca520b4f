package address

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

// Part is the name of this part: in its certificate, in the snapshot and in traces.
const Part = "address"

// Config is the configuration file of the address service.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the gateway, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Workload workload.Files `yaml:"workload"` // certificate of address.hub.internal

	Hub     string `yaml:"hub"`     // outside URL of the hub: issuer of call tokens, and of links where the gateway does not say it
	KeysURL string `yaml:"keysUrl"` // JWK Set with the keys of call tokens; default {hub}/oauth2/jwks

	Data        string   `yaml:"data"`        // folder of stand files
	Extracts    []string `yaml:"extracts"`    // BAG 2.0 extracts of one day to make a stand of, when the folder has none of them
	ImportFirst bool     `yaml:"importFirst"` // import them before listening, also when an older stand could answer meanwhile; a failing import then fails the start

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	StopTimeout config.Duration  `yaml:"stopTimeout"` // for the whole stop; default 10s
	Telemetry   telemetry.Target `yaml:"telemetry"`   // where spans go
}

// Defaults is a configuration to read a file into.
func Defaults() Config { return Config{StopTimeout: config.Duration(10 * time.Second)} }

// Validate reports all faults of a configuration together.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"data", c.Data}, {"hub", c.Hub},
		{"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		if required.value == "" {
			fault("%s is missing", required.name)
		}
	}
	if u, err := url.Parse(c.Hub); c.Hub != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.HasSuffix(c.Hub, "/")) {
		fault("hub is not a URL without a trailing slash")
	}
	if c.StopTimeout <= 0 {
		fault("stopTimeout must be positive")
	}
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(faults...)
}
