package main

import (
	"context"
	"path/filepath"
	"strings"

	"noorderhub.nl/hub/infra/bench/internal/measure"
	"noorderhub.nl/hub/infra/bench/internal/peers"
	"noorderhub.nl/hub/infra/bench/internal/proc"
	"noorderhub.nl/hub/infra/bench/internal/rig"
)

// peer is a proxy that the gateway is compared with.
type peer struct {
	name     string
	program  func(ctx context.Context, p peer, listen peers.Side, bearer peers.Bearer) (*proc.Process, error)
	upstream peers.Side
	alg      string // of the tokens it verifies; empty: it lets everybody through
	tls      bool   // on the client's side
}

func (s *stand) nginx(ctx context.Context, p peer, listen peers.Side, _ peers.Bearer) (*proc.Process, error) {
	return peers.StartNginx(ctx, s.group, s.dir, file(p.name), s.tools["nginx"], listen, p.upstream)
}

func (s *stand) haproxy(ctx context.Context, p peer, listen peers.Side, bearer peers.Bearer) (*proc.Process, error) {
	return peers.StartHAProxy(ctx, s.group, s.dir, file(p.name), s.tools["haproxy"], listen, p.upstream, bearer)
}

func (s *stand) reference(ctx context.Context, p peer, listen peers.Side, _ peers.Bearer) (*proc.Process, error) {
	return peers.StartReference(ctx, s.group, file(p.name), filepath.Join(s.dir, "programs", "reference"), listen.Address, p.upstream, rig.ServicePart)
}

// peer starts one and describes it.
func (s *stand) peer(ctx context.Context, p peer, address string) (measure.Line, error) {
	listen, url := peers.Side{Address: address}, "http://"+address+rig.Path
	does := measure.Does{Client: overHTTP, Upstream: overHTTP, Checks: "nothing", Keeps: "nothing"}
	if p.tls {
		listen, url = s.outside, "https://"+address+rig.Path
		listen.Address = address
		does.Client = overHTTPS
	}
	if p.upstream.TLS() {
		does.Upstream = overMutual
	}
	token := func(context.Context) (string, error) { return "", nil }
	var bearer peers.Bearer
	if p.alg != "" {
		does.Checks = p.alg + " signature every time, issuer, audience, expiry"
		token = s.tokens.hubES256
		if p.alg == "RS256" {
			token = s.tokens.hubRS256
		}
		bearer = peers.Bearer{Alg: p.alg, PublicKey: s.tokens.file(p.alg), Issuer: s.hub.Issuer, Audience: s.hub.Resource(rig.Open)}
	}
	process, err := p.program(ctx, p, listen, bearer)
	if err != nil {
		return measure.Line{}, err
	}
	return measure.Line{
		Name: p.name, Does: does, Process: process.PID,
		Load: s.load(url, token), Probe: s.probe(url, token),
	}, nil
}

// file makes a file name of a line's name.
func file(name string) string { return strings.ReplaceAll(name, " ", "-") }
