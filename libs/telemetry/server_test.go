package telemetry_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/telemetry"
)

func TestOneSpanPerRequestNamedByItsPattern(t *testing.T) {
	e := &exporter{}
	tel := setup(t, telemetry.Config{Ratio: 1}, e)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /adressen/{id}", func(_ http.ResponseWriter, r *http.Request) {
		telemetry.SetOrganisations(r.Context(), "00000099000000001000", "00000099000000002000")
	})
	mux.HandleFunc("GET /weg", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("GET /eigen", func(_ http.ResponseWriter, r *http.Request) { telemetry.SetRoute(r.Context(), "/eigen/{soort}") })
	behind := http.NewServeMux()
	behind.HandleFunc("GET /kopie/{id}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/kopie/", func(w http.ResponseWriter, r *http.Request) {
		telemetry.Named(behind).ServeHTTP(w, r.Clone(r.Context()))
	})
	handler := tel.Server(telemetry.ServerOptions{})(mux)

	tests := []struct{ name, target, want string }{
		{"a mux behind a copy of the request", "/kopie/1", "GET /kopie/{id}"},
		{"a route with a parameter", "/adressen/0014200022197986?bsn=999993653", "GET /adressen/{id}"},
		{"a fault of the server", "/weg", "GET /weg"},
		{"a route the handler named itself", "/eigen", "GET /eigen/{soort}"},
		{"a path that nobody took", "/999993653", "GET unmatched"},
	}
	for _, tt := range tests {
		handler.ServeHTTP(httptest.NewRecorder(), request(tt.target, ""))
	}
	flush(t, tel)
	spans := e.all()
	if len(spans) != len(tests) {
		t.Fatalf("got %d spans, want %d", len(spans), len(tests))
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := spans[i].Name(); got != tt.want {
				t.Errorf("name: got %q, want %q", got, tt.want)
			}
			for _, a := range spans[i].Attributes() {
				if strings.Contains(a.Value.String(), "999993653") {
					t.Errorf("%s holds what the caller wrote: %s", a.Key, a.Value.String())
				}
			}
		})
	}
	attributes := map[string]string{}
	for _, a := range spans[1].Attributes() {
		attributes[string(a.Key)] = a.Value.String()
	}
	for key, want := range map[string]string{
		"hub.consumer.oin": "00000099000000001000", "hub.provider.oin": "00000099000000002000",
		"http.route": "/adressen/{id}", "http.request.method": "GET", "http.response.status_code": "200",
	} {
		if got := attributes[key]; got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if got := spans[2].Status().Code.String(); got != "Error" {
		t.Errorf("status of a 502: got %s, want Error", got)
	}
}

func scrape(t *testing.T, tel *telemetry.Telemetry) string {
	t.Helper()
	w := httptest.NewRecorder()
	tel.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("metrics: status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestRequestsAreMeasuredByRouteWithoutUnboundedLabels(t *testing.T) {
	tel := setup(t, telemetry.Config{Ratio: 0}, &exporter{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /adressen/{id}", func(http.ResponseWriter, *http.Request) {})
	handler := tel.Server(telemetry.ServerOptions{})(mux)
	for _, target := range []string{"/adressen/1", "/adressen/2", "/zzz1", "/zzz2"} {
		handler.ServeHTTP(httptest.NewRecorder(), request(target, ""))
	}
	strange := request("/adressen/1", "")
	strange.Method = "ZZZ3"
	handler.ServeHTTP(httptest.NewRecorder(), strange)
	got := scrape(t, tel)
	for _, want := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/adressen/{id}"} 2`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route="unmatched"} 2`,
		`http_request_method="_OTHER"`, "go_goroutines", "process_open_fds",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("metrics hold no %s", want)
		}
	}
	if strings.Contains(strings.ToLower(got), "zzz") {
		t.Error("what a caller wrote became a label")
	}
}

func TestAPanicIsMeasuredAsAServerFaultAndGoesOn(t *testing.T) {
	e := &exporter{}
	tel := setup(t, telemetry.Config{Ratio: 1}, e)
	handler := tel.Server(telemetry.ServerOptions{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		handler.ServeHTTP(httptest.NewRecorder(), request("/", ""))
	}()
	flush(t, tel)
	if spans := e.all(); len(spans) != 1 || spans[0].Status().Code.String() != "Error" {
		t.Errorf("got %d spans, want one with status Error", len(spans))
	}
}

func TestTheAnswerNamesTheTraceWhenAsked(t *testing.T) {
	tel := telemetry.Noop()
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	r := request("/", "01")
	r.Header.Set("tracestate", "foreign=1")
	w := httptest.NewRecorder()
	tel.Server(telemetry.ServerOptions{Respond: true})(nothing).ServeHTTP(w, r)
	if got := w.Header().Get("traceparent"); !strings.HasPrefix(got, "00-"+foreignTrace+"-") || strings.Contains(got, foreignParent) {
		t.Errorf("traceparent: got %q, want the caller's trace and a span of ours", got)
	}
	if got := w.Header().Get("tracestate"); got != "" {
		t.Errorf("tracestate: got %q, want none", got)
	}
	w = httptest.NewRecorder()
	tel.Server(telemetry.ServerOptions{})(nothing).ServeHTTP(w, request("/", "01"))
	if got := w.Header().Get("traceparent"); got != "" {
		t.Errorf("traceparent without Respond: got %q", got)
	}
}

func TestTheMiddlewareHidesNothingOfTheResponseWriter(t *testing.T) {
	tel := telemetry.Noop()
	server := httptest.NewServer(tel.Server(telemetry.ServerOptions{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "een ")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("deadline: %v", err)
		}
		_, _ = io.Copy(w, strings.NewReader("twee"))
	})))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got, _ := io.ReadAll(resp.Body); string(got) != "een twee" {
		t.Errorf("body: got %q", got)
	}
}

func TestLogLinesNameTheTrace(t *testing.T) {
	var out bytes.Buffer
	logger := telemetry.Logger(&out, "address", slog.LevelInfo)
	ctx, span := telemetry.Noop().Tracer("test").Start(t.Context(), "s")
	tests := []struct {
		name        string
		log         func()
		trace, kept string
	}{
		{"with a span", func() { logger.InfoContext(ctx, "a") }, span.SpanContext().TraceID().String(), ""},
		{"without a span", func() { logger.InfoContext(t.Context(), "a") }, "", ""},
		{"of a logger with attributes", func() { logger.With("k", "v").InfoContext(ctx, "a") }, span.SpanContext().TraceID().String(), "v"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out.Reset()
			tt.log()
			var got struct {
				Service string `json:"service"`
				TraceID string `json:"trace_id"`
				SpanID  string `json:"span_id"`
				K       string `json:"k"`
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Service != "address" || got.TraceID != tt.trace || got.K != tt.kept || (got.SpanID == "") != (tt.trace == "") {
				t.Errorf("got %+v, want trace %q", got, tt.trace)
			}
		})
	}
	out.Reset()
	logger.DebugContext(ctx, "a")
	if out.Len() != 0 {
		t.Error("a line below the level was written")
	}
}

func BenchmarkServerUnsampled(b *testing.B) {
	tel := telemetry.Noop()
	handler := tel.Server(telemetry.ServerOptions{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w, r := httptest.NewRecorder(), request("/", "00")
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}
