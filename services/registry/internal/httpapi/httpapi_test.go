package httpapi_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/services/registry/api"
	"noorderhub.nl/hub/services/registry/internal/httpapi"
	"noorderhub.nl/hub/services/registry/internal/publisher"
)

// quiet is a Publisher that never has anything newer.
type quiet struct{ httpapi.Publisher }

func (quiet) Await(ctx context.Context, _ api.Held) (*publisher.State, error) {
	<-ctx.Done()
	return nil, api.ErrNothingNewer
}

// poll asks as the gateway for the snapshot.
func poll(t *testing.T, stopping <-chan struct{}, query string) *http.Response {
	t.Helper()
	h := httpapi.New(httpapi.Options{
		Publisher: quiet{}, Hub: "https://hub.example.nl", Stopping: stopping, Telemetry: telemetry.Noop(),
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	leaf := &x509.Certificate{DNSNames: []string{"gateway.hub.internal"}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/intern/v1/snapshot?"+query, nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}}}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Result()
}

func TestAStopTellsFollowersToWait(t *testing.T) {
	stopping := make(chan struct{})
	if got := poll(t, stopping, "wacht=0").StatusCode; got != http.StatusNoContent {
		t.Errorf("got %d while nothing is newer, want 204", got)
	}
	close(stopping)
	got := poll(t, stopping, "wacht=60")
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("got %d with Retry-After %q, want 503 with one: after 204 a follower asks again at once",
			got.StatusCode, got.Header.Get("Retry-After"))
	}
}

func TestTheDescriptionsAreValidAndNameWhatIsServed(t *testing.T) {
	for name, tt := range map[string]struct {
		text  []byte
		paths map[string]string
	}{
		"beheer": {api.OpenAPI, nil}, // that all of it is served is proved where tenants are kept apart
		"intern": {api.InternalOpenAPI, map[string]string{"/snapshot": "GET", "/sleutels/{part}/{instance}": "PUT", "/herladen": "POST", "/proeven": "GET", "/proeven/{id}/{instance}": "PUT", "/gateways/{instance}": "PUT"}},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := doc.Paths.Len(), len(tt.paths); tt.paths != nil && got != want {
			t.Errorf("%s: got %d paths, want %d", name, got, want)
		}
		for path, method := range tt.paths {
			item := doc.Paths.Value(path)
			if item == nil || item.GetOperation(method) == nil {
				t.Errorf("%s: %s %s is not described", name, method, path)
			}
		}
	}
}
