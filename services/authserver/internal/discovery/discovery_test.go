package discovery_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"noorderhub.nl/hub/services/authserver/internal/discovery"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
)

func TestWithoutAListenerForCertificatesThereIsNoAlias(t *testing.T) {
	for mtls, want := range map[string]bool{"": false, "https://m.example": true} {
		h, err := discovery.New(oauth.Addresses{Hub: "https://h.example", MTLS: mtls})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, discovery.PathOAuth, nil))
		if got := strings.Contains(w.Body.String(), "mtls_endpoint_aliases"); got != want {
			t.Errorf("mtls %q: got aliases %v, want %v", mtls, got, want)
		}
		if !strings.Contains(w.Body.String(), `"issuer":"https://h.example"`) {
			t.Errorf("got %s", w.Body.String())
		}
	}
}
