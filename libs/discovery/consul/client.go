// Package consul follows and registers services in a Consul catalogue, behind the interfaces of package discovery.
package consul

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/consul/api"
)

// Config says how to reach the local agent. CONSUL_* variables of the environment count for nothing.
type Config struct {
	Address    string // URL of the agent, e.g. http://127.0.0.1:8500
	Token      string // ACL token; to follow: service:read and node:read; to register: service:write on the own name
	Datacenter string // "" is the agent's own
}

// Client talks to one agent.
type Client struct {
	api *api.Client
}

// NewClient makes a client. Nothing is sent yet.
func NewClient(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("address of the agent is not an http(s) URL")
	}
	// Not api.DefaultConfig: it reads the environment.
	c, err := api.NewClient(&api.Config{
		Address: u.Host, Scheme: u.Scheme, Token: cfg.Token, Datacenter: cfg.Datacenter,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("consul client: %w", err)
	}
	return &Client{api: c}, nil
}
