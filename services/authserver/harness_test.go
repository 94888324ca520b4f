package authserver_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/redis/go-redis/v9"

	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/authserver"
	"noorderhub.nl/hub/services/registry/api"
)

const (
	hubURL   = "https://hub.example"
	mtlsURL  = "https://mtls.hub.example"
	issuer   = hubURL
	tokenURL = hubURL + "/oauth2/token"
	bag      = hubURL + "/bag"
	zaken    = hubURL + "/zaken"

	assen     = "00000099000000002000"
	emmen     = "00000099000000005000"
	groningen = "00000099000000001000"
)

// hub is an authorization server with everything around it: a snapshot that takes over published keys, Redis, and the
// gateway's workload certificate to reach it by.
type hub struct {
	t       testing.TB
	service *authserver.Service
	http    *http.Client
	base    string
	redis   *miniredis.Miniredis
	reg     *registry
	log     *safeBuffer
	parts   *pki.CA
	cfg     authserver.Config
}

// registry is a snapshot that tests change; it adds the keys that are published, as the real one does.
type registry struct {
	mu      sync.Mutex
	current atomic.Pointer[api.Snapshot]
	changed chan struct{} // made by Changed, closed by change
}

func (r *registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

func (r *registry) Current() *api.Snapshot { return r.current.Load() }

func (r *registry) change(f func(*api.Snapshot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, _ := json.Marshal(r.current.Load())
	var next api.Snapshot
	_ = json.Unmarshal(text, &next)
	f(&next)
	next.Version.Number++
	r.current.Store(&next)
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *registry) publish(_ context.Context, set json.RawMessage) error {
	r.change(func(s *api.Snapshot) {
		s.Keys = append(s.Keys, api.PartKeys{Part: "authserver", Instance: "test", JWKS: set})
	})
	return nil
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// client is an OAuth client with its private key.
type client struct {
	id  string
	alg jose.SignatureAlgorithm
	kid string
	key crypto.Signer
}

func newClient(t testing.TB, id string, alg jose.SignatureAlgorithm) client {
	t.Helper()
	c := client{id: id, alg: alg, kid: id + "-key"}
	if alg == jose.ES256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c.key = key
		return c
	}
	c.key = rsaKey(t)
	return c
}

func (c client) jwks(t testing.TB) json.RawMessage {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key.Public(), KeyID: c.kid, Algorithm: string(c.alg), Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (c client) registered(t testing.TB, organisation string, change func(*api.Client)) api.Client {
	reg := api.Client{ID: c.id, Organisation: organisation, Name: c.id, Profile: "nlgov", SigningAlg: string(c.alg), JWKS: c.jwks(t)}
	if change != nil {
		change(&reg)
	}
	return reg
}

// claims are those of a good assertion.
func (c client) claims() map[string]any {
	now := time.Now().Unix()
	var id [16]byte
	_, _ = rand.Read(id[:])
	return map[string]any{
		"iss": c.id, "sub": c.id, "aud": issuer, "iat": now, "exp": now + 60, "jti": base64.RawURLEncoding.EncodeToString(id[:]),
	}
}

// assertion signs the claims after change; a nil value removes a claim, header members likewise.
func (c client) assertion(t testing.TB, change, header map[string]any) string {
	t.Helper()
	claims := c.claims()
	for k, v := range change {
		claims[k] = v
		if v == nil {
			delete(claims, k)
		}
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if c.kid != "" {
		options = options.WithHeader("kid", c.kid)
	}
	for k, v := range header {
		options = options.WithHeader(jose.HeaderKey(k), v)
		if v == nil {
			delete(options.ExtraHeaders, jose.HeaderKey(k))
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: c.alg, Key: c.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// form is a good token request with the given parameters on top, as pairs.
func (c client) form(t testing.TB, extra ...string) url.Values {
	t.Helper()
	f := url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {c.assertion(t, nil, nil)},
	}
	for i := 0; i < len(extra); i += 2 {
		f.Add(extra[i], extra[i+1])
	}
	return f
}

func grant(hash, consumer, service string, change func(*api.Grant)) api.Grant {
	g := api.Grant{
		Hash: hash, ContractHash: "$1$1$" + hash, Consumer: consumer, Provider: groningen, Service: service,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		Terms: api.Terms{Purpose: "vergunningen", Scopes: []string{service + ".lezen", service + ".schrijven"}, Binding: "none", Logging: "required"},
	}
	if change != nil {
		change(&g)
	}
	return g
}

// start runs a hub with clients and grants. Assen has one grant for bag, hash "$1$3$assen-bag", assigned to every client.
func start(t testing.TB, change func(*api.Snapshot)) *hub {
	t.Helper()
	parts, err := pki.NewCA("parts")
	if err != nil {
		t.Fatal(err)
	}
	server := miniredis.RunT(t)
	h := &hub{t: t, redis: server, reg: &registry{}, log: &safeBuffer{}, parts: parts}
	snapshot := &api.Snapshot{
		HubOIN: groningen, GroupID: "noorderhub.test",
		Organisations: []api.Organisation{{OIN: assen, Slug: "assen", Name: "Assen"}, {OIN: emmen, Slug: "emmen", Name: "Emmen"}, {OIN: groningen, Slug: "groningen", Name: "Groningen"}},
		Services:      []api.Service{{Slug: "bag", Owner: groningen}, {Slug: "zaken", Owner: groningen}},
		Grants:        []api.Grant{grant("$1$3$assen-bag", assen, "bag", nil)},
	}
	if change != nil {
		change(snapshot)
	}
	h.reg.current.Store(snapshot)
	h.cfg = authserver.Defaults()
	h.cfg.Listen, h.cfg.Instance, h.cfg.Hub, h.cfg.MTLS = "127.0.0.1:0", "test-1", hubURL, mtlsURL
	h.cfg.Database = "sqlite:" + t.TempDir() + "/authserver.db"
	h.cfg.Envelope = config.Secret(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	h.cfg.Workload = h.files("authserver")
	h.run()
	h.http = h.client("gateway")
	return h
}

func (h *hub) files(part string) workload.Files {
	h.t.Helper()
	pair, err := h.parts.Issue(pki.Part(part))
	if err != nil {
		h.t.Fatal(err)
	}
	files, err := pair.WriteFiles(h.t.TempDir(), part)
	if err != nil {
		h.t.Fatal(err)
	}
	return files
}

func (h *hub) client(part string) *http.Client {
	h.t.Helper()
	id, err := workload.Load(h.files(part))
	if err != nil {
		h.t.Fatal(err)
	}
	return id.HTTPClient("authserver")
}

// run starts a process of the server; it ends with the test.
func (h *hub) run() {
	h.t.Helper()
	redisClient := redis.NewClient(&redis.Options{Addr: h.redis.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1, DialTimeout: time.Second})
	service, err := authserver.New(context.Background(), h.cfg, authserver.Deps{
		Logger: slog.New(slog.NewJSONHandler(h.log, nil)), Telemetry: telemetry.Noop(),
		Snapshots: h.reg, Publish: h.reg.publish, Redis: redisClient,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- service.Run(ctx) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
		_ = redisClient.Close()
	})
	eventually(h.t, "ready", func() bool { return service.Ready(ctx) == nil })
	h.service, h.base = service, "https://"+service.Addr()
}

// eventually waits up to 10 s for something that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never %s", what)
		}
	}
}

// answer is what a token request came to.
type answer struct {
	status int
	header http.Header
	raw    string

	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	Refresh     string `json:"refresh_token"`

	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
	Code        string `json:"code"`
	Rule        string `json:"rule"`
	Side        string `json:"side"`
}

func (h *hub) post(form url.Values, change func(*http.Request)) answer {
	h.t.Helper()
	req, err := http.NewRequest(http.MethodPost, h.base+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(req)
	}
	return h.do(req)
}

func (h *hub) do(req *http.Request) answer {
	h.t.Helper()
	resp, err := h.http.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(body)}
	_ = json.Unmarshal(body, &a)
	return a
}

// verify reads an access token with the keys of the JWKS, as the gateway does.
func (h *hub) verify(a answer, audience string) *token.Claims {
	h.t.Helper()
	if a.status != http.StatusOK {
		h.t.Fatalf("got %d %s", a.status, a.raw)
	}
	req, err := http.NewRequest(http.MethodGet, h.base+"/oauth2/jwks", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	keys, err := token.ParseKeys(json.RawMessage(h.do(req).raw))
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := token.NewVerifier(token.Options{Type: token.TypeAccess, Issuer: issuer, Keys: keys})
	if err != nil {
		h.t.Fatal(err)
	}
	claims, err := v.Verify(a.AccessToken, audience)
	if err != nil {
		h.t.Fatal(err)
	}
	return claims
}

// refused checks a refusal: status, OAuth error and code, and that the answer is complete.
func refused(t testing.TB, a answer, status int, name, code string) {
	t.Helper()
	if a.status != status || a.Error != name || a.Code != code {
		t.Errorf("got %d %s %s (%s), want %d %s %s", a.status, a.Error, a.Code, a.Description, status, name, code)
		return
	}
	if want := hubURL + "/portaal/fouten/" + code; a.URI != want {
		t.Errorf("got error_uri %q, want %q", a.URI, want)
	}
	if a.Description == "" || a.Side == "" || a.Rule == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the refusal is incomplete: %s", a.raw)
	}
	if strings.ContainsAny(a.Description, "\"\\\n") {
		t.Errorf("error_description has characters that RFC 6749 forbids: %q", a.Description)
	}
	if a.AccessToken != "" {
		t.Error("a refusal carries a token")
	}
}
