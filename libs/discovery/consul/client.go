// Package consul follows and registers services in a Consul catalogue, behind the interfaces of package discovery, and
// hands a small value from one part to many through its key-value store. Consul is never a condition: a part starts and
// works while the agent is away, and takes up again what it wanted to tell when the agent is back.
package consul

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/discovery"
)

// Client talks to the local agent. One without an address in its configuration has no agent: it joins nothing, its
// watches never tell anything, and only addresses that need no catalogue can be used with it.
type Client struct {
	cfg    Config
	api    *api.Client // nil: no Consul here
	logger *slog.Logger
}

// Open makes a client. Nothing is sent yet. CONSUL_* variables of the environment count for nothing.
func Open(cfg Config, logger *slog.Logger) (*Client, error) {
	if logger == nil {
		return nil, errors.New("consul: a logger is required")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = defaultPrefix
	}
	c := &Client{cfg: cfg, logger: logger}
	if cfg.Address == "" {
		return c, nil
	}
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("consul.address is not an http(s) URL")
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if cfg.CA != "" {
		text, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("consul.ca: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("consul.ca: %s holds no certificate", cfg.CA)
		}
	}
	// Not api.DefaultConfig: it reads the environment.
	c.api, err = api.NewClient(&api.Config{
		Address: u.Host, Scheme: u.Scheme, Token: cfg.Token.Reveal(), Datacenter: cfg.Datacenter, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("consul client: %w", err)
	}
	return c, nil
}

// Configured tells whether there is a Consul here.
func (c *Client) Configured() bool { return c.api != nil }

// Dial makes client reach address, which is "consul:NAME" or a URL, and gives the base URL to call with it. Its transport
// must be an *http.Transport that knows by itself whom to expect at the other end, as workload.Identity makes it. A name
// is followed as long as the app runs.
func (c *Client) Dial(a *app.App, address string, client *http.Client) (base string, err error) {
	name, named := strings.CutPrefix(address, discovery.Catalogue)
	if !named {
		return address, nil
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return "", errors.New("a name in the catalogue needs an *http.Transport")
	}
	instancer, err := c.Instancer(name)
	if err != nil {
		return "", err
	}
	dialer, err := discovery.NewDialer(instancer, transport.DialContext, c.logger)
	if err != nil {
		return "", err
	}
	a.OnStop("instances of "+name, func(context.Context) error { return dialer.Close() })
	transport.DialContext = dialer.DialContext
	return "https://" + name, nil
}

// blocking runs one blocking query after another and keeps their rules: an index that goes back, or is zero, starts anew,
// and the same index is no change. Faults are told once per outage and tried again with jitter.
type blocking struct {
	what   string // for the log
	logger *slog.Logger
	// ask sends one query and takes in its answer; it gives the answer's index. A zero one asks at once again.
	ask func(ctx context.Context, o *api.QueryOptions) (index uint64, err error)
	// away is told the first fault of an outage; may be nil.
	away func(error)
}

const (
	waitTime    = time.Minute      // of one query; the agent adds up to a sixteenth
	answerGrace = 10 * time.Second // beyond that the agent hangs
	pauseFirst  = 200 * time.Millisecond
	pauseMost   = 5 * time.Second
	// leastPause keeps changes that never end from turning the queries into a busy loop.
	leastPause = 20 * time.Millisecond
)

func (b *blocking) run(ctx context.Context) {
	var index uint64
	pause, away := pauseFirst, false
	for ctx.Err() == nil {
		asked, cancel := context.WithTimeout(ctx, waitTime+waitTime/16+answerGrace)
		next, err := b.ask(asked, (&api.QueryOptions{WaitIndex: index, WaitTime: waitTime}).WithContext(asked))
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if !away {
				b.logger.WarnContext(ctx, "Consul is away; what is known of it stays", "query", b.what, "error", err)
				if b.away != nil {
					b.away(err)
				}
			}
			away, index = true, 0 // another agent or a restored server may answer next
			sleep(ctx, pause/2+jitter(pause/2))
			pause = min(2*pause, pauseMost)
			continue
		}
		if away {
			b.logger.InfoContext(ctx, "Consul is back", "query", b.what)
		}
		pause, away = pauseFirst, false
		index = nextIndex(index, next)
		sleep(ctx, leastPause)
	}
}

func nextIndex(have, got uint64) uint64 {
	if got < have || got == 0 {
		return 0
	}
	return got
}
