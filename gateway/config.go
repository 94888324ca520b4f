package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/redisdb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
)

// Part is the name of this part: in its certificate, in traces and in the snapshot.
const Part = "gateway"

// Config is the configuration file of a gateway.
type Config struct {
	Hub  string `yaml:"hub"`  // outside address of the hub, issuer of access and call tokens; every part must have the same
	Name string `yaml:"name"` // start of the gateway's id, e.g. the host name; the rest is made once and kept in data
	Data string `yaml:"data"` // a volume of this gateway's own: transaction log, key of call tokens, last snapshot

	Listen        string              `yaml:"listen"`        // host:port without TLS; demo only, loopback only
	ListenTLS     string              `yaml:"listenTls"`     // host:port for clients; port 0 takes a free one
	TLS           TLSConfig           `yaml:"tls"`           // of listenTls
	ProxyProtocol ProxyProtocolConfig `yaml:"proxyProtocol"` // of listenTls, behind a TCP balancer
	Admin         string              `yaml:"admin"`         // host:port for healthz, readyz and metrics; empty: none
	Demo          bool                `yaml:"demo"`          // allows listen

	OutsideAddresses []string `yaml:"outsideAddresses"` // IP addresses that calls to services come from, told to their owners for a firewall; empty: this machine's own

	Workload workload.Files `yaml:"workload"` // certificate of gateway.hub.internal
	Parts    PartsConfig    `yaml:"parts"`    // the hub's own parts
	Registry RegistryConfig `yaml:"registry"` // whose snapshots are believed
	Consul   consul.Config  `yaml:"consul"`   // registration, and parts and services found by name

	UpstreamKey config.Secret `yaml:"upstreamKey"` // that of the registry: opens secrets of services; empty: services that want one cannot be reached

	Redis redisdb.Config `yaml:"redis"` // limits and answers that all gateways share; may be left out in demo mode only
	Cache CacheConfig    `yaml:"cache"` // of answers, for contracts that allow it

	LogSegment  int64           `yaml:"logSegmentBytes"` // a file of the transaction log is closed beyond this; default 64 MiB
	LogMax      int64           `yaml:"logMaxBytes"`     // of records the journal has not taken; then required logging refuses calls; default 8 GiB
	LogTimeout  config.Duration `yaml:"logTimeout"`      // longest wait for a record to be durable; default 2s
	PartTimeout config.Duration `yaml:"partTimeout"`     // to the first byte of an answer of a part of the hub; default 30s
	SnapshotMax config.Duration `yaml:"snapshotMaxAge"`  // beyond it contracts with required logging are closed; default 24h
	StopTimeout config.Duration `yaml:"stopTimeout"`     // for the whole stop, calls in flight and shipping included; default 30s

	Telemetry telemetry.Target `yaml:"telemetry"` // where spans go
}

// TLSConfig is the outside listener's certificate. The files are read again when they change.
type TLSConfig struct {
	Cert      string `yaml:"cert"`      // PEM file, chain included
	Key       string `yaml:"key"`       // PEM file
	ClientCAs string `yaml:"clientCas"` // PEM file with the authorities of client certificates; empty: none are taken
}

// ProxyProtocolConfig says which balancers tell the client's address by the PROXY protocol, version 1 or 2. Connections
// from them must begin with it, those of anybody else must not.
type ProxyProtocolConfig struct {
	Trusted []string `yaml:"trusted"` // CIDR, e.g. "10.0.0.0/29"; empty: nobody speaks the PROXY protocol
}

// CacheConfig bounds the answers that are kept, for the seconds that a contract allows.
type CacheConfig struct {
	Memory int64         `yaml:"memoryBytes"` // of answers in this process; 0: none are kept; default 64 MiB
	Answer int64         `yaml:"answerBytes"` // a larger answer is not kept; default 1 MiB
	Key    config.Secret `yaml:"key"`         // 32 characters or more, the same on all gateways: encrypts answers in Redis; empty: answers stay in the process
}

// PartsConfig are the addresses of the hub's own parts, "https://host:port" or "consul:NAME".
type PartsConfig struct {
	Registry   string `yaml:"registry"`   // https://host:port or consul:NAME
	Journal    string `yaml:"journal"`    // https://host:port or consul:NAME
	AuthServer string `yaml:"authserver"` // https://host:port or consul:NAME
	Portal     string `yaml:"portal"`     // https://host:port or consul:NAME
}

// RegistryConfig says whose snapshots are believed.
type RegistryConfig struct {
	Keys []string `yaml:"keys"` // PEM files of the public keys that sign snapshots; two while one is being replaced
}

// Defaults is a configuration to read a file into.
func Defaults() Config {
	return Config{
		Name: "gateway", Cache: CacheConfig{Memory: 64 << 20, Answer: 1 << 20}, LogSegment: 64 << 20, LogMax: 8 << 30, LogTimeout: config.Duration(2 * time.Second),
		PartTimeout: config.Duration(30 * time.Second), SnapshotMax: config.Duration(24 * time.Hour), StopTimeout: config.Duration(30 * time.Second),
	}
}

const (
	minLog      = 64 << 10 // of logMaxBytes
	minCacheKey = 32       // characters of cache.key
)

// Validate reports all faults together.
func (c *Config) Validate() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	hub, err := url.Parse(c.Hub)
	fault(err != nil || hub.Host == "" || hub.Path != "" || hub.RawQuery != "" || hub.User != nil, "hub is not a URL without path")
	fault(!c.Demo && !strings.HasPrefix(c.Hub, "https://"), "hub is not an https address")
	for _, required := range []struct{ name, value string }{
		{"data", c.Data}, {"workload.cert", c.Workload.Cert}, {"workload.key", c.Workload.Key}, {"workload.ca", c.Workload.CA},
		{"parts.registry", c.Parts.Registry}, {"parts.journal", c.Parts.Journal}, {"parts.authserver", c.Parts.AuthServer}, {"parts.portal", c.Parts.Portal},
	} {
		fault(required.value == "", "%s is missing", required.name)
	}
	fault(c.Listen == "" && c.ListenTLS == "", "neither listen nor listenTls is there")
	fault(c.Listen != "" && !c.Demo, "listen has no TLS: it is for demo mode only")
	fault(c.Listen != "" && !loopback(c.Listen), "listen is not a loopback address")
	for _, address := range c.OutsideAddresses {
		_, err := netip.ParseAddr(address)
		fault(err != nil, "outsideAddresses: %q is not an IP address", address)
	}
	fault(c.ListenTLS != "" && (c.TLS.Cert == "" || c.TLS.Key == ""), "tls.cert and tls.key are needed with listenTls")
	for _, cidr := range c.ProxyProtocol.Trusted {
		_, err := netip.ParsePrefix(cidr)
		fault(err != nil, "proxyProtocol.trusted: %q is not a range of addresses such as 10.0.0.0/29", cidr)
	}
	fault(len(c.ProxyProtocol.Trusted) > 0 && c.ListenTLS == "", "proxyProtocol is for listenTls, which is not there")
	if c.shared() {
		faults = append(faults, c.Redis.Validate())
		fault(c.Redis.Embedded && !c.Demo, "redis.embedded is for demo mode: every gateway would count its limits alone")
	} else {
		fault(!c.Demo, "redis is missing: gateways share their limits by it")
	}
	fault(c.Cache.Memory < 0 || c.Cache.Answer < 0, "cache: sizes must not be negative")
	fault(c.Cache.Key != "" && len(c.Cache.Key.Reveal()) < minCacheKey, "cache.key is shorter than %d characters", minCacheKey)
	fault(c.LogSegment <= 0, "logSegmentBytes must be positive")
	fault(c.LogMax < minLog, "logMaxBytes is below %d", minLog)
	fault(c.LogTimeout <= 0 || c.PartTimeout <= 0 || c.SnapshotMax <= 0 || c.StopTimeout <= 0, "durations must be positive")
	faults = append(faults, c.Telemetry.Validate(), c.Consul.Validate(c.outside()))
	return errors.Join(faults...)
}

// shared tells whether a Redis is configured.
func (c *Config) shared() bool { return c.Redis.Embedded || len(c.Redis.Addrs) > 0 }

// outside is the address that clients reach.
func (c *Config) outside() string { return cmp.Or(c.ListenTLS, c.Listen) }

// loopback demands a literal address: a name may lead elsewhere tomorrow.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
