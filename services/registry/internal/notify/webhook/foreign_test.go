package webhook

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/outbound"
	"noorderhub.nl/hub/services/registry/internal/notify"
)

// foreign is a receiver in Python that knows the hub by its key set alone.
type foreign struct {
	c     notify.Channel
	roots *x509.CertPool
	lines *bufio.Scanner
}

// told is what the receiver says of a request.
type told struct {
	Asked   string         `json:"asked"`
	Rate    string         `json:"rate"`
	Refused string         `json:"refused"`
	Event   map[string]any `json:"event"`
	Known   bool           `json:"known"`
}

func (f *foreign) next(t *testing.T) told {
	t.Helper()
	if !f.lines.Scan() {
		t.Fatal("the receiver has nothing to say")
	}
	var out told
	if err := json.Unmarshal(f.lines.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func startForeign(t *testing.T, key *ecdsa.PrivateKey) *foreign {
	t.Helper()
	python := ""
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import cryptography").Run() == nil {
			python = name
			break
		}
	}
	if python == "" {
		t.Skip("no python3 with cryptography is here; infra/test.sh installs python3-cryptography")
	}
	folder := t.TempDir()
	server := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "receiver"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, server.Public(), server)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(server)
	if err != nil {
		t.Fatal(err)
	}
	set, err := KeySet(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	var paths []string
	for _, f := range []struct {
		name string
		text []byte
	}{{"cert.pem", ca}, {"key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})}, {"jwks.json", set}} {
		path := filepath.Join(folder, f.name)
		if err := os.WriteFile(path, f.text, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"testdata/receiver.py"}, append(paths, "https://127.0.0.1:PORT", "hub.example.nl")...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	f := &foreign{lines: bufio.NewScanner(out), roots: x509.NewCertPool()}
	f.roots.AppendCertsFromPEM(ca)
	if !f.lines.Scan() {
		t.Fatal("the receiver did not start")
	}
	f.c = notify.Channel{
		ID: "c1", Organisation: assen, Kind: notify.Webhook, Address: "https://127.0.0.1:" + f.lines.Text() + "/hub?afdeling=ict", CA: string(ca),
	}
	return f
}

func TestAForeignReceiverChecksEverySignature(t *testing.T) {
	key := newKey(t)
	f := startForeign(t, key)
	s := newSender(t, key, nil, loopback)
	c, err := s.Introduce(t.Context(), f.c)
	if err != nil || c.Rate != 120 {
		t.Fatalf("got a rate of %d, %v", c.Rate, err)
	}
	if got := f.next(t); got.Asked != "hub.example.nl" || got.Rate != "600" {
		t.Errorf("got %+v", got)
	}
	for _, known := range []bool{false, true} { // a second delivery is told from a first one by its id
		if err := s.Send(t.Context(), message(c)); err != nil {
			t.Fatal(err)
		}
		got := f.next(t)
		if got.Event["type"] != "nl.noorderhub.beheer.contract.expires" || got.Event["id"] != event().ID || got.Known != known {
			t.Errorf("got %+v, want known %v", got, known)
		}
	}

	// A key that the set does not hold, and a clock that is wrong.
	for name, s := range map[string]*Sender{
		"another key": newSender(t, newKey(t), nil, loopback),
		"an old one":  newSender(t, key, func() time.Time { return time.Now().Add(-time.Hour) }, loopback),
		"a young one": newSender(t, key, func() time.Time { return time.Now().Add(time.Hour) }, loopback),
	} {
		var failure *notify.Failure
		if err := s.Send(t.Context(), message(c)); !errors.As(err, &failure) || failure.Result != "HTTP 401" {
			t.Errorf("%s: got %v, want 401", name, err)
		}
		if got := f.next(t); got.Refused == "" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestAForeignReceiverSeesWhatWasChangedOnTheWay(t *testing.T) {
	key := newKey(t)
	f := startForeign(t, key)
	s := newSender(t, key, nil, loopback)
	body, err := json.Marshal(s.o.Source.Of(event()))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(h http.Header, body []byte, target *string) []byte{
		"nothing": func(_ http.Header, body []byte, _ *string) []byte { return body },
		"a byte of the body": func(_ http.Header, body []byte, _ *string) []byte {
			return []byte(strings.Replace(string(body), "30", "90", 1))
		},
		"body and digest": func(h http.Header, body []byte, _ *string) []byte {
			h.Set("Content-Digest", "sha-256=:AAAA:")
			return body
		},
		"the media type": func(h http.Header, body []byte, _ *string) []byte {
			h.Set("Content-Type", "application/json")
			return body
		},
		"the path": func(_ http.Header, body []byte, target *string) []byte {
			*target = strings.Replace(*target, "/hub", "/other", 1)
			return body
		},
		"the query": func(_ http.Header, body []byte, target *string) []byte { *target += "&meer=1"; return body },
		"when it was created": func(h http.Header, body []byte, _ *string) []byte {
			replaceIn(h, "Signature-Input", ";created=1", ";created=2")
			return body
		},
		"when it expires": func(h http.Header, body []byte, _ *string) []byte {
			replaceIn(h, "Signature-Input", ";expires=1", ";expires=9")
			return body
		},
		"what is signed": func(h http.Header, body []byte, _ *string) []byte {
			replaceIn(h, "Signature-Input", ` "content-digest"`, "")
			return body
		},
		"the tag": func(h http.Header, body []byte, _ *string) []byte {
			replaceIn(h, "Signature-Input", Tag, "other")
			return body
		},
		"no signature at all": func(h http.Header, body []byte, _ *string) []byte {
			h.Del("Signature")
			h.Del("Signature-Input")
			return body
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := outbound.Options{Roots: f.roots, Header: http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}}
			if o.Reach, err = outbound.ParseReach([]string{loopback}); err != nil {
				t.Fatal(err)
			}
			target := f.c.Address
			if err := sign(o.Header, key, http.MethodPost, target, body, time.Now()); err != nil {
				t.Fatal(err)
			}
			sent := spoil(o.Header, body, &target)
			answer, err := outbound.New(outbound.Settings{}).Post(t.Context(), target, sent, o)
			if err != nil {
				t.Fatal(err)
			}
			got := f.next(t)
			if want := name == "nothing"; (answer.Status == http.StatusNoContent) != want || (got.Refused == "") != want {
				t.Errorf("got %d, %+v", answer.Status, got)
			}
		})
	}
}

func replaceIn(h http.Header, name, old, with string) {
	h.Set(name, strings.Replace(h.Get(name), old, with, 1))
}
