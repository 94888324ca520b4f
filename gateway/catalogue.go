package gateway

import (
	"fmt"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery/consul"
)

// catalogue gives the way to services with an address "consul:NAME", nil where no Consul is configured.
func (w *wiring) catalogue() (func(string) (sd.Instancer, error), error) {
	if w.cfg.Consul.Address == "" {
		return nil, nil
	}
	client, err := consul.NewClient(consul.Config{
		Address: w.cfg.Consul.Address, Token: w.cfg.Consul.Token.Reveal(), Datacenter: w.cfg.Consul.Datacenter,
	})
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	return func(name string) (sd.Instancer, error) {
		return client.Instancer(consul.Query{Service: name}, w.deps.Logger)
	}, nil
}
