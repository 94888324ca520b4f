package cases

import (
	"errors"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/sqldb"
)

// Check looks at the files and addresses that the configuration names; receipt keys and their statements are checked whole.
func (c *Config) Check() error {
	faults := []error{
		config.CheckAddress("listen", c.Listen), config.CheckAddress("admin", c.Admin), c.Workload.Check(),
		c.Registry.Validate(), c.Registry.Check(), config.CheckFile("consul.ca", c.Consul.CA),
	}
	if c.Receipts.Keys != "" && len(c.Receipts.Anchors) > 0 {
		_, err := loadKeys(*c, time.Now())
		faults = append(faults, err)
	}
	_, err := c.Logbook.client()
	faults = append(faults, config.Named("logbook", err))
	if c.Database != "" {
		faults = append(faults, config.Named("database", sqldb.Check(c.Database)))
	}
	return errors.Join(faults...)
}
