package contract

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"time"
)

// SignatureType is what a signature says about a contract.
type SignatureType string

// The signature types of FSC Core.
const (
	Accept SignatureType = "accept"
	Reject SignatureType = "reject"
	Revoke SignatureType = "revoke"
)

// Signer holds what an organisation signs with. Key may be remote (an HSM); only its Sign is used.
type Signer struct {
	Key         crypto.Signer
	Certificate *x509.Certificate // its subject serial number is the organisation's OIN
}

// Thumbprint is the certificate thumbprint of JOSE headers and cnf claims: SHA-256 of the DER form, base64url without
// padding (RFC 7515 §4.1.8).
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64url.EncodeToString(sum[:])
}

// Sign makes the signature of one organisation over a content: a compact JWS with exactly the payload that FSC Core
// prescribes. at is kept in whole seconds.
func Sign(s Signer, content *Content, kind SignatureType, at time.Time) (string, error) {
	if s.Key == nil || s.Certificate == nil {
		return "", errors.New("signer without key or certificate")
	}
	public, ok := s.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(s.Key.Public()) {
		return "", errors.New("the certificate does not belong to the key")
	}
	if peer := s.Certificate.Subject.SerialNumber; !content.Names(peer) {
		return "", errors.New("the organisation of the certificate is not named in the contract")
	}
	payload, err := json.Marshal(map[string]any{
		"contract_content_hash": content.Hash(), "type": kind, "signed_at": at.Unix(),
	})
	if err != nil {
		return "", err
	}
	return signJWS(s.Key, s.Certificate, payload)
}
