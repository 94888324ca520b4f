// Package kit puts go-kit behind generics: one line per operation, one decoder, one encoder, one error writer. A part's
// internal/httpapi sees only this package, never go-kit itself.
//
//	api := kit.New(kit.Options{Base: "/journaal/v1", Version: "1.0.0", OpenAPI: openapi, Problems: problems})
//	kit.Handle(api, "GET /transacties/{id}", svc.Transaction)
//
// It keeps the NL API Design Rules that hold for every operation: problem+json for all 4xx and 5xx, 404 for a trailing
// slash (/core/no-trailing-slash), 405 with Allow (/core/http-methods), API-Version (/core/version-header), the security
// headers (/core/transport/security-headers) and openapi.json without login (/core/publish-openapi).
package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"github.com/go-kit/kit/endpoint"
	httptransport "github.com/go-kit/kit/transport/http"
	"go.yaml.in/yaml/v3"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
)

// Options of an API.
type Options struct {
	Base       string                                          // path before every pattern, e.g. "/journaal/v1"; no trailing slash
	Version    string                                          // semver, sent as API-Version
	OpenAPI    []byte                                          // YAML; served as {Base}/openapi.json; nil for an internal API
	Problems   problem.Writer                                  // refusals
	Errors     func(http.ResponseWriter, *http.Request, error) // replaces Problems where an original's error shape is kept
	MaxBody    int64                                           // bytes of a request body; default 1 MiB
	Middleware func(pattern string) endpoint.Middleware        // around every operation, e.g. its scope; may be nil
	Logger     *slog.Logger                                    // server faults; required
}

// API is an http.Handler made of operations.
type API struct {
	opts    Options
	mux     *http.ServeMux
	openapi []byte // JSON
}

const defaultMaxBody = 1 << 20

// New makes an API without operations. An OpenAPI text that is not YAML is an error of the program: it panics, at start.
func New(o Options) *API {
	if o.Logger == nil {
		panic("kit: Options.Logger is required")
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Errors == nil {
		o.Errors = o.Problems.Write
	}
	a := &API{opts: o, mux: http.NewServeMux()}
	if o.OpenAPI != nil {
		a.openapi = toJSON(o.OpenAPI)
		a.mux.HandleFunc("GET "+o.Base+"/openapi.json", a.serveOpenAPI)
	}
	return a
}

// Handle mounts op at pattern ("GET /transacties/{id}", below Base). *Req may implement
//
//	Decode(*http.Request) error   // reads path, query and headers; without it the body is strict JSON
//	Validate() error              // the rules; all faults in one error
//
// and Resp may implement StatusCode() int, Headers() http.Header and ContentType() string. The empty struct as Req
// takes neither body nor query.
func Handle[Req, Resp any](a *API, pattern string, op func(context.Context, Req) (Resp, error)) {
	method, rest, ok := strings.Cut(pattern, " ")
	if !ok {
		panic(fmt.Sprintf("kit: pattern %q has no method", pattern))
	}
	full := a.opts.Base + rest
	e := Endpoint(op)
	if a.opts.Middleware != nil {
		e = a.opts.Middleware(pattern)(e)
	}
	server := httptransport.NewServer(e, decode[Req], encode,
		httptransport.ServerErrorEncoder(a.encodeError),
		httptransport.ServerErrorHandler(errorHandler{a.opts.Logger}),
		httptransport.ServerBefore(withRequest))
	a.mux.Handle(method+" "+full, server)
}

// Endpoint adapts a typed operation to go-kit.
func Endpoint[Req, Resp any](op func(context.Context, Req) (Resp, error)) endpoint.Endpoint {
	return func(ctx context.Context, request any) (any, error) { return op(ctx, request.(Req)) }
}

// ServeHTTP answers one request. Paths are matched as they are: nothing is cleaned or redirected.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if a.opts.Version != "" {
		h.Set("API-Version", a.opts.Version)
	}
	if p := r.URL.Path; p != path.Clean(p) {
		a.opts.Errors(w, r, errs.CodeNotFound.New("the path is not in canonical form: no trailing slash, no empty or dot segments").WithRule("/core/no-trailing-slash"))
		return
	}
	if _, pattern := a.mux.Handler(r); pattern == "" {
		a.refuse(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, a.opts.MaxBody)
	if len(r.URL.RawQuery) > maxQuery {
		a.opts.Errors(w, r, errs.CodeInvalid.New("the query string is longer than %d bytes", maxQuery))
		return
	}
	a.mux.ServeHTTP(w, r)
}

// maxQuery bounds a query string, in bytes.
const maxQuery = 16 << 10

// refuse tells an unknown path from a known one asked with the wrong method.
func (a *API) refuse(w http.ResponseWriter, r *http.Request) {
	allowed := a.allowed(r)
	if len(allowed) == 0 {
		a.opts.Errors(w, r, errs.CodeNotFound.New("there is no resource at this path"))
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.opts.Errors(w, r, errs.CodeMethod.New("%s is not one of: %s", safeMethod(r.Method), strings.Join(allowed, ", ")))
}

// allowed gives every method that some pattern takes at this path: /x/_zoek (POST) may stand beside GET /x/{id}.
func (a *API) allowed(r *http.Request) []string {
	var allowed []string
	probe := r.Clone(r.Context())
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe.Method = m
		if _, pattern := a.mux.Handler(probe); pattern != "" {
			allowed = append(allowed, m)
		}
	}
	return allowed
}

func safeMethod(m string) string {
	if len(m) > 10 || strings.Trim(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "this method"
	}
	return m
}

func (a *API) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "max-age=300")
	_, _ = w.Write(a.openapi)
}

func (a *API) encodeError(ctx context.Context, err error, w http.ResponseWriter) {
	r := requestFrom(ctx)
	a.opts.Errors(w, r, err)
}

func toJSON(text []byte) []byte {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		panic("kit: openapi text: " + err.Error())
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		panic("kit: openapi text: " + err.Error())
	}
	return out.Bytes()
}

type errorHandler struct{ logger *slog.Logger }

// Handle logs server faults with their cause; refusals are the caller's and stand in its answer.
func (h errorHandler) Handle(ctx context.Context, err error) {
	if kind := errs.KindOf(err); kind == errs.Internal || kind == errs.Unavailable || kind == errs.BadGateway {
		h.logger.ErrorContext(ctx, "request failed", "code", errs.As(err).Code.ID, "error", err)
	}
}

type requestKey struct{}

func withRequest(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func requestFrom(ctx context.Context) *http.Request { return ctx.Value(requestKey{}).(*http.Request) }
