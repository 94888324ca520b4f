package pki_test

import (
	"crypto/x509"
	"fmt"
	"os"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
)

func ExampleCA_Issue() {
	ca, err := pki.NewCA("Sandbox CA")
	if err != nil {
		fmt.Println(err)
		return
	}
	pair, err := ca.Issue(pki.Request{CommonName: "assen.example", Organisation: "Gemeente Assen", OIN: "00000099000000002000", Client: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pair.Certificate().Subject.SerialNumber, len(pair.Thumbprint()))
	// Output: 00000099000000002000 43
}

func newCA(t *testing.T) *pki.CA {
	t.Helper()
	ca, err := pki.NewCA("test")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestACertificateIsValidForItsUsesOnly(t *testing.T) {
	ca := newCA(t)
	for name, tc := range map[string]struct {
		request        pki.Request
		client, server bool
	}{
		"client only": {request: pki.Request{CommonName: "c", Client: true}, client: true},
		"server only": {request: pki.Request{CommonName: "s", DNSNames: []string{"s.example"}, Server: true}, server: true},
		"a part":      {request: pki.Part("gateway"), client: true, server: true},
		"expired":     {request: pki.Request{CommonName: "old", Client: true, Validity: -time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			pair, err := ca.Issue(tc.request)
			if err != nil {
				t.Fatal(err)
			}
			for usage, want := range map[x509.ExtKeyUsage]bool{x509.ExtKeyUsageClientAuth: tc.client, x509.ExtKeyUsageServerAuth: tc.server} {
				_, err := pair.Certificate().Verify(x509.VerifyOptions{Roots: ca.Pool(), KeyUsages: []x509.ExtKeyUsage{usage}})
				if got := err == nil; got != want {
					t.Errorf("usage %v: got %v, want %v (%v)", usage, got, want, err)
				}
			}
			if _, err := pair.Certificate().Verify(x509.VerifyOptions{Roots: newCA(t).Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
				t.Error("verifies under another authority")
			}
		})
	}
}

func TestARequestThatNamesNobodyIsRefused(t *testing.T) {
	if _, err := newCA(t).Issue(pki.Request{Client: true}); err == nil {
		t.Error("issued")
	}
	if _, err := pki.NewCA(""); err == nil {
		t.Error("made an authority without a name")
	}
}

func TestWrittenFilesKeepTheKeyPrivate(t *testing.T) {
	pair, err := newCA(t).Issue(pki.Part("journal"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := pair.WriteFiles(t.TempDir(), "journal")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(files.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
		t.Errorf("got mode %v of the key, want %v", got, want)
	}
	for _, name := range []string{"", "../journal", "a/b"} {
		if _, err := pair.WriteFiles(t.TempDir(), name); err == nil {
			t.Errorf("wrote files named %q", name)
		}
	}
}
