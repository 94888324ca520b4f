package consul

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-kit/kit/sd"
	"github.com/hashicorp/consul/api"

	"noorderhub.nl/hub/libs/discovery"
)

// Query says which instances to follow: those of a service whose checks all pass.
type Query struct {
	Service string   // required
	Tags    []string // all must be there
	Filter  string   // go-bexpr, e.g. Service.Meta.zone == "noord"
}

// Instancer follows one service by blocking queries. Instances that were known stay when the agent is away. Weight and
// address of each come along; Stop ends everything, goroutines included.
type Instancer struct {
	discovery.Fanout
	query  Query
	health *api.Health
	logger *slog.Logger
	cancel context.CancelFunc
	ended  chan struct{}
	stop   sync.Once
}

var _ sd.Instancer = (*Instancer)(nil)

const (
	waitTime   = 5 * time.Minute // the agent adds up to a sixteenth
	pauseFirst = 200 * time.Millisecond
	pauseMost  = 30 * time.Second
	// leastPause keeps a service whose checks flap from turning the blocking queries into a busy loop.
	leastPause = 20 * time.Millisecond
)

// Instancer starts to follow a service. It does not wait for the agent.
func (c *Client) Instancer(q Query, logger *slog.Logger) (*Instancer, error) {
	if q.Service == "" || logger == nil {
		return nil, errors.New("consul instancer: Service and a logger are required")
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &Instancer{query: q, health: c.api.Health(), logger: logger, cancel: cancel, ended: make(chan struct{})}
	go i.follow(ctx)
	return i, nil
}

// Stop ends the query under way and waits for it. A second Stop does nothing.
func (i *Instancer) Stop() {
	i.stop.Do(func() {
		i.cancel()
		<-i.ended
		i.Close()
	})
}

func (i *Instancer) follow(ctx context.Context) {
	defer close(i.ended)
	var index uint64
	var known []string
	pause, published := pauseFirst, false
	for ctx.Err() == nil {
		instances, next, err := i.ask(ctx, index)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			i.logger.WarnContext(ctx, "catalogue not read; the last known instances stay", "service", i.query.Service, "error", err)
			i.Publish(sd.Event{Err: err})
			published = false // tell the instances again once the agent is back
			index = 0         // another agent or a restored server may answer next
			sleep(ctx, pause/2+rand.N(pause/2))
			pause = min(2*pause, pauseMost)
			continue
		}
		pause = pauseFirst
		if !published || !slices.Equal(instances, known) {
			i.Publish(sd.Event{Instances: slices.Clone(instances)})
			known, published = instances, true
		}
		index = nextIndex(index, next)
		sleep(ctx, leastPause)
	}
}

// nextIndex keeps the rules of blocking queries: an index that goes back, or is zero, starts anew, and never is an index
// below one waited on.
func nextIndex(have, got uint64) uint64 {
	if got < have || got == 0 {
		return 0
	}
	return got
}

func (i *Instancer) ask(ctx context.Context, index uint64) ([]string, uint64, error) {
	options := (&api.QueryOptions{WaitIndex: index, WaitTime: waitTime, AllowStale: true, Filter: i.query.Filter}).WithContext(ctx)
	entries, meta, err := i.health.ServiceMultipleTags(i.query.Service, i.query.Tags, true, options)
	if err != nil {
		return nil, 0, err
	}
	if meta.ResultsFilteredByACLs && len(entries) == 0 {
		return nil, 0, errors.New("the token may not see the instances: service:read and node:read are needed")
	}
	var texts []string
	for _, e := range entries {
		in, err := instance(e)
		if err != nil {
			i.logger.WarnContext(ctx, "instance left out", "service", i.query.Service, "error", err)
			continue
		}
		texts = append(texts, in.String())
	}
	slices.Sort(texts)
	return texts, meta.LastIndex, nil
}

// instance takes the service's own address, the node's where it has none.
func instance(e *api.ServiceEntry) (discovery.Instance, error) {
	if e.Service == nil || e.Node == nil {
		return discovery.Instance{}, errors.New("incomplete entry")
	}
	host := e.Service.Address
	if host == "" {
		host = e.Node.Address
	}
	if host == "" || e.Service.Port <= 0 {
		return discovery.Instance{}, fmt.Errorf("instance %q has no address or port", e.Service.ID)
	}
	return discovery.Instance{
		Address: net.JoinHostPort(host, strconv.Itoa(e.Service.Port)), Weight: max(1, e.Service.Weights.Passing),
	}, nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
