// Package cases is the shared service for handing a case to another organisation: offered before data moves, accepted or
// declined, delivered, and taken in under a number of the receiver's own, with a signed receipt of each. Every organisation
// has its own behind the same paths. It listens for the gateway only.
package cases

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/agreements"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/httpapi"
	"noorderhub.nl/hub/services/cases/internal/receipts"
	"noorderhub.nl/hub/services/cases/internal/store"
)

// Deps are what New gets from outside.
type Deps struct {
	Logger    *slog.Logger         // required
	Telemetry *telemetry.Telemetry // required
	Snapshots agreements.Snapshots // nil: the registry of the configuration is followed
	CallKeys  token.KeySource      // keys of the gateways' call tokens; nil: those of the snapshot
	Logbook   exchange.Logbook     // nil: that of the configuration
	Fault     func(string) error   // asked before every statement of a transition and its COMMIT; an error ends it. For tests
	Now       func() time.Time     // the clock of transfers; nil: the database's. Tokens are judged by the real one
}

// Service is a running case exchange.
type Service struct {
	app      *app.App
	listener net.Listener
}

// writeTimeout leaves room for a reader that waits for the feed.
const writeTimeout = api.MaxWait + 30*time.Second

// New checks the receipt keys, opens the store, brings its schema up to date and binds the listeners. Nothing is served
// before Run.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("cases: logger and telemetry are required")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	a := app.New(Part, deps.Logger, cfg.StopTimeout.D())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("cases: %w", err), a.Close())
		}
	}()

	// All that is read from files, so that every fault in them is told at once.
	id, errID := workload.Load(cfg.Workload)
	keys, errKeys := loadKeys(cfg, time.Now())
	var errLogbook error
	if deps.Logbook == nil {
		deps.Logbook, errLogbook = newLogbook(cfg, deps.Telemetry)
	}
	if err := errors.Join(errID, errKeys, errLogbook); err != nil {
		return nil, err
	}
	catalogue, err := consul.Open(cfg.Consul, deps.Logger)
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, a, cfg)
	if err != nil {
		return nil, err
	}
	if err := follow(ctx, a, cfg.Registry, id, catalogue, &deps); err != nil {
		return nil, err
	}
	st.SetFault(deps.Fault)
	if deps.Now == nil {
		deps.Now = time.Now
	} else {
		st.SetClock(deps.Now)
	}
	stopping := make(chan struct{})
	x, err := exchange.New(exchange.Deps{
		Store: st, Agreements: agreements.New(deps.Snapshots, api.Slug), Receipts: receipts.Signer{Keys: keys, Hub: cfg.HubOIN},
		Logbook: deps.Logbook, Hub: cfg.HubOIN, NewID: newID, Now: deps.Now,
	})
	if err != nil {
		return nil, err
	}
	handler, err := newHandler(cfg, deps, st, x, keys, stopping)
	if err != nil {
		return nil, err
	}
	a.Background("timer", func(ctx context.Context) error { return runTimer(ctx, x, deps.Logger) })
	s, err := listen(ctx, a, cfg, deps, id, handler, stopping)
	if err != nil {
		return nil, err
	}
	return s, catalogue.Join(a, Part, s.Addr()) // last: see Join
}

func openStore(ctx context.Context, a *app.App, cfg Config) (*store.Store, error) {
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return nil, err
	}
	a.OnStop("database", func(context.Context) error { return db.Close() })
	a.Check("database", db.Ping)
	return store.New(ctx, db)
}

// tickEvery is how often the timer looks for deadlines that passed.
const tickEvery = time.Second

// runTimer ticks until ctx ends. What fails is told and tried again.
func runTimer(ctx context.Context, x *exchange.Exchange, logger *slog.Logger) error {
	again := time.NewTicker(tickEvery)
	defer again.Stop()
	for {
		n, err := x.Tick(ctx)
		if err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "timer of transfers", "error", err)
		}
		if n == exchange.Batch && err == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

func newHandler(
	cfg Config, deps Deps, st *store.Store, x *exchange.Exchange, keys *receipts.Keys, stopping <-chan struct{},
) (http.Handler, error) {
	verifier, err := token.NewVerifier(token.Options{
		Type: token.TypeCall, Issuer: cfg.Hub, Keys: deps.CallKeys, MaxLife: time.Minute, Leeway: callLeeway,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Options{
		Exchange: x, Bells: st, Keys: keys, Verifier: verifier, Hub: cfg.Hub, HubOIN: cfg.HubOIN, Stopping: stopping,
		Telemetry: deps.Telemetry, Logger: deps.Logger,
	}), nil
}

// callLeeway is the clock difference between gateway and this service that is no fault.
const callLeeway = 5 * time.Second

// newID makes the id of a receipt or an event: a UUIDv7, so that they sort by time.
func newID() string { return uuid.Must(uuid.NewV7()).String() } // fails only without randomness, when nothing may go on

func listen(
	ctx context.Context, a *app.App, cfg Config, deps Deps, id *workload.Identity, handler http.Handler, stopping chan struct{},
) (*Service, error) {
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
	a.ServeWith("listener", tls.NewListener(l, id.Server("gateway")), &http.Server{
		Handler: handler, ReadTimeout: 30 * time.Second, WriteTimeout: writeTimeout,
	})
	// Registered last, done first: the listener waits for calls in flight, and these would wait for events.
	a.OnStop("waiting readers", func(context.Context) error {
		close(stopping) // steps are done once
		return nil
	})
	return &Service{app: a, listener: l}, nil
}

// Addr is the address of the listener, with the port that was taken.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then stops in order.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil once the service serves, its database answers and it has a snapshot.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }
