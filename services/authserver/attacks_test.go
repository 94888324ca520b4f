package authserver_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"noorderhub.nl/hub/services/registry/api"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// Everything an attacker can send before the signature is good gets one and the same answer.
func TestNothingIsToldBeforeTheSignatureIsGood(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	stranger := newClient(t, c.id, jose.ES256)
	stranger.kid = c.kid
	unknown := newClient(t, "nobody", jose.ES256)
	rs := newClient(t, c.id, jose.RS256)
	rs.kid = c.kid
	good := c.assertion(t, nil, nil)
	parts := strings.Split(good, ".")
	claims := func(change map[string]any) string {
		m := c.claims()
		for k, v := range change {
			m[k] = v
		}
		text, _ := json.Marshal(m)
		return b64(string(text))
	}
	hmac := func(secret []byte) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: secret}, (&jose.SignerOptions{}).WithHeader("kid", c.kid))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(c.claims())
		signed, err := signer.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := signed.CompactSerialize()
		return raw
	}
	jwks := []byte(c.jwks(t))
	var bodies []string
	for name, raw := range map[string]string{
		"T01 alg none":                       b64(`{"alg":"none"}`) + "." + claims(nil) + ".",
		"T01 alg nOnE":                       b64(`{"alg":"nOnE","kid":"`+c.kid+`"}`) + "." + claims(nil) + "." + parts[2],
		"T01 no alg":                         b64(`{"kid":"`+c.kid+`"}`) + "." + claims(nil) + "." + parts[2],
		"T02 HS256 with the key set":         hmac(jwks),
		"T02 HS256 with 32 bytes of the key": hmac(jwks[:32]),
		"T03 RS256 of a client with ES256":   rs.assertion(t, nil, nil),
		"T04 kid of a path":                  c.assertion(t, nil, map[string]any{"kid": "../../etc/passwd"}),
		"T04 kid with SQL":                   c.assertion(t, nil, map[string]any{"kid": "' OR 1=1--"}),
		"T04 kid of 10 kB":                   c.assertion(t, nil, map[string]any{"kid": strings.Repeat("k", 10_000)}),
		"T08 crit":                           b64(`{"alg":"ES256","crit":["x"],"x":1}`) + "." + parts[1] + "." + parts[2],
		"T08 an encrypted token":             parts[0] + "." + parts[1] + "." + parts[2] + ".x.y",
		"T09 sub twice":                      parts[0] + "." + b64(`{"sub":"x","sub":"`+c.id+`"}`) + "." + parts[2],
		"T09 deep nesting":                   parts[0] + "." + b64(strings.Repeat(`[`, 9000)) + "." + parts[2],
		"another key with the right kid":     stranger.assertion(t, nil, nil),
		"a client that does not exist":       unknown.assertion(t, nil, nil),
		"changed claims":                     parts[0] + "." + claims(map[string]any{"exp": time.Now().Unix() + 50}) + "." + parts[2],
		"an expired one of a stranger":       stranger.assertion(t, map[string]any{"exp": 1}, nil),
		"no sub":                             c.assertion(t, map[string]any{"sub": nil}, nil),
		"sub as number":                      c.assertion(t, map[string]any{"sub": 1}, nil),
		"nonsense":                           "nonsense",
		"empty":                              "",
		"a signature of zeroes":              parts[0] + "." + parts[1] + "." + b64(strings.Repeat("\x00", 64)),
		"a longer one than any real":         parts[0] + "." + parts[1] + "." + strings.Repeat("A", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			f := c.form(t, "resource", bag)
			f.Set("client_assertion", raw)
			a := h.post(f, nil)
			refused(t, a, 401, "invalid_client", "client-authentication-failed")
			same, _, _ := strings.Cut(a.raw, `"traceId"`) // the only thing that may differ
			bodies = append(bodies, same)
		})
	}
	for _, body := range bodies[1:] {
		if body != bodies[0] {
			t.Errorf("answers differ:\n%s\n%s", bodies[0], body)
		}
	}
}

// Headers that name a key are no way to bring one.
func TestT05AKeyInTheHeaderIsLeftAside(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	stranger := newClient(t, c.id, jose.ES256)
	stranger.kid = ""
	jwk := jose.JSONWebKey{Key: stranger.key.Public(), KeyID: "x", Algorithm: "ES256"}
	for _, header := range []map[string]any{
		{"jku": "http://127.0.0.1:1/jwks"}, {"x5u": "http://127.0.0.1:1/c"}, {"jwk": jwk}, {"x5c": []string{"AAAA"}},
	} {
		f := c.form(t, "resource", bag)
		f.Set("client_assertion", stranger.assertion(t, nil, header))
		refused(t, h.post(f, nil), 401, "invalid_client", "client-authentication-failed")
	}
	// Libraries send x5c beside a registered key; it changes nothing.
	f := c.form(t, "resource", bag)
	f.Set("client_assertion", c.assertion(t, nil, map[string]any{"x5c": []string{"AAAA"}}))
	h.verify(h.post(f, nil), bag)
}

func TestT03AWeakKeyThatGotIntoTheSnapshotVerifiesNothing(t *testing.T) {
	c := newClient(t, "assen-app", jose.RS256)
	h := start(t, func(s *api.Snapshot) {
		s.Clients = []api.Client{
			c.registered(t, assen, func(reg *api.Client) { reg.SigningAlg = "PS256" }),
			c.registered(t, assen, func(reg *api.Client) { reg.ID, reg.Profile = "fapi", "fapi2" }),
		}
	})
	refused(t, h.post(c.form(t), nil), 401, "invalid_client", "client-authentication-failed")
	fapi := c
	fapi.id = "fapi"
	refused(t, h.post(fapi.form(t), nil), 401, "invalid_client", "client-authentication-failed")
}

func TestAnAssertionIsJudgedClaimByClaim(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	now := time.Now().Unix()
	for name, tc := range map[string]struct {
		change, header map[string]any
		code           string // "": accepted
		says           string
	}{
		"as it should be":                   {nil, nil, "", ""},
		"aud is the token URL":              {map[string]any{"aud": tokenURL}, nil, "", ""},
		"aud is the token URL of the alias": {map[string]any{"aud": mtlsURL + "/oauth2/token"}, nil, "", ""},
		"aud is an array of one":            {map[string]any{"aud": []string{issuer}}, nil, "", ""},
		"T18 aud with another server":       {map[string]any{"aud": []string{issuer, "https://evil.example"}}, nil, "assertion-audience", issuer},
		"T18 aud of another server":         {map[string]any{"aud": "https://evil.example"}, nil, "assertion-audience", issuer},
		"T18 aud with a slash":              {map[string]any{"aud": issuer + "/"}, nil, "assertion-audience", issuer},
		"T18 no aud":                        {map[string]any{"aud": nil}, nil, "assertion-audience", issuer},
		"T18 aud as number":                 {map[string]any{"aud": 1}, nil, "assertion-audience", issuer},
		"iss of another":                    {map[string]any{"iss": "x"}, nil, "assertion-claims", "iss"},
		"no iss":                            {map[string]any{"iss": nil}, nil, "assertion-claims", "iss"},
		"no jti":                            {map[string]any{"jti": nil}, nil, "assertion-claims", "jti"},
		"a short jti":                       {map[string]any{"jti": "123"}, nil, "assertion-claims", "jti"},
		"a jti of 300 characters":           {map[string]any{"jti": strings.Repeat("j", 300)}, nil, "assertion-claims", "jti"},
		"no iat":                            {map[string]any{"iat": nil}, nil, "assertion-claims", "iat"},
		"no exp":                            {map[string]any{"exp": nil}, nil, "assertion-claims", "exp"},
		"T10 exp as text":                   {map[string]any{"exp": "1"}, nil, "assertion-claims", "exp"},
		"T10 exp negative":                  {map[string]any{"exp": -1}, nil, "assertion-claims", "exp"},
		"T10 exp with a fraction":           {map[string]any{"exp": float64(now) + 59.5}, nil, "", ""},
		"T10 expired within the leeway":     {map[string]any{"iat": now - 80, "exp": now - 25}, nil, "", ""},
		"T10 expired":                       {map[string]any{"iat": now - 90, "exp": now - 31}, nil, "assertion-time", "expired 3"},
		"exp is 5 minutes in the past":      {map[string]any{"iat": now - 360, "exp": now - 300}, nil, "assertion-time", "expired 30"},
		"lives 62 s":                        {map[string]any{"exp": now + 62}, nil, "assertion-time", "at most 60 s"},
		"lives an hour":                     {map[string]any{"exp": now + 3600}, nil, "assertion-time", "at most 60 s"},
		"exp before iat":                    {map[string]any{"exp": now - 1}, nil, "assertion-time", "exp"},
		"iat 9 s ahead":                     {map[string]any{"iat": now + 9, "exp": now + 60}, nil, "", ""},
		"iat 30 s ahead":                    {map[string]any{"iat": now + 30, "exp": now + 60}, nil, "assertion-time", "ahead"},
		"nbf 30 s ahead":                    {map[string]any{"nbf": now + 30}, nil, "assertion-time", "nbf"},
		"nbf now":                           {map[string]any{"nbf": now}, nil, "", ""},
		"T12 an access token as assertion":  {nil, map[string]any{"typ": "at+jwt"}, "assertion-claims", "typ"},
		"typ of RFC 7523bis":                {nil, map[string]any{"typ": "client-authentication+jwt"}, "", ""},
		"no typ":                            {nil, map[string]any{"typ": nil}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := c.form(t, "resource", bag)
			f.Set("client_assertion", c.assertion(t, tc.change, tc.header))
			a := h.post(f, nil)
			if tc.code == "" {
				h.verify(a, bag)
				return
			}
			refused(t, a, 401, "invalid_client", tc.code)
			if !strings.Contains(a.Description, tc.says) {
				t.Errorf("got description %q, want %q in it", a.Description, tc.says)
			}
		})
	}
}

func TestT18TheProfileFAPI2TakesTheIssuerOnly(t *testing.T) {
	h, c := oneClient(t, jose.PS256, func(reg *api.Client) { reg.Profile = "fapi2" })
	for name, tc := range map[string]struct {
		aud  any
		code string
	}{
		"the issuer": {issuer, ""}, "the token URL": {tokenURL, "assertion-audience"}, "an array": {[]string{issuer}, "assertion-audience"},
	} {
		f := c.form(t, "resource", bag)
		f.Set("client_assertion", c.assertion(t, map[string]any{"aud": tc.aud}, nil))
		if a := h.post(f, nil); tc.code == "" {
			h.verify(a, bag)
		} else {
			t.Log(name)
			refused(t, a, 401, "invalid_client", tc.code)
		}
	}
}

func TestT17AReplayFailsEverywhereAndAlways(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	f := c.form(t, "resource", bag)
	h.verify(h.post(f, nil), bag)
	refused(t, h.post(f, nil), 401, "invalid_client", "assertion-reused")

	first := h.base
	h.run() // another process on the same stores, also what a restart is
	refused(t, h.post(f, nil), 401, "invalid_client", "assertion-reused")

	h.redis.FlushAll()
	a := h.post(f, nil)
	refused(t, a, 503, "temporarily_unavailable", "assertion-sign-anew")
	if got := a.header.Get("Retry-After"); got != "11" {
		t.Errorf("got Retry-After %q, want 11", got)
	}
	h.base = first
	if a := h.post(f, nil); a.status == 200 {
		t.Error("replayed after a flush")
	}
}

func TestWithoutRedisTheAnswerIsTryAgain(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	h.redis.SetError("LOADING Redis is loading the dataset in memory")
	a := h.post(c.form(t, "resource", bag), nil)
	refused(t, a, 503, "temporarily_unavailable", "assertion-check-unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if strings.Contains(a.raw, "LOADING") {
		t.Error("the answer shows the cause")
	}
	h.redis.SetError("")
	h.verify(h.post(c.form(t, "resource", bag), nil), bag)
}

func TestT23ScopesAreNeverMoreThanTheContract(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	for name, tc := range map[string]struct{ scope, want, code string }{
		"none":                   {"", "bag.lezen bag.schrijven", ""},
		"spaces only":            {"  ", "bag.lezen bag.schrijven", ""},
		"one":                    {"bag.lezen", "bag.lezen", ""},
		"one twice":              {"bag.lezen bag.lezen", "bag.lezen", ""},
		"one and an unknown one": {"bag.lezen bag.beheer", "", "scope-not-granted"},
		"of another service":     {"zaken.lezen", "", "scope-not-granted"},
		"openid":                 {"openid", "", "scope-not-granted"},
		"with the short name":    {"assen-vergunningen bag.lezen", "bag.lezen", ""},
		"with the grant hash":    {"$1$3$assen-bag", "bag.lezen bag.schrijven", ""},
		"a hash of another":      {"$1$3$other", "", "grant-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.post(c.form(t, "resource", bag, "scope", tc.scope), nil)
			if tc.code != "" {
				refused(t, a, 400, "invalid_scope", tc.code)
				return
			}
			if got := h.verify(a, bag).Scope; got != tc.want || a.Scope != tc.want {
				t.Errorf("got scope %q and %q, want %q", got, a.Scope, tc.want)
			}
		})
	}
	refused(t, h.post(c.form(t, "resource", bag, "scope", strings.Repeat("x ", 3000)), nil), 400, "invalid_scope", "token-request-invalid")
}

// The time of the answer must not tell an unknown client from a wrong signature. A network test of it would flicker; what
// can be proven is that both cost one verification, by allowing a factor on many requests.
func TestT29AnUnknownClientCostsAsMuchAsAWrongSignature(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	stranger := newClient(t, c.id, jose.ES256)
	stranger.kid = c.kid
	unknown := newClient(t, "nobody", jose.ES256)
	measure := func(who client) time.Duration {
		f := who.form(t, "resource", bag)
		best := time.Hour
		for range 60 {
			begin := time.Now()
			a := h.post(f, nil)
			best = min(best, time.Since(begin))
			if a.Code != "client-authentication-failed" {
				t.Fatalf("got %s", a.raw)
			}
		}
		return best
	}
	wrong, nobody := measure(stranger), measure(unknown)
	if ratio := float64(wrong) / float64(nobody); ratio < 0.5 || ratio > 2 {
		t.Errorf("a wrong signature takes %s, an unknown client %s", wrong, nobody)
	}
}

func TestT30CredentialsStandInOnePlaceOnly(t *testing.T) {
	h, c := oneClient(t, jose.ES256, nil)
	inURL := c.form(t, "resource", bag)
	req, _ := http.NewRequest(http.MethodPost, h.base+"/oauth2/token?"+inURL.Encode(), strings.NewReader(""))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	refused(t, h.do(req), 400, "invalid_request", "parameters-in-url")
	if strings.Contains(h.log.String(), inURL.Get("client_assertion")) {
		t.Error("the assertion of the URL is in the log")
	}
	basic := func(r *http.Request) { r.SetBasicAuth(c.id, "geheim-van-assen") }
	refused(t, h.post(c.form(t, "resource", bag), basic), 400, "invalid_request", "client-authentication-twice")
	refused(t, h.post(c.form(t, "client_secret", "geheim-van-assen"), nil), 400, "invalid_request", "client-authentication-twice")
	a := h.post(url.Values{"grant_type": {"client_credentials"}}, basic)
	refused(t, a, 401, "invalid_client", "client-authentication-method")
	if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic ") {
		t.Errorf("got WWW-Authenticate %q", got)
	}
	refused(t, h.post(url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}}, nil), 401, "invalid_client", "client-authentication-method")
	other := c.form(t)
	other.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")
	refused(t, h.post(other, nil), 401, "invalid_client", "client-authentication-method")
	refused(t, h.post(c.form(t, "client_id", "somebody-else"), nil), 401, "invalid_client", "client-authentication-failed")
	if strings.Contains(h.log.String(), "geheim") {
		t.Error("a secret is in the log")
	}
}
