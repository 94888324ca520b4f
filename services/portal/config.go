package portal

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

// Part is the name of this part: in its certificate and in traces.
const Part = "portal"

// Config is the configuration file of the portal.
type Config struct {
	Listen   string         `yaml:"listen"`   // host:port for the gateway, mTLS; port 0 takes a free one
	Admin    string         `yaml:"admin"`    // host:port for healthz, readyz and metrics; empty: none
	Workload workload.Files `yaml:"workload"` // certificate of portal.hub.internal

	Hub      string   `yaml:"hub"`      // outside URL of the hub, no trailing slash
	Security Security `yaml:"security"` // contents of security.txt

	Consul consul.Config `yaml:"consul"` // registration, and parts found by name

	StopTimeout config.Duration `yaml:"stopTimeout"` // for the whole stop; default 10s

	Telemetry telemetry.Target `yaml:"telemetry"` // where spans go
}

// Security fills in security.txt (RFC 9116).
type Security struct {
	Contact []string  `yaml:"contact"` // mailto:, tel: or https: URIs, the preferred one first
	Expires time.Time `yaml:"expires"` // less than a year ahead; the portal does not start after it
	Policy  string    `yaml:"policy"`  // https: URI of the disclosure policy; may be empty
}

// Defaults is a configuration to read a file into.
func Defaults() Config { return Config{StopTimeout: config.Duration(10 * time.Second)} }

// Validate reports all faults together.
func (c *Config) Validate() error { return c.validate(time.Now()) }

func (c *Config) validate(now time.Time) error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	for _, required := range []struct{ name, value string }{
		{"listen", c.Listen}, {"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
	} {
		fault(required.value == "", "%s is missing", required.name)
	}
	hub, err := url.Parse(c.Hub)
	fault(err != nil || hub.Host == "" || hub.Path != "" || hub.RawQuery != "" || hub.User != nil, "hub is not a URL without path")
	fault(c.StopTimeout <= 0, "stopTimeout must be positive")
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.Listen))
	return errors.Join(append(faults, c.Security.validate(now))...)
}

func (s *Security) validate(now time.Time) error {
	var faults []error
	if len(s.Contact) == 0 {
		faults = append(faults, errors.New("security.contact is missing"))
	}
	for _, contact := range s.Contact {
		if !uri(contact, "mailto", "tel", "https") {
			faults = append(faults, errors.New("security.contact must be mailto:, tel: or https:"))
		}
	}
	if s.Policy != "" && !uri(s.Policy, "https") {
		faults = append(faults, errors.New("security.policy must be https:"))
	}
	switch {
	case s.Expires.IsZero():
		faults = append(faults, errors.New("security.expires is missing"))
	case !s.Expires.After(now):
		faults = append(faults, errors.New("security.expires has passed: check the contacts and set a new date"))
	case s.Expires.After(now.AddDate(1, 0, 0)):
		faults = append(faults, errors.New("security.expires is more than a year ahead (RFC 9116 §2.5.5)"))
	}
	return errors.Join(faults...)
}

func uri(s string, schemes ...string) bool {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false // one line of the file is one field
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && (u.Host != "" || u.Opaque != "") {
			return true
		}
	}
	return false
}

// text writes the file. Lines end in LF; RFC 9116 §2.2 allows both ends.
func (s *Security) text(hub string) []byte {
	var b strings.Builder
	for _, contact := range s.Contact {
		fmt.Fprintf(&b, "Contact: %s\n", contact)
	}
	fmt.Fprintf(&b, "Expires: %s\n", s.Expires.UTC().Format(time.RFC3339))
	b.WriteString("Preferred-Languages: nl, en\n")
	fmt.Fprintf(&b, "Canonical: %s/.well-known/security.txt\n", hub)
	if s.Policy != "" {
		fmt.Fprintf(&b, "Policy: %s\n", s.Policy)
	}
	return []byte(b.String())
}
