package authserver

import (
	"errors"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/services/authserver/internal/keys"
)

// Check looks at the files, keys and addresses that the configuration names.
func (c *Config) Check() error {
	faults := []error{
		config.CheckAddress("listen", c.Listen), config.CheckAddress("admin", c.Admin), c.Workload.Check(), c.Registry.Check(),
		c.Redis.Check(), config.CheckFile("consul.ca", c.Consul.CA),
	}
	if envelope := c.Envelope.Reveal(); envelope != "" {
		_, err := keys.NewEnvelope(envelope)
		faults = append(faults, config.Named("envelope", err))
	}
	if c.Database != "" {
		faults = append(faults, config.Named("database", sqldb.Check(c.Database)))
	}
	return errors.Join(faults...)
}
