package authserver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/redisdb"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver/internal/clients"
	"noorderhub.nl/hub/services/authserver/internal/discovery"
	"noorderhub.nl/hub/services/authserver/internal/jwks"
	"noorderhub.nl/hub/services/authserver/internal/keys"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/authserver/internal/replay"
	"noorderhub.nl/hub/services/authserver/internal/token"
	"noorderhub.nl/hub/services/registry/api"
)

// Snapshots gives the registry's snapshot in force, nil before the first one, and a channel that is closed when there is
// a newer one.
type Snapshots interface {
	Current() *api.Snapshot
	Changed() <-chan struct{}
}

// Deps are what the part gets from outside. Logger and Telemetry are required; the others take the place of what the
// configuration names.
type Deps struct {
	Logger    *slog.Logger
	Telemetry *telemetry.Telemetry
	Snapshots Snapshots                                            // default: follows the registry of the configuration
	Publish   func(ctx context.Context, set json.RawMessage) error // default: to the registry of the configuration
	Redis     redis.UniversalClient                                // default: opened by the configuration
	Now       func() time.Time                                     // default: time.Now
}

// Service is a running authorization server.
type Service struct {
	app      *app.App
	listener net.Listener
	handler  http.Handler
}

// New wires the part: binds its listener, opens its stores and brings their schema up to date. Nothing is served before
// Run. When it fails, what was opened is closed.
func New(ctx context.Context, cfg Config, deps Deps) (service *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("authserver needs a logger and telemetry")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	a := app.New(Part, deps.Logger, cfg.StopTimeout.D())
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	identity, err := workload.Load(cfg.Workload)
	if err != nil {
		return nil, err
	}
	catalogue, err := consul.Open(cfg.Consul, deps.Logger)
	if err != nil {
		return nil, err
	}
	if err := followRegistry(ctx, a, cfg, identity, catalogue, &deps); err != nil {
		return nil, err
	}
	memory, err := openMemory(ctx, a, cfg.Redis, &deps)
	if err != nil {
		return nil, err
	}
	ring, err := openKeys(ctx, a, cfg, deps, memory)
	if err != nil {
		return nil, err
	}
	handler, err := endpoints(cfg, deps, ring, memory)
	if err != nil {
		return nil, err
	}
	service = &Service{app: a, handler: deps.Telemetry.Server(telemetry.ServerOptions{})(handler)}
	if err := service.listen(ctx, cfg, deps, identity); err != nil {
		return nil, err
	}
	a.Check("registry snapshot and signing key", func(context.Context) error {
		_, err := ring.Signer(deps.Snapshots.Current())
		return err
	})
	return service, catalogue.Join(a, Part, service.Addr())
}

// openMemory connects to Redis. That it is away is no reason not to start: requests are answered 503 until it is back.
func openMemory(ctx context.Context, a *app.App, cfg redisdb.Config, deps *Deps) (*replay.Memory, error) {
	if deps.Redis == nil {
		client, stop, err := redisdb.Open(ctx, cfg)
		if err != nil {
			return nil, err
		}
		a.OnStop("redis", func(context.Context) error { stop(); return nil })
		deps.Redis = client
	}
	return replay.New(deps.Redis, clients.Ahead, deps.Now), nil
}

// openKeys loads the signing keys. When the first one was made just now, no assertion was ever accepted here, and an empty
// memory of used assertions is a complete one.
func openKeys(ctx context.Context, a *app.App, cfg Config, deps Deps, memory *replay.Memory) (*keys.Ring, error) {
	envelope, err := keys.NewEnvelope(cfg.Envelope.Reveal())
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	a.OnStop("database", func(context.Context) error { return db.Close() })
	store, err := keys.NewStore(ctx, db, envelope)
	if err != nil {
		return nil, err
	}
	ring, first, err := keys.Open(ctx, store, deps.Publish, deps.Logger, deps.Now)
	if err != nil {
		return nil, err
	}
	if err := memory.Begin(ctx, first); err != nil {
		deps.Logger.WarnContext(ctx, "memory of used assertions away", "error", err)
	}
	a.Background("signing keys", func(ctx context.Context) error { return ring.Run(ctx, deps.Snapshots) })
	return ring, nil
}

func endpoints(cfg Config, deps Deps, ring *keys.Ring, memory *replay.Memory) (http.Handler, error) {
	problems := problem.Writer{Hub: cfg.Hub}
	addresses := oauth.Addresses{Hub: cfg.Hub, MTLS: cfg.MTLS}
	authenticator, err := clients.NewAuthenticator(clients.NewDirectory(deps.Snapshots), memory, addresses, deps.Now)
	if err != nil {
		return nil, err
	}
	issue, err := token.New(token.Options{
		Addresses: addresses,
		Clients:   authenticator,
		Keys:      ring,
		Life:      cfg.TokenLife.D(),
		Problems:  problems,
		Logger:    deps.Logger,
		Meter:     deps.Telemetry.Meter(Part),
		Now:       deps.Now,
	})
	if err != nil {
		return nil, err
	}
	metadata, err := discovery.New(addresses)
	if err != nil {
		return nil, err
	}
	mux := oauth.NewMux(problems)
	for _, endpoint := range []interface{ Mount(oauth.Mux) }{metadata, jwks.New(ring.PublicSet, deps.Snapshots), issue} {
		endpoint.Mount(mux)
	}
	return onlyGateway(mux, problems), nil
}

// onlyGateway refuses what did not come over the gateway's certificate. The handshake admits nobody else already; this
// holds when the handler is ever served in another way.
func onlyGateway(next http.Handler, problems problem.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if workload.Peer(r) != gatewayPart {
			problems.Write(w, r, errs.CodeNotFound.New("the authorization server has nothing at this path"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

const gatewayPart = "gateway"

func (s *Service) listen(ctx context.Context, cfg Config, deps Deps, identity *workload.Identity) error {
	plain, err := app.Listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	s.listener = plain
	s.app.ServeWith("https", tls.NewListener(plain, identity.Server(gatewayPart)), &http.Server{
		Handler: s.handler,
		// A token request is small and its answer takes no waiting; who needs longer is holding a connection.
		ReadTimeout:  15 * time.Second,
		WriteTimeout: 15 * time.Second,
	})
	if cfg.Admin == "" {
		return nil
	}
	admin, err := app.Listen(ctx, cfg.Admin)
	if err != nil {
		return err
	}
	s.app.Admin(admin, deps.Telemetry.Metrics())
	return nil
}

// Addr is the address of the listener, host:port.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then drains and stops in order.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready tells whether tokens can be issued: a snapshot is there and lists a signing key.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }

// Close undoes New for a service that is not run.
func (s *Service) Close() error { return s.app.Close() }
