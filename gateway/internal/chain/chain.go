// Package chain is the way of one call through the gateway: a list of go-kit middlewares over an endpoint that takes a
// live *http.Request and gives a live *http.Response. Nothing is buffered; a step either lets the call go on or refuses
// it with an *errs.Error. What the steps learn about a call stands in its *Call.
package chain

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-kit/kit/endpoint"

	"noorderhub.nl/hub/gateway/internal/cache"
	"noorderhub.nl/hub/gateway/internal/limit"
	"noorderhub.nl/hub/gateway/internal/policy"
	"noorderhub.nl/hub/libs/token"
	journal "noorderhub.nl/hub/services/journal/api"
)

// Log is the local transaction log.
type Log interface {
	// Append returns when the record is durable.
	Append(ctx context.Context, r *journal.Record) error
	// Note appends without waiting; false when there was no room.
	Note(r *journal.Record) bool
}

// Policy is what calls are decided by.
type Policy interface {
	// View gives the View in force, nil before the first snapshot.
	View() *policy.View
	// Age is the time since the registry confirmed it.
	Age() time.Duration
}

// Config of a chain. All fields are required but Cache and Now.
type Config struct {
	Hub         string // outside address without trailing slash; start of audiences, and of Forwarded
	Policy      Policy
	Tokens      *token.Verifier // of access tokens
	Calls       *token.Signer   // of call tokens
	Limits      *limit.Limiter
	Cache       *cache.Cache // of answers; nil: none are kept
	Log         Log
	LogTimeout  time.Duration // longest wait for the log before a call is refused
	SnapshotMax time.Duration // age of the snapshot beyond which grants with required logging are closed
	Logger      *slog.Logger
	Now         func() time.Time
}

// Chain handles calls.
type Chain struct {
	cfg    Config
	minter *minter
	folds  *folder
	call   endpoint.Endpoint
}

// New makes the chain.
func New(cfg Config) (*Chain, error) {
	if cfg.Hub == "" || cfg.Policy == nil || cfg.Tokens == nil || cfg.Calls == nil || cfg.Limits == nil || cfg.Log == nil || cfg.Logger == nil ||
		cfg.LogTimeout <= 0 || cfg.SnapshotMax <= 0 {
		return nil, errors.New("chain: a required field is missing")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	front, err := parseFront(cfg.Hub)
	if err != nil {
		return nil, err
	}
	c := &Chain{cfg: cfg, minter: newMinter(cfg.Calls, cfg.Hub), folds: newFolder()}
	proxy := &proxy{front: front, minter: c.minter, now: cfg.Now}
	c.call = endpoint.Chain(
		c.refusals,           // first, so that it hears how every later step decided
		step(c.route),        // before the token: which token is right depends on the route
		step(c.authenticate), // before the grant: a stranger learns nothing about contracts
		step(c.authorise),
		step(c.limit),  // before the record: a call too many is a refusal, and nothing was let through
		step(c.record), // before the answer, kept or fresh: nothing leaves without a durable record
		c.kept,         // after the record: an answer from the cache is use of data too
		// the field filter comes here: it sees the answer first
	)(proxy.forward)
	return c, nil
}

// Do runs one call. The answer's body must be closed, then Finish called.
func (c *Chain) Do(ctx context.Context, call *Call, r *http.Request) (*http.Response, error) {
	resp, err := c.call(withCall(ctx, call), r)
	if err != nil {
		return nil, err
	}
	return resp.(*http.Response), nil
}

// step makes a middleware of a decision: nil lets the call go on.
func step(decide func(context.Context, *Call, *http.Request) error) endpoint.Middleware {
	return func(next endpoint.Endpoint) endpoint.Endpoint {
		return func(ctx context.Context, request any) (any, error) {
			if err := decide(ctx, callFrom(ctx), request.(*http.Request)); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}
	}
}

type callKey struct{}

func withCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

func callFrom(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }
