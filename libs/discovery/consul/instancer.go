package consul

import (
	"context"
	"errors"
	"fmt"
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

// Instancer follows the instances of one service whose checks all pass, by blocking queries. Instances that were known
// stay when the agent is away. Weight and address of each come along; Stop ends everything, goroutines included.
type Instancer struct {
	discovery.Fanout
	service string
	client  *Client
	kept    lastKnown
	told    []string // nil: nothing yet
	fresh   bool     // told is what registered receivers have
	cancel  context.CancelFunc
	ended   chan struct{}
	stop    sync.Once
}

var _ sd.Instancer = (*Instancer)(nil)

// Instancer starts to follow a service. It does not wait for the agent.
func (c *Client) Instancer(service string) (*Instancer, error) {
	if c.api == nil {
		return nil, fmt.Errorf("address %q needs Consul, which is not configured here", discovery.Catalogue+service)
	}
	if service == "" {
		return nil, fmt.Errorf("address %q names no service", discovery.Catalogue)
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &Instancer{service: service, client: c, kept: c.lastKnown(service), cancel: cancel, ended: make(chan struct{})}
	queries := blocking{what: "instances of " + service, logger: c.logger, ask: i.ask, away: func(err error) {
		i.fresh = false // tell the instances again once the agent is back
		// Either or: receivers get the newest event only, and an error must not hide the instances.
		if kept := i.recall(ctx); len(kept) > 0 {
			i.Publish(sd.Event{Instances: kept})
			return
		}
		i.Publish(sd.Event{Err: err})
	}}
	go func() {
		defer close(i.ended)
		queries.run(ctx)
	}()
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

func (i *Instancer) ask(ctx context.Context, o *api.QueryOptions) (uint64, error) {
	o.AllowStale = true
	entries, meta, err := i.client.api.Health().Service(i.service, "", true, o)
	if err != nil {
		return 0, err
	}
	if meta.ResultsFilteredByACLs && len(entries) == 0 {
		return 0, errors.New("the token may not see the instances: service:read and node:read are needed")
	}
	texts := []string{}
	for _, e := range entries {
		in, err := instance(e)
		if err != nil {
			i.client.logger.WarnContext(ctx, "instance left out", "service", i.service, "error", err)
			continue
		}
		texts = append(texts, in.String())
	}
	slices.Sort(texts)
	if !i.fresh || !slices.Equal(texts, i.told) {
		i.Publish(sd.Event{Instances: slices.Clone(texts)})
		i.told, i.fresh = texts, true
		if err := i.kept.put(texts); err != nil {
			i.client.logger.WarnContext(ctx, "last known instances not kept", "service", i.service, "error", err)
		}
	}
	return meta.LastIndex, nil
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

// jitter gives a random share of d, so that many parts do not come back all at once.
func jitter(d time.Duration) time.Duration { return rand.N(d + 1) }
