package authserver_test

// The traps of fosite v0.49.0 that were found by reading and running it; each test is named after one. Where a trap's
// feature is not composed here, the test proves that it is not.

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/services/registry/api"
)

// Trap 1: bcrypt with cost 12 on every token request, 271 ms. There are no secrets, and refusing one costs nothing.
func TestTrap01ASecretIsNeverHashed(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	begin := time.Now()
	for range 20 {
		a := h.post(url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}, "client_secret": {"secret"}}, nil)
		refused(t, a, 401, "invalid_client", "client-authentication-method")
	}
	// With bcrypt the twenty would take more than five seconds on this class of machine.
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("20 refusals took %s", took)
	}
}

// Trap 2: client_credentials grants no scope and no audience by itself.
func TestTrap02ScopeAndAudienceAreGranted(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	claims := h.verify(h.post(c.form(t, "resource", bag, "scope", "bag.lezen"), nil), bag)
	if claims.Scope != "bag.lezen" || claims.Audience != bag {
		t.Errorf("got scope %q, audience %q", claims.Scope, claims.Audience)
	}
}

// Trap 3: jwt-bearer copies the assertion's aud, our own token URL, into the token. The grant type is not there, and the
// aud of an assertion never reaches a token.
func TestTrap03NoAudienceFromAnAssertion(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	f := c.form(t, "assertion", c.assertion(t, nil, nil))
	f.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
	refused(t, h.post(f, nil), 400, "unsupported_grant_type", "grant-type-unsupported")
	if got := h.verify(h.post(c.form(t, "audience", tokenURL), nil), bag).Audience; got != bag {
		t.Errorf("got audience %q", got)
	}
}

// Trap 4: StatelessJWTValidator drops an aud that is an array and takes ID tokens. Nothing here validates by fosite; the
// aud we write is one string, and our verifier looks at typ.
func TestTrap04TheAudienceIsOneString(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	a := h.post(c.form(t, "resource", bag), nil)
	h.verify(a, bag)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(a.AccessToken, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(payload, []byte(`"aud":"`+bag+`"`)) {
		t.Errorf("got payload %s", payload)
	}
	req, _ := http.NewRequest(http.MethodPost, h.base+"/oauth2/introspect", nil)
	if got := h.do(req).status; got != 404 {
		t.Errorf("introspect: got %d, want 404", got)
	}
}

// Trap 5: EdDSA signs but does not verify. Tokens are ES256, and EdDSA is neither advertised nor accepted.
func TestTrap05SigningIsES256(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	a := h.post(c.form(t, "resource", bag), nil)
	parsed, err := jose.ParseSignedCompact(a.AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.Signatures[0].Header.Algorithm; got != "ES256" {
		t.Errorf("got alg %s", got)
	}
	req, _ := http.NewRequest(http.MethodGet, h.base+"/.well-known/oauth-authorization-server", nil)
	if strings.Contains(h.do(req).raw, "EdDSA") {
		t.Error("EdDSA is advertised")
	}
}

// Trap 6: the last base64url character of a signature can be changed, and (r, -s) verifies as well, so a deny list by
// signature or token hash can be dodged. The first form is refused; the second is the same jti, which is what is revoked.
func TestTrap06AChangedSignatureIsRefusedOrTheSameToken(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	a := h.post(c.form(t, "resource", bag), nil)
	claims := h.verify(a, bag)
	cut := strings.LastIndex(a.AccessToken, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(a.AccessToken[cut:])
	if err != nil {
		t.Fatal(err)
	}
	// The other s of the same message, n - s: it verifies, as ECDSA has it, and is the same token with the same id.
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(signature[32:]))
	s.FillBytes(signature[32:])
	mirrored := a
	mirrored.AccessToken = a.AccessToken[:cut] + base64.RawURLEncoding.EncodeToString(signature)
	if got := h.verify(mirrored, bag).ID; got != claims.ID || got == "" {
		t.Errorf("got jti %q of the mirrored signature, want %q", got, claims.ID)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, a.AccessToken[len(a.AccessToken)-1])
	if h.accepts(a.AccessToken[:len(a.AccessToken)-1] + string(alphabet[last^1])) {
		t.Error("a token with a non-canonical last character is accepted")
	}
}

// Trap 7: the replay check is check-then-act, without the client in the key.
func TestTrap07AnAssertionIsUsedOnce(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	f := c.form(t, "resource", bag)
	var issued, reused atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			switch a := h.post(f, nil); {
			case a.status == 200:
				issued.Add(1)
			case a.Code == "assertion-reused" && a.Error == "invalid_client":
				reused.Add(1)
			}
		})
	}
	wg.Wait()
	if issued.Load() != 1 || reused.Load() != 49 {
		t.Errorf("got %d issued and %d reused, want 1 and 49", issued.Load(), reused.Load())
	}
}

// Trap 8: a code is redeemed in two steps. There is no authorization endpoint and no code yet.
func TestTrap08ThereAreNoCodes(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	for _, grantType := range []string{"authorization_code", "refresh_token", "password", "implicit"} {
		f := c.form(t, "code", "x", "refresh_token", "x", "username", "x", "password", "x")
		f.Set("grant_type", grantType)
		refused(t, h.post(f, nil), 400, "unsupported_grant_type", "grant-type-unsupported")
	}
}

// Trap 9: the default scope strategy knows wildcards, the default audience strategy is a prefix of a URL.
func TestTrap09ScopesAndResourcesAreExact(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	h.reg.change(func(s *api.Snapshot) { s.Grants[0].Terms.Scopes = []string{"bag.*", "bag.lezen"} })
	for _, scope := range []string{"bag.schrijven", "bag", "bag.lezen.alles", "BAG.lezen", "*"} {
		refused(t, h.post(c.form(t, "resource", bag, "scope", scope), nil), 400, "invalid_scope", "scope-not-granted")
	}
	for _, resource := range []string{bag + "/", bag + "/individuelebevragingen", strings.ToUpper(bag), hubURL, hubURL + "/", "bag", bag + "?x=1", bag + "#x", "https://evil.example/bag"} {
		refused(t, h.post(c.form(t, "resource", resource), nil), 400, "invalid_target", "resource-unknown")
	}
}

// Trap 10: OIDC request objects with alg none. There is no authorization endpoint, and a request object does nothing.
func TestTrap10ARequestObjectIsLeftAside(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	object := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(`{"scope":"zaken.schrijven","resource":"`+zaken+`"}`)) + "."
	if got := h.verify(h.post(c.form(t, "resource", bag, "request", object), nil), bag).Scope; strings.Contains(got, "zaken") {
		t.Errorf("got scope %q", got)
	}
	req, _ := http.NewRequest(http.MethodGet, h.base+"/oauth2/authorize?request="+object, nil)
	if got := h.do(req).status; got != 404 {
		t.Errorf("authorize: got %d, want 404", got)
	}
}

// Trap 11: getters of fosite's configuration write defaults on first use. The race detector sees it if one is left.
func TestTrap11TheFirstRequestsDoNotRace(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	var wg sync.WaitGroup
	for range 8 {
		f := c.form(t, "resource", bag)
		wg.Go(func() {
			if a := h.post(f, nil); a.status != 200 {
				t.Errorf("got %d %s", a.status, a.raw)
			}
		})
	}
	wg.Wait()
}

// Trap 12: IssueAccessToken stores a session for every token. Here a token leaves nothing behind but the mark of its
// assertion, and issuing it does not touch the database.
func TestTrap12TokensAreNotStored(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	file := strings.TrimPrefix(h.cfg.Database, "sqlite:")
	size := func() (total int64) {
		for _, name := range []string{file, file + "-wal"} {
			if info, err := os.Stat(name); err == nil {
				total += info.Size()
			}
		}
		return total
	}
	written, before := size(), h.redis.Keys()
	h.verify(h.post(c.form(t, "resource", bag), nil), bag)
	if got := size(); got != written {
		t.Errorf("the database grew from %d to %d bytes", written, got)
	}
	after := slices.DeleteFunc(h.redis.Keys(), func(k string) bool { return slices.Contains(before, k) })
	if len(after) != 1 || !strings.HasPrefix(after[0], "hub:assertion:") {
		t.Errorf("got new keys %v, want only the mark of the assertion", after)
	}
}

// Trap 13: an opaque signer is switched by its private key type, so a hardware key would fail. Signing goes through our own
// signer, which fosite never sees; the keys are loaded from the store, not made anew.
func TestTrap13TheKeySurvivesARestart(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	first := kidOf(t, h.post(c.form(t, "resource", bag), nil))
	h.run()
	h.http = h.client("gateway")
	if second := kidOf(t, h.post(c.form(t, "resource", bag), nil)); second != first {
		t.Errorf("got kid %s after the restart, %s before", second, first)
	}
}

// Trap 14: fosite takes multipart bodies, and the size is not bounded.
func TestTrap14TheBodyIsAFormOfBoundedSize(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, values := range c.form(t, "resource", bag) {
		_ = form.WriteField(name, values[0])
	}
	_ = form.Close()
	send := func(contentType, text string) answer {
		req, _ := http.NewRequest(http.MethodPost, h.base+"/oauth2/token", strings.NewReader(text))
		if contentType != "" {
			req.Header.Set("Content-Type", contentType)
		}
		return h.do(req)
	}
	refused(t, send(form.FormDataContentType(), body.String()), 415, "invalid_request", "unsupported-media-type")
	refused(t, send("application/json", `{"grant_type":"client_credentials"}`), 415, "invalid_request", "unsupported-media-type")
	refused(t, send("", c.form(t).Encode()), 415, "invalid_request", "unsupported-media-type")
	const good = "application/x-www-form-urlencoded"
	refused(t, send(good, c.form(t, "x", strings.Repeat("x", 70_000)).Encode()), 413, "invalid_request", "body-too-large")
	refused(t, send(good, "grant_type=%zz"), 400, "invalid_request", "token-request-invalid")
	refused(t, send(good, ""), 400, "invalid_request", "token-request-invalid")
	refused(t, send(good, c.form(t, "scope", "a", "scope", "b").Encode()), 400, "invalid_request", "token-request-invalid")
	refused(t, h.post(c.form(t, "resource", bag), func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }), 415, "invalid_request", "unsupported-media-type")
	if a := send(good+"; charset=utf-8", c.form(t, "resource", bag).Encode()); a.status != 200 {
		t.Errorf("with a charset: got %d %s", a.status, a.raw)
	}
}

// accepts tells whether a gateway would take the token for bag.
func (h *hub) accepts(raw string) bool {
	h.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, h.base+"/oauth2/jwks", nil)
	keys, err := token.ParseKeys(json.RawMessage(h.do(req).raw))
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: issuer, Keys: keys})
	if err != nil {
		h.t.Fatal(err)
	}
	_, err = v.Verify(raw, bag)
	return err == nil
}

func kidOf(t *testing.T, a answer) string {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.raw)
	}
	parsed, err := jose.ParseSignedCompact(a.AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Header.KeyID
}
