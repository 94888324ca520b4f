package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"noorderhub.nl/hub/gateway"
	"noorderhub.nl/hub/libs/config"
	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/problem"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	"noorderhub.nl/hub/libs/workload"
	journal "noorderhub.nl/hub/services/journal/api"
	registry "noorderhub.nl/hub/services/registry/api"
)

const (
	hub       = "https://hub.example.nl"
	assen     = "00000099000000002000"
	groningen = "00000099000000001000"
	hubOIN    = "00000099000000009000"
	grantHash = "$1$3$grant"
	path      = "/bag/v2/adressen"
)

// rig is a gateway with doubles for everything around it: a registry that is a literal snapshot, a journal in memory, and
// one server behind all parts and the service.
type rig struct {
	t       testing.TB
	ca      *pki.CA
	issuer  *tokentest.Issuer
	source  *snapshots
	journal *memory
	svc     *gateway.Service
	cfg     gateway.Config
	sync    func(*os.File) error
	stop    func()

	mu      sync.Mutex
	handler http.HandlerFunc // what the service does
	seen    []*http.Request  // what it got
}

type option func(*rig)

func newRig(t testing.TB, options ...option) *rig {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, ca: ca, issuer: tokentest.New(t, hub, token.TypeAccess), journal: &memory{}}
	r.handler = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "moi") }
	r.source = newSnapshots(r.snapshot())
	files := r.workload("gateway")
	server := r.certificate("server", pki.Request{CommonName: "hub", IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, Server: true})
	r.cfg = gateway.Defaults()
	r.cfg.Hub, r.cfg.Demo, r.cfg.Data, r.cfg.Workload = hub, true, t.TempDir(), files
	r.cfg.Listen, r.cfg.ListenTLS = "127.0.0.1:0", "127.0.0.1:0"
	r.cfg.TLS = gateway.TLSConfig{Cert: server.Cert, Key: server.Key, ClientCAs: server.CA}
	r.cfg.StopTimeout = config.Duration(5 * time.Second)
	r.cfg.Parts = gateway.PartsConfig{
		Registry: r.part("registry"), Journal: r.part("journal"), AuthServer: r.part("authserver"), Portal: r.part("portal"),
	}
	r.source.change(func(s *registry.Snapshot) { s.Services[0].Upstream.Addresses = []string{r.part("address")} })
	for _, o := range options {
		o(r)
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) start() {
	r.t.Helper()
	logger := slog.New(slog.NewTextHandler(testWriter{r.t}, &slog.HandlerOptions{Level: slog.LevelError}))
	svc, err := gateway.New(context.Background(), r.cfg, gateway.Deps{
		Logger: logger, Telemetry: telemetry.Noop(), Snapshots: r.source, Publish: r.source, Journal: r.journal, Sync: r.sync,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("gateway ended with %v", err)
		}
	})
	r.svc = svc
	eventually(r.t, "the gateway is ready", func() bool { return svc.Ready(context.Background()) == nil })
}

// eventually polls until a condition holds, for ten seconds at most.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func (r *rig) certificate(name string, request pki.Request) workload.Files {
	r.t.Helper()
	pair, err := r.ca.Issue(request)
	if err != nil {
		r.t.Fatal(err)
	}
	files, err := pair.WriteFiles(r.t.TempDir(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return files
}

func (r *rig) workload(part string) workload.Files {
	return r.certificate(part, pki.Request{CommonName: part, DNSNames: []string{workload.ServerName(part)}, Client: true, Server: true})
}

// part starts a server that shows itself as a part and does what the rig's handler does.
func (r *rig) part(name string) string {
	r.t.Helper()
	id, err := workload.Load(r.workload(name))
	if err != nil {
		r.t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		h := r.handler
		r.seen = append(r.seen, q.Clone(context.Background()))
		r.mu.Unlock()
		w.Header().Set("X-Part", name)
		h(w, q)
	}))
	srv.TLS = id.Server("gateway")
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	r.t.Cleanup(srv.Close)
	return srv.URL
}

func (r *rig) serve(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handler = h
}

// calls gives the requests that reached a server behind the gateway.
func (r *rig) calls() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*http.Request(nil), r.seen...)
}

func (r *rig) snapshot() *registry.Snapshot {
	keys, err := token.PublicSet(&r.issuer.Key().PublicKey)
	if err != nil {
		r.t.Fatal(err)
	}
	return &registry.Snapshot{
		Version: registry.Version{Epoch: 1, Number: 1}, HubOIN: hubOIN, GroupID: "test",
		Organisations: []registry.Organisation{{OIN: assen, Slug: "assen"}, {OIN: groningen, Slug: "groningen"}},
		Clients: []registry.Client{
			{ID: "client-1", Organisation: assen, Assignments: []registry.Assignment{{Name: "bag", GrantHash: grantHash}}},
			{ID: "client-2", Organisation: groningen, HubOperator: true},
		},
		Services: []registry.Service{{
			Slug: "bag", Owner: hubOIN, FSCName: "bag", Title: "Adressen", BasePaths: []string{"/bag/v2"},
			Upstream: registry.Upstream{Addresses: []string{"https://127.0.0.1:1"}, Part: "address", MaxBody: 1 << 20, Timeout: registry.Duration(5 * time.Second)},
			Operations: []registry.Operation{
				{ID: "zoek", Method: "GET", Path: path, Scope: "bag.lezen"},
				{ID: "een", Method: "GET", Path: path + "/{id}", Scope: "bag.lezen"},
				{ID: "schrijf", Method: "POST", Path: path, Scope: "bag.schrijven"},
				{ID: "kaal", Method: "GET", Path: "/bag/v2/kaal"},
			},
			Public: []string{"/bag/v2/openapi.json"},
		}},
		Grants: []registry.Grant{{
			Hash: grantHash, ContractHash: "$1$1$contract", Consumer: assen, Provider: hubOIN, Service: "bag",
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			Terms: registry.Terms{
				Purpose: "vergunning", LegalBasis: "wet", ProcessingActivity: "https://rvva.example.nl/1",
				Scopes: []string{"bag.lezen", "bag.schrijven"}, Binding: "none", Logging: "required",
			},
		}},
		Keys: []registry.PartKeys{{Part: "authserver", Instance: "a", JWKS: keys}},
	}
}

// token makes an access token of Assen's client for the service.
func (r *rig) token(change func(*token.Claims)) string {
	return r.issuer.Token(hub+"/bag", func(c *token.Claims) {
		c.PeerID, c.GrantHash, c.Scope = assen, grantHash, "bag.lezen bag.schrijven"
		if change != nil {
			change(c)
		}
	})
}

// tokenOf makes one for another grant of Assen's client.
func (r *rig) tokenOf(grant string) string {
	return r.token(func(c *token.Claims) { c.GrantHash = grant })
}

// get calls over the listener without TLS.
func (r *rig) get(path, bearer string) *answer {
	r.t.Helper()
	return r.do("GET", path, bearer, nil, nil)
}

type answer struct {
	*http.Response
	body []byte
}

func (a *answer) problem() problem.Details {
	var d problem.Details
	_ = json.Unmarshal(a.body, &d)
	return d
}

func (r *rig) do(method, target, bearer string, body io.Reader, header http.Header) *answer {
	r.t.Helper()
	return r.with(http.DefaultClient, "http://"+r.svc.Addr(), method, target, bearer, body, header)
}

func (r *rig) with(client *http.Client, base, method, target, bearer string, body io.Reader, header http.Header) *answer {
	r.t.Helper()
	q, err := http.NewRequest(method, base+target, body)
	if err != nil {
		r.t.Fatal(err)
	}
	for name, values := range header {
		q.Header[name] = values
	}
	if bearer != "" {
		q.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := client.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return &answer{resp, text}
}

// client speaks TLS to the gateway, with a client certificate when one is given.
func (r *rig) client(pairs ...*pki.Pair) *http.Client {
	cfg := &tls.Config{RootCAs: r.ca.Pool()}
	for _, p := range pairs {
		cfg.Certificates = append(cfg.Certificates, p.TLS())
	}
	transport := &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// snapshots is a registry: it holds the newest snapshot and takes the gateway's key into the next.
type snapshots struct {
	mu      sync.Mutex
	current *registry.Snapshot
	changed chan struct{}
	age     time.Duration
}

func newSnapshots(s *registry.Snapshot) *snapshots {
	return &snapshots{current: s, changed: make(chan struct{})}
}

func (s *snapshots) Current() *registry.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *snapshots) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *snapshots) Age() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.age
}

// change publishes a copy with the next number.
func (s *snapshots) change(edit func(*registry.Snapshot)) registry.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := json.Marshal(s.current)
	next := &registry.Snapshot{}
	if err := json.Unmarshal(text, next); err != nil {
		panic(err)
	}
	next.Version.Number++
	edit(next)
	s.current = next
	close(s.changed)
	s.changed = make(chan struct{})
	return next.Version
}

func (s *snapshots) PublishKeys(_ context.Context, keys registry.PartKeys) error {
	s.change(func(next *registry.Snapshot) { next.Keys = append(next.Keys, keys) })
	return nil
}

// memory is a journal with the rules of the real one: in order, idempotent, chained.
type memory struct {
	mu      sync.Mutex
	lines   [][]byte
	away    error
	batches int
}

func (m *memory) ShipLines(_ context.Context, lines [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return m.away
	}
	m.batches++
	for _, line := range lines {
		r, err := journal.Decode(line)
		if err != nil {
			return err
		}
		switch n := uint64(len(m.lines)); {
		case r.ID.Sequence <= n:
			if !bytes.Equal(m.lines[r.ID.Sequence-1], line) {
				return &journal.GapError{Expected: n + 1}
			}
			continue
		case r.ID.Sequence > n+1:
			return &journal.GapError{Expected: n + 1}
		case n > 0 && r.Previous != journal.Hash(m.lines[n-1]), n == 0 && r.Previous != journal.Genesis:
			return &journal.GapError{Expected: n + 1}
		}
		m.lines = append(m.lines, bytes.Clone(line))
	}
	return nil
}

func (m *memory) records() []journal.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []journal.Record
	for _, line := range m.lines {
		r, err := journal.Decode(line)
		if err != nil {
			panic(err)
		}
		all = append(all, r)
	}
	return all
}

// of waits for the records of one call.
func (r *rig) records(transaction string, n int) []journal.Record {
	r.t.Helper()
	var found []journal.Record
	eventually(r.t, "the records of the call are shipped", func() bool {
		found = nil
		for _, rec := range r.journal.records() {
			if rec.TransactionID == transaction {
				found = append(found, rec)
			}
		}
		return len(found) >= n
	})
	return found
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	return len(p), nil
}

func bearerOf(q *http.Request) string {
	return strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
}
