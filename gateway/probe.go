package gateway

import (
	"context"
	"log/slog"
	"net"
	"time"

	"noorderhub.nl/hub/gateway/internal/upstream"
	registry "noorderhub.nl/hub/services/registry/api"
)

const (
	probeWait  = 50 * time.Second // of a long poll
	probePause = 5 * time.Second  // after the registry did not answer
	probeTime  = 20 * time.Second // for one service
)

// prober tries upstreams when the owner of a service asks: whether a service can be reached is known here and nowhere else.
type prober struct {
	registry *registry.Remote
	instance string
	pool     *upstream.Pool
	facts    func(context.Context) registry.GatewayFacts
	logger   *slog.Logger
}

func (p *prober) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.registry.TellFacts(ctx, p.instance, p.facts(ctx)); err != nil {
			p.logger.DebugContext(ctx, "what this gateway is known by not told", "error", err)
		}
		probes, err := p.registry.Probes(ctx, p.instance, probeWait)
		if err != nil {
			select { // the registry being away is told by the follower
			case <-ctx.Done():
			case <-time.After(probePause):
			}
			continue
		}
		for i := range probes {
			p.probe(ctx, &probes[i])
		}
	}
	return nil
}

func (p *prober) probe(ctx context.Context, probe *registry.Probe) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	result := p.pool.Probe(ctx, &probe.Service)
	if err := p.registry.Probed(ctx, probe.ID, p.instance, result); err != nil {
		p.logger.WarnContext(ctx, "result of a service test not told", "service", probe.Service.Slug, "error", err)
	}
}

// facts is what owners of services outside the hub need to let this gateway in.
func (w *wiring) facts(ctx context.Context) registry.GatewayFacts {
	chain, authorities := w.id.Public()
	facts := registry.GatewayFacts{Addresses: w.cfg.OutsideAddresses, Certificate: chain, Authorities: authorities}
	if len(facts.Addresses) == 0 {
		facts.Addresses = ownAddresses(ctx)
	}
	return facts
}

// ownAddresses gives the addresses that this machine takes towards the internet. UDP sends nothing until it is written to; the
// addresses are those for documentation (RFC 5737, RFC 3849).
func ownAddresses(ctx context.Context) []string {
	own := []string{}
	for _, far := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} {
		conn, err := (&net.Dialer{}).DialContext(ctx, "udp", far)
		if err != nil {
			continue // no route: no address
		}
		if host, _, err := net.SplitHostPort(conn.LocalAddr().String()); err == nil {
			own = append(own, host)
		}
		_ = conn.Close()
	}
	return own
}
