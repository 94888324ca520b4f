// Package pki is a small certificate authority for tests and the demo region: it issues the workload certificates that
// parts use between each other, the TLS certificates of the outside listener and of clients, and signing certificates of
// organisations with their OIN in the subject. Production uses certificates of a real authority; nothing here checks
// revocation or keeps a register of what was issued.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"time"
)

// defaultValidity is the life of a certificate when the request names none. A demo region is made anew far more often.
const defaultValidity = 90 * 24 * time.Hour

// backdate is how far NotBefore lies in the past, so that a peer whose clock runs behind accepts a new certificate.
const backdate = 5 * time.Minute

// CA is a certificate authority with an ECDSA P-256 key that lives in memory.
type CA struct {
	// CertPEM is the authority's own certificate, the trust anchor to hand out.
	CertPEM []byte

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Request says what a certificate is for.
type Request struct {
	CommonName   string        // subject CN
	Organisation string        // subject O; optional
	OIN          string        // subject serialNumber, where PKIoverheid puts the OIN; optional
	DNSNames     []string      // subject alternative names
	IPs          []net.IP      // subject alternative names
	Client       bool          // extended key usage clientAuth
	Server       bool          // extended key usage serverAuth
	Validity     time.Duration // from now; 0 is 90 days. Negative gives a certificate that has expired, for tests
}

// Pair is a certificate with its private key, both PEM, and the anchor they chain to.
type Pair struct {
	CertPEM []byte
	KeyPEM  []byte
	CAPEM   []byte

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes a self-signed authority that is valid for ten years.
func NewCA(name string) (*CA, error) {
	if name == "" {
		return nil, errors.New("certificate authority needs a name")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of authority %q: %w", name, err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of authority %q: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of authority %q: %w", name, err)
	}
	return &CA{CertPEM: encode("CERTIFICATE", der), cert: cert, key: key}, nil
}

// Pool holds the authority as the only trust anchor.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Issue makes a new P-256 key and a certificate for it.
func (ca *CA) Issue(r Request) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key for %q: %w", r.CommonName, err)
	}
	return ca.IssueFor(key, r)
}

func template(r Request, now time.Time) *x509.Certificate {
	validity := r.Validity
	if validity == 0 {
		validity = defaultValidity
	}
	notBefore, notAfter := now.Add(-backdate), now.Add(validity)
	if notAfter.Before(notBefore) {
		notBefore = notAfter.Add(-time.Hour)
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: r.CommonName, SerialNumber: r.OIN},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		DNSNames:     r.DNSNames,
		IPAddresses:  r.IPs,
	}
	if r.Organisation != "" {
		t.Subject.Organization = []string{r.Organisation}
	}
	if r.Client {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	if r.Server {
		t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	return t
}

// TLS is the pair as crypto/tls takes it.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key, Leaf: p.cert}
}

// Certificate is the parsed certificate.
func (p *Pair) Certificate() *x509.Certificate { return p.cert }

// Key is the private key.
func (p *Pair) Key() *ecdsa.PrivateKey { return p.key }

// Thumbprint is the certificate's x5t#S256 (RFC 7515 §4.1.8): SHA-256 of the DER in base64url without padding.
func (p *Pair) Thumbprint() string {
	sum := sha256.Sum256(p.cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// serial is a random 127-bit number; RFC 5280 §4.1.2.2 wants it positive and at most 20 octets.
func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error; it ends the process instead
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
