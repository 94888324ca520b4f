package gateway

import (
	"context"
	"path/filepath"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery/consul"
)

// openConsul comes before what follows names in the catalogue.
func (w *wiring) openConsul(context.Context) (err error) {
	cfg := w.cfg.Consul
	if cfg.LastKnown == "" {
		cfg.LastKnown = filepath.Join(w.cfg.Data, "instances")
	}
	w.consul, err = consul.Open(cfg, w.deps.Logger)
	return err
}

// instances follows a service by its name in the catalogue.
func (w *wiring) instances(name string) (sd.Instancer, error) { return w.consul.Instancer(name) }

// join comes last, so that a stop begins with leaving the catalogue.
func (w *wiring) join(context.Context) error {
	listener := w.service.Addr()
	if w.cfg.ListenTLS != "" {
		listener = w.service.AddrTLS()
	}
	return w.consul.Join(w.app, Part, listener)
}
