package authserver_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/api"
)

var sharedRSA struct {
	once sync.Once
	key  *rsa.PrivateKey
}

// rsaKey is one key for all tests: making one takes a second.
func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	sharedRSA.once.Do(func() { sharedRSA.key, _ = rsa.GenerateKey(rand.Reader, 2048) })
	if sharedRSA.key == nil {
		t.Fatal("no RSA key")
	}
	return sharedRSA.key
}

// oneClient is a hub with one client of Assen that may use the grant for bag.
func oneClient(t testing.TB, alg jose.SignatureAlgorithm, change func(*api.Client)) (*hub, client) {
	t.Helper()
	c := newClient(t, "assen-app", alg)
	h := start(t, func(s *api.Snapshot) {
		s.Clients = []api.Client{c.registered(t, assen, func(reg *api.Client) {
			reg.Assignments = []api.Assignment{{Name: "assen-vergunningen", GrantHash: "$1$3$assen-bag"}}
			if change != nil {
				change(reg)
			}
		})}
	})
	return h, c
}

func TestAClientGetsATokenUnderItsContract(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256} {
		t.Run(string(alg), func(t *testing.T) {
			h, c := oneClient(t, alg, nil)
			a := h.post(c.form(t, "resource", bag, "client_id", c.id), nil)
			claims := h.verify(a, bag)
			if a.TokenType != "Bearer" || a.ExpiresIn != 300 || a.Scope != "bag.lezen bag.schrijven" || a.Refresh != "" {
				t.Errorf("got answer %s", a.raw)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("got Cache-Control %q", got)
			}
			for name, got := range map[string]string{"sub": claims.Subject, "client_id": claims.ClientID, "azp": claims.AuthorizedParty} {
				if got != c.id {
					t.Errorf("got %s %q, want %q", name, got, c.id)
				}
			}
			if claims.GrantHash != "$1$3$assen-bag" || claims.GroupID != "noorderhub.test" || claims.PeerID != assen || claims.Confirmation != nil {
				t.Errorf("got claims %+v", claims)
			}
			if got := claims.Expires - claims.Issued; got != 300 {
				t.Errorf("got a life of %d s, want 300", got)
			}
			header, _ := base64.RawURLEncoding.DecodeString(strings.Split(a.AccessToken, ".")[0])
			for _, want := range []string{`"typ":"at+jwt"`, `"alg":"ES256"`, `"kid":`} {
				if !strings.Contains(string(header), want) {
					t.Errorf("got header %s, want %s in it", header, want)
				}
			}
			if strings.Contains(h.log.String(), a.AccessToken) || strings.Contains(h.log.String(), "eyJ") {
				t.Error("a token or assertion is in the log")
			}
		})
	}
}

func TestT27TheTokenEndsWithTheContract(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	end := time.Now().Add(30 * time.Second).Truncate(time.Second)
	h.reg.change(func(s *api.Snapshot) { s.Grants[0].NotAfter = end })
	a := h.post(c.form(t, "resource", bag), nil)
	if got := h.verify(a, bag).Expires.Time(); !got.Equal(end) {
		t.Errorf("got exp %v, want the contract's end %v", got, end)
	}
	for name, change := range map[string]func(*api.Grant){
		"ended":     func(g *api.Grant) { g.NotAfter = time.Now().Add(-time.Second) },
		"not begun": func(g *api.Grant) { g.NotAfter, g.NotBefore = time.Now().Add(time.Hour), time.Now().Add(time.Minute) },
		"ends just now": func(g *api.Grant) {
			g.NotBefore, g.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(100*time.Millisecond)
		},
	} {
		h.reg.change(func(s *api.Snapshot) { change(&s.Grants[0]) })
		t.Run(name, func(t *testing.T) {
			refused(t, h.post(c.form(t, "resource", bag), nil), 400, "invalid_target", "contract-not-in-force")
		})
	}
}

func TestANewSnapshotTakesEffectAtOnce(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	h.verify(h.post(c.form(t, "resource", bag), nil), bag)
	for _, step := range []struct {
		name   string
		change func(*api.Snapshot)
		status int
		error  string
		code   string
	}{
		{"the client is disabled", func(s *api.Snapshot) { s.Clients[0].Disabled = true }, 401, "invalid_client", "client-disabled"},
		{"and enabled, the contract revoked", func(s *api.Snapshot) { s.Clients[0].Disabled = false; s.Grants = nil }, 400, "invalid_target", "no-contract"},
		{"the client is removed", func(s *api.Snapshot) { s.Clients = nil }, 401, "invalid_client", "client-authentication-failed"},
	} {
		h.reg.change(step.change)
		t.Run(step.name, func(t *testing.T) {
			refused(t, h.post(c.form(t, "resource", bag), nil), step.status, step.error, step.code)
		})
	}
}

func TestAnOrganisationWithoutContractLearnsWhoCanMendIt(t *testing.T) {
	c := newClient(t, "emmen-app", jose.ES256)
	h := start(t, func(s *api.Snapshot) { s.Clients = []api.Client{c.registered(t, emmen, nil)} })
	a := h.post(c.form(t, "resource", bag), nil)
	refused(t, a, 400, "invalid_target", "no-contract")
	if a.Side != "organisation" || a.Rule != "no-contract" || !strings.Contains(a.Description, "Emmen") || !strings.Contains(a.Description, "Ask for access") {
		t.Errorf("got %s", a.raw)
	}
}

func TestATokenIsBoundToTheCertificateTheGatewaySaw(t *testing.T) {
	outside, err := pki.NewCA("outside")
	if err != nil {
		t.Fatal(err)
	}
	own, err := outside.Issue(pki.Request{CommonName: "assen", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := outside.Issue(pki.Request{CommonName: "other", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	h, c := oneClient(t, jose.ES256, func(reg *api.Client) { reg.Certificates = []string{own.Thumbprint()} })
	with := func(values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Client-Cert"] = values }
	}
	header := func(p *pki.Pair) string {
		return ":" + base64.StdEncoding.EncodeToString(p.Certificate().Raw) + ":"
	}
	for _, binding := range []string{"none", "any", "mtls", ""} {
		h.reg.change(func(s *api.Snapshot) { s.Grants[0].Terms.Binding = binding })
		t.Run("binding "+binding, func(t *testing.T) {
			claims := h.verify(h.post(c.form(t, "resource", bag), with(header(own))), bag)
			if claims.Confirmation == nil || claims.Confirmation.Certificate != own.Thumbprint() {
				t.Errorf("got cnf %+v, want %s", claims.Confirmation, own.Thumbprint())
			}
			without, unknown := h.post(c.form(t, "resource", bag), nil), h.post(c.form(t, "resource", bag), with(header(foreign)))
			if binding == "none" {
				if h.verify(without, bag).Confirmation != nil || h.verify(unknown, bag).Confirmation != nil {
					t.Error("a token is bound to a certificate that is not registered")
				}
				return
			}
			refused(t, without, 400, "invalid_request", "certificate-required")
			if !strings.Contains(without.Description, mtlsURL+"/oauth2/token") {
				t.Errorf("the refusal does not say where: %s", without.Description)
			}
			refused(t, unknown, 400, "invalid_request", "certificate-unknown")
		})
	}
	for name, values := range map[string][]string{
		"no colons": {base64.StdEncoding.EncodeToString(own.Certificate().Raw)}, "no base64": {":*:"}, "no certificate": {":AAAA:"},
		"two": {header(own), header(own)}, "empty": {""},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, h.post(c.form(t, "resource", bag), with(values...)), 400, "invalid_request", "client-certificate-unreadable")
		})
	}
}

func TestAdministrationNeedsNoGrantButAScope(t *testing.T) {
	h, c := oneClient(t, jose.ES256, func(reg *api.Client) {
		reg.AdminScopes = []string{"journaal.lezen", "journaal.schrijven"}
		reg.HubOperator = true
	})
	claims := h.verify(h.post(c.form(t, "resource", hubURL+"/journaal"), nil), hubURL+"/journaal")
	if claims.Scope != "journaal.lezen journaal.schrijven" || claims.GrantHash != "" || !claims.HasRole("hub-operator") {
		t.Errorf("got claims %+v", claims)
	}
	if got := h.verify(h.post(c.form(t, "scope", "journaal.lezen"), nil), hubURL+"/journaal").Scope; got != "journaal.lezen" {
		t.Errorf("got scope %q", got)
	}
	if h.verify(h.post(c.form(t, "resource", bag), nil), bag).HasRole("hub-operator") {
		t.Error("a role of administration is in a token for a service")
	}
	refused(t, h.post(c.form(t, "resource", hubURL+"/beheer"), nil), 400, "invalid_scope", "administration-scope-missing")
	refused(t, h.post(c.form(t, "resource", hubURL+"/beheer", "scope", "beheer.schrijven"), nil), 400, "invalid_scope", "administration-scope-missing")
	refused(t, h.post(c.form(t, "resource", hubURL+"/journaal", "scope", "bag.lezen"), nil), 400, "invalid_scope", "administration-scope-missing")
}

func TestATokenOfAPersonNamesThePersonAndItsRoles(t *testing.T) {
	h, c := oneClient(t, jose.ES256, func(reg *api.Client) {
		reg.AdminScopes = []string{"beheer.lezen", "beheer.schrijven"}
		reg.Person = &api.Person{ID: "anna", Roles: []string{"administrator", "integrator"}}
	})
	claims := h.verify(h.post(c.form(t, "resource", hubURL+"/beheer"), nil), hubURL+"/beheer")
	if claims.Subject != "anna" || claims.ClientID == "anna" || claims.Scope != "beheer.lezen beheer.schrijven" || !slices.Equal(claims.Roles, []string{"administrator", "integrator"}) {
		t.Errorf("got claims %+v", claims)
	}
	if claims = h.verify(h.post(c.form(t, "resource", bag), nil), bag); len(claims.Roles) > 0 {
		t.Errorf("got roles %v in a token for a service", claims.Roles)
	}
}

func TestTheMetadataNamesWhatExistsAndNothingElse(t *testing.T) {
	h, _ := oneClient(t, jose.ES256, nil)
	var documents []string
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		req, _ := http.NewRequest(http.MethodGet, h.base+path, nil)
		a := h.do(req)
		if a.status != 200 || a.header.Get("Cache-Control") != "public, max-age=604800" || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %v", path, a.status, a.header)
		}
		documents = append(documents, a.raw)
	}
	if documents[0] != documents[1] {
		t.Error("the two well-known paths differ")
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(documents[0]), &m); err != nil {
		t.Fatal(err)
	}
	if m["issuer"] != issuer || m["token_endpoint"] != tokenURL {
		t.Errorf("got %v", m)
	}
	for key, value := range m {
		url, ok := value.(string)
		if !ok || !strings.HasPrefix(url, hubURL+"/oauth2/") {
			if strings.HasSuffix(key, "_endpoint") && key != "token_endpoint" {
				t.Errorf("%s is advertised", key)
			}
			continue
		}
		req, _ := http.NewRequest(http.MethodGet, h.base+strings.TrimPrefix(url, hubURL), nil)
		if got := h.do(req).status; got == http.StatusNotFound {
			t.Errorf("%s is advertised and does not exist", url)
		}
	}
	if aliases, _ := m["mtls_endpoint_aliases"].(map[string]any); aliases["token_endpoint"] != mtlsURL+"/oauth2/token" {
		t.Errorf("got aliases %v", m["mtls_endpoint_aliases"])
	}
}

func TestTheJWKSHasOurKeysAndTheGatewaysAndNoPrivateHalf(t *testing.T) {
	h, _ := oneClient(t, jose.ES256, nil)
	gateway := newClient(t, "gw", jose.ES256)
	private, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: gateway.key, KeyID: "gw-key", Algorithm: "ES256", Use: "sig"}}})
	h.reg.change(func(s *api.Snapshot) {
		s.Keys = append(s.Keys, api.PartKeys{Part: "gateway", Instance: "1", JWKS: private}, api.PartKeys{Part: "gateway", Instance: "2", JWKS: json.RawMessage(`{`)})
	})
	req, _ := http.NewRequest(http.MethodGet, h.base+"/oauth2/jwks", nil)
	a := h.do(req)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(a.raw), &set); err != nil {
		t.Fatal(err)
	}
	if got := len(set.Keys); got != 2 {
		t.Fatalf("got %d keys, want ours and the gateway's: %s", got, a.raw)
	}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.KeyID == "" || key.Algorithm != "ES256" {
			t.Errorf("got key %s public=%v alg=%s", key.KeyID, key.IsPublic(), key.Algorithm)
		}
	}
	if strings.Contains(a.raw, `"d":`) {
		t.Error("a private key is published")
	}
	if got := a.header.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("got Cache-Control %q", got)
	}
}

func TestPathsAndMethodsThatDoNotExist(t *testing.T) {
	h, _ := oneClient(t, jose.ES256, nil)
	for _, tc := range []struct {
		method, path, allow string
		status              int
	}{
		{"GET", "/oauth2/token", "POST", 405}, {"DELETE", "/oauth2/token", "POST", 405}, {"POST", "/oauth2/jwks", "GET, HEAD", 405},
		{"GET", "/oauth2/token/", "", 404}, {"GET", "/oauth2/authorize", "", 404}, {"POST", "/oauth2/introspect", "", 404}, {"GET", "/", "", 404},
	} {
		req, _ := http.NewRequest(tc.method, h.base+tc.path, nil)
		a := h.do(req)
		if a.status != tc.status || a.header.Get("Allow") != tc.allow || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: got %d, Allow %q, %s", tc.method, tc.path, a.status, a.header.Get("Allow"), a.header.Get("Content-Type"))
		}
	}
}

func TestOnlyTheGatewayGetsIn(t *testing.T) {
	h, _ := oneClient(t, jose.ES256, nil)
	req, _ := http.NewRequest(http.MethodGet, h.base+"/oauth2/jwks", nil)
	if resp, err := h.client("portal").Do(req); err == nil {
		_ = resp.Body.Close()
		t.Error("the portal got in")
	}
}
