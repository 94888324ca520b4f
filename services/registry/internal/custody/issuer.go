package custody

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"noorderhub.nl/hub/libs/oin"
)

// Issuer certifies keys at once, without leaving the process: for the sandbox and the demo region. Elsewhere Request goes to
// an authority, and Install takes what comes back.
type Issuer interface {
	// Issue gives the certificate chain (leaf first, anchor left out) for a certificate request whose signature holds.
	Issue(ctx context.Context, request *x509.CertificateRequest) ([]*x509.Certificate, error)
}

// Issue has a pending key certified by issuer, and installs what it gives like the certificate of any other authority.
func (v *Vault) Issue(ctx context.Context, s Store, id, organisationName string, issuer Issuer, anchors *x509.CertPool) (Key, error) {
	der, err := v.request(ctx, s, id, organisationName)
	if err != nil {
		return Key{}, err
	}
	request, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = request.CheckSignature()
	}
	if err != nil {
		return Key{}, fmt.Errorf("certificate request: %w", err)
	}
	chain, err := issuer.Issue(ctx, request)
	if err != nil {
		return Key{}, fmt.Errorf("certificate authority: %w", err)
	}
	var text bytes.Buffer
	for _, c := range chain {
		text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return v.Install(ctx, s, id, text.Bytes(), anchors)
}

// Authority is an Issuer with a certificate and key of its own.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	life        time.Duration
	now         func() time.Time
}

// backdate is how far a certificate begins in the past, for clocks that run behind.
const backdate = 5 * time.Minute

// NewAuthority takes the authority's certificate and private key, both PEM. What it issues lasts for life, or as long as
// the authority itself.
func NewAuthority(certificate, key []byte, life time.Duration, now func() time.Time) (*Authority, error) {
	chain, err := parseChain(certificate)
	if err != nil {
		return nil, err
	}
	private, err := parsePrivate(key)
	if err != nil {
		return nil, err
	}
	public, ok := private.Public().(interface{ Equal(crypto.PublicKey) bool })
	switch {
	case !chain[0].IsCA:
		return nil, errors.New("certificate: is not of an authority")
	case !ok || !public.Equal(chain[0].PublicKey):
		return nil, errors.New("certificate: is of another key")
	case life <= 0 || now == nil:
		return nil, errors.New("an authority needs a life for its certificates, and a clock")
	}
	return &Authority{certificate: chain[0], key: private, life: life, now: now}, nil
}

// Format implements fmt.Formatter.
func (*Authority) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the authority from JSON and YAML.
func (*Authority) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Issue implements Issuer. Of the request only key, OIN and name are used.
func (a *Authority) Issue(_ context.Context, request *x509.CertificateRequest) ([]*x509.Certificate, error) {
	organisation, err := oin.Parse(request.Subject.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("subject serial number: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280 §4.1.2.2: at most 20 octets
	if err != nil {
		return nil, err
	}
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject: pkix.Name{
			Country: []string{"NL"}, Organization: request.Subject.Organization, CommonName: request.Subject.CommonName, SerialNumber: organisation.String(),
		},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(a.life), KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, request.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return []*x509.Certificate{leaf}, err
}
