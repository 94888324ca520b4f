package cases_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/cases"
	"noorderhub.nl/hub/services/cases/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	registry "noorderhub.nl/hub/services/registry/api"
)

const (
	hub        = "https://hub.example.nl"
	hubOIN     = "00000099000000009000"
	groningen  = "00000099000000001000"
	assen      = "00000099000000002000"
	leeuwarden = "00000099000000003000"
	emmen      = "00000099000000004000" // knows nobody and has no receipt key

	toAssen      = "$1$3$groningen-assen"
	toLeeuwarden = "$1$3$groningen-leeuwarden"
	toEmmen      = "$1$3$groningen-emmen"
	assenOwn     = "$1$3$assen-assen"
	groningenOwn = "$1$3$groningen-groningen"
	leeuwardOwn  = "$1$3$leeuwarden-leeuwarden"
	emmenOwn     = "$1$3$emmen-emmen"
	onBAG        = "$1$3$groningen-bag"
)

// rig is a running case exchange with a gateway's view of it.
type rig struct {
	t         *testing.T
	dsn       string
	issuer    *tokentest.Issuer
	transport *http.Transport // as the gateway
	files     workload.Files
	material  *material
	snapshots *snapshots
	logbook   *logbook
	clock     atomic.Int64 // nanoseconds that the service's clock is ahead
	base      string
	stop      func()
}

// material is what organisations sign with.
type material struct {
	dir     string // of receipt keys
	ca      *pki.CA
	anchors string // file
}

func newMaterial(t *testing.T, organisations ...string) *material {
	t.Helper()
	ca, err := pki.NewCA("region")
	if err != nil {
		t.Fatal(err)
	}
	m := &material{dir: t.TempDir(), ca: ca, anchors: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(m.anchors, ca.CertPEM, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range organisations {
		m.add(t, o)
	}
	return m
}

// add makes a receipt key under a statement of the organisation.
func (m *material) add(t *testing.T, oin string) {
	t.Helper()
	pair, err := m.ca.Issue(pki.Request{CommonName: oin, OIN: oin})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := api.NewJWK(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	compact, err := api.SignStatement(contract.Signer{Key: pair.Key(), Certificate: pair.Certificate()},
		api.NewStatement(oin, jwk, now.Add(-time.Hour), now.Add(60*24*time.Hour), now))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, oin+".pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	m.write(t, oin+".jws", []byte(compact+"\n"))
}

func (m *material) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// snapshots is a registry that stands still until it is changed.
type snapshots struct {
	current atomic.Pointer[registry.Snapshot]
}

func (s *snapshots) Current() *registry.Snapshot { return s.current.Load() }

// change puts a new snapshot in force.
func (s *snapshots) change(change func(*registry.Snapshot)) {
	next := *s.current.Load()
	next.Grants = append([]registry.Grant(nil), next.Grants...)
	change(&next)
	s.current.Store(&next)
}

func (s *snapshots) suspend(hash string, suspended bool) {
	s.change(func(next *registry.Snapshot) {
		for i := range next.Grants {
			if next.Grants[i].Hash == hash {
				next.Grants[i].Narrowing = &registry.Narrowing{Suspended: suspended, By: assen}
			}
		}
	})
}

func newSnapshots() *snapshots {
	s := &registry.Snapshot{HubOIN: hubOIN}
	for _, oin := range []string{hubOIN, groningen, assen, leeuwarden, emmen} {
		s.Organisations = append(s.Organisations, registry.Organisation{OIN: oin})
	}
	grant := func(hash, consumer, provider, service string) {
		s.Grants = append(s.Grants, registry.Grant{
			Hash: hash, ContractHash: strings.Replace(hash, "$1$3$", "$1$1$", 1), Consumer: consumer, Provider: provider, Service: service,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			Terms: registry.Terms{Purpose: "overdragen van vergunningzaken", ProcessingActivity: "https://register.example/" + consumer},
		})
	}
	grant(toAssen, groningen, assen, api.Slug)
	grant(toLeeuwarden, groningen, leeuwarden, api.Slug)
	grant(toEmmen, groningen, emmen, api.Slug)
	grant(assenOwn, assen, assen, api.Slug)
	grant(groningenOwn, groningen, groningen, api.Slug)
	grant(leeuwardOwn, leeuwarden, leeuwarden, api.Slug)
	grant(emmenOwn, emmen, emmen, api.Slug)
	grant(onBAG, groningen, hubOIN, "bag")
	out := &snapshots{}
	out.current.Store(s)
	return out
}

// logbook remembers what was written; away, it takes nothing.
type logbook struct {
	mu      sync.Mutex
	records []exchange.Processing
	away    bool
}

func (l *logbook) Write(_ context.Context, p exchange.Processing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return errors.New("no logbook")
	}
	l.records = append(l.records, p)
	return nil
}

func (l *logbook) setAway(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

func (l *logbook) take() []exchange.Processing {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := l.records
	l.records = nil
	return records
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	r := prepare(t, dsn)
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// prepare makes all that a service needs and starts none.
func prepare(t *testing.T, dsn string) *rig {
	t.Helper()
	ca, err := pki.NewCA("workloads")
	if err != nil {
		t.Fatal(err)
	}
	identity := func(part string) workload.Files {
		pair, err := ca.Issue(pki.Part(part))
		if err != nil {
			t.Fatal(err)
		}
		files, err := pair.WriteFiles(t.TempDir(), part)
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	r := &rig{
		t: t, dsn: dsn, issuer: tokentest.New(t, hub, token.TypeCall), files: identity("cases"),
		material:  newMaterial(t, hubOIN, groningen, assen, leeuwarden),
		snapshots: newSnapshots(), logbook: &logbook{},
	}
	gateway, err := workload.Load(identity("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	r.transport = gateway.HTTPClient("cases").Transport.(*http.Transport)
	return r
}

func (r *rig) config() cases.Config {
	cfg := cases.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub, cfg.HubOIN, cfg.Database = "127.0.0.1:0", r.files, hub, hubOIN, r.dsn
	cfg.Receipts = cases.ReceiptsConfig{Keys: r.material.dir, Anchors: []string{r.material.anchors}}
	return cfg
}

// start runs the service on the rig's database; stop ends it.
func (r *rig) start() {
	r.t.Helper()
	s, err := cases.New(r.t.Context(), r.config(), cases.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), CallKeys: r.issuer.Keys(), Snapshots: r.snapshots,
		Logbook: r.logbook, Now: func() time.Time { return time.Now().Add(time.Duration(r.clock.Load())) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.base = "https://" + s.Addr()
	r.stop = func() {
		r.transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
		r.stop = func() {}
	}
}

// as gives a client of an organisation under a grant, with every scope unless some are named.
func (r *rig) as(organisation, grant string, scopes ...string) *api.Client {
	if len(scopes) == 0 {
		scopes = []string{api.ScopeRead, api.ScopeOffer, api.ScopeReceive}
	}
	raw := r.issuer.Token(hub+"/overdracht", func(c *token.Claims) {
		c.PeerID, c.GrantHash, c.Scope = organisation, grant, strings.Join(scopes, " ")
	})
	return &api.Client{Base: r.base, HTTP: &http.Client{Transport: bearer{raw, r.transport}}}
}

// open gives a client without a token.
func (r *rig) open() *api.Client {
	return &api.Client{Base: r.base, HTTP: &http.Client{Transport: r.transport}}
}

func (r *rig) sender() *api.Client   { return r.as(groningen, toAssen) }
func (r *rig) receiver() *api.Client { return r.as(assen, assenOwn) }

type bearer struct {
	token string
	base  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.base.RoundTrip(r)
}

// answer is what came back of one request.
type answer struct {
	status int
	header http.Header
	body   string
}

// code is the code of a refusal.
func (a answer) code() string {
	var d struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal([]byte(a.body), &d)
	return d.Code
}

// ask makes one request; header holds names and values in turn.
func (r *rig) ask(client *api.Client, method, path, body string, header ...string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+api.Base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.HTTP.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// document is a good case.
const document = `{"bronorganisatie": "000000000", "identificatie": "ZAAK-2026-0000000001", "zaaktype": "https://catalogi.example/zaaktypen/1",
 "verantwoordelijkeOrganisatie": "000000000", "startdatum": "2026-11-02", "omschrijving": "dakkapel",
 "onbekendVeld": {"blijft": [1, 2.50, "<é>"]}}`

func newOffer(receiver string) api.Offer { return offerOf(receiver, document) }

func offerOf(receiver, text string) api.Offer {
	sum := sha256.Sum256([]byte(text))
	return api.Offer{
		Receiver: receiver, Kind: api.KindHandover,
		Case: api.CaseKey{
			Source: "000000000", ID: "ZAAK-2026-0000000001", Description: "omgevingsvergunning",
			Type: api.CaseType{ID: "OMG-01", Domain: "VERGU", RSIN: "000000000"},
		},
		Manifest: api.Manifest{CaseSHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(text))},
	}
}

func newID() string { return uuid.NewString() }

// must fails the test on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
