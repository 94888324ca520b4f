package workload_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/libs/workload"
)

type world struct {
	t  *testing.T
	ca *pki.CA
}

func newWorld(t *testing.T) world {
	t.Helper()
	ca, err := pki.NewCA("parts")
	if err != nil {
		t.Fatal(err)
	}
	return world{t, ca}
}

func (w world) files(request pki.Request) workload.Files {
	w.t.Helper()
	pair, err := w.ca.Issue(request)
	if err != nil {
		w.t.Fatal(err)
	}
	files, err := pair.WriteFiles(w.t.TempDir(), "part")
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func (w world) identity(part string) *workload.Identity {
	w.t.Helper()
	id, err := workload.Load(w.files(pki.Part(part)))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// serve answers with the name of the peer.
func serve(t *testing.T, cfg *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, workload.Peer(r)) }),
		ReadHeaderTimeout: time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { _ = srv.Serve(tls.NewListener(l, cfg)) }()
	t.Cleanup(func() { _ = srv.Close() })
	return "https://" + l.Addr().String()
}

func get(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestPartsKnowEachOtherByName(t *testing.T) {
	w := newWorld(t)
	url := serve(t, w.identity("registry").Server("gateway", "portal"))
	for _, part := range []string{"gateway", "portal"} {
		got, err := get(t.Context(), w.identity(part).HTTPClient("registry"), url)
		if err != nil || got != part {
			t.Errorf("got peer %q, %v, want %q", got, err, part)
		}
	}
}

func TestNobodyElseGetsThroughTheHandshake(t *testing.T) {
	w := newWorld(t)
	url := serve(t, w.identity("registry").Server("gateway"))
	load := func(files workload.Files) *workload.Identity {
		id, err := workload.Load(files)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for name, client := range map[string]*http.Client{
		"a part that is not allowed":         w.identity("portal").HTTPClient("registry"),
		"the right name of another CA":       newWorld(t).identity("gateway").HTTPClient("registry"),
		"a server certificate only":          load(w.files(pki.Request{DNSNames: []string{"gateway.hub.internal"}, Server: true})).HTTPClient("registry"),
		"no certificate":                     {Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool(), ServerName: "registry.hub.internal"}}},
		"TLS 1.2":                            {Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.ca.Pool(), ServerName: "registry.hub.internal", MaxVersion: tls.VersionTLS12}}},
		"a client that expects another part": w.identity("gateway").HTTPClient("journal"),
	} {
		if got, err := get(t.Context(), client, url); err == nil {
			t.Errorf("%s: got in as %q", name, got)
		}
	}
}

func TestAPlainRequestHasNoPeer(t *testing.T) {
	if got := workload.Peer(&http.Request{}); got != "" {
		t.Errorf("got peer %q of a plain request", got)
	}
	pair, err := newWorld(t).ca.Issue(pki.Part("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	unverified := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{pair.Certificate()}}
	if got := workload.Peer(&http.Request{TLS: unverified}); got != "" {
		t.Errorf("got peer %q of a certificate that nobody verified", got)
	}
}

func TestARenewedCertificateIsUsedWithoutRestart(t *testing.T) {
	w := newWorld(t)
	files := w.files(pki.Part("registry"))
	id, err := workload.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, id.Server("gateway"))
	old := id.Expires()

	// A new authority altogether: only who reads all three files anew can go on.
	w2 := newWorld(t)
	renewed, err := w2.ca.Issue(pki.Request{CommonName: "registry", DNSNames: []string{"registry.hub.internal"}, Server: true, Client: true, Validity: 200 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{files.Cert: renewed.CertPEM, files.Key: renewed.KeyPEM, files.CA: renewed.CAPEM} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := w2.identity("gateway").HTTPClient("registry")
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := get(t.Context(), client, url)
		if err == nil && got == "gateway" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the new certificate is not in use: %v", err)
		}
	}
	if !id.Expires().After(old) {
		t.Error("the identity still tells the old expiry")
	}
}

func TestFilesThatDoNotFitChangeNothing(t *testing.T) {
	w := newWorld(t)
	files := w.files(pki.Part("registry"))
	id, err := workload.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.Key, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := serve(t, id.Server("gateway"))
	if _, err := get(t.Context(), w.identity("gateway").HTTPClient("registry"), url); err != nil {
		t.Errorf("a broken file took the held certificate away: %v", err)
	}
	if _, err := workload.Load(files); err == nil {
		t.Error("a broken key was loaded")
	}
}

func TestLoadRefusesWhatCannotServe(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		request pki.Request
		want    string
	}{
		"expired":        {pki.Request{DNSNames: []string{"gateway.hub.internal"}, Client: true, Validity: -time.Hour}, "expired"},
		"no part name":   {pki.Request{CommonName: "x", DNSNames: []string{"gateway.example"}, Client: true}, "part"},
		"two part names": {pki.Request{DNSNames: []string{"gateway.hub.internal", "registry.hub.internal"}, Client: true}, "part"},
		"a bad name":     {pki.Request{DNSNames: []string{"a.b.hub.internal"}, Client: true}, "part"},
	} {
		if _, err := workload.Load(w.files(tc.request)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, tc.want)
		}
	}
	files := w.files(pki.Part("gateway"))
	if err := os.Remove(files.CA); err != nil {
		t.Fatal(err)
	}
	if _, err := workload.Load(files); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got error %v for a missing file", err)
	}
}
