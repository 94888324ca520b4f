package journal

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/app"
	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	"noorderhub.nl/hub/services/registry/api"
)

func TestConfigurationIsRefusedWithAllFaults(t *testing.T) {
	var cfg Config
	err := cfg.Validate()
	if err == nil {
		t.Fatal("an empty configuration was taken")
	}
	for _, want := range []string{"listen", "database", "workload.cert", "workload.key", "workload.ca", "hub is not", "hubOin", "pseudonyms", "keepSpans", "stopTimeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not among the faults: %v", want, err)
		}
	}
	text := `{listen: ":0", database: "sqlite:x", hub: "https://hub.example.nl", hubOin: "00000099000000009000", ` +
		`workload: {cert: c, key: k, ca: a}, pseudonyms: "a master key of pseudonyms for tests", registry: {url: "https://r", keys: [k], file: f}}`
	good := Defaults()
	if err := config.Parse([]byte(text), &good); err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	if err := config.Print(&shown, good); err != nil || strings.Contains(shown.String(), "master key") {
		t.Errorf("printed: %s, %v, want it without the key", shown.String(), err)
	}
}

type snapshots struct{ current *api.Snapshot }

func (s *snapshots) Current() *api.Snapshot { return s.current }

func TestKeysOfCallTokensAreThoseOfGatewaysInTheNewestSnapshot(t *testing.T) {
	set := func(i *tokentest.Issuer) (kid string, jwks json.RawMessage) {
		for id, key := range i.Keys() {
			raw, err := token.PublicSet(key)
			if err != nil {
				t.Fatal(err)
			}
			return id, raw
		}
		return "", nil
	}
	first, firstSet := set(tokentest.New(t, "hub", token.TypeCall))
	second, secondSet := set(tokentest.New(t, "hub", token.TypeCall))
	access, accessSet := set(tokentest.New(t, "hub", token.TypeAccess))
	source := &snapshots{}
	keys, err := gatewayKeys(t.Context(), app.New("test", slog.New(slog.DiscardHandler), time.Second), api.Following{}, nil, nil, Deps{Snapshots: source})
	if err != nil {
		t.Fatal(err)
	}
	known := func(kid string) bool { _, ok := keys.Key(kid); return ok }
	if known(first) {
		t.Error("a key without a snapshot")
	}
	source.current = &api.Snapshot{Keys: []api.PartKeys{
		{Part: "gateway", Instance: "broken", JWKS: json.RawMessage(`{"keys":[{}]}`)},
		{Part: "gateway", Instance: "gw-1", JWKS: firstSet}, {Part: "authserver", Instance: "as-1", JWKS: accessSet},
	}}
	if !known(first) || known(second) || known(access) {
		t.Errorf("first %v, second %v, authserver's %v, want the first only", known(first), known(second), known(access))
	}
	source.current = &api.Snapshot{Keys: []api.PartKeys{{Part: "gateway", Instance: "gw-1", JWKS: secondSet}}}
	if known(first) || !known(second) {
		t.Error("the keys of the newest snapshot are not in force")
	}
}

func TestNewRefusesWhatItCannotRunWith(t *testing.T) {
	if _, err := New(t.Context(), Config{}, Deps{}); err == nil {
		t.Error("no logger was taken")
	}
	if _, err := New(t.Context(), Config{}, Deps{Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop()}); err == nil {
		t.Error("an empty configuration was taken")
	}
}
