package custody

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
)

// Hosts tells whether the hub signs contracts for an organisation.
func (v *Vault) Hosts(ctx context.Context, s Store, organisation oin.OIN) (bool, error) {
	_, err := s.In(ctx, organisation, Contracts, Active)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	return err == nil, err
}

// Signature is one that was made here, with what the audit log says of it.
type Signature struct {
	JWS        string
	Key        string // id
	Thumbprint string // of the certificate
}

// Sign signs a contract's content in the name of an organisation. The record of who asked for it belongs in the same
// transaction.
func (v *Vault) Sign(
	ctx context.Context, s Store, organisation oin.OIN, content *contract.Content, kind contract.SignatureType, at time.Time,
) (Signature, error) {
	stored, err := s.In(ctx, organisation, Contracts, Active)
	if err != nil {
		return Signature{}, err
	}
	return v.sign(stored, content, kind, at)
}

func (v *Vault) sign(stored Stored, content *contract.Content, kind contract.SignatureType, at time.Time) (Signature, error) {
	signer, err := v.signer(stored, at)
	if err != nil {
		return Signature{}, err
	}
	jws, err := contract.Sign(signer, content, kind, at)
	return Signature{JWS: jws, Key: stored.ID, Thumbprint: stored.Thumbprint}, err
}

// Signer gives what signs in the name of an organisation, for statements that are signed like contracts. Its key opens for
// each signature and shows nothing; it goes on signing when the key is replaced, so it is asked for anew each time.
func (v *Vault) Signer(ctx context.Context, s Store, organisation oin.OIN, at time.Time) (contract.Signer, error) {
	stored, err := s.In(ctx, organisation, Contracts, Active)
	if err != nil {
		return contract.Signer{}, err
	}
	return v.signer(stored, at)
}

func (v *Vault) signer(stored Stored, at time.Time) (contract.Signer, error) {
	chain, err := parseChain([]byte(stored.Chain))
	if err != nil {
		return contract.Signer{}, fmt.Errorf("stored key %s: %w", stored.ID, err)
	}
	if at.Before(chain[0].NotBefore) || !at.Before(stored.NotAfter) {
		return contract.Signer{}, ErrExpired
	}
	key, err := v.hand(stored)
	return contract.Signer{Key: key, Certificate: chain[0]}, err
}

// HubKey gives the hub's own active key of a purpose without certificate, with which the process goes on signing until it
// asks again.
func (v *Vault) HubKey(ctx context.Context, s Store, hub oin.OIN, purpose Purpose) (crypto.Signer, error) {
	if purpose.certified() {
		return nil, fmt.Errorf("a key for %s signs content only", purpose)
	}
	stored, err := s.In(ctx, hub, purpose, Active)
	if err != nil {
		return nil, err
	}
	return v.hand(stored)
}
