package journal

import (
	"errors"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb"
)

// Check looks at the files and addresses that the configuration names.
func (c *Config) Check() error {
	faults := []error{
		config.CheckAddress("listen", c.Listen), config.CheckAddress("admin", c.Admin), c.Workload.Check(),
		c.Registry.Validate(), c.Registry.Check(),
		config.CheckFile("consul.ca", c.Consul.CA),
	}
	if c.Database != "" {
		faults = append(faults, config.Named("database", sqldb.Check(c.Database)))
	}
	return errors.Join(faults...)
}
