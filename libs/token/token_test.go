package token_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/jws"
	"noorderhub.nl/hub/libs/token/tokentest"
)

const (
	hub = "https://hub.example"
	bag = hub + "/bag"
)

// forge signs any header and claims with the issuer's key.
func forge(t *testing.T, i *tokentest.Issuer, header map[string]any, claims any) string {
	t.Helper()
	kid, err := token.KeyID(&i.Key().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	full := map[string]any{"alg": "ES256", "kid": kid, "typ": token.TypeAccess}
	for k, v := range header {
		full[k] = v
		if v == nil {
			delete(full, k)
		}
	}
	head, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	if text, ok := claims.(string); ok {
		body = []byte(text)
	} else if body, err = json.Marshal(claims); err != nil {
		t.Fatal(err)
	}
	raw, err := jws.SignES256(i.Key(), jws.EncodeHeader(head), body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func codeOf(err error) string {
	var e *errs.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code.ID
}

func TestWhatWasSignedComesBack(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	want := issuer.Claims(bag)
	want.Roles = []string{token.RoleHubOperator}
	want.Confirmation = &token.Confirmation{Certificate: "x5t", Key: "jkt"}
	want.Actor = &token.Actor{Subject: "a", Actor: &token.Actor{Subject: "b"}}
	raw := issuer.Token(bag, func(c *token.Claims) { *c = *want })
	v := issuer.Verifier()
	for _, pass := range []string{"checked", "remembered"} {
		got, err := v.Verify(raw, bag)
		if err != nil {
			t.Fatalf("%s: %v", pass, err)
		}
		gotJSON, _ := json.Marshal(got)
		wantJSON, _ := json.Marshal(want)
		if string(gotJSON) != string(wantJSON) {
			t.Errorf("%s:\ngot  %s\nwant %s", pass, gotJSON, wantJSON)
		}
		if !got.HasScope("bag.lezen") || got.HasScope("bag.lez") || got.HasScope("") || !got.HasRole(token.RoleHubOperator) {
			t.Errorf("%s: scopes or roles are read wrongly", pass)
		}
	}
}

func TestEveryWrongTokenIsRefusedByItsOwnRule(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	other := tokentest.New(t, hub, token.TypeAccess)
	now := time.Now().Unix()
	claims := func(change map[string]any) map[string]any {
		text, _ := json.Marshal(issuer.Claims(bag))
		var m map[string]any
		_ = json.Unmarshal(text, &m)
		for k, v := range change {
			m[k] = v
			if v == nil {
				delete(m, k)
			}
		}
		return m
	}
	plain := claims(nil)
	text, _ := json.Marshal(plain)
	duplicate := strings.Replace(string(text), "{", `{"exp":1,`, 1)
	long := issuer.Token(bag, func(c *token.Claims) { c.Scope = strings.Repeat("x", 9000) })

	for name, tc := range map[string]struct{ raw, want string }{
		"none at all":                      {"", "token-missing"},
		"nonsense":                         {"nonsense", "token-malformed"},
		"longer than 8 KiB":                {long, "token-malformed"},
		"T01 alg none":                     {forge(t, issuer, map[string]any{"alg": "none"}, plain), "token-signature"},
		"T01 alg nOnE":                     {forge(t, issuer, map[string]any{"alg": "nOnE"}, plain), "token-signature"},
		"T01 no alg":                       {forge(t, issuer, map[string]any{"alg": nil}, plain), "token-signature"},
		"T02 HS256":                        {forge(t, issuer, map[string]any{"alg": "HS256"}, plain), "token-signature"},
		"T03 RS256":                        {forge(t, issuer, map[string]any{"alg": "RS256"}, plain), "token-signature"},
		"T04 kid of a path":                {forge(t, issuer, map[string]any{"kid": "../../etc/passwd"}, plain), "token-key"},
		"T04 kid with SQL":                 {forge(t, issuer, map[string]any{"kid": "' OR 1=1--"}, plain), "token-key"},
		"T04 kid with NUL":                 {forge(t, issuer, map[string]any{"kid": "\x00"}, plain), "token-key"},
		"T04 no kid":                       {forge(t, issuer, map[string]any{"kid": nil}, plain), "token-key"},
		"T04 kid of 10 kB":                 {forge(t, issuer, map[string]any{"kid": strings.Repeat("k", 10_000)}, plain), "token-malformed"},
		"T05 jku":                          {forge(t, issuer, map[string]any{"jku": "https://evil.example/jwks"}, plain), "token-signature"},
		"T05 x5u":                          {forge(t, issuer, map[string]any{"x5u": "https://evil.example/c"}, plain), "token-signature"},
		"T05 jwk":                          {forge(t, issuer, map[string]any{"jwk": map[string]any{}}, plain), "token-signature"},
		"T05 x5c":                          {forge(t, issuer, map[string]any{"x5c": []string{"x"}}, plain), "token-signature"},
		"T08 crit":                         {forge(t, issuer, map[string]any{"crit": []string{"x"}, "x": 1}, plain), "token-malformed"},
		"T08 b64 false":                    {forge(t, issuer, map[string]any{"b64": false}, plain), "token-malformed"},
		"T09 exp twice":                    {forge(t, issuer, nil, duplicate), "token-claims"},
		"T09 deep nesting":                 {forge(t, issuer, nil, `{"a":`+strings.Repeat("[", 2000)+strings.Repeat("]", 2000)+`}`), "token-claims"},
		"T09 no object":                    {forge(t, issuer, nil, `[1]`), "token-claims"},
		"T10 expired":                      {forge(t, issuer, nil, claims(map[string]any{"iat": now - 120, "nbf": now - 120, "exp": now - 60})), "token-expired"},
		"T10 nbf in the future":            {forge(t, issuer, nil, claims(map[string]any{"nbf": now + 30})), "token-not-yet-valid"},
		"T10 iat in the future":            {forge(t, issuer, nil, claims(map[string]any{"iat": now + 30, "exp": now + 60})), "token-not-yet-valid"},
		"T10 exp as text":                  {forge(t, issuer, nil, claims(map[string]any{"exp": "1999999999"})), "token-claims"},
		"T10 exp negative":                 {forge(t, issuer, nil, claims(map[string]any{"exp": -1})), "token-claims"},
		"T10 exp with an exponent":         {forge(t, issuer, nil, strings.Replace(string(text), `"iat":`, `"iat":1e1,"x":`, 1)), "token-claims"},
		"T10 no exp":                       {forge(t, issuer, nil, claims(map[string]any{"exp": nil})), "token-claims"},
		"T10 EXP in capitals":              {forge(t, issuer, nil, claims(map[string]any{"exp": nil, "EXP": now + 60})), "token-claims"},
		"T10 a life of an hour":            {forge(t, issuer, nil, claims(map[string]any{"exp": now + 3600})), "token-claims"},
		"T11 another audience":             {forge(t, issuer, nil, claims(map[string]any{"aud": hub + "/zaken"})), "token-audience"},
		"T11 two audiences":                {forge(t, issuer, nil, claims(map[string]any{"aud": []string{bag, hub + "/zaken"}})), "token-claims"},
		"T11 no audience":                  {forge(t, issuer, nil, claims(map[string]any{"aud": nil})), "token-claims"},
		"T11 audience with a slash":        {forge(t, issuer, nil, claims(map[string]any{"aud": bag + "/"})), "token-audience"},
		"T12 an ID token or assertion":     {forge(t, issuer, map[string]any{"typ": "JWT"}, plain), "token-type"},
		"T12 a call token":                 {forge(t, issuer, map[string]any{"typ": token.TypeCall}, plain), "token-type"},
		"T12 no typ":                       {forge(t, issuer, map[string]any{"typ": nil}, plain), "token-type"},
		"T12 typ in capitals":              {forge(t, issuer, map[string]any{"typ": "AT+JWT"}, plain), "token-type"},
		"T13 another issuer":               {forge(t, issuer, nil, claims(map[string]any{"iss": "https://evil.example"})), "token-issuer"},
		"T13 issuer with a slash":          {forge(t, issuer, nil, claims(map[string]any{"iss": hub + "/"})), "token-issuer"},
		"T13 issuer in capitals":           {forge(t, issuer, nil, claims(map[string]any{"iss": "https://HUB.example"})), "token-issuer"},
		"the key of another, same content": {other.Token(bag, nil), "token-key"},
		"no sub":                           {forge(t, issuer, nil, claims(map[string]any{"sub": nil})), "token-claims"},
		"no jti":                           {forge(t, issuer, nil, claims(map[string]any{"jti": nil})), "token-claims"},
		"no organisation":                  {forge(t, issuer, nil, claims(map[string]any{"peer_id": nil})), "token-claims"},
		"cnf that is no object":            {forge(t, issuer, nil, claims(map[string]any{"cnf": "x"})), "token-claims"},
		"cnf with a number":                {forge(t, issuer, nil, claims(map[string]any{"cnf": map[string]any{"x5t#S256": 1}})), "token-claims"},
		"roles with a number":              {forge(t, issuer, nil, claims(map[string]any{"roles": []any{1}})), "token-claims"},
	} {
		t.Run(name, func(t *testing.T) {
			v := issuer.Verifier()
			for _, pass := range []string{"first", "second"} {
				_, err := v.Verify(tc.raw, bag)
				if got := codeOf(err); got != tc.want {
					t.Errorf("%s: got %q (%v), want %q", pass, got, err, tc.want)
				}
				if errs.KindOf(err) != errs.Unauthenticated {
					t.Errorf("%s: got kind %v", pass, errs.KindOf(err))
				}
			}
		})
	}
}

func TestLeewayIsExactToTheSecond(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	at := time.Unix(1_800_000_000, 0)
	var now time.Time
	v, err := token.NewVerifier(token.Options{
		Type: token.TypeAccess, Issuer: hub, Keys: issuer.Keys(), Leeway: 5 * time.Second, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	raw := issuer.Token(bag, func(c *token.Claims) {
		c.Issued, c.NotBefore, c.Expires = token.Date(at), token.Date(at), token.Date(at.Add(time.Minute))
	})
	for _, tc := range []struct {
		after time.Duration
		want  string
	}{
		{-6 * time.Second, "token-not-yet-valid"}, {-5 * time.Second, ""}, {0, ""}, {64 * time.Second, ""},
		{65 * time.Second, "token-expired"}, {66 * time.Second, "token-expired"},
	} {
		now = at.Add(tc.after)
		if _, err := v.Verify(raw, bag); codeOf(err) != tc.want {
			t.Errorf("%s after issue: got %q, want %q", tc.after, codeOf(err), tc.want)
		}
	}
}

func TestClaimsComeAlongOnlyWithErrorsOfTimeAndAudience(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	v := issuer.Verifier()
	for name, tc := range map[string]struct {
		raw   string
		along bool
	}{
		"expired": {issuer.Token(bag, func(c *token.Claims) {
			c.Issued, c.NotBefore, c.Expires = token.Date(time.Now().Add(-time.Hour)), 0, token.Date(time.Now().Add(-55*time.Minute))
		}), true},
		"another audience": {issuer.Token(hub+"/zaken", nil), true},
		"another issuer":   {issuer.Token(bag, func(c *token.Claims) { c.Issuer = "https://evil.example" }), false},
		"a foreign key":    {tokentest.New(t, hub, token.TypeAccess).Token(bag, nil), false},
	} {
		if claims, err := v.Verify(tc.raw, bag); err == nil || (claims != nil) != tc.along {
			t.Errorf("%s: got claims %v with %v, want them along: %v", name, claims, err, tc.along)
		}
	}
}

func TestAVerifierIsNotMadeWithUnsafeOptions(t *testing.T) {
	good := token.Options{Type: token.TypeAccess, Issuer: hub, Keys: token.Keys{}}
	for name, change := range map[string]func(*token.Options){
		"no type":         func(o *token.Options) { o.Type = "" },
		"no issuer":       func(o *token.Options) { o.Issuer = "" },
		"no keys":         func(o *token.Options) { o.Keys = nil },
		"leeway of 61 s":  func(o *token.Options) { o.Leeway = 61 * time.Second },
		"negative leeway": func(o *token.Options) { o.Leeway = -1 },
	} {
		o := good
		change(&o)
		if _, err := token.NewVerifier(o); err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

func TestARememberedTokenDiesWithItsKey(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	keys := &changing{keys: issuer.Keys()}
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: hub, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	raw := issuer.Token(bag, nil)
	if _, err := v.Verify(raw, bag); err != nil {
		t.Fatal(err)
	}
	keys.set(token.Keys{})
	if _, err := v.Verify(raw, bag); codeOf(err) != "token-key" {
		t.Errorf("got %v after the key was withdrawn", err)
	}
	keys.set(issuer.Keys())
	if _, err := v.Verify(raw, bag); err != nil {
		t.Errorf("an unknown key was remembered as a refusal: %v", err)
	}
}

type changing struct {
	mu   sync.Mutex
	keys token.Keys
}

func (c *changing) set(k token.Keys) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys = k
}

func (c *changing) Key(kid string) (*ecdsa.PublicKey, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys.Key(kid)
}

func TestTheCacheStaysBoundedUnderManyTokens(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: hub, Keys: issuer.Keys(), CacheSize: 16})
	if err != nil {
		t.Fatal(err)
	}
	var raws []string
	for range 64 {
		raws = append(raws, issuer.Token(bag, nil))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, raw := range raws {
				if _, err := v.Verify(raw, bag); err != nil {
					t.Error(err)
				}
				_, _ = v.Verify(raw+"x", bag)
			}
		})
	}
	wg.Wait()
}

func TestRequireGuardsAService(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeCall)
	reached := 0
	guarded := token.Require(issuer.Verifier(), bag, problem.Writer{Hub: hub})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		if caller, ok := token.CallerFrom(r.Context()); !ok || caller.ClientID != "client-1" {
			t.Errorf("got caller %v, %v", caller, ok)
		}
	}))
	good := issuer.Token(bag, nil)
	for name, tc := range map[string]struct {
		header    []string
		query     string
		status    int
		challenge string
	}{
		"a good token":               {[]string{"Bearer " + good}, "", 200, ""},
		"scheme in small letters":    {[]string{"bearer " + good}, "", 200, ""},
		"no token":                   {nil, "", 401, `Bearer realm="noorderhub"`},
		"a broken token":             {[]string{"Bearer x"}, "", 401, `error="invalid_token"`},
		"Basic":                      {[]string{"Basic eDp5"}, "", 401, `error="invalid_token"`},
		"no scheme":                  {[]string{good}, "", 401, `error="invalid_token"`},
		"two headers":                {[]string{"Bearer " + good, "Bearer " + good}, "", 401, `error="invalid_token"`},
		"T30 a token in the query":   {nil, "access_token=" + good, 401, `error="invalid_token"`},
		"T30 an escaped query name":  {nil, "a=1&access_token=" + good, 401, `error="invalid_token"`},
		"both header and query":      {[]string{"Bearer " + good}, "access_token=" + good, 401, `error="invalid_token"`},
		"a token of another service": {[]string{"Bearer " + issuer.Token(hub+"/zaken", nil)}, "", 401, `error="invalid_token"`},
	} {
		t.Run(name, func(t *testing.T) {
			before := reached
			r := httptest.NewRequest(http.MethodGet, "/x?"+tc.query, nil)
			if tc.header != nil {
				r.Header["Authorization"] = tc.header
			}
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("got status %d, want %d", w.Code, tc.status)
			}
			if got := w.Header().Get("WWW-Authenticate"); !strings.Contains(got, tc.challenge) {
				t.Errorf("got challenge %q, want one with %q", got, tc.challenge)
			}
			if got, want := reached-before, map[bool]int{true: 1}[tc.status == 200]; got != want {
				t.Errorf("the service saw %d calls, want %d", got, want)
			}
			if strings.Contains(w.Body.String(), good) {
				t.Error("the answer repeats the token")
			}
		})
	}
}

func TestKeySetsRoundTripAndRefuseWhatIsNotOurs(t *testing.T) {
	issuer := tokentest.New(t, hub, token.TypeAccess)
	set, err := token.PublicSet(&issuer.Key().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := token.ParseKeys(set)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(keys), 1; got != want {
		t.Errorf("got %d keys, want %d", got, want)
	}
	if strings.Contains(string(set), `"d"`) {
		t.Error("the set holds a private key")
	}
	one := strings.TrimSuffix(strings.TrimPrefix(string(set), `{"keys":[`), `]}`)
	for name, text := range map[string]string{
		"nonsense":       `{`,
		"the same twice": `{"keys":[` + one + `,` + one + `]}`,
		"no kid":         strings.Replace(string(set), `"kid"`, `"kit"`, 1),
		"another alg":    strings.Replace(string(set), `ES256`, `ES384`, 1),
		"a symmetric":    `{"keys":[{"kty":"oct","kid":"x","k":"c2VjcmV0"}]}`,
	} {
		if _, err := token.ParseKeys(json.RawMessage(text)); err == nil {
			t.Errorf("%s: was read", name)
		}
	}
}

func TestTokenIDsDoNotRepeat(t *testing.T) {
	var ids []string
	for range 1000 {
		ids = append(ids, token.NewID())
	}
	slices.Sort(ids)
	if got := len(slices.Compact(ids)); got != 1000 {
		t.Errorf("got %d different ids of 1000", got)
	}
	if got := len(ids[0]); got != 24 {
		t.Errorf("got %d characters, want 24", got)
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	issuer := tokentest.New(b, hub, token.TypeAccess)
	v, raw := issuer.Verifier(), issuer.Token(bag, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(raw, bag); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyFresh(b *testing.B) {
	issuer := tokentest.New(b, hub, token.TypeAccess)
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: hub, Keys: issuer.Keys(), CacheSize: 1})
	if err != nil {
		b.Fatal(err)
	}
	raws := make([]string, 1024) // far more than the cache holds
	for i := range raws {
		raws[i] = issuer.Token(bag, nil)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := v.Verify(raws[i%len(raws)], bag); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkSign(b *testing.B) {
	issuer := tokentest.New(b, hub, token.TypeAccess)
	b.ReportAllocs()
	for b.Loop() {
		issuer.Token(bag, nil)
	}
}
