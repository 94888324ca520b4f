// Package gateway is the data plane: the only door for calls between organisations. It routes, authenticates, authorises
// against the contract, records durably, and brings the call to the service, streaming both ways. It decides by the
// registry's snapshot in memory and needs no database; it keeps working while the control plane is away.
package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/gateway/internal/cache"
	"noorderhub.nl/hub/gateway/internal/chain"
	"noorderhub.nl/hub/gateway/internal/edge"
	"noorderhub.nl/hub/gateway/internal/limit"
	"noorderhub.nl/hub/gateway/internal/policy"
	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/gateway/internal/shared"
	"noorderhub.nl/hub/gateway/internal/txlog"
	"noorderhub.nl/hub/gateway/internal/upstream"
	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	journal "noorderhub.nl/hub/services/journal/api"
	registry "noorderhub.nl/hub/services/registry/api"
)

// Deps are what New gets from outside.
type Deps struct {
	Logger    *slog.Logger          // required
	Telemetry *telemetry.Telemetry  // required; set up with Border, for callers here are outside the hub
	Snapshots policy.Snapshots      // nil: the registry of the configuration is followed
	Publish   Publisher             // nil: to the registry of the configuration
	Journal   txlog.Journal         // nil: the journal of the configuration
	Redis     redis.UniversalClient // nil: that of the configuration; without one, limits and answers are this gateway's alone
	Sync      func(*os.File) error  // makes the transaction log durable; nil: (*os.File).Sync
}

// Service is a running gateway.
type Service struct {
	app        *app.App
	plain, tls net.Listener
}

// wiring is what the steps of New hand on to each other.
type wiring struct {
	cfg    Config
	deps   Deps
	app    *app.App
	id     *workload.Identity
	log    *txlog.Log
	signer *token.Signer
	policy *policy.Holder
	shared *shared.Memory
	limits *limit.Limiter
	cache  *cache.Cache // nil: no answers are kept
	chain  *chain.Chain
	edge   *edge.Edge
	consul *consul.Client
	// follower is nil where the snapshots come from Deps.
	follower *registry.Follower
	service  *Service
}

// New recovers the transaction log and binds the listeners. Nothing is served before Run.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("gateway: logger and telemetry are required")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	w := &wiring{cfg: cfg, deps: deps, app: app.New(Part, deps.Logger, cfg.StopTimeout.D()), service: &Service{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("gateway: %w", err), w.app.Close())
		}
	}()
	if w.id, err = workload.Load(cfg.Workload); err != nil {
		return nil, err
	}
	// The order is that of a stop, backwards: first no calls come, then the log takes no more, what it has is shipped, and
	// the directory is given free last.
	for _, step := range []func(context.Context) error{w.openConsul, w.openLog, w.followRegistry, w.buildPolicy, w.shareMemory, w.buildChain, w.listen, w.join} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	w.service.app = w.app
	return w.service, nil
}

// stopFlush bounds the last shipping: the journal may be away, and what is not shipped stays on the volume.
const stopFlush = 10 * time.Second

func (w *wiring) openLog(context.Context) error {
	var err error
	w.log, err = txlog.Open(txlog.Options{
		Dir: filepath.Join(w.cfg.Data, "log"), Name: w.cfg.Name, SegmentBytes: w.cfg.LogSegment, MaxBytes: w.cfg.LogMax, Sync: w.deps.Sync,
		Logger: w.deps.Logger,
	})
	if err != nil {
		return err
	}
	w.app.OnStop("transaction log", func(context.Context) error { return w.log.Close() })
	to := w.deps.Journal
	if to == nil {
		base, client, err := w.client("journal", w.cfg.Parts.Journal)
		if err != nil {
			return err
		}
		to = &journal.Client{Base: base, HTTP: client}
	}
	shipper := txlog.NewShipper(w.log, to, w.deps.Logger)
	w.app.OnStop("last shipping", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stopFlush)
		defer cancel()
		if err := shipper.Flush(ctx); err != nil {
			w.deps.Logger.WarnContext(ctx, "records stay on the volume until the next start", "error", err)
		}
		return nil
	})
	w.app.Background("shipper", shipper.Run)
	w.app.OnStop("transaction log writer", func(context.Context) error { return w.log.Stop() })
	w.app.Check("transaction log", func(context.Context) error {
		// A full log is no reason to send calls elsewhere while the journal is away: it is away from the other gateways too,
		// and calls that do not wait for a record go on. A disk that fails is, and a log that only this gateway cannot ship.
		err := w.log.Ready()
		if kind := errs.KindOf(shipper.Fault()); errors.Is(err, txlog.ErrFull) && (kind == errs.Unavailable || kind == errs.Timeout || errors.As(shipper.Fault(), new(net.Error))) {
			return nil
		}
		return err
	})
	return nil
}

// client calls a part without spans of its own: shipping and following would fill the traces with themselves.
func (w *wiring) client(part, address string) (base string, client *http.Client, err error) {
	client = w.id.HTTPClient(part)
	base, err = w.consul.Dial(w.app, address, client)
	return base, client, err
}

func (w *wiring) followRegistry(ctx context.Context) error {
	base, client, err := w.client("registry", w.cfg.Parts.Registry)
	if err != nil {
		return err
	}
	remote := &registry.Remote{Base: base, HTTP: client}
	if w.deps.Publish == nil {
		w.deps.Publish = remote
	}
	if w.deps.Snapshots != nil {
		return nil
	}
	pinned, err := registry.ReadKeys(w.cfg.Registry.Keys)
	if err != nil {
		return fmt.Errorf("registry.keys: %w", err)
	}
	follower, err := registry.NewFollower(ctx, registry.FollowerOptions{
		Source: remote, Pinned: pinned, File: filepath.Join(w.cfg.Data, "snapshot"), Logger: w.deps.Logger,
	})
	if err != nil {
		return err
	}
	follower.Heed(w.consul.Watch(w.app, registry.VersionKey))
	w.app.Background("registry follower", follower.Run)
	w.deps.Snapshots, w.follower = follower, follower
	return nil
}

func (w *wiring) buildPolicy(context.Context) error {
	var secrets *registry.UpstreamSealer
	if key := w.cfg.UpstreamKey.Reveal(); key != "" {
		var err error
		if secrets, err = registry.NewUpstreamSealer(key); err != nil {
			return fmt.Errorf("upstreamKey: %w", err)
		}
	}
	pool, err := upstream.NewPool(upstream.PoolConfig{
		PartTLS: w.id.Client, Catalogue: w.instances, Transport: w.deps.Telemetry.Transport, Secrets: secrets, Logger: w.deps.Logger,
	})
	if err != nil {
		return err
	}
	w.app.OnStop("upstreams", func(context.Context) error { pool.Close(); return nil })
	if w.follower != nil {
		base, client, err := w.client("registry", w.cfg.Parts.Registry)
		if err != nil {
			return err
		}
		p := &prober{registry: &registry.Remote{Base: base, HTTP: client}, instance: w.log.ID(), pool: pool, facts: w.facts, logger: w.deps.Logger}
		w.app.Background("service tests", p.run)
	}
	parts, err := w.parts(pool)
	if err != nil {
		return err
	}
	w.policy = policy.NewHolder(w.deps.Snapshots, func(s *registry.Snapshot) (*policy.View, error) {
		update := pool.Begin()
		v, err := policy.Compile(s, func(s *registry.Snapshot) (*routes.Table, []error, error) {
			return routes.Compile(s, w.cfg.Hub, parts, func(service *registry.Service) (routes.Forwarder, error) {
				return update.Target(service)
			})
		})
		if err != nil {
			update.Abort()
			return nil, err
		}
		update.Commit()
		return v, nil
	}, w.deps.Logger)
	return nil
}

func (w *wiring) parts(pool *upstream.Pool) (routes.Parts, error) {
	var parts routes.Parts
	for _, p := range []struct {
		name, address string
		to            *routes.Forwarder
	}{
		{"registry", w.cfg.Parts.Registry, &parts.Registry}, {"journal", w.cfg.Parts.Journal, &parts.Journal},
		{"authserver", w.cfg.Parts.AuthServer, &parts.AuthServer}, {"portal", w.cfg.Parts.Portal, &parts.Portal},
	} {
		target, err := pool.Part(p.name, p.address, w.cfg.PartTimeout.D())
		if err != nil {
			return parts, err
		}
		w.app.OnStop(p.name, func(context.Context) error { return target.Close() })
		*p.to = target
	}
	return parts, nil
}

func (w *wiring) buildChain(context.Context) error {
	key, err := callKey(filepath.Join(w.cfg.Data, "calltoken.pem"))
	if err != nil {
		return fmt.Errorf("key of call tokens: %w", err)
	}
	if w.signer, err = token.NewSigner(key, token.TypeCall); err != nil {
		return err
	}
	tokens, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: w.cfg.Hub, Keys: w.policy, Leeway: clockLeeway})
	if err != nil {
		return err
	}
	w.chain, err = chain.New(chain.Config{
		Hub: w.cfg.Hub, Policy: w.policy, Tokens: tokens, Calls: w.signer, Limits: w.limits, Cache: w.cache, Log: w.log, LogTimeout: w.cfg.LogTimeout.D(),
		SnapshotMax: w.cfg.SnapshotMax.D(), Logger: w.deps.Logger,
	})
	if err != nil {
		return err
	}
	w.edge, err = edge.New(edge.Config{
		Hub: w.cfg.Hub, Chain: w.chain, Logger: w.deps.Logger,
		Local: map[string]http.HandlerFunc{"/healthz": app.Healthz, "/readyz": w.app.Readyz},
	})
	if err != nil {
		return err
	}
	w.app.Background("policy", w.policy.Follow)
	announcer := &announcer{signer: w.signer, instance: w.log.ID(), snapshots: w.deps.Snapshots, to: w.deps.Publish, logger: w.deps.Logger}
	w.app.Background("announcer", announcer.run)
	w.app.Check("snapshot", func(context.Context) error {
		if err := w.policy.Ready(); err != nil {
			return err
		}
		if _, known := w.policy.View().Calls.Key(w.signer.KeyID()); !known {
			return errors.New("the registry has not announced this gateway's key yet")
		}
		return nil
	})
	return w.measure()
}

// clockLeeway is the clock difference to the authorization server that is allowed.
const clockLeeway = 5 * time.Second

func (w *wiring) listen(ctx context.Context) error {
	// Before the others, so that it stops after them and readyz shows the stop.
	if w.cfg.Admin != "" {
		l, err := app.Listen(ctx, w.cfg.Admin)
		if err != nil {
			return fmt.Errorf("admin: %w", err)
		}
		w.app.Admin(l, w.deps.Telemetry.Metrics())
	}
	handler := w.deps.Telemetry.Server(telemetry.ServerOptions{Respond: true})(w.edge)
	var err error
	if w.cfg.Listen != "" {
		if w.service.plain, err = app.Listen(ctx, w.cfg.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		w.app.ServeWith("listener", w.service.plain, &http.Server{Handler: handler, ConnContext: edge.ConnContext})
	}
	if w.cfg.ListenTLS == "" {
		return nil
	}
	config, err := outsideTLS(w.cfg.TLS)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	if w.service.tls, err = app.Listen(ctx, w.cfg.ListenTLS); err != nil {
		return fmt.Errorf("listenTls: %w", err)
	}
	outside, err := behindBalancer(w.service.tls, w.cfg.ProxyProtocol)
	if err != nil {
		return err
	}
	w.app.ServeWith("tls listener", tls.NewListener(outside, config), &http.Server{
		Handler: handler, ConnContext: edge.ConnContext, TLSConfig: config,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 128},
	})
	return nil
}

// Addr is the address of the listener without TLS, "" without one.
func (s *Service) Addr() string { return addr(s.plain) }

// AddrTLS is the address of the listener with TLS, "" without one.
func (s *Service) AddrTLS() string { return addr(s.tls) }

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Run serves until ctx ends, then stops in order: calls in flight finish, and the log is shipped.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil when calls are welcome: the newest snapshot is in force, the services know this gateway's key, and records can be
// made durable.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }
