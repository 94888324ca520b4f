package gateway

import (
	"errors"

	"noorderhub.nl/hub/libs/config"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Check looks at the files and addresses that the configuration names.
func (c *Config) Check() error {
	_, errKeys := registry.ReadKeys(c.Registry.Keys)
	faults := []error{
		config.CheckAddress("listen", c.Listen), config.CheckAddress("listenTls", c.ListenTLS), config.CheckAddress("admin", c.Admin),
		c.Workload.Check(), config.Named("registry.keys", errKeys), c.Redis.Check(), config.CheckFile("consul.ca", c.Consul.CA),
	}
	if c.TLS.Cert != "" && c.TLS.Key != "" {
		_, err := outsideTLS(c.TLS)
		faults = append(faults, config.Named("tls", err))
	}
	return errors.Join(faults...)
}
