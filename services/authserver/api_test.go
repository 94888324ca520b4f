package authserver_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/services/authserver/api"
)

// throughGateway sends requests for the outside URL of the hub to the server under test.
type throughGateway struct{ h *hub }

func (g throughGateway) RoundTrip(r *http.Request) (*http.Response, error) {
	text := strings.Replace(r.URL.String(), hubURL, g.h.base, 1)
	inner, err := http.NewRequestWithContext(r.Context(), r.Method, text, r.Body)
	if err != nil {
		return nil, err
	}
	inner.Header = r.Header
	return g.h.http.Transport.RoundTrip(inner)
}

func TestTheClientGetsTokensFromMetadataAlone(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.RS256} {
		t.Run(string(alg), func(t *testing.T) {
			h, c := oneClient(t, alg, nil)
			outside := &http.Client{Transport: throughGateway{h}}
			metadata, err := api.Discover(t.Context(), outside, hubURL)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKCS8PrivateKey(c.key)
			if err != nil {
				t.Fatal(err)
			}
			key, err := api.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), c.kid, string(alg))
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			client := &api.Client{HTTP: outside, Metadata: metadata, ID: c.id, Key: key, Now: func() time.Time { return now }}
			first, err := client.Token(t.Context(), api.Request{Resource: bag})
			if err != nil {
				t.Fatal(err)
			}
			h.verify(answer{status: 200, AccessToken: first.AccessToken}, bag)
			if again, err := client.Token(t.Context(), api.Request{Resource: bag}); err != nil || again != first {
				t.Errorf("a token that lives was not kept: %v", err)
			}
			client.Forget(api.Request{Resource: bag})
			if other, err := client.Token(t.Context(), api.Request{Resource: bag}); err != nil || other == first {
				t.Errorf("a forgotten token was given again: %v", err)
			}
			_, err = client.Token(t.Context(), api.Request{Resource: zaken})
			var refusal *api.Error
			if !errors.As(err, &refusal) || refusal.Code != "no-contract" || refusal.Side != "organisation" || refusal.Status != 400 {
				t.Errorf("got %v, want the refusal no-contract", err)
			}
		})
	}
}

func TestTheDescriptionIsValidAndCoversTheEndpoints(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h, c := oneClient(t, jose.ES256, nil)
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			req, _ := http.NewRequest(method, h.base+path, nil)
			if got := h.do(req).status; got == http.StatusNotFound || got == http.StatusMethodNotAllowed {
				t.Errorf("%s %s is described and answers %d", method, path, got)
			}
		}
	}
	schema := doc.Components.Schemas["Fout"].Value
	var refusal any
	if err := json.Unmarshal([]byte(h.post(c.form(t, "resource", zaken), nil).raw), &refusal); err != nil {
		t.Fatal(err)
	}
	if err := schema.VisitJSON(refusal); err != nil {
		t.Errorf("a refusal is not as described: %v", err)
	}
	var good any
	if err := json.Unmarshal([]byte(h.post(c.form(t, "resource", bag), nil).raw), &good); err != nil {
		t.Fatal(err)
	}
	if err := doc.Components.Schemas["Token"].Value.VisitJSON(good); err != nil {
		t.Errorf("an answer is not as described: %v", err)
	}
}
