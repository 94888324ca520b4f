// Package authserver is the hub's OAuth 2 authorization server: it gives machine clients of organisations access tokens
// under the contracts of the registry's snapshot. It listens for the gateway only.
package authserver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	registry "noorderhub.nl/hub/services/registry/api"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/redisdb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

// Part is the name of this part: in its certificate, in the snapshot and in traces.
const Part = "authserver"

// Config is the configuration file of the authorization server.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the gateway, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Instance string         `yaml:"instance"` // stable id of this process, under which its keys are published
	Workload workload.Files `yaml:"workload"` // certificate of authserver.hub.internal

	Hub  string `yaml:"hub"`  // outside URL of the hub = issuer; the gateway must have the same
	MTLS string `yaml:"mtls"` // outside URL of the listener that asks for client certificates; empty: none

	Registry registry.Following `yaml:"registry"` // where snapshots come from
	Database string             `yaml:"database"` // postgres://… or sqlite:FILE; shared by all instances
	Envelope config.Secret      `yaml:"envelope"` // encrypts the signing keys: 32 bytes in base64, from a file outside the database
	Redis    redisdb.Config     `yaml:"redis"`    // memory of used assertions; shared by all instances

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	TokenLife   config.Duration `yaml:"tokenLife"`   // of an access token; default 5m, at most 15m
	StopTimeout config.Duration `yaml:"stopTimeout"` // for the whole stop; default 10s

	Telemetry telemetry.Target `yaml:"telemetry"` // where spans go
}

// Defaults is a configuration to read a file into.
func Defaults() Config {
	return Config{
		TokenLife:   config.Duration(5 * time.Minute),
		StopTimeout: config.Duration(10 * time.Second),
	}
}

// Validate reports all faults of a configuration file together.
func (c *Config) Validate() error {
	return errors.Join(c.check(), c.Redis.Validate(), c.Registry.Validate())
}

// check leaves out what Deps can take the place of.
func (c *Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"instance", c.Instance}, {"database", c.Database}, {"envelope", c.Envelope.Reveal()},
		{"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		if required.value == "" {
			fault("%s is missing", required.name)
		}
	}
	if err := outsideURL(c.Hub); err != nil {
		fault("hub: %w", err)
	}
	if c.MTLS != "" {
		if err := outsideURL(c.MTLS); err != nil {
			fault("mtls: %w", err)
		} else if !strings.HasPrefix(c.MTLS, "https://") {
			fault("mtls: client certificates need https")
		}
	}
	if life := c.TokenLife.D(); life < time.Minute || life > 15*time.Minute {
		fault("tokenLife is %s, not between 1m and 15m", life)
	}
	if c.StopTimeout <= 0 {
		fault("stopTimeout must be positive")
	}
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(faults...)
}

// outsideURL wants an issuer identifier as RFC 8414 §2 does, without a path: the paths of the hub begin at its root. Plain
// HTTP is for a hub on a loopback address only.
func outsideURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return errors.New("not a URL with a host")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("must have no path, no query and no trailing slash")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("plain http is for loopback addresses only")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must be https")
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
