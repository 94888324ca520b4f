package webhook

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/errs"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/services/registry/internal/notify"
	"noorderhub.nl/hub/services/registry/internal/notify/cloudevent"
)

const (
	assen = oin.OIN("00000099000000002000")
	hub   = oin.OIN("00000099000000000000")
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSender(t *testing.T, key *ecdsa.PrivateKey, now func() time.Time, networks ...string) *Sender {
	t.Helper()
	s, err := New(Options{
		Client: outbound.New(outbound.Settings{}), Key: key, Source: cloudevent.Source{Hub: "https://hub.example.nl", OIN: hub}, Now: now,
		Networks: func(o oin.OIN) []string {
			if o != assen {
				t.Errorf("networks of %s were asked", o)
			}
			return networks
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const loopback = "127.0.0.0/8"

func event() notify.Event {
	return notify.Event{
		ID: "0193a1b2-0000-7000-8000-000000000001", Type: notify.ContractExpires, Organisation: assen, Number: 12,
		Subject: notify.Subject{Kind: notify.Contract, ID: "$1$1$abc_-"}, At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("CET", 3600)),
		Facts: notify.Facts{notify.Counterparty: string(hub), notify.Days: "30", notify.EndDate: "2026-12-23"},
	}
}

// receiver starts one that answers as it is told, and gives its channel.
func receiver(t *testing.T, h http.HandlerFunc) notify.Channel {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return notify.Channel{ID: "c1", Organisation: assen, Kind: notify.Webhook, Address: s.URL + "/hub?geheim=hunter2", CA: string(ca)}
}

func message(c notify.Channel) notify.Message {
	return notify.Message{Channel: c, Events: []notify.Event{event()}}
}

func TestTheReceiverGetsACloudEventOfTheDutchProfile(t *testing.T) {
	var body []byte
	var header http.Header
	c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		header = r.Header
		w.WriteHeader(http.StatusAccepted)
	})
	s := newSender(t, newKey(t), nil, loopback)
	if err := s.Send(t.Context(), message(c)); err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"0193a1b2-0000-7000-8000-000000000001","source":"urn:nld:oin:00000099000000000000:systeem:beheer",` +
		`"type":"nl.noorderhub.beheer.contract.expires","subject":"$1$1$abc_-","time":"2026-11-23T11:00:00Z","sequence":"12","sequencetype":"Integer",` +
		`"dataref":"https://hub.example.nl/beheer/v1/afspraken/$1$1$abc_-","datacontenttype":"application/json",` +
		`"data":{"organisatie":"00000099000000002000","onderwerp":{"soort":"afspraak","id":"$1$1$abc_-"},` +
		`"feiten":{"dagen":"30","einddatum":"2026-12-23","wederpartij":"00000099000000000000"}}}`
	if string(body) != want {
		t.Errorf("got\n%s, want\n%s", body, want)
	}
	if got := header.Get("Content-Type"); got != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("got %q", got)
	}
	var plain map[string]any
	if err := json.Unmarshal(body, &plain); err != nil {
		t.Fatal(err)
	}
	for name := range plain {
		if len(name) > 20 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Errorf("attribute %q is not named as CE-01 asks", name)
		}
	}
}

func TestTheAnswerDecidesWhatHappensNext(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		status int
		after  string
		class  notify.FailureClass
		wait   time.Duration
		ok     bool
	}{
		"200":                      {status: 200, ok: true},
		"204":                      {status: 204, ok: true},
		"299":                      {status: 299, ok: true},
		"a redirect":               {status: 302, class: notify.Refused},
		"not modified":             {status: 304, class: notify.Refused},
		"400":                      {status: 400, class: notify.Refused},
		"401":                      {status: 401, class: notify.Refused},
		"gone":                     {status: 410, class: notify.Gone},
		"another media type":       {status: 415, class: notify.Refused},
		"too many":                 {status: 429, after: "120", class: notify.Away, wait: 2 * time.Minute},
		"too many, with a date":    {status: 429, after: "Mon, 23 Nov 2026 12:05:00 GMT", class: notify.Away, wait: 5 * time.Minute},
		"too many, in the past":    {status: 429, after: "Mon, 23 Nov 2020 12:05:00 GMT", class: notify.Away},
		"too many, for ever":       {status: 429, after: "99999999999", class: notify.Away, wait: 24 * time.Hour},
		"too many, with nonsense":  {status: 429, after: "-1; soon", class: notify.Away},
		"500":                      {status: 500, class: notify.Refused},
		"503":                      {status: 503, class: notify.Away},
		"the upstream is too slow": {status: 504, class: notify.Away},
	} {
		t.Run(name, func(t *testing.T) {
			c := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				if tt.after != "" {
					w.Header().Set("Retry-After", tt.after)
				}
				w.Header().Set("Location", "https://example.nl/")
				w.WriteHeader(tt.status)
			})
			err := newSender(t, newKey(t), func() time.Time { return now }, loopback).Send(t.Context(), message(c))
			if tt.ok {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var f *notify.Failure
			if !errors.As(err, &f) || f.Class != tt.class || f.After != tt.wait || !strings.HasPrefix(f.Result, "HTTP ") {
				t.Errorf("got %+v, want class %d after %v", f, tt.class, tt.wait)
			}
		})
	}
}

func TestAReceiverOutOfReachIsAwayAndItsAddressStaysUntold(t *testing.T) {
	c := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("the receiver was called") })
	s := newSender(t, newKey(t), nil)
	err := s.Send(t.Context(), message(c))
	var f *notify.Failure
	if !errors.As(err, &f) || f.Class != notify.Away || f.Result != "outside-network" || strings.Contains(f.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Introduce(t.Context(), c); errs.As(err).Code.ID != "outside-network" {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAReceiverThatSaysYesIsIntroduced(t *testing.T) {
	for name, tt := range map[string]struct {
		status  int
		origins []string
		rate    string
		want    string // code of the refusal; "": introduced
		allowed int
	}{
		"our origin":            {200, []string{"hub.example.nl"}, "30", "", 30},
		"every origin":          {204, []string{"*"}, "*", "", 0},
		"no rate":               {200, []string{"HUB.example.nl"}, "", "", wantedRate},
		"a huge rate":           {200, []string{"*"}, "999999999", "", maxRate},
		"another origin":        {200, []string{"example.nl"}, "30", "webhook-handshake", 0},
		"two origins":           {200, []string{"example.nl", "hub.example.nl"}, "30", "webhook-handshake", 0},
		"no origin":             {200, nil, "30", "webhook-handshake", 0},
		"a list in one":         {200, []string{"example.nl, hub.example.nl"}, "30", "webhook-handshake", 0},
		"a rate of nothing":     {200, []string{"*"}, "0", "webhook-handshake", 0},
		"a rate that is a word": {200, []string{"*"}, "slowly", "webhook-handshake", 0},
		"not found":             {404, []string{"*"}, "", "webhook-handshake", 0},
		"a redirect":            {307, []string{"*"}, "", "webhook-handshake", 0},
	} {
		t.Run(name, func(t *testing.T) {
			c := receiver(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodOptions || r.Header.Get("WebHook-Request-Origin") != "hub.example.nl" || r.Header.Get("WebHook-Request-Rate") != "600" {
					t.Errorf("got %s with %v", r.Method, r.Header)
				}
				for _, o := range tt.origins {
					w.Header().Add("WebHook-Allowed-Origin", o)
				}
				if tt.rate != "" {
					w.Header().Set("WebHook-Allowed-Rate", tt.rate)
				}
				w.WriteHeader(tt.status)
			})
			got, err := newSender(t, newKey(t), nil, loopback).Introduce(t.Context(), c)
			if tt.want != "" {
				if refusal := errs.As(err); err == nil || refusal.Code.ID != tt.want || refusal.Rule == "" || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil || got.Rate != tt.allowed {
				t.Errorf("got a rate of %d, %v; want %d", got.Rate, err, tt.allowed)
			}
		})
	}
	c := receiver(t, func(http.ResponseWriter, *http.Request) {})
	c.CA = "not a certificate"
	if _, err := newSender(t, newKey(t), nil, loopback).Introduce(t.Context(), c); errs.As(err).Code.ID != "webhook-ca" {
		t.Errorf("got %v for an authority that is none", err)
	}
}

func TestTheKeySetHoldsPublicKeysOnly(t *testing.T) {
	a, b := newKey(t), newKey(t)
	text, err := KeySet(&a.PublicKey, &b.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 2 || set.Keys[0]["kid"] == set.Keys[1]["kid"] {
		t.Fatalf("got %s, %v", text, err)
	}
	for _, k := range set.Keys {
		if _, private := k["d"]; private || k["kty"] != "EC" || k["crv"] != "P-256" || len(k["x"]) != 43 || len(k["y"]) != 43 || len(k["kid"]) != 43 {
			t.Errorf("got %v", k)
		}
	}
	secret, err := a.Bytes()
	if err != nil || bytes.Contains(text, secret) {
		t.Errorf("the private key stands in the set, or %v", err)
	}
	wrong, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := KeySet(&wrong.PublicKey); err == nil {
		t.Error("a P-384 key was taken")
	}
	if _, err := New(Options{Client: outbound.New(outbound.Settings{}), Key: wrong, Source: cloudevent.Source{Hub: "https://hub.example.nl", OIN: hub}}); err == nil {
		t.Error("a sender with a P-384 key was made")
	}
}
