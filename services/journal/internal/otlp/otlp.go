// Package otlp reads spans as OpenTelemetry sends them (OTLP/HTTP, protobuf). It keeps a list of attributes that describe
// a call and nothing of its content; whatever else a part puts on a span is left out here.
package otlp

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"noorderhub.nl/hub/services/journal/internal/waterfall"
)

const (
	maxSpans = 10000 // in one request
	maxText  = 256   // bytes of a name or value
)

// kept lists the attributes that are stored.
var kept = map[string]bool{
	"http.request.method": true, "http.route": true, "http.response.status_code": true, "server.address": true,
	"error.type": true, "exception.type": true, "db.system.name": true, "db.operation.name": true,
}

// keptPrefix is of our own attributes, e.g. hub.consumer.oin.
const keptPrefix = "hub."

// Decode reads a request. Spans without valid ids or times are counted, not taken.
func Decode(body []byte) (spans []waterfall.Span, rejected int64, err error) {
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		return nil, 0, errors.New("the body is not an ExportTraceServiceRequest")
	}
	for _, rs := range request.GetResourceSpans() {
		part := "unknown"
		for _, a := range rs.GetResource().GetAttributes() {
			if a.GetKey() == "service.name" {
				part = text(a.GetValue().GetStringValue())
			}
		}
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				span, ok := convert(s, part)
				if !ok || len(spans) == maxSpans {
					rejected++
					continue
				}
				spans = append(spans, span)
			}
		}
	}
	return spans, rejected, nil
}

func convert(s *trace.Span, part string) (waterfall.Span, bool) {
	start, end := s.GetStartTimeUnixNano()/1000, s.GetEndTimeUnixNano()/1000 // uint64 ns fits int64 µs
	valid := id(s.GetTraceId(), 16) && id(s.GetSpanId(), 8) && start > 0 && end >= start
	if parent := s.GetParentSpanId(); len(parent) != 0 && len(parent) != 8 {
		valid = false
	}
	return waterfall.Span{
		TraceID:    hex.EncodeToString(s.GetTraceId()),
		ID:         hex.EncodeToString(s.GetSpanId()),
		ParentID:   hex.EncodeToString(s.GetParentSpanId()),
		Part:       part,
		Name:       text(s.GetName()),
		Kind:       kind(s.GetKind()),
		Status:     status(s.GetStatus().GetCode()),
		Start:      int64(start),
		End:        int64(end),
		Attributes: attributes(s.GetAttributes()),
	}, valid
}

func id(b []byte, size int) bool {
	return len(b) == size && strings.Trim(string(b), "\x00") != ""
}

func attributes(given []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range given {
		if !kept[a.GetKey()] && !strings.HasPrefix(a.GetKey(), keptPrefix) {
			continue
		}
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[text(a.GetKey())] = text(v.StringValue)
		case *common.AnyValue_IntValue:
			out[text(a.GetKey())] = strconv.FormatInt(v.IntValue, 10)
		case *common.AnyValue_BoolValue:
			out[text(a.GetKey())] = strconv.FormatBool(v.BoolValue)
		}
	}
	return out
}

// text makes what a part wrote storable: cut, valid UTF-8, no NUL, which PostgreSQL cannot hold.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

func kind(k trace.Span_SpanKind) string {
	switch k {
	case trace.Span_SPAN_KIND_SERVER:
		return "server"
	case trace.Span_SPAN_KIND_CLIENT:
		return "client"
	case trace.Span_SPAN_KIND_PRODUCER:
		return "producer"
	case trace.Span_SPAN_KIND_CONSUMER:
		return "consumer"
	default:
		return "internal"
	}
}

func status(c trace.Status_StatusCode) string {
	switch c {
	case trace.Status_STATUS_CODE_OK:
		return "Ok"
	case trace.Status_STATUS_CODE_ERROR:
		return "Error"
	default:
		return "Unset"
	}
}

// Answer is the body of a 200.
func Answer(rejected int64) ([]byte, error) {
	answer := &collector.ExportTraceServiceResponse{}
	if rejected > 0 {
		answer.PartialSuccess = &collector.ExportTracePartialSuccess{
			RejectedSpans: rejected, ErrorMessage: "spans without valid ids or times, or too many",
		}
	}
	return proto.Marshal(answer)
}
