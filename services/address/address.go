// Package address is the shared service for looking up addresses: a copy of the BAG of its own, answering in the shape of
// the Kadaster's API. It listens for the gateway only.
package address

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	_ "time/tzdata" // days begin at midnight in the Netherlands, wherever the service runs

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/address/api"
	"noorderhub.nl/hub/services/address/internal/callkeys"
	"noorderhub.nl/hub/services/address/internal/httpapi"
	"noorderhub.nl/hub/services/address/internal/lookup"
	"noorderhub.nl/hub/services/address/internal/stand"
)

// Deps are what the service gets from outside.
type Deps struct {
	Logger    *slog.Logger
	Telemetry *telemetry.Telemetry
	CallKeys  token.KeySource  // keys that gateways sign call tokens with; nil: read from Config.KeysURL
	Now       func() time.Time // which day it is for the register, nil: time.Now; tokens are judged by the real clock
}

// Service is the running service.
type Service struct {
	app     *app.App
	store   *stand.Store
	addr    string
	logger  *slog.Logger
	damaged atomic.Pointer[damage]
}

// damage is what Verify found wrong with a stand.
type damage struct {
	path string
	err  error
}

// reloadEvery is how soon a stand that another process imported is taken in use.
const reloadEvery = 2 * time.Second

// New opens the stand in use, imports Config.Extracts where they are new, and listens. Without any stand, and with
// Config.ImportFirst, a failing import is an error; else the service keeps answering from the stand it has and logs it.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("address: Deps.Logger and Deps.Telemetry are required")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	s := &Service{app: app.New(Part, deps.Logger, cfg.StopTimeout.D()), logger: deps.Logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.app.Close())
		}
	}()
	if err := s.openStore(ctx, cfg); err != nil {
		return nil, err
	}
	handler, err := s.handler(cfg, deps)
	if err != nil {
		return nil, err
	}
	catalogue, err := consul.Open(cfg.Consul, deps.Logger)
	if err != nil {
		return nil, err
	}
	if err := s.listen(ctx, cfg, deps, handler); err != nil {
		return nil, err
	}
	return s, catalogue.Join(s.app, Part, s.addr)
}

func (s *Service) openStore(ctx context.Context, cfg Config) error {
	var err error
	if s.store, err = stand.OpenStore(cfg.Data); err != nil {
		return err
	}
	s.store.Warn = func(ctx context.Context, err error) {
		s.logger.WarnContext(ctx, "the folder of stands could not be tidied", "error", err)
	}
	s.app.OnStop("stand", func(context.Context) error { return s.store.Close() })
	if err := s.store.Reload(); err != nil && !errors.Is(err, stand.ErrNone) {
		s.logger.ErrorContext(ctx, "the stand in use cannot be opened", "error", err)
	}
	s.app.Check("stand", s.checkStand)
	s.app.Background("stand reload", s.follow)
	if len(cfg.Extracts) == 0 {
		return nil
	}
	_, none := s.store.Manifest()
	if none == nil && !cfg.ImportFirst {
		s.app.Background("import", func(ctx context.Context) error {
			_ = s.Import(ctx, cfg.Extracts...) // logged; the old stand keeps answering
			return nil
		})
		return nil
	}
	if err := s.Import(ctx, cfg.Extracts...); err != nil {
		return fmt.Errorf("address: import: %w", err)
	}
	return nil
}

// Import makes a stand of extracts and takes it in use. When it fails, the stand in use stays and the error names file,
// inner file and position.
func (s *Service) Import(ctx context.Context, paths ...string) error {
	began := time.Now()
	m, err := s.store.Import(ctx, paths...)
	if err != nil {
		s.logger.ErrorContext(ctx, "import refused, the stand in use stays", "error", err)
		return err
	}
	s.logger.InfoContext(ctx, "stand in use", "date", m.Date, "areas", strings.Join(m.Areas, " "),
		"addresses", m.Counts["NUM"].Objects, "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

func (s *Service) checkStand(context.Context) error {
	st, err := s.store.Acquire()
	if err != nil {
		return err
	}
	defer st.Release()
	if d := s.damaged.Load(); d != nil && d.path == st.Path() {
		return d.err
	}
	return nil
}

// follow verifies the stand that was there at the start, once, and takes over what another process imports.
func (s *Service) follow(ctx context.Context) error {
	s.verify(ctx)
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := s.store.Reload(); err != nil && !errors.Is(err, stand.ErrNone) {
				s.logger.ErrorContext(ctx, "stand not taken in use", "error", err)
			}
		}
	}
}

func (s *Service) verify(ctx context.Context) {
	st, err := s.store.Acquire()
	if err != nil {
		return
	}
	defer st.Release()
	if err := st.Verify(ctx); err != nil && ctx.Err() == nil {
		s.damaged.Store(&damage{st.Path(), err})
		s.logger.ErrorContext(ctx, "the stand in use is damaged: run `address import` with its extracts again, or `address rollback`", "error", err)
	}
}

func (s *Service) handler(cfg Config, deps Deps) (http.Handler, error) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		return nil, err
	}
	keys := deps.CallKeys
	if keys == nil {
		keysURL := cfg.KeysURL
		if keysURL == "" {
			keysURL = cfg.Hub + "/oauth2/jwks"
		}
		source := callkeys.New(keysURL, &http.Client{Timeout: 10 * time.Second}, deps.Logger)
		s.app.Background("keys", source.Follow)
		s.app.Check("keys", source.Ready)
		keys = source
	}
	verifier, err := token.NewVerifier(token.Options{
		Type: token.TypeCall, Issuer: cfg.Hub, Keys: keys, MaxLife: time.Minute, Leeway: 5 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	problems := problem.Writer{Hub: cfg.Hub}
	surface := httpapi.New(httpapi.Deps{
		Lookup: lookup.New(registers{s.store}, deps.Now, zone), PublicURL: cfg.Hub, Errors: cfg.Hub + "/portaal/fouten", Logger: deps.Logger,
	})
	guarded := token.Require(verifier, cfg.Hub+"/"+api.Slug, problems)(surface)
	// No ServeMux: it would redirect paths that are not canonical, and this surface answers them with 404.
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == api.Base+"/openapi.json" { // the description is public
			surface.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
	return deps.Telemetry.Server(telemetry.ServerOptions{})(both), nil
}

func (s *Service) listen(ctx context.Context, cfg Config, deps Deps, handler http.Handler) error {
	identity, err := workload.Load(cfg.Workload)
	if err != nil {
		return err
	}
	var open net.ListenConfig
	l, err := open.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return err
	}
	s.addr = l.Addr().String()
	s.app.Serve("http", tls.NewListener(l, identity.Server("gateway")), handler)
	if cfg.Admin != "" {
		admin, err := open.Listen(ctx, "tcp", cfg.Admin)
		if err != nil {
			return err
		}
		s.app.Admin(admin, deps.Telemetry.Metrics())
	}
	return nil
}

// Addr gives host:port of the listener.
func (s *Service) Addr() string { return s.addr }

// Run serves until ctx ends, drains and stops.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil while the service can answer.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }

// registers lends the stand in use to the lookup.
type registers struct{ store *stand.Store }

func (r registers) Acquire(context.Context) (lookup.Register, func(), error) {
	st, err := r.store.Acquire()
	if err != nil {
		return nil, nil, errs.CodeUnavailable.Wrap(err, "er is nog geen stand van de BAG ingelezen").WithRetryAfter(30 * time.Second)
	}
	return st, st.Release, nil
}
