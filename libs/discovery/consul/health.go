package consul

import (
	"context"
	"fmt"

	"github.com/hashicorp/consul/api"
)

// Passing tells of each of the names whether at least one instance passes its health checks. A name that nobody ever
// registered is left out. Without Consul all are.
func (c *Client) Passing(ctx context.Context, names ...string) (map[string]bool, error) {
	passing := map[string]bool{}
	if c.api == nil {
		return passing, nil
	}
	for _, name := range names {
		entries, _, err := c.api.Health().Service(name, "", false, (&api.QueryOptions{AllowStale: true}).WithContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("health of %s: %w", name, err)
		}
		for _, e := range entries {
			passing[name] = passing[name] || e.Checks.AggregatedStatus() == api.HealthPassing
		}
	}
	return passing, nil
}
