package oauth_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
)

func TestARefusalKeepsToTheCharactersOfRFC6749(t *testing.T) {
	var log strings.Builder
	w := oauth.Writer{Problems: problem.Writer{Hub: "https://hub.example"}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	code := errs.CodeUnavailable
	rec := httptest.NewRecorder()
	cause := code.Wrap(errors.New("dial 10.0.0.1"), "%s", "Gemeente \"Súdwest-Fryslân\"\\\r\n\x00").WithRetryAfter(1500 * time.Millisecond)
	w.Write(rec, httptest.NewRequest(http.MethodPost, "/oauth2/token", nil), oauth.Refuse(oauth.TemporarilyUnavailable, cause), "client-1")

	var body map[string]string
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if got, want := body["error_description"], "Gemeente 'S?dwest-Frysl?n'????. "+code.Next; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := body["error_uri"], "https://hub.example/portaal/fouten/temporarily-unavailable"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if rec.Code != 503 || rec.Header().Get("Retry-After") != "2" {
		t.Errorf("got %d, Retry-After %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	if strings.Contains(rec.Body.String(), "10.0.0.1") || !strings.Contains(log.String(), "10.0.0.1") {
		t.Error("the cause belongs in the log and nowhere else")
	}
}

func TestTheAliasExistsOnlyWithItsListener(t *testing.T) {
	if got := (oauth.Addresses{Hub: "https://h"}).TokenMTLS(); got != "" {
		t.Errorf("got %q without a listener", got)
	}
	if got, want := (oauth.Addresses{Hub: "https://h", MTLS: "https://m"}).TokenMTLS(), "https://m/oauth2/token"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
