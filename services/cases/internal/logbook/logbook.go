// Package logbook writes the processing log (Logboek Dataverwerkingen) of the organisation responsible, through the hub's
// own door: as an OAuth client of the hub's organisation, which processes for the municipalities.
package logbook

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	authserver "noorderhub.nl/hub/services/authserver/api"
	"noorderhub.nl/hub/services/cases/internal/exchange"
	journal "noorderhub.nl/hub/services/journal/api"
)

// timeout bounds one record, the token included: a reader waits for it.
const timeout = 5 * time.Second

// Options are what New needs. All are required.
type Options struct {
	Hub    string       // outside URL of the hub
	HTTP   *http.Client // towards the hub
	Client string       // OAuth client of the hub's organisation
	Key    authserver.Key
	Part   string // name of the application in the records
}

// Logbook is an exchange.Logbook.
type Logbook struct {
	o Options

	mu    sync.Mutex
	oauth *authserver.Client // nil until the hub's metadata was read
}

// New makes a logbook; it calls nobody yet.
func New(o Options) *Logbook { return &Logbook{o: o} }

// Write returns nil once the record is durable.
func (l *Logbook) Write(ctx context.Context, p exchange.Processing) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, err := l.client(ctx)
	if err != nil {
		return err
	}
	want := authserver.Request{Resource: l.o.Hub + "/journaal", Scope: journal.ScopeWrite}
	t, err := client.Token(ctx, want)
	if err != nil {
		return err
	}
	records := []journal.ProcessingRecord{l.record(ctx, p)}
	api := journal.Client{Base: l.o.Hub, HTTP: l.bearer(t.AccessToken)}
	if err := api.Write(ctx, records); err != nil {
		client.Forget(want) // it may have been revoked
		return err
	}
	return nil
}

func (l *Logbook) client(ctx context.Context) (*authserver.Client, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.oauth != nil {
		return l.oauth, nil
	}
	metadata, err := authserver.Discover(ctx, l.o.HTTP, l.o.Hub)
	if err != nil {
		return nil, err
	}
	l.oauth = &authserver.Client{HTTP: l.o.HTTP, Metadata: metadata, ID: l.o.Client, Key: l.o.Key}
	return l.oauth, nil
}

// record is an action of its own within the trace of the call. It names no data subject: who they are stands in the case,
// which this service does not look into.
func (l *Logbook) record(ctx context.Context, p exchange.Processing) journal.ProcessingRecord {
	r := journal.ProcessingRecord{
		Controller: p.Controller, TraceID: id(16), SpanID: id(8), Status: "Ok", Name: p.Name,
		StartTime: p.At.UnixMilli(), EndTime: time.Now().UnixMilli(),
		Resource:   journal.ProcessingResource{Attributes: map[string]string{"service.name": l.o.Part}},
		Attributes: map[string]string{journal.AttributeActivity: p.Activity},
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.TraceID, r.ParentSpanID = sc.TraceID().String(), sc.SpanID().String()
	}
	r.EndTime = max(r.EndTime, r.StartTime)
	return r
}

func id(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	b[0] |= 1           // an id of zeros is none
	return hex.EncodeToString(b)
}

func (l *Logbook) bearer(token string) *http.Client {
	base := l.o.HTTP.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	client := *l.o.HTTP
	client.Transport = bearer{token, base}
	return &client
}

type bearer struct {
	token string
	base  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(r)
}
