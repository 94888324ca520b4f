package allinone

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"noorderhub.nl/hub/gateway"
	"noorderhub.nl/hub/infra/up/material"
	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/redisdb"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/address"
	"noorderhub.nl/hub/services/authserver"
	"noorderhub.nl/hub/services/cases"
	"noorderhub.nl/hub/services/journal"
	"noorderhub.nl/hub/services/portal"
	"noorderhub.nl/hub/services/registry"
	registryapi "noorderhub.nl/hub/services/registry/api"
)

// startParts starts the parts in the order in which they need each other: who is asked comes before who asks.
func (h *Hub) startParts(ctx context.Context, s *setting) error {
	for _, p := range []struct {
		name string
		make func(context.Context, *setting, *telemetry.Telemetry, *slog.Logger) (part, error)
	}{
		{"registry", newRegistry},
		{"journal", newJournal},
		{"authserver", newAuthserver},
		{"address", newAddress},
		{"cases", newCases},
		{"portal", h.newPortal},
		{"gateway", newGateway},
	} {
		t, logger, err := h.telemetryFor(ctx, s, p.name)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		made, err := p.make(ctx, s, t, logger)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		h.mu.Lock()
		h.parts = append(h.parts, launch(p.name, made, t))
		h.mu.Unlock()
	}
	return nil
}

func (s *setting) url(part string) string { return "https://" + s.ports[part] }

func (s *setting) sqlite(name string) string { return "sqlite:" + s.files.Path(name+".db") }

// secret stands in a configuration file as file:PATH; here it is read directly.
func (s *setting) secret(name string) (config.Secret, error) {
	var holder struct {
		Value config.Secret `yaml:"value"`
	}
	err := config.Parse([]byte("value: file:"+s.files.Secret(name)+"\n"), &holder)
	return holder.Value, err
}

func newRegistry(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := registry.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub = s.ports["registry"], s.files.Pair("registry"), s.hub
	cfg.Region, cfg.Database, cfg.SigningKey = s.files.Region(), s.sqlite("registry"), s.files.SnapshotKey()
	var err error
	if cfg.Envelope, err = s.secret("custody"); err != nil {
		return nil, err
	}
	if cfg.UpstreamKey, err = s.secret("upstreams"); err != nil {
		return nil, err
	}
	cfg.Hosted = material.Hosted(s.files, s.region)
	return registry.New(ctx, cfg, registry.Deps{Logger: logger, Telemetry: t})
}

func newJournal(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := journal.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub = s.ports["journal"], s.files.Pair("journal"), s.hub
	cfg.HubOIN, cfg.Database = s.region.HubOIN(), s.sqlite("journal")
	cfg.Registry = registryapi.Following{
		URL: s.url("registry"), Keys: []string{s.files.SnapshotPub()}, File: s.files.Path("journal.snapshot"),
	}
	var err error
	if cfg.Pseudonyms, err = s.secret("pseudonyms"); err != nil {
		return nil, err
	}
	return journal.New(ctx, cfg, journal.Deps{Logger: logger, Telemetry: t})
}

func newAuthserver(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := authserver.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub, cfg.MTLS = s.ports["authserver"], s.files.Pair("authserver"), s.hub, s.mtls
	cfg.Instance, cfg.Database, cfg.Redis = "demo", s.sqlite("authserver"), redisdb.Config{Embedded: true}
	cfg.Registry = registryapi.Following{
		URL: s.url("registry"), Keys: []string{s.files.SnapshotPub()}, File: s.files.Path("authserver.snapshot"),
	}
	var err error
	if cfg.Envelope, err = s.secret("envelope"); err != nil {
		return nil, err
	}
	return authserver.New(ctx, cfg, authserver.Deps{Logger: logger, Telemetry: t})
}

func newAddress(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := address.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub = s.ports["address"], s.files.Pair("address"), s.hub
	cfg.Data, cfg.Extracts, cfg.ImportFirst = s.files.Path("address"), s.extracts, true
	return address.New(ctx, cfg, address.Deps{Logger: logger, Telemetry: t})
}

func newCases(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := cases.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub = s.ports["cases"], s.files.Pair("cases"), s.hub
	cfg.HubOIN, cfg.Database = s.region.HubOIN(), s.sqlite("cases")
	cfg.Registry = registryapi.Following{
		URL: s.url("registry"), Keys: []string{s.files.SnapshotPub()}, File: s.files.Path("cases.snapshot"),
	}
	cfg.Receipts = cases.ReceiptsConfig{Keys: s.files.Receipts(), Anchors: []string{s.files.CA()}}
	client := s.region.Client("noorderhub-cases")
	cfg.Logbook = cases.LogbookConfig{Client: client.ID, Key: s.files.ClientKey(client), Alg: client.Alg, CA: s.files.CA()}
	return cases.New(ctx, cfg, cases.Deps{Logger: logger, Telemetry: t})
}

// status asks the parts themselves, in this process.
func (h *Hub) status(ctx context.Context) map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	ready := map[string]bool{}
	for _, r := range h.parts {
		ready[r.name] = r.part.Ready(ctx) == nil
	}
	return ready
}

func (h *Hub) newPortal(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := portal.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub = s.ports["portal"], s.files.Pair("portal"), s.hub
	cfg.Security = portal.Security{
		Contact: []string{"mailto:security@noorderhub.example"}, Expires: s.made.Add(material.ContractLife),
	}
	return portal.New(ctx, cfg, portal.Deps{Logger: logger, Telemetry: t, Status: h.status})
}

func newGateway(ctx context.Context, s *setting, t *telemetry.Telemetry, logger *slog.Logger) (part, error) {
	cfg := gateway.Defaults()
	cfg.Demo, cfg.Listen, cfg.ListenTLS, cfg.Hub, cfg.Name = true, s.listen, s.listenTLS, s.hub, "demo"
	cfg.Workload, cfg.Data = s.files.Pair("gateway"), s.files.Path("gateway")
	certificate := s.files.Pair(material.Outside)
	cfg.TLS = gateway.TLSConfig{Cert: certificate.Cert, Key: certificate.Key, ClientCAs: s.files.CA()}
	cfg.Parts = gateway.PartsConfig{
		Registry: s.url("registry"), Journal: s.url("journal"), AuthServer: s.url("authserver"), Portal: s.url("portal"),
	}
	cfg.Redis = redisdb.Config{Embedded: true}
	cfg.Registry.Keys = []string{s.files.SnapshotPub()}
	var err error
	if cfg.UpstreamKey, err = s.secret("upstreams"); err != nil {
		return nil, err
	}
	return gateway.New(ctx, cfg, gateway.Deps{Logger: logger, Telemetry: t})
}

// workloadClient is how one part calls another.
func workloadClient(own workload.Files, part string) (*http.Client, error) {
	id, err := workload.Load(own)
	if err != nil {
		return nil, err
	}
	return id.HTTPClient(part), nil
}
