package custodysql_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/pki"
	"noorderhub.nl/hub/services/registry/internal/custody"
	"noorderhub.nl/hub/services/registry/internal/custody/custodysql"
)

func (r *rig) pair(request pki.Request) *pki.Pair {
	r.t.Helper()
	pair, err := r.ca.Issue(request)
	if err != nil {
		r.t.Fatal(err)
	}
	return pair
}

func (r *rig) importing(i custody.Import) (key custody.Key, fresh bool, err error) {
	err = r.in(func(ctx context.Context, s custodysql.Store) (err error) {
		key, fresh, err = r.vault.Import(ctx, s, i)
		return err
	})
	return key, fresh, err
}

func (r *rig) importOf(pair *pki.Pair) custody.Import {
	return custody.Import{Organisation: assen, Purpose: custody.Contracts, Key: pair.KeyPEM, Chain: pair.CertPEM, Anchors: r.anchors, By: anne}
}

func TestAKeyFromAFileIsTakenInOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		pair := r.pair(pki.Request{CommonName: "Assen", OIN: assen.String(), Validity: year})
		key, fresh, err := r.importing(r.importOf(pair))
		if err != nil || !fresh || key.State != custody.Active || key.Thumbprint != pair.Thumbprint() {
			t.Fatalf("got %+v, %v, %v", key, fresh, err)
		}
		if err := r.signs(); err != nil {
			t.Error(err)
		}
		again, fresh, err := r.importing(r.importOf(pair))
		if err != nil || fresh || again.ID != key.ID {
			t.Errorf("again: got %+v, %v, %v", again, fresh, err)
		}
		if _, _, err := r.importing(r.importOf(r.pair(pki.Request{CommonName: "Assen", OIN: assen.String()}))); !errors.Is(err, custody.ErrHosted) {
			t.Errorf("another key: got %v, want ErrHosted", err)
		}
		r.rotate(assen)
		replaced, fresh, err := r.importing(r.importOf(pair))
		if err != nil || fresh || replaced.State != custody.Replaced {
			t.Errorf("after it was replaced: got %+v, %v, %v: a start must not bring it back", replaced, fresh, err)
		}
	})
}

func TestKeysThatAreNotTheOrganisationsAreNotTakenIn(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		good := r.pair(pki.Request{CommonName: "Assen", OIN: assen.String()})
		strange, err := authority(t).Issue(pki.Request{CommonName: "Assen", OIN: assen.String()})
		if err != nil {
			t.Fatal(err)
		}
		weak, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		_, ed, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for name, tc := range map[string]struct {
			spoil func(*custody.Import)
			want  string
		}{
			"the certificate of another key":     {func(i *custody.Import) { i.Key = r.pair(pki.Request{CommonName: "x"}).KeyPEM }, "another key"},
			"of another organisation":            {func(i *custody.Import) { i.Organisation = emmen }, "subject serial number"},
			"of an organisation that is no OIN":  {func(i *custody.Import) { i.Organisation = "assen" }, "not an OIN"},
			"under an unknown authority":         {func(i *custody.Import) { i.Key, i.Chain = strange.KeyPEM, strange.CertPEM }, "certificate"},
			"without certificate":                {func(i *custody.Import) { i.Chain = nil }, "no PEM certificate"},
			"the key where the certificate goes": {func(i *custody.Import) { i.Chain = i.Key }, "private key"},
			"the certificate where the key goes": {func(i *custody.Import) { i.Key = i.Chain }, "not a private key"},
			"rubbish":                            {func(i *custody.Import) { i.Key = []byte("rubbish") }, "no PEM"},
			"rubbish in PEM": {func(i *custody.Import) {
				i.Key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})
			}, "not a private key"},
			"two keys":                         {func(i *custody.Import) { i.Key = append(i.Key[:len(i.Key):len(i.Key)], i.Key...) }, "more than one"},
			"a weak key":                       {func(i *custody.Import) { i.Key = pemKey(t, weak) }, "1024 bits"},
			"a key that signs no contracts":    {func(i *custody.Import) { i.Key = pemKey(t, ed) }, "not one for contracts"},
			"a purpose that is none":           {func(i *custody.Import) { i.Purpose = "x" }, "not one for x"},
			"a certificate where none belongs": {func(i *custody.Import) { i.Purpose = custody.Snapshots }, "has none"},
		} {
			i := r.importOf(good)
			tc.spoil(&i)
			if _, _, err := r.importing(i); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want an error with %q", name, err, tc.want)
			}
		}
		if _, _, err := r.importing(r.importOf(good)); err != nil {
			t.Fatal(err)
		}
		other := r.importOf(good)
		other.Organisation = emmen
		if _, _, err := r.importing(other); err == nil || !strings.Contains(err.Error(), "another organisation") {
			t.Errorf("the key of another organisation: got %v", err)
		}
		snapshots := custody.Import{Organisation: hub, Purpose: custody.Snapshots, Key: r.pair(pki.Request{CommonName: "x"}).KeyPEM, By: anne}
		if key, fresh, err := r.importing(snapshots); err != nil || !fresh || key.Algorithm != custody.ES256 {
			t.Errorf("a key of the hub: got %+v, %v, %v", key, fresh, err)
		}
	})
}

func pemKey(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// signed gives a certificate as no good authority makes it, for the public key of a pending key.
func (r *rig) signed(key custody.Key, spoil func(*x509.Certificate)) []byte {
	r.t.Helper()
	public, err := x509.ParsePKIXPublicKey(key.Public)
	if err != nil {
		r.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "x", SerialNumber: key.Organisation.String()},
		NotBefore: r.now.Add(-time.Hour), NotAfter: r.now.Add(year), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	spoil(template)
	caKey, err := r.ca.KeyPEM()
	if err != nil {
		r.t.Fatal(err)
	}
	signer, err := pki.ParseKey(caKey)
	if err != nil {
		r.t.Fatal(err)
	}
	block, _ := pem.Decode(r.ca.CertPEM)
	parent, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		r.t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		r.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestOnlyTheKeysOwnCertificateIsInstalled(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		key := r.propose(assen, "")
		other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		otherKey := key
		if otherKey.Public, err = x509.MarshalPKIXPublicKey(other.Public()); err != nil {
			t.Fatal(err)
		}
		same := func(*x509.Certificate) {}
		good := r.signed(key, same)
		second := asn1.ObjectIdentifier{2, 5, 4, 5}
		for name, tc := range map[string]struct {
			chain []byte
			want  []string
		}{
			"of another key":          {r.signed(otherKey, same), []string{"another key"}},
			"of another organisation": {r.signed(key, func(c *x509.Certificate) { c.Subject.SerialNumber = emmen.String() }), []string{"serial number"}},
			"of no organisation":      {r.signed(key, func(c *x509.Certificate) { c.Subject.SerialNumber = "" }), []string{"serial number"}},
			"of two organisations": {r.signed(key, func(c *x509.Certificate) {
				c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: second, Value: emmen.String()}, {Type: second, Value: assen.String()}}
			}), []string{"serial number"}},
			"of an authority":          {r.signed(key, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }), []string{"authority"}},
			"for encryption only":      {r.signed(key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), []string{"key usage"}},
			"that has ended":           {r.signed(key, func(c *x509.Certificate) { c.NotAfter = r.now.Add(-time.Minute) }), []string{"expired"}},
			"that has not begun":       {r.signed(key, func(c *x509.Certificate) { c.NotBefore = r.now.Add(time.Hour) }), []string{"not yet valid"}},
			"with three faults":        {r.signed(otherKey, func(c *x509.Certificate) { c.Subject.SerialNumber, c.NotAfter = "", r.now.Add(-time.Minute) }), []string{"another key", "serial number", "expired"}},
			"of nobody we trust":       {foreign(t, key), []string{"certificate"}},
			"with a private key by it": {append(good[:len(good):len(good)], pemKey(t, other)...), []string{"private key"}},
			"with something else":      {append(good[:len(good):len(good)], pem.EncodeToMemory(&pem.Block{Type: "X"})...), []string{"no certificate"}},
			"in a chain without end":   {[]byte(strings.Repeat(string(good), 7)), []string{"more than 6"}},
			"beyond reason":            {[]byte(strings.Repeat(" ", 65<<10)), []string{"at most"}},
			"that is none":             {nil, []string{"no PEM certificate"}},
		} {
			err := r.in(func(ctx context.Context, s custodysql.Store) error {
				_, err := r.vault.Install(ctx, s, key.ID, tc.chain, r.anchors)
				return err
			})
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want an error with %q", name, err, want)
				}
			}
		}
		for range 2 {
			r.must(func(ctx context.Context, s custodysql.Store) error {
				_, err := r.vault.Install(ctx, s, key.ID, good, r.anchors)
				return err
			})
		}
		r.confirm(key.ID)
	})
}

// foreign gives a certificate for a key by an authority that nobody trusts.
func foreign(t *testing.T, key custody.Key) []byte {
	t.Helper()
	stranger := &rig{t: t, ca: authority(t), now: time.Now()}
	return stranger.signed(key, func(*x509.Certificate) {})
}

func TestAnAuthorityIssuesForOrganisationsOnly(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for name, serial := range map[string]string{"no OIN": "", "another number": "123"} {
			if _, err := r.issuer.Issue(t.Context(), &x509.CertificateRequest{PublicKey: key.Public(), Subject: pkix.Name{SerialNumber: serial}}); err == nil {
				t.Errorf("%s: issued", name)
			}
		}
		caKey, err := r.ca.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		leaf := r.pair(pki.Request{CommonName: "x"})
		for name, err := range map[string]error{
			"a certificate that is no authority's": second(custody.NewAuthority(leaf.CertPEM, leaf.KeyPEM, year, time.Now)),
			"a key of another":                     second(custody.NewAuthority(r.ca.CertPEM, leaf.KeyPEM, year, time.Now)),
			"no life":                              second(custody.NewAuthority(r.ca.CertPEM, caKey, 0, time.Now)),
			"no key":                               second(custody.NewAuthority(r.ca.CertPEM, nil, year, time.Now)),
		} {
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
		r.issuer = r.issuerOf(50 * year)
		issued := r.issue(r.propose(assen, "").ID)
		if till := r.now.Add(11 * year); issued.NotAfter.After(till) {
			t.Errorf("a certificate until %s outlives its authority", issued.NotAfter)
		}
	})
}

func second(_ *custody.Authority, err error) error { return err }
