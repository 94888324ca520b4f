// Package registry is the control plane of the hub: it knows organisations, clients, shared services and contracts from a
// declarative region file, and publishes what the data plane needs as a signed snapshot. It listens for the other parts
// only; outside calls come through the gateway.
package registry

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/libs/sqldb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/administration"
	"noorderhub.nl/hub/services/registry/internal/audit"
	"noorderhub.nl/hub/services/registry/internal/httpapi"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/notifysql"
	"noorderhub.nl/hub/services/registry/internal/publisher"
	"noorderhub.nl/hub/services/registry/internal/store"
)

// Part is the name of this part: in its certificate and in traces.
const Part = "registry"

// Deps are what New gets from outside.
type Deps struct {
	Logger    *slog.Logger         // required
	Telemetry *telemetry.Telemetry // required
	Now       func() time.Time     // nil: time.Now
}

// Service is a running registry.
type Service struct {
	app       *app.App
	listener  net.Listener
	publisher *publisher.Publisher
	store     *store.Store
	keeper    *keeper
	teller    atomic.Pointer[notify.Dispatcher] // nil until it is wired
	office    *administration.Office
}

const (
	// refreshEvery is the pause between two looks for keys of parts that are over.
	refreshEvery = time.Minute
	// callLeeway is the clock difference between gateway and registry that is no fault.
	callLeeway = 5 * time.Second
)

// New opens the store, reads the region and binds the listeners. A region with faults is an error at the first start;
// later the snapshot in the store goes on and the faults are logged. Nothing is served before Run.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("registry: logger and telemetry are required")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	s := &Service{app: app.New(Part, deps.Logger, cfg.StopTimeout.D())}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("registry: %w", err), s.app.Close())
		}
	}()
	catalogue, err := consul.Open(cfg.Consul, deps.Logger)
	if err != nil {
		return nil, err
	}
	if err := s.openPublisher(ctx, cfg, deps, catalogue); err != nil {
		return nil, err
	}
	s.app.Background("region", func(ctx context.Context) error { return s.follow(ctx, cfg.Poll.D(), deps.Logger) })
	s.app.Background("keys in custody", func(ctx context.Context) error { return s.renew(ctx, deps.Logger) })
	if cfg.AuditKeep > 0 {
		s.app.Background("audit retention", func(ctx context.Context) error { return s.purge(ctx, cfg.AuditKeep.D(), deps) })
	}
	if err := s.listen(ctx, cfg, deps); err != nil {
		return nil, err
	}
	return s, catalogue.Join(s.app, Part, s.Addr())
}

func (s *Service) openPublisher(ctx context.Context, cfg Config, deps Deps, catalogue *consul.Client) error {
	key, err := readKey(cfg.SigningKey)
	if err != nil {
		return fmt.Errorf("signingKey: %w", err)
	}
	db, err := sqldb.Open(ctx, cfg.Database)
	if err != nil {
		return err
	}
	s.app.OnStop("database", func(context.Context) error { return db.Close() })
	s.app.Check("database", db.Ping)
	log, err := auditLog(cfg, deps.Now)
	if err != nil {
		return err
	}
	if s.store, err = store.New(ctx, db, log); err != nil {
		return err
	}
	if s.keeper, err = openCustody(ctx, cfg, db, s.store, deps.Now); err != nil {
		return err
	}
	resealed, err := s.keeper.reseal(ctx)
	if err != nil {
		return fmt.Errorf("keys in custody under an older envelope: %w", err)
	}
	if len(cfg.OldEnvelopes) > 0 {
		deps.Logger.InfoContext(ctx, "no key in custody rests on an older envelope", "sealed_anew", resealed)
	}
	newest := catalogue.Keeper(s.app, api.VersionKey, api.NewerVersion)
	s.publisher, err = publisher.New(ctx, publisher.Options{
		Region: cfg.Region, Epoch: cfg.Epoch, Key: key, Store: s.store, Logger: deps.Logger, Now: deps.Now,
		Told: func() {
			if d := s.teller.Load(); d != nil {
				d.Wake()
			}
		},
		Announce: func(_ context.Context, v api.Version) { newest.Keep(v.String()) },
	})
	if err != nil {
		return err
	}
	newest.Keep(s.snapshot().Version.String()) // a start that changes nothing announces nothing
	return nil
}

func (s *Service) listen(ctx context.Context, cfg Config, deps Deps) error {
	id, err := workload.Load(cfg.Workload)
	if err != nil {
		return err
	}
	verifier, err := token.NewVerifier(token.Options{
		Type: token.TypeCall, Issuer: cfg.Hub, Keys: token.Follow(s.snapshot, gatewaySets), Leeway: callLeeway, Now: deps.Now,
	})
	if err != nil {
		return err
	}
	// Before the other listener, so that it stops after it and readyz shows the stop.
	if cfg.Admin != "" {
		l, err := app.Listen(ctx, cfg.Admin)
		if err != nil {
			return fmt.Errorf("admin listener: %w", err)
		}
		s.app.Admin(l, deps.Telemetry.Metrics())
	}
	if s.listener, err = app.Listen(ctx, cfg.Listen); err != nil {
		return fmt.Errorf("listener: %w", err)
	}
	teller, webhookKeys, err := s.openNotifications(cfg, deps)
	if err != nil {
		return err
	}
	s.teller.Store(teller)
	messages := notifysql.New(s.keeper.db)
	var sealer *api.UpstreamSealer
	if key := cfg.UpstreamKey.Reveal(); key != "" {
		if sealer, err = api.NewUpstreamSealer(key); err != nil {
			return err
		}
	}
	s.office = &administration.Office{
		Sealer:    sealer,
		Publisher: s.publisher, Hand: s.keeper, Vault: s.keeper.vault, Keys: s.keeper,
		Fetcher: fetcher{outbound.New(outbound.Settings{}), s.publisher}, Desk: desk{messages, s.store, deps.Now}, Teller: teller, Now: deps.Now,
	}
	s.app.Background("keys of clients", func(ctx context.Context) error { return followKeys(ctx, s.office, deps.Logger) })
	stopping := make(chan struct{})
	s.app.ServeWith("listener", tls.NewListener(s.listener, id.Server(httpapi.Parts()...)), &http.Server{
		Handler: httpapi.New(httpapi.Options{
			Publisher: s.publisher, Office: s.office, Audit: s.store, Feed: messages, WebhookKeys: webhookKeys,
			Verifier: verifier, Hub: cfg.Hub, Stopping: stopping, Telemetry: deps.Telemetry, Logger: deps.Logger, Now: deps.Now,
		}),
		ReadTimeout: 30 * time.Second, WriteTimeout: (httpapi.MaxWait + 30) * time.Second,
	})
	// After the listener, so that it runs before it: long polls would hold up its drain.
	s.app.OnStop("long polls", func(context.Context) error {
		close(stopping)
		return nil
	})
	return nil
}

// follow reloads the region when its files change or the process gets SIGHUP, and lets keys of parts go in time.
func (s *Service) follow(ctx context.Context, poll time.Duration, logger *slog.Logger) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	look, refresh := time.NewTicker(poll), time.NewTicker(refreshEvery)
	defer look.Stop()
	defer refresh.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-hangup:
			_, _ = s.publisher.Reload(ctx, "SIGHUP") // logged with all its faults
		case <-look.C:
			_ = s.publisher.ReloadChanged(ctx) // the same
		case <-refresh.C:
			if err := s.publisher.Refresh(ctx, "key expiry"); err != nil && ctx.Err() == nil {
				logger.ErrorContext(ctx, "snapshot not refreshed", "error", err)
			}
		}
	}
}

// purgeEvery is the pause between two looks for records whose time is over.
const purgeEvery = 24 * time.Hour

// purge removes records of the audit log whose time is over.
func (s *Service) purge(ctx context.Context, keep time.Duration, deps Deps) error {
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		removed, err := s.store.PurgeAudit(ctx, deps.Now().Add(-keep), audit.Actor{Part: Part}, "auditKeep "+keep.String())
		switch {
		case err != nil && ctx.Err() == nil:
			deps.Logger.ErrorContext(ctx, "audit log not purged", "error", err)
		case removed > 0:
			deps.Logger.InfoContext(ctx, "audit log purged", "records", removed)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// renewEvery is the pause between two looks at the keys in custody.
const renewEvery = time.Hour

// renew signs what waits for it with the keys that followed others, at the start too: a registry that was stopped halfway
// goes on.
func (s *Service) renew(ctx context.Context, logger *slog.Logger) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		if err := s.office.Renew(ctx); err != nil && ctx.Err() == nil {
			logger.ErrorContext(ctx, "keys in custody not renewed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Reload reads the region file now and gives the version in force. A region with faults changes nothing; the error then
// lists them all.
func (s *Service) Reload(ctx context.Context) (api.Version, error) {
	return s.publisher.Reload(ctx, "operator")
}

// Addr gives host:port of the listener.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, drains and stops.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil while the registry can answer.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }

func (s *Service) snapshot() *api.Snapshot { return s.publisher.State().Snapshot }

// gatewaySets are the keys of call tokens.
func gatewaySets(s *api.Snapshot) []json.RawMessage { return s.KeySets("gateway") }

func readKey(file string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	if block.Type == "EC PRIVATE KEY" {
		return x509.ParseECPrivateKey(block.Bytes)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("not a private key in PKCS #8 or SEC 1 form")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an EC key")
	}
	return key, nil
}
