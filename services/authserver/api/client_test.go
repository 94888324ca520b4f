package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/services/authserver/api"
)

func TestAClientDoesNotBelieveAnotherIssuer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"https://evil.example","token_endpoint":"https://evil.example/t"}`)
	}))
	defer server.Close()
	if _, err := api.Discover(context.Background(), server.Client(), server.URL); err == nil {
		t.Error("took the metadata of another issuer")
	}
}

func TestKeysThatCannotSignAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no PEM": "x", "a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"a damaged key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := api.ParseKey([]byte(text), "", ""); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
		if _, err := api.ParseKey(text, "", "RS256"); err == nil {
			t.Errorf("an EC key on %s was taken for RS256", curve.Params().Name)
		}
		if _, err := api.ParseKey(text, "", ""); (err == nil) != (curve == elliptic.P256()) {
			t.Errorf("%s: got %v", curve.Params().Name, err)
		}
	}
}

func TestATokenIsKeptUntilShortlyBeforeItsEnd(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if err := r.ParseForm(); err != nil || r.PostForm.Get("client_assertion") == "" || r.PostForm.Get("resource") != "r" {
			t.Errorf("got form %v", r.PostForm)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"t","token_type":"Bearer","expires_in":60,"scope":"s"}`)
	}))
	defer server.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	c := &api.Client{
		HTTP: server.Client(), Metadata: api.Metadata{Issuer: "i", TokenEndpoint: server.URL}, ID: "c",
		Key: api.Key{Alg: api.ES256, Signer: key}, Now: func() time.Time { return now },
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {39 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}} {
		now = now.Add(step.after)
		if _, err := c.Token(t.Context(), api.Request{Resource: "r"}); err != nil {
			t.Fatal(err)
		}
		if asked != step.want {
			t.Errorf("after %s more: asked %d times, want %d", step.after, asked, step.want)
		}
	}
}

func TestAnAnswerThatIsNoTokenIsAnError(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		status     int
		media, raw string
		refusal    bool
	}{
		"a refusal":        {400, "application/json", `{"error":"invalid_target","code":"no-contract"}`, true},
		"HTML":             {200, "text/html", "<html>", false},
		"a gateway's page": {502, "text/html", "<html>", false},
		"no token":         {200, "application/json", `{}`, false},
		"another type":     {200, "application/json", `{"access_token":"t","token_type":"mac"}`, false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", tc.media)
			w.WriteHeader(tc.status)
			_, _ = io.WriteString(w, tc.raw)
		}))
		c := &api.Client{
			HTTP: server.Client(), Metadata: api.Metadata{Issuer: "i", TokenEndpoint: server.URL}, ID: "c", Key: api.Key{Alg: api.ES256, Signer: key},
		}
		_, err := c.Token(t.Context(), api.Request{})
		var refusal *api.Error
		if err == nil || errors.As(err, &refusal) != tc.refusal {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "<html>") {
			t.Errorf("%s: the error repeats the answer", name)
		}
		server.Close()
	}
}
