package processing

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// minMaster is the least length of the master key, in bytes.
const minMaster = 32

// Pseudonyms turns data subject ids into pseudonyms. Each municipality has a key of its own, derived from the master key,
// so the same person has unrelated pseudonyms in two logbooks.
type Pseudonyms struct{ master []byte }

// NewPseudonyms takes the master key, at least 32 bytes of randomness.
func NewPseudonyms(master []byte) (*Pseudonyms, error) {
	if len(master) < minMaster {
		return nil, fmt.Errorf("master key of the pseudonyms is shorter than %d bytes", minMaster)
	}
	return &Pseudonyms{master: append([]byte(nil), master...)}, nil
}

// Of gives the pseudonym of one subject in the logbook of controller: "h1:" and 64 hex digits. h1 names the method, for
// the day that it changes.
func (p *Pseudonyms) Of(controller, subjectType, subject string) (string, error) {
	if controller == "" {
		return "", errors.New("pseudonym without a controller")
	}
	key, err := hkdf.Key(sha256.New, p.master, nil, "noorderhub processing log pseudonym h1 "+controller, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("pseudonym key: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	// The type is length-prefixed, so that no other pair of type and subject gives the same input.
	fmt.Fprintf(mac, "%d:%s:%s", len(subjectType), subjectType, subject)
	return "h1:" + hex.EncodeToString(mac.Sum(nil)), nil
}

// Apply replaces the subject of r, if it names one. The record must have been assigned and checked.
func (p *Pseudonyms) Apply(r *Record) error {
	subject, ok := r.Attributes[keySubject]
	if !ok {
		return nil
	}
	pseudonym, err := p.Of(r.Controller, r.Attributes[keySubjectType], subject)
	if err != nil {
		return err
	}
	r.Attributes[keySubject] = pseudonym
	return nil
}
