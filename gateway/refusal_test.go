package gateway_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	registry "noorderhub.nl/hub/services/registry/api"
)

func TestEveryRefusalNamesItsCodeAndNeverReachesTheService(t *testing.T) {
	stranger := tokentest.New(t, hub, token.TypeAccess)
	grant := func(edit func(*registry.Grant)) func(*registry.Snapshot) {
		return func(s *registry.Snapshot) { edit(&s.Grants[0]) }
	}
	for name, tc := range map[string]struct {
		snapshot func(*registry.Snapshot)
		claims   func(*token.Claims)
		raw      func(*rig) string // instead of a good token
		path     string
		status   int
		code     string
		recorded bool // the client is known: the refusal stands in the log
	}{
		"no token":             {raw: func(*rig) string { return "" }, status: 401, code: "token-missing"},
		"a token that is none": {raw: func(*rig) string { return "abc.def.ghi" }, status: 401, code: "token-malformed"},
		"a foreign key":        {raw: func(*rig) string { return stranger.Token(hub+"/bag", nil) }, status: 401, code: "token-key"},
		"an expired token": {claims: func(c *token.Claims) {
			c.Issued, c.NotBefore, c.Expires = token.Date(time.Now().Add(-time.Hour)), 0, token.Date(time.Now().Add(-55*time.Minute))
		}, status: 401, code: "token-expired", recorded: true},
		"another audience": {claims: func(c *token.Claims) { c.Audience = hub + "/zaken" }, status: 401, code: "token-audience", recorded: true},
		"another issuer":   {claims: func(c *token.Claims) { c.Issuer = "https://evil.example" }, status: 401, code: "token-issuer"},
		"a revoked token": {
			claims: func(c *token.Claims) { c.ID = "revoked" },
			snapshot: func(s *registry.Snapshot) {
				s.RevokedTokens = []registry.RevokedToken{{JTI: "revoked", Expires: time.Now().Add(time.Hour)}}
			},
			status: 401, code: "token-revoked", recorded: true,
		},
		"a bound token without certificate": {
			claims: func(c *token.Claims) { c.Confirmation = &token.Confirmation{Certificate: "x"} },
			status: 401, code: "certificate-missing", recorded: true,
		},
		"a token bound to a proof key": {
			claims: func(c *token.Claims) { c.Confirmation = &token.Confirmation{Key: "x"} },
			status: 401, code: "proof-not-supported", recorded: true,
		},
		"a contract that demands binding": {
			snapshot: grant(func(g *registry.Grant) { g.Terms.Binding = "mtls" }), status: 401, code: "binding-required", recorded: true,
		},
		"a contract whose binding is unknown": {
			snapshot: grant(func(g *registry.Grant) { g.Terms.Binding = "" }), status: 401, code: "binding-required", recorded: true,
		},
		"an unknown client":  {claims: func(c *token.Claims) { c.ClientID = "who" }, status: 403, code: "client-unknown"},
		"a foreign client":   {claims: func(c *token.Claims) { c.ClientID = "client-2" }, status: 403, code: "client-unknown", recorded: true},
		"a disabled client":  {snapshot: func(s *registry.Snapshot) { s.Clients[0].Disabled = true }, status: 403, code: "client-disabled", recorded: true},
		"no such contract":   {claims: func(c *token.Claims) { c.GrantHash = "$1$3$other" }, status: 403, code: "no-contract", recorded: true},
		"no contract at all": {claims: func(c *token.Claims) { c.GrantHash = "" }, status: 403, code: "no-contract", recorded: true},
		"a contract of another consumer": {
			snapshot: grant(func(g *registry.Grant) { g.Consumer = groningen }), status: 403, code: "no-contract", recorded: true,
		},
		"a contract for another service": {
			snapshot: grant(func(g *registry.Grant) { g.Service = "zaken" }), status: 403, code: "no-contract", recorded: true,
		},
		"a contract that is over": {
			snapshot: grant(func(g *registry.Grant) { g.NotAfter = time.Now().Add(-time.Second) }), status: 403, code: "contract-expired", recorded: true,
		},
		"a contract to come": {
			snapshot: grant(func(g *registry.Grant) { g.NotBefore = time.Now().Add(time.Minute) }), status: 403, code: "contract-not-yet-valid", recorded: true,
		},
		"a suspended contract": {
			snapshot: grant(func(g *registry.Grant) {
				g.Narrowing = &registry.Narrowing{Suspended: true, By: hubOIN, Reason: "onderzoek"}
			}),
			status: 403, code: "contract-suspended", recorded: true,
		},
		"a blocked scope": {
			snapshot: grant(func(g *registry.Grant) {
				g.Narrowing = &registry.Narrowing{BlockedScopes: []string{"bag.lezen"}, By: hubOIN}
			}),
			status: 403, code: "scope-blocked", recorded: true,
		},
		"a contract that is not assigned": {
			snapshot: func(s *registry.Snapshot) { s.Clients[0].Assignments = nil }, status: 403, code: "client-not-assigned", recorded: true,
		},
		"a scope the contract lacks": {
			snapshot: grant(func(g *registry.Grant) { g.Terms.Scopes = []string{"bag.schrijven"} }), status: 403, code: "scope-missing", recorded: true,
		},
		"a scope the token lacks": {claims: func(c *token.Claims) { c.Scope = "bag.schrijven" }, status: 403, code: "scope-missing", recorded: true},
		"a scope that only begins alike": {
			claims: func(c *token.Claims) { c.Scope = "bag.lezen2 xbag.lezen" }, status: 403, code: "scope-missing", recorded: true,
		},
		"an operation without scope": {path: "/bag/v2/kaal", status: 500, code: "operation-without-scope", recorded: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(r *rig) {
				if tc.snapshot != nil {
					r.source.change(tc.snapshot)
				}
			})
			raw := ""
			if tc.raw != nil {
				raw = tc.raw(r)
			} else {
				raw = r.token(tc.claims)
			}
			target := path + "?postcode=9400AA"
			if tc.path != "" {
				target = tc.path
			}
			got := r.get(target, raw)
			p := got.problem()
			if got.StatusCode != tc.status || p.Code != tc.code {
				t.Fatalf("got %d %s, want %d %s", got.StatusCode, got.body, tc.status, tc.code)
			}
			checkRefusal(t, got)
			if tc.status == 401 && !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), `Bearer realm="noorderhub"`) {
				t.Errorf("got WWW-Authenticate %q", got.Header.Get("WWW-Authenticate"))
			}
			if tc.code == "scope-missing" && !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
				t.Errorf("got WWW-Authenticate %q, want insufficient_scope", got.Header.Get("WWW-Authenticate"))
			}
			if n := len(r.calls()); n != 0 {
				t.Errorf("the service got %d calls", n)
			}
			if !tc.recorded {
				return
			}
			d := r.records(got.Header.Get("Fsc-Transaction-Id"), 1)[0].Decision
			if d == nil || d.Permit || d.Code != tc.code || d.Rule == "" {
				t.Errorf("got decision %+v", d)
			}
		})
	}
}

// checkRefusal looks for what every refusal has.
func checkRefusal(t *testing.T, got *answer) {
	t.Helper()
	for _, h := range []string{"Fsc-Transaction-Id", "Traceparent", "X-Content-Type-Options", "Content-Security-Policy", "Strict-Transport-Security", "X-Frame-Options"} {
		if got.Header.Get(h) == "" {
			t.Errorf("header %s is missing", h)
		}
	}
	if by := got.Header.Get("Noorderhub-Answered-By"); by != "gateway" {
		t.Errorf("got answered by %q, want gateway", by)
	}
	if ct := got.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("got media type %q", ct)
	}
	p := got.problem()
	if p.Type != hub+"/portaal/fouten/"+p.Code || p.Status != got.StatusCode || p.Title == "" || p.Detail == "" || p.Rule == "" || p.Side == "" || p.NextStep == "" {
		t.Errorf("got problem %s", got.body)
	}
	if !strings.Contains(got.Header.Get("Traceparent"), p.TraceID) || len(p.TraceID) != 32 {
		t.Errorf("trace id %q does not belong to %q", p.TraceID, got.Header.Get("Traceparent"))
	}
}

func TestForgedAlgorithmsAreRefused(t *testing.T) {
	r := newRig(t)
	for _, header := range []string{`{"alg":"none","typ":"at+jwt"}`, `{"alg":"HS256","typ":"at+jwt","kid":"x"}`} {
		parts := strings.Split(r.token(nil), ".")
		forged := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "."
		if strings.Contains(header, "HS") {
			forged += parts[2]
		}
		if got := r.get(path, forged); got.StatusCode != 401 {
			t.Errorf("%s: got %d, want 401", header, got.StatusCode)
		}
	}
	if n := len(r.calls()); n != 0 {
		t.Errorf("the service got %d calls", n)
	}
}

func TestPathsAndMethodsThatCouldBeReadTwoWaysAreRefused(t *testing.T) {
	r := newRig(t)
	good := r.token(nil)
	for name, tc := range map[string]struct {
		line   string // method and target of the request line
		status int
		code   string
	}{
		"an unknown path":            {"GET /nergens", 404, "unknown-path"},
		"an operation it lacks":      {"GET /bag/v2/anders", 404, "unknown-operation"},
		"the base path":              {"GET /bag/v2", 404, "unknown-operation"},
		"a path that begins alike":   {"GET /bag/v2x/adressen", 404, "unknown-path"},
		"a trailing slash":           {"GET /bag/v2/adressen/", 404, "unknown-path"},
		"a double slash":             {"GET /bag//v2/adressen", 404, "unknown-path"},
		"a leading double slash":     {"GET //bag/v2/adressen", 404, "unknown-path"},
		"a dot segment":              {"GET /bag/v2/./adressen", 400, "path-not-canonical"},
		"a parent segment":           {"GET /bag/v2/x/../adressen", 400, "path-not-canonical"},
		"an encoded parent segment":  {"GET /bag/v2/%2e%2e/adressen", 400, "path-not-canonical"},
		"an encoded slash":           {"GET /bag/v2%2Fadressen", 400, "path-not-canonical"},
		"an encoded backslash":       {"GET /bag/v2/%5Cadressen", 400, "path-not-canonical"},
		"a backslash":                {`GET /bag\v2/adressen`, 400, "path-not-canonical"},
		"an encoded letter":          {"GET /bag/v2/%61dressen", 400, "path-not-canonical"},
		"double encoding":            {"GET /bag/v2/%252e", 400, "path-not-canonical"},
		"an encoded null":            {"GET /bag/v2/adressen/a%00", 400, "path-not-canonical"},
		"path parameters":            {"GET /bag/v2/adressen;a=b", 400, "path-not-canonical"},
		"a tomcat traversal":         {"GET /bag/v2/..;/adressen", 400, "path-not-canonical"},
		"lower case encoding":        {"GET /bag/v2/adressen/%c3%a9", 400, "path-not-canonical"},
		"other case":                 {"GET /BAG/v2/adressen", 404, "unknown-path"},
		"an absolute target":         {"GET http://hub.example.nl/bag/v2/adressen", 400, "path-not-canonical"},
		"a wrong method":             {"DELETE /bag/v2/adressen", 405, "method-not-allowed"},
		"a method in lower case":     {"get /bag/v2/adressen", 405, "method-not-allowed"},
		"TRACE":                      {"TRACE /bag/v2/adressen", 405, "method-not-allowed"},
		"a token in the query":       {"GET /bag/v2/adressen?access_token=abc", 400, "credential-in-url"},
		"a token named in disguise":  {"GET /bag/v2/adressen?x=1&access%5Ftoken=abc", 400, "credential-in-url"},
		"a URL too long":             {"GET /bag/v2/adressen?q=" + strings.Repeat("x", 17<<10), 400, "url-too-long"},
		"the internal surface":       {"GET /intern/v1/snapshot", 404, "unknown-path"},
		"a good call for comparison": {"GET /bag/v2/adressen/%C3%A9%20x", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(r.calls())
			status, text := raw(t, r, tc.line+" HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer "+good+"\r\nConnection: close\r\n\r\n")
			if status != tc.status || tc.code != "" && !strings.Contains(text, `"code":"`+tc.code+`"`) {
				t.Fatalf("got %d %s, want %d %s", status, text, tc.status, tc.code)
			}
			if tc.status != 200 && len(r.calls()) != before {
				t.Error("the service was called")
			}
		})
	}
	calls := r.calls()
	if got := calls[len(calls)-1].RequestURI; got != "/bag/v2/adressen/%C3%A9%20x" {
		t.Errorf("the path went on as %q, want it byte for byte", got)
	}
}

func TestAWrongMethodNamesThoseAllowed(t *testing.T) {
	r := newRig(t)
	got := r.do("DELETE", path, "", nil, nil)
	if allow := got.Header.Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("got Allow %q", allow)
	}
}

// raw sends bytes and reads one answer.
func raw(t *testing.T, r *rig, text string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", r.svc.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestSmuggledRequestsNeverReachTheServiceAsASecondOne(t *testing.T) {
	r := newRig(t)
	good := "Host: hub\r\nAuthorization: Bearer " + r.token(nil) + "\r\n"
	smuggled := "GET /bag/v2/adressen/gesmokkeld HTTP/1.1\r\nHost: hub\r\n\r\n"
	for name, request := range map[string]string{
		"two lengths":                   "POST /bag/v2/adressen HTTP/1.1\r\n" + good + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		"length and chunks":             "POST /bag/v2/adressen HTTP/1.1\r\n" + good + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5+len(smuggled)) + smuggled,
		"an obscured encoding":          "POST /bag/v2/adressen HTTP/1.1\r\n" + good + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
		"two encodings":                 "POST /bag/v2/adressen HTTP/1.1\r\n" + good + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + smuggled,
		"a body on GET":                 "GET /bag/v2/adressen HTTP/1.1\r\n" + good + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled,
		"a folded header":               "GET /bag/v2/adressen HTTP/1.1\r\n" + good + "X: a\r\n b: c\r\nTransfer-Encoding\r\n\r\n" + smuggled,
		"a space before the colon":      "POST /bag/v2/adressen HTTP/1.1\r\n" + good + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled,
		"a negative length":             "POST /bag/v2/adressen HTTP/1.1\r\n" + good + "Content-Length: -1\r\n\r\n" + smuggled,
		"two hosts":                     "GET /bag/v2/adressen HTTP/1.1\r\nHost: evil\r\n" + good + "\r\n",
		"no host":                       "GET /bag/v2/adressen HTTP/1.1\r\n\r\n",
		"an empty host":                 "GET /bag/v2/adressen HTTP/1.1\r\nHost:\r\n\r\n",
		"an upgrade":                    "GET /bag/v2/adressen HTTP/1.1\r\n" + good + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		"eight-bit header":              "GET /bag/v2/adressen HTTP/1.1\r\n" + good + "X-A: \xe9\r\n\r\n",
		"two Authorization headers":     "GET /bag/v2/adressen HTTP/1.1\r\n" + good + "Authorization: Bearer x\r\n\r\n",
		"a hundred and one fields more": "GET /bag/v2/adressen HTTP/1.1\r\n" + good + strings.Repeat("X-A: b\r\n", 101) + "\r\n",
		"a megabyte of header":          "GET /bag/v2/adressen HTTP/1.1\r\n" + good + "X-A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			status, _ := raw(t, r, request)
			if status != 0 && status < 400 && name != "length and chunks" {
				t.Errorf("got %d, want a refusal", status)
			}
		})
	}
	for _, q := range r.calls() {
		if strings.Contains(q.URL.Path, "gesmokkeld") {
			t.Error("a smuggled request reached the service")
		}
	}
}

func TestAnOutdatedSnapshotClosesContractsThatDemandALog(t *testing.T) {
	r := newRig(t)
	r.source.mu.Lock()
	r.source.age = 25 * time.Hour
	r.source.mu.Unlock()
	if got := r.get(path, r.token(nil)); got.StatusCode != 503 || got.problem().Code != "policy-out-of-date" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	v := r.source.change(func(s *registry.Snapshot) { s.Grants[0].Terms.Logging = "open" })
	eventually(t, "the open contract is served", func() bool { return r.get(path, r.token(nil)).StatusCode == 200 })
	_ = v
}

func TestTheAuthorizationServersPathsKeepTheirErrors(t *testing.T) {
	r := newRig(t)
	got := r.do("POST", "/oauth2/token", "", strings.NewReader(strings.Repeat("x", 65<<10)), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		URI         string `json:"error_uri"`
		Code        string `json:"code"`
		Rule        string `json:"rule"`
		Side        string `json:"side"`
		NextStep    string `json:"nextStep"`
		TraceID     string `json:"traceId"`
	}
	if err := json.Unmarshal(got.body, &e); err != nil || got.StatusCode != 413 || e.Error != "invalid_request" || e.URI != hub+"/portaal/fouten/body-too-large" {
		t.Errorf("got %d %s", got.StatusCode, got.body)
	}
	if e.Code != "body-too-large" || e.Rule == "" || e.Side != "client" || e.NextStep == "" || len(e.TraceID) != 32 || strings.ContainsAny(e.Description, "\"\\") {
		t.Errorf("got %s, want the hub's members too", got.body)
	}
}
