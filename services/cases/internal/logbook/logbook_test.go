package logbook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	authserver "noorderhub.nl/hub/services/authserver/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	"noorderhub.nl/hub/services/cases/internal/logbook"
	journal "noorderhub.nl/hub/services/journal/api"
)

const assen = "00000099000000002000"

// hub is the outside of a hub as far as the logbook sees it.
type hub struct {
	*httptest.Server
	tokens  atomic.Int32
	refuse  atomic.Bool
	records chan journal.ProcessingRecord
}

func newHub(t *testing.T) *hub {
	t.Helper()
	h := &hub{records: make(chan journal.ProcessingRecord, 10)}
	answer := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, map[string]string{"issuer": h.URL, "token_endpoint": h.URL + "/oauth2/token"})
	})
	mux.HandleFunc("POST /oauth2/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("resource") != h.URL+"/journaal" || r.FormValue("scope") != journal.ScopeWrite {
			t.Errorf("token asked for %q %q", r.FormValue("resource"), r.FormValue("scope"))
		}
		h.tokens.Add(1)
		answer(w, 200, map[string]any{"access_token": "secret", "token_type": "Bearer", "expires_in": 600})
	})
	mux.HandleFunc("POST /journaal/v1/verwerkingen", func(w http.ResponseWriter, r *http.Request) {
		if h.refuse.Load() || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var batch journal.ProcessingBatch
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil || len(batch.Records) != 1 {
			t.Errorf("batch: %v, %d records", err, len(batch.Records))
			return
		}
		h.records <- batch.Records[0]
		answer(w, 201, journal.Receipt{Stored: 1})
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func newLogbook(t *testing.T, h *hub) *logbook.Logbook {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return logbook.New(logbook.Options{
		Hub: h.URL, HTTP: h.Client(), Client: "noorderhub-cases", Part: "cases",
		Key: authserver.Key{Alg: authserver.ES256, Signer: key},
	})
}

func TestARecordIsWrittenAsAnActionWithinTheCallsTrace(t *testing.T) {
	h := newHub(t)
	l := newLogbook(t, h)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 2}, SpanID: trace.SpanID{3}})
	at := time.Now().Add(-time.Second)
	seen := map[string]bool{}
	for range 2 {
		err := l.Write(trace.ContextWithSpanContext(t.Context(), span), exchange.Processing{Controller: assen, Activity: "https://r.example/1", Name: "zaak ophalen", At: at})
		if err != nil {
			t.Fatal(err)
		}
		r := <-h.records
		if r.Controller != assen || r.TraceID != span.TraceID().String() || r.ParentSpanID != span.SpanID().String() || r.Status != "Ok" ||
			r.Name != "zaak ophalen" || r.StartTime != at.UnixMilli() || r.EndTime < r.StartTime || r.Resource.Attributes["service.name"] != "cases" ||
			len(r.Attributes) != 1 || r.Attributes[journal.AttributeActivity] != "https://r.example/1" {
			t.Errorf("got %+v", r)
		}
		if seen[r.SpanID] || r.SpanID == r.ParentSpanID {
			t.Error("two actions share a span id")
		}
		seen[r.SpanID] = true
	}
	if got := h.tokens.Load(); got != 1 {
		t.Errorf("tokens: got %d, want one that is kept", got)
	}
	if err := l.Write(t.Context(), exchange.Processing{Controller: assen, Activity: "https://r.example/1", Name: "x", At: at}); err != nil {
		t.Fatal(err)
	}
	if r := <-h.records; !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(r.TraceID) || r.ParentSpanID != "" {
		t.Errorf("without a trace: got %+v", r)
	}
}

func TestARecordThatIsNotConfirmedIsAnError(t *testing.T) {
	h := newHub(t)
	l := newLogbook(t, h)
	h.refuse.Store(true)
	p := exchange.Processing{Controller: assen, Activity: "https://r.example/1", Name: "x", At: time.Now()}
	if err := l.Write(t.Context(), p); err == nil {
		t.Error("the journal refused, and nobody said so")
	}
	h.refuse.Store(false)
	if err := l.Write(t.Context(), p); err != nil || h.tokens.Load() != 2 {
		t.Errorf("afterwards: %v, %d tokens, want a new one after the refusal", err, h.tokens.Load())
	}
	h.Close()
	if err := newLogbook(t, h).Write(t.Context(), p); err == nil {
		t.Error("the hub is away, and nobody said so")
	}
}
