package custody

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// Import is a key that was made elsewhere, for the first start of a hub whose keys lie in files.
type Import struct {
	Organisation oin.OIN
	Purpose      Purpose
	Key          []byte         // PEM
	Chain        []byte         // PEM, leaf first; empty where the purpose needs none
	Anchors      *x509.CertPool // that Chain leads to
	By           audit.Actor
}

// Import takes a key in and makes it active at once; nobody confirms it, for whoever starts a hub has its files. fresh is
// false when the key was here already: importing again changes nothing, whatever became of it since. While another key of
// the organisation is active, ErrHosted: a key is followed by one that was made here.
func (v *Vault) Import(ctx context.Context, s Store, i Import) (key Key, fresh bool, err error) {
	private, err := parsePrivate(i.Key)
	if err != nil {
		return Key{}, false, err
	}
	now := v.now()
	stored, err := v.newStored(Key{
		Organisation: i.Organisation, Purpose: i.Purpose, Algorithm: algorithmOf(private.Public()), State: Active,
		Created: now, Activated: now, Proposer: i.By,
	}, private)
	if err != nil {
		return Key{}, false, err
	}
	switch have, err := s.Get(ctx, stored.ID); {
	case err == nil && (have.Organisation != i.Organisation || have.Purpose != i.Purpose):
		return Key{}, false, errors.New("key: is here already for another organisation or purpose")
	case err == nil:
		return have.Key, false, nil
	case !errors.Is(err, ErrUnknown):
		return Key{}, false, err
	}
	if err := stored.checkImport(i, v); err != nil {
		return Key{}, false, err
	}
	switch _, err := s.In(ctx, i.Organisation, i.Purpose, Active); {
	case err == nil:
		return Key{}, false, ErrHosted
	case !errors.Is(err, ErrUnknown):
		return Key{}, false, err
	}
	return stored.Key, true, s.Add(ctx, stored)
}

func (k *Stored) checkImport(i Import, v *Vault) error {
	_, errOIN := oin.Parse(k.Organisation.String())
	var errKey, errChain error
	if !k.Purpose.allows(k.Algorithm) {
		errKey = fmt.Errorf("key: not one for %s: %v", k.Purpose, k.Purpose.algorithms())
	}
	switch public, err := x509.ParsePKIXPublicKey(k.Public); {
	case err != nil:
		errKey = err
	case errKey == nil && k.Purpose.certified():
		errKey = contract.CheckKey(public)
		errChain = k.certify(i.Chain, i.Anchors, v.now())
	case len(i.Chain) > 0:
		errChain = fmt.Errorf("certificate: a key for %s has none", k.Purpose)
	}
	return errors.Join(errOIN, errKey, errChain)
}
