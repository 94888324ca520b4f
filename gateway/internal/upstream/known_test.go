package upstream

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-kit/kit/sd"

	"noorderhub.nl/hub/libs/discovery"
	registry "noorderhub.nl/hub/services/registry/api"
)

const upstreamSecret = "een-geheim-van-meer-dan-tweeendertig-tekens" //nolint:gosec // of the test

func sealedPool(t *testing.T, key byte) (*Pool, *registry.UpstreamSealer) {
	t.Helper()
	sealer, err := registry.NewUpstreamSealer(base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(key), 32))))
	if err != nil {
		t.Fatal(err)
	}
	pool, err := NewPool(PoolConfig{
		PartTLS: func(string) *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{}}}
		}, Secrets: sealer,
		Logger: slog.New(slog.DiscardHandler), Catalogue: func(string) (sd.Instancer, error) { return discovery.Static{}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return pool, sealer
}

func asked() *http.Request {
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"peer_id":"00000099000000002000"}`))
	return &http.Request{Header: http.Header{"Authorization": {"Bearer x." + payload + ".x"}, "X-Api-Key": {"of the caller"}}}
}

func TestTheGatewayMakesItselfKnownAsTheServiceWants(t *testing.T) {
	pool, sealer := sealedPool(t, 'a')
	service := func(auth, name string) *registry.Service {
		sealed, err := sealer.Seal("x", auth, upstreamSecret)
		if err != nil {
			t.Fatal(err)
		}
		return &registry.Service{Slug: "x", Upstream: registry.Upstream{Auth: auth, AuthName: name, Secret: sealed}}
	}
	known, err := pool.known(service(registry.AuthHeader, "X-Api-Key"))
	if err != nil {
		t.Fatal(err)
	}
	r := asked()
	if err := known(r); err != nil || r.Header.Get("X-Api-Key") != upstreamSecret || r.Header.Get("Authorization") != "" {
		t.Errorf("got %v, %v; want the secret and no token", r.Header, err)
	}
	if known, err := pool.known(&registry.Service{Slug: "x"}); err != nil || known != nil {
		t.Errorf("got %v for a service that takes the call token", err)
	}
	config, err := pool.tls(&registry.Service{Slug: "x", Upstream: registry.Upstream{Auth: registry.AuthCertificate}})
	if err != nil || len(config.Certificates) != 1 {
		t.Errorf("got %v, want the gateway's certificate", err)
	}
	if _, err := pool.known(&registry.Service{Slug: "x", Upstream: registry.Upstream{Auth: "password"}}); err == nil {
		t.Error("an unknown way is none")
	}
}

func TestASecretOpensForItsServiceOnly(t *testing.T) {
	pool, sealer := sealedPool(t, 'a')
	sealed, err := sealer.Seal("x", registry.AuthHeader, upstreamSecret)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(sealed, upstreamSecret) {
		t.Error("the secret is readable")
	}
	other, _ := sealedPool(t, 'b')
	for name, tt := range map[string]struct {
		pool *Pool
		slug string
		auth string
	}{
		"another service": {pool, "y", registry.AuthHeader}, "another way": {pool, "x", registry.AuthZGW}, "another key": {other, "x", registry.AuthHeader},
	} {
		s := &registry.Service{Slug: tt.slug, Upstream: registry.Upstream{Auth: tt.auth, AuthName: "X-Api-Key", Secret: sealed}}
		if _, err := tt.pool.known(s); err == nil || strings.Contains(err.Error(), upstreamSecret) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// check reads a ZGW token with nothing but Python's own library.
const check = `
import base64, hashlib, hmac, json, sys
head, body, given = sys.argv[1].split('.')
pad = lambda s: base64.urlsafe_b64decode(s + '=' * (-len(s) % 4))
want = hmac.new(sys.argv[2].encode(), (head + '.' + body).encode(), hashlib.sha256).digest()
assert hmac.compare_digest(want, pad(given)), 'signature'
assert json.loads(pad(head))['alg'] == 'HS256', head
print(pad(body).decode())
`

func TestAZGWServiceReadsTheToken(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not here; infra/test.sh installs it")
	}
	known, err := zgwToken("noorderhub", upstreamSecret)
	if err != nil {
		t.Fatal(err)
	}
	r := asked()
	if err := known(r); err != nil {
		t.Fatal(err)
	}
	raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	out, err := exec.CommandContext(t.Context(), python, "-c", check, raw, upstreamSecret).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var claims struct {
		Iss    string `json:"iss"`
		Client string `json:"client_id"`
		User   string `json:"user_id"`
		Iat    int64  `json:"iat"`
	}
	if err := json.Unmarshal(out, &claims); err != nil || claims.Iss != "noorderhub" || claims.Client != "noorderhub" || claims.User != "00000099000000002000" || claims.Iat == 0 {
		t.Errorf("got %s, %v", out, err)
	}
}
