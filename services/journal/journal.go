// Package journal is the part that knows what happened: it takes the transaction records that gateways ship, the spans of
// all parts and the processing log of the municipalities, and answers who asked what, under which agreement and how it
// ended. It listens for the other parts only; outside calls come through the gateway.
package journal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/journal/internal/httpapi"
	"noorderhub.nl/hub/services/journal/internal/processing"
	"noorderhub.nl/hub/services/journal/internal/store"
)

// Deps are what New gets from outside.
type Deps struct {
	Logger    *slog.Logger         // required
	Telemetry *telemetry.Telemetry // required
	Snapshots Snapshots            // nil: the registry of the configuration is followed
	CallKeys  token.KeySource      // keys of the gateways' call tokens; nil: those of the snapshot
}

// Service is a running journal.
type Service struct {
	app      *app.App
	listener net.Listener
}

// parts may connect: every part of the hub, for each ships its spans here.
var parts = []string{"gateway", "registry", "authserver", "address", "cases", "portal", "hubctl", Part}

// purgeEvery is the pause between two looks for spans that are too old.
const purgeEvery = time.Hour

// New opens the store, brings its schema up to date and binds the listeners. Nothing is served before Run.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("journal: logger and telemetry are required")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	a := app.New(Part, deps.Logger, cfg.StopTimeout.D())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("journal: %w", err), a.Close())
		}
	}()

	id, err := workload.Load(cfg.Workload)
	if err != nil {
		return nil, err
	}
	catalogue, err := consul.Open(cfg.Consul, deps.Logger)
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, a, cfg, deps.Logger)
	if err != nil {
		return nil, err
	}
	if deps.CallKeys == nil {
		if deps.CallKeys, err = gatewayKeys(ctx, a, cfg.Registry, id, catalogue, deps); err != nil {
			return nil, err
		}
	}
	handler, err := newHandler(cfg, deps, st)
	if err != nil {
		return nil, err
	}
	// Before the other listener, so that it stops after it and readyz shows the stop.
	if cfg.Admin != "" {
		l, err := app.Listen(ctx, cfg.Admin)
		if err != nil {
			return nil, fmt.Errorf("admin listener: %w", err)
		}
		a.Admin(l, deps.Telemetry.Metrics())
	}
	l, err := app.Listen(ctx, cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listener: %w", err)
	}
	a.ServeWith("listener", tls.NewListener(l, id.Server(parts...)), &http.Server{
		Handler: handler, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
	})
	return &Service{app: a, listener: l}, catalogue.Join(a, Part, l.Addr().String())
}

func openStore(ctx context.Context, a *app.App, cfg Config, logger *slog.Logger) (*store.Store, error) {
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return nil, err
	}
	a.OnStop("database", func(context.Context) error { return db.Close() })
	a.Check("database", db.Ping)
	st, err := store.New(ctx, db)
	if err != nil {
		return nil, err
	}
	a.Background("span purge", func(ctx context.Context) error { return purge(ctx, st, cfg.KeepSpans.D(), logger) })
	return st, nil
}

func newHandler(cfg Config, deps Deps, st *store.Store) (http.Handler, error) {
	pseudonyms, err := processing.NewPseudonyms([]byte(cfg.Pseudonyms.Reveal()))
	if err != nil {
		return nil, err
	}
	verifier, err := token.NewVerifier(token.Options{
		Type: token.TypeCall, Issuer: cfg.Hub, Keys: deps.CallKeys, Leeway: callLeeway,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Options{
		Store: st, Pseudonyms: pseudonyms, Verifier: verifier, Hub: cfg.Hub, HubOIN: cfg.HubOIN,
		Telemetry: deps.Telemetry, Logger: deps.Logger, Now: time.Now,
	}), nil
}

// callLeeway is the clock difference between gateway and journal that is no fault.
const callLeeway = 5 * time.Second

// purge takes spans away that are older than keep, at once and then every hour. A fault is tried again at the next hour:
// keeping spans too long breaks nothing.
func purge(ctx context.Context, st *store.Store, keep time.Duration, logger *slog.Logger) error {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		n, err := st.PurgeSpans(ctx, time.Now().Add(-keep))
		switch {
		case err != nil && ctx.Err() == nil:
			logger.WarnContext(ctx, "spans not purged", "error", err)
		case n > 0:
			logger.InfoContext(ctx, "spans purged", "spans", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Addr is the address of the listener, with the port that was taken.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then stops in order.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil once the journal serves and its database answers.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }
