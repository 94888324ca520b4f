// Package redisdb opens Redis for the parts that share memory: a single server, Sentinel or Cluster behind one client
// type, with deadlines short enough for a request path. The embedded twin runs the same commands in the process, for the
// all-in-one and for tests; its memory ends with the process.
package redisdb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"noorderhub.nl/hub/libs/config"
)

// defaultTimeout is how long one command may take. A request that waits longer is better answered "try again".
const defaultTimeout = 300 * time.Millisecond

// embeddedTick is the grain in which keys of the embedded Redis expire.
const embeddedTick = 50 * time.Millisecond

// Config says where Redis is. One address is a single server, several are a Cluster, and with Master they are Sentinels.
type Config struct {
	Addrs    []string        `yaml:"addrs"`    // host:port
	Master   string          `yaml:"master"`   // name of the master that the Sentinels watch; empty without Sentinel
	Username string          `yaml:"username"` // ACL user; empty for the default user
	Password config.Secret   `yaml:"password"` // of that user
	TLS      bool            `yaml:"tls"`      // TLS 1.2 or newer, required in production
	CA       string          `yaml:"ca"`       // PEM file of the server's anchors; empty for those of the system
	Timeout  config.Duration `yaml:"timeout"`  // per command; default 300ms
	Embedded bool            `yaml:"embedded"` // run Redis in this process; excludes addrs
}

// Validate reports all faults together.
func (c Config) Validate() error {
	var faults []error
	if c.Embedded == (len(c.Addrs) > 0) {
		faults = append(faults, errors.New("redis: exactly one of addrs and embedded must be given"))
	}
	if c.CA != "" && !c.TLS {
		faults = append(faults, errors.New("redis: ca is given but tls is off"))
	}
	if c.Timeout < 0 {
		faults = append(faults, errors.New("redis: timeout is negative"))
	}
	return errors.Join(faults...)
}

// LogTo makes what the Redis client itself has to tell, of connections it could not make, warnings of a logger. It holds
// for the whole process, for the client knows one logger only: the program sets it once, before any Open.
func LogTo(logger *slog.Logger) { redis.SetLogger(clientLog{logger}) }

type clientLog struct{ logger *slog.Logger }

// Printf is what the client calls. Its texts name addresses and errors, never commands or values.
func (l clientLog) Printf(ctx context.Context, format string, args ...any) {
	l.logger.WarnContext(ctx, "redis client", "told", fmt.Sprintf(format, args...))
}

// Open connects lazily: a Redis that is away is no reason not to start, its users say what they do without it. stop
// closes the client and the embedded server.
func Open(ctx context.Context, cfg Config) (client redis.UniversalClient, stop func(), err error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	options, err := options(cfg)
	if err != nil {
		return nil, nil, err
	}
	end := func() {}
	if cfg.Embedded {
		addr, stopServer, err := embed(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("embedded redis: %w", err)
		}
		options.Addrs, end = []string{addr}, stopServer
	}
	client = redis.NewUniversalClient(options)
	return client, sync.OnceFunc(func() {
		_ = client.Close() // nothing is buffered in it that could be lost
		end()
	}), nil
}

func options(cfg Config) (*redis.UniversalOptions, error) {
	timeout := time.Duration(cfg.Timeout)
	if timeout == 0 {
		timeout = defaultTimeout
	}
	o := &redis.UniversalOptions{
		Addrs:        cfg.Addrs,
		MasterName:   cfg.Master,
		Username:     cfg.Username,
		Password:     cfg.Password.Reveal(),
		DialTimeout:  timeout,
		ReadTimeout:  timeout,
		WriteTimeout: timeout,
		PoolTimeout:  timeout,
		// Without it the deadline of a request's context does not reach the socket.
		ContextTimeoutEnabled: true,
		// One retry covers a connection the server closed while it was idle; more would multiply the timeout.
		MaxRetries: 1,
		// Who waits for a server that is away is told so; a retried dial would only add its timeout again.
		DialerRetries: 1,
		// The handshake for maintenance notices is a feature of one vendor's cloud.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if !cfg.TLS {
		return o, nil
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("redis anchors: %w", err)
		}
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("redis anchors: %s holds no certificate", cfg.CA)
		}
	}
	return o, nil
}

// embed starts miniredis on a loopback port. It does not count time by itself: a ticker moves its clock by what passed.
func embed(ctx context.Context) (addr string, stop func(), err error) {
	server := miniredis.NewMiniRedis()
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(embeddedTick)
		defer ticker.Stop()
		last := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-ticker.C:
				server.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	return server.Addr(), func() {
		cancel()
		<-done
		server.Close()
	}, nil
}
