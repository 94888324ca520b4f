package authserver_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/services/authserver"
	"noorderhub.nl/hub/services/registry/api"
)

const goodConfig = `
listen: 127.0.0.1:0
instance: authserver-1
workload: {cert: c, key: k, ca: a}
hub: https://hub.example
mtls: https://mtls.hub.example
registry: {url: "https://registry.hub.internal:8443", keys: [r.pem], file: snapshot}
database: sqlite:authserver.db
envelope: c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=
redis: {addrs: ["redis:6379"], password: hunter2}
`

func TestTheConfigurationIsStrictAndPrintsNoSecret(t *testing.T) {
	cfg := authserver.Defaults()
	if err := config.Parse([]byte(goodConfig), &cfg); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := config.Print(&out, cfg); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "c2VjcmV0"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the printed configuration shows %s", secret)
		}
	}
	bad := authserver.Defaults()
	err := config.Parse([]byte("hub: http://hub.example/\nmtls: http://127.0.0.1:1\ntokenLife: 16m\nsecret: x\ntelemetry: {ratio: 2}\n"), &bad)
	if err == nil {
		t.Fatal("a bad configuration was taken")
	}
	for _, want := range []string{"listen", "instance", "database", "envelope", "workload.cert", "hub:", "mtls:", "tokenLife", "secret", "redis", "registry.url", "registry.keys", "ratio"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the fault of %s is not reported with the others: %v", want, err)
		}
	}
}

func TestTheIssuerIsPlainOnLoopbackOnly(t *testing.T) {
	for hub, want := range map[string]bool{
		"https://hub.example": true, "http://127.0.0.1:8080": true, "http://localhost:8080": true, "http://[::1]:8080": true,
		"http://hub.example": false, "https://hub.example/": false, "https://hub.example/x": false, "https://hub.example?x": false,
		"https://u:p@hub.example": false, "hub.example": false, "ftp://hub.example": false, "": false, "http://127.0.0.1.evil.example": false,
	} {
		cfg := authserver.Defaults()
		err := config.Parse([]byte(strings.Replace(goodConfig, "hub: https://hub.example", `hub: "`+hub+`"`, 1)), &cfg)
		if got := err == nil; got != want {
			t.Errorf("%q: got %v, want %v (%v)", hub, got, want, err)
		}
	}
}

func TestNewThatFailsLeavesNothingOpen(t *testing.T) {
	h, _ := oneClient(t, jose.ES256, nil)
	cfg := h.cfg
	cfg.Envelope = "AAAA"
	deps := authserver.Deps{Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), Snapshots: h.reg, Publish: h.reg.publish}
	cfg.Redis.Embedded = true
	if _, err := authserver.New(t.Context(), cfg, deps); err == nil {
		t.Error("started with a bad envelope key")
	}
	cfg = h.cfg
	cfg.Redis.Embedded, cfg.Listen = true, h.service.Addr() // taken
	if _, err := authserver.New(t.Context(), cfg, deps); err == nil {
		t.Error("started on a port that is taken")
	}
	if _, err := authserver.New(t.Context(), h.cfg, authserver.Deps{}); err == nil {
		t.Error("started without a logger")
	}
}

func TestWithoutASnapshotTheServerIsNotReady(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	h.reg.change(func(s *api.Snapshot) { s.Keys = nil })
	if err := h.service.Ready(t.Context()); err == nil {
		t.Error("ready with a key that the hub does not know")
	}
	refused(t, h.post(c.form(t, "resource", bag), nil), 503, "temporarily_unavailable", "signing-key-unpublished")
}

// BenchmarkToken is one token over the wire: TLS connection kept, assertion ES256, Redis in another goroutine of the process.
func BenchmarkToken(b *testing.B) {
	h, c := oneClient(b, jose.ES256, nil)
	h.reg.change(func(s *api.Snapshot) {
		for i := range 4000 { // a hub of forty municipalities
			s.Grants = append(s.Grants, grant("$1$3$"+time.Duration(i).String(), emmen, "zaken", nil))
		}
	})
	forms := make([]string, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if len(forms) == 0 {
			b.StopTimer()
			for range 512 {
				forms = append(forms, c.assertion(b, nil, nil))
			}
			b.StartTimer()
		}
		form := map[string][]string{
			"grant_type": {"client_credentials"}, "resource": {bag}, "client_assertion": {forms[len(forms)-1]},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		forms = forms[:len(forms)-1]
		if a := h.post(form, nil); a.status != 200 {
			b.Fatal(a.raw)
		}
	}
}
