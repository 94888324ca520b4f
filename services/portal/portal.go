// Package portal is the part that people see: what the hub is, a page per error code, its status and how to report a
// vulnerability. Its pages are public; it listens for the gateway only.
package portal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/portal/api"
	"noorderhub.nl/hub/services/portal/internal/fouten"
	"noorderhub.nl/hub/services/portal/internal/web"
)

// Status tells of each part by its name ("gateway") whether it is ready. A part that it leaves out is shown as unknown. It
// is asked at most once per five seconds, whoever looks at the page, and heeds ctx.
type Status func(ctx context.Context) map[string]bool

// Deps are what New gets from outside.
type Deps struct {
	Logger    *slog.Logger         // required
	Telemetry *telemetry.Telemetry // required
	Status    Status               // nil: what Consul knows, and without Consul of no part but itself
}

// Service is a running portal.
type Service struct {
	app      *app.App
	listener net.Listener
}

// New reads the texts and binds the listeners. Nothing is served before Run.
func New(ctx context.Context, cfg Config, deps Deps) (_ *Service, err error) {
	if deps.Logger == nil || deps.Telemetry == nil {
		return nil, errors.New("portal: logger and telemetry are required")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	a := app.New(Part, deps.Logger, cfg.StopTimeout.D())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("portal: %w", err), a.Close())
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
	if deps.Status == nil && catalogue.Configured() {
		deps.Status = fromCatalogue(catalogue, deps.Logger)
	}
	handler, err := newHandler(cfg, deps)
	if err != nil {
		return nil, err
	}
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
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
	})
	return &Service{app: a, listener: l}, catalogue.Join(a, Part, l.Addr().String())
}

// fromCatalogue asks Consul, where every part tells of its own readiness. While Consul is away nothing is known.
func fromCatalogue(c *consul.Client, logger *slog.Logger) Status {
	return func(ctx context.Context) map[string]bool {
		passing, err := c.Passing(ctx, web.Parts()...)
		if err != nil {
			logger.WarnContext(ctx, "the status page knows nothing", "error", err)
		}
		return passing
	}
}

func newHandler(cfg Config, deps Deps) (http.Handler, error) {
	texts, err := fs.Sub(api.Texts, "fouten")
	if err != nil {
		return nil, err
	}
	catalogue, err := fouten.Load(texts, api.Languages()...)
	if err != nil {
		return nil, err
	}
	handler, err := web.New(web.Options{
		Hub: cfg.Hub, Fouten: catalogue, Status: deps.Status, Security: cfg.Security.text(cfg.Hub),
		Logger: deps.Logger, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	return deps.Telemetry.Server(telemetry.ServerOptions{})(handler), nil
}

// Addr is the address of the listener, with the port that was taken.
func (s *Service) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then stops in order.
func (s *Service) Run(ctx context.Context) error { return s.app.Run(ctx) }

// Ready gives nil once the portal serves.
func (s *Service) Ready(ctx context.Context) error { return s.app.Ready(ctx) }
