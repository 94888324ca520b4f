package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"noorderhub.nl/hub/infra/bench/internal/load"
	"noorderhub.nl/hub/infra/bench/internal/measure"
	"noorderhub.nl/hub/infra/bench/internal/peers"
	"noorderhub.nl/hub/infra/bench/internal/proc"
	"noorderhub.nl/hub/infra/bench/internal/rig"
)

// stand is the service, the hub and the peers of the gateway benchmark.
type stand struct {
	*workshop
	hub           *rig.Rig
	material      *rig.Material
	client        *http.Client
	tokens        *tokens
	plain, mutual peers.Side // the service, without TLS and with client certificates
	outside       peers.Side // how clients see a proxy with TLS; the address is each proxy's own
}

// Descriptions of sides.
const (
	overHTTP   = "http"
	overHTTPS  = "https (TLS 1.3)"
	overMutual = "https, certificates on both sides (TLS 1.3)"
)

func benchGateway(ctx context.Context, w *workshop) (*measure.Report, error) {
	s, err := newStand(ctx, w)
	if err != nil {
		return nil, err
	}
	lines, err := s.lines(ctx)
	if err != nil {
		return nil, err
	}
	results, err := w.lines(ctx, lines)
	if err == nil {
		err = s.profiles(ctx, lines)
	}
	if err != nil {
		return nil, err
	}
	return &measure.Report{
		Operation: "an operation is a GET answered with 512 bytes over a kept connection",
		Results:   results,
		Ratios:    measure.Compare(results, gatewayPairs),
		Notes: []string{
			"CPU is user and system time of the proxy's processes; wrk and the service share the machine and are not counted.",
			"The gateway's time has in it: span, metrics, call token, both records of the call, and shipping them. The journal's time stands beside.",
			"\"required\" waits for a sync of the disk before the call leaves; calls that come together share one.",
			"The peers know no contract, no revocation, no operation and no record. HAProxy checks the very token that the gateway checks.",
			"wrk sends the next request when it has the answer: p50 and p99 are those under full load.",
		},
	}, nil
}

func newStand(ctx context.Context, w *workshop) (*stand, error) {
	s := &stand{workshop: w}
	w.progress("building the parts of the hub")
	programs := filepath.Join(w.dir, "programs")
	if err := rig.Build(ctx, w.root, programs, append(rig.Programs(), "./infra/bench/reference")...); err != nil {
		return nil, err
	}
	var err error
	if s.material, err = rig.NewMaterial(w.dir); err != nil {
		return nil, err
	}
	addresses, err := proc.Free(ctx, 2)
	if err != nil {
		return nil, err
	}
	s.plain = peers.Side{Address: addresses[0]}
	s.mutual = peers.Side{Address: addresses[1], Files: s.material.Upstream, Name: rig.ServiceName}
	s.outside = peers.Side{Files: s.material.Outside}
	shown := peers.Side{Address: s.mutual.Address, Files: s.material.Service}
	if _, err := peers.StartService(ctx, w.group, w.dir, w.tools["nginx"], s.plain, shown); err != nil {
		return nil, err
	}
	w.progress("starting the hub")
	s.hub, err = rig.Start(ctx, rig.Options{
		Dir: w.dir, Programs: programs, Redis: w.tools["redis-server"], Upstream: s.mutual.Address, Group: w.group, Material: s.material,
	})
	if err != nil {
		return nil, err
	}
	s.client = s.material.Client()
	s.tokens, err = newTokens(ctx, s.hub, w.dir)
	return s, err
}

// lines starts the peers and gives all lines, in the order they are measured.
func (s *stand) lines(ctx context.Context) ([]measure.Line, error) {
	addresses, err := proc.Free(ctx, 9)
	if err != nil {
		return nil, err
	}
	at := func() (a string) { a, addresses = addresses[0], addresses[1:]; return a }
	var lines []measure.Line
	for _, p := range []peer{
		{name: "nginx http", program: s.nginx, upstream: s.plain},
		{name: "nginx https upstream", program: s.nginx, upstream: s.mutual},
		{name: "haproxy http", program: s.haproxy, upstream: s.plain},
		{name: "haproxy jwt RS256", program: s.haproxy, upstream: s.plain, alg: "RS256"},
		{name: "haproxy jwt ES256", program: s.haproxy, upstream: s.plain, alg: "ES256"},
		{name: "haproxy jwt ES256 https upstream", program: s.haproxy, upstream: s.mutual, alg: "ES256"},
		{name: "haproxy jwt ES256 https both", program: s.haproxy, upstream: s.mutual, alg: "ES256", tls: true},
		{name: "go proxy http", program: s.reference, upstream: s.plain},
		{name: "go proxy https upstream", program: s.reference, upstream: s.mutual},
	} {
		line, err := s.peer(ctx, p, at())
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return append(lines,
		s.gateway("gateway open", s.hub.Plain, overHTTP, rig.Open, "yes, without waiting for the disk"),
		s.gateway("gateway open, rate limit", s.hub.Plain, overHTTP, rig.Limited, "yes, without waiting for the disk"),
		s.gateway("gateway required", s.hub.Plain, overHTTP, rig.Required, "yes, on disk before the call leaves"),
		s.gateway("gateway required https both", s.hub.TLS, overHTTPS, rig.Required, "yes, on disk before the call leaves"),
	), nil
}

var gatewayPairs = []measure.Pair{
	{Product: "gateway open", Peer: "haproxy jwt ES256 https upstream", Note: "both verify the ES256 token; both reach the service with certificates"},
	{Product: "gateway required", Peer: "haproxy jwt ES256 https upstream", Note: "the same; the gateway also waits for its record on disk"},
	{Product: "gateway required https both", Peer: "haproxy jwt ES256 https both", Note: "TLS on both sides"},
	{Product: "gateway open", Peer: "go proxy https upstream", Note: "what checking and recording adds to a proxy of Go's library"},
	{Product: "gateway open", Peer: "haproxy jwt RS256", Note: "the peer: cheaper algorithm, no TLS to the service"},
	{Product: "gateway open", Peer: "nginx http", Note: "the peer checks nothing and has no TLS"},
	{Product: "go proxy https upstream", Peer: "nginx https upstream", Note: "what Go's library costs beside C, nothing checked on either side"},
	{Product: "gateway open, rate limit", Peer: "gateway open", Note: "what a limit shared by all gateways costs"},
	{Product: "gateway required", Peer: "gateway open", Note: "what waiting for the disk costs"},
}

// gateway is a line of the product.
func (s *stand) gateway(name, base, client, slug, keeps string) measure.Line {
	url := base + "/" + slug + rig.Path
	token := func(ctx context.Context) (string, error) { return s.tokens.hub(ctx, slug) }
	checks := "ES256 token (verified once, then by its hash), revocation, client, contract, operation, scope; gives a call token"
	if slug == rig.Limited {
		checks += "; rate limit shared by Redis"
	}
	return measure.Line{
		Name: name, Process: s.hub.Gateway.PID, Beside: map[string]int{"journal": s.hub.Journal.PID, "redis": s.hub.Redis.PID},
		Does:  measure.Does{Client: client, Upstream: overMutual, Keeps: keeps, Checks: checks},
		Load:  s.load(url, token),
		Probe: s.probe(url, token),
	}
}

func (s *stand) load(url string, token func(context.Context) (string, error)) func(context.Context, time.Duration) (measure.Load, error) {
	return func(ctx context.Context, d time.Duration) (measure.Load, error) {
		bearer, err := token(ctx)
		if err != nil {
			return measure.Load{}, err
		}
		return load.Wrk{Program: s.tools["wrk"], URL: url, Bearer: bearer, Connections: s.connections}.Run(ctx, d)
	}
}

// probe looks whether a line gives the service's answer, and, when it checks tokens, refuses a call without one and one
// whose signature is not right.
func (s *stand) probe(url string, token func(context.Context) (string, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		bearer, err := token(ctx)
		if err != nil {
			return err
		}
		if err := load.Probe(ctx, s.client, url, bearer, http.StatusOK, peers.Answer); err != nil {
			return err
		}
		if bearer == "" {
			return nil
		}
		for _, wrong := range []string{"", forged(bearer)} {
			if err := load.Probe(ctx, s.client, url, wrong, http.StatusUnauthorized, nil); err != nil {
				return fmt.Errorf("a call with a wrong token: %w", err)
			}
		}
		return nil
	}
}
