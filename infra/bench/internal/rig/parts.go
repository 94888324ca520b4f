package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/proc"
)

// at holds the addresses of the parts.
type at struct{ registry, journal, auth, plain, tls, redis string }

func startRedis(ctx context.Context, o Options, address string) (*proc.Process, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return o.Group.Start(ctx, "redis", proc.Listening(address), o.Redis,
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", o.Dir)
}

func (r *Rig) startParts(ctx context.Context, o Options, a at) error {
	m := r.material
	following := func(part string) map[string]any {
		return map[string]any{"url": "https://" + a.registry, "keys": []string{m.path("snapshot.pem")}, "file": m.path(part + ".snapshot")}
	}
	spans := map[string]any{"endpoint": "https://" + a.journal + "/v1/traces", "ratio": sampled}
	// Longer than in production: a machine that others use too may stop a process for longer than that.
	redis := map[string]any{"addrs": []string{a.redis}, "timeout": "5s"}
	gateway := map[string]any{
		"hub": r.Issuer, "name": "bench", "data": m.path("gateway-data"), "demo": true, "listen": a.plain, "listenTls": a.tls,
		"tls": map[string]any{"cert": o.Material.Outside.Cert, "key": o.Material.Outside.Key, "clientCas": m.path("region.pem")},
		"parts": map[string]any{
			"registry": "https://" + a.registry, "journal": "https://" + a.journal, "authserver": "https://" + a.auth, "portal": "https://" + a.auth,
		},
		"registry": map[string]any{"keys": []string{m.path("snapshot.pem")}}, "redis": redis, "telemetry": spans,
	}
	for _, p := range []struct {
		name, address string
		into          **proc.Process
		config        map[string]any
	}{
		{"registry", a.registry, nil, map[string]any{
			"listen": a.registry, "hub": r.Issuer, "region": m.path("region.yaml"), "database": "sqlite:" + m.path("registry.db"),
			"signingKey": m.path("snapshot.key"), "envelope": "file:" + m.path("envelope"),
		}},
		{"journal", a.journal, &r.Journal, map[string]any{
			"listen": a.journal, "hub": r.Issuer, "hubOin": hubOIN, "registry": following("journal"),
			"database": "sqlite:" + m.path("journal.db"), "pseudonyms": "file:" + m.path("pseudonyms"),
		}},
		{"authserver", a.auth, &r.Auth, map[string]any{
			"listen": a.auth, "hub": r.Issuer, "instance": "bench", "registry": following("authserver"),
			"database": "sqlite:" + m.path("authserver.db"), "envelope": "file:" + m.path("envelope"),
			"redis": redis, "tokenLife": "15m", "telemetry": spans,
		}},
		{"gateway", a.plain, &r.Gateway, gateway},
	} {
		files, err := m.part(p.name)
		if err != nil {
			return err
		}
		if admin, ok := r.admin[p.name]; ok {
			p.config["admin"] = admin
		}
		p.config["workload"] = map[string]any{"cert": files.Cert, "key": files.Key, "ca": files.CA}
		file, err := m.config(p.name, p.config)
		if err != nil {
			return err
		}
		process, err := r.group.Start(ctx, p.name, proc.Listening(p.address), filepath.Join(o.Programs, p.name), "--config", file)
		if err != nil {
			return err
		}
		if p.into != nil {
			*p.into = process
		}
	}
	return r.awaitReady(ctx)
}

const readyTimeout = 30 * time.Second

func (r *Rig) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		status, _, err := r.get(ctx, r.Plain+"/readyz")
		if err == nil && status == http.StatusOK {
			return nil
		}
		if err := r.group.Alive(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the gateway is not ready: status %d, %w", status, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
