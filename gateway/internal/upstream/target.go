// Package upstream brings a request to an instance of a service: one tuned transport and one balancer per service, a
// deadline for the first byte, one retry within a budget where repeating is safe, and errors that name who can mend them.
// Answers are never buffered.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/kit/endpoint"
	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/outbound"
)

var (
	codeUnavailable = &errs.Code{
		ID: "service-unavailable", Kind: errs.Unavailable, Side: errs.SideProvider, Title: "The service cannot be reached",
		Next: "Try again after the time in Retry-After; if it stays, look at the status page of the hub.",
	}
	codeTimeout = &errs.Code{
		ID: "upstream-timeout", Kind: errs.Timeout, Side: errs.SideProvider, Title: "The service did not answer in time",
		Next: "Find out whether the request had its effect before you send it again.",
	}
	codeBadAnswer = &errs.Code{
		ID: "bad-answer", Kind: errs.BadGateway, Side: errs.SideProvider, Title: "The service gave no valid answer",
		Next: "Find out whether the request had its effect before you send it again; if it stays, report the trace id to the provider.",
	}
)

// codeBroken is a request whose body cannot be read: malformed chunks, or a client that stopped sending.
var codeBroken = &errs.Code{
	ID: "body-broken", Kind: errs.Invalid, Side: errs.SideClient, Title: "The request body broke off",
	Next: "Send the whole body again, without long pauses; find out first whether the request had its effect.",
}

// ErrClientGone says that nobody waits for the answer any more.
var ErrClientGone = errors.New("the client went away")

var errSlow = errors.New("no first byte in time")

const (
	defaultTimeout = 30 * time.Second
	dialTimeout    = 3 * time.Second
	retryAfter     = 2 * time.Second
)

// Config of a Target.
type Config struct {
	Name      string        // of the service, for the log
	Instancer sd.Instancer  // where it runs; stopped by Close
	TLS       *tls.Config   // nil: plain HTTP, for tests
	Timeout   time.Duration // from sending to the first byte of the answer; default 30 s
	Part      bool          // a part of the hub: the hub's operators can mend it, not a provider
	Guarded   bool          // an organisation says where it is: on the internet, or in Networks
	Networks  []string      // CIDR: private networks that the owner may use
	// Known changes a request so that the service knows the gateway; nil: the call token in it is enough.
	Known func(*http.Request) error
	// Transport wraps the connection pool, e.g. to send traceparent. May be nil.
	Transport func(http.RoundTripper) http.RoundTripper
	Logger    *slog.Logger
}

// Target is a service as the gateway reaches it. It is safe for many goroutines.
type Target struct {
	cfg      Config
	pool     *http.Transport
	trip     http.RoundTripper
	balancer *discovery.Balancer
	budget   budget
	retries  atomic.Uint64
}

// NewTarget starts to follow the instances. It does not wait for them: the first call does, so that a service that nobody
// can find holds up no snapshot.
func NewTarget(cfg Config) (*Target, error) {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	reach, err := outbound.ParseReach(cfg.Networks)
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", cfg.Name, err)
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	if cfg.Guarded {
		dialer.Control = reach.Control // at the dial, after the name was looked up: no name leads around it
	}
	t := &Target{cfg: cfg, pool: newPool(cfg.TLS, dialer)}
	t.trip = t.pool
	if cfg.Transport != nil {
		t.trip = cfg.Transport(t.pool)
	}
	t.budget.left.Store(budgetMost)
	t.balancer, err = discovery.NewBalancer(discovery.Options{
		Instancer: cfg.Instancer, Factory: t.instance, Logger: cfg.Logger,
		Failed: func(err error) bool { return !errors.Is(err, ErrClientGone) && !errors.As(err, new(uploadError)) },
	})
	if err != nil {
		return nil, fmt.Errorf("upstream %s: %w", cfg.Name, err)
	}
	return t, nil
}

// newPool is tuned for a proxy: the default transport keeps two idle connections per host and opens and closes the rest
// all the time, at 2.6 times the CPU.
func newPool(config *tls.Config, dialer *net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    dialTimeout,
		MaxIdleConns:           0, // no limit over all instances
		MaxIdleConnsPerHost:    256,
		MaxConnsPerHost:        1024, // a bulkhead: a service that hangs must not take all sockets
		IdleConnTimeout:        60 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         16 << 10,
		WriteBufferSize:        16 << 10,
	}
}

// instance is the sd.Factory: the endpoint of one instance.
func (t *Target) instance(address string) (endpoint.Endpoint, io.Closer, error) {
	scheme := "https"
	if t.cfg.TLS == nil {
		scheme = "http"
	}
	return func(ctx context.Context, request any) (any, error) {
		r := request.(*http.Request).WithContext(ctx)
		u := *r.URL
		u.Scheme, u.Host = scheme, address
		r.URL = &u
		return t.attempt(r)
	}, nil, nil
}

// attempt sends r once. The deadline covers the time from the last piece of the request to the first byte of the answer:
// an upload and a stream may take as long as they like.
func (t *Target) attempt(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	wait := newPatience(t.cfg.Timeout, func() { cancel(errSlow) })
	out := r.WithContext(ctx)
	sent := &upload{ReadCloser: r.Body, wait: wait}
	if r.Body != nil {
		out.Body = sent
	}
	resp, err := t.trip.RoundTrip(out)
	late := !wait.end()
	if err == nil && late {
		_ = resp.Body.Close()
		err = errSlow
	}
	if err == nil {
		resp.Body = &body{ReadCloser: resp.Body, cancel: cancel}
		return resp, nil
	}
	cancel(nil)
	switch fault := sent.failed(); {
	case fault != nil && (r.Context().Err() == nil || errors.Is(fault, os.ErrDeadlineExceeded)):
		return nil, uploadError{fault} // the server ends the context too when a client is silent for long
	case late:
		return nil, errSlow
	case r.Context().Err() != nil:
		return nil, ErrClientGone
	}
	return nil, err
}

// uploadError is a failure to read the request's body. The instance has no part in it.
type uploadError struct{ cause error }

func (e uploadError) Error() string { return "request body: " + e.cause.Error() }

func (e uploadError) Unwrap() error { return e.cause }

// patience is the deadline of a service. It stands still while the client is waited for.
type patience struct {
	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer
	until time.Time // zero: it stands still
	late  bool
	over  bool
}

func newPatience(limit time.Duration, expired func()) *patience {
	p := &patience{limit: limit, until: time.Now().Add(limit)}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(limit, func() {
		if p.expire() {
			expired()
		}
	})
	return p
}

// expire tells whether the deadline has passed. The timer may have fired just before it was set anew.
func (p *patience) expire() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.until.IsZero() || time.Now().Before(p.until) {
		return false
	}
	p.late = true
	return true
}

func (p *patience) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer.Stop()
	p.until = time.Time{}
}

// renew gives the full time anew. The transport may call it after the answer came; then it does nothing.
func (p *patience) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && !p.late {
		p.until = time.Now().Add(p.limit)
		p.timer.Reset(p.limit)
	}
}

// end stops the deadline and reports false when it had passed.
func (p *patience) end() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
	return !p.late
}

// upload renews the deadline with every piece of the request, and remembers why one did not come.
type upload struct {
	io.ReadCloser
	wait *patience

	mu    sync.Mutex
	fault error
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	u.wait.pause()
	n, err := u.ReadCloser.Read(p)
	u.wait.renew()
	if err != nil && err != io.EOF {
		u.mu.Lock()
		u.fault = err
		u.mu.Unlock()
	}
	return n, err
}

func (u *upload) failed() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.fault
}

// body ends the request's context when the answer has been read.
type body struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close implements io.Closer.
func (b *body) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// Forward sends r to the best instance. With again, or when no connection came about at all, a failure is tried once more
// on another instance, as long as nothing of a body was taken from r. Failures are *errs.Error or ErrClientGone.
func (t *Target) Forward(ctx context.Context, r *http.Request, again bool) (*http.Response, error) {
	t.budget.earn()
	if t.cfg.Known != nil {
		if err := t.cfg.Known(r); err != nil {
			return nil, errs.CodeInternal.Wrap(err, "something went wrong on our side")
		}
	}
	if t.balancer.Await(ctx) != nil {
		return nil, ErrClientGone
	}
	first, err := t.balancer.Pick(nil)
	if err != nil {
		return nil, t.refusal(err)
	}
	r, whole := keepWhole(r)
	resp, err := first.Call(ctx, r)
	if err == nil {
		return resp.(*http.Response), nil
	}
	if whole() && (again || dialFailed(err)) && !errors.Is(err, ErrClientGone) && !errors.Is(err, errSlow) {
		if second, none := t.balancer.Pick(first); none == nil && t.budget.spend() {
			t.retries.Add(1)
			t.cfg.Logger.WarnContext(ctx, "retried on another instance", "service", t.cfg.Name, "failed", first.Address, "error", told(err))
			if resp, err = second.Call(ctx, r); err == nil {
				return resp.(*http.Response), nil
			}
		}
	}
	return nil, t.refusal(err)
}

// keepWhole gives r with a body that the transport may close without harm before it read from it, and what tells whether
// that is still so. Whoever gave the body closes it in the end: net/http does for the requests it serves.
func keepWhole(r *http.Request) (_ *http.Request, whole func() bool) {
	if r.Body == nil {
		return r, func() bool { return true }
	}
	body := &untouched{ReadCloser: r.Body}
	r = r.WithContext(r.Context())
	r.Body = body
	return r, func() bool { return !body.touched.Load() }
}

type untouched struct {
	io.ReadCloser
	touched atomic.Bool
}

// Read implements io.Reader.
func (u *untouched) Read(p []byte) (int, error) {
	u.touched.Store(true)
	return u.ReadCloser.Read(p)
}

// Close implements io.Closer.
func (u *untouched) Close() error {
	if !u.touched.Load() {
		return nil
	}
	return u.ReadCloser.Close()
}

// refusal tells the caller what it may know.
func (t *Target) refusal(err error) error {
	var refused *errs.Error
	switch {
	case errors.As(err, &refused): // by who limits the body
		return refused
	case errors.As(err, new(uploadError)):
		return codeBroken.Wrap(err, "the body of the request could not be read to its end")
	case errors.Is(err, ErrClientGone):
		return err
	case errors.Is(err, errSlow):
		return codeTimeout.Wrap(err, "no answer within %s", t.cfg.Timeout)
	case errors.Is(err, discovery.ErrNoInstances), dialFailed(err):
		code := codeUnavailable
		if t.cfg.Part {
			code = errs.CodeUnavailable
		}
		return code.Wrap(err, "no instance can be reached").WithRetryAfter(retryAfter)
	}
	return codeBadAnswer.Wrap(told(err), "the connection broke or the answer was not HTTP")
}

// told is an error that may be logged. The transport's own words may quote what a service sent.
func told(err error) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, discovery.ErrNoInstances):
		return err
	}
	return fmt.Errorf("not HTTP, or cut off (%T)", err)
}

// dialFailed tells whether no connection came about, so that the service cannot have seen the request.
func dialFailed(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// Retries counts second attempts.
func (t *Target) Retries() uint64 { return t.retries.Load() }

// Close stops following the instances. Answers under way are not cut.
func (t *Target) Close() error {
	err := t.balancer.Close()
	t.pool.CloseIdleConnections()
	return err
}

// budget lets retries be a tenth of the calls at most, with room for a short burst: when everything fails, retrying
// everything doubles the load on what is already down.
type budget struct{ left atomic.Int64 }

const (
	budgetMost  = 100
	budgetRetry = 10
)

func (b *budget) earn() {
	if b.left.Load() < budgetMost {
		b.left.Add(1)
	}
}

func (b *budget) spend() bool {
	if b.left.Add(-budgetRetry) >= 0 {
		return true
	}
	b.left.Add(budgetRetry)
	return false
}
