package contract_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"noorderhub.nl/hub/libs/contract"
)

const (
	assen   = "00000099000000002000"
	hub     = "00000099000000001000"
	emmen   = "00000099000000003000"
	gateway = "gateway.hub.internal"
	group   = "noorderhub-test"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// authority is a throw-away trust anchor.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key := ecKey(t, elliptic.P256())
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test anchor"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	return &authority{key: key, cert: issue(t, template, template, key.Public(), key)}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// signer issues a signing certificate for an organisation, valid a year either side of now unless till says otherwise.
func (a *authority) signer(t testing.TB, peer string, key crypto.Signer, till time.Time) contract.Signer {
	t.Helper()
	if till.IsZero() {
		till = now.AddDate(1, 0, 0)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "signing", Organization: []string{"Test"}, SerialNumber: peer},
		NotBefore:    now.AddDate(-1, 0, 0), NotAfter: till, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	return contract.Signer{Key: key, Certificate: issue(t, template, a.cert, key.Public(), a.key)}
}

func issue(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyring is a Certificates that knows the certificates it was given.
type keyring map[string][]*x509.Certificate

func (k keyring) add(s contract.Signer) keyring {
	k[s.Certificate.Subject.SerialNumber+" "+contract.Thumbprint(s.Certificate)] = []*x509.Certificate{s.Certificate}
	return k
}

func (k keyring) Chain(_ context.Context, peer, thumbprint string) ([]*x509.Certificate, error) {
	if chain, ok := k[peer+" "+thumbprint]; ok {
		return chain, nil
	}
	return nil, contract.ErrNoCertificate
}

func draft() contract.Draft {
	return contract.Draft{
		GroupID: group, CreatedAt: now, NotBefore: now, NotAfter: now.AddDate(0, 6, 0),
		Connections: []contract.Connection{{
			Consumer: assen, Provider: hub, Service: "bag", Gateway: gateway,
			Terms: contract.Terms{
				Purpose: "adressen controleren", LegalBasis: "Wet BAG, artikel 32",
				ProcessingActivity: "https://register.example.nl/verwerkingen/1", Scopes: []string{"bag.lezen"},
				Fields: map[string][]string{"bevragenAdressen": {"_embedded.adressen.postcode"}}, Binding: contract.BindingAny,
				Rate: 50, Quota: 100000, CacheSeconds: 60, Logging: contract.LoggingRequired, Tariff: "bag-2026",
			},
		}},
	}
}

func build(t testing.TB, d contract.Draft) *contract.Content {
	t.Helper()
	c, err := contract.Build(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sign(t testing.TB, s contract.Signer, c *contract.Content, kind contract.SignatureType, at time.Time) string {
	t.Helper()
	jws, err := contract.Sign(s, c, kind, at)
	if err != nil {
		t.Fatal(err)
	}
	return jws
}
