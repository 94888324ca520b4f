package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"noorderhub.nl/hub/services/journal/api"
)

func good() api.Record {
	return api.Record{
		ID: api.RecordID{Gateway: "gw-1", Sequence: 1}, Previous: api.Genesis, Kind: api.KindOutcome,
		At: time.Date(2026, 11, 23, 9, 0, 0, 1000, time.UTC), TransactionID: "0193a000-0000-7000-8000-000000000001",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", SpanID: "00f067aa0ba902b7",
		Outcome: &api.Outcome{Status: 200, AnsweredBy: "service", Code: "<&>"},
	}
}

func TestALineComesBackAsItWas(t *testing.T) {
	line, err := api.Encode(good())
	if err != nil {
		t.Fatal(err)
	}
	got, err := api.Decode(line)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(good(), got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	again, err := api.Encode(got)
	if err != nil || string(again) != string(line) || api.Hash(again) != api.Hash(line) {
		t.Errorf("encoded again: %s, want %s", again, line)
	}
	if got, want := api.Hash(nil), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; got != want {
		t.Errorf("hash of nothing: got %s, want %s", got, want)
	}
}

func TestDecodeRefusesABrokenLine(t *testing.T) {
	tests := []struct {
		name   string
		change func(*api.Record)
		want   string
	}{
		{"no gateway", func(r *api.Record) { r.ID.Gateway = "" }, "recordId.gateway"},
		{"a gateway with a slash", func(r *api.Record) { r.ID.Gateway = "a/b" }, "recordId.gateway"},
		{"sequence zero", func(r *api.Record) { r.ID.Sequence = 0 }, "recordId.sequence"},
		{"a previous that is no hash", func(r *api.Record) { r.Previous = "x" }, "previous"},
		{"no time", func(r *api.Record) { r.At = time.Time{} }, "at"},
		{"a transaction id with a space", func(r *api.Record) { r.TransactionID = "a b" }, "transaction_id"},
		{"a trace id in capitals", func(r *api.Record) { r.TraceID = strings.ToUpper(r.TraceID) }, "trace_id"},
		{"both halves", func(r *api.Record) { r.Decision = &api.Decision{} }, "outcome"},
		{"a decision without its half", func(r *api.Record) { r.Kind = api.KindDecision }, "decision"},
		{"no kind", func(r *api.Record) { r.Kind = "" }, "kind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := good()
			tt.change(&r)
			line, err := api.Encode(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.Decode(line); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to name %s", err, tt.want)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	line, _ := api.Encode(good())
	f.Add(line)
	f.Add([]byte(`{"kind":"decision"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := api.Decode(line)
		if err != nil {
			return
		}
		if (r.Decision == nil) == (r.Outcome == nil) || r.ID.Sequence == 0 {
			t.Errorf("a record with both or neither half was taken: %s", line)
		}
	})
}

func TestShipCutsALogIntoBatchesWithinTheLimits(t *testing.T) {
	var batches, lines int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			body.Write(buf[:n])
			if err != nil {
				break
			}
		}
		batches++
		n := strings.Count(body.String(), "\n")
		lines += n
		if n > api.MaxBatchLines || body.Len() > api.MaxBatchBytes+api.MaxBatchLines {
			t.Errorf("batch of %d lines and %d bytes", n, body.Len())
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer server.Close()
	client := &api.Client{Base: server.URL, HTTP: server.Client()}
	long := []byte(strings.Repeat("x", api.MaxLine))
	var log [][]byte
	for range 100 {
		log = append(log, long)
	}
	for range 2500 {
		log = append(log, []byte("y"))
	}
	if err := client.ShipLines(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	if lines != len(log) || batches < 4 {
		t.Errorf("got %d lines in %d batches, want %d lines", lines, batches, len(log))
	}
}

func TestAnErrorOfTheClientShowsNoQuery(t *testing.T) {
	client := &api.Client{Base: "http://127.0.0.1:1", HTTP: http.DefaultClient}
	_, err := client.Calls(t.Context(), map[string][]string{"organisatie": {"00000099000000001000"}})
	if err == nil || strings.Contains(err.Error(), "00000099000000001000") {
		t.Errorf("got %v, want an error without the query", err)
	}
}
