// Package httpapi is the case exchange over HTTP (/overdracht/v1): it reads commands strictly, hands them to the exchange
// and writes what comes of them. The gateway reaches it with a call token.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/receipts"
)

// Bells tells that something was added to a feed; *store.Store does.
type Bells interface {
	Heard(organisation string) <-chan struct{}
	Await(ctx context.Context, heard <-chan struct{})
}

// Options are what New needs. All are required.
type Options struct {
	Exchange  *exchange.Exchange
	Bells     Bells
	Keys      *receipts.Keys
	Verifier  *token.Verifier // of the gateway's call tokens
	Hub       string          // outside URL of the hub; the audience is {Hub}/overdracht
	HubOIN    string          // source of events
	Stopping  <-chan struct{} // closed when waiting readers must go
	Telemetry *telemetry.Telemetry
	Logger    *slog.Logger
}

type handlers struct {
	Options
	problems problem.Writer
	waiters  *waiters
}

// New mounts everything below api.Base.
func New(o Options) http.Handler {
	h := &handlers{Options: o, problems: problem.Writer{Hub: o.Hub}, waiters: newWaiters()}
	a := kit.New(kit.Options{
		Base: api.Base, Version: api.Version, OpenAPI: api.OpenAPI, Errors: h.writeError, MaxBody: api.MaxCase, Logger: o.Logger,
	})
	kit.Handle(a, "PUT /uitwisselingen/{uuid}", scoped(api.ScopeOffer, h.offer))
	kit.Handle(a, "GET /uitwisselingen/{uuid}", scoped(api.ScopeRead, h.get))
	kit.Handle(a, "GET /uitwisselingen", scoped(api.ScopeRead, h.list))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/acceptatie", scoped(api.ScopeReceive, h.accept))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/afwijzing", scoped(api.ScopeReceive, h.decline))
	kit.Handle(a, "PUT /uitwisselingen/{uuid}/zaak", scoped(api.ScopeOffer, h.deliver))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/verwerking", scoped(api.ScopeReceive, h.acknowledge))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/intrekking", scoped(api.ScopeOffer, h.withdraw))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/weigering", scoped(api.ScopeReceive, h.refuse))
	kit.Handle(a, "POST /uitwisselingen/{uuid}/sluiting", scoped(api.ScopeOffer, h.closing))
	kit.Handle(a, "GET /uitwisselingen/{uuid}/ontvangstbewijzen", scoped(api.ScopeRead, h.receipts))
	kit.Handle(a, "GET /gebeurtenissen", scoped(api.ScopeRead, h.events))
	kit.Handle(a, "GET /sleutels", h.keys)

	named := telemetry.Named(a)
	authenticated := token.Require(o.Verifier, o.Hub+"/"+api.Slug, h.problems)(&cases{h, named})
	return o.Telemetry.Server(telemetry.ServerOptions{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Nobody needs a token to read the description or to check a receipt.
		if p := r.URL.Path; p == api.Base+"/openapi.json" || p == api.Base+"/sleutels" {
			named.ServeHTTP(w, r)
			return
		}
		authenticated.ServeHTTP(w, r)
	}))
}

var codeScope = &errs.Code{
	ID: "scope-missing", Kind: errs.Forbidden, Side: errs.SideClient, Title: "The access token lacks a scope",
	Next: "Ask for an access token with the scope that rule names.",
}

// scoped gives an operation its caller, once the token has the scope.
func scoped[Req, Resp any](scope string, op func(context.Context, exchange.Caller, Req) (Resp, error)) func(context.Context, Req) (Resp, error) {
	return func(ctx context.Context, in Req) (Resp, error) {
		var none Resp
		caller, err := callerOf(ctx, scope)
		if err != nil {
			return none, err
		}
		return op(ctx, caller, in)
	}
}

func callerOf(ctx context.Context, scope string) (exchange.Caller, error) {
	claims, ok := token.CallerFrom(ctx)
	if !ok || claims.PeerID == "" {
		return exchange.Caller{}, errors.New("request without a caller reached an operation")
	}
	if !claims.HasScope(scope) {
		return exchange.Caller{}, codeScope.New("this operation needs the scope %s", scope).WithRule(scope)
	}
	return exchange.Caller{Organisation: claims.PeerID, GrantHash: claims.GrantHash, Trace: telemetry.Traceparent(ctx)}, nil
}

// writeError says which scope is missing the way RFC 6750 §3.1 does, and of a refusal that depends on the transfer's
// state what that state is and what can be done now.
func (h *handlers) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if e := errs.As(err); e.Code == codeScope {
		w.Header().Set("WWW-Authenticate", `Bearer realm="noorderhub", error="insufficient_scope", scope="`+e.Rule+`"`)
	}
	state, ok := errors.AsType[*exchange.StateError](err)
	if !ok {
		h.problems.Write(w, r, err)
		return
	}
	body, err := json.Marshal(struct {
		problem.Details
		api.Conflict
	}{h.problems.Details(r, err), api.Conflict{State: string(state.State), Version: state.Version, Allowed: commands(state.Allowed)}})
	if err != nil { // strings and numbers only: cannot be
		h.problems.Write(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", problem.MediaType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(problem.StatusOf(state.Err.Code.Kind))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// cases serves the one answer that is not made of JSON values but is bytes as they came: a delivered case. The digest in
// the manifest and the receipts is of those bytes. Everything else goes on to next.
type cases struct {
	*handlers
	next http.Handler
}

// ServeHTTP implements http.Handler.
func (c *cases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, api.Base+"/uitwisselingen/")
	id, found := strings.CutSuffix(rest, "/zaak")
	if !ok || !found || strings.Contains(id, "/") || r.Method != http.MethodGet && r.Method != http.MethodHead {
		c.next.ServeHTTP(w, r)
		return
	}
	telemetry.SetRoute(r.Context(), "GET "+api.Base+"/uitwisselingen/{uuid}/zaak")
	h := w.Header()
	h.Set("API-Version", api.Version)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	body, manifest, err := c.caseOf(r, id)
	if err != nil {
		if kind := errs.KindOf(err); kind == errs.Internal || kind == errs.Unavailable {
			c.Logger.ErrorContext(r.Context(), "request failed", "code", errs.As(err).Code.ID, "error", err)
		}
		c.writeError(w, r, err)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("ETag", `"`+manifest.CaseSHA256+`"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

func (c *cases) caseOf(r *http.Request, id string) ([]byte, exchange.Manifest, error) {
	caller, err := callerOf(r.Context(), api.ScopeRead)
	if err != nil {
		return nil, exchange.Manifest{}, err
	}
	if err := kit.NewQuery(r).Err(); err != nil {
		return nil, exchange.Manifest{}, err
	}
	if id, err = transferID(id); err != nil {
		return nil, exchange.Manifest{}, err
	}
	return c.Exchange.Case(r.Context(), caller, id)
}
