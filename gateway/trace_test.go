package gateway_test

import (
	"net/http"
	"strings"
	"testing"
)

// The trace context of a client goes on as far as it is well-formed (W3C Trace Context §3.2, §4.2 and §4.3); whatever else
// it sends begins a new trace and is passed to nobody. Baggage stops here both ways.
func TestTheTraceContextCrossesTheBorderAndBaggageDoesNot(t *testing.T) {
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	good := "00-" + trace + "-" + parent + "-01"
	r := newRig(t)
	r.serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Baggage", "bsn=999993653")
		w.Header().Set("Tracestate", "dienst=1")
		w.Header().Set("Traceparent", "00-11111111111111111111111111111111-2222222222222222-01")
	})
	for _, tc := range []struct {
		name      string
		header    http.Header
		continued bool
		state     string
	}{
		{"a good context", http.Header{"Traceparent": {good}, "Tracestate": {"gemeente=abc,ander=1"}}, true, "gemeente=abc,ander=1"},
		{"two lines of state", http.Header{"Traceparent": {good}, "Tracestate": {"gemeente=abc", "ander=1"}}, true, ""},
		{"a later version", http.Header{"Traceparent": {"cc-" + trace + "-" + parent + "-01-later"}}, true, ""},
		{"a state that is none", http.Header{"Traceparent": {good}, "Tracestate": {"GEEN STATE"}}, true, ""},
		{"a state without parent", http.Header{"Tracestate": {"gemeente=abc"}}, false, ""},
		{"a trace of nought", http.Header{"Traceparent": {"00-" + strings.Repeat("0", 32) + "-" + parent + "-01"}}, false, ""},
		{"a parent of nought", http.Header{"Traceparent": {"00-" + trace + "-" + strings.Repeat("0", 16) + "-01"}}, false, ""},
		{"capitals", http.Header{"Traceparent": {strings.ToUpper(good)}}, false, ""},
		{"a forbidden version", http.Header{"Traceparent": {"ff" + good[2:]}}, false, ""},
		{"too long for its version", http.Header{"Traceparent": {good + "-99"}}, false, ""},
		{"words", http.Header{"Traceparent": {"moi; DROP TABLE"}}, false, ""},
	} {
		before := len(r.calls())
		tc.header.Set("Baggage", "bsn=999993653")
		got := r.do("GET", path, r.token(nil), nil, tc.header)
		if got.StatusCode != 200 {
			t.Errorf("%s: got %d", tc.name, got.StatusCode)
			continue
		}
		in := r.calls()[before].Header
		out := got.Header.Get("Traceparent")
		if len(out) != 55 || out[3:35] != in.Get("Traceparent")[3:35] {
			t.Errorf("%s: the client got %q, the service %q: not one trace", tc.name, out, in.Get("Traceparent"))
		}
		if continued := strings.Contains(out, trace); continued != tc.continued || strings.Contains(out, parent) {
			t.Errorf("%s: got %q, want the trace continued: %v", tc.name, out, tc.continued)
		}
		if tc.state != "" && in.Get("Tracestate") != tc.state || !tc.continued && in["Tracestate"] != nil {
			t.Errorf("%s: the service got the state %q, want %q", tc.name, in["Tracestate"], tc.state)
		}
		if in["Baggage"] != nil || got.Header["Baggage"] != nil || got.Header["Tracestate"] != nil {
			t.Errorf("%s: baggage or state crossed: in %v, out %v %v", tc.name, in["Baggage"], got.Header["Baggage"], got.Header["Tracestate"])
		}
	}
	twice := r.do("GET", path, r.token(nil), nil, http.Header{"Traceparent": {good, good}})
	if twice.problem().Code != "header-invalid" {
		t.Errorf("two parents: got %d %s", twice.StatusCode, twice.body)
	}
}
