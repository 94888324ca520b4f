package custody

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"noorderhub.nl/hub/libs/contract"
	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/libs/token/jws"
)

// Due gives the active keys whose certificates end within a time, the first to end first. Contracts end with the
// certificates that their signatures rest on, so keys are renewed well ahead.
func (v *Vault) Due(ctx context.Context, s Store, within time.Duration) ([]Key, error) {
	return s.Ending(ctx, v.now().Add(within))
}

// ContractStore is where contracts are, for signing them anew.
type ContractStore interface {
	// SignedBy gives the contracts that an organisation accepted. Those that are over may be among them.
	SignedBy(ctx context.Context, organisation oin.OIN) ([]*contract.Contract, error)
	// Put stores a contract with a new signature.
	Put(ctx context.Context, c *contract.Contract) error
}

// Touched is a contract that rests on an organisation's signature.
type Touched struct {
	Hash       string    // of the content
	Till       time.Time // end of its window
	Thumbprint string    // of the certificate that it is signed with
	Done       bool      // that is the active key's
}

// Touches lists what renewing an organisation's key touches: its contracts that are not over, the first to end first. Once
// the new key is active, those that are not Done wait for Resign.
func (v *Vault) Touches(ctx context.Context, s Store, contracts ContractStore, organisation oin.OIN) ([]Touched, error) {
	active, err := s.In(ctx, organisation, Contracts, Active)
	if err != nil {
		return nil, err
	}
	live, err := v.live(ctx, contracts, organisation)
	if err != nil {
		return nil, err
	}
	list := make([]Touched, len(live))
	for i, c := range live {
		thumbprint, err := signedWith(c, organisation)
		if err != nil {
			return nil, err
		}
		list[i] = Touched{Hash: c.Content.Hash(), Till: c.Content.NotAfter, Thumbprint: thumbprint, Done: thumbprint == active.Thumbprint}
	}
	return list, nil
}

// Resign signs an organisation's contracts anew with its active key: the same contents, so nothing that was agreed changes,
// and only those whose signature rests on another certificate. It gives the content hashes of those that it stored. Stopped
// halfway, it goes on where it was when it is called again; called once more, it does nothing.
func (v *Vault) Resign(ctx context.Context, s Store, contracts ContractStore, organisation oin.OIN) ([]string, error) {
	active, err := s.In(ctx, organisation, Contracts, Active)
	if err != nil {
		return nil, err
	}
	live, err := v.live(ctx, contracts, organisation)
	if err != nil {
		return nil, err
	}
	var done []string
	for _, c := range live {
		if thumbprint, err := signedWith(c, organisation); err != nil || thumbprint == active.Thumbprint {
			if err != nil {
				return done, err
			}
			continue
		}
		signature, err := v.sign(active, c.Content, contract.Accept, v.now())
		if err != nil {
			return done, fmt.Errorf("contract %s: %w", c.Content.Hash(), err)
		}
		if err := contracts.Put(ctx, c.With(contract.Accept, organisation.String(), signature.JWS)); err != nil {
			return done, fmt.Errorf("contract %s: %w", c.Content.Hash(), err)
		}
		done = append(done, c.Content.Hash())
	}
	return done, nil
}

// live gives the contracts that an organisation accepted, nobody took back, and whose window has not passed, in a fixed
// order. A contract that a certificate ended is among them: the new signature revives it.
func (v *Vault) live(ctx context.Context, contracts ContractStore, organisation oin.OIN) ([]*contract.Contract, error) {
	all, err := contracts.SignedBy(ctx, organisation)
	if err != nil {
		return nil, err
	}
	now := v.now()
	live := slices.DeleteFunc(slices.Clone(all), func(c *contract.Contract) bool {
		return !c.Signed(contract.Accept, organisation.String()) || len(c.Reject)+len(c.Revoke) > 0 || !c.Content.NotAfter.After(now)
	})
	slices.SortFunc(live, func(a, b *contract.Contract) int {
		return cmp.Or(a.Content.NotAfter.Compare(b.Content.NotAfter), cmp.Compare(a.Content.Hash(), b.Content.Hash()))
	})
	return live, nil
}

// maxSignature bounds the signature of a contract, in bytes, as libs/contract does.
const maxSignature = 8 << 10

// signedWith gives the certificate thumbprint that an organisation's accept signature names.
func signedWith(c *contract.Contract, organisation oin.OIN) (string, error) {
	message, err := jws.Parse(c.Accept[organisation.String()], maxSignature)
	if err != nil {
		return "", fmt.Errorf("signature under contract %s: %w", c.Content.Hash(), err)
	}
	return message.Header.Text("x5t#S256")
}
