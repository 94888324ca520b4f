package directory

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

var errPrivateKey = errors.New("holds a private key; only public keys belong here, and this one must be considered known")

// certificatesOf reads PEM certificates. A private key among them is refused by name.
func certificatesOf(pemText string) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for block, rest := pem.Decode([]byte(pemText)); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			return nil, errPrivateKey
		case block.Type != "CERTIFICATE":
			return nil, errors.New("holds a PEM block that is no certificate: " + block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("holds no PEM certificate")
	}
	return certs, nil
}
