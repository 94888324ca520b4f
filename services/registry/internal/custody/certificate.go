package custody

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
)

// Request gives the certificate request (PKCS #10, PEM) of a pending key. Its subject is as PKIoverheid has it: country,
// organisation name, and the OIN as serial number.
func (v *Vault) Request(ctx context.Context, s Store, id, organisationName string) ([]byte, error) {
	der, err := v.request(ctx, s, id, organisationName)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

func (v *Vault) request(ctx context.Context, s Store, id, organisationName string) ([]byte, error) {
	stored, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if stored.State != Pending || !stored.Purpose.certified() {
		return nil, ErrState
	}
	key, err := v.hand(stored)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{
		Country: []string{"NL"}, Organization: []string{organisationName}, CommonName: organisationName, SerialNumber: stored.Organisation.String(),
	}}, key)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return der, nil
}

// Install gives a pending key its certificate: a PEM chain, leaf first, that leads to one of the anchors at this moment,
// for this key and this organisation. All faults come at once. Installing again replaces the certificate, until the key is
// confirmed.
func (v *Vault) Install(ctx context.Context, s Store, id string, chain []byte, anchors *x509.CertPool) (Key, error) {
	stored, err := s.Get(ctx, id)
	if err != nil {
		return Key{}, err
	}
	if stored.State != Pending || !stored.Purpose.certified() {
		return Key{}, ErrState
	}
	if err := stored.certify(chain, anchors, v.now()); err != nil {
		return Key{}, err
	}
	return stored.Key, s.Change(ctx, Pending, stored)
}

// certify puts a chain that was checked into the key.
func (k *Key) certify(text []byte, anchors *x509.CertPool, at time.Time) error {
	chain, err := parseChain(text)
	if err != nil {
		return err
	}
	till, err := k.checkChain(chain, anchors, at)
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, c := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	k.Chain, k.Thumbprint, k.NotAfter = out.String(), contract.Thumbprint(chain[0]), till
	return nil
}

const (
	maxChainBytes = 64 << 10
	maxChain      = 6
)

func parseChain(text []byte) ([]*x509.Certificate, error) {
	if len(text) > maxChainBytes {
		return nil, fmt.Errorf("certificate: %d bytes, at most %d", len(text), maxChainBytes)
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			clear(block.Bytes)
			return nil, errors.New("certificate: holds a private key; only certificates belong here, and this key must be considered known")
		case block.Type != "CERTIFICATE":
			return nil, errors.New("certificate: holds a PEM block that is no certificate")
		case len(chain) == maxChain:
			return nil, fmt.Errorf("certificate: a chain of more than %d", maxChain)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(chain)+1, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("certificate: no PEM certificate")
	}
	return chain, nil
}

// checkChain tells all that keeps a chain from being the key's, as libs/contract will verify it later, and gives the end
// of what it rests on.
func (k Key) checkChain(chain []*x509.Certificate, anchors *x509.CertPool, at time.Time) (time.Time, error) {
	leaf, intermediates := chain[0], x509.NewCertPool()
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("certificate: "+format, args...)) }
	if public, _, err := identify(leaf.PublicKey); err != nil || string(public) != string(k.Public) {
		fault("is of another key")
	}
	if serial := serialNumbers(leaf); len(serial) != 1 || serial[0] != k.Organisation.String() {
		fault("the subject serial number is not the OIN %s alone", k.Organisation)
	}
	if err := contract.CheckKey(leaf.PublicKey); err != nil {
		fault("%w", err)
	}
	if leaf.IsCA {
		fault("is of an authority")
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		fault("is not for signatures (key usage)")
	}
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	paths, err := leaf.Verify(x509.VerifyOptions{
		Roots: anchors, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		fault("%w", err)
	}
	return end(paths), errors.Join(faults...)
}

var serialNumberAttribute = asn1.ObjectIdentifier{2, 5, 4, 5}

// serialNumbers are all there are: of several, crypto/x509 shows one and another reader another.
func serialNumbers(c *x509.Certificate) []string {
	var all []string
	for _, attribute := range c.Subject.Names {
		if attribute.Type.Equal(serialNumberAttribute) {
			text, _ := attribute.Value.(string)
			all = append(all, text)
		}
	}
	return all
}

// end gives the latest moment until which one of the paths holds whole.
func end(paths [][]*x509.Certificate) time.Time {
	var latest time.Time
	for _, path := range paths {
		till := path[0].NotAfter
		for _, c := range path[1:] {
			if c.NotAfter.Before(till) {
				till = c.NotAfter
			}
		}
		if till.After(latest) {
			latest = till
		}
	}
	return latest.UTC()
}

// Chains gives the certificate chains (PEM, leaf first) with which an organisation signed or signs contracts here: what
// others need to verify it.
func (v *Vault) Chains(ctx context.Context, s Store, organisation oin.OIN) ([]string, error) {
	keys, err := s.Of(ctx, organisation)
	if err != nil {
		return nil, err
	}
	var chains []string
	for _, k := range keys {
		if k.Chain != "" && !k.Activated.IsZero() {
			chains = append(chains, k.Chain)
		}
	}
	return chains, nil
}
