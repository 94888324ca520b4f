package telemetry_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"noorderhub.nl/hub/libs/telemetry"
)

// exporter keeps spans in memory; it can be made to fail or to wait.
type exporter struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
	fault error
	enter chan struct{} // when set: told on entry, then waits for leave
	leave chan struct{}
}

func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if e.enter != nil {
		e.enter <- struct{}{}
		<-e.leave
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == nil {
		e.spans = append(e.spans, spans...)
	}
	return e.fault
}

func (e *exporter) Shutdown(context.Context) error { return nil }

func (e *exporter) all() []sdktrace.ReadOnlySpan {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]sdktrace.ReadOnlySpan(nil), e.spans...)
}

func setup(t *testing.T, cfg telemetry.Config, e *exporter) *telemetry.Telemetry {
	t.Helper()
	if cfg.Service == "" {
		cfg.Service = "part"
	}
	tel, err := telemetry.Setup(t.Context(), cfg, telemetry.Deps{Exporter: e})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tel.Shutdown(context.Background()) })
	return tel
}

func flush(t *testing.T, tel *telemetry.Telemetry) {
	t.Helper()
	if err := tel.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const (
	foreignTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	foreignParent = "00f067aa0ba902b7"
)

func request(target, flags string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if flags != "" {
		r.Header.Set("traceparent", "00-"+foreignTrace+"-"+foreignParent+"-"+flags)
	}
	return r
}

func TestSampling(t *testing.T) {
	const calls = 400
	tests := []struct {
		name     string
		cfg      telemetry.Config
		flags    string
		min, max int
	}{
		{"own traces all at ratio 1", telemetry.Config{Ratio: 1}, "", calls, calls},
		{"own traces none at ratio 0", telemetry.Config{Ratio: 0}, "", 0, 0},
		{"a sampled parent inside the hub is followed", telemetry.Config{Ratio: 0}, "01", calls, calls},
		{"an unsampled parent inside the hub is followed", telemetry.Config{Ratio: 1}, "00", 0, 0},
		{"a foreign flag forces nothing at ratio 0", telemetry.Config{Ratio: 0, Border: true}, "01", 0, 0},
		{"a foreign flag with one trace id is sampled by chance", telemetry.Config{Ratio: .5, Border: true}, "01", calls / 4, calls * 3 / 4},
		{"a foreign flag is honoured at ratio 1", telemetry.Config{Ratio: 1, Border: true}, "01", calls, calls},
		{"a foreigner that wants no trace gets none", telemetry.Config{Ratio: 1, Border: true}, "00", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := &exporter{}
			tel := setup(t, tt.cfg, e)
			var seen trace.SpanContext
			handler := tel.Server(telemetry.ServerOptions{})(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				seen = trace.SpanContextFromContext(r.Context())
			}))
			for range calls {
				handler.ServeHTTP(httptest.NewRecorder(), request("/", tt.flags))
			}
			flush(t, tel)
			if got := len(e.all()); got < tt.min || got > tt.max {
				t.Errorf("got %d spans of %d calls, want %d to %d", got, calls, tt.min, tt.max)
			}
			if !seen.IsValid() {
				t.Error("the handler saw no trace id")
			}
			if tt.flags != "" && seen.TraceID().String() != foreignTrace {
				t.Errorf("trace id: got %s, want the caller's", seen.TraceID())
			}
		})
	}
}

func TestTransportCarriesTheTraceAndNoBaggage(t *testing.T) {
	var got http.Header
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.WriteHeader(http.StatusTeapot)
	}))
	defer upstream.Close()
	e := &exporter{}
	tel := setup(t, telemetry.Config{Ratio: 1}, e)
	client := &http.Client{Transport: tel.Transport(nil)}

	ctx, span := tel.Tracer("test").Start(t.Context(), "outer")
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, upstream.URL+"/a?bsn=999993653", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("baggage", "bsn=999993653")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	span.End()
	flush(t, tel)

	sent := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(got)))
	if sent.TraceID() != span.SpanContext().TraceID() || !sent.IsSampled() {
		t.Errorf("traceparent: got %q, want trace %s, sampled", got.Get("traceparent"), span.SpanContext().TraceID())
	}
	if got.Get("baggage") != "" {
		t.Error("baggage was sent on")
	}
	if r.Header.Get("traceparent") != "" {
		t.Error("the caller's request was changed")
	}
	spans := e.all()
	if len(spans) != 2 {
		t.Fatalf("got %d spans, want the client span and the outer one", len(spans))
	}
	if spans[0].SpanContext().SpanID() != sent.SpanID() {
		t.Error("the upstream's parent is not the client span")
	}
	for _, a := range append(spans[0].Attributes(), spans[1].Attributes()...) {
		if strings.Contains(a.Value.String(), "999993653") {
			t.Errorf("%s holds the query string", a.Key)
		}
	}
}

func TestTransportMakesNoSpanOfAnUnsampledTrace(t *testing.T) {
	var got string
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("traceparent") }))
	defer upstream.Close()
	tel := telemetry.Noop()
	ctx, span := tel.Tracer("test").Start(t.Context(), "outer")
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, upstream.URL, nil)
	resp, err := tel.Transport(nil).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	want := "00-" + span.SpanContext().TraceID().String() + "-" + span.SpanContext().SpanID().String() + "-00"
	if got != want {
		t.Errorf("traceparent: got %q, want %q", got, want)
	}
	if telemetry.TraceID(ctx) != span.SpanContext().TraceID().String() || telemetry.TraceID(t.Context()) != "" {
		t.Error("TraceID does not give the id of the context")
	}
}

func TestAFailingCollectorIsCountedAndStopsNobody(t *testing.T) {
	e := &exporter{fault: errors.New("away")}
	tel := setup(t, telemetry.Config{Ratio: 1}, e)
	for range 3 {
		_, span := tel.Tracer("test").Start(t.Context(), "s")
		span.End()
	}
	flush(t, tel)
	if got := tel.Dropped(); got != 3 {
		t.Errorf("dropped: got %d, want 3", got)
	}
	if got := scrape(t, tel); !strings.Contains(got, "telemetry_spans_dropped_total") {
		t.Error("the drop counter is not among the metrics")
	}
}

func TestAFullQueueDropsAndCountsWithoutWaiting(t *testing.T) {
	const queue, more = 10, 7
	e := &exporter{enter: make(chan struct{}), leave: make(chan struct{})}
	tel := setup(t, telemetry.Config{Ratio: 1, Queue: queue, Delay: time.Millisecond}, e)
	end := func() {
		_, span := tel.Tracer("test").Start(t.Context(), "s")
		span.End()
	}
	end()
	<-e.enter // the exporter hangs with the first span
	for range queue + more {
		end()
	}
	if got := tel.Dropped(); got != more {
		t.Errorf("dropped: got %d, want %d", got, more)
	}
	go func() {
		for range e.enter {
		}
	}()
	close(e.leave)
	flush(t, tel)
	if got := len(e.all()); got != queue+1 {
		t.Errorf("delivered: got %d, want %d", got, queue+1)
	}
}

func TestShutdownDeliversWhatWaits(t *testing.T) {
	e := &exporter{}
	tel := setup(t, telemetry.Config{Ratio: 1, Delay: time.Hour}, e)
	_, span := tel.Tracer("test").Start(t.Context(), "s")
	span.End()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(e.all()); got != 1 {
		t.Errorf("delivered: got %d, want 1", got)
	}
	if err := tel.Flush(t.Context()); err != nil {
		t.Errorf("flush after shutdown: %v", err)
	}
}

func TestSpansLeaveAsOTLPOverTheGivenClient(t *testing.T) {
	type received struct {
		path string
		body *collector.ExportTraceServiceRequest
	}
	got := make(chan received, 1)
	intake := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		zipped, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		raw, _ := io.ReadAll(zipped)
		body := &collector.ExportTraceServiceRequest{}
		if err := proto.Unmarshal(raw, body); err != nil {
			t.Error(err)
		}
		got <- received{r.URL.Path, body}
	}))
	defer intake.Close()
	tel, err := telemetry.Setup(t.Context(), telemetry.Config{
		Service: "address", Version: "1.2.3", Endpoint: intake.URL + "/v1/traces", Ratio: 1, Delay: time.Millisecond,
	}, telemetry.Deps{Client: intake.Client()})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("test").Start(t.Context(), "import")
	span.End()
	r := <-got
	if want := "/v1/traces"; r.path != want {
		t.Errorf("path: got %s, want %s", r.path, want)
	}
	group := r.body.ResourceSpans[0]
	if got := group.ScopeSpans[0].Spans[0].Name; got != "import" {
		t.Errorf("span: got %q, want import", got)
	}
	described := map[string]string{}
	for _, a := range group.Resource.Attributes {
		described[a.Key] = a.Value.GetStringValue()
	}
	if described["service.name"] != "address" || described["service.version"] != "1.2.3" {
		t.Errorf("resource: got %v", described)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSetupRefusesAWrongConfiguration(t *testing.T) {
	tests := []struct {
		name string
		cfg  telemetry.Config
	}{
		{"no service", telemetry.Config{}},
		{"a ratio above one", telemetry.Config{Service: "x", Ratio: 1.1}},
		{"a negative ratio", telemetry.Config{Service: "x", Ratio: -.1}},
		{"an endpoint without scheme", telemetry.Config{Service: "x", Endpoint: "collector:4318"}},
		{"an endpoint of another protocol", telemetry.Config{Service: "x", Endpoint: "grpc://collector:4317"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := telemetry.Setup(t.Context(), tt.cfg, telemetry.Deps{}); err == nil {
				t.Error("taken")
			}
		})
	}
}
