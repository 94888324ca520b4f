package journal_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/sqldb/sqldbtest"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/services/journal/api"
)

// The parts of a real call: the gateway's spans and those of a service, over the real exporter.
func TestSpansOfAllPartsBecomeOneWaterfall(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		setup := func(part string) *telemetry.Telemetry {
			tel, err := telemetry.Setup(t.Context(), telemetry.Config{Service: part, Endpoint: r.base + "/v1/traces", Ratio: 1},
				telemetry.Deps{Client: r.ids["address"].HTTPClient("journal")})
			if err != nil {
				t.Fatal(err)
			}
			return tel
		}
		gateway, address := setup("gateway"), setup("address")
		serving := trace.WithSpanKind(trace.SpanKindServer)
		ctx, server := gateway.Tracer("t").Start(t.Context(), "GET /adressen", serving)
		up, upstream := gateway.Tracer("t").Start(ctx, "GET address")
		_, lookup := address.Tracer("t").Start(up, "lookup")
		lookup.End()
		upstream.End()
		_, foreign := gateway.Tracer("t").Start(up, "a call of another organisation in the same trace", serving)
		foreign.End()
		_, undecided := gateway.Tracer("t").Start(up, "one whose decision record is on its way", serving)
		undecided.End()
		server.End()
		for _, tel := range []*telemetry.Telemetry{gateway, address} {
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := tel.Dropped(); n != 0 {
				t.Fatalf("%d spans were dropped", n)
			}
		}
		l := newLog("gw-1")
		l.call(1, assen, groningen)
		l.records, l.last = nil, api.Genesis
		traceID := server.SpanContext().TraceID().String()
		l.traced(1, traceID, server.SpanContext().SpanID().String(), assen, groningen)
		l.traced(2, traceID, foreign.SpanContext().SpanID().String(), leeuwarden, groningen)
		ship(t, r, l.records)

		names := func(spans []api.Span) string {
			parts := make([]string, len(spans))
			for i, s := range spans {
				parts[i] = strings.Repeat(">", s.Depth) + s.Part + ":" + s.Name
			}
			return strings.Join(parts, " ")
		}
		const want = "gateway:GET /adressen >gateway:GET address >>address:lookup"
		byID, err := r.of(assen).Transaction(t.Context(), transaction(1))
		if err != nil {
			t.Fatal(err)
		}
		if got := names(byID.Spans); got != want {
			t.Errorf("by transaction: got %s, want %s", got, want)
		}
		byTrace, err := r.of(assen).Trace(t.Context(), traceID)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(byTrace.Spans); got != want || len(byTrace.Calls) != 1 {
			t.Errorf("by trace: got %s in %d calls, want %s in one", got, len(byTrace.Calls), want)
		}
		all, err := r.operator().Trace(t.Context(), traceID)
		if err != nil || len(all.Spans) != 5 || len(all.Calls) != 2 {
			t.Errorf("the hub operator: got %d spans and %d calls, %v, want 5 and 2", len(all.Spans), len(all.Calls), err)
		}
	})
}

// A client chooses the trace id, so others can put any number of calls under the one of somebody else.
func TestAThousandCallsOfOthersInATraceHideNothingAndShowNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		tel, err := telemetry.Setup(t.Context(), telemetry.Config{Service: "gateway", Endpoint: r.base + "/v1/traces", Ratio: 1},
			telemetry.Deps{Client: r.ids["gateway"].HTTPClient("journal")})
		if err != nil {
			t.Fatal(err)
		}
		ctx, own := tel.Tracer("t").Start(t.Context(), "own", trace.WithSpanKind(trace.SpanKindServer))
		_, late := tel.Tracer("t").Start(ctx, "the last of the others", trace.WithSpanKind(trace.SpanKindServer))
		late.End()
		own.End()
		if err := tel.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		id := own.SpanContext().TraceID().String()
		l := newLog("gw-1")
		for n := range 1100 {
			l.traced(n+10, id, number(16, n+10), leeuwarden, groningen)
		}
		l.traced(1, id, own.SpanContext().SpanID().String(), assen, groningen)
		l.traced(2, id, late.SpanContext().SpanID().String(), leeuwarden, groningen)
		for batch := range slices.Chunk(l.records, api.MaxBatchLines) {
			ship(t, r, batch)
		}
		got, err := r.of(assen).Trace(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Calls) != 1 || len(got.Spans) != 1 || got.Spans[0].Name != "own" {
			t.Errorf("by trace: got %d calls and spans %+v, want the own one", len(got.Calls), got.Spans)
		}
		byID, err := r.of(assen).Transaction(t.Context(), transaction(1))
		if err != nil {
			t.Fatal(err)
		}
		if len(byID.Spans) != 1 || byID.Spans[0].Name != "own" {
			t.Errorf("by transaction: got spans %+v, want the own one", byID.Spans)
		}
	})
}

// traced is call with ids of its own.
func (l *log) traced(n int, traceID, span, consumer, provider string) {
	before := len(l.records)
	l.call(n, consumer, provider)
	pair := l.records[before:]
	l.records = l.records[:before]
	l.last = api.Genesis
	if before > 0 {
		line, _ := api.Encode(l.records[before-1])
		l.last = api.Hash(line)
	}
	for _, r := range pair {
		r.TraceID, r.SpanID = traceID, span
		l.add(r)
	}
}

func TestTheIntakeOfSpansRefusesWhatItCannotTake(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	_ = z.Close()
	tests := []struct {
		name, method, contentType, encoding, body string
		status                                    int
	}{
		{"nothing at all is an empty batch", "POST", "application/x-protobuf", "", "", 200},
		{"another method", "GET", "application/x-protobuf", "", "", 405},
		{"another media type", "POST", "application/json", "", "{}", 415},
		{"no protobuf", "POST", "application/x-protobuf", "", "\xff\xff\xff", 400},
		{"another encoding", "POST", "application/x-protobuf", "br", "x", 415},
		{"no gzip", "POST", "application/x-protobuf", "gzip", "x", 400},
		{"a gzip bomb", "POST", "application/x-protobuf", "gzip", bomb.String(), 413},
		{"a cut off gzip", "POST", "application/x-protobuf", "gzip", bomb.String()[:100], 400},
		{"too many bytes", "POST", "application/x-protobuf", "", strings.Repeat("\x0a\x00", 3<<20), 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := r.as("address", nil)
			req, err := http.NewRequestWithContext(t.Context(), tt.method, r.base+"/v1/traces", strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", tt.contentType)
			if tt.encoding != "" {
				req.Header.Set("Content-Encoding", tt.encoding)
			}
			resp, err := client.HTTP.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("got %d, want %d", resp.StatusCode, tt.status)
			}
		})
	}
}

func TestAnUnknownTraceIsNotFoundForTheOperatorToo(t *testing.T) {
	r := newRig(t, sqldbtest.SQLite(t))
	if _, err := r.operator().Trace(t.Context(), number(32, 5)); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v, want not found", err)
	}
}
