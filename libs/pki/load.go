package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// LoadCA takes an authority back from its certificate and its key, both PEM. An authority that has expired, or a key
// that is not the certificate's, is an error.
func LoadCA(certPEM, keyPEM []byte) (*CA, error) {
	cert, err := parseCertificate(certPEM)
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(keyPEM)
	if err != nil {
		return nil, err
	}
	switch {
	case !cert.IsCA:
		return nil, errors.New("the certificate is not of an authority")
	case !key.PublicKey.Equal(cert.PublicKey):
		return nil, errors.New("the key does not belong to the certificate of the authority")
	case time.Now().After(cert.NotAfter):
		return nil, fmt.Errorf("the authority expired at %s", cert.NotAfter.Format(time.RFC3339))
	}
	return &CA{CertPEM: certPEM, cert: cert, key: key}, nil
}

// KeyPEM is the authority's key (PKCS #8), for an authority that is kept.
func (ca *CA) KeyPEM() ([]byte, error) { return keyPEM(ca.key) }

// IssueFor certifies a key that exists, e.g. to renew its certificate.
func (ca *CA) IssueFor(key *ecdsa.PrivateKey, r Request) (*Pair, error) {
	if r.CommonName == "" && len(r.DNSNames) == 0 {
		return nil, errors.New("certificate request names nobody")
	}
	der, err := x509.CreateCertificate(rand.Reader, template(r, time.Now()), ca.cert, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", r.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", r.CommonName, err)
	}
	private, err := keyPEM(key)
	if err != nil {
		return nil, fmt.Errorf("key for %q: %w", r.CommonName, err)
	}
	return &Pair{CertPEM: encode("CERTIFICATE", der), KeyPEM: private, CAPEM: ca.CertPEM, cert: cert, key: key}, nil
}

// ParseKey reads an EC private key in PEM, PKCS #8.
func ParseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("no PEM block PRIVATE KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("not an EC key")
	}
	return key, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no PEM block CERTIFICATE")
	}
	return x509.ParseCertificate(block.Bytes)
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return encode("PRIVATE KEY", der), nil
}
