package consul

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/config"
)

// Config is the part of a configuration file that says how to reach Consul and how this part stands in it. It is the same
// for every part. Without an address there is no Consul; nothing else may be given then.
type Config struct {
	Address    string        `yaml:"address"`    // URL of the local agent, e.g. http://127.0.0.1:8500; empty: no Consul
	CA         string        `yaml:"ca"`         // PEM file of the authorities of an https agent; empty: those of the system
	Token      config.Secret `yaml:"token"`      // ACL token: service:write on the own name; service:read and node:read; key:read below prefix, for the registry key:write
	Datacenter string        `yaml:"datacenter"` // empty: that of the agent
	Prefix     string        `yaml:"prefix"`     // of keys in KV, the same for all parts; default noorderhub
	Advertise  string        `yaml:"advertise"`  // host:port where others reach this part; needed when it listens on all addresses
	LastKnown  string        `yaml:"lastKnown"`  // folder that keeps the instances found last, for a start while the agent is away; empty: not kept, at a gateway in its data folder
	Weight     int           `yaml:"weight"`     // share of the calls relative to other instances, 1 to 65535; default 1
}

const (
	defaultPrefix = "noorderhub"
	mostWeight    = 65535 // Consul's own bound
)

// Validate reports all faults together. listen is the address that the part listens on for others.
func (c Config) Validate(listen string) error {
	if c.Address == "" {
		if c != (Config{}) {
			return errors.New("consul: settings are given without an address")
		}
		return nil
	}
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New("consul."+text))
		}
	}
	u, err := url.Parse(c.Address)
	fault(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "",
		"address is not an http(s) URL of an agent")
	fault(c.CA != "" && err == nil && u.Scheme != "https", "ca is given, but the agent has no TLS")
	fault(c.Token.Reveal() != "" && err == nil && u.Scheme == "http" && !nearby(u.Hostname()), "token would travel without TLS to an agent on another machine")
	fault(c.Weight < 0 || c.Weight > mostWeight, fmt.Sprintf("weight is not between 1 and %d", mostWeight))
	fault(strings.HasPrefix(c.Prefix, "/") || strings.HasSuffix(c.Prefix, "/"), "prefix begins or ends with a slash")
	if c.Advertise != "" {
		_, _, err := place(c.Advertise)
		fault(err != nil, "advertise is not host:port of an address that others can reach")
		return errors.Join(faults...)
	}
	host, _, err := net.SplitHostPort(listen)
	fault(err == nil && everywhere(host), "advertise is missing: listening on all addresses does not say where others reach this part")
	return errors.Join(faults...)
}

// place reads an address that others can dial.
func place(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 || everywhere(host) {
		return "", 0, fmt.Errorf("%q is not host:port of one place", address)
	}
	return host, port, nil
}

func nearby(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func everywhere(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}
