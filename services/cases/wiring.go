package cases

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery/consul"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	authserver "noorderhub.nl/hub/services/authserver/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/logbook"
	"noorderhub.nl/hub/services/cases/internal/receipts"
	registry "noorderhub.nl/hub/services/registry/api"
)

// follow completes deps with snapshots and with the keys of call tokens in them, following the registry when no one else
// does.
func follow(
	ctx context.Context, a *app.App, cfg registry.Following, id *workload.Identity, catalogue *consul.Client, deps *Deps,
) error {
	if deps.Snapshots == nil {
		client := id.HTTPClient("registry")
		var err error
		if cfg.URL, err = catalogue.Dial(a, cfg.URL, client); err != nil {
			return err
		}
		client.Transport = deps.Telemetry.Transport(client.Transport)
		follower, err := cfg.Follower(ctx, client, deps.Logger)
		if err != nil {
			return err
		}
		follower.Heed(catalogue.Watch(a, registry.VersionKey))
		a.Background("registry follower", follower.Run)
		deps.Snapshots = follower
	}
	snapshots := deps.Snapshots
	a.Check("snapshot", func(context.Context) error {
		if snapshots.Current() == nil {
			return errors.New("there is no snapshot yet")
		}
		return nil
	})
	if deps.CallKeys == nil {
		deps.CallKeys = token.Follow(snapshots.Current, func(s *registry.Snapshot) []json.RawMessage { return s.KeySets("gateway") })
	}
	return nil
}

// loadKeys reads the receipt keys. Without one of the hub's own nothing can be offered, so that is a fault of the
// configuration; that of another organisation may come later.
func loadKeys(cfg Config, now time.Time) (*receipts.Keys, error) {
	anchors, err := readAnchors(cfg.Receipts.Anchors)
	if err != nil {
		return nil, fmt.Errorf("receipts.anchors: %w", err)
	}
	keys, err := receipts.Load(cfg.Receipts.Keys, anchors, now)
	if err != nil {
		return nil, err
	}
	if !keys.Holds(cfg.HubOIN) {
		return nil, fmt.Errorf("receipts.keys: there is no key of the hub, %s.pem", cfg.HubOIN)
	}
	return keys, nil
}

func readAnchors(files []string) (*x509.CertPool, error) {
	anchors := x509.NewCertPool()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !anchors.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", file)
		}
	}
	return anchors, nil
}

// newLogbook is the logbook of the configuration.
func newLogbook(cfg Config, measure *telemetry.Telemetry) (exchange.Logbook, error) {
	o, err := cfg.Logbook.client()
	if err != nil {
		return nil, fmt.Errorf("logbook: %w", err)
	}
	o.Hub, o.Part, o.HTTP.Transport = cfg.Hub, Part, measure.Transport(o.HTTP.Transport)
	return logbook.New(o), nil
}

// client reads the key and the anchors.
func (c LogbookConfig) client() (logbook.Options, error) {
	if c.Client == "" || c.Key == "" {
		return logbook.Options{}, errors.New("client and key are required")
	}
	text, err := os.ReadFile(c.Key)
	if err != nil {
		return logbook.Options{}, err
	}
	key, err := authserver.ParseKey(text, c.KeyID, c.Alg)
	if err != nil {
		return logbook.Options{}, fmt.Errorf("%s: %w", c.Key, err)
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		if tlsConfig.RootCAs, err = readAnchors([]string{c.CA}); err != nil {
			return logbook.Options{}, err
		}
	}
	return logbook.Options{Client: c.Client, Key: key, HTTP: &http.Client{
		Transport:     &http.Transport{TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}
