package custody

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"noorderhub.nl/hub/libs/oin"
	"noorderhub.nl/hub/services/registry/internal/audit"
)

// Options are what Open needs; all are required.
type Options struct {
	Envelope *Envelope
	Now      func() time.Time
}

// Vault is what may happen to keys. It holds no state beside the envelope: keys are in the Store of each call, so that
// what happens to a key is part of the caller's transaction.
type Vault struct{ o Options }

// Open checks the options.
func Open(o Options) (*Vault, error) {
	if o.Envelope == nil || o.Now == nil {
		return nil, errors.New("custody: envelope and clock are required")
	}
	return &Vault{o: o}, nil
}

// Format implements fmt.Formatter.
func (*Vault) Format(f fmt.State, _ rune) { hide(f) }

// MarshalText hides the vault from JSON and YAML.
func (*Vault) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (*Vault) LogValue() slog.Value { return slog.StringValue(hidden) }

func (v *Vault) now() time.Time { return v.o.Now().UTC().Truncate(time.Microsecond) }

// Proposal asks for a key: the first one of an organisation, or the one that follows.
type Proposal struct {
	Organisation oin.OIN
	Purpose      Purpose
	Algorithm    Algorithm // empty: the default of the purpose
	By           audit.Actor
}

// Propose makes a key, which waits for its certificate (Install), where it needs one, and for a second person (Confirm).
func (v *Vault) Propose(ctx context.Context, s Store, p Proposal) (Key, error) {
	if len(p.Purpose.algorithms()) == 0 {
		return Key{}, fmt.Errorf("purpose %q is unknown", p.Purpose)
	}
	if p.Algorithm == "" {
		p.Algorithm = p.Purpose.algorithms()[0]
	}
	if !p.Purpose.allows(p.Algorithm) {
		return Key{}, fmt.Errorf("algorithm %q: a key for %s has one of %v", p.Algorithm, p.Purpose, p.Purpose.algorithms())
	}
	if _, err := oin.Parse(p.Organisation.String()); err != nil {
		return Key{}, err
	}
	switch _, err := s.In(ctx, p.Organisation, p.Purpose, Pending); {
	case err == nil:
		return Key{}, ErrPending
	case !errors.Is(err, ErrUnknown):
		return Key{}, err
	}
	private, err := generate(p.Algorithm)
	if err != nil {
		return Key{}, err
	}
	stored, err := v.newStored(Key{
		Organisation: p.Organisation, Purpose: p.Purpose, Algorithm: p.Algorithm, State: Pending, Created: v.now(), Proposer: p.By,
	}, private)
	if err != nil {
		return Key{}, err
	}
	return stored.Key, s.Add(ctx, stored)
}

// Rotation is a key that became active, and the one whose place it took.
type Rotation struct {
	Key      Key
	Replaced *Key // nil: it is the first
}

// Evidence is what the audit record of a rotation says in its detail: which keys, and both persons with their sign-in.
type Evidence struct {
	Key        string      `json:"key"`
	Thumbprint string      `json:"thumbprint,omitempty"`
	Purpose    Purpose     `json:"purpose"`
	Replaced   string      `json:"replaced,omitempty"`
	Proposer   audit.Actor `json:"proposer"`
	Confirmer  audit.Actor `json:"confirmer"`
}

// Evidence gives the detail for the audit log.
func (r Rotation) Evidence() Evidence {
	e := Evidence{Key: r.Key.ID, Thumbprint: r.Key.Thumbprint, Purpose: r.Key.Purpose, Proposer: r.Key.Proposer, Confirmer: r.Key.Confirmer}
	if r.Replaced != nil {
		e.Replaced = r.Replaced.ID
	}
	return e
}

// Confirm makes a pending key the active one, on the word of a second person. The key before it signs no more; what it
// signed stands until its certificate ends, and is signed anew by Resign.
func (v *Vault) Confirm(ctx context.Context, s Store, id string, by audit.Actor) (Rotation, error) {
	stored, err := s.Get(ctx, id)
	if err != nil {
		return Rotation{}, err
	}
	now := v.now()
	switch {
	case stored.State != Pending:
		return Rotation{}, ErrState
	case by.Person == "" || by.Person == stored.Proposer.Person:
		return Rotation{}, ErrSamePerson
	case stored.Purpose.certified() && stored.Chain == "":
		return Rotation{}, ErrUncertified
	case stored.Purpose.certified() && !stored.NotAfter.After(now):
		return Rotation{}, ErrExpired
	}
	if _, err := v.open(stored); err != nil {
		return Rotation{}, err // before the old key is put aside
	}
	var r Rotation
	switch old, err := s.In(ctx, stored.Organisation, stored.Purpose, Active); {
	case err == nil:
		old.State, old.Ended = Replaced, now
		if err := s.Change(ctx, Active, old); err != nil {
			return Rotation{}, err
		}
		r.Replaced = &old.Key
	case !errors.Is(err, ErrUnknown):
		return Rotation{}, err
	}
	stored.State, stored.Activated, stored.Confirmer = Active, now, by
	r.Key = stored.Key
	return r, s.Change(ctx, Pending, stored)
}

// Retire ends the use of an active key that no other follows: the organisation signs for itself from now on, or nobody can
// be sure any more who knows the key. What it signed stays, unless contracts are revoked.
func (v *Vault) Retire(ctx context.Context, s Store, id string) (Key, error) {
	return v.end(ctx, s, id, func(k *Stored) bool {
		ok := k.State == Active
		k.State = Replaced
		return ok
	})
}

// Destroy wipes the private half of a key that is pending or replaced. Its public half and certificate stay. An active key
// is retired or replaced first.
func (v *Vault) Destroy(ctx context.Context, s Store, id string) (Key, error) {
	return v.end(ctx, s, id, func(k *Stored) bool {
		ok := k.State == Pending || k.State == Replaced
		k.State, k.Sealed = Destroyed, Sealed{}
		return ok
	})
}

func (v *Vault) end(ctx context.Context, s Store, id string, change func(*Stored) bool) (Key, error) {
	stored, err := s.Get(ctx, id)
	if err != nil {
		return Key{}, err
	}
	from := stored.State
	if !change(&stored) {
		return Key{}, ErrState
	}
	if stored.Ended.IsZero() {
		stored.Ended = v.now()
	}
	return stored.Key, s.Change(ctx, from, stored)
}

// Reseal seals keys anew that lie under older envelope keys, at most limit, and tells how many it did. Once it gives 0, the
// older envelope keys can be thrown away.
func (v *Vault) Reseal(ctx context.Context, s Store, limit int) (int, error) {
	stale, err := s.SealedOtherwise(ctx, v.o.Envelope.Newest(), limit)
	if err != nil {
		return 0, err
	}
	for i, stored := range stale {
		private, err := v.o.Envelope.open(stored)
		if err != nil {
			return i, fmt.Errorf("key %s: %w", stored.ID, err)
		}
		stored.Sealed = v.o.Envelope.seal(stored.Key, private)
		clear(private)
		if err := s.Change(ctx, stored.State, stored); err != nil {
			return i, fmt.Errorf("key %s: %w", stored.ID, err)
		}
	}
	return len(stale), nil
}
