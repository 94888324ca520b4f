package consul

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"noorderhub.nl/hub/libs/app"
)

// How a part stands in the catalogue. The check is a TTL that the part itself renews, not a probe by the agent: the parts
// listen with mutual TLS, so a probe there would tell of an open port only and leave a failed handshake in the log each
// time; and the admin listener with /readyz may be off, or out of the agent's reach. A part knows itself whether it is
// ready, and one that was killed or hangs falls silent. The same renewal shows that the agent still knows the part.
const (
	lookEvery    = time.Second           // at the own readiness; a change is told at once
	lookFirst    = 50 * time.Millisecond // until the part is ready for the first time
	beatEvery    = 3 * time.Second       // renewal of an unchanged state
	ttl          = "10s"                 // three renewals
	reapAfter    = "10m"                 // an instance that is gone for good leaves the catalogue by itself
	agentTimeout = 2 * time.Second
	// settle is how long a part that left goes on serving: who follows the catalogue hears of it within one answer to a
	// blocking query.
	settle = 500 * time.Millisecond
)

// Join puts the part into the catalogue for as long as its app runs: with its readiness as the check, again when the agent
// forgot it, and out of it first of all when it stops. An agent that is away holds up nothing. listener is the address
// that others reach, unless the configuration advertises another one.
//
// It must be the last that a part wires: the teardown runs backwards, and callers are to leave before a listener closes.
func (c *Client) Join(a *app.App, part, listener string) error {
	if c.api == nil {
		return nil
	}
	m, err := c.member(part, listener)
	if err != nil {
		return err
	}
	m.ready = a.Ready
	a.Background("membership in Consul", m.run)
	return nil
}

type member struct {
	agent   *api.Agent
	service *api.AgentServiceRegistration
	ready   func(context.Context) error
	logger  *slog.Logger
	away    bool
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9]+`)

func (c *Client) member(part, listener string) (*member, error) {
	address := c.cfg.Advertise
	if address == "" {
		address = listener
	}
	host, port, err := place(address)
	if err != nil {
		return nil, fmt.Errorf("consul.advertise: %w", err)
	}
	// The same place is the same instance: a restart takes the entry over, and none is left behind.
	id := part + "-" + notInID.ReplaceAllString(net.JoinHostPort(host, strconv.Itoa(port)), "-")
	return &member{
		agent: c.api.Agent(), logger: c.logger,
		service: &api.AgentServiceRegistration{
			ID: id, Name: part, Address: host, Port: port,
			Weights: &api.AgentWeights{Passing: max(1, c.cfg.Weight), Warning: 1},
			Check:   &api.AgentServiceCheck{CheckID: id, Name: "ready", TTL: ttl, DeregisterCriticalServiceAfter: reapAfter},
		},
	}, nil
}

func (m *member) run(ctx context.Context) error {
	var told string // status that the agent knows; empty: it may not know the part at all
	var at time.Time
	look := lookFirst
	for {
		status := m.status(ctx)
		if ctx.Err() != nil {
			break
		}
		if status != told || time.Since(at) >= beatEvery {
			at = time.Now()
			if told = status; !m.tell(ctx, status) {
				told = ""
				look = beatEvery
			}
		}
		if told == api.HealthPassing || look > lookEvery {
			look = lookEvery
		}
		sleep(ctx, look)
	}
	m.leave(context.WithoutCancel(ctx))
	return nil
}

func (m *member) status(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	if m.ready(ctx) != nil {
		return api.HealthCritical
	}
	return api.HealthPassing
}

// tell renews the check, and registers when that fails: the agent restarted, or never heard of this part.
func (m *member) tell(ctx context.Context, status string) bool {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	if m.agent.UpdateTTLOpts(m.service.ID, "", status, (&api.QueryOptions{}).WithContext(ctx)) == nil {
		m.back(ctx)
		return true
	}
	m.service.Check.Status = status
	err := m.agent.ServiceRegisterOpts(m.service, api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx))
	if err == nil {
		m.away = false
		m.logger.InfoContext(ctx, "registered in Consul", "instance", m.service.ID, "status", status)
		return true
	}
	if !m.away {
		m.away = true
		m.logger.WarnContext(ctx, "not registered in Consul; tried again until it is", "instance", m.service.ID, "error", err)
	}
	return false
}

func (m *member) back(ctx context.Context) {
	if m.away {
		m.away = false
		m.logger.InfoContext(ctx, "Consul is back", "instance", m.service.ID)
	}
}

// leave takes the instance out of the catalogue and gives the news time to arrive.
func (m *member) leave(ctx context.Context) {
	asked, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	if err := m.agent.ServiceDeregisterOpts(m.service.ID, (&api.QueryOptions{}).WithContext(asked)); err != nil {
		m.logger.WarnContext(ctx, "not taken out of Consul; its check expires", "instance", m.service.ID, "error", err)
		return
	}
	sleep(ctx, settle)
}
