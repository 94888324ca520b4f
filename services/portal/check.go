package portal

import (
	"errors"

	"noorderhub.nl/hub/libs/config"
)

// Check looks at the files and addresses that the configuration names.
func (c *Config) Check() error {
	return errors.Join(config.CheckAddress("listen", c.Listen), config.CheckAddress("admin", c.Admin), c.Workload.Check(),
		config.CheckFile("consul.ca", c.Consul.CA))
}
