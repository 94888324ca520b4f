package consul

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

// Service is one instance of a service as it registers itself.
type Service struct {
	ID     string // stable per instance and unique on the agent
	Name   string
	Host   string // where others reach it
	Port   int
	Tags   []string
	Meta   map[string]string
	Weight int    // 0 is 1
	Check  string // host:port that the agent dials every 5 s; "": Host and Port
}

// Registration keeps an instance registered until Deregister.
type Registration struct {
	agent   *api.Agent
	service *api.AgentServiceRegistration
	logger  *slog.Logger
	every   time.Duration
	cancel  context.CancelFunc
	ended   chan struct{}
	once    sync.Once
}

const (
	lookEvery    = 10 * time.Second
	checkEvery   = "5s"
	checkTimeout = "2s"
	reapAfter    = "10m" // an instance that is gone for good leaves the catalogue by itself
	agentTimeout = 5 * time.Second
)

// Register registers the instance, or fails: a service that nobody finds must not start as if all were well. After that
// it looks every ten seconds whether the agent still knows the instance (a restarted agent may not) and registers anew.
func (c *Client) Register(ctx context.Context, s Service, logger *slog.Logger) (*Registration, error) {
	return c.register(ctx, s, logger, lookEvery)
}

func (c *Client) register(ctx context.Context, s Service, logger *slog.Logger, every time.Duration) (*Registration, error) {
	if s.ID == "" || s.Name == "" || s.Host == "" || s.Port <= 0 || logger == nil {
		return nil, errors.New("consul registration: id, name, host, port and a logger are required")
	}
	check := s.Check
	if check == "" {
		check = net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	}
	r := &Registration{agent: c.api.Agent(), logger: logger, every: every, ended: make(chan struct{})}
	r.service = &api.AgentServiceRegistration{
		ID: s.ID, Name: s.Name, Address: s.Host, Port: s.Port, Tags: s.Tags, Meta: s.Meta,
		Weights: &api.AgentWeights{Passing: max(1, s.Weight), Warning: 1},
		Check:   &api.AgentServiceCheck{TCP: check, Interval: checkEvery, Timeout: checkTimeout, DeregisterCriticalServiceAfter: reapAfter},
	}
	if err := r.put(ctx); err != nil {
		return nil, fmt.Errorf("register %s: %w", s.ID, err)
	}
	loop, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go r.keep(loop)
	return r, nil
}

// Deregister takes the instance out of the catalogue. It comes before the listener closes, so that callers leave first. A
// second call does nothing.
func (r *Registration) Deregister(ctx context.Context) error {
	var err error
	r.once.Do(func() {
		r.cancel()
		<-r.ended
		err = r.agent.ServiceDeregisterOpts(r.service.ID, (&api.QueryOptions{}).WithContext(ctx))
	})
	if err != nil {
		return fmt.Errorf("deregister %s: %w", r.service.ID, err)
	}
	return nil
}

func (r *Registration) put(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	return r.agent.ServiceRegisterOpts(r.service, api.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx))
}

func (r *Registration) keep(ctx context.Context) {
	defer close(r.ended)
	for ctx.Err() == nil {
		sleep(ctx, r.every*9/10+rand.N(r.every/5))
		if ctx.Err() != nil || !r.forgotten(ctx) {
			continue
		}
		if err := r.put(ctx); err != nil {
			r.logger.WarnContext(ctx, "not registered anew", "service", r.service.ID, "error", err)
			continue
		}
		r.logger.InfoContext(ctx, "the agent had forgotten this instance; registered anew", "service", r.service.ID)
	}
}

// forgotten is certain only when the agent says so; an agent that is away may still know.
func (r *Registration) forgotten(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	_, _, err := r.agent.Service(r.service.ID, (&api.QueryOptions{}).WithContext(ctx))
	var status api.StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}
