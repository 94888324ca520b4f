package redisdb

import (
	"errors"
	"fmt"

	"noorderhub.nl/hub/libs/config"
)

// Check looks at the addresses and the anchors, without connecting.
func (c Config) Check() error {
	var faults []error
	for i, address := range c.Addrs {
		faults = append(faults, config.CheckAddress(fmt.Sprintf("redis.addrs[%d]", i), address))
	}
	if c.TLS {
		_, err := options(c)
		faults = append(faults, config.Named("redis.ca", err))
	}
	return errors.Join(faults...)
}
