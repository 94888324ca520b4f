// Package edge is the outside of the gateway: it takes requests as strangers send them, gives each a transaction id, runs
// the chain, and streams the answer. Whatever happens, an answer has the hub's headers, a refusal has the hub's form, and
// a call that was let through gets its outcome recorded.
package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/gateway/internal/chain"
	"noorderhub.nl/hub/gateway/internal/routes"
	"noorderhub.nl/hub/gateway/internal/upstream"
	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// Chain is what the edge needs of a chain.Chain.
type Chain interface {
	Do(ctx context.Context, call *chain.Call, r *http.Request) (*http.Response, error)
	Finish(ctx context.Context, call *chain.Call, end chain.Ending)
}

// Config of an Edge. All fields but Local are required.
type Config struct {
	Hub    string // outside address
	Chain  Chain
	Local  map[string]http.HandlerFunc // paths the gateway answers itself: health and readiness
	Logger *slog.Logger
}

// Edge is the handler of the outside listeners.
type Edge struct {
	cfg      Config
	problems problem.Writer
	secure   bool
	panics   atomic.Uint64
}

// New makes an Edge.
func New(cfg Config) (*Edge, error) {
	if cfg.Hub == "" || cfg.Chain == nil || cfg.Logger == nil {
		return nil, errors.New("edge: a required field is missing")
	}
	return &Edge{cfg: cfg, problems: problem.Writer{Hub: cfg.Hub}, secure: strings.HasPrefix(cfg.Hub, "https://")}, nil
}

// Panics counts calls that ended in a fault of the program.
func (e *Edge) Panics() uint64 { return e.panics.Load() }

// answeredBy are the values of Noorderhub-Answered-By.
const (
	byGateway = "gateway"
	byCache   = "cache"
	byService = "service"
)

const (
	headerTransaction = "Fsc-Transaction-Id"
	headerAnsweredBy  = "Noorderhub-Answered-By"
)

// statusClientGone is what measurements show for a call whose client left without an answer, after the custom of nginx.
const statusClientGone = 499

// ServeHTTP answers one request. It runs inside the telemetry middleware, which makes the span.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := &chain.Call{ID: newTransactionID(), Begin: time.Now(), Certificate: certificateOf(r)}
	h := w.Header()
	h[headerTransaction] = []string{call.ID}
	h[headerAnsweredBy] = []string{byGateway}
	e.secureDefaults(h)

	end := chain.Ending{AnsweredBy: byGateway}
	sent := newIntake(w, r)
	out := newWriter(w, r, sent)
	defer func() {
		if fault := recover(); fault != nil && fault != http.ErrAbortHandler { //nolint:errorlint // a sentinel by identity
			e.panics.Add(1)
			e.cfg.Logger.ErrorContext(r.Context(), "panic", "transaction", call.ID, "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
			end.Err = errs.CodeInternal.New("something went wrong on our side")
			out.decide()
			if !out.wrote {
				e.refuse(out, r, call, end.Err)
			}
		} else if fault != nil {
			end.Err = errCut
		}
		end.Status, end.RequestBytes, end.ResponseBytes = out.status, sent.bytes(), out.bytes
		e.cfg.Chain.Finish(r.Context(), call, end)
		if errors.Is(end.Err, upstream.ErrClientGone) {
			w.WriteHeader(statusClientGone) // for the measurements: it never leaves
			panic(http.ErrAbortHandler)     // else the server would answer 200
		}
		if end.Err != nil && out.wrote && end.AnsweredBy != byGateway {
			panic(http.ErrAbortHandler) // the client must see that the answer is not whole
		}
	}()
	defer sent.end() // before an answer to a panic, and before the outcome

	if local := e.cfg.Local[r.URL.Path]; local != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		local(out, r)
		return
	}
	if err := checkForm(r); err != nil {
		end.Err = err
		e.refuse(out, r, call, err)
		return
	}
	call.Informs = out.inform
	resp, err := e.cfg.Chain.Do(r.Context(), call, r)
	out.decide()
	switch {
	case errors.Is(err, upstream.ErrClientGone):
		end.Err = err
	case err != nil:
		end.Err = err
		e.log(r.Context(), call, err)
		e.refuse(out, r, call, err)
	default:
		end.AnsweredBy = byService
		if call.Cached {
			end.AnsweredBy = byCache
		}
		end.Err = e.answer(out, call, resp, end.AnsweredBy)
	}
}

// newTransactionID makes a UUIDv7 (RFC 9562 §5.7): unique, and in order of time for who stores it.
func newTransactionID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // crypto/rand never fails; it ends the process instead
	}
	return id.String()
}

// log tells the operators what is theirs to mend. Refusals of callers stand in the transaction log.
func (e *Edge) log(ctx context.Context, call *chain.Call, err error) {
	refusal := errs.As(err)
	switch refusal.Code.Kind {
	case errs.Internal, errs.Unavailable, errs.BadGateway, errs.Timeout:
		e.cfg.Logger.ErrorContext(ctx, "call failed", "transaction", call.ID, "code", refusal.Code.ID, "error", err)
	}
}

// secureDefaults are the security headers of an answer that sets none itself (/core/transport/security-headers).
func (e *Edge) secureDefaults(h http.Header) {
	h["Cache-Control"] = []string{"no-store"}
	h["Content-Security-Policy"] = []string{"default-src 'none'; frame-ancestors 'none'"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Frame-Options"] = []string{"DENY"}
	if e.secure {
		h["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
}

// refuse writes a refusal in the form of the route: problem+json, or RFC 6749 §5.2 for the authorization server's paths.
func (e *Edge) refuse(w *writer, r *http.Request, call *chain.Call, err error) {
	call.Limits(w.Header())
	notice(w.Header(), call)
	for name, values := range call.Refusal {
		w.Header()[name] = values
	}
	w.arm()
	defer w.disarm()
	if call.Class() == routes.ClassProtocol && strings.HasPrefix(call.Route.Pattern, "/oauth2") {
		e.refuseOAuth(w, r, err)
		return
	}
	e.problems.Write(w, r, err)
}
