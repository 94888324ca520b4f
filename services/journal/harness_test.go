package journal_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/telemetry"
	"noorderhub.nl/hub/libs/token"
	"noorderhub.nl/hub/libs/token/tokentest"
	"noorderhub.nl/hub/libs/workload"
	"noorderhub.nl/hub/services/journal"
	"noorderhub.nl/hub/services/journal/api"
)

const (
	hub        = "https://hub.example.nl"
	hubOIN     = "00000099000000009000"
	groningen  = "00000099000000001000"
	assen      = "00000099000000002000"
	leeuwarden = "00000099000000003000"
	testBSN    = "999993653"
)

// rig is a running journal with a gateway's view of it.
type rig struct {
	t      *testing.T
	dsn    string
	issuer *tokentest.Issuer
	ids    map[string]*workload.Identity
	files  workload.Files
	base   string
	stop   func()
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dsn: dsn, issuer: tokentest.New(t, hub, token.TypeCall), ids: map[string]*workload.Identity{}}
	for _, part := range []string{"journal", "gateway", "address", "intruder"} {
		pair, err := ca.Issue(pki.Part(part))
		if err != nil {
			t.Fatal(err)
		}
		files, err := pair.WriteFiles(t.TempDir(), part)
		if err != nil {
			t.Fatal(err)
		}
		if r.ids[part], err = workload.Load(files); err != nil {
			t.Fatal(err)
		}
		if part == "journal" {
			r.files = files
		}
	}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) config() journal.Config {
	cfg := journal.Defaults()
	cfg.Listen, cfg.Workload, cfg.Hub, cfg.HubOIN, cfg.Database = "127.0.0.1:0", r.files, hub, hubOIN, r.dsn
	cfg.Pseudonyms = "a master key of pseudonyms for tests"
	return cfg
}

// start runs a journal on the rig's database; stop ends it.
func (r *rig) start() {
	r.t.Helper()
	s, err := journal.New(r.t.Context(), r.config(), journal.Deps{
		Logger: slog.New(slog.DiscardHandler), Telemetry: telemetry.Noop(), CallKeys: r.issuer.Keys(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	r.base = "https://" + s.Addr()
	r.stop = func() {
		for _, id := range r.ids {
			id.HTTPClient("journal").CloseIdleConnections()
		}
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("run: %v", err)
		}
		r.stop = func() {}
	}
}

// as gives a client of one part, with a call token when change is given.
func (r *rig) as(part string, change func(*token.Claims)) *api.Client {
	client := r.ids[part].HTTPClient("journal")
	client.Transport.(*http.Transport).DisableKeepAlives = true
	if change != nil {
		client.Transport = bearer{r.issuer.Token(hub+"/journaal", change), client.Transport}
	}
	return &api.Client{Base: r.base, HTTP: client}
}

// of gives a client through the gateway, of an organisation with both scopes.
func (r *rig) of(organisation string) *api.Client {
	return r.as("gateway", func(c *token.Claims) {
		c.PeerID, c.Scope = organisation, api.ScopeRead+" "+api.ScopeWrite
	})
}

func (r *rig) operator() *api.Client {
	return r.as("gateway", func(c *token.Claims) {
		c.PeerID, c.Scope, c.Roles = hubOIN, api.ScopeRead, []string{token.RoleHubOperator}
	})
}

type bearer struct {
	token string
	base  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(r)
}

// ask makes one request and gives status, headers and body.
func (r *rig) ask(client *api.Client, method, path, contentType, body string) (int, http.Header, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
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
	return resp.StatusCode, resp.Header, string(text)
}

// log writes a gateway's log in memory.
type log struct {
	gateway string
	records []api.Record
	last    string
}

func newLog(gateway string) *log { return &log{gateway: gateway, last: api.Genesis} }

var moment = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// number makes ids that differ: n-th trace, span or transaction.
func number(size, n int) string { return fmt.Sprintf("%0*x", size, n) }

func transaction(n int) string { return "0193a000-0000-7000-8000-" + number(12, n) }

func (l *log) add(r api.Record) {
	r.ID = api.RecordID{Gateway: l.gateway, Sequence: uint64(len(l.records) + 1)}
	r.Previous = l.last
	r.At = moment.Add(time.Duration(len(l.records)) * time.Second)
	line, err := api.Encode(r)
	if err != nil {
		panic(err)
	}
	l.last = api.Hash(line)
	l.records = append(l.records, r)
}

// call appends both records of the n-th call.
func (l *log) call(n int, consumer, provider string) {
	ids := api.Record{TransactionID: transaction(n), TraceID: number(32, n), SpanID: number(16, n)}
	decision, outcome := ids, ids
	decision.Kind = api.KindDecision
	decision.Decision = &api.Decision{
		Permit: true, Rule: "grant", Direction: "DIRECTION_INCOMING", Service: "bag", ServiceName: "bag",
		Source:      api.Source{Type: "SOURCE_TYPE_SOURCE", OutwayPeerID: consumer},
		Destination: api.Destination{Type: "DESTINATION_TYPE_DESTINATION", ServicePeerID: provider},
		Operation:   "bevraagAdressen", Method: "GET", ClientID: "assen-vergunningen", TokenID: "token-" + hex.EncodeToString([]byte{byte(n)}),
		Purpose: "vergunningverlening", LegalBasis: "publieke taak", GrantHash: "$1$3$test", ContractHash: "$1$1$test", SnapshotVersion: "1.7",
	}
	outcome.Kind = api.KindOutcome
	outcome.Outcome = &api.Outcome{Status: 200, AnsweredBy: "service", DurationUS: 1500, UpstreamUS: 900, ResponseBytes: 321}
	l.add(decision)
	l.add(outcome)
}
