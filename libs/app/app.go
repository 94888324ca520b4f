// Package app is the life of one part: wire it up, serve, tell whether it is ready, and stop in order. What New of a part
// builds is registered here step by step; teardown runs the same steps backwards, whether the part stops in an orderly
// way or its wiring broke halfway.
package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// App is one part's life. Its methods that register are called while wiring, before Run, by one goroutine.
type App struct {
	name    string
	logger  *slog.Logger
	timeout time.Duration

	steps  []step
	loops  []loop
	checks []check

	started atomic.Bool // Run was called: the loops live
	ready   atomic.Bool // calls are welcome: running and not stopping
	stop    sync.Once
	stopErr error
}

type step struct {
	name string
	fn   func(context.Context) error
}

type loop struct {
	name string
	fn   func() error
}

type check struct {
	name string
	fn   func(context.Context) error
}

// New makes the life of a part. stopTimeout bounds the whole stop, not each step; it must exceed the longest call that
// the part answers.
func New(name string, logger *slog.Logger, stopTimeout time.Duration) *App {
	return &App{name: name, logger: logger, timeout: stopTimeout}
}

// OnStop registers a teardown step. Steps run last in, first out, all of them, whatever the others return.
func (a *App) OnStop(name string, fn func(context.Context) error) {
	a.steps = append(a.steps, step{name, fn})
}

// graceForLoops is what a loop has to end beyond the stop's deadline.
const graceForLoops = time.Second

// Background registers a loop that Run starts. At its place in the teardown its context ends and it is waited for. A loop
// that ends by itself with an error stops the part.
func (a *App) Background(name string, fn func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	a.loops = append(a.loops, loop{name, func() error {
		defer close(done)
		err := fn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}})
	a.OnStop(name, func(stopCtx context.Context) error {
		cancel()
		if !a.started.Load() {
			return nil
		}
		select {
		case <-done:
			return nil
		case <-stopCtx.Done():
		}
		select { // what the steps after this one close must not be in use any more
		case <-done:
			return nil
		case <-time.After(graceForLoops):
			return errors.New("did not end in time")
		}
	})
}

// drainShare is what a server may take of the stop's time, in per cent, to let calls in flight finish; one stream that
// never ends must not take the time of the steps that come after it.
const drainShare = 60

// readHeaderTimeout is short: a client that needs longer for its headers holds a connection for nothing (slowloris).
const readHeaderTimeout = 10 * time.Second

// Serve registers an HTTP server on an open listener. In the teardown it takes no new connection and lets calls in
// flight finish until the deadline.
func (a *App) Serve(name string, l net.Listener, h http.Handler) {
	a.ServeWith(name, l, &http.Server{Handler: h})
}

// ServeWith is Serve for a server with settings of its own, e.g. ConnContext.
func (a *App) ServeWith(name string, l net.Listener, srv *http.Server) {
	if srv.ReadHeaderTimeout == 0 {
		srv.ReadHeaderTimeout = readHeaderTimeout
	}
	if srv.IdleTimeout == 0 {
		srv.IdleTimeout = 2 * time.Minute
	}
	if srv.MaxHeaderBytes == 0 {
		srv.MaxHeaderBytes = 64 << 10
	}
	srv.ErrorLog = log.New(serverLog{a.logger, name}, "", 0)
	unused := watchUnused(srv)
	a.loops = append(a.loops, loop{name, func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}})
	a.OnStop(name, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, a.timeout*drainShare/100)
		defer cancel()
		defer unused.closeAfter(unusedGrace)()
		err := srv.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
		if closeErr := l.Close(); closeErr != nil && !errors.Is(closeErr, net.ErrClosed) {
			err = errors.Join(err, closeErr)
		}
		return err
	})
}

// Check registers a demand for readiness, asked on every readyz.
func (a *App) Check(name string, fn func(context.Context) error) {
	a.checks = append(a.checks, check{name, fn})
}

// Ready gives nil once the part runs and all its checks pass, else every reason why not.
func (a *App) Ready(ctx context.Context) error {
	if !a.ready.Load() {
		return fmt.Errorf("%s: not running", a.name)
	}
	var faults []error
	for _, c := range a.checks {
		if err := c.fn(ctx); err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", a.name, c.name, err))
		}
	}
	return errors.Join(faults...)
}

// Run starts all servers and loops, blocks until ctx ends or one of them fails, then stops. It returns what failed.
func (a *App) Run(ctx context.Context) error {
	a.started.Store(true)
	failed := make(chan error, len(a.loops))
	for _, l := range a.loops {
		go func() {
			if err := l.fn(); err != nil {
				failed <- fmt.Errorf("%s: %s: %w", a.name, l.name, err)
			}
		}()
	}
	a.ready.Store(true)
	a.logger.InfoContext(ctx, "running", "part", a.name)
	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
		a.logger.ErrorContext(ctx, "stopping", "part", a.name, "error", cause)
	}
	return errors.Join(cause, a.Close())
}

// Close runs the teardown once; a part whose New fails halfway calls it. Later calls return the same.
func (a *App) Close() error {
	a.stop.Do(func() {
		a.ready.Store(false) // first: who balances over us must see it before the listener closes
		ctx, cancel := context.WithTimeout(context.Background(), a.timeout)
		defer cancel()
		var faults []error
		for i := len(a.steps) - 1; i >= 0; i-- {
			if err := a.steps[i].fn(ctx); err != nil {
				faults = append(faults, fmt.Errorf("%s: stop %s: %w", a.name, a.steps[i].name, err))
			}
		}
		a.stopErr = errors.Join(faults...)
	})
	return a.stopErr
}

// serverLog takes what net/http has to say. A panic in a handler is a fault of ours; the rest (failed handshakes,
// clients that speak no HTTP) is theirs and only of use when somebody looks for it.
type serverLog struct {
	logger *slog.Logger
	name   string
}

// Write implements io.Writer, one message a call.
func (l serverLog) Write(message []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.Contains(message, []byte("panic serving")) {
		level = slog.LevelError
	}
	l.logger.Log(context.Background(), level, "http server", "server", l.name, "message", string(bytes.TrimSpace(message)))
	return len(message), nil
}
