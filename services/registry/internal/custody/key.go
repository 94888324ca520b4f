package custody

import (
	"context"
	"errors"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// Purpose is what a key signs. One key has one purpose.
type Purpose string

// The purposes.
const (
	Contracts   Purpose = "contracts"   // of an organisation, with a certificate that has its OIN
	Snapshots   Purpose = "snapshots"   // of the registry; the hub's
	Checkpoints Purpose = "checkpoints" // of the audit log; the hub's
)

// certified tells whether keys of this purpose need a certificate.
func (p Purpose) certified() bool { return p == Contracts }

// Algorithm is how a key signs (RFC 7518 §3.1, RFC 8037).
type Algorithm string

// The algorithms. RSA keys that are made here have 3072 bits.
const (
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	RS256 Algorithm = "RS256"
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// algorithms of a purpose, the default first: what libs/contract, the followers of snapshots and readers of signed notes
// verify.
func (p Purpose) algorithms() []Algorithm {
	switch p {
	case Contracts:
		return []Algorithm{ES256, ES384, ES512, RS256}
	case Snapshots:
		return []Algorithm{ES256}
	case Checkpoints:
		return []Algorithm{EdDSA}
	}
	return nil
}

func (p Purpose) allows(a Algorithm) bool { return slices.Contains(p.algorithms(), a) }

// State is where a key is in its life.
type State string

// The states. Of one organisation and purpose, at most one key is pending and at most one active.
const (
	Pending   State = "pending"   // made; waits for its certificate, or for the second person
	Active    State = "active"    // signs
	Replaced  State = "replaced"  // signs no more; what it signed is still verified with it
	Destroyed State = "destroyed" // the private half is gone
)

// Key is what may be known of a key: everything but its private half.
type Key struct {
	ID           string // SHA-256 of the public key (SubjectPublicKeyInfo), hex: FSC's public key thumbprint
	Organisation oin.OIN
	Purpose      Purpose
	Algorithm    Algorithm
	State        State
	Public       []byte    // SubjectPublicKeyInfo, DER
	Chain        string    // PEM, leaf first, without the anchor; empty: no certificate yet, or none needed
	Thumbprint   string    // x5t#S256 of the certificate
	NotAfter     time.Time // end of the certificate or of one that it rests on
	Created      time.Time
	Activated    time.Time
	Ended        time.Time   // when it was replaced, retired, or destroyed without ever being active
	Proposer     audit.Actor // who had it made or brought it in
	Confirmer    audit.Actor // the second person
}

// Stored is a key as the store keeps it.
type Stored struct {
	Key
	Sealed Sealed // empty when it was destroyed
}

// Store keeps keys. Its methods work inside the caller's transaction.
type Store interface {
	// Add keeps a new key.
	Add(ctx context.Context, k Stored) error
	// Get gives a key by its id; ErrUnknown.
	Get(ctx context.Context, id string) (Stored, error)
	// In gives the key of an organisation and purpose that is pending or active; ErrUnknown.
	In(ctx context.Context, organisation oin.OIN, purpose Purpose, state State) (Stored, error)
	// Of gives all keys of an organisation, oldest first.
	Of(ctx context.Context, organisation oin.OIN) ([]Key, error)
	// Ending gives the active keys whose certificates end before a moment, the first to end first.
	Ending(ctx context.Context, before time.Time) ([]Key, error)
	// Change replaces a key that is still in a state; ErrChanged.
	Change(ctx context.Context, from State, k Stored) error
	// SealedOtherwise gives keys that are sealed under other envelope keys than this one, at most limit.
	SealedOtherwise(ctx context.Context, envelope string, limit int) ([]Stored, error)
}

// Errors of this package. What is wrong with a certificate or a key that somebody sent comes as errors of its own, joined.
var (
	ErrUnknown     = errors.New("there is no such key")
	ErrChanged     = errors.New("the key is in another state by now")
	ErrState       = errors.New("the key is not in the state for this")
	ErrPending     = errors.New("another key of the organisation waits already: confirm or destroy it first")
	ErrHosted      = errors.New("the organisation has an active key already: let it be followed by a new one")
	ErrSamePerson  = errors.New("a key is confirmed by another person than proposed it")
	ErrUncertified = errors.New("the key has no certificate yet")
	ErrExpired     = errors.New("the certificate of the key is not valid at this moment")
	ErrSealed      = errors.New("the stored key does not open: it is damaged, or its envelope key is not configured")
)
