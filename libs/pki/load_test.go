package pki_test

import (
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
)

func TestAKeptAuthorityIssuesForTheSameAnchor(t *testing.T) {
	first, err := pki.NewCA("kept")
	if err != nil {
		t.Fatal(err)
	}
	key, err := first.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := pki.LoadCA(first.CertPEM, key)
	if err != nil {
		t.Fatal(err)
	}
	before, err := first.Issue(pki.Part("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := again.IssueFor(before.Key(), pki.Request{CommonName: "gateway", DNSNames: []string{"gateway.hub.internal"}, Server: true, Validity: 200 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if string(after.KeyPEM) != string(before.KeyPEM) || string(after.CAPEM) != string(before.CAPEM) {
		t.Error("renewing changed the key or the anchor")
	}
	if !after.Certificate().NotAfter.After(before.Certificate().NotAfter) {
		t.Errorf("got an end at %s, want one after %s", after.Certificate().NotAfter, before.Certificate().NotAfter)
	}
}

func TestLoadCARefuses(t *testing.T) {
	ca, err := pki.NewCA("one")
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.NewCA("other")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(pki.Part("gateway"))
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := other.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		cert, key []byte
		want      string
	}{
		"the key of another":           {ca.CertPEM, otherKey, "does not belong"},
		"a certificate of a part":      {leaf.CertPEM, leaf.KeyPEM, "not of an authority"},
		"a key where a certificate is": {otherKey, otherKey, "CERTIFICATE"},
		"no key":                       {ca.CertPEM, nil, "PRIVATE KEY"},
		"rubbish as key":               {ca.CertPEM, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), ""},
	} {
		if _, err := pki.LoadCA(tc.cert, tc.key); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
		}
	}
}
