package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/ory/fosite"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/authserver/internal/clients"
	"noorderhub.nl/hub/services/authserver/internal/oauth"
	"noorderhub.nl/hub/services/registry/api"
)

type nobody struct{}

func (nobody) Authenticate(context.Context, *http.Request, url.Values) (*clients.Authenticated, error) {
	return nil, errors.New("nobody")
}

func (nobody) Signer(*api.Snapshot) (*token.Signer, error) { return nil, errors.New("none") }

func options() Options {
	return Options{
		Addresses: oauth.Addresses{Hub: "https://hub.example"}, Clients: nobody{}, Keys: nobody{}, Life: 5 * time.Minute,
		Logger: slog.New(slog.DiscardHandler), Meter: telemetry.Noop().Meter("test"), Now: time.Now,
	}
}

// Trap 11 by construction: no field that a getter of fosite's configuration fills in lazily is left empty.
func TestTrap11EveryStrategyIsSet(t *testing.T) {
	_, config := newProvider(options())
	for _, field := range []string{
		"ScopeStrategy", "AudienceMatchingStrategy", "ClientSecretsHasher", "JWKSFetcherStrategy", "ClientAuthenticationStrategy",
		"HTTPClient", "MessageCatalog",
	} {
		if reflect.ValueOf(config).Elem().FieldByName(field).IsNil() {
			t.Errorf("%s is left to fosite", field)
		}
	}
	if got := len(config.TokenEndpointHandlers); got != 1 {
		t.Errorf("got %d token handlers, want client_credentials only", got)
	}
	if config.SendDebugMessagesToClients {
		t.Error("debug messages go to clients")
	}
}

// Traps 1, 7 and 12 by construction: what fosite could fall back on refuses.
func TestTheFallbacksOfFositeRefuse(t *testing.T) {
	ctx := t.Context()
	if err := (noSecrets{}).Compare(ctx, nil, nil); err == nil {
		t.Error("a secret matched")
	}
	if _, err := (noFetching{}).Resolve(ctx, "http://127.0.0.1/", true); err == nil {
		t.Error("keys were fetched")
	}
	if _, err := (storage{}).GetClient(ctx, "x"); err == nil {
		t.Error("fosite found a client")
	}
	if (storage{}).ClientAssertionJWTValid(ctx, "x") == nil || (storage{}).SetClientAssertionJWT(ctx, "x", time.Now()) == nil {
		t.Error("fosite may judge an assertion")
	}
	if err := (strategy{}).ValidateAccessToken(ctx, nil, "x"); err == nil {
		t.Error("fosite may judge a token")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := New(options()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no clients":       func(o *Options) { o.Clients = nil },
		"no keys":          func(o *Options) { o.Keys = nil },
		"no logger":        func(o *Options) { o.Logger = nil },
		"no meter":         func(o *Options) { o.Meter = nil },
		"no clock":         func(o *Options) { o.Now = nil },
		"no issuer":        func(o *Options) { o.Addresses.Hub = "" },
		"a life of 16 min": func(o *Options) { o.Life = 16 * time.Minute },
		"no life":          func(o *Options) { o.Life = 0 },
	} {
		o := options()
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

func TestWhateverFositeReturnsIsOneOfOurRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		name string
		code string
	}{
		"ours":               {oauth.Refuse(oauth.InvalidScope, codeRequest.New("x")), "invalid_scope", "token-request-invalid"},
		"a code of ours":     {errs.CodeUnavailable.New("x"), "temporarily_unavailable", "temporarily-unavailable"},
		"fosite's":           {fosite.ErrInvalidRequest, "invalid_request", "token-request-invalid"},
		"fosite's own fault": {fosite.ErrServerError, "server_error", "internal-error"},
		"anything else":      {errors.New("dial tcp 10.0.0.1"), "server_error", "internal-error"},
	} {
		got := refusalOf(tc.err)
		if got.Name != tc.name || got.Cause.Code.ID != tc.code {
			t.Errorf("%s: got %s %s, want %s %s", name, got.Name, got.Cause.Code.ID, tc.name, tc.code)
		}
	}
}
