package otlp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

func good() *trace.Span {
	return &trace.Span{
		TraceId: []byte(strings.Repeat("\x01", 16)), SpanId: []byte(strings.Repeat("\x02", 8)), ParentSpanId: []byte(strings.Repeat("\x03", 8)),
		Name: "GET /adressen", Kind: trace.Span_SPAN_KIND_SERVER, StartTimeUnixNano: 5_000_000, EndTimeUnixNano: 7_500_000,
		Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR},
	}
}

func body(t testing.TB, spans ...*trace.Span) []byte {
	t.Helper()
	raw, err := proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource:   &resource.Resource{Attributes: []*common.KeyValue{attribute("service.name", "address")}},
		ScopeSpans: []*trace.ScopeSpans{{Spans: spans}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOnlyListedAttributesAreKept(t *testing.T) {
	s := good()
	s.Name = "GET\x00 " + strings.Repeat("é", maxText)
	s.Attributes = []*common.KeyValue{
		attribute("http.route", "/adressen"), number("http.response.status_code", 500), attribute("hub.consumer.oin", "00000099000000001000"),
		attribute("url.full", "https://x/?bsn=999993653"), attribute("url.query", "bsn=999993653"), attribute("db.query.text", "SELECT 999993653"),
		attribute("http.request.header.authorization", "Bearer x"), attribute("exception.message", "999993653"), attribute("user.id", "jansen"),
	}
	spans, rejected, err := Decode(body(t, s))
	if err != nil || rejected != 0 || len(spans) != 1 {
		t.Fatalf("got %d spans, %d rejected, %v", len(spans), rejected, err)
	}
	name := spans[0].Name
	if strings.Contains(name, "\x00") || len(name) > maxText || !strings.HasPrefix(name, "GET é") {
		t.Errorf("name: %q", name)
	}
	spans[0].Name = ""
	want := waterfall.Span{
		TraceID: strings.Repeat("01", 16), ID: strings.Repeat("02", 8), ParentID: strings.Repeat("03", 8), Part: "address",
		Kind: "server", Status: "Error", Start: 5000, End: 7500,
		Attributes: map[string]string{"http.route": "/adressen", "http.response.status_code": "500", "hub.consumer.oin": "00000099000000001000"},
	}
	if diff := cmp.Diff(want, spans[0]); diff != "" {
		t.Errorf("span (-want +got):\n%s", diff)
	}
}

func TestSpansThatCannotBePlacedAreRejectedOneByOne(t *testing.T) {
	tests := []struct {
		name   string
		change func(*trace.Span)
	}{
		{"a short trace id", func(s *trace.Span) { s.TraceId = s.TraceId[:15] }},
		{"a trace id of zeros", func(s *trace.Span) { s.TraceId = make([]byte, 16) }},
		{"no span id", func(s *trace.Span) { s.SpanId = nil }},
		{"a parent of the wrong length", func(s *trace.Span) { s.ParentSpanId = s.ParentSpanId[:3] }},
		{"no start", func(s *trace.Span) { s.StartTimeUnixNano = 0 }},
		{"an end before the start", func(s *trace.Span) { s.EndTimeUnixNano = 1 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := good()
			tt.change(bad)
			spans, rejected, err := Decode(body(t, bad, good()))
			if err != nil || rejected != 1 || len(spans) != 1 {
				t.Errorf("got %d spans, %d rejected, %v, want one of each", len(spans), rejected, err)
			}
		})
	}
	raw, err := Answer(3)
	if err != nil {
		t.Fatal(err)
	}
	var answer collector.ExportTraceServiceResponse
	if err := proto.Unmarshal(raw, &answer); err != nil || answer.GetPartialSuccess().GetRejectedSpans() != 3 {
		t.Errorf("answer: %v, %v", &answer, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(body(f, good()))
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		spans, _, err := Decode(raw)
		if err != nil && spans != nil {
			t.Error("spans with an error")
		}
		for _, s := range spans {
			if len(s.TraceID) != 32 || len(s.ID) != 16 || s.Start <= 0 || s.End < s.Start || strings.Contains(s.Name+s.Part, "\x00") {
				t.Errorf("span that cannot be stored: %+v", s)
			}
		}
	})
}
