package gateway

import (
	"context"
	"log/slog"
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
	logger   *slog.Logger
}

func (p *prober) run(ctx context.Context) error {
	for ctx.Err() == nil {
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
