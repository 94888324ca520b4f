package upstream

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
	registry "noorderhub.nl/hub/services/registry/api"
)

// PoolConfig of a Pool. All but Transport are required.
type PoolConfig struct {
	// PartTLS gives the TLS configuration towards a part of the hub.
	PartTLS func(part string) *tls.Config
	// Catalogue follows a service by its name in the catalogue ("consul:NAME").
	Catalogue func(name string) (sd.Instancer, error)
	Transport func(http.RoundTripper) http.RoundTripper
	// Secrets opens the secrets of upstreams; nil: services that want one cannot be reached.
	Secrets *registry.UpstreamSealer
	Logger  *slog.Logger
}

// Pool keeps the targets of the services of the snapshot. A target lives on from one snapshot to the next as long as its
// upstream stays the same, and with it its connections and what is known of its instances.
type Pool struct {
	cfg PoolConfig

	mu      sync.Mutex
	targets map[string]pooled // by slug
}

type pooled struct {
	*Target
	spec []byte // the upstream as JSON
}

// NewPool makes an empty pool.
func NewPool(cfg PoolConfig) (*Pool, error) {
	if cfg.PartTLS == nil || cfg.Catalogue == nil || cfg.Logger == nil {
		return nil, errors.New("upstream pool: PartTLS, Catalogue and Logger are required")
	}
	return &Pool{cfg: cfg, targets: map[string]pooled{}}, nil
}

// Update is one snapshot's work on the pool: ask for each service, then Commit, or Abort when the snapshot is refused.
type Update struct {
	pool *Pool
	next map[string]pooled
}

// Begin starts an update. One at a time.
func (p *Pool) Begin() *Update { return &Update{pool: p, next: map[string]pooled{}} }

// Target gives the target of a service, the present one when its upstream has not changed.
func (u *Update) Target(s *registry.Service) (*Target, error) {
	spec, err := json.Marshal(s.Upstream)
	if err != nil {
		return nil, err
	}
	u.pool.mu.Lock()
	present, ok := u.pool.targets[s.Slug]
	u.pool.mu.Unlock()
	if ok && bytes.Equal(present.spec, spec) {
		u.next[s.Slug] = present
		return present.Target, nil
	}
	t, err := u.pool.target(s)
	if err != nil {
		return nil, err
	}
	u.next[s.Slug] = pooled{t, spec}
	return t, nil
}

// Commit puts the update in force and closes the targets that are no longer used.
func (u *Update) Commit() {
	u.pool.mu.Lock()
	old := u.pool.targets
	u.pool.targets = u.next
	u.pool.mu.Unlock()
	u.closeOthers(old, u.next)
}

// Abort closes what the update made anew.
func (u *Update) Abort() {
	u.pool.mu.Lock()
	present := u.pool.targets
	u.pool.mu.Unlock()
	u.closeOthers(u.next, present)
}

func (u *Update) closeOthers(targets, keep map[string]pooled) {
	for slug, t := range targets {
		if keep[slug].Target != t.Target {
			_ = t.Close()
		}
	}
}

// Close closes all targets.
func (p *Pool) Close() {
	p.Begin().Commit()
}

// Part makes a target for a part of the hub. The caller closes it.
func (p *Pool) Part(part, address string, timeout time.Duration) (*Target, error) {
	instancer, err := p.instancer([]string{address})
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", part, err)
	}
	return NewTarget(Config{
		Name: part, Instancer: instancer, TLS: p.cfg.PartTLS(part), Timeout: timeout, Part: true,
		Transport: p.cfg.Transport, Logger: p.cfg.Logger,
	})
}

func (p *Pool) target(s *registry.Service) (*Target, error) {
	known, err := p.known(s)
	if err != nil {
		return nil, err
	}
	config, err := p.tls(s)
	if err != nil {
		return nil, err
	}
	instancer, err := p.instancer(s.Upstream.Addresses)
	if err != nil {
		return nil, err
	}
	return NewTarget(Config{
		Name: s.Slug, Instancer: instancer, TLS: config, Timeout: time.Duration(s.Upstream.Timeout),
		Known: known, Guarded: s.Upstream.Part == "", Networks: s.Upstream.Networks, Transport: p.cfg.Transport, Logger: p.cfg.Logger,
	})
}

func (p *Pool) tls(s *registry.Service) (*tls.Config, error) {
	if s.Upstream.Part != "" {
		return p.cfg.PartTLS(s.Upstream.Part), nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if s.Upstream.Auth == registry.AuthCertificate {
		p.present(config)
	}
	if s.Upstream.CAs != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(s.Upstream.CAs)) {
			return nil, errors.New("cas holds no certificate")
		}
	}
	return config, nil
}

// instancer follows the addresses: fixed ones, or one name in the catalogue.
func (p *Pool) instancer(addresses []string) (sd.Instancer, error) {
	if len(addresses) == 1 && strings.HasPrefix(addresses[0], discovery.Catalogue) {
		return p.cfg.Catalogue(strings.TrimPrefix(addresses[0], discovery.Catalogue))
	}
	static := make(discovery.Static, 0, len(addresses))
	for _, a := range addresses {
		in, err := discovery.FromURL(a)
		if err != nil {
			return nil, err
		}
		static = append(static, in)
	}
	if len(static) == 0 {
		return nil, errors.New("no address")
	}
	return static, nil
}
