package api

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
)

const (
	typeStatement = "hub-receipt-key+jws"
	// PurposeReceipts is what a statement allows the key for, and nothing else.
	PurposeReceipts = "receipts"
)

// Statement is what an organisation says about a key that signs receipts in its name: "this key is mine, from then until
// then, for receipts". It is signed once with the key that the organisation signs contracts with, so a receipt rests on
// the same certificate as its agreements, and that key need not be at hand when a case is accepted.
type Statement struct {
	OIN      string    `json:"oin"`
	Purpose  string    `json:"purpose"` // PurposeReceipts
	Key      JWK       `json:"jwk"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	SignedAt time.Time `json:"signedAt"`
}

// NewStatement fills in a statement for a receipt key; times are cut to whole seconds.
func NewStatement(organisation string, key JWK, from, until, at time.Time) Statement {
	second := func(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
	return Statement{
		OIN: organisation, Purpose: PurposeReceipts, Key: key, From: second(from), Until: second(until), SignedAt: second(at),
	}
}

// SignStatement signs a statement with the contract key of the organisation. intermediates lead from its certificate to
// an anchor. The result is a compact JWS with the certificates in x5c (RFC 7515 §4.1.6): who has the anchors needs no more.
func SignStatement(s contract.Signer, st Statement, intermediates ...*x509.Certificate) (string, error) {
	if s.Key == nil || s.Certificate == nil {
		return "", errors.New("statement: signer without key or certificate")
	}
	public, ok := s.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Key.Public()) {
		return "", errors.New("statement: the certificate does not belong to the key")
	}
	if err := st.check(s.Certificate); err != nil {
		return "", fmt.Errorf("statement: %w", err)
	}
	alg, err := algorithmFor(s.Certificate.PublicKey)
	if err != nil {
		return "", fmt.Errorf("statement: %w", err)
	}
	h := header{Alg: alg, Type: typeStatement, Thumbprint: contract.Thumbprint(s.Certificate)}
	for _, c := range append([]*x509.Certificate{s.Certificate}, intermediates...) {
		h.Chain = append(h.Chain, base64.StdEncoding.EncodeToString(c.Raw))
	}
	return sign(s.Key, h, st)
}

// VerifyStatement checks a statement: signature, certificate chain to one of the anchors as it stood when it was signed,
// the organisation of the certificate, and that it does not outlive the certificate. Whether it is in force at some
// moment is Covers'.
func VerifyStatement(compact string, anchors *x509.CertPool) (Statement, error) {
	m, err := parse(compact, typeStatement)
	if err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	chain, err := certificates(m.header.Chain)
	if err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	leaf := chain[0]
	if m.header.Thumbprint != contract.Thumbprint(leaf) {
		return Statement{}, errors.New("statement: x5t#S256 is of another certificate than x5c")
	}
	if err := contract.CheckKey(leaf.PublicKey); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	if err := m.verify(leaf.PublicKey); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	var st Statement
	if err := json.Unmarshal(m.payload, &st); err != nil {
		return Statement{}, errors.New("statement: the payload is malformed")
	}
	if err := st.check(leaf); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	if err := trusted(chain, anchors, st.SignedAt); err != nil {
		return Statement{}, fmt.Errorf("statement of %s: %w", st.OIN, err)
	}
	return st, nil
}

// Covers tells whether the key may sign receipts at a moment.
func (s Statement) Covers(at time.Time) bool { return !at.Before(s.From) && at.Before(s.Until) }

func (s Statement) check(leaf *x509.Certificate) error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	_, err := oin.Parse(s.OIN)
	fault(err != nil, "oin is not an OIN")
	fault(s.OIN != leaf.Subject.SerialNumber, "oin is not that of the certificate (subject serial number)")
	fault(s.Purpose != PurposeReceipts, "purpose is not "+PurposeReceipts)
	_, err = s.Key.PublicKey()
	fault(err != nil, "jwk is not a public P-256 key")
	fault(!s.From.Before(s.Until), "from is not before until")
	fault(s.Until.After(leaf.NotAfter), "until is after the end of the certificate")
	fault(s.SignedAt.IsZero(), "signedAt is missing")
	fault(s.SignedAt.After(s.Until), "signedAt is after until")
	return errors.Join(faults...)
}

// maxChain bounds the certificates of one statement.
const maxChain = 6

func certificates(x5c []string) ([]*x509.Certificate, error) {
	if len(x5c) == 0 || len(x5c) > maxChain {
		return nil, fmt.Errorf("x5c has %d certificates, 1 to %d are expected", len(x5c), maxChain)
	}
	chain := make([]*x509.Certificate, len(x5c))
	for i, text := range x5c {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil {
			chain[i], err = x509.ParseCertificate(der)
		}
		if err != nil {
			return nil, fmt.Errorf("x5c: certificate %d is malformed", i+1)
		}
	}
	return chain, nil
}

func trusted(chain []*x509.Certificate, anchors *x509.CertPool, at time.Time) error {
	if anchors == nil {
		return errors.New("no anchors to trust")
	}
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: anchors, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	return nil
}
