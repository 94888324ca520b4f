package outbound

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestTheServerMustProveItsName(t *testing.T) {
	s, o := outside(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	sum := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	pin := base64.StdEncoding.EncodeToString(sum[:])
	expired, expiredRoots := serverWith(t, time.Now().Add(-time.Hour), tls.VersionTLS13)
	old, oldRoots := serverWith(t, time.Now().Add(time.Hour), tls.VersionTLS11)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, tt := range []struct {
		name, url string
		o         Options
		detail    string // "": welcome
	}{
		{"trusted", s.URL, o, ""},
		{"the right pin", s.URL, Options{Reach: local, Roots: o.Roots, Pin: pin}, ""},
		{"another pin", s.URL, Options{Reach: local, Roots: o.Roots, Pin: base64.StdEncoding.EncodeToString(make([]byte, 32))}, "pinned"},
		{"a pin is no trust anchor", s.URL, Options{Reach: local, Pin: pin}, "not trusted"},
		{"an authority of its own", s.URL, Options{Reach: local}, "not trusted"},
		{"another name", "https://localhost:" + port, o, "another name"},
		{"expired", expired, Options{Reach: local, Roots: expiredRoots}, "expired"},
		{"TLS 1.1", old, Options{Reach: local, Roots: oldRoots}, "1.2"},
		{"no TLS at all", "https" + strings.TrimPrefix(plain.URL, "http"), o, "1.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, _, err := New(Settings{}).Get(t.Context(), tt.url+"/?t=hunter2", tt.o)
			if tt.detail != "" {
				wants(t, err, codeCertificate, tt.detail)
			} else if err != nil || string(body) != "ok" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
}

// serverWith starts a server whose certificate ends at until and that speaks no newer TLS than version.
func serverWith(t *testing.T, until time.Time, version uint16) (string, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "outside"}, NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS10, MaxVersion: version}
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return s.URL, roots
}
