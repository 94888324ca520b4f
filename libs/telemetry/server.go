package telemetry

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// unmatched names a request that no route took; its path is a stranger's text and names nothing.
const unmatched = "unmatched"

// ServerOptions shape the middleware of one listener. The zero value is right for a part behind the gateway.
type ServerOptions struct {
	// Route tells the pattern of a request that was served. Nil: what SetRoute was told, else r.Pattern without its
	// method.
	Route func(r *http.Request) string
	// Respond sets the header traceparent on the answer, so that the caller can name the trace.
	Respond bool
}

// Server wraps the handler of a listener: one span and one measurement per request, named by method and route pattern.
func (t *Telemetry) Server(o ServerOptions) func(http.Handler) http.Handler {
	tracer := t.Tracer("http.server")
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin := time.Now()
			ctx := t.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			method := knownMethod(r.Method)
			ctx, span := tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(begin))
			call := &call{}
			r = r.WithContext(context.WithValue(ctx, callKey{}, call))
			if o.Respond {
				t.propagator.Inject(ctx, traceparentOnly{propagation.HeaderCarrier(w.Header())})
			}
			recorder := &statusRecorder{ResponseWriter: w}

			served := false
			defer func() { // also when the handler panics: then the server cuts the connection
				status := recorder.code(served)
				route := call.routeOf(r, o.Route)
				finish(span, method, route, status, call)
				t.server.observe(ctx, series{method, route, status}, call, time.Since(begin))
			}()
			next.ServeHTTP(recorder, r)
			served = true
		})
	}
}

func finish(span trace.Span, method, route string, status int, c *call) {
	if span.IsRecording() {
		span.SetName(method + " " + route)
		span.SetAttributes(
			semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route), semconv.HTTPResponseStatusCode(status))
		span.SetAttributes(c.organisations()...)
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// knownMethod keeps what a stranger may write in the request line out of names and labels.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return m
	default:
		return "_OTHER"
	}
}

type callKey struct{}

// call is what handlers tell about the request they serve. Only the goroutine that serves it writes it.
type call struct {
	route              string
	consumer, provider string
}

// SetRoute names the pattern that took the request, for handlers whose mux does not stand on the same *http.Request. The
// last one wins.
func SetRoute(ctx context.Context, pattern string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.route = pattern
	}
}

// Named tells the middleware the pattern that next matched. It goes right around a mux when something between the mux and
// the middleware makes a new *http.Request, as every handler does that adds to the context.
func Named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if r.Pattern != "" {
				SetRoute(r.Context(), r.Pattern)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// SetOrganisations puts the OINs of who asks and who answers on the span and the measurement of the request. They must
// come from a verified token. An empty one is left out.
func SetOrganisations(ctx context.Context, consumer, provider string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.consumer, c.provider = consumer, provider
	}
}

func (c *call) organisations() []attribute.KeyValue {
	var all []attribute.KeyValue
	if c.consumer != "" {
		all = append(all, keyConsumer.String(c.consumer))
	}
	if c.provider != "" {
		all = append(all, keyProvider.String(c.provider))
	}
	return all
}

func (c *call) routeOf(r *http.Request, route func(*http.Request) string) string {
	pattern := c.route
	switch {
	case route != nil:
		pattern = route(r)
	case pattern == "":
		pattern = r.Pattern
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = strings.TrimSpace(path)
	}
	if pattern == "" {
		return unmatched
	}
	return pattern
}

// statusRecorder remembers the status. It hides nothing: http.ResponseController unwraps it.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter. An informational status is not the answer.
func (s *statusRecorder) WriteHeader(status int) {
	if s.status == 0 && status >= 200 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (s *statusRecorder) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom: a file or a connection is still copied by the kernel.
func (s *statusRecorder) ReadFrom(src io.Reader) (int64, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return io.Copy(s.ResponseWriter, src)
}

// Flush implements http.Flusher for handlers that ask for it by type.
func (s *statusRecorder) Flush() {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	_ = http.NewResponseController(s.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *statusRecorder) code(served bool) int {
	switch {
	case s.status != 0:
		return s.status
	case served:
		return http.StatusOK
	default:
		return http.StatusInternalServerError
	}
}
