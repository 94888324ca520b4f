// Package httpapi is the journal over HTTP: the intake for other parts (/intern/v1, /v1/traces) and the outside API
// (/journaal/v1), which the gateway reaches with a call token. All of it listens on one mTLS listener; which part may ask
// what is decided here.
package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/kit"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/journal/api"
	"noorderhub.nl/hub/services/journal/internal/chain"
	"noorderhub.nl/hub/services/journal/internal/processing"
	"noorderhub.nl/hub/services/journal/internal/store"
	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

// Base is the path of the outside API.
const Base = "/journaal/v1"

// Store is what the API needs of the journal's database; *store.Store is it.
type Store interface {
	Append(ctx context.Context, gateway string, lines []store.Line) (api.Head, error)
	Head(ctx context.Context, gateway string) (api.Head, error)
	ByTransaction(ctx context.Context, id, organisation string) ([]store.Call, error)
	ByTrace(ctx context.Context, id, organisation string) ([]store.Call, error)
	List(ctx context.Context, f store.Filter) ([]store.Call, error)
	AddSpans(ctx context.Context, spans []waterfall.Span, received time.Time) error
	Spans(ctx context.Context, traceID string, limit int) ([]waterfall.Span, error)
	AddProcessing(ctx context.Context, records []processing.Record, received time.Time) error
	Processing(ctx context.Context, controller, traceID string, limit int) ([]processing.Record, error)
	AddAudit(ctx context.Context, a store.Audit) error
}

// Options are what New needs. All are required.
type Options struct {
	Store      Store
	Pseudonyms *processing.Pseudonyms
	Verifier   *token.Verifier // of the gateway's call tokens
	Hub        string          // outside URL of the hub; the audience is {Hub}/journaal
	HubOIN     string          // the hub as organisation: a processor, which writes in the logbooks of others
	Telemetry  *telemetry.Telemetry
	Logger     *slog.Logger
	Now        func() time.Time
}

var codePeer = &errs.Code{
	ID: "part-not-allowed", Kind: errs.Forbidden, Side: errs.SideHub, Title: "This part may not ask this",
	Next: "Call the journal through the gateway of the hub.",
}

type handlers struct {
	Options
	problems problem.Writer
}

// New mounts everything. The handler expects connections that workload.Identity.Server accepted.
func New(o Options) http.Handler {
	h := &handlers{Options: o, problems: problem.Writer{Hub: o.Hub}}

	intern := kit.New(kit.Options{
		Base: "/intern/v1", Problems: h.problems, Errors: h.internError, MaxBody: maxBatchBody, Logger: o.Logger,
	})
	kit.Handle(intern, "POST /transacties", h.append)
	kit.Handle(intern, "GET /transacties/{gateway}", h.head)

	outside := kit.New(kit.Options{
		Base: Base, Version: api.Version, OpenAPI: api.OpenAPI, Problems: h.problems, Errors: h.outsideError, Logger: o.Logger,
	})
	kit.Handle(outside, "GET /transacties/{transactieId}", looking(h, "look-transaction", transactionPath.object, h.transaction))
	kit.Handle(outside, "GET /transacties", looking(h, "look-transactions", callQuery.object, h.transactions))
	kit.Handle(outside, "GET /traces/{traceId}", looking(h, "look-trace", tracePath.object, h.trace))
	kit.Handle(outside, "POST /verwerkingen", h.writeProcessing)
	kit.Handle(outside, "GET /verwerkingen", h.readProcessing)

	traced := o.Telemetry.Server(telemetry.ServerOptions{})
	authenticated := token.Require(o.Verifier, o.Hub+"/journaal", h.problems)(telemetry.Named(outside))
	return &routes{
		intern: h.only(traced(intern), "gateway"),
		// The intake of spans makes none itself: they would come back here for ever.
		traces:  h.only(http.HandlerFunc(h.spans)),
		openapi: h.only(traced(outside), "gateway"),
		outside: h.only(traced(authenticated), "gateway"),
	}
}

// routes tells the surfaces apart by the path as it is. A ServeMux would redirect a path that is not clean, where kit
// answers 404.
type routes struct{ intern, traces, openapi, outside http.Handler }

// ServeHTTP implements http.Handler.
func (rs *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch p := r.URL.Path; {
	case strings.HasPrefix(p, "/intern/"):
		rs.intern.ServeHTTP(w, r)
	case p == "/v1/traces":
		rs.traces.ServeHTTP(w, r)
	case p == Base+"/openapi.json":
		rs.openapi.ServeHTTP(w, r)
	default:
		rs.outside.ServeHTTP(w, r)
	}
}

// only lets named parts through; without names, every part that the listener accepts.
func (h *handlers) only(next http.Handler, parts ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := workload.Peer(r)
		if peer == "" || len(parts) > 0 && !slices.Contains(parts, peer) {
			h.problems.Write(w, r, codePeer.New("this is for the gateway"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// internError tells a gateway where to go on.
func (h *handlers) internError(w http.ResponseWriter, r *http.Request, err error) {
	if refusal, ok := errors.AsType[*chain.Refusal](err); ok {
		w.Header().Set(api.HeaderExpected, strconv.FormatUint(refusal.Expected, 10))
	}
	h.problems.Write(w, r, err)
}

// outsideError says which scope is missing the way RFC 6750 §3.1 does.
func (h *handlers) outsideError(w http.ResponseWriter, r *http.Request, err error) {
	if e := errs.As(err); e.Code == codeScope {
		w.Header().Set("WWW-Authenticate", `Bearer realm="noorderhub", error="insufficient_scope", scope="`+e.Rule+`"`)
	}
	h.problems.Write(w, r, err)
}
