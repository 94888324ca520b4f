package telemetry_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/telemetry"
)

func TestSpansGoToAnyCollectorByConfiguration(t *testing.T) {
	asked := make(chan http.Header, 1)
	collector := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header }))
	defer collector.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: collector.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	target := telemetry.Target{
		Endpoint: collector.URL + "/v1/traces", Ratio: 1, CA: ca, Headers: map[string]config.Secret{"Authorization": "Bearer of-the-collector"},
	}
	if err := target.Validate(); err != nil {
		t.Fatal(err)
	}
	client, err := target.Client(&http.Client{Transport: http.NewFileTransport(http.Dir("."))}) // would fail
	if err != nil {
		t.Fatal(err)
	}
	tel, err := telemetry.Setup(t.Context(), telemetry.Config{
		Service: "address", Endpoint: target.Endpoint, Ratio: 1, Delay: time.Millisecond,
	}, telemetry.Deps{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.Tracer("test").Start(t.Context(), "import")
	span.End()
	if got, want := (<-asked).Get("Authorization"), "Bearer of-the-collector"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheJournalIsReachedWithThePartsOwnCertificate(t *testing.T) {
	own := &http.Client{}
	got, err := telemetry.Target{Endpoint: "https://journal.example/v1/traces"}.Client(own)
	if err != nil || got != own {
		t.Errorf("got %p, %v; want the part's own client", got, err)
	}
}

func TestATargetIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target telemetry.Target
		want   string
	}{
		{"with a ratio above one", telemetry.Target{Ratio: 2}, "ratio"},
		{"with another protocol", telemetry.Target{Endpoint: "grpc://collector:4317"}, "not an http(s) URL"},
		{"without TLS to another machine", telemetry.Target{Endpoint: "http://10.0.0.8:4318/v1/traces"}, "no TLS"},
		{"with a ca but no TLS", telemetry.Target{Endpoint: "http://127.0.0.1:4318/v1/traces", CA: "system"}, "no TLS"},
		{"with a ca that is not there", telemetry.Target{Endpoint: "https://collector.example/v1/traces", CA: "gone.pem"}, "gone.pem"},
		{"with headers for the journal", telemetry.Target{Endpoint: "https://journal.example/v1/traces", Headers: map[string]config.Secret{"A": "b"}}, "headers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.target.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want something about %q", err, tt.want)
			}
		})
	}
	if err := (telemetry.Target{Endpoint: "http://127.0.0.1:4318/v1/traces", Ratio: 1}).Validate(); err != nil {
		t.Errorf("a collector on the same machine: %v", err)
	}
}
